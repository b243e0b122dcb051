"""Numbers times weights, summed: the multiplications by what is loaded, not by data."""

from __future__ import annotations

from dataclasses import replace

from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.spatial.latency import MULTIPLY, weighted_sum_cycles

from ..primitives import Family
from .arithmetic import joined, product
from .digits import Item, digits


class WeightedSum(wiring.Component):
    """Multiplies numbers by weights and adds the products up, one sum a cycle.

    The weights are in registers, which form a chain: with `shift`, each takes the weight of the
    next one, and the last takes `weight`. So a weight that is shifted in is that of the first
    number after as many further shifts as there are other numbers.

    Parameters
    ----------
    terms : int
        Numbers that are multiplied.
    value_bits, weight_bits : int
        Widths of numbers and weights.
    total_bits : int
        Width of the sum.
    family : Family
        Whose cells the sum is made of.
    in_multipliers : bool
        Whether each product has a hardware multiplier. Otherwise look-up tables multiply by two
        bits of a weight at a time, in the adders that the sum begins with.

    Ports
    -----
    values : In(terms * value_bits)
        The numbers, the first in the lowest bits.
    weight : In(weight_bits), shift : In(1)
        The chain's input; see above.
    next_weight : Out(weight_bits), next_shift : Out(1)
        The chain goes on with these, one cycle later.
    total : Out(signed(total_bits))
        The sum.

    Latency: `weighted_sum_cycles`. Resources without multipliers, on ECP5: about 190 look-up
    tables a term for numbers of 14 and weights of 8 bits.
    """

    def __init__(
        self,
        terms: int,
        value_bits: int,
        weight_bits: int,
        total_bits: int,
        family: Family,
        in_multipliers: bool,
    ) -> None:
        self._terms = terms
        self._value_bits = value_bits
        self._family = family
        self._in_multipliers = in_multipliers
        super().__init__(
            {
                "values": In(terms * value_bits),
                "weight": In(weight_bits),
                "shift": In(1),
                "next_weight": Out(weight_bits),
                "next_shift": Out(1),
                "total": Out(signed(total_bits)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        weight_bits = len(self.weight)
        weights = [
            Signal(signed(weight_bits), name=f"weight_{term}") for term in range(self._terms)
        ]
        with m.If(self.shift):
            m.d.sync += [
                weight.eq(after)
                for weight, after in zip(weights, [*weights[1:], self.weight], strict=True)
            ]
        m.d.sync += [self.next_weight.eq(weights[0]), self.next_shift.eq(self.shift)]
        values = [
            self.values.word_select(term, self._value_bits).as_signed()
            for term in range(self._terms)
        ]
        cycles = weighted_sum_cycles(self._terms, weight_bits)
        if self._in_multipliers:
            items = [
                Item(product(m, self._family, value, weight))
                for value, weight in zip(values, weights)
            ]
            cycles -= MULTIPLY
        else:
            items = [
                term
                for value, weight in zip(values, weights)
                for term in digits(m, self._family, value, weight)
            ]
            cycles -= 1

        def register(item: Item) -> Item:
            # No partial sum is wider than the whole.
            later = Signal(signed(min(len(item.value), len(self.total))))
            m.d.sync += later.eq(item.value)
            return replace(item, value=later)

        total = joined(items, Item.joined, register, cycles)
        m.d.comb += self.total.eq(total.value << total.place)
        return m
