"""Delay lines, and registers whose bits have names."""

from __future__ import annotations

from collections.abc import Callable

from amaranth import Cat, Module, Signal, Value, ValueLike
from amaranth.lib import data


def delay(m: Module, value: ValueLike, cycles: int) -> Signal:
    """Give the bits of `value` as they were `cycles` cycles ago.

    The registers have no reset, so the first `cycles` outputs after power-up are undefined. What
    has to be quiet after a reset (a write enable, for one) must be held by its source for as long.

    Parameters
    ----------
    m : Module
        The registers are added to this module.
    value : value-castable
        The bits to be delayed; a view loses its layout.
    cycles : int
        0 or more. With 0 the result is only another name for `value`.

    Returns
    -------
    Signal
        As many bits as `value` has, unsigned.
    """
    value = Value.cast(value)
    later = Signal(len(value), name="delayed_0", reset_less=True)
    m.d.comb += later.eq(value)
    for stage in range(1, cycles + 1):
        before = later
        later = Signal(len(value), name=f"delayed_{stage}", reset_less=True)
        m.d.sync += later.eq(before)
    return later


def named_fields(register: Callable[[Value], Signal], **values: ValueLike) -> data.View:
    """Send several values through one register, and give them back by their names.

    Values that travel together are registered as one signal, which keeps the netlist small and lets
    `copy` make one set of registers for all of them. The names save the reader from bit positions.

    Parameters
    ----------
    register : callable
        Takes the concatenated values, and returns as many bits, such as
        ``lambda value: delay(m, value, 1)``.
    **values : value-castable
        The values, lowest bits first. Only their widths are kept: a field that is itself a view or
        an enumeration comes back as plain bits.

    Returns
    -------
    View
        A structure with a field for each value.
    """
    layout = data.StructLayout({name: Value.cast(value).shape() for name, value in values.items()})
    return data.View(layout, register(Cat(values.values())))


def delay_fields(m: Module, cycles: int, **values: ValueLike) -> data.View:
    """Delay several values together, and give them back by their names.

    Parameters
    ----------
    m : Module
        The registers are added to this module.
    cycles : int
        As for `delay`.
    **values : value-castable
        As for `named_fields`.

    Returns
    -------
    View
        A structure with a field for each value.
    """
    return named_fields(lambda value: delay(m, value, cycles), **values)
