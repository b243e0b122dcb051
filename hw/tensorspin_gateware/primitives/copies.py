"""Registers that synthesis keeps apart though they hold the same."""

from __future__ import annotations

from amaranth import ClockSignal, Const, Instance, Module, Signal, Value
from amaranth.hdl import ValueLike

from . import Family


def copy(m: Module, value: ValueLike, family: Family) -> Signal:
    """The bits of `value` one cycle later, in registers of their own.

    A signal that many parts far from each other need is registered once beside each of them. Yosys
    would merge these registers, and nextpnr never duplicates one.

    Parameters
    ----------
    m : Module
        The registers are added to it. They have no reset.
    value : value-castable
    family : Family
        Only ``ECP5`` keeps them apart.
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
