"""Compares encoder and decoder with `tensorspin.contract.wire.frames`."""

from __future__ import annotations

import random

import cocotb

from tensorspin.contract.wire.frames import COBS_OVERHEAD, MAX_BODY, decode, encode
from tests.gateware.bench import bench_parameters

from .agents import Bench, Sink, Source, packet_items

END = 1 << 8
DAMAGED = 1 << 9

BODIES = [
    b"\0",
    b"\1",
    b"\0\0",
    b"\xff\0\xff",
    bytes(MAX_BODY),
    bytes(range(1, 254)),
    b"\1" * MAX_BODY,
    b"\1" * (MAX_BODY - 1) + b"\0",
    b"\0" + b"\xff" * (MAX_BODY - 1),
]


def random_body(rng: random.Random, longest: int = MAX_BODY) -> bytes:
    """Draw bytes with few or many zeros."""
    values = rng.choice([range(2), range(256), [*range(16)], [255, 0, 1]])
    return bytes(rng.choices(values, k=rng.randint(1, longest)))


@cocotb.test()
async def encoder(dut):
    rng = random.Random(1)
    source = Source(dut, "plain", rng)
    sink = Sink(dut, "stuffed", rng)
    bench = Bench(dut, source, sink)
    await bench.reset()
    for probability in (1, 0.5):
        source.probability = sink.probability = probability
        bodies = BODIES + [random_body(rng, rng.choice([5, MAX_BODY])) for _ in range(30)]
        sink.items.clear()
        for body in bodies:
            source.queue.extend(packet_items(body))
        await bench.settle(source, sink)
        assert bytes(sink.items) == b"".join(map(encode, bodies))


@cocotb.test()
async def encoder_latency(dut):
    rng = random.Random(1)
    source = Source(dut, "plain", rng)
    sink = Sink(dut, "stuffed", rng)
    bench = Bench(dut, source, sink)
    await bench.reset()
    for length in (1, 20, MAX_BODY):
        for _ in range(3):
            await bench.step()
        sink.items.clear()
        source.queue.extend(packet_items(bytes(length)))
        begin = bench.cycle
        await bench.until(lambda: sink.items)
        taken = 2 * length if bench_parameters()["staged"] else length
        assert bench.cycle - begin == taken + 3
        await bench.until(lambda length=length: len(sink.items) == length + COBS_OVERHEAD)
        assert bench.cycle - begin == taken + 2 + length + COBS_OVERHEAD


def decoded(frames: list[bytes]) -> list[int]:
    """List the items that the decoder makes of frames, given without delimiters.

    For a damaged frame this is the end alone.
    """
    items = []
    for frame in frames:
        if frame:
            body = decode(frame)
            items += [END | DAMAGED] if body is None else [*body, END]
    return items


def without_damaged(items: list[int]) -> list[int]:
    """Drop bytes of damaged frames that came out before the damage showed."""
    kept = []
    frame = []
    for item in items:
        frame.append(item & (END | DAMAGED) if item & END else item & 0xFF)
        if item & END:
            kept += frame[-1:] if item & DAMAGED else frame
            frame = []
    return kept


@cocotb.test()
async def decoder(dut):
    rng = random.Random(2)
    source = Source(dut, "frames", rng)
    sink = Sink(dut, "bodies", rng)
    bench = Bench(dut, source, sink)
    await bench.reset()
    frames = [encode(body)[:-1] for body in BODIES]
    frames += [
        b"",
        b"",
        b"\1",  # an empty body
        b"\xff" + b"\1" * 254,  # the code that never occurs
        b"\2\1\xff",
        b"\5abc",  # too short a block
        b"\xfe" + b"\1" * 253 + b"\1",  # one byte too many
        b"\xfd" + b"\1" * 252 + b"\1\1\1\1\1\1",
        b"\1" * 254,
        b"\1" * 255,
        b"\2a",
    ]
    for _ in range(60):
        frame = bytearray(encode(random_body(rng, rng.choice([4, MAX_BODY])))[:-1])
        fault = rng.random()
        if fault < 0.2:
            frame[rng.randrange(len(frame))] = rng.randrange(1, 256)
        elif fault < 0.4:
            del frame[rng.randrange(len(frame)) :]
        elif fault < 0.5:
            frame += bytes(rng.choices(range(1, 256), k=rng.randint(1, 300)))
        frames.append(bytes(frame))
    for probability in (1, 0.5):
        source.probability = sink.probability = probability
        sink.items.clear()
        for frame in frames:
            source.queue.extend(frame + b"\0")
        await bench.settle(source, sink)
        assert without_damaged(sink.items) == decoded(frames)
