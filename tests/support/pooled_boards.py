"""Boards of a pool whose lines break, hang or lie, when a test says so."""

from __future__ import annotations

import threading

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.wire.packets import MEMORY, unpack_memory
from tensorspin.driver.board import Board
from tensorspin.driver.transports.golden import GoldenTransport
from tensorspin.errors import TransportError
from tensorspin.golden.device import GoldenDevice

ANNEALER = "ulx3s_25f_both"
"""A board with both engines."""


class LyingDevice(GoldenDevice):
    """Answers with wrong scores in good form: its memory has changed a bit of each word."""

    def _write(self, payload):
        (space, _), head = unpack_memory(payload), MEMORY.size
        if space == MemorySpace.TABLE:
            payload = payload[:head] + bytes(byte ^ 0x10 for byte in payload[head:])
        return super()._write(payload)


class Line(GoldenTransport):
    """A golden board on a line that can be cut, and on which everything may wait."""

    def __init__(self, place):
        super().__init__(place.row, place.device and place.device(place.row))
        self.url = place.url
        self._place = place

    def write(self, data):
        place = self._place
        place.writes += 1
        if place.writes > place.lasts:
            place.plugged = False
            place.cut.set()
        if not place.plugged:
            raise TransportError(f"{place.url}: the cable is pulled")
        place.holding.wait(30)
        if place.before_write is not None:
            place.before_write()
        super().write(data)


class Place:
    """Where a board is plugged in, and what happens to it."""

    def __init__(self, url, board="icebreaker", *, device=None):
        self.url, self.row = url, find_board(board)
        self.device = device
        self.plugged, self.lasts = True, float("inf")
        self.writes = self.opened = 0
        self.holding = threading.Event()
        self.holding.set()
        self.before_write = None
        self.cut = threading.Event()

    def waits_for_the_cut_of(self, other):
        """Let the other board work until it dies: which one is quicker is no matter of luck."""
        self.before_write = lambda: other.cut.wait(30)

    def cut_after(self, writes):
        """Pull the cable after so many writes from now on."""
        self.lasts = self.writes + writes

    def repair(self):
        """Plug it in again."""
        self.plugged, self.lasts = True, float("inf")

    def open(self, **options):
        self.opened += 1
        if not self.plugged:
            raise TransportError(f"cannot open {self.url}: no such port")
        return Board.over(Line(self), **options)


def plug_in(monkeypatch, *places):
    """Let `Board.open` find these boards; give their URLs."""
    known = {place.url: place for place in places}

    def opened(url, *, timeout=2.0, **access):
        return known[url].open(timeout=timeout)

    monkeypatch.setattr(Board, "open", opened)
    return list(known)
