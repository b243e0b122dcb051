"""Parts of the pipeline: products, trees of adders, delays, and the narrowing of sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.spatial.arithmetic import SHIFT_BITS
from tensorspin.contract.spatial.latency import LEVELS_A_CYCLE, MULTIPLY

from ..primitives import Family
from ..primitives.ecp5_multiplier import REGISTERS, RegisteredMultiplier

Item = TypeVar("Item")


def product(m: Module, family: Family, left: Value, right: Value) -> Value:
    """Multiply two signed numbers in a hardware multiplier.

    Parameters
    ----------
    m : Module
        The multiplier is added to it.
    family : Family
        With ``ECP5`` it is a cell; elsewhere synthesis finds one.
    left, right : Value
        Signed numbers.

    Returns
    -------
    Value
        Their product, `MULTIPLY` cycles later.
    """
    width = len(left) + len(right)
    if family is Family.ECP5:
        assert REGISTERS == MULTIPLY
        m.submodules += (cell := RegisteredMultiplier(len(left), len(right)))
        m.d.comb += [cell.left.eq(left), cell.right.eq(right)]
        return cell.product
    factors = Signal(signed(len(left))), Signal(signed(len(right)))
    result = Signal(signed(width))
    m.d.sync += [factors[0].eq(left), factors[1].eq(right), result.eq(factors[0] * factors[1])]
    return result


def delayed(m: Module, value: Value, cycles: int) -> Value:
    """Delay a value by some cycles."""
    for _ in range(cycles):
        register = Signal(value.shape())
        m.d.sync += register.eq(value)
        value = register
    return value


def joined(
    items: Sequence[Item],
    join: Callable[[Item, Item], Item],
    register: Callable[[Item], Item],
    cycles: int,
) -> Item:
    """Join items in pairs until one is left, with registers behind every `LEVELS_A_CYCLE` levels.

    Parameters
    ----------
    items : sequence
        What is joined; at least one.
    join : callable
        Makes one item of two neighbours.
    register : callable
        Gives an item one cycle later.
    cycles : int
        Registers on the way; there are more levels of them at the end if the tree needs fewer.

    Returns
    -------
    object
        The last item, registered if `cycles` is above 0.
    """
    items = list(items)
    for _ in range(cycles):
        for _ in range(LEVELS_A_CYCLE):
            pairs = zip(items[::2], items[1::2])
            items = [join(*pair) for pair in pairs] + items[len(items) // 2 * 2 :]
        items = [register(item) for item in items]
    (last,) = items
    return last


class Narrow(wiring.Component):
    """Narrows a sum as `tensorspin.contract.spatial.arithmetic.narrow` does.

    Parameters
    ----------
    width : int
        Bits of the sum.
    least : int
        Shift if the loaded shift is 0.
    bits : int
        Bits of the result.

    Ports
    -----
    value : In(signed(width))
        The sum.
    shift : In(SHIFT_BITS)
        What is added to the least shift.
    result : Out(signed(bits))
        The narrowed sum; odd.

    Latency: 0, combinational.
    """

    def __init__(self, width: int, least: int, bits: int) -> None:
        self._least = least
        super().__init__(
            {
                "value": In(signed(width)),
                "shift": In(SHIFT_BITS),
                "result": Out(signed(bits)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        bits = len(self.result)
        shifted = Signal(signed(max(len(self.value) - self._least, bits)))
        m.d.comb += shifted.eq((self.value >> self._least) >> self.shift)
        # The value fits if all bits from the result's sign bit on are equal.
        top = shifted[bits - 1 :]
        fits = top.all() | ~top.any()
        sign = shifted[-1]
        limit = Cat((~sign).replicate(bits - 2), sign)
        m.d.comb += self.result.eq(Cat(1, Mux(fits, shifted[1:bits], limit)))
        return m
