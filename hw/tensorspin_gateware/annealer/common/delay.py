"""Delay lines."""

from __future__ import annotations

from amaranth import Module, Signal, Value


def delay(m: Module, value, cycles: int) -> Signal:
    """The bits of `value`, `cycles` later. A reset does not clear them.

    Parameters
    ----------
    m : Module
    value : value-castable
    cycles : int
        0 or more.
    """
    value = Value.cast(value)
    for stage in range(cycles + 1):
        later = Signal(len(value), name=f"delayed_{stage}", reset_less=True)
        if stage == 0:
            m.d.comb += later.eq(value)
        else:
            m.d.sync += later.eq(value)
        value = later
    return value
