"""Boards as the host needs to know them: clock, serial line and engine sizes.

Pins, FPGA tools and programmers belong to the gateware, whose own table
(`tensorspin_gateware.boards`) has a row of the same name for each row here.
"""

from __future__ import annotations

from ..contractor.size import ContractorSize
from ..engine import EngineSize
from . import sizes, spatial_boards
from .board import BoardSpec as BoardSpec
from .line import Line
from .usb import ICELINK, UsbDevice, ft231x, ft2232
from .variant_boards import find_variant

_ICELINK_BAUD = 115_200
"""Baud of the boards with MuseLab's debugger as USB adapter: the rate of MuseLab's own examples.
Nothing says that the debugger, a microcontroller, keeps up with a higher rate."""

_FTDI_BAUD = 3_000_000
"""Baud of boards with an adapter of FTDI: the most that an FT231X does, by its data sheet
(DS_FT231X). An FT2232H could do four times as much, for which few of these clocks have a
divisor."""

_SPI_HZ = 25_000_000
"""Greatest frequency of SCK in Hz: what microcontrollers commonly give, and what wires of 10 to 20
cm between two boards carry."""

_ULX3S_25F = ft231x("ULX3S FPGA 25K")
"""The ULX3S 25F's USB port, which three rows share."""

_TABLE = (
    BoardSpec(
        name="icebreaker",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=45_000_000,
        baud=_FTDI_BAUD,
        usb=ft2232("iCEBreaker"),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="icebreaker_spi",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=45_000_000,
        baud=_SPI_HZ,
        line=Line.SPI,
        **sizes.UP5K,
    ),
    BoardSpec(
        name="pico_ice",
        title="tinyVision.ai pico-ice (iCE40 UP5K and RP2040)",
        clock_hz=45_000_000,
        baud=_SPI_HZ,
        line=Line.SPI,
        **sizes.UP5K,
    ),
    BoardSpec(
        name="pico2_ice",
        title="tinyVision.ai pico2-ice (iCE40 UP5K and RP2350)",
        clock_hz=45_000_000,
        baud=_SPI_HZ,
        line=Line.SPI,
        **sizes.UP5K,
    ),
    BoardSpec(
        name="icesugar",
        title="MuseLab iCESugar (iCE40 UP5K)",
        clock_hz=45_000_000,
        baud=_ICELINK_BAUD,
        usb=ICELINK,
        **sizes.UP5K,
    ),
    BoardSpec(
        name="upduino_v3",
        title="tinyVision.ai UPduino v3 (iCE40 UP5K)",
        clock_hz=45_000_000,
        baud=1_000_000,
        usb=UsbDevice(0x0403, 0x6014, "UPduino v3"),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="ice40_up5k_b_evn",
        title="Lattice iCE40 UltraPlus Breakout Board (iCE40 UP5K)",
        clock_hz=45_000_000,
        baud=1_000_000,
        usb=ft2232("Lattice iCE40UP5K Breakout", uart=None),
        **sizes.UP5K,
    ),
    BoardSpec(
        name="icebreaker_bitsy",
        title="1BitSquared iCEBreaker Bitsy (iCE40 UP5K)",
        clock_hz=45_000_000,
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
        name="icebreaker_annealer_8bit",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=33_000_000,
        baud=1_000_000,
        usb=ft2232("iCEBreaker"),
        **sizes.UP5K_ANNEALER_8BIT,
    ),
    BoardSpec(
        name="icebreaker_annealer_spi",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=33_000_000,
        baud=_SPI_HZ,
        line=Line.SPI,
        **sizes.UP5K_ANNEALER,
    ),
    BoardSpec(
        name="hx8k_evn_annealer",
        title="Lattice iCE40-HX8K-B-EVN",
        clock_hz=90_000_000,
        baud=_FTDI_BAUD,
        usb=ft2232(""),  # its product name, "Lattice FTUSB", is shared by other boards
        **sizes.HX8K_ANNEALER,
    ),
    BoardSpec(
        name="ulx3s_25f",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=95_000_000,
        baud=1_000_000,
        usb=_ULX3S_25F,
        **sizes.ECP5_25_SINGLE,
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
        name="ulx3s_25f_annealer_8bit",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=80_000_000,
        baud=_FTDI_BAUD,
        usb=_ULX3S_25F,
        **sizes.ECP5_25_ANNEALER_8BIT,
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
        name="ulx3s_25f_both_spi",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=95_000_000,
        baud=_SPI_HZ,
        line=Line.SPI,
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
        name="ulx3s_85f_annealer_8bit",
        title="Radiona ULX3S (ECP5 85F)",
        clock_hz=75_000_000,
        baud=_FTDI_BAUD,
        usb=ft231x("ULX3S FPGA 85K"),
        **sizes.ECP5_85_ANNEALER_8BIT,
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
        name="icepi_zero_spi",
        title="Icepi Zero v1.3 (ECP5 25F)",
        clock_hz=95_000_000,
        baud=_SPI_HZ,
        line=Line.SPI,
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
"""All boards by name, in the order of the table."""


def _first_with_each(kind: type[EngineSize]) -> dict[str, BoardSpec]:
    """Find the first board with each size of one engine: by name, in the order of the table."""
    found: dict[EngineSize, BoardSpec] = {}
    for board in _TABLE:
        size = board.engines.find(kind)
        if size is not None:
            found.setdefault(size, board)
    return {board.name: board for board in found.values()}


CONTRACTORS = _first_with_each(ContractorSize)
"""The first board with each size of a contractor. Tests and benchmarks of the contractor go through
these alone, since other boards with the same size would only show the same again."""

_TOO_SMALL = ("icestick", "ice40_hx1k_blink_evn", "icesugar_nano", "nandland_go")
"""Boards with an iCE40 HX1K or LP1K. They are popular enough that people ask for them, and so
`find_board` says why they are missing."""

_TOO_SMALL_CELLS = 1280
"""Logic cells of an iCE40 HX1K or LP1K."""

SMALLEST_CELLS = {"link": 560, "annealer of 64 spins": 2570, "contractor of 8 lanes": 6390}
"""LUTs of an iCE40 for the link alone, and for the smallest engines together with their link, if
DSPs and SPRAM cannot be used: cells as Yosys counts them."""


def find_board(name: str) -> BoardSpec:
    """Find a board in the table.

    Parameters
    ----------
    name : str
        Name of its row; or ``spatial/NAME`` for one that a file describes, see `spatial_boards`; or
        ``protect/NAME``, ``resident/NAME`` or ``sign/NAME`` for a row with other engines, see
        `variant_boards`.

    Returns
    -------
    BoardSpec
        The row.

    Raises
    ------
    ValueError
        If no board has that name, in which case the message lists the names; or if the board is
        known to be too small, or its file is missing or damaged.

    Examples
    --------
    >>> find_board("icebreaker").clock_hz
    45000000
    """
    if name.startswith(spatial_boards.PREFIX):
        return spatial_boards.read_board(name.removeprefix(spatial_boards.PREFIX), BOARDS)
    variant = find_variant(name, BOARDS)
    if variant is not None:
        return variant
    if name in _TOO_SMALL:
        needed = ", ".join(f"{what} {cells}" for what, cells in SMALLEST_CELLS.items())
        raise ValueError(
            f"board {name!r} is too small: its FPGA has {_TOO_SMALL_CELLS} logic cells; needed: "
            f"{needed}"
        )
    if name not in BOARDS:
        raise ValueError(f"no board is called {name!r}; known: {', '.join(sorted(BOARDS))}")
    return BOARDS[name]
