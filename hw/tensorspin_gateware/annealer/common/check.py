"""The check of the memories after a run: which words are read, and what becomes of them."""

from __future__ import annotations

from amaranth import Const, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.utils import exact_log2

from tensorspin.contract.annealer.signature import CHECK_DRAIN
from tensorspin.contract.signature import SIGNATURE_BITS

from ...primitives.signature import WordSignature
from .delay import delay
from .host import HostWrites


def begin_check(m: Module, running: Value, cut: Value, signed: Value) -> Signal:
    """Tell when a run has come to its end by itself.

    Parameters
    ----------
    m : Module
        A register is added to this module.
    running : Value
        High while the start is awaited and while there are turns.
    cut : Value
        Strobe: the run is stopped, or another one is started.
    signed : Value
        High if the memories are to be checked.

    Returns
    -------
    Signal
        High in the cycle after each in which the run goes on, and still in the one after its last;
        low if the run is cut, or not to be checked. So the check begins where this is high and
        `running` is low, and the run is not over as long as either is high.
    """
    ran = Signal()
    m.d.sync += ran.eq(running & signed & ~cut)
    return ran


def has_flag(parameters: data.View, flag: int) -> Value:
    """Tell whether a run has a flag among its parameters.

    Parameters
    ----------
    parameters : View
        Parameters of the run, of `parameters_layout`.
    flag : int
        One of the flags of the parameter `initial`.

    Returns
    -------
    Value
        One bit.
    """
    return parameters.initial[exact_log2(flag)]


def fold(word: Value, valid: Value | None = None) -> Value:
    """Add the parts of `SIGNATURE_BITS` bits of a word, modulo 2.

    Parameters
    ----------
    word : Value
        Any number of bits.
    valid : Value, optional
        If low, the word counts as zero.

    Returns
    -------
    Value
        `SIGNATURE_BITS` bits at most.
    """
    folded: Value = Const(0, SIGNATURE_BITS)
    for first in range(0, len(word), SIGNATURE_BITS):
        folded = folded ^ word[first : first + SIGNATURE_BITS]
    return folded if valid is None else Mux(valid, folded, 0)


def compare_signature(m: Module, host: HostWrites, line: Value, latency: int) -> Value:
    """Compute the signature of the lines of a check, and compare it with the expected one.

    Parameters
    ----------
    m : Module
        A `WordSignature` is added to this module.
    host : HostWrites
        It counts the lines, and has the signature that is expected.
    line : Value
        The folded line, `latency` cycles after its number.
    latency : int
        Cycles from a line's number to the line.

    Returns
    -------
    Value
        Strobe in the last cycle of a check: the memories do not hold what was written.
    """
    # Two cycles pass from the last line to the comparison, and one to its register.
    assert latency + 3 <= CHECK_DRAIN
    m.submodules.signature = signature = WordSignature(SIGNATURE_BITS // 8, apart=True)
    m.d.comb += [
        signature.run.eq(host.checking),
        signature.word.eq(line),
        signature.take.eq(delay(m, host.line_valid, latency)),
        # The component expects it with its halves swapped, as it stands behind a program.
        signature.expected.eq(host.expected.rotate_left(SIGNATURE_BITS // 2)),
    ]
    return host.check_ends & signature.wrong
