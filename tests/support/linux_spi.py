"""Stand-ins of the packages spidev and gpiod, whose wires end at a device of the tests' choice."""

from __future__ import annotations

import errno
import os
import tempfile
import time
import types

from tensorspin.contract.wire.frames import DELIMITER
from tensorspin.golden.device import GoldenDevice

from .doubles import ROW

FILLER = bytes([DELIMITER])


class GoldenWires:
    """Wires that end at a golden device.

    Parameters
    ----------
    row : BoardSpec, optional
        The board.
    late : int
        Filler bytes in front of each frame.
    """

    def __init__(self, row=ROW, late=1):
        self.device = GoldenDevice(row)
        self.late = late
        self.waiting = bytearray()
        self._begun = time.monotonic()

    def transfer(self, data):
        sent = bytes(self.waiting[: len(data)]).ljust(len(data), FILLER)
        del self.waiting[: len(data)]
        passed = time.monotonic() - self._begun
        self.device.cycle = max(self.device.cycle, passed * self.device.board.clock_hz)
        for answer in self.device.feed(data):
            self.waiting += FILLER * self.late + answer.frame
        return sent

    def irq(self, timeout=0.0):
        return bool(self.waiting)


class PinWires:
    """Wires that end at the simulated pins of the gateware, `VirtualPins`."""

    def __init__(self, pins):
        self.pins = pins

    def transfer(self, data):
        self.pins.select(True)
        received = self.pins.transfer(data)
        self.pins.select(False)
        return received

    def irq(self, timeout=0.0):
        # The engine computes while the host waits: time passes in the simulation only when asked.
        return self.pins.wait_for_irq(max(timeout, 1e-6))


class Packages:
    """Both packages.

    Parameters
    ----------
    wires : GoldenWires or PinWires
        Where the wires end.

    Attributes
    ----------
    transfers : list of int
        Bytes of each transaction.
    errors : dict of str to OSError
        What opening a path fails with.
    interrupt : None or bool
        The level at which the interrupt is stuck.
    """

    def __init__(self, wires):
        self.wires = wires
        self.transfers = []
        self.errors = {}
        self.interrupt = None
        self.ports = []
        self.requests = []
        self.spidev = types.ModuleType("spidev")
        self.spidev.SpiDev = lambda: self._kept(self.ports, Port(self))
        self.gpiod = types.ModuleType("gpiod")
        self.gpiod.line = types.ModuleType("gpiod.line")
        self.gpiod.line.Direction = types.SimpleNamespace(INPUT="input")
        self.gpiod.line.Edge = types.SimpleNamespace(RISING="rising")
        self.gpiod.line.Value = types.SimpleNamespace(ACTIVE="active", INACTIVE="inactive")
        self.gpiod.LineSettings = lambda **settings: settings
        self.gpiod.request_lines = self._request

    def install(self, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "spidev", self.spidev)
        monkeypatch.setitem(__import__("sys").modules, "gpiod", self.gpiod)
        monkeypatch.setitem(__import__("sys").modules, "gpiod.line", self.gpiod.line)
        return self

    @staticmethod
    def _kept(items, item):
        items.append(item)
        return item

    def _request(self, path, *, config, consumer):
        if path in self.errors:
            raise self.errors[path]
        ((line, settings),) = config.items()
        assert settings == {"direction": "input", "edge_detection": "rising"}
        return self._kept(self.requests, Request(self, path, line, consumer))

    def irq(self, timeout=0.0):
        if self.interrupt is not None:
            return self.interrupt
        return self.wires.irq(timeout)


class Port:
    """An object of spidev's class SpiDev; its descriptor is that of a temporary file."""

    def __init__(self, packages):
        self.packages = packages
        self.path = None
        self.file = None
        self.mode = self.bits_per_word = self.max_speed_hz = None

    def open(self, bus, device):
        self.open_path(f"/dev/spidev{bus}.{device}")

    def open_path(self, path):
        if path in self.packages.errors:
            raise self.packages.errors[path]
        self.path = path
        name = os.path.join(tempfile.gettempdir(), f"tensorspin-test-{os.getpid()}")
        self.file = open(name, "wb")

    def fileno(self):
        return self.file.fileno()

    def xfer2(self, data):
        if self.file is None:
            raise OSError(errno.EBADF, "Bad file descriptor")
        assert (self.mode, self.bits_per_word) == (0, 8)
        if len(data) > 4096:
            raise OverflowError("Argument list size exceeds 4096 bytes.")
        self.packages.transfers.append(len(data))
        return list(self.packages.wires.transfer(bytes(data)))

    def close(self):
        if self.file is not None:
            self.file.close()
            os.unlink(self.file.name)
            self.file = None


class Request:
    """What gpiod gives for requested lines."""

    def __init__(self, packages, path, line, consumer):
        self.packages = packages
        self.path, self.line, self.consumer = path, line, consumer
        self.released = False
        self.events = 0

    def get_value(self, line):
        assert line == self.line
        value = self.packages.gpiod.line.Value
        return value.ACTIVE if self.packages.irq() else value.INACTIVE

    def wait_edge_events(self, timeout):
        if self.packages.irq(timeout):
            self.events += 1
            return True
        time.sleep(timeout)
        return False

    def read_edge_events(self):
        self.events = 0
        return []

    def release(self):
        self.released = True
