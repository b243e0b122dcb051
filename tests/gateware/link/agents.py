"""Parts of the test benches of link, router and accelerator.

A bench is a list of agents. In each clock cycle all of them drive their inputs, then, when the
logic has settled, all look at what the coming clock edge will do.
"""

from __future__ import annotations

import random
from collections import deque

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

PERIOD_NS = 10


class Bench:
    """Steps a device and its agents through clock cycles."""

    def __init__(self, dut, *agents) -> None:
        self.dut = dut
        self.agents = agents
        self.cycle = 0

    async def reset(self) -> None:
        self.dut.rst.value = 1
        self.dut.clk.value = 0
        Clock(self.dut.clk, PERIOD_NS, unit="ns").start()
        for _ in range(3):
            await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0

    async def step(self) -> None:
        await FallingEdge(self.dut.clk)
        for agent in self.agents:
            agent.drive()
        await ReadOnly()
        for agent in self.agents:
            agent.observe()
        self.cycle += 1

    async def until(self, condition, limit: int = 200_000) -> None:
        """Step until the condition holds; `limit` cycles must do."""
        for _ in range(limit):
            if condition():
                return
            await self.step()
        raise AssertionError(f"nothing more happens after {limit} cycles")

    async def settle(self, *agents, cycles: int = 100) -> None:
        """Step until all sources have sent everything and no sink has received anything lately."""
        sources = [agent for agent in agents if isinstance(agent, Source)]
        sinks = [agent for agent in agents if isinstance(agent, Sink)]
        await self.until(lambda: not any(source.queue for source in sources))
        news = None
        while news != (news := [len(sink.items) for sink in sinks]):
            for _ in range(cycles):
                await self.step()


class Source:
    """Sends items into a stream.

    Parameters
    ----------
    probability : float
        Probability with which the next item is offered in a cycle.
    always_ready : bool
        The device must take each item in the cycle in which it is offered.
    """

    def __init__(self, dut, name: str, rng: random.Random, probability=1.0, always_ready=False):
        self.payload = getattr(dut, f"{name}__payload")
        self.valid = getattr(dut, f"{name}__valid")
        self.ready = getattr(dut, f"{name}__ready")
        self.rng = rng
        self.probability = probability
        self.always_ready = always_ready
        self.queue = deque()
        self.offered = False
        self.sent = False
        self.last_sent = None
        self.valid.value = 0
        self.payload.value = 0

    def drive(self) -> None:
        if not self.offered and self.queue and self.rng.random() < self.probability:
            self.offered = True
            self.valid.value = 1
            self.payload.value = self.queue[0]
        elif self.sent and not self.offered:
            self.valid.value = 0
        self.sent = False

    def observe(self) -> None:
        if self.offered:
            if self.ready.value == 1:
                self.last_sent = self.queue.popleft()
                self.offered = False
                self.sent = True
            else:
                assert not self.always_ready, "the device is not ready"


class Sink:
    """Takes items from a stream, and holds the device to the rules of streams."""

    def __init__(self, dut, name: str, rng: random.Random, probability=1.0):
        self.payload = getattr(dut, f"{name}__payload")
        self.valid = getattr(dut, f"{name}__valid")
        self.ready = getattr(dut, f"{name}__ready")
        self.rng = rng
        self.probability = probability
        self.items = []
        self.taking = False
        self.refused = None
        self.ready.value = 0

    def drive(self) -> None:
        taking = self.rng.random() < self.probability
        if taking != self.taking:
            self.ready.value = int(taking)
            self.taking = taking

    def observe(self) -> None:
        payload = int(self.payload.value) if self.valid.value == 1 else None
        assert self.refused in (None, payload), "an item offered was changed or withdrawn"
        self.refused = None
        if payload is not None:
            if self.taking:
                self.items.append(payload)
            else:
                self.refused = payload


LAST = 1 << 8
"""The bit `last` of an item of a stream of PacketByte, above the 8 bits of data."""


def packet_items(data: bytes) -> list[int]:
    """Bytes as items of a stream of PacketByte."""
    return [*data[:-1], data[-1] | LAST]


def split_packets(items: list[int]) -> list[bytes]:
    """Split items into packets, as the inverse of `packet_items`; drop an incomplete one."""
    packets = [bytearray()]
    for item in items:
        packets[-1].append(item & 0xFF)
        if item & LAST:
            packets.append(bytearray())
    return [bytes(packet) for packet in packets[:-1]]
