"""The ECP5's carry cell, CCU2C, with what its look-up tables can do in front of the carry."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amaranth import C, Cat, Const, Instance, Module, Signal, Value
from amaranth.hdl import ValueLike


@dataclass(frozen=True)
class Place:
    """One place of a carry chain, half a CCU2C, which takes a look-up table of four inputs.

    With ``p = table(a, b, c, d)`` and ``g = table(a, b, 0, 0)``, the sum is ``p ^ carry``, and the
    next carry is ``carry if p else g``.

    Attributes
    ----------
    table : callable
        Of four bits (0 or 1).
    a, b, c, d : value-castable
        One bit each. Constants cost nothing.
    """

    table: Callable[[int, int, int, int], int]
    a: ValueLike = 0
    b: ValueLike = 0
    c: ValueLike = 0
    d: ValueLike = 1

    @property
    def init(self) -> int:
        """Content of the look-up table."""
        entries = itertools.product((0, 1), repeat=4)
        return sum(int(self.table(a, b, c, d)) << n for n, (d, c, b, a) in enumerate(entries))


MAP = Path(__file__).with_suffix(".v")
"""Verilog of the cell that `carry_chain` instantiates, for Yosys and for simulation."""

MAP_FILE = "carry.map"
"""Its name in a build; not ``.v``, as Amaranth has all of these read."""

BEFORE_SYNTHESIS = f"read_verilog -lib {MAP_FILE}"
AFTER_SYNTHESIS = f"techmap -D LOOSE_ENDS -map {MAP_FILE}"
"""Yosys' commands."""


def carry_chain(m: Module, first: ValueLike, places: list[Place]) -> Value:
    """Sums of a chain, lowest place first.

    Yosys puts an inversion in front of a sum, a multiplexer behind it, and the like into look-up
    tables of their own, and makes the first carry of a difference in a cell of its own. Here all
    that goes into the chain's own tables.

    Parameters
    ----------
    m : Module
        The cells are added to it.
    first : value-castable
        The first carry, which takes a place of its own.
    places : list of Place

    Returns
    -------
    Value, ``len(places)`` bits
    """
    count = len(places)
    # In any case the table gives 0, so that the next carry is `first`.
    places = [Place(lambda a, b, c, d: 0 if c else a, first, c=1), *places]
    if len(places) % 2:
        places.append(Place(lambda a, b, c, d: 0))
    sums = []
    carry: Value = C(0, 1)
    for low, high in zip(places[::2], places[1::2]):
        outputs = [Signal(name="sum_low"), Signal(name="sum_high"), Signal(name="carry")]
        pins = {"i_CIN": carry, "o_S0": outputs[0], "o_S1": outputs[1], "o_COUT": outputs[2]}
        for half, place in enumerate((low, high)):
            pins |= {
                f"p_INIT{half}": Const(place.init, 16),
                f"i_A{half}": place.a,
                f"i_B{half}": place.b,
                f"i_C{half}": place.c,
                f"i_D{half}": place.d,
            }
        pins |= {
            "p_FIRST": Const(len(sums) == 0, 1),
            "p_LAST": Const(len(sums) + 2 == len(places), 1),
        }
        m.submodules += Instance("CARRY_PAIR", **pins)
        sums += outputs[:2]
        carry = outputs[2]
    return Cat(sums[1 : count + 1])
