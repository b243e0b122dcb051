"""The transport to the NumPy model of a device, on a virtual clock."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from typing import Any

from ...compiler.locking import read_lock_key
from ...contract.contractor.lock import LockKey
from ...contract.device.boards import BoardSpec
from ...contract.device.locked import LockedBoard
from ...errors import TransportError
from ...golden.device import GoldenDevice
from .base import Transport


class GoldenTransport(Transport):
    """A `GoldenDevice` at the end of a modelled line.

    The clock is a model, not a measurement. Bytes take their time on the line at the board's rate,
    in either direction. A sample takes the contractor's cycles on the group of lanes that is free
    first. Both directions and the engine overlap as far as the order of requests allows, and a run
    of the annealer takes its cycles beside them.

    The device looks at the line only when the host reads from it, and all answers that are due
    before the time-out come at once. So the samples of a whole window are contracted in one call of
    the golden model, which is much faster. A real line hands over answers one by one, and new
    requests travel meanwhile.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    device : GoldenDevice, optional
        The device at the other end, instead of a new one.
    """

    latency = 1e-3
    """Seconds that a byte may be held back, as with a USB adapter that sends every millisecond."""

    def __init__(self, board: BoardSpec, device: GoldenDevice | None = None) -> None:
        self.url = f"golden://{board.name}"
        self.device = GoldenDevice(board) if device is None else device
        self._byte_time = board.byte_seconds
        self._cycle_time = 1 / board.clock_hz
        self._now = 0.0
        self._sent = bytearray()
        self._answers: deque[tuple[float, bytes]] = deque()
        # Times at which the line to the device, the line from it, and each group of lanes will have
        # worked off what they were given. The groups are a heap: the one that is free first leads.
        self._line_in = self._line_out = 0.0
        self._engines = [0.0] * max(engine.groups for engine in self.device.engines.values())

    def describe_line(self, baud: int) -> str:
        """Describe what a measurement of this transport measures."""
        return f"{self.device.board.line.describe(baud)}, modelled"

    def write(self, data: bytes) -> None:
        """Send all of `data`; see `Transport.write`."""
        self._sent += data

    def read(self, timeout: float) -> bytes:
        """Return whatever has arrived; see `Transport.read`."""
        self._let_device_work()
        deadline = self._now + timeout
        data = bytearray()
        while self._answers and self._answers[0][0] <= deadline:
            self._now, frame = self._answers.popleft()
            data += frame
        if not data:
            self._now = deadline
            self.device.cycle = max(self._now, self._line_in) / self._cycle_time
            self.device.work()
        return bytes(data)

    def now(self) -> float:
        """Read the transport's clock in seconds; see `Transport.now`."""
        return self._now

    def expect(self, jobs: Sequence[Any]) -> None:
        """Tell the engines which jobs will probably follow; see `Transport.expect`."""
        for engine in self.device.engines.values():
            engine.expect(jobs)

    def close(self) -> None:
        """Release the device; see `Transport.close`."""
        self._sent.clear()
        self._answers.clear()

    def _let_device_work(self) -> None:
        if not self._sent:
            return
        start = max(self._now, self._line_in)
        self.device.cycle = start / self._cycle_time
        for answer in self.device.feed(bytes(self._sent)):
            arrival = start + answer.received * self._byte_time
            free = max(self._engines) if answer.shared else self._engines[0]
            ready = max(free, arrival) + answer.cycles * self._cycle_time
            if answer.shared:
                self._engines = [ready] * len(self._engines)
            else:
                heapq.heapreplace(self._engines, ready)
            done = max(ready, self._line_out)
            self._line_out = done + len(answer.frame) * self._byte_time
            self._answers.append((self._line_out, answer.frame))
        self._line_in = start + len(self._sent) * self._byte_time
        self._sent.clear()


def open_golden(url: str, board: BoardSpec) -> GoldenTransport:
    """Open a golden board; a locked one has the key in the file that it names.

    Parameters
    ----------
    url : str
        What is opened.
    board : BoardSpec
        Row of the board table.

    Returns
    -------
    GoldenTransport
        The open transport.

    Raises
    ------
    TransportError
        If the key cannot be read.
    """
    key = board_key(url, board) if isinstance(board, LockedBoard) else None
    transport = GoldenTransport(board, GoldenDevice(board, lock=key))
    transport.url = url
    return transport


def board_key(url: str, board: LockedBoard) -> LockKey:
    """Read the key of a virtual board that is locked.

    Parameters
    ----------
    url : str
        What is opened, for messages.
    board : LockedBoard
        The board.

    Returns
    -------
    LockKey
        Its key.

    Raises
    ------
    TransportError
        If the file does not exist, holds no key, or others may read it.
    """
    try:
        return read_lock_key(board.key_file)
    except (OSError, ValueError) as error:
        raise TransportError(f"cannot open {url}: {error}") from error
