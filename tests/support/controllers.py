"""Wires of a microcontroller that end at a device, and faults on them."""

from __future__ import annotations

import numpy as np

from tensorspin.contract.wire.frames import DELIMITER
from tensorspin.golden.device import GoldenDevice

FILLER = bytes([DELIMITER])


class Wires:
    """What a controller's driver needs: bytes both ways, the interrupt, and a clock.

    Attributes
    ----------
    damage : float
        Share of bytes, each way, in which a bit is flipped.
    cut : bool
        Whether the wires are cut.
    interrupt : None or bool
        Level at which the interrupt is stuck.
    stuck : None or int
        Byte that the controller reads whatever is sent.
    restarts : set of int
        Transactions before which the device is restarted.
    transactions : int
        Count of transactions.
    """

    def __init__(self, seed=0):
        self.rng = np.random.default_rng(seed)
        self.damage = 0.0
        self.cut = False
        self.interrupt = self.stuck = None
        self.restarts = set()
        self.transactions = 0

    def transfer(self, data):
        """Exchange bytes in a transaction."""
        self.transactions += 1
        if self.cut or self.stuck is not None:
            self.pass_time()
        if self.transactions in self.restarts:
            self.restart()
        sent = self._spoil(bytes(data))
        received = self._spoil(self.exchange(bytes(len(sent)) if self.cut else sent))
        if self.stuck is not None:
            return bytes([self.stuck]) * len(sent)
        return bytes(len(sent)) if self.cut else received

    def irq(self):
        """Level of the interrupt; a little time passes if it is low."""
        level = self.interrupt if self.interrupt is not None else self.waits() and not self.cut
        if not level:
            self.pass_time()
        return level

    def _spoil(self, data):
        if not self.damage:
            return data
        spoilt = np.frombuffer(data, np.uint8).copy()
        hit = self.rng.random(len(data)) < self.damage
        spoilt[hit] ^= (1 << self.rng.integers(0, 8, hit.sum())).astype(np.uint8)
        return spoilt.tobytes()

    # The interface of MicroPython's SPI and Pin

    def write_readinto(self, data, into):
        assert len(data) == len(into)
        into[:] = self.transfer(data)

    def cs(self, level):
        pass

    def ticks(self):
        return round(self.now() * 1e6)


class GoldenWires(Wires):
    """Wires that end at a golden device, in which computing takes its time."""

    def __init__(self, row, rate=20e6, seed=0, device=None):
        super().__init__(seed)
        self.row = row
        self.byte_time = 8 / rate
        self.time = self.free_at = 0.0
        self.device = GoldenDevice(row) if device is None else device
        self.restart()

    def restart(self):
        self.device.restart()
        self.answers = []  # time, frame
        self.waiting = bytearray()

    def exchange(self, data):
        self._collect()
        out = bytes(self.waiting[: len(data)]).ljust(len(data), FILLER)
        del self.waiting[: len(data)]
        self.time += len(data) * self.byte_time
        self.device.cycle = self.time * self.row.clock_hz
        for answer in self.device.feed(data):
            ready = self.time
            if answer.cycles:
                self.free_at = max(self.free_at, self.time) + answer.cycles / self.row.clock_hz
                ready = self.free_at
            self.answers.append((ready, FILLER + answer.frame))
        return out

    def waits(self):
        self._collect()
        return bool(self.waiting)

    def pass_time(self):
        # On wires that nothing comes from, nothing is missed.
        self.time += 5e-6 if self.stuck is None and not self.cut else 1e-3

    def now(self):
        return self.time

    def _collect(self):
        ready = [frame for at, frame in self.answers if at <= self.time]
        self.answers = [each for each in self.answers if each[0] > self.time]
        self.waiting += b"".join(ready)


class PinWires(Wires):
    """Wires that end at the simulated pins of the gateware; a restart is a new device.

    Attributes
    ----------
    glitches : float
        Share of transactions in which CS# rises in the middle of a byte, which is then sent again.
    """

    def __init__(self, load, seed=0):
        super().__init__(seed)
        self.load = load
        self.pins = load()
        self.glitches = 0.0

    def restart(self):
        self.before = self.now()
        self.pins.close()
        self.pins = self.load()

    before = 0.0

    def exchange(self, data):
        if self.rng.random() >= self.glitches:
            return self._transaction(data)
        place = int(self.rng.integers(len(data)))
        received = self._transaction(data[:place])
        self.pins.select(True)
        self.pins.transfer_bits(data[place], int(self.rng.integers(1, 8)))
        self.pins.select(False)
        return received + self._transaction(data[place:])

    def _transaction(self, data):
        self.pins.select(True)
        received = self.pins.transfer(data)
        self.pins.select(False)
        return received

    def waits(self):
        return self.pins.irq

    def pass_time(self):
        if self.cut:
            self.before += 1e-3  # nothing that the device does now can be seen
            return
        self.pins.wait_for_irq(2e-5)
        self.pins.wait(1e-6)

    def now(self):
        return self.before + self.pins.now()
