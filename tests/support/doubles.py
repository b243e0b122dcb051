"""Devices and transports that behave in one particular wrong way."""

from __future__ import annotations

import dataclasses

import numpy as np

from tensorspin.contract.device.boards import BoardSpec, find_board
from tensorspin.contract.wire.frames import DELIMITER
from tensorspin.contract.wire.packets import PacketType
from tensorspin.driver.board import Board
from tensorspin.driver.link.session import Session
from tensorspin.driver.transports import Transport
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.golden.device import Answer, GoldenDevice


def with_checks(**checks: int) -> BoardSpec:
    """An iCEBreaker whose contractor checks what it reads, or does not."""
    row = find_board("icebreaker")
    size = dataclasses.replace(row.require_contractor(), **checks)
    return dataclasses.replace(row, engines=row.engines.with_sizes(size))


ROW = UNCHECKED_ROW = with_checks(signature=0, table_parity=0)
"""The board of most tests of the driver: what it is loaded with is the program and nothing else."""

SIGNED_ROW = with_checks(signature=1, table_parity=0)
CHECKED_ROW = with_checks(signature=1, table_parity=1)


def golden_transport(device=None, row=ROW):
    return GoldenTransport(row, device)


def golden_board(device=None, row=ROW, **options):
    return Board.over(GoldenTransport(row, device), **options)


def open_session(transport, **options):
    session = Session(transport, **options)
    session.open()
    return session


def assert_answers(result, expected):
    """Every bit of the answer is that of the golden model."""
    for field in ("scores", "exponents", "classes", "cycles"):
        np.testing.assert_array_equal(getattr(result, field), getattr(expected, field), field)


class SilentDevice(GoldenDevice):
    """Never answers."""

    def feed(self, data):
        return []


class GarbageDevice(GoldenDevice):
    """Answers with text, as another program on the chip would."""

    def feed(self, data):
        return [Answer(len(data), frame=b"login: ")]


class ShortStatusDevice(GoldenDevice):
    """Tells less of its status than this driver wants."""

    def _status(self, payload):
        status, reply = super()._status(payload)
        return status, reply[:-1]


class EchoDevice(GoldenDevice):
    """RX and TX are joined."""

    def feed(self, data):
        return [Answer(len(data), frame=data)]


class OtherVersionDevice(GoldenDevice):
    """Speaks a later version of the protocol, whose description is longer."""

    def _hello(self, payload):
        status, _ = super()._hello(payload)
        description = dataclasses.replace(self.board.description(self.build), protocol=7)
        return status, description.pack() + b"more"


class CountingDevice(GoldenDevice):
    """Counts requests by type."""

    def __init__(self, row):
        self.counts = dict.fromkeys(PacketType, 0)
        super().__init__(row)

    def _execute(self, answers, received, request):
        self.counts[PacketType(request.type)] += 1
        super()._execute(answers, received, request)

    def take_counts(self) -> dict[str, int]:
        """The counts that are not 0, since the last call."""
        found = {kind.name: count for kind, count in self.counts.items() if count}
        self.counts = dict.fromkeys(PacketType, 0)
        return found


class CableTransport(Transport):
    """A cable that can be cut, after some bytes or by hand, and mended."""

    latency = 1e-3

    def __init__(self, inner, cut_after=None):
        self.inner = inner
        self.url = inner.url
        self.bytes_left = cut_after
        self.broken = False

    def mend(self):
        self.bytes_left, self.broken = None, False

    def write(self, data):
        if self.bytes_left is not None and not self.broken:
            data, rest = data[: self.bytes_left], data[self.bytes_left :]
            self.bytes_left -= len(data)
            self.inner.write(data)
            self.broken = bool(rest)
        elif not self.broken:
            self.inner.write(data)

    def read(self, timeout):
        data = self.inner.read(timeout)
        return b"" if self.broken else data

    def now(self):
        return self.inner.now()

    def close(self):
        self.inner.close()


class RepeatingTransport(CableTransport):
    """Every frame from the device comes again after some more have come."""

    def __init__(self, inner, distance):
        super().__init__(inner)
        self._distance = distance
        self._history = []

    def read(self, timeout):
        out = b""
        for frame in super().read(timeout).split(bytes([DELIMITER])):
            if frame:
                self._history.append(frame + bytes([DELIMITER]))
                out += self._history[-1]
                if len(self._history) > self._distance:
                    out += self._history[-1 - self._distance]
        return out
