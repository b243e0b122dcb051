"""A whole device with a spatial engine answers as its golden model, byte for byte.

The network is so small that Amaranth's own simulator is quick enough.
"""

from __future__ import annotations

import numpy as np
from amaranth.sim import Simulator

from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.spatial_boards import make_board
from tensorspin.contract.spatial.image import SpatialSpace
from tensorspin.contract.spatial.size import SpatialSize
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import Packet
from tensorspin.contract.wire.packets import PacketType
from tensorspin.golden.device import GOLDEN_BUILD, GoldenDevice
from tensorspin_gateware.accelerator import Accelerator
from tests.support.spatial import random_image

SIZE = SpatialSize.of_tree(3, [(0, 1, 3), (3, 2, 2)], components=1, value_bits=8, weight_bits=4)
ROW = make_board("test", find_board("ulx3s_85f"), 90_000_000, SIZE)
PATIENCE = 9000
"""Cycles without a byte after which an answer is given up: a network is loaded in fewer."""


def requests() -> list[bytes]:
    """Frames of a conversation: refusals, a network, samples whole and in parts, and the status."""
    rng = np.random.default_rng(0)
    image = random_image(SIZE, rng)

    def memory(address: int, space: int = SpatialSpace.IMAGE) -> bytes:
        return packets.pack_memory(space, address)

    def run(*levels: int, offset: int = 0) -> bytes:
        return packets.OFFSET.pack(offset) + bytes(levels)

    kind = PacketType
    asked = [
        (kind.HELLO, b""),
        (kind.RUN, run(1, 2, 3)),
        (kind.ACTIVATE, packets.ACTIVATE.pack(5, 1)),
        *(
            (kind.WRITE, memory(first) + image[first : first + 230])
            for first in range(0, len(image), 230)
        ),
        (kind.READ, memory(5) + packets.READ_COUNT.pack(40)),
        (kind.WRITE, memory(1 << 15) + b"x"),
        (kind.WRITE, memory(0, space=0) + b"x"),
        (kind.ANNEAL, b"x"),
        (kind.ACTIVATE, packets.ACTIVATE.pack(3, 0xABCDEF)),
        *((kind.RUN, run(*rng.integers(0, 256, 3).tolist())) for _ in range(6)),
        (kind.RUN, run(1, 2)),
        (kind.FEATURES, run(9)),
        (kind.RUN, run(8, 7, offset=1)),
        (kind.STATUS, b""),
        (kind.WRITE, memory(0) + b"x"),
        (kind.RUN, run(1, 2, 3)),
    ]
    return [
        Packet(what, sequence, payload).frame() for sequence, (what, payload) in enumerate(asked)
    ]


def test_a_device_answers_as_its_golden_model():
    golden = GoldenDevice(ROW)
    frames = requests()
    expected = [golden.respond(frame) for frame in frames]
    device = Accelerator(ROW, GOLDEN_BUILD)
    answers = []

    async def host(ctx):
        ctx.set(device.tx.ready, 1)
        for frame, answer in zip(frames, expected):
            received, sent, waited = b"", 0, 0
            while len(received) < len(answer) and waited < PATIENCE:
                offered = sent < len(frame)
                ctx.set(device.rx.valid, offered)
                ctx.set(device.rx.payload, frame[sent] if offered else 0)
                waited += 1
                if ctx.get(device.tx.valid):
                    received += bytes([ctx.get(device.tx.payload)])
                    waited = 0
                sent += bool(offered and ctx.get(device.rx.ready))
                await ctx.tick()
            answers.append(received)

    simulator = Simulator(device)
    simulator.add_clock(1e-8)
    simulator.add_testbench(host)
    simulator.run()
    assert answers == expected
