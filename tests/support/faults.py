"""A transport that damages, delays and repeats what another one transports."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from tensorspin.contract.wire.frames import DELIMITER
from tensorspin.driver.transports import Transport


@dataclass(frozen=True)
class FaultRates:
    """How often something goes wrong, in each direction.

    Attributes
    ----------
    byte : float
        Faults per byte: damaged, dropped or inserted, in equal parts.
    frame : float
        Faults per frame: sent twice, sent again later, cut short, or without its end, in equal
        parts.
    stall : float
        Stalls per frame.
    stall_seconds : float
        Greatest length of a stall.
    """

    byte: float = 0.0
    frame: float = 0.0
    stall: float = 0.0
    stall_seconds: float = 0.2


class _Direction:
    """Spoils one direction, in whole frames as far as it can."""

    def __init__(self, rates: FaultRates, rng: np.random.Generator, counts: Counter) -> None:
        self.rates = rates
        self._rng = rng
        self._counts = counts
        self._frame = bytearray()
        self._history: deque[bytes] = deque(maxlen=20)

    def spoil(self, data: bytes) -> bytes:
        """Return what becomes of the data."""
        out = bytearray()
        for byte in data:
            self._frame.append(byte)
            if byte == DELIMITER:
                out += self._spoil_frame(bytes(self._frame))
                self._frame.clear()
        # A frame that isn't complete waits for its end. What is longer than any frame is garbage,
        # and goes through as it is.
        if len(self._frame) > 300:
            out += self._frame
            self._frame.clear()
        return bytes(out)

    def stall(self) -> float:
        """Return the seconds for which nothing comes through from now on."""
        if self._rng.random() >= self.rates.stall:
            return 0.0
        self._counts["stall"] += 1
        return self._rng.random() * self.rates.stall_seconds

    def _spoil_frame(self, frame: bytes) -> bytes:
        rng = self._rng
        self._history.append(frame)
        frames = [frame]
        if rng.random() < self.rates.frame:
            kind = ("repeat", "replay", "cut", "unfinished")[rng.integers(4)]
            self._counts[kind] += 1
            frames = {
                "repeat": [frame, frame],
                "replay": [frame, self._history[rng.integers(len(self._history))]],
                "cut": [frame[: rng.integers(len(frame))] + bytes([DELIMITER])],
                "unfinished": [frame[: rng.integers(len(frame))]],
            }[kind]
        return b"".join(map(self._spoil_bytes, frames))

    def _spoil_bytes(self, frame: bytes) -> bytes:
        rng = self._rng
        out = bytearray(frame)
        # From the end, so that positions stay valid.
        for position in np.flatnonzero(rng.random(len(frame)) < self.rates.byte)[::-1]:
            kind = ("damage", "drop", "insert")[rng.integers(3)]
            self._counts[kind] += 1
            if kind == "damage":
                out[position] ^= rng.integers(1, 256)
            elif kind == "drop":
                del out[position]
            else:
                out.insert(position, rng.integers(256))
        return bytes(out)


class FaultyTransport(Transport):
    """Faults in both directions, decided by a seed.

    Attributes
    ----------
    counts : Counter
        Faults made so far, by kind.
    """

    def __init__(self, inner: Transport, rates: FaultRates, seed: int) -> None:
        self.inner = inner
        self.url = inner.url
        self.latency = inner.latency
        self.counts: Counter[str] = Counter()
        rng = np.random.default_rng(seed)
        self._out = _Direction(rates, rng, self.counts)
        self._in = _Direction(rates, rng, self.counts)
        self._held_out: deque[tuple[float, bytes]] = deque()
        self._held_in: deque[tuple[float, bytes]] = deque()
        self._out_blocked_until = self._in_blocked_until = 0.0

    def set_rates(self, rates: FaultRates) -> None:
        """Other rates from now on."""
        self._out.rates = self._in.rates = rates

    def heal(self) -> None:
        """No faults from now on."""
        self.set_rates(FaultRates())

    def write(self, data: bytes) -> None:
        now = self.now()
        self._out_blocked_until = max(self._out_blocked_until, now) + self._out.stall()
        self._held_out.append((self._out_blocked_until, self._out.spoil(data)))
        self._release()

    def read(self, timeout: float) -> bytes:
        deadline = self.now() + timeout
        while True:
            self._release()
            if self._held_in and self._held_in[0][0] <= self.now():
                return self._held_in.popleft()[1]
            events = [held[0][0] for held in (self._held_out, self._held_in) if held]
            until = min([deadline, *events])
            data = self.inner.read(max(0.0, until - self.now()))
            if data:
                now = self.now()
                self._in_blocked_until = max(self._in_blocked_until, now) + self._in.stall()
                spoilt = self._in.spoil(data)
                if spoilt:
                    self._held_in.append((self._in_blocked_until, spoilt))
            if self.now() >= deadline and not (self._held_in and self._held_in[0][0] <= self.now()):
                return b""

    def now(self) -> float:
        return self.inner.now()

    def close(self) -> None:
        self.inner.close()

    def _release(self) -> None:
        while self._held_out and self._held_out[0][0] <= self.now():
            data = self._held_out.popleft()[1]
            if data:
                self.inner.write(data)
