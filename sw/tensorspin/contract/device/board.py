"""What the host must know of a board: one row of the table of boards."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar

from ..wire.packets import PROTOCOL_VERSION
from .description import NAME_BYTES, DeviceDescription
from .engines import Engines, HasEngines
from .line import Line
from .usb import UsbDevice


@dataclass(frozen=True)
class BoardSpec(HasEngines):
    """One row of the table of boards: a board with the engines that its bitstream has.

    Parameters
    ----------
    name : str
        Name of the row, as in ``make bitstream BOARD=name`` and ``sim://name``; at most
        `tensorspin.contract.device.description.NAME_BYTES` characters.
    title : str
        The board's name as its maker writes it, with the FPGA in brackets.
    clock_hz : int
        Clock frequency of the engines in Hz.
    baud : int
        Rate of the serial line in bits per second. With SPI, the fastest: the greatest frequency in
        Hz that the host may give SCK, to which the design's timing is held.
    receive_bytes : int
        Size of the device's receive buffer in bytes; a power of two.
    engines : Engines
        Sizes of the engines, at least one. `contractor` and `annealer` give one by name, or None
        if the bitstream lacks it.
    usb : UsbDevice, optional
        The board's own USB port, if it leads to the serial line.
    line : Line, default=Line.UART
        The kind of the serial line.

    Raises
    ------
    ValueError
        If there is no engine, or the name is too long.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from tensorspin.contract.device.boards import find_board
    >>> row = find_board("icepi_zero")
    >>> row.require_contractor().groups
    3
    >>> size = replace(row.require_contractor(), groups=1)
    >>> smaller = replace(row, name="mine", engines=row.engines.with_sizes(size))
    >>> smaller.require_contractor().groups
    1
    """

    name: str
    title: str
    clock_hz: int
    baud: int
    receive_bytes: int
    engines: Engines
    usb: UsbDevice | None = None
    line: Line = Line.UART

    def __post_init__(self) -> None:
        if not self.engines:
            raise ValueError(f"board {self.name!r} has no engine")
        if len(self.name) > NAME_BYTES:
            raise ValueError(
                f"a board's name has at most {NAME_BYTES} characters, {self.name!r} has "
                f"{len(self.name)}"
            )

    @property
    def hardware(self) -> str:
        """Name of the board's row in the gateware's table."""
        return self.name

    @property
    def file_name(self) -> str:
        """The board's name as the stem of a file."""
        return self.name.replace("/", "-")

    @property
    def folder(self) -> str:
        """Name of the folder of the board's builds."""
        return self.name

    @property
    def byte_seconds(self) -> float:
        """Time in seconds that a byte takes on the line at the rate `baud`."""
        return self.line.bits_per_byte / self.baud

    @property
    def owner(self) -> str:
        """The board as messages about a missing engine call it."""
        return f"board {self.name!r}"

    def description(self, build: bytes) -> DeviceDescription:
        """Describe a device that is built from this row.

        Parameters
        ----------
        build : bytes
            8 bytes that tell this build from others.

        Returns
        -------
        DeviceDescription
            What the device replies to HELLO.
        """
        return DeviceDescription(
            PROTOCOL_VERSION,
            self.name,
            self.clock_hz,
            self.baud,
            self.receive_bytes,
            build,
            self.engines,
        )


@dataclass(frozen=True)
class DerivedBoard(BoardSpec):
    """A board of the table with other engines, or another clock, than its row has.

    Parameters
    ----------
    base : str
        Row of the table of boards whose hardware it is; see `BoardSpec` for the others.
    """

    base: str = ""

    @property
    def hardware(self) -> str:
        """Name of the board's row in the gateware's table."""
        return self.base


Derived = TypeVar("Derived", bound=BoardSpec)


def derive(row: BoardSpec, kind: type[Derived], **changes: Any) -> Derived:
    """Make a board of another class from a row, as `dataclasses.replace` does within a class.

    Parameters
    ----------
    row : BoardSpec
        The row.
    kind : type
        Subclass of `BoardSpec`.
    **changes
        Fields of `kind` that differ from the row's, or that the row lacks.

    Returns
    -------
    BoardSpec
        The board, of the class `kind`.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> slow = derive(find_board("icebreaker"), DerivedBoard, name="slow", clock_hz=12_000_000)
    >>> slow.clock_hz, slow.baud == find_board("icebreaker").baud
    (12000000, True)
    """
    return kind(**{each.name: getattr(row, each.name) for each in fields(BoardSpec)} | changes)
