"""Lines that lead the C driver of `c_client` to golden devices and to the gateware's pins."""

from __future__ import annotations

import numpy as np

from tensorspin.contract.wire.frames import DELIMITER
from tensorspin.golden.device import GoldenDevice


class GoldenLine:
    """A golden device behind SPI on a clock of its own.

    Parameters
    ----------
    board : BoardSpec
        The device's row.
    late : int
        Bytes of zeros in front of each of its frames.
    byte_us : float
        Microseconds that a byte takes.
    """

    call_us = 0.25

    def __init__(self, board, late=1, byte_us=0.32):
        self.board = board
        self.device = GoldenDevice(board)
        self.late, self.byte_us = late, byte_us
        self.us = 0.0
        self.waiting: list[tuple[float, bytes]] = []
        self._sending = b""
        self.engine_free = 0.0
        self.bytes = 0

    def reset(self):
        """Configure the device anew."""
        self.device.restart()
        self.waiting.clear()
        self._sending = b""

    def transfer(self, data):
        received = bytearray()
        for _ in data:
            if not self._sending and self.waiting and self.waiting[0][0] <= self.us:
                self._sending = bytes([DELIMITER]) * self.late + self.waiting.pop(0)[1]
            received += self._sending[:1] or bytes([DELIMITER])
            self._sending = self._sending[1:]
            self.us += self.byte_us
        self.bytes += len(data)
        self.device.cycle = self.us * self.board.clock_hz / 1e6
        self.device.byte_cycles = 0
        for answer in self.device.feed(data):
            ready = self.us + 3
            if answer.cycles:
                ready = max(ready, self.engine_free) + answer.cycles / self.board.clock_hz * 1e6
                self.engine_free = ready
            elif self.waiting:
                ready = max(ready, self.waiting[-1][0])
            self.waiting.append((ready, answer.frame))
        return bytes(received)

    def ready(self):
        self.us += self.call_us
        return bool(self._sending) or bool(self.waiting and self.waiting[0][0] <= self.us)

    def micros(self):
        self.us += self.call_us
        return int(self.us) & 0xFFFFFFFF


class PinsLine:
    """The gateware's simulated pins; a call takes some of the simulation's time."""

    def __init__(self, pins, call_seconds=0.25e-6):
        self.pins = pins
        self.call_seconds = call_seconds

    def transfer(self, data):
        self.pins.select(True)
        received = self.pins.transfer(data)
        self.pins.select(False)
        return received

    def ready(self):
        self.pins.wait(self.call_seconds)
        return self.pins.irq

    def micros(self):
        self.pins.wait(self.call_seconds)
        return int(self.pins.now() * 1e6) & 0xFFFFFFFF


class FaultyLine:
    """Damages bytes in both directions, as a seed decides, or cuts the line.

    Parameters
    ----------
    inner : object
        The line.
    rate : float
        Share of the bytes that are damaged.
    """

    def __init__(self, inner, rate=0.0, seed=0):
        self.inner, self.rate = inner, rate
        self.cut = False
        self.stuck: bool | None = None
        self.idle_byte = 0x00
        self._rng = np.random.default_rng(seed)
        self.damaged = 0

    def _spoil(self, data):
        out = bytearray(data)
        for position in np.flatnonzero(self._rng.random(len(out)) < self.rate):
            out[position] ^= int(self._rng.integers(1, 256))
            self.damaged += 1
        return bytes(out)

    def transfer(self, data):
        if self.cut:
            self.inner.transfer(bytes(len(data)))
            return bytes([self.idle_byte]) * len(data)
        return self._spoil(self.inner.transfer(self._spoil(data)))

    def ready(self):
        found = self.inner.ready()
        return found if self.stuck is None else self.stuck

    def micros(self):
        return self.inner.micros()
