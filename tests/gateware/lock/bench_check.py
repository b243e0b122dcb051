"""Holds the check of a locked contractor to the tags and cycles of the contract."""

from __future__ import annotations

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from tensorspin.contract.contractor.chaskey import BLOCK_BYTES
from tensorspin.contract.contractor.lock import (
    COMPONENT_BYTES,
    Header,
    LockKey,
    check_cycles,
    covered,
)
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize
from tests.gateware.bench import bench_parameters


class Host:
    """Fills the memories and sends what an ACTIVATE brings."""

    def __init__(self, dut) -> None:
        parameters = bench_parameters()
        self.dut = dut
        self.size = ContractorSize(**parameters["size"])
        self.rng = np.random.default_rng(parameters["seed"])
        self.memories = {
            space: bytearray(self.rng.bytes(self.size.space_bytes(space))) for space in MemorySpace
        }
        self.cycles = 0

    async def start(self, minimum: int = 1) -> None:
        """Reset, with a random key; or with that which the design has."""
        dut = self.dut
        fixed = bench_parameters()["fixed"]
        key = LockKey(self.rng.bytes(16), minimum)
        if fixed:
            key = LockKey(bytes.fromhex(fixed["key"]), fixed["minimum"])
        for name in ("start", "valid", "data", "host_write", "host_space", "host_address"):
            getattr(dut, name).value = 0
        dut.key.value = int.from_bytes(key.record(), "little")
        self.key = key
        dut.rst.value = 1
        Clock(dut.clk, 10, unit="ns").start()
        await ClockCycles(dut.clk, 3)
        dut.rst.value = 0
        for space, memory in self.memories.items():
            await self.write(space, 0, bytes(memory))

    async def write(self, space: int, first: int, data: bytes) -> None:
        dut = self.dut
        self.memories[space][first : first + len(data)] = data
        dut.host_space.value, dut.host_write.value = int(space), 1
        for address, byte in enumerate(data, first):
            dut.host_address.value, dut.host_data.value = address, byte
            await RisingEdge(dut.clk)
        dut.host_write.value = 0

    async def read(self, space: int) -> bytes:
        dut = self.dut
        dut.host_space.value = int(space)
        found = bytearray()
        for address in range(self.size.space_bytes(space) + 1):
            dut.host_address.value = address % self.size.space_bytes(space)
            await RisingEdge(dut.clk)
            await FallingEdge(dut.clk)
            found.append(int(dut.host_read.value))
        return bytes(found[:-1])

    async def send(self, byte: int) -> None:
        """Let a byte be taken, at once or after a pause."""
        dut = self.dut
        if self.rng.random() < 0.2:
            await ClockCycles(dut.clk, int(self.rng.integers(1, 30)))
        dut.data.value, dut.valid.value = byte, 1
        await FallingEdge(dut.clk)
        if not int(dut.ready.value):
            await RisingEdge(dut.ready)
        self.digest = int(dut.digest.value)
        await RisingEdge(dut.clk)
        dut.valid.value = 0
        await FallingEdge(dut.clk)

    def tag(self, header: Header) -> bytes:
        """The tag of what the memories hold."""
        return self.key.tag(
            header,
            covered(bytes(self.memories[MemorySpace.PROGRAM]), header.blocks, BLOCK_BYTES),
            covered(bytes(self.memories[MemorySpace.TABLE]), header.components, COMPONENT_BYTES),
        )

    async def check(self, header: Header, tag: bytes) -> bool:
        """Activate; hold cycles and cleared memories to the contract, and return the verdict."""
        dut = self.dut
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        await FallingEdge(dut.clk)
        digest = []
        for place, byte in enumerate(header.pack()):
            await self.send(byte)
            if self.digest:
                digest.append(place)
        assert digest == [2, 3, 4, 5]
        begun = cocotb.utils.get_sim_time("ns")
        # The first byte waits there, so that nothing but the check takes time.
        dut.data.value, dut.valid.value = tag[0], 1
        await RisingEdge(dut.ready)
        # From one falling edge of the clock to a rising one, and on to where the byte is taken.
        cycles = round((cocotb.utils.get_sim_time("ns") - begun + 5) / 10) + 1
        await RisingEdge(dut.clk)
        dut.valid.value = 0
        await FallingEdge(dut.clk)
        for byte in tag[1:]:
            await self.send(byte)
        begun = cocotb.utils.get_sim_time("ns")
        if not int(dut.done.value):
            await RisingEdge(dut.done)
            cycles += round((cocotb.utils.get_sim_time("ns") - begun + 5) / 10)
        good = bool(int(dut.good.value))
        assert cycles == check_cycles(self.size, header, good), (cycles, good)
        self.cycles += cycles
        if not good:
            for space in MemorySpace:
                assert not any(await self.read(space))
                self.memories[space][:] = bytes(len(self.memories[space]))
        return good

    async def fill(self, blocks: int) -> None:
        """Put another program into the memory, and a few other bytes into the table."""
        await self.write(MemorySpace.PROGRAM, 0, self.rng.bytes(blocks * BLOCK_BYTES))
        await self.write(MemorySpace.TABLE, int(self.rng.integers(500)), self.rng.bytes(12))

    def header(self, blocks: int, components: int = 1) -> Header:
        version = self.key.minimum + int(self.rng.integers(3))
        digest = int(self.rng.integers(1 << 32))
        return Header(int(self.rng.integers(1, 64)), digest, components, blocks, version)


@cocotb.test()
async def right_tags_are_taken_and_wrong_ones_are_not(dut) -> None:
    """Each byte of the tag, of the header, and of both memories counts."""
    host = Host(dut)
    await host.start(int(host.rng.integers(1, 1 << 20)))
    for blocks, components in ((1, 1), (3, 0), (31, 1), (0, 1), (bench_parameters()["most"], 2)):
        header = host.header(blocks, components)
        for _ in range(2):  # an ACTIVATE may be repeated
            assert await host.check(header, host.tag(header))
    header = host.header(3)
    for place in range(0, 16, bench_parameters()["every"]):
        await host.fill(3)
        tag = bytearray(host.tag(header))
        tag[place] ^= 1 << int(host.rng.integers(8))
        assert not await host.check(header, bytes(tag))
        # It is gone, so that the right tag comes too late.
        assert not await host.check(header, bytes(tag[:place]) + bytes(16 - place))
        await host.fill(3)
        tag, packed = host.tag(header), bytearray(header.pack())
        packed[place] ^= 1 << int(host.rng.integers(8)) if place not in (6, 8) else 1
        assert not await host.check(Header.unpack(bytes(packed)), tag)
    assert await host.check(header, host.tag(header))


@cocotb.test()
async def changed_memories_are_not_taken(dut) -> None:
    """Flipped bits, swapped blocks and words, a program that is cut short or goes on."""
    host = Host(dut)
    await host.start()
    program, table = MemorySpace.PROGRAM, MemorySpace.TABLE
    for change in ("flip", "swap blocks", "swap words", "shorter", "longer", "table", "behind"):
        await host.fill(5)
        header = host.header(5)
        tag = host.tag(header)
        held = bytes(host.memories[program][:80])
        if change == "flip":
            place = int(host.rng.integers(80))
            await host.write(program, place, bytes([held[place] ^ 1 << int(host.rng.integers(8))]))
        elif change == "swap blocks":
            await host.write(program, 16, held[32:48] + held[16:32])
        elif change == "swap words":
            await host.write(program, 64, held[72:80] + held[64:72])
        elif change == "shorter":
            header = header._replace(blocks=4)
        elif change == "longer":
            header = header._replace(blocks=6)
        elif change == "table":
            place = int(host.rng.integers(512))
            await host.write(table, place, bytes([host.memories[table][place] ^ 16]))
        else:
            await host.write(program, 80, b"behind")
            await host.write(table, 512, b"behind")
        assert await host.check(header, tag) == (change == "behind"), change
        # Written again, all is well, however often.
        await host.write(program, 0, held)
        await host.write(program, 0, held)
        await host.fill(2)
        header = host.header(5)
        assert await host.check(header, host.tag(header))


@cocotb.test()
async def old_versions_are_not_taken(dut) -> None:
    host = Host(dut)
    for minimum in (1, 2, 0x100, 0x10000, 0x12345678, 0xFFFFFFFF):
        await host.start(minimum)
        minimum = host.key.minimum
        near = {minimum - 1, minimum, minimum + 1, minimum ^ 0x80, minimum ^ 0x8000, 0, 0xFFFFFFFF}
        versions = sorted(version for version in near if 0 <= version < 1 << 32)
        for version in host.rng.permutation(versions)[: bench_parameters()["versions"]].tolist():
            await host.fill(1)
            header = host.header(1)._replace(version=version)
            assert await host.check(header, host.tag(header)) == (version >= minimum)


@cocotb.test()
async def an_activation_that_is_broken_off_leaves_nothing(dut) -> None:
    """The router refuses some after their first two bytes, and then the next one comes."""
    host = Host(dut)
    await host.start()
    for taken in (0, 2, 7):
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        await FallingEdge(dut.clk)
        for byte in host.rng.bytes(taken):
            await host.send(byte)
        await ClockCycles(dut.clk, int(host.rng.integers(1, 100)))
        header = host.header(2)
        assert await host.check(header, host.tag(header))
