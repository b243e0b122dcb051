"""The gateware itself, compiled by Verilator and joined at the link's byte stream."""

from __future__ import annotations

from ...contract.device.boards import BoardSpec
from ...errors import TransportError
from .base import Transport

_STEP = 20_000
"""Clock cycles that the simulation runs at most before it is asked for bytes."""


class SimulatedTransport(Transport):
    """A virtual board.

    Time is the simulation's own: cycles of the engine's clock over its frequency. The serial line
    isn't modelled, a byte goes in or out as soon as the gateware takes or gives it.

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
    """The link answers within some hundred cycles; nothing is held back on the way."""

    def __init__(self, board: BoardSpec) -> None:
        self.url = f"sim://{board.name}"
        try:
            # Late: the host works without the gateware package.
            from tensorspin_gateware.simulation import simulator

            self._board = simulator.load(board.name)
        except ImportError as error:
            raise TransportError(
                f"{self.url} needs the gateware and its simulator ({error}): "
                f"pip install tensorspin[gateware]"
            ) from error
        except RuntimeError as error:  # a tool is missing, or the compiler failed
            raise TransportError(f"cannot open {self.url}: {error}") from error
        self._pending = bytearray()

    def describe_line(self, baud: int) -> str:
        return f"none; the gateware takes bytes at once, a board's line has {baud} baud"

    def write(self, data: bytes) -> None:
        self._pending += data

    def read(self, timeout: float) -> bytes:
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
        return self._board.cycles / self._board.clock_hz

    def close(self) -> None:
        self._board.close()
