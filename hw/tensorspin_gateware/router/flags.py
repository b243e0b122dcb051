"""Bits of a request's number that are no part of the number."""

from __future__ import annotations

from typing import Any, NamedTuple

from amaranth.hdl import Module, Signal, Value
from amaranth.utils import exact_log2

from tensorspin.contract.device.engines import Engines
from tensorspin.contract.wire import packets

from .halves import FLAGS, is_halved
from .samples import corrects_programs, shares_samples, signs_programs


class Flag(NamedTuple):
    """A bit of a request's number that is no part of the number.

    Parameters
    ----------
    taken : Value
        The request has this bit.
    kept : Signal
        Whether it is set; kept until the next such request.
    value : int
        The bit's value in the number.
    """

    taken: Value
    kept: Signal
    value: int


def connect_flags(
    m: Module, engines: Engines, checks: Any, contractor: Any, samples: Any
) -> list[Flag]:
    """Give the bits of numbers that a device knows, and connect what depends on them.

    Parameters
    ----------
    m : Module
        The logic is added to it.
    engines : Engines
        The device's engines.
    checks : RequestChecks
        It tells the type of the request.
    contractor, samples : interface
        The contractor's ports, and those of `RouterSamples`.

    Returns
    -------
    list of Flag
        `packets.SINGLE`, `SIGNED`, `PROTECTED`, `SECOND`, `STANDBY` and `SWAP`, if the device has
        use for them.
    """
    flags = []
    if shares_samples(engines):
        single = Signal()
        m.d.comb += contractor.single.eq(single)
        flags.append(Flag(checks.kind.run, single, packets.SINGLE))
    if signs_programs(engines):
        signed = Signal()
        m.d.comb += [samples.set_signed.eq(signed), checks.corrupt.eq(samples.corrupt)]
        flags.append(Flag(checks.kind.activate, signed, packets.SIGNED))
    if corrects_programs(engines):
        protected = Signal()
        m.d.comb += [samples.set_protected.eq(protected), checks.corrupt.eq(samples.corrupt)]
        flags.append(Flag(checks.kind.activate, protected, packets.PROTECTED))
    if is_halved(engines):
        m.d.comb += checks.missing.eq(samples.missing)
        for name, value in FLAGS.items():
            kept = Signal(name=name)
            m.d.comb += getattr(samples, name).eq(kept)
            flags.append(Flag(checks.kind.activate, kept, value))
    return flags


def take_flag(m: Module, flag: Flag, is_byte: Value, number: Signal, data: Value) -> None:
    """Take a bit out of the second byte of a number.

    Parameters
    ----------
    m : Module
        The logic is added to it.
    flag : Flag
        The bit.
    is_byte : Value
        High in the cycle in which that byte is taken.
    number : Signal
        The number: the bit is cleared in it.
    data : Value
        The byte.
    """
    bit = exact_log2(flag.value)
    with m.If(flag.taken & is_byte):
        m.d.sync += [number[bit].eq(0), flag.kept.eq(data[bit % 8])]
