"""Rounding, with every input, and multipliers, with corners and random pairs, against integers."""

from __future__ import annotations

import itertools
import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from tensorspin.contract.contractor.latency import LONG, MULTIPLY_ACCUMULATE, SHORT
from tensorspin.contract.fixed import Format, round_shift, saturate
from tests.gateware.bench import bench_parameters


@cocotb.test()
async def rounding_equals_numpy(dut) -> None:
    for number, (width, shift, to) in enumerate(bench_parameters()["roundings"]):
        value_port = getattr(dut, f"value_{number}")
        result_port = getattr(dut, f"result_{number}")
        values = np.arange(-(1 << (width - 1)), 1 << (width - 1))
        expected = saturate(round_shift(values, shift), Format(**to))
        for value, result in zip(values.tolist(), expected.tolist()):
            value_port.value = value & ((1 << width) - 1)
            await Timer(1, "ns")
            assert result_port.value.to_signed() == result, (width, shift, value)


@cocotb.test()
async def multipliers_equal_integers(dut) -> None:
    width = bench_parameters()["factor_width"]
    least, most = -(1 << (width - 1)), (1 << (width - 1)) - 1
    corners = [least, least + 1, -2, -1, 0, 1, 2, most - 1, most]
    rng = random.Random(1)
    pairs = list(itertools.product(corners, repeat=2))
    pairs += [(rng.randint(least, most), rng.randint(least, most)) for _ in range(2000)]
    products = [getattr(dut, f"product_{name}") for name in bench_parameters()["families"]]
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 0
    mask = (1 << width) - 1
    in_flight, in_tree = [], []
    for left, right in pairs:
        dut.left.value = left & mask
        dut.right.value = right & mask
        in_flight.append(left * right)
        in_tree.append(left * right)
        await RisingEdge(dut.clk)
        if len(in_flight) > SHORT.multiply:
            expected = in_flight.pop(0)
            assert all(product.value.to_signed() == expected for product in products)
        if len(in_tree) > LONG.multiply:
            assert dut.product_staged.value.to_signed() == in_tree.pop(0)


@cocotb.test()
async def accumulators_equal_integers(dut) -> None:
    width = bench_parameters()["factor_width"]
    totals = [getattr(dut, f"total_{name}") for name in bench_parameters()["families"]]
    rng = random.Random(3)
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 0
    dut.accumulate.value = 0
    for _ in range(40):
        dut.clear.value = 1
        for _ in range(MULTIPLY_ACCUMULATE):
            await RisingEdge(dut.clk)
        dut.clear.value = 0
        # Long enough for extreme factors to wrap the sum.
        extreme = rng.random() < 0.3
        count = 600 if extreme else rng.randrange(40)
        factors, enables = [], []
        expected = 0
        for cycle in range(count + MULTIPLY_ACCUMULATE + 1):
            counts = cycle < count and (extreme or rng.random() < 0.7)
            if extreme:
                left, right = -(1 << (width - 1)), rng.choice([-128, 127])
            else:
                left = rng.randrange(-(1 << (width - 1)), 1 << (width - 1))
                right = rng.randrange(-128, 128)
            factors.append(left * right)
            enables.append(counts)
            dut.left.value = left & ((1 << width) - 1)
            dut.weight.value = right & 0xFF
            # The enable comes with the product, one register before the sum.
            ahead = cycle - (MULTIPLY_ACCUMULATE - 1)
            dut.accumulate.value = int(ahead >= 0 and enables[ahead])
            await RisingEdge(dut.clk)
            done = cycle - MULTIPLY_ACCUMULATE
            if done >= 0:
                expected += factors[done] * enables[done]
                wrapped = (expected + (1 << 31)) % (1 << 32) - (1 << 31)
                assert all(total.value.to_signed() == wrapped for total in totals), cycle


@cocotb.test()
async def steps_equal_integers(dut) -> None:
    width = bench_parameters()["step_bits"]
    results = [getattr(dut, f"step_{name}") for name in bench_parameters()["families"]]
    numbers = range(-(1 << width - 1), 1 << width - 1)
    for operation, total, term in itertools.product(range(4), numbers, numbers):
        dut.operation.value = operation
        dut.total.value = total & ((1 << width) - 1)
        dut.term.value = term & ((1 << width) - 1)
        await Timer(1, "ns")
        expected = (total, 0, total + term, total - term)[operation] & ((1 << width) - 1)
        assert all(int(result.value) == expected for result in results), (operation, total, term)


@cocotb.test()
async def comparisons_equal_integers(dut) -> None:
    results = [getattr(dut, f"below_{name}") for name in bench_parameters()["families"]]
    for number, (threshold_bits, value_bits) in enumerate(bench_parameters()["comparisons"]):
        values = range(-(1 << value_bits - 1), 1 << value_bits - 1)
        for threshold, value, negate, allow in itertools.product(
            range(1 << threshold_bits), values, (0, 1), range(4)
        ):
            dut.threshold.value = threshold
            dut.compared.value = value & ((1 << len(dut.compared)) - 1)
            dut.negate.value = negate
            dut.allow.value = allow
            await Timer(1, "ns")
            expected = allow != 0 and (value if negate else -value) <= threshold
            assert all(int(result.value) >> number & 1 == expected for result in results), (
                number,
                threshold,
                value,
            )


@cocotb.test()
async def copies_are_registers(dut) -> None:
    width = bench_parameters()["step_bits"]
    copies = [getattr(dut, f"copy_{name}") for name in bench_parameters()["families"]]
    rng = random.Random(4)
    Clock(dut.clk, 10, unit="ns").start()
    values = [rng.getrandbits(width) for _ in range(50)]
    for now, value in enumerate(values):
        dut.term.value = value
        await RisingEdge(dut.clk)
        if now > 1:
            assert all(int(copied.value) == values[now - 1] for copied in copies)


@cocotb.test()
async def program_memories_agree(dut) -> None:
    lanes = bench_parameters()["lanes"]
    rng = random.Random(2)
    outputs = [getattr(dut, f"read_data_{name}") for name in bench_parameters()["families"]]
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 0
    written, reading, reads = {}, None, 0
    for _ in range(6000):
        enable = rng.random() < 0.7
        address = rng.choice([0, 1, 2, (1 << 14) - 1])
        write = rng.getrandbits(lanes) if rng.random() < 0.4 else 0
        data = rng.getrandbits(8)
        dut.address.value = address
        dut.enable.value = int(enable)
        dut.write.value = write
        dut.write_data.value = data
        await RisingEdge(dut.clk)
        # What the edge before this one asked for; kept while nothing is enabled.
        if reading is not None:
            mask, expected = reading
            reads += 1
            assert all(int(output.value) & mask == expected for output in outputs)
        if enable and write:
            for lane in range(lanes):
                if write >> lane & 1:
                    written[address, lane] = data
            reading = None
        elif enable:
            # Bytes that were never written are unknown.
            known = [lane for lane in range(lanes) if (address, lane) in written]
            mask = sum(0xFF << 8 * lane for lane in known)
            reading = mask, sum(written[address, lane] << 8 * lane for lane in known)
    assert reads > 1000
