"""Primitives, as built for each family, equal NumPy and each other."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import LONG
from tensorspin.contract.fixed import ACCUMULATOR, MANTISSA, SQ, WEIGHT
from tensorspin_gateware.primitives import Family, carry
from tensorspin_gateware.primitives.accumulate import Accumulate, Operation
from tensorspin_gateware.primitives.comparison import Comparison
from tensorspin_gateware.primitives.copies import copy
from tensorspin_gateware.primitives.multiplier import Multiplier
from tensorspin_gateware.primitives.multiply_accumulate import MultiplyAccumulate
from tensorspin_gateware.primitives.program_memory import SPRAM_WORDS, ProgramMemory
from tensorspin_gateware.primitives.rounding import RoundSaturate
from tests.gateware.bench import ecp5_cells, run_bench, vendor_cell
from tests.support.synthesis import ECP5_CELLS

LANES = 4
STEP_BITS = 5
COMPARISONS = [(2, 3), (3, 5), (2, 5), (2, 7)]
"""Widths of the threshold and of the value. The value has 1, 2, 3 and 5 bits that the threshold
does not have: a place of the carry chain takes up to three of them."""

ROUNDINGS = [(13, 5, SQ(1, 7)), (12, 1, SQ(4, 0)), (10, 6, SQ(8, 0))]


class AllPrimitives(wiring.Component):
    """All primitives of all families side by side, so that one simulation is enough."""

    def __init__(self):
        ports = {"left": In(signed(MANTISSA.width)), "right": In(signed(MANTISSA.width))}
        for number, (width, _, to) in enumerate(ROUNDINGS):
            ports[f"value_{number}"] = In(signed(width))
            ports[f"result_{number}"] = Out(signed(to.width))
        ports |= {
            "address": In(range(SPRAM_WORDS)),
            "enable": In(1),
            "write": In(LANES),
            "write_data": In(8),
            "weight": In(signed(WEIGHT.width)),
            "accumulate": In(1),
            "clear": In(1),
            "operation": In(Operation),
            "total": In(signed(STEP_BITS)),
            "term": In(signed(STEP_BITS)),
            "threshold": In(max(threshold for threshold, _ in COMPARISONS)),
            "compared": In(signed(max(value for _, value in COMPARISONS))),
            "negate": In(1),
            "allow": In(2),
        }
        for family in Family:
            ports[f"product_{family.value}"] = Out(signed(2 * MANTISSA.width))
            ports[f"read_data_{family.value}"] = Out(8 * LANES)
            ports[f"total_{family.value}"] = Out(signed(ACCUMULATOR.width))
            ports[f"step_{family.value}"] = Out(signed(STEP_BITS))
            ports[f"copy_{family.value}"] = Out(signed(STEP_BITS))
            ports[f"below_{family.value}"] = Out(len(COMPARISONS))
        ports["product_staged"] = Out(signed(2 * MANTISSA.width))
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        for number, parameters in enumerate(ROUNDINGS):
            m.submodules[f"round_{number}"] = rounding = RoundSaturate(*parameters)
            m.d.comb += [
                rounding.value.eq(getattr(self, f"value_{number}")),
                getattr(self, f"result_{number}").eq(rounding.result),
            ]
        m.submodules += (tree := Multiplier(MANTISSA.width, Family.ICE40UP, LONG.multiply))
        m.d.comb += [
            tree.left.eq(self.left),
            tree.right.eq(self.right),
            self.product_staged.eq(tree.product),
        ]
        for family in Family:
            m.submodules += (multiplier := Multiplier(MANTISSA.width, family))
            m.submodules += (memory := ProgramMemory(SPRAM_WORDS, LANES, family))
            m.submodules += (accumulator := MultiplyAccumulate(family))
            m.submodules += (step := Accumulate(STEP_BITS, family))
            for number, (threshold_bits, value_bits) in enumerate(COMPARISONS):
                m.submodules += (comparison := Comparison(threshold_bits, value_bits, family))
                m.d.comb += [
                    comparison.threshold.eq(self.threshold),
                    comparison.value.eq(self.compared),
                    comparison.negate.eq(self.negate),
                    comparison.enable.eq(self.allow),
                    getattr(self, f"below_{family.value}")[number].eq(comparison.result),
                ]
            m.d.comb += [
                step.operation.eq(self.operation),
                step.total.eq(self.total),
                step.term.eq(self.term),
                getattr(self, f"step_{family.value}").eq(step.result),
                getattr(self, f"copy_{family.value}").eq(copy(m, self.term, family)),
                accumulator.left.eq(self.left),
                accumulator.right.eq(self.weight),
                accumulator.enable.eq(self.accumulate),
                accumulator.clear.eq(self.clear),
                getattr(self, f"total_{family.value}").eq(accumulator.total),
                memory.address.eq(self.address),
                memory.enable.eq(self.enable),
                memory.write.eq(self.write),
                memory.write_data.eq(self.write_data),
                getattr(self, f"read_data_{family.value}").eq(memory.read_data),
                multiplier.left.eq(self.left),
                multiplier.right.eq(self.right),
                getattr(self, f"product_{family.value}").eq(multiplier.product),
            ]
        return m


def test_primitives():
    run_bench(
        AllPrimitives(),
        "tests.gateware.primitives.bench_primitives",
        vendor_cells=vendor_cell("ice40", "SB_SPRAM256KA")
        + vendor_cell("ice40", "SB_MAC16")
        + ecp5_cells("LUT4", "LUT2", "CCU2C", "TRELLIS_FF")
        + carry.MAP.read_text()
        + ECP5_CELLS.read_text(),
        lanes=LANES,
        roundings=[(width, shift, asdict(to)) for width, shift, to in ROUNDINGS],
        factor_width=MANTISSA.width,
        step_bits=STEP_BITS,
        comparisons=COMPARISONS,
        families=[family.value for family in Family],
    )


@pytest.mark.parametrize(("words", "lanes"), [(8192, 8), (16384, 9)])
def test_spram_refuses_other_sizes(words, lanes):
    with pytest.raises(ValueError, match=f"not {words} of {lanes}"):
        ProgramMemory(words, lanes, Family.ICE40UP)


@pytest.mark.parametrize("shift", [0, 8])
def test_rounding_refuses_shifts(shift):
    with pytest.raises(ValueError, match=f"a shift of {shift} is outside 1..7"):
        RoundSaturate(8, shift, SQ(4, 0))
