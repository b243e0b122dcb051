"""The golden model of the spatial engine: against its definition, and behind packets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.spatial_boards import make_board
from tensorspin.contract.spatial.image import SpatialSpace, image_bytes, unpack_image
from tensorspin.contract.spatial.latency import latency
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import FrameSplitter, Packet
from tensorspin.contract.wire.packets import DeviceStatus, PacketType, Status
from tensorspin.golden.device import GoldenDevice
from tensorspin.golden.spatial import GoldenSpatial
from tests.support.spatial import BALANCED, CROOKED, SIZES, random_image

ROW = find_board("ulx3s_85f")


def narrowed(value: int, shift: int, bits: int) -> int:
    limit = 2 ** (bits - 1)
    return max(-limit, min(limit - 1, value // 2**shift)) | 1


def scores(size, numbers, levels) -> list[int]:
    """Compute the scores of a sample in Python's integers, number by number."""
    rows = iter(numbers.tables)
    vectors = []
    for index, node in enumerate(size.tree):
        features = [size.is_feature(child) for child in (node.left, node.right)]
        left = (
            next(rows)[levels[node.left]].tolist()
            if features[0]
            else vectors[node.left - size.inputs]
        )
        terms = len(left) * (1 if features[1] else size.child_size(node.right))
        bits = size.value_bits
        if features[1]:
            row = next(rows)[levels[node.right]].tolist()
            sums = [
                sum(a * w for a, w in zip(left, row[k * len(left) : (k + 1) * len(left)]))
                for k in range(node.outputs)
            ]
            width = 2 * bits
        else:
            right = vectors[node.right - size.inputs]
            pairs = [narrowed(a * b, bits - 1, bits) for a in left for b in right]
            weights = numbers.weights[index].reshape(node.outputs, -1).tolist()
            sums = [sum(p * w for p, w in zip(pairs, row)) for row in weights]
            width = bits + size.weight_bits - 1
        out = 16 if index == len(size.nodes) - 1 else bits
        width += (terms - 1).bit_length()
        shift = max(0, width - out - 7) + numbers.shifts[index]
        vectors.append([narrowed(total, shift, out) for total in sums])
    return vectors[-1]


@pytest.mark.parametrize("name", SIZES)
def test_scores_by_definition(name):
    size, rng = SIZES[name], np.random.default_rng(5)
    image = random_image(size, rng)
    levels = rng.integers(0, 256, (20, size.inputs))
    results = GoldenSpatial.of_image(size, image).run(levels)
    expected = [scores(size, unpack_image(size, image), sample) for sample in levels.tolist()]
    assert results.scores.tolist() == expected
    assert results.classes.tolist() == [np.argmax(each) for each in expected]
    assert set(results.cycles) == {latency(size)}


def test_the_greatest_shift_saturates_nothing():
    size, rng = CROOKED, np.random.default_rng(1)
    numbers = unpack_image(size, random_image(size, rng))
    most = replace(
        numbers,
        shifts=[7] * len(size.nodes),
        tables=[np.full_like(table, -(1 << size.value_bits - 1) + 1) for table in numbers.tables],
        weights={
            k: np.full_like(w, -(1 << size.weight_bits - 1)) for k, w in numbers.weights.items()
        },
    )
    expected = scores(size, most, [0] * size.inputs)
    assert abs(expected[0]) < 2**15 - 1


def test_no_samples():
    results = GoldenSpatial.of_image(BALANCED, bytes(1 << 14)).run(np.empty((0, 4), dtype=int))
    assert results.scores.shape == (0, 3)


class Conversation:
    """A golden device with a spatial engine, and what it answers."""

    def __init__(self, size=BALANCED) -> None:
        self.device = GoldenDevice(make_board("test", ROW, 90_000_000, size))
        self.sequence = 0
        self.ask(PacketType.HELLO)

    def ask(self, kind: PacketType, payload: bytes = b"") -> bytes:
        frame = Packet(kind, self.sequence, payload).frame()
        self.sequence = (self.sequence + 1) % 256
        (reply,) = FrameSplitter().feed(self.device.respond(frame))
        return reply.payload

    def load(self, image: bytes) -> None:
        for first in range(0, len(image), 200):
            payload = packets.pack_memory(SpatialSpace.IMAGE, first) + image[first : first + 200]
            assert self.ask(PacketType.WRITE, payload) == bytes([Status.OK])

    def activate(self, features: int = 4) -> bytes:
        return self.ask(PacketType.ACTIVATE, packets.ACTIVATE.pack(features, 1234))


def test_a_device():
    talk, rng = Conversation(), np.random.default_rng(0)
    image = random_image(BALANCED, rng)
    sample = bytes([1, 200, 3, 99])
    run = packets.OFFSET.pack(0) + sample
    assert talk.ask(PacketType.RUN, run) == bytes([Status.NO_MODEL])
    talk.load(image)
    assert talk.activate(5) == bytes([Status.BAD_FEATURE_COUNT])
    assert talk.activate() == bytes([Status.OK])
    reply = talk.ask(PacketType.RUN, run)
    expected = GoldenSpatial.of_image(BALANCED, image).run(np.array([list(sample)]))
    assert reply[:1] == bytes([Status.OK])
    assert np.frombuffer(reply[1:7], "<i2").tolist() == expected.scores[0].tolist()
    assert packets.RESULT.unpack(reply[7:]) == (expected.exponents[0], expected.classes[0], 14)
    status = DeviceStatus.unpack(talk.ask(PacketType.STATUS)[1:])
    assert (status.active, status.digest, status.samples, status.busy_cycles) == (True, 1234, 1, 14)
    read = packets.pack_memory(SpatialSpace.IMAGE, 100) + packets.READ_COUNT.pack(50)
    assert talk.ask(PacketType.READ, read)[1:] == image[100:150]
    talk.load(image[:1])
    assert talk.ask(PacketType.RUN, run) == bytes([Status.NO_MODEL])


@pytest.mark.parametrize("features", [1, 3])
def test_features_that_are_not_sent_have_level_0(features):
    talk = Conversation()
    talk.load(random_image(BALANCED, np.random.default_rng(0)))
    talk.activate(features)
    short = talk.ask(PacketType.RUN, packets.OFFSET.pack(0) + bytes([9] * features))
    talk.activate(4)
    padded = bytes([9] * features + [0] * (4 - features))
    assert short == talk.ask(PacketType.RUN, packets.OFFSET.pack(0) + padded)


def test_nothing_beyond_the_memory():
    talk = Conversation()
    payload = packets.pack_memory(SpatialSpace.IMAGE, 1 << image_bytes(BALANCED).bit_length())
    assert talk.ask(PacketType.WRITE, payload + b"x") == bytes([Status.BAD_ADDRESS])
    other = packets.pack_memory(0, 0) + b"x"
    assert talk.ask(PacketType.WRITE, other) == bytes([Status.BAD_ADDRESS])
