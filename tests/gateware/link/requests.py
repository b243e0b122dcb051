"""Random requests that try everything a router must do or refuse."""

from __future__ import annotations

import random

from tensorspin.contract.annealer.image import run_bytes
from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.capabilities import device_requests, device_spaces
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import MAX_PAYLOAD
from tensorspin.contract.wire.packets import PacketType

_WEIGHTS = {
    PacketType.HELLO: 1,
    PacketType.STATUS: 3,
    PacketType.WRITE: 3,
    PacketType.READ: 3,
    PacketType.ACTIVATE: 2,
    PacketType.FEATURES: 8,
    PacketType.RUN: 8,
    PacketType.ANNEAL: 2,
}


class RequestGenerator:
    """Makes types and payloads; most are executable where that can be known beforehand."""

    def __init__(self, rng: random.Random, board: BoardSpec) -> None:
        self.rng = rng
        self.spaces = device_spaces(board.engines)
        taken = device_requests(board.engines)
        # Those that the device does not take are asked for all the same.
        self.weights = [weight if kind in taken else 0.3 for kind, weight in _WEIGHTS.items()]
        self.most_features = 64 if board.contractor is None else board.contractor.features
        self.signs = board.contractor is not None and board.contractor.signature > 0
        self.run_bytes = 40 if board.annealer is None else run_bytes(board.annealer)
        self.features = 1
        self.filled = 0

    def memory(self, count: int) -> bytes:
        """Address and space of so many bytes, most of them inside, often at an end."""
        rng = self.rng
        space = rng.choice(list(self.spaces))
        end = 1 << self.spaces[space].bits
        address = rng.choice([0, rng.randrange(end), end - count, end - count])
        fault = rng.random()
        if fault < 0.05:
            address = end - count + 1
        elif fault < 0.1:
            address = rng.choice([end, (1 << 24) - 1, (1 << 24) - max(count, 1), 1 << 23, 1 << 20])
        elif fault < 0.15:
            space = rng.choice([2, 3, 8, 9, 15, 128, 255])
        return packets.MEMORY.pack(max(address, 0) & 0xFFFF, max(address, 0) >> 16, space)

    def levels(self, count: int) -> bytes:
        """Offset and levels."""
        rng = self.rng
        offset = rng.choice([self.filled, self.filled, self.filled, 0])
        if rng.random() < 0.1:
            offset = rng.choice([self.filled + 1, self.most_features, 0xFFFF, 1 << 15])
        self.filled = min(offset + count, self.most_features)
        return packets.OFFSET.pack(offset) + rng.randbytes(count)

    def next(self) -> tuple[int, bytes]:
        rng = self.rng
        if rng.random() < 0.03:
            kind = rng.choice([*PacketType, rng.randrange(256), 0x81, 0xFF])
            return kind, rng.randbytes(rng.choice([0, 1, 2, 4, 5, 6, 7, MAX_PAYLOAD]))
        kind = rng.choices(list(_WEIGHTS), self.weights)[0]
        match kind:
            case PacketType.HELLO | PacketType.STATUS:
                return kind, b""
            case PacketType.WRITE:
                count = rng.choice([0, 1, rng.randint(1, 20), MAX_PAYLOAD - packets.MEMORY.size])
                return kind, self.memory(count) + rng.randbytes(count)
            case PacketType.READ:
                count = rng.choice([1, rng.randint(1, 20), rng.randrange(256), MAX_PAYLOAD - 1])
                if rng.random() < 0.05:
                    count = rng.choice([0, MAX_PAYLOAD, 255])
                return kind, self.memory(count) + packets.READ_COUNT.pack(count)
            case PacketType.ACTIVATE:
                self.features = rng.randint(1, self.most_features)
                if rng.random() < 0.2:
                    self.features = self.most_features
                features = self.features
                if rng.random() < 0.1:
                    features = rng.choice([0, self.most_features + 1, 0xFFFF, 1 << 15])
                elif self.signs and rng.random() < 0.5:
                    features |= packets.SIGNED
                return kind, packets.ACTIVATE.pack(features, rng.getrandbits(32))
            case PacketType.FEATURES:
                return kind, self.levels(rng.choice([0, 1, rng.randint(1, 8), rng.randint(1, 60)]))
            case PacketType.RUN:
                count = self.features - self.filled
                if rng.random() < 0.1:
                    count += rng.choice([-1, 1])
                if not 0 < count <= MAX_PAYLOAD - packets.OFFSET.size:
                    self.filled = 0
                    count = min(self.features, 200)
                payload = self.levels(count)
                self.filled = 0
                return kind, payload
            case PacketType.ANNEAL:
                count = self.run_bytes + (rng.random() < 0.1)
                return kind, rng.randbytes(count)
