"""Virtual boards at a bridge: bytes in, bytes out, without waiting for what takes long.

A virtual board is slower than a real one, and the time-outs of whoever uses it go by the host's
clock. So the board describes itself with the slow clock `CLOCK_HZ`, from which hosts compute how
long they wait, and the golden board anneals in a thread of its own, while it goes on answering.
"""

from __future__ import annotations

import dataclasses
import threading
from abc import ABC, abstractmethod

from ...contract.annealer.image import AnnealerSpace
from ...contract.device.boards import BoardSpec
from ...contract.device.description import CLOCKS_HZ, DeviceDescription
from ...contract.engine import EngineKind
from ...contract.wire.frames import FrameSplitter, Packet
from ...contract.wire.packets import REPLY, PacketType, Status
from ...golden.annealer.device import DeviceAnnealer
from ...golden.device import GoldenDevice
from ..transports import open_transport, parse_virtual

CLOCK_HZ = CLOCKS_HZ[0]
"""Clock frequency in Hz that a board at a bridge claims, the least that hosts believe. The golden
model of the annealer computes at least thirty times as many cycles in a second."""

_CYCLES = 10_000
"""Clock cycles of a run that are computed before it is asked whether the run is still wanted."""

_STEP = 1e-4
"""Seconds of a simulated board's own clock that it runs between two looks at its client."""


class VirtualBoard(ABC):
    """A virtual board: bytes in, bytes out."""

    runs = False
    """Whether the board must be looked at even if nobody sends anything."""

    @abstractmethod
    def take(self, data: bytes) -> bytes:
        """Give the board bytes, and return what it answers now."""

    def close(self) -> None:
        """Release the board."""
        return  # only a simulation has something to release


def open_board(url: str) -> VirtualBoard:
    """Open a virtual board for a bridge.

    Parameters
    ----------
    url : str
        ``golden://BOARD`` or ``sim://BOARD``.

    Returns
    -------
    VirtualBoard
        The board.

    Raises
    ------
    TransportError
        If there is no such board, or its simulator is missing.
    """
    scheme, board, _ = parse_virtual(url)
    return _Golden(board) if scheme == "golden" else _Simulated(url)


class _Golden(VirtualBoard):
    def __init__(self, board: BoardSpec) -> None:
        self._device = _PatientDevice(dataclasses.replace(board, clock_hz=CLOCK_HZ))

    def take(self, data: bytes) -> bytes:
        return self._device.respond(data)


class _PatientDevice(GoldenDevice):
    """A golden device whose annealer computes while the device answers."""

    def restart(self) -> None:
        super().restart()
        if EngineKind.ANNEALER in self.engines:
            annealer = _BackgroundAnnealer(self.board.require_annealer())
            self.engines[EngineKind.ANNEALER] = annealer
            self._owners.update(dict.fromkeys(annealer.memories, annealer))


class _BackgroundAnnealer(DeviceAnnealer):
    """An annealer whose run ends when it is computed, whatever the device's clock says."""

    _computation: _Computation | None = None

    def start(self, image: bytes, cycle: float) -> None:
        self.stop()
        # A twin computes the run, with a copy of the memories.
        twin = DeviceAnnealer(self.size)
        for space, memory in self.memories.items():
            twin.memories[space][:] = memory
        twin.start(image, 0.0)
        self._computation = _Computation(twin)
        self._computation.start()

    def stop(self) -> None:
        if self._computation is not None:
            self._computation.wanted = False
            self._computation = None

    def step(self, cycle: float) -> int | None:
        computation = self._computation
        if computation is None:
            return None
        if computation.is_alive():
            return computation.step
        self._computation = None
        results = computation.annealer.memories[AnnealerSpace.RESULTS]
        self.memories[AnnealerSpace.RESULTS][:] = results
        return None


class _Computation(threading.Thread):
    """Computes the run of an annealer until it is done, or not wanted any more."""

    def __init__(self, annealer: DeviceAnnealer) -> None:
        super().__init__(daemon=True)
        self.annealer = annealer
        self.step = 0
        self.wanted = True

    def run(self) -> None:
        cycle = 0.0
        while self.wanted and (step := self.annealer.step(cycle)) is not None:
            self.step = step
            cycle += _CYCLES


class _Simulated(VirtualBoard):
    runs = True

    def __init__(self, url: str) -> None:
        self._transport = open_transport(url)
        self._splitter = FrameSplitter()

    def take(self, data: bytes) -> bytes:
        if data:
            self._transport.write(data)
        packets = self._splitter.feed(self._transport.read(_STEP))
        return b"".join(_slowed(packet).frame() for packet in packets)

    def close(self) -> None:
        self._transport.close()


def _slowed(packet: Packet) -> Packet:
    """Replace the clock in a device's description of itself."""
    if packet.type != PacketType.HELLO | REPLY or packet.payload[:1] != bytes([Status.OK]):
        return packet
    described = DeviceDescription.unpack(packet.payload[1:])
    slow = dataclasses.replace(described, clock_hz=CLOCK_HZ)
    return dataclasses.replace(packet, payload=packet.payload[:1] + slow.pack())
