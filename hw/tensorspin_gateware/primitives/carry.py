"""The ECP5's carry cell, CCU2C, with the look-up tables that it has in front of the carry."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amaranth import C, Cat, Const, Instance, Module, Signal, Value
from amaranth.hdl import ValueLike


@dataclass(frozen=True)
class Place:
    """One place of a carry chain: half a CCU2C, which contains a look-up table of four inputs.

    With ``p = table(a, b, c, d)`` and ``g = table(a, b, 0, 0)``, the sum is ``p ^ carry``, and the
    next carry is ``carry if p else g``.

    Parameters
    ----------
    table : callable
        A function of four bits (ints 0 or 1) that gives a bit: what the look-up table holds.
    a, b, c, d : value-castable
        Inputs of the table, one bit each. Constants need no wires.
    """

    table: Callable[[int, int, int, int], int]
    a: ValueLike = 0
    b: ValueLike = 0
    c: ValueLike = 0
    d: ValueLike = 1

    @property
    def init(self) -> int:
        """Content of the look-up table, as the cell's parameter INIT: bit n for ``n = dcba``."""
        entries = itertools.product((0, 1), repeat=4)
        return sum(int(self.table(a, b, c, d)) << n for n, (d, c, b, a) in enumerate(entries))


MAP = Path(__file__).with_suffix(".v")
"""File with Verilog of the cell that `carry_chain` instantiates, for Yosys and for simulation. The
cell is two places of a chain, which make one CCU2C; its parameters FIRST and LAST mark the ends of
a chain.

The first pair of a chain ignores its carry in, and nothing uses the carry out of the last pair.
Yosys would connect both, and nextpnr would then take two more cells for each chain. Therefore
synthesis sees a black box, which is mapped to a CCU2C afterwards. With LOOSE_ENDS defined, as for
nextpnr, both ends are left undefined; simulators do not accept that.

The file is a part of each design and of its digest, comments included: another word in it makes all
bitstreams on record look outdated."""

MAP_FILE = "carry.map"
"""Name of that file in a build. It does not end with ``.v``, because Amaranth has Yosys read all
files that do, and this one must be read at the right time."""

BEFORE_SYNTHESIS = f"read_verilog -lib {MAP_FILE}"
AFTER_SYNTHESIS = f"techmap -D LOOSE_ENDS -map {MAP_FILE}"
"""Yosys' commands before synthesis, which make the cell a black box, and after it, which replace
the black box by a CCU2C."""


def carry_chain(m: Module, first: ValueLike, places: list[Place]) -> Value:
    """Build a carry chain in which nothing is outside of the chain's own cells.

    For an addition with an inversion in front of it, a multiplexer behind it, and the like, Yosys
    takes look-up tables beside those of the chain, and a cell for the first carry of a difference.
    Here all of that goes into the tables that the chain has anyway.

    Parameters
    ----------
    m : Module
        The cells are added to it.
    first : value-castable
        The first carry, which takes a place of its own.
    places : list of Place
        Places of the chain, the lowest first.

    Returns
    -------
    Value
        The sums, one bit a place, the lowest first. Two places take one CCU2C.
    """
    count = len(places)
    # This table gives p = 0 in any case, so that the next carry is g, which is `first`.
    places = [Place(lambda a, b, c, d: 0 if c else a, first, c=1), *places]
    # A CCU2C has two places; the second one of the last may be unused.
    if len(places) % 2:
        places.append(Place(lambda a, b, c, d: 0))
    sums: list[Signal] = []
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
