"""Multiplication by look-up tables, two bits of one factor at a time."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth import Cat, Module, Mux, Signal, Value, signed

from tensorspin.contract.spatial.latency import MULTIPLY

from ..primitives import Family
from ..primitives.carry import Place, carry_chain


@dataclass(frozen=True)
class Item:
    """A part of the sum: ``value * 2**place``, which counts negatively or not."""

    value: Value
    place: int = 0
    negative: bool = False

    def joined(self, other: Item) -> Item:
        """Add another item. Of two items at most one is negative, and its place is not the lower.

        So the bits below the higher place are those of the lower item, and take no adder.
        """
        low, high = sorted((self, other), key=lambda item: (item.place, item.negative))
        assert not low.negative
        distance = high.place - low.place
        upper = low.value[distance:].as_signed()
        upper = upper - high.value if high.negative else upper + high.value
        if distance == 0:
            return Item(upper, low.place)
        return Item(Cat(low.value[:distance], upper).as_signed(), low.place)


def digits(m: Module, family: Family, value: Value, weight: Value) -> list[Item]:
    """Multiply by two bits of a weight at a time.

    Parameters
    ----------
    m : Module
        The digits' registers are added to it.
    family : Family
        With ``ECP5`` each digit is one carry chain.
    value, weight : Value
        Signed factors; the weight has 3 bits or more.

    Returns
    -------
    list of Item
        The products, one cycle later. Only the last is negative, which has the weight's sign: a
        weight has two digits at least, so that no two negative ones are neighbours in a sequence
        of several weights.
    """
    found: list[Item] = []
    bits = len(weight)
    for low in range(0, bits, 2):
        negative = low + 2 >= bits
        digit = Signal(signed(len(value) + 2), name=f"digit_{low}")
        if low + 1 == bits:
            m.d.sync += digit.eq(Mux(weight[low], value, 0))
        elif family is Family.ECP5:
            m.d.sync += digit.eq(_pair(m, value, weight[low], weight[low + 1], negative))
        else:
            once = Mux(weight[low], value, 0)
            twice = Mux(weight[low + 1], value << 1, 0)
            m.d.sync += digit.eq(twice - once if negative else twice + once)
        found.append(Item(digit, low, negative))
    return found


def lut_product(m: Module, family: Family, left: Value, right: Value) -> Value:
    """Multiply two signed numbers in look-up tables, in the time of a hardware multiplier.

    Parameters
    ----------
    m : Module
        Digits and adders are added to it.
    family : Family
        As for `digits`.
    left, right : Value
        Signed numbers, of 3 bits or more.

    Returns
    -------
    Value
        Their product, `MULTIPLY` cycles later.
    """
    assert MULTIPLY == 2
    items = digits(m, family, left, right)
    while len(items) > 1:
        pairs = zip(items[::2], items[1::2])
        items = [one.joined(other) for one, other in pairs] + items[len(items) // 2 * 2 :]
    product = Signal(signed(len(left) + len(right)))
    m.d.sync += product.eq(items[0].value << items[0].place)
    return product


def _pair(m: Module, value: Value, low: Value, high: Value, negative: bool) -> Value:
    """Compute ``2 * high * value + low * value``, or the difference of both, in one carry chain."""
    width = len(value) + 2
    once = [value[min(bit, len(value) - 1)] for bit in range(width)]
    twice = [0, *once[:-1]]
    places = [
        Place(
            (lambda a, b, c, d: (1 - (a & b)) ^ (c & d))
            if negative
            else (lambda a, b, c, d: (a & b) ^ (c & d)),
            once[bit],
            low,
            twice[bit],
            high,
        )
        for bit in range(width)
    ]
    # -once is its inverse plus one
    return carry_chain(m, int(negative), places)
