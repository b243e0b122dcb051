"""The NumPy model of a device, on a virtual clock."""

from __future__ import annotations

import heapq
from collections import deque

from ...contract.device.boards import BoardSpec
from ...contract.wire.packets import BITS_PER_BYTE
from ...golden.device import GoldenDevice
from .base import Transport


class GoldenTransport(Transport):
    """A `GoldenDevice` at the end of a modelled line.

    The clock is a model, not a measurement: bytes take their time on the line at the board's rate
    in either direction, a sample takes the contractor's cycles on the group that is free first, and
    the three overlap as far as the order of requests allows; a run of the annealer takes its cycles
    beside them. The device looks at the line only when
    it is read from, and all of its answers that are due before the time-out come at once: then the
    samples of a whole window are contracted in one call of the golden model. A real line hands over
    answers one by one, and new requests travel meanwhile.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    device : GoldenDevice, optional
        Instead of a new one.
    """

    latency = 1e-3

    def __init__(self, board: BoardSpec, device: GoldenDevice | None = None) -> None:
        self.url = f"golden://{board.name}"
        self.device = GoldenDevice(board) if device is None else device
        self._byte_time = BITS_PER_BYTE / board.baud
        self._cycle_time = 1 / board.clock_hz
        self._now = 0.0
        self._sent = bytearray()
        self._answers: deque[tuple[float, bytes]] = deque()
        # When the line to the device, its groups, and the line from it have worked off what they
        # were given.
        self._line_in = self._line_out = 0.0
        self._engines = [0.0] * (1 if board.contractor is None else board.contractor.groups)

    def describe_line(self, baud: int) -> str:
        return f"{baud} baud, modelled"

    def write(self, data: bytes) -> None:
        self._sent += data

    def read(self, timeout: float) -> bytes:
        self._let_device_work()
        deadline = self._now + timeout
        data = bytearray()
        while self._answers and self._answers[0][0] <= deadline:
            self._now, frame = self._answers.popleft()
            data += frame
        if not data:
            self._now = deadline
        return bytes(data)

    def now(self) -> float:
        return self._now

    def close(self) -> None:
        self._sent.clear()
        self._answers.clear()

    def _let_device_work(self) -> None:
        if not self._sent:
            return
        start = max(self._now, self._line_in)
        self.device.cycle = start / self._cycle_time
        for answer in self.device.feed(bytes(self._sent)):
            arrival = start + answer.received * self._byte_time
            ready = max(self._engines[0], arrival) + answer.cycles * self._cycle_time
            heapq.heapreplace(self._engines, ready)
            done = max(ready, self._line_out)
            self._line_out = done + len(answer.frame) * self._byte_time
            self._answers.append((self._line_out, answer.frame))
        self._line_in = start + len(self._sent) * self._byte_time
        self._sent.clear()
