"""Compares a device that holds two programs with the golden device, through any requests."""

from __future__ import annotations

import random

import cocotb
import numpy as np

from tensorspin.compiler.capacity import program_words
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import MAX_OUTPUTS
from tensorspin.contract.contractor.resident import BOTH_OUTPUTS, half_base, half_size
from tensorspin.contract.contractor.signature import signature_word
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import MAX_PAYLOAD
from tensorspin.contract.wire.packets import BOTH, SECOND, STANDBY, SWAP, PacketType, pack_memory
from tests.support.random_programs import (
    RandomProgram,
    exact_program,
    random_program,
    short_program,
)

from .bench import bench_parameters
from .bench_accelerator import Host

PAIRS = ((3, BOTH_OUTPUTS), (BOTH_OUTPUTS, 9), (BOTH_OUTPUTS + 1, 2), (2, BOTH_OUTPUTS + 1))
"""Numbers of scores of two programs that contract the same samples."""


class TwoPrograms:
    """Writes, activates and runs the programs of both halves.

    Attributes
    ----------
    features : list of int
        Features of the program in each half; 0 if the half holds none that is whole.
    """

    def __init__(self, host: Host, rng: np.random.Generator) -> None:
        self.host = host
        self.rng = rng
        self.size = host.golden.board.require_contractor()
        self.features = [0, 0]
        self.device = host.golden.engines[EngineKind.CONTRACTOR]
        # A sample behind one that finds the program corrupt may still be run, or be refused.
        host.counts_cycles &= not self.size.signature

    def run(self) -> None:
        """Send a sample for the model that was active when the device was last asked."""
        features = self.features[self.device._half]
        if self.device._both:
            features = max(self.features)
        self.host.run(self.host.rng.randbytes(features or 1))

    def draw(self) -> RandomProgram:
        """Draw a program for a half; some have a word too much."""
        one = half_size(self.size)
        if self.rng.random() < 0.3:
            # One that fills the half, or has a word too much.
            return exact_program(self.rng, one, one.model_words + int(self.rng.integers(2)))
        # Most programs have no more outputs than two of them may have together.
        most = BOTH_OUTPUTS if self.rng.random() < 0.8 else MAX_OUTPUTS
        while True:
            program = short_program(self.rng, one)
            words = program_words(program.nodes, one.lanes)
            if words <= one.model_words and program.nodes[-1].outputs <= most:
                return program

    def draw_with(self, outputs: int) -> RandomProgram:
        """Draw a program that fits a half and has so many scores."""
        one = half_size(self.size)
        while True:
            program = random_program(self.rng, one, 8, outputs=(1, 2, outputs))
            words = program_words(program.nodes, one.lanes)
            if words <= one.model_words and program.nodes[-1].outputs == outputs:
                return program

    async def pair(self, outputs: tuple[int, int]) -> None:
        """Let both halves contract samples, with programs of so many scores, in either order."""
        for half in range(2):
            self.write(half, self.draw_with(outputs[half]))
        for first in (0, 1, 1):
            for half in range(2):
                self.activate(half, 0, sure=True)
            self.activate(first, BOTH, sure=True)
            await self.host.check()
            for _ in range(5):
                self.run()
            self.host.send(PacketType.STATUS)
            await self.host.check()

    def write(self, half: int, program: RandomProgram | None = None) -> None:
        """Write a program to a half, and run samples between its parts."""
        one = half_size(self.size)
        program = program or self.draw()
        image = program.image(one.lanes)
        if one.signature:
            image += signature_word(image, one.lanes)
        step = MAX_PAYLOAD - packets.MEMORY.size
        self.features[half] = 0
        table = program.table_bytes()
        for space, data, begin in (
            (MemorySpace.PROGRAM, image[: one.space_bytes(MemorySpace.PROGRAM)], 0),
            # Any table will do, and the rest of the one before saves time.
            (MemorySpace.TABLE, table, int(self.rng.integers(len(table) - step))),
        ):
            base = half_base(self.size, space, half)
            for first in range(begin, len(data), step):
                where = pack_memory(space, base + first)
                self.host.send(PacketType.WRITE, where + data[first : first + step])
                if self.rng.random() < 0.3:
                    self.run()
                if begin:
                    break
        self.features[half] = program.features

    def write_back(self) -> None:
        """Write a few bytes as they are, at the border of the halves or anywhere."""
        space = MemorySpace(int(self.rng.integers(2)))
        border = half_base(self.size, space, 1)
        length = int(self.rng.integers(1, 5))
        first = int(self.rng.integers(2 * border - length))
        if self.rng.random() < 0.5:
            first = border - int(self.rng.integers(length + 1))
        held = bytes(self.host.golden.memories[space][first : first + length])
        self.host.send(PacketType.WRITE, pack_memory(space, first) + held)

    async def corrupt(self) -> None:
        """Change a bit of a word that the program begins with, or of its feature table's rows."""
        half = int(self.rng.integers(2))
        space = MemorySpace(int(self.rng.integers(2)))
        place = half_base(self.size, space, half) + int(self.rng.integers(8))
        byte = self.host.golden.memories[space][place]
        wrong = byte
        if space is MemorySpace.PROGRAM:
            wrong ^= 1 << int(self.rng.integers(8))
        elif self.size.table_parity:
            place += self.size.space_bytes(space)  # the same byte with the wrong parity
        features = self.features[half]
        if not features or not self.size.signature:
            return
        self.host.send(PacketType.WRITE, pack_memory(space, place) + bytes([wrong]))
        self.activate(half, 0)
        if self.rng.random() < 0.5:
            self.activate(int(self.rng.integers(2)), BOTH)
        await self.host.check()
        for _ in range(2):
            self.run()
        self.host.send(PacketType.STATUS)
        await self.host.check()
        if self.rng.random() < 0.5:
            self.activate(half, SWAP)  # it is not whole any more
            self.run()
        place = half_base(self.size, space, half) + place % half_base(self.size, space, 1)
        self.host.send(PacketType.WRITE, pack_memory(space, place) + bytes([byte]))

    def activate(self, half: int, flags: int, sure: bool = False) -> None:
        """Activate what a half holds, with any digest."""
        # Two programs are told as many features as the one that has more.
        features = max(self.features) if flags == BOTH else self.features[half]
        if not sure and self.rng.random() < 0.05:
            features = 0  # which no model has
        told = features | flags | half * SECOND | self.size.signature * packets.SIGNED
        digest = self.host.rng.getrandbits(32)
        self.host.send(PacketType.ACTIVATE, packets.ACTIVATE.pack(told, digest))

    async def step(self) -> None:
        """Do one thing or another."""
        half = int(self.rng.integers(2))
        choice = self.rng.random()
        if choice < 0.25:
            self.write(1 - self.device._half if self.rng.random() < 0.8 else half)
        elif choice < 0.3:
            self.write_back()
        elif choice < 0.4:
            await self.corrupt()
        elif choice < 0.8:
            flags = int(self.rng.choice([0, STANDBY, SWAP, SWAP, BOTH, BOTH]))
            # Without SWAP a half that holds nothing would be run.
            if not self.features[half] and flags != BOTH:
                flags = SWAP
            self.activate(half, flags)
        await self.host.check()
        for _ in range(int(self.rng.integers(4))):
            self.run()
        self.host.send(PacketType.STATUS)
        await self.host.check()


@cocotb.test()
async def equals_golden_device(dut):
    parameters = bench_parameters()
    host = Host(dut, random.Random(parameters["seed"]))
    two = TwoPrograms(host, np.random.default_rng(parameters["seed"]))
    await host.bench.reset()
    host.send(PacketType.HELLO)
    two.activate(1, SWAP)  # there is nothing yet
    await host.check()
    for half in range(2):
        table = two.rng.bytes(half_base(two.size, MemorySpace.TABLE, 1))
        host.write(MemorySpace.TABLE, table, half * len(table))
        two.write(half)
        two.activate(half, half * STANDBY)
        await host.check()
        await two.step()
    for outputs in PAIRS:
        pairs = two.device.status(0)["samples"]
        await two.pair(outputs)
        # All samples of a pair have scores, but none has if one program has too many.
        pairs = two.device.status(0)["samples"] - pairs
        assert (pairs >= 15) == (max(outputs) <= BOTH_OUTPUTS)
    for _ in range(parameters["steps"]):
        await two.step()
    # Most samples were run, and not refused.
    assert two.device.status(0)["samples"] > parameters["steps"] / 2
