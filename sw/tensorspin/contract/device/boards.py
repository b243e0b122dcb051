"""Boards as the host needs to know them: clock, line and engine sizes.

Pins, device and programmer are the gateware's business (`tensorspin_gateware.boards`).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..annealer.size import AnnealerSize
from ..contractor.size import ContractorSize
from ..wire.packets import PROTOCOL_VERSION
from . import sizes
from .description import NAME_BYTES, DeviceDescription
from .usb import ICELINK, UsbDevice, ft231x, ft2232


@dataclass(frozen=True)
class BoardSpec:
    """One row of the table.

    Attributes
    ----------
    name : str
        As in `make bitstream BOARD=name` and `sim://name`.
    title : str
        As people call it.
    clock_hz : int
        Clock of the engines.
    baud : int
        Rate of the serial line.
    receive_bytes : int
        Size of the receive buffer; a power of two.
    contractor : ContractorSize or None
    annealer : AnnealerSize or None
        At least one of the two.
    usb : UsbDevice or None
        The board's own USB port, if it has one.

    Raises
    ------
    ValueError
        If there is no engine, or the name is too long.
    """

    name: str
    title: str
    clock_hz: int
    baud: int
    receive_bytes: int
    contractor: ContractorSize | None = None
    annealer: AnnealerSize | None = None
    usb: UsbDevice | None = None

    def __post_init__(self) -> None:
        if self.contractor is None and self.annealer is None:
            raise ValueError(f"board {self.name!r} has no engine")
        if len(self.name) > NAME_BYTES:
            raise ValueError(
                f"a board's name has at most {NAME_BYTES} characters, {self.name!r} has "
                f"{len(self.name)}"
            )

    def require_contractor(self) -> ContractorSize:
        """The contractor, or a ValueError that tells that there is none."""
        if self.contractor is None:
            raise ValueError(f"board {self.name!r} has no contractor, which runs programs")
        return self.contractor

    def require_annealer(self) -> AnnealerSize:
        """The annealer, or a ValueError that tells that there is none."""
        if self.annealer is None:
            raise ValueError(f"board {self.name!r} has no annealer, which minimises models")
        return self.annealer

    def description(self, build: bytes) -> DeviceDescription:
        """What a device built from this row says of itself."""
        return DeviceDescription(
            PROTOCOL_VERSION,
            self.name,
            self.clock_hz,
            self.baud,
            self.receive_bytes,
            build,
            self.contractor,
            self.annealer,
        )


_ICELINK_BAUD = 115_200
"""What MuseLab's examples use; nothing says that the debugger keeps up with more."""

_ULX3S_25F = ft231x("ULX3S FPGA 25K")

_TABLE = (
    BoardSpec(
        name="icebreaker",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=30_000_000,
        baud=1_000_000,
        usb=ft2232("iCEBreaker"),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="icesugar",
        title="MuseLab iCESugar (iCE40 UP5K)",
        clock_hz=30_000_000,
        baud=_ICELINK_BAUD,
        usb=ICELINK,
        **sizes.UP5K,
    ),
    BoardSpec(
        name="upduino_v3",
        title="tinyVision.ai UPduino v3 (iCE40 UP5K)",
        clock_hz=30_000_000,
        baud=1_000_000,
        usb=UsbDevice(0x0403, 0x6014, "UPduino v3"),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="ice40_up5k_b_evn",
        title="Lattice iCE40 UltraPlus Breakout Board (iCE40 UP5K)",
        clock_hz=30_000_000,
        baud=1_000_000,
        usb=ft2232("Lattice iCE40UP5K Breakout", uart=None),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="icebreaker_bitsy",
        title="1BitSquared iCEBreaker Bitsy (iCE40 UP5K)",
        clock_hz=30_000_000,
        baud=1_000_000,
        usb=UsbDevice(0x1D50, 0x6146, "iCEBreaker.bitsy"),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="icebreaker_annealer",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=33_000_000,
        baud=1_000_000,
        usb=ft2232("iCEBreaker"),
        **sizes.UP5K_ANNEALER,
    ),
    BoardSpec(
        name="hx8k_evn_annealer",
        title="Lattice iCE40-HX8K-B-EVN",
        clock_hz=90_000_000,
        baud=1_000_000,
        usb=ft2232(""),  # its name, Lattice FTUSB, is that of other boards, too
        **sizes.HX8K_ANNEALER,
    ),
    BoardSpec(
        name="ulx3s_25f",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        usb=_ULX3S_25F,
        **sizes.ECP5_25,
    ),
    BoardSpec(
        name="ulx3s_25f_annealer",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=100_000_000,
        baud=1_000_000,
        usb=_ULX3S_25F,
        **sizes.ECP5_25_ANNEALER,
    ),
    BoardSpec(
        name="ulx3s_25f_both",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        usb=_ULX3S_25F,
        **sizes.ECP5_25_BOTH,
    ),
    BoardSpec(
        name="ulx3s_12f",
        title="Radiona ULX3S (ECP5 12F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        usb=ft231x("ULX3S FPGA 12K"),
        **sizes.ECP5_25,
    ),
    BoardSpec(
        name="ulx3s_45f",
        title="Radiona ULX3S (ECP5 45F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        usb=ft231x("ULX3S FPGA 45K"),
        **sizes.ECP5_45,
    ),
    BoardSpec(
        name="ulx3s_85f",
        title="Radiona ULX3S (ECP5 85F)",
        clock_hz=80_000_000,
        baud=1_000_000,
        usb=ft231x("ULX3S FPGA 85K"),
        **sizes.ECP5_85,
    ),
    BoardSpec(
        name="ulx3s_85f_annealer",
        title="Radiona ULX3S (ECP5 85F)",
        clock_hz=80_000_000,
        baud=1_000_000,
        usb=ft231x("ULX3S FPGA 85K"),
        **sizes.ECP5_85_ANNEALER,
    ),
    BoardSpec(
        name="icepi_zero",
        title="Icepi Zero v1.3 (ECP5 25F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        usb=ft231x("Icepi"),
        **sizes.ECP5_25,
    ),
    BoardSpec(
        name="icesugar_pro",
        title="MuseLab iCESugar-Pro (ECP5 25F)",
        clock_hz=95_000_000,
        baud=_ICELINK_BAUD,
        usb=ICELINK,
        **sizes.ECP5_25,
    ),
    BoardSpec(
        name="colorlight_5a75b_r7_0",
        title="Colorlight 5A-75B V7.0 (ECP5 25F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        **sizes.ECP5_25,
    ),
    BoardSpec(
        name="orangecrab_r0_2",
        title="OrangeCrab r0.2 (ECP5 25F)",
        clock_hz=128_000_000,
        baud=1_000_000,
        usb=UsbDevice(0x1209, 0x5AF0, "OrangeCrab"),
        **sizes.ECP5_25,
    ),
    BoardSpec(
        name="ecpix5_45f",
        title="LambdaConcept ECPIX-5 (ECP5 45F)",
        clock_hz=135_000_000,
        baud=1_000_000,
        usb=ft2232("ECPIX"),
        **sizes.ECP5_45,
    ),
    BoardSpec(
        name="ecpix5_85f",
        title="LambdaConcept ECPIX-5 (ECP5 85F)",
        clock_hz=110_000_000,
        baud=1_000_000,
        usb=ft2232("ECPIX"),
        **sizes.ECP5_85,
    ),
    BoardSpec(
        name="versa_ecp5",
        title="Lattice ECP5 Versa (ECP5 45F)",
        clock_hz=120_000_000,
        baud=1_000_000,
        usb=ft2232("Lattice ECP5.* Versa"),
        **sizes.ECP5_45,
    ),
    BoardSpec(
        name="ecp5_5g_evn",
        title="Lattice ECP5 Evaluation Board (ECP5 85F)",
        clock_hz=110_000_000,
        baud=1_000_000,
        usb=ft2232("Lattice ECP5 Evaluation"),
        **sizes.ECP5_85,
    ),
)

BOARDS = {board.name: board for board in _TABLE}

_FIRST = {board.contractor: board for board in reversed(_TABLE)}

CONTRACTORS = {
    board.name: board
    for board in _TABLE
    if board.contractor is not None and _FIRST[board.contractor] is board
}
"""The first board with each of the contractors; others would only show the same again."""


_TOO_SMALL = ("icestick", "ice40_hx1k_blink_evn", "icesugar_nano", "nandland_go")
"""Boards with an iCE40 HX1K or LP1K, which people may ask for."""

_TOO_SMALL_CELLS = 1280

SMALLEST_CELLS = {"link": 560, "annealer of 64 spins": 2570, "contractor of 8 lanes": 6390}
"""LUTs of an iCE40 that the link takes alone, and the smallest engines with their link: Yosys'
count, without DSPs and SPRAM."""


def find_board(name: str) -> BoardSpec:
    """The board of that name.

    Raises
    ------
    ValueError
        If there is none; the message lists the names. Or if it is known to be too small.
    """
    if name in _TOO_SMALL:
        needed = ", ".join(f"{what} {cells}" for what, cells in SMALLEST_CELLS.items())
        raise ValueError(
            f"board {name!r} is too small: its FPGA has {_TOO_SMALL_CELLS} logic cells; needed: "
            f"{needed}"
        )
    if name not in BOARDS:
        raise ValueError(f"no board is called {name!r}; known: {', '.join(sorted(BOARDS))}")
    return BOARDS[name]
