"""The head of a replica's block of results, the same in both builds."""

from __future__ import annotations

from amaranth import Cat, Const, Value

from tensorspin.contract.annealer.image import RESULT_HEADER


def result_header(energy: Value, best_energy: Value, cycles: Value, rank: Value) -> Value:
    """Lay out what the host reads in front of a replica's states.

    Parameters
    ----------
    energy, best_energy : Value
        Half the last and half the best energy of the replica, counted from the state with all
        spins positive; signed, at most 32 bits, to which they are extended here.
    cycles : Value
        Cycles of the run, 32 bits.
    rank : Value
        The replica's rank, or its number in a build without tempering; up to 8 bits.

    Returns
    -------
    Value
        The bytes of `RESULT_HEADER`, lowest first.
    """
    header = Cat(_sign_extended(energy), _sign_extended(best_energy), cycles, whole_bytes(rank))
    assert len(header) == 8 * RESULT_HEADER.size
    return header


def whole_bytes(bits: Value) -> Value:
    """Fill the last byte up with zeros.

    Parameters
    ----------
    bits : Value
        Any number of bits.

    Returns
    -------
    Value
        The next multiple of 8 bits.
    """
    return Cat(bits, Const(0, -len(bits) % 8))


def _sign_extended(energy: Value) -> Value:
    return Cat(energy, energy[-1].replicate(32 - len(energy)))
