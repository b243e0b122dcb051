# amaranth: UnusedElaboratable=no

"""The CRC matches if, and only if, the last four bytes are the CRC-32 of all before them."""

import pytest
from amaranth.hdl import Assert, Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import crc, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In

from tensorspin.contract.wire.frames import CRC
from tests.support.selection import slow_after

from ..support.proof import Model

POLYNOMIAL = 0xEDB88320
"""Polynomial of CRC-32 (IEEE 802.3), highest power in the lowest bit."""

ONES = 0xFFFFFFFF
"""The register's first value, with which it also is inverted at the end."""


def step(register, byte):
    """Compute the register after one more byte, bit by bit."""
    value = register ^ byte
    for _ in range(8):
        value = Cat(value[1:], 0) ^ Mux(value[0], POLYNOMIAL, 0)
    return value


def step_zeros(value: int) -> int:
    """Compute a register, a constant, after a byte of zeros."""
    for _ in range(8):
        value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
    return value


class Harness(wiring.Component):
    """The CRC with any bytes and any pauses, and a reset at any time."""

    data: In(8)
    valid: In(1)
    begin: In(1)

    def __init__(self, algorithm: crc.Algorithm, inductive: bool) -> None:
        self._dut = algorithm(data_width=8).create()
        self._inductive = inductive
        super().__init__()

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.dut = ResetInserter(self.begin)(dut := self._dut)
        # `registers[n]` is the register before the newest n bytes; `newest` holds these bytes.
        registers = [Signal(32, init=ONES, name=f"register_{n}") for n in range(CRC.size + 1)]
        newest = [Signal(8, name=f"newest_{n}") for n in range(CRC.size)]
        count = Signal(range(CRC.size + 1))
        stepped = Signal(32)
        m.d.comb += [
            dut.data.eq(self.data),
            dut.valid.eq(self.valid),
            stepped.eq(step(registers[0], self.data)),
        ]
        with m.If(self.valid):
            m.d.sync += [
                registers[0].eq(stepped),
                *(after.eq(before) for before, after in zip(registers, registers[1:])),
                *(after.eq(before) for before, after in zip([self.data, *newest], newest)),
                count.eq(Mux(count == CRC.size, count, count + 1)),
            ]
        with m.If(self.begin):
            m.d.sync += [count.eq(0), registers[0].eq(ONES)]
        matches = Cat(reversed(newest)) == ~registers[-1]
        m.d.comb += Assert(dut.crc == ~registers[0])
        with m.If(count == CRC.size):
            m.d.comb += Assert(dut.match_detected == matches)
        if self._inductive:
            m.d.comb += [Assert(each) for each in self._invariants(registers, newest, count)]
        return m

    def _invariants(self, registers, newest, count) -> list:
        """List what holds in all states that occur.

        A register is a linear function of what it was n bytes ago, xored with these bytes, for n up
        to four. So whether it ends with the residue, by which a match is recognised, is decided by
        one value of that sum for each n.
        """
        target = ONES  # a register and its inversion
        sums, invariants = [], []
        for age in reversed(range(CRC.size + 1)):
            sums.insert(0, (registers[age] ^ Cat(reversed(newest[:age]))) == target)
            target = step_zeros(target)
        for age, byte in enumerate(newest):
            absent = count <= age
            invariants += [
                absent | (registers[age] == step(registers[age + 1], byte)),
                absent | (sums[age] == sums[age + 1]),
            ]
        return invariants


MUTANTS = {
    "other polynomial": {"polynomial": CRC32_ISO_HDLC.polynomial ^ 1 << 16},
    "other beginning": {"initial_crc": 0},
    "not inverted": {"xor_output": 0},
    "bits swapped": {"reflect_input": False},
}


@pytest.mark.long
def test_matches_what_is_right(tmp_path):
    assert Model(Harness(CRC32_ISO_HDLC, inductive=True), tmp_path).is_proved(cycles=2)


@pytest.mark.parametrize("name", slow_after(2, MUTANTS))
def test_other_crc_is_refuted(name, tmp_path):
    parameters = {
        field: getattr(CRC32_ISO_HDLC, field)
        for field in (
            *("crc_width", "polynomial", "initial_crc"),
            *("reflect_input", "reflect_output", "xor_output"),
        )
    }
    algorithm = crc.Algorithm(**{**parameters, **MUTANTS[name]})
    assert not Model(Harness(algorithm, inductive=False), tmp_path).holds(cycles=8)
