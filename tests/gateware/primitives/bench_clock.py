"""Checks that the reset lasts until the PLL has locked and block RAM can be read."""

from __future__ import annotations

import random

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from tests.gateware.bench import bench_parameters

SYNCHRONISER = 4
"""Greatest number of cycles from a change of the lock to a change of the reset."""


class Reset:
    """Watches the domain, cycle by cycle."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.lock = dut.generator.pll.lock
        self.lock.value = 0
        dut.readable.value = 0
        dut.oscillator.value = 0
        Clock(dut.oscillator, 10, unit="ns").start()

    async def stays(self, cycles: int) -> None:
        for _ in range(cycles):
            await FallingEdge(self.dut.oscillator)
            assert self.dut.in_reset.value == 1
            assert int(self.dut.count.value) == 0

    async def ends(self) -> int:
        """Wait for the end of the reset; return the number of cycles."""
        for cycle in range(100_000):
            await FallingEdge(self.dut.oscillator)
            if self.dut.in_reset.value == 0:
                return cycle
        raise AssertionError("the reset does not end")

    async def begins(self) -> None:
        for _ in range(SYNCHRONISER):
            await FallingEdge(self.dut.oscillator)
        await self.stays(1)


@cocotb.test()
async def reset_lasts_while_not_locked(dut):
    reset, cycles = Reset(dut), bench_parameters()["cycles"]
    rng = random.Random(1)
    await reset.stays(3 * cycles)
    for _ in range(3):
        # A lock that does not last counts for nothing.
        for _ in range(4):
            reset.lock.value = 1
            await reset.stays(rng.randrange(1, cycles))
            reset.lock.value = 0
            await reset.stays(rng.randrange(4, cycles))
        reset.lock.value = 1
        assert cycles <= await reset.ends() <= cycles + SYNCHRONISER
        for count in range(1, 100):
            await FallingEdge(dut.oscillator)
            assert int(dut.count.value) == count
        reset.lock.value = 0
        await reset.begins()


@cocotb.test()
async def block_ram_reads_zero_at_first(dut):
    """No word from before it could be read gets into the domain, though the PLL locks at once."""
    reset, unreadable = Reset(dut), bench_parameters()["unreadable"]
    reset.lock.value = 1
    await reset.stays(unreadable)
    dut.readable.value = 1
    await reset.ends()
    for count in range(1, 100):
        await FallingEdge(dut.oscillator)
        assert int(dut.sum.value) == 0xFF * count
