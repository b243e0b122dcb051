"""Checks the UART bit by bit: each in its time, and lines that deviate from that."""

from __future__ import annotations

import random

import cocotb
from cocotb.triggers import FallingEdge, Timer

from tensorspin_gateware.link.uart import LINE_ERROR, MAX_ERROR
from tests.gateware.bench import bench_parameters

from .agents import PERIOD_NS, Bench, Sink, Source
from .serial_line import Line, bits_of, reset

BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x80, 0x01, 0x7F, 0xFE]


async def set_up(dut):
    rng = random.Random(1)
    dut.rx_line.value = 1
    sink = Sink(dut, "received", rng)
    source = Source(dut, "sent", rng)
    bench = Bench(dut, sink, source)
    await bench.reset()

    async def run():
        while True:
            await bench.step()

    return rng, bench, source, sink, cocotb.start_soon(run())


@cocotb.test()
async def receives_at_any_tolerated_rate(dut):
    rng, bench, source, sink, running = await set_up(dut)
    most = LINE_ERROR + MAX_ERROR  # the divisor's, and the other side's
    for deviation in (0, -most, most):
        line = Line(dut, deviation)
        data = bytes(BYTES) + rng.randbytes(200)
        for byte in data:
            await line.send(bytes([byte]))
            if rng.random() < 0.2:  # any phase of the clock
                await line.hold(1, rng.random() * 3)
        await line.hold(1, 2)
        assert bytes(sink.items) == data, deviation
        sink.items.clear()
    running.cancel()


@cocotb.test()
async def receives_nothing_from_noise(dut):
    rng, bench, source, sink, running = await set_up(dut)
    line = Line(dut)
    for _ in range(20):
        await line.hold(0, 0.3)  # gone by the middle of a start bit
        await line.hold(1, 1 + rng.random())
    await line.send(b"\x42", stop=0)  # a framing error, and a break after it
    await line.hold(0, 25)
    await line.hold(1, 1)
    await line.send(b"\x17")
    await line.hold(1, 1)
    assert sink.items == [0x17]
    running.cancel()


@cocotb.test()
async def receives_nothing_from_pulses(dut):
    """Low levels shorter than half a bit, at any phase of the clock, are taken for noise."""
    rng, bench, source, sink, running = await set_up(dut)
    line = Line(dut)
    # The line is looked at once a cycle.
    longest = 0.5 - 1 / bench_parameters()["divisor"]
    for _ in range(60):
        await line.hold(0, rng.uniform(0.01, longest))
        await line.hold(1, 1 + rng.random())
        data = rng.randbytes(2)
        await line.send(data)
        await line.hold(1, 1 + rng.random())
        assert bytes(sink.items) == data
        sink.items.clear()
    running.cancel()


@cocotb.test()
async def begins_on_a_busy_line(dut):
    """After a reset within a byte anything may come out, but bytes behind a pause are right."""
    rng, bench, source, sink, running = await set_up(dut)
    line = Line(dut)
    for _ in range(40):
        sending = cocotb.start_soon(line.send(rng.randbytes(4)))
        await line.bits_later(rng.uniform(0, 40))
        # Also held in reset, as before a PLL has locked, while the host talks.
        await reset(dut, rng.choice([1, 3, 300]))
        await sending
        await line.hold(1, 10)
        sink.items.clear()
        data = rng.randbytes(3)
        await line.send(data)
        await line.hold(1, 1)
        assert bytes(sink.items) == data
    running.cancel()


@cocotb.test()
async def begins_in_a_break(dut):
    rng, bench, source, sink, running = await set_up(dut)
    line = Line(dut)
    line.line.value = 0
    await reset(dut)
    await line.hold(0, 40)
    await line.hold(1, 1)
    await line.send(b"\x99")
    await line.hold(1, 1)
    assert sink.items == [0x99]
    running.cancel()


@cocotb.test()
async def reset_ends_what_is_sent(dut):
    """The line is idle at once, and the next byte is whole."""
    rng, bench, source, sink, running = await set_up(dut)
    divisor = bench_parameters()["divisor"]
    for _ in range(20):
        source.queue.append(0)
        await Timer(rng.randrange(1, 12 * divisor) * PERIOD_NS, "ns")
        await reset(dut)
        assert dut.tx_line.value == 1
        data = rng.randbytes(2)
        source.queue.extend(data)
        levels = []
        for _ in range(22 * divisor):
            await FallingEdge(dut.clk)
            levels.append(int(dut.tx_line.value))
        begin = levels.index(0)
        middles = levels[begin + divisor // 2 :: divisor][:20]
        assert middles == [bit for byte in data for bit in bits_of(byte)]
    running.cancel()


@cocotb.test()
async def byte_not_taken(dut):
    """The first byte waits, the next ones are lost."""
    rng, bench, source, sink, running = await set_up(dut)
    line = Line(dut)
    sink.probability = 0
    await line.send(b"\x01\x02\x03")
    await line.hold(1, 1)
    sink.probability = 1
    await line.hold(1, 1)
    await line.send(b"\x04")
    await line.hold(1, 1)
    assert sink.items == [1, 4]
    running.cancel()


@cocotb.test()
async def sends_each_bit_in_its_time(dut):
    rng, bench, source, sink, running = await set_up(dut)
    divisor = bench_parameters()["divisor"]
    data = bytes(BYTES) + rng.randbytes(20)
    assert dut.tx_line.value == 1
    source.queue.extend(data)
    levels = []
    while source.queue or len(levels) < len(data) * 10 * divisor + 30:
        await FallingEdge(dut.clk)
        levels.append(int(dut.tx_line.value))
    levels = levels[levels.index(0) :]
    expected = [bit for byte in data for bit in bits_of(byte) for _ in range(divisor)]
    assert levels[: len(expected)] == expected
    assert all(levels[len(expected) :])
    running.cancel()
