"""Boards as the host needs to know them: clock, line and engine sizes.

Pins, device and programmer are the gateware's business (`tensorspin_gateware.boards`).
"""

from __future__ import annotations

from dataclasses import dataclass

from .annealer import AnnealerSize
from .device import NAME_BYTES, ContractorSize, DeviceDescription
from .packets import PROTOCOL_VERSION


@dataclass(frozen=True)
class Board:
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


_TABLE = (
    Board(
        name="icebreaker",
        title="1BitSquared iCEBreaker (iCE40 UP5K)",
        clock_hz=30_000_000,
        baud=1_000_000,
        receive_bytes=1024,
        contractor=ContractorSize(
            lanes=8, program_words=16384, features=1024, components=4, slots=8, slot_entries=32
        ),
    ),
    Board(
        name="ulx3s_25f",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=80_000_000,
        baud=1_000_000,
        receive_bytes=4096,
        contractor=ContractorSize(
            lanes=8,
            program_words=8192,
            features=1024,
            components=8,
            slots=16,
            slot_entries=32,
            groups=3,
        ),
    ),
    Board(
        name="ulx3s_25f_annealer",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=80_000_000,
        baud=1_000_000,
        receive_bytes=4096,
        annealer=AnnealerSize(
            spins=256,
            coupling_bits=4,
            field_bits=12,
            replicas=16,
            strides=(1,) * 8,
            offset_rows=256,
            steps=256,
        ),
    ),
    Board(
        name="ulx3s_25f_both",
        title="Radiona ULX3S (ECP5 25F)",
        clock_hz=80_000_000,
        baud=1_000_000,
        receive_bytes=4096,
        contractor=ContractorSize(
            lanes=8,
            program_words=4096,
            features=1024,
            components=8,
            slots=16,
            slot_entries=32,
            groups=2,
        ),
        annealer=AnnealerSize(
            spins=64,
            coupling_bits=4,
            field_bits=10,
            replicas=16,
            strides=(1,) * 7,
            offset_rows=64,
            steps=256,
        ),
    ),
    Board(
        name="ulx3s_85f",
        title="Radiona ULX3S (ECP5 85F)",
        clock_hz=80_000_000,
        baud=1_000_000,
        receive_bytes=16384,
        contractor=ContractorSize(
            lanes=8,
            program_words=16384,
            features=1024,
            components=8,
            slots=16,
            slot_entries=32,
            groups=16,
        ),
    ),
)

BOARDS = {board.name: board for board in _TABLE}

CONTRACTORS = {name: board for name, board in BOARDS.items() if board.contractor is not None}
"""Those with a contractor."""


def find_board(name: str) -> Board:
    """The board of that name.

    Raises
    ------
    ValueError
        If there is none; the message lists the names.
    """
    if name not in BOARDS:
        raise ValueError(f"no board is called {name!r}; known: {', '.join(sorted(BOARDS))}")
    return BOARDS[name]
