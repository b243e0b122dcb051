"""The host's side of a serial line, bit by bit, for the test benches."""

from __future__ import annotations

from cocotb.triggers import FallingEdge, Timer

from tests.gateware.bench import bench_parameters

from .agents import PERIOD_NS


def bits_of(byte: int, stop: int = 1) -> list[int]:
    return [0, *(byte >> bit & 1 for bit in range(8)), stop]


class Line:
    """The host's transmitter, whose baud rate deviates by a factor of 1 + `deviation`."""

    def __init__(self, dut, deviation: float = 0.0) -> None:
        self.line = dut.rx_line
        self.line.value = 1
        self.bit_ns = bench_parameters()["divisor"] * PERIOD_NS / (1 + deviation)

    async def hold(self, level: int, bits: float = 1) -> None:
        self.line.value = level
        await self.bits_later(bits)

    async def bits_later(self, bits: float) -> None:
        if bits > 0:
            await Timer(round(bits * self.bit_ns, 3), "ns", round_mode="round")

    async def send(self, data: bytes, stop: int = 1) -> None:
        for byte in data:
            for bit in bits_of(byte, stop):
                await self.hold(bit)


async def reset(dut, cycles: int = 3) -> None:
    await FallingEdge(dut.clk)
    dut.rst.value = 1
    for _ in range(cycles):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
