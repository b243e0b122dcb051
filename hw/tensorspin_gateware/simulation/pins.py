"""A virtual board with pins: the accelerator behind its SPI target, and a controller's wires.

Bits and both clocks are simulated, on a time axis of picoseconds; see ``pins.cpp``.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.line import SCK_HZ, Line

from .compilation import Progress
from .simulator import board_library, device_of

WRAPPER = Path(__file__).with_suffix(".cpp")
"""C++ source that drives the pins; it is compiled with Verilator's output."""

PICOSECONDS = 1e12
"""Picoseconds in a second: the unit of time of the simulation."""


class VirtualPins:
    """One simulated device, fresh from its reset, at the wires of an SPI controller.

    The controller is always in mode 0, and time passes only in calls. Devices are independent of
    each other. Use one as a context manager, or call `close` when it is no longer needed.

    Parameters
    ----------
    library : Path
        A simulator that was compiled with `WRAPPER`.
    clock_hz : float
        Frequency of the device's clock in Hz.
    sck_hz : float
        Frequency of SCK in Hz.

    Raises
    ------
    ValueError
        If SCK's frequency is outside of `tensorspin.contract.device.line.SCK_HZ`.
    """

    def __init__(self, library: Path, clock_hz: float, sck_hz: float) -> None:
        self._handle: int | None = None
        least, greatest = SCK_HZ
        if not least <= sck_hz <= greatest:
            raise ValueError(
                f"SCK must have a frequency from {least:g} to {greatest:g} Hz, not {sck_hz:g} Hz"
            )
        self.clock_hz = clock_hz
        self.sck_hz = sck_hz
        self._library = _open(library)
        self._handle = self._library.pins_create(clock_hz, sck_hz)

    def select(self, selected: bool) -> None:
        """Begin a transaction (CS# low) or end it, and let half a period of SCK pass.

        Parameters
        ----------
        selected : bool
            Whether a transaction begins.
        """
        self._library.pins_select(self._open_handle(), selected)

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes within a transaction.

        Parameters
        ----------
        data : bytes
            Bytes for the device.

        Returns
        -------
        bytes
            As many bytes from the device.
        """
        received = (ctypes.c_uint8 * len(data))()
        self._library.pins_transfer(self._open_handle(), data, received, len(data))
        return bytes(received)

    def transfer_bits(self, byte: int, bits: int) -> int:
        """Exchange the first bits of a byte, as a transaction does that is cut off.

        Parameters
        ----------
        byte : int
            A byte for the device, of which the highest bits are sent.
        bits : int
            How many, from 0 to 8.

        Returns
        -------
        int
            The bits that came back, at the same places.
        """
        return self._library.pins_transfer_bits(self._open_handle(), byte, bits)

    def transfer_early(self, byte: int) -> int:
        """Exchange a byte and end the transaction, with CS# high before SCK has fallen.

        Parameters
        ----------
        byte : int
            A byte for the device.

        Returns
        -------
        int
            The byte that came back.
        """
        return self._library.pins_transfer_early(self._open_handle(), byte)

    @property
    def irq(self) -> bool:
        """The level of the interrupt pin: whether bytes wait."""
        return bool(self._library.pins_irq(self._open_handle()))

    def wait_for_irq(self, seconds: float) -> bool:
        """Let time pass until the interrupt pin is high.

        Parameters
        ----------
        seconds : float
            Time-out in seconds of the simulation.

        Returns
        -------
        bool
            Whether it is high.
        """
        self._library.pins_wait_for_irq(self._open_handle(), round(seconds * PICOSECONDS))
        return self.irq

    def wait(self, seconds: float) -> None:
        """Let time pass.

        Parameters
        ----------
        seconds : float
            Seconds of the simulation.
        """
        self._library.pins_wait(self._open_handle(), round(seconds * PICOSECONDS))

    def now(self) -> float:
        """Read the simulation's clock.

        Returns
        -------
        float
            Seconds since the device was made.
        """
        return self._library.pins_now(self._open_handle()) / PICOSECONDS

    def close(self) -> None:
        """Free the simulation; closing twice is allowed."""
        if self._handle is not None:
            self._library.pins_destroy(self._handle)
            self._handle = None

    def __enter__(self) -> VirtualPins:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _open_handle(self) -> int:
        if self._handle is None:
            raise ValueError("the virtual board is closed")
        return self._handle


def load(
    board_name: str, sck_hz: float | None = None, progress: Progress | None = None
) -> VirtualPins:
    """Make a virtual board with pins; build its simulator first if the sources have changed.

    Parameters
    ----------
    board_name : str
        Name of a row of `tensorspin.contract.device.boards` whose line is SPI.
    sck_hz : float, optional
        Frequency of SCK in Hz; by default the greatest that the row allows.
    progress : callable, optional
        Takes one line of text per step of a build; without it they go to standard error.

    Returns
    -------
    VirtualPins
        The board, fresh from its reset.

    Raises
    ------
    ValueError
        If no board has that name, or its line is not SPI, or SCK's frequency is out of range.
    SimulatorError
        If the simulator cannot be compiled.
    toolchain.ToolMissing
        If a tool is missing; the message says what to install.
    """
    board = find_board(board_name)
    if board.line is not Line.SPI:
        raise ValueError(f"board {board.name!r} has no SPI pins, but a {board.line.value}")

    device = device_of(board)

    def component(build: bytes):
        # Imported late: a simulator that is kept starts without Amaranth.
        from ..accelerator import SPIAccelerator

        return SPIAccelerator(device(build))

    library = board_library(board, component, WRAPPER, progress)
    return VirtualPins(library, board.clock_hz, board.baud if sck_hz is None else sck_hz)


def _open(path: Path) -> ctypes.CDLL:
    """Open a library, and declare its functions; ctypes would take pointers for 32-bit integers."""
    library = ctypes.CDLL(str(path))
    library.pins_create.argtypes = [ctypes.c_double, ctypes.c_double]
    library.pins_create.restype = ctypes.c_void_p
    library.pins_select.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.pins_transfer.argtypes = [
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.POINTER(ctypes.c_uint8),
        ctypes.c_size_t,
    ]
    library.pins_transfer_bits.argtypes = [ctypes.c_void_p, ctypes.c_uint8, ctypes.c_int]
    library.pins_transfer_bits.restype = ctypes.c_uint8
    library.pins_transfer_early.argtypes = [ctypes.c_void_p, ctypes.c_uint8]
    library.pins_transfer_early.restype = ctypes.c_uint8
    library.pins_irq.argtypes = [ctypes.c_void_p]
    library.pins_irq.restype = ctypes.c_int
    library.pins_now.argtypes = [ctypes.c_void_p]
    library.pins_now.restype = ctypes.c_uint64
    for name in "pins_wait", "pins_wait_for_irq":
        getattr(library, name).argtypes = [ctypes.c_void_p, ctypes.c_uint64]
        getattr(library, name).restype = None
    for name in "pins_select", "pins_transfer", "pins_destroy":
        getattr(library, name).restype = None
    library.pins_destroy.argtypes = [ctypes.c_void_p]
    return library
