"""Memory of the couplings with several flips a turn: a bank for each segment of spins.

In a cycle each bank gives the row of a spin that flips, or none. Their sum, with the sign of each
flip, is what the local fields change by, in halves.
"""

from __future__ import annotations

import functools
import operator

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import row_bytes
from tensorspin.contract.annealer.segments import bank_rows, bank_stride, memory_rows
from tensorspin.contract.annealer.size import AnnealerSize

from ...primitives import Family
from ...primitives.copies import copy
from ..common.delay import delay, delay_fields, named_fields
from ..common.interface import index_bits, row_bits
from .couplings import PART_BYTES, READ, check_ports, sum_parts


class CouplingBanks(wiring.Component):
    """Holds the rows of couplings of each segment in a bank, and adds up one row of each.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer, with two flips or more.
    latency : int
        Cycles from the indices to the sum, `tensorspin_gateware.annealer.parallel.couplings.READ`
        or more. Cycles beyond that are spent on the indices, which are far narrower than rows.
    family : Family
        FPGA family; on ECP5 the parts' registers are kept apart.

    Ports
    -----
    index : In(flips x index_bits(size))
        Number of a row in each bank; that after the bank's last one, which nobody writes, is zero.
    subtract : In(flips)
        One cycle after `index`, for each bank: whether the row is subtracted instead of added.
    row : Out(spins x signed(row_bits(size)))
        Sum of these rows, `latency` cycles after `index`.
    write_index, write_byte, write_data, write_enable : In
        Writes a byte: the row's number in the memory of all banks, the byte's place in the row, its
        value, and a strobe. The byte is in the memory two cycles later.
    clear : In(1)
        Sets all bytes of row `write_index` to zero instead.

    checking, line, folded
        Only with `AnnealerSize.signature`: row `line` of all banks is read, see `check_ports`.

    Resources: in each bank block RAM as wide as a row, and behind it two registers a spin and bank
    and `row_bits` for the sum. With couplings of two bits the signs and the sum take five LUTs a
    spin for two banks, 15 for four.
    """

    def __init__(self, size: AnnealerSize, latency: int, family: Family) -> None:
        self._size = size
        self._spare = latency - READ
        self._family = family
        super().__init__(
            {
                "index": In(size.flips * index_bits(size)),
                "subtract": In(size.flips),
                "row": Out(data.ArrayLayout(signed(row_bits(size)), size.spins)),
                "write_index": In(range(memory_rows(size))),
                "write_byte": In(range(row_bytes(size))),
                "write_data": In(8),
                "write_enable": In(1),
                "clear": In(1),
            }
            | check_ports(size, range(bank_rows(size) + 1))
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size, length = self._size, row_bytes(self._size)
        index = delay(m, self.index, self._spare)
        subtract = delay(m, self.subtract, self._spare)
        if size.signature:
            index = Mux(self.checking, self.line.replicate(size.flips), index)
        value = self.write_data & ~self.clear.replicate(len(self.write_data))
        within = ceil_log2(bank_stride(size))  # bits of a row's number in its bank
        write = delay_fields(m, 1, index=self.write_index[:within], value=value)
        banks: list[list[Value]] = [[] for _ in range(size.flips)]
        sign = []  # of each part, beside it
        for number, first in enumerate(range(0, length, PART_BYTES)):
            count = min(PART_BYTES, length - first)
            # See `Couplings`: registers of its own for each part.
            which = named_fields(
                lambda value: copy(m, value, self._family),
                clear=self.clear,
                enable=self.write_enable,
                byte=self.write_byte,
                bank=self.write_index[within:],
            )
            copied = data.View(write.shape(), copy(m, write, self._family))
            sign.append(copy(m, subtract, self._family))
            for bank in range(size.flips):
                m.submodules[f"part_{number}_{bank}"] = part = memory.Memory(
                    shape=8 * count, depth=bank_rows(size) + 1, init=[]
                )
                read, port = part.read_port(), part.write_port(granularity=8)
                chosen = Signal(count, name=f"chosen_{first}_{bank}", reset_less=True)
                bytes_ = (which.enable & (which.byte == first + n) for n in range(count))
                here = which.bank == bank
                m.d.sync += chosen.eq(Cat((byte | which.clear) & here for byte in bytes_))
                place = index.word_select(bank, index_bits(size))
                m.d.comb += [
                    read.addr.eq(copy(m, place, self._family)),
                    port.addr.eq(copied.index),
                    port.data.eq(copied.value.replicate(count)),
                    port.en.eq(chosen),
                ]
                banks[bank].append(read.data)
        self._add(m, [Cat(parts) for parts in banks], sign)
        if size.signature:
            beside = [functools.reduce(operator.xor, parts) for parts in zip(*banks)]
            m.d.comb += self.folded.eq(sum_parts(m, beside))
        return m

    def _add(self, m: Module, banks: list[Value], sign: list[Signal]) -> None:
        """Give each bank's row its sign, and add the rows up, one cycle for each."""
        width = self._size.coupling_bits
        shape = data.ArrayLayout(signed(width), self._size.spins)
        terms = [Signal(shape, name=f"term_{bank}", reset_less=True) for bank in range(len(banks))]
        sums = Signal(self.row.shape(), reset_less=True)
        for spin in range(self._size.spins):
            near = sign[spin * width // (8 * PART_BYTES)]
            for bank, term in enumerate(terms):
                coupling = banks[bank][spin * width : (spin + 1) * width]
                m.d.sync += term[spin].eq(_with_sign(coupling, near[bank]))
            m.d.sync += sums[spin].eq(_sum([term[spin] for term in terms]))
        m.d.comb += self.row.eq(sums)


def _with_sign(coupling: Value, subtract: Value) -> Value:
    """Give a coupling, or its negative."""
    if len(coupling) == 2:
        # -1, 0 and 1 alone, of which the lower bit tells whether it is 0.
        return Cat(coupling[0], (coupling[1] ^ subtract) & coupling[0])
    return Mux(subtract, -coupling.as_signed(), coupling.as_signed())


def _sum(terms: list[Value]) -> Value:
    """Add signed numbers of a few bits, two by two.

    Written in logic, since a carry chain for so few bits would take more of an ECP5's cells.
    """
    while len(terms) > 1:
        pairs = [_sum_of_two(a, b) for a, b in zip(terms[::2], terms[1::2])]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0].as_signed()


def _sum_of_two(a: Value, b: Value) -> Value:
    width = max(len(a), len(b)) + 1
    a, b = (Cat(term, term[-1].replicate(width - len(term))) for term in (a, b))
    bits, carry = [], None
    for one, other in zip(a, b):
        half = one ^ other
        bits.append(half if carry is None else half ^ carry)
        carry = one & other if carry is None else (one & other) | (half & carry)
    return Cat(bits)
