"""The annealer as one of a golden device's engines: the requests that reach its memories."""

from __future__ import annotations

from ...contract.annealer.image import AnnealerSpace, run_bytes
from ...contract.wire.packets import PacketType, Status
from ..engine import GoldenEngine, Reply
from .memories import DeviceAnnealer


class AnnealerEngine(DeviceAnnealer, GoldenEngine):
    """What packets do to an annealer; `DeviceAnnealer` has the memories and runs behind them.

    Parameters
    ----------
    size : AnnealerSize
        Parameters of the engine.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> annealer = AnnealerEngine(find_board("ulx3s_25f_annealer").require_annealer())
    >>> annealer.execute(PacketType.ANNEAL, b"too short", cycle=0)
    (<Status.BAD_LENGTH: 2>, b'')
    """

    memories: dict[AnnealerSpace, bytearray]

    def execute(self, kind: PacketType, payload: bytes, cycle: float) -> Reply:
        """Execute ANNEAL: start a run."""
        if len(payload) != run_bytes(self.size):
            return Status.BAD_LENGTH, b""
        self.start(payload, cycle)
        return Status.OK, b""

    def write(self, space: int, address: int, data: bytes) -> None:
        """Execute a WRITE; some spaces are commands rather than memories."""
        super().write(AnnealerSpace(space), address, data)

    def greet(self) -> None:
        """Stop the run: it belongs to the session before. What has been written stays."""
        self.stop()

    def is_busy(self, cycle: float) -> bool:
        """Tell whether a run is under way: its memories must not change, nor be read half-way."""
        return self.step(cycle) is not None

    def status(self, cycle: float) -> dict[str, int]:
        """Give the step under way, and whether the memories have been cleared."""
        step = self.step(cycle)
        return {"step": step or 0, "annealing": step is not None, "cleared": self.cleared}
