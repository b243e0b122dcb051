"""Three benches for `tests.gateware.test_bench`, the last of which may be left out."""

from __future__ import annotations

import cocotb
from cocotb.triggers import Timer

from tests.gateware.bench import bench_parameters


@cocotb.test()
async def passes_on_a_bit(dut):
    for value in (0, 1):
        dut.taken.value = value
        await Timer(1, "ns")
        assert dut.given.value == value


@cocotb.test()
async def is_defined_at_once(dut):
    dut.taken.value = 1
    await Timer(1, "ns")
    assert dut.given.value.is_resolvable


@cocotb.test(skip=not bench_parameters()["all"])
async def may_be_skipped(dut):
    await Timer(1, "ns")
