"""Registers that synthesis keeps apart although they hold the same."""

from __future__ import annotations

from amaranth import ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.hdl import ValueLike

from . import Family


def copy(m: Module, value: ValueLike, family: Family) -> Signal:
    """Register a value, in registers that nothing else shares.

    A signal that many parts of a device need is registered once beside each of them, so that no
    wire is long. Yosys would merge these registers, since they are equal, and nextpnr never
    duplicates one; hence registers with the attribute ``keep``.

    Parameters
    ----------
    m : Module
        The registers are added to it. They have no reset.
    value : value-castable
        What is registered.
    family : Family
        Only with ``ECP5`` the registers are kept apart; elsewhere synthesis may merge them.

    Returns
    -------
    Signal
        The bits of `value`, one cycle later. One register a bit.
    """
    value = Value.cast(value)
    copied = Signal(len(value), reset_less=True)
    if family is Family.ECP5:
        for bit in range(len(value)):
            m.submodules += Instance(
                "TRELLIS_FF",
                a_keep=Const(1),
                p_GSR="DISABLED",
                p_CEMUX="1",
                p_CLKMUX="CLK",
                p_LSRMUX="LSR",
                p_REGSET="RESET",
                p_SRMODE="LSR_OVER_CE",
                i_CLK=ClockSignal(),
                i_CE=Const(1),
                i_LSR=Const(0),
                i_DI=value[bit],
                o_Q=copied[bit],
            )
    else:
        m.d.sync += copied.eq(value)
    return copied
