"""Random thresholds: which bits are drawn, with which probability, from which generator.

The integer ``floor(T e / 2)`` of an exponential sample ``e`` is geometric: it is n or more with
probability ``q**n``, ``q = exp(-2 / T)``. The binary digits of such a number are independent, and
digit j is 1 with probability ``1 / (1 + q**-(2**j))``: the sum over all numbers of ``q**n`` is the
product over the digits of ``1 + q**(2**j)``. So a threshold needs no logarithm and no
multiplication, only bits that are 1 with a given probability, a comparison with a uniform number
each; the schedule holds these probabilities instead of the temperature.

A bit that is drawn serves many spins, one after another. The samples of each digit are a sequence
``S_j[m]`` of which `stride` are drawn in a cycle; in cycle t spin k sees ``S_j[k + stride * t]``.
Within a sweep the cycle never falls while the spin rises, so all decisions of a sweep use different
samples: in law the sweep is that of a sequential machine. (Moved the other way, a sample that has
just accepted a flip would be seen by the next spin.) A sample may come back in a later sweep unless
the replica sits out `AnnealerSize.exact_refresh` turns in between; that biases what is sampled.
With different strides the digits come back at different spins, which lessens the bias.

With windows the samples do not move; `tensorspin.contract.annealer.windows` says who sees which.

The ring's decisions are one more sequence. It is empty, all zero, as long as all replicas move.

With parallel tempering each replica has sequences of its own, drawn at its temperature, that move
on in its turns alone; samples then come back sooner, and larger strides pay.
"""

from __future__ import annotations

import numpy as np

from .size import PROBABILITY, AnnealerSize

GENERATOR_BITS = 127
"""State of a uniform generator; ``2**127 - 1`` is prime."""

WORD_BITS = PROBABILITY.f_bits
"""Of a uniform number that is compared with a probability."""

WORDS = GENERATOR_BITS // WORD_BITS
"""Uniform numbers that a generator gives in a cycle: word i is bits ``i * WORD_BITS`` and up."""

SEED_BYTES = 16
"""Of a generator's seed. Each is added (exclusive or) to the lowest bits of the state as it makes a
step, the first to a state of zero."""

_MAPS = (
    ((77, 112), (102, 105), (113, 6), (28, 91)),
    ((29, 35), (47, 98), (85, 92), (74, 63)),
    ((71, 51), (53, 86), (98, 42), (34, 62)),
    ((119, 75), (22, 15), (4, 58), (94, 39)),
    ((100, 77), (54, 125), (42, 18), (43, 80)),
    ((19, 122), (51, 79), (84, 66), (18, 39)),
    ((88, 42), (50, 88), (46, 81), (30, 68)),
    ((55, 79), (106, 6), (36, 63), (94, 16)),
)
"""Found by trial; the characteristic polynomials are irreducible, so that every state but zero
comes once in ``2**127 - 1`` steps."""

MAX_SAMPLES = WORDS * len(_MAPS)
"""Samples that the generators give in a cycle."""


def generator_taps(index: int) -> list[list[int]]:
    """Bits of a generator whose exclusive or is each bit of its next state.

    One look-up table of four inputs a bit, as in D. B. Thomas and W. Luk, "FPGA-optimised uniform
    random number generators using LUTs and shift registers", FPL 2010.

    Parameters
    ----------
    index : int
        Of the generator.

    Returns
    -------
    list of list of int
        Two to four taps for each of `GENERATOR_BITS` bits.
    """
    taps = []
    for bit in range(GENERATOR_BITS):
        # Permutations all: with one tap left out the sum of all bits is not always even.
        maps = _MAPS[index][:-1] if bit == 0 else _MAPS[index]
        places = [(factor * bit + offset) % GENERATOR_BITS for factor, offset in maps]
        # Equal taps cancel.
        taps.append([place for place in places if places.count(place) == 1])
    return taps


def generators(size: AnnealerSize) -> int:
    """Number of uniform generators; sample n of a cycle is word ``n % WORDS`` of one of them.

    Raises
    ------
    ValueError
        If there are more samples than generators can give.
    """
    if size.samples > MAX_SAMPLES:
        raise ValueError(f"strides may add up to {MAX_SAMPLES}, not {size.samples}")
    return -(-size.samples // WORDS)


def expand_seed(seed: int, size: AnnealerSize) -> np.ndarray:
    """Seeds of the generators from one number.

    Parameters
    ----------
    seed : int
        0 or more.
    size : AnnealerSize

    Returns
    -------
    ndarray of uint8, shape (generators, SEED_BYTES)
    """
    words = np.random.SeedSequence(seed).generate_state(generators(size) * SEED_BYTES // 4)
    return words.astype("<u4").view(np.uint8).reshape(-1, SEED_BYTES)


def digit_probabilities(
    temperature: float, size: AnnealerSize, bits: int | None = None
) -> np.ndarray:
    """Probabilities of a threshold's bits at a temperature.

    Parameters
    ----------
    temperature : float
        In units of the couplings, greater than 0.
    size : AnnealerSize
    bits : int, optional
        Those of the threshold, if not those of a spin's.

    Returns
    -------
    ndarray of int64, shape (bits,)
        In the format `PROBABILITY`.

    Raises
    ------
    ValueError
        If the temperature is not a positive number, or so high that thresholds need more bits.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"a temperature must be a positive number, not {temperature}")
    bits = size.threshold_bits if bits is None else bits
    digits = np.ldexp(1.0, np.arange(bits + 1))
    with np.errstate(over="ignore"):
        # Written so that low temperatures give 0 rather than infinity over infinity.
        exact = 1.0 / (1.0 + np.exp(2.0 * digits / temperature))
    raw = PROBABILITY.from_float(exact)
    if raw[-1]:
        raise ValueError(
            f"a temperature of {temperature:g} is above {highest_temperature(size, bits):g}, the "
            f"highest for thresholds of {bits} bits"
        )
    return raw[:-1]


def highest_temperature(size: AnnealerSize, bits: int | None = None) -> float:
    """Temperature above which the first bit that thresholds lack would sometimes be 1.

    Parameters
    ----------
    size : AnnealerSize
    bits : int, optional
        Those of the threshold, if not those of a spin's.
    """
    least = 0.5 * 2.0**-PROBABILITY.f_bits
    bits = size.threshold_bits if bits is None else bits
    return 2.0 ** (bits + 1) / np.log(1.0 / least - 1.0)
