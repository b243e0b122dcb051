"""Products with two bits of a weight, in the look-up tables of a carry chain, for all numbers."""

from __future__ import annotations

import itertools

import pytest

from tensorspin_gateware.spatial import digits

BITS = 5


def chain_of_numbers(m, first, places) -> int:
    """Compute what a carry chain does, by the definition of `Place`; the sums as one number."""
    carry, sums = first, 0
    for position, place in enumerate(places):
        inputs = place.a, place.b, place.c, place.d
        propagates = place.init >> sum(bit << n for n, bit in enumerate(inputs)) & 1
        generates = place.init >> (place.a | place.b << 1) & 1
        sums |= (propagates ^ carry) << position
        carry = carry if propagates else generates
    return sums


@pytest.mark.parametrize("negative", [False, True])
def test_pairs(monkeypatch, negative):
    monkeypatch.setattr(digits, "carry_chain", chain_of_numbers)
    for value, low, high in itertools.product(
        range(-(1 << BITS - 1), 1 << BITS - 1), (0, 1), (0, 1)
    ):
        bits = tuple(value >> bit & 1 for bit in range(BITS))
        found = digits._pair(None, bits, low, high, negative)
        # The negative digit, two bits with a sign, counts the other way round.
        expected = 2 * high * value - low * value if negative else 2 * high * value + low * value
        assert found == expected % (1 << BITS + 2), (value, low, high)
