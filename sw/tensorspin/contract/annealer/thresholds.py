"""Random thresholds: which digits are drawn, with which probability, from which generator.

The threshold ``floor(T e / 2)`` of a visit, with an exponential random number ``e``, is a geometric
random number: it is n or more with the probability ``q**n``, ``q = exp(-2 / T)``. The binary digits
of such a number are independent, and digit j is 1 with the probability ``1 / (1 + q**-(2**j))``.
(That is so because the sum over all numbers n of ``q**n`` equals the product over all digits j of
``1 + q**(2**j)``.) A threshold therefore needs no logarithm and no multiplication. Each digit is
drawn by itself, by one comparison of a uniform random number with a probability, and the schedule
holds these probabilities instead of the temperature.

*Sequences.* A digit that is drawn serves many spins, one after another. The samples of digit j form
a sequence ``S_j[m]``, of which ``stride`` samples are drawn in a cycle; in cycle t spin k sees the
sample ``S_j[k + stride * t]``. Within a sweep the cycle never falls while the spin rises, so all
decisions of a sweep use different samples, and a sweep has the same distribution as that of a
machine that visits one spin after another. (If the samples moved towards higher spins, a sample
that has just accepted a flip would be seen by the next spin.) A sample may come back in a later
sweep unless the replica sits out `AnnealerSize.exact_refresh` turns in between; a sample that comes
back biases the states. With different strides the digits come back at different spins, which makes
the bias smaller.

*Ring.* The decisions of the ring are one more sequence. All its samples are 0 as long as all
replicas move.

*Tempering.* With parallel tempering each replica has sequences of its own, drawn at its
temperature, which move on in the turns of this replica only. Samples then come back sooner, and
larger strides are worth their cost.

*Windows.* With windows the samples do not move; `tensorspin.contract.annealer.windows` describes
which spin sees which sample.
"""

from __future__ import annotations

import numpy as np

from .size import PROBABILITY, AnnealerSize

GENERATOR_BITS = 127
"""Bits of the state of a uniform generator. ``2**127 - 1`` is prime, so that a generator whose
characteristic polynomial is irreducible has the longest possible period."""

WORD_BITS = PROBABILITY.f_bits
"""Bits of a uniform random number, compared with a probability of as many fractional bits."""

WORDS = GENERATOR_BITS // WORD_BITS
"""Uniform numbers that a generator gives in a cycle. Word i of them is made of `WORD_BITS` bits of
the state, from bit ``i * WORD_BITS`` on."""

SEED_BYTES = 16
"""Bytes of a generator's seed. The generator starts in the state 0 and makes a step for each byte,
which is added (exclusive or) to the lowest bits of the new state."""

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
"""Wiring of each generator: a list of pairs (factor, offset).

Bit b of the next state is the exclusive or of the bits ``(factor * b + offset) % GENERATOR_BITS``.
The numbers were found by trial. The characteristic polynomials are irreducible, so that a generator
passes through every state but zero once in ``2**127 - 1`` steps.
"""

MAX_SAMPLES = WORDS * len(_MAPS)
"""Greatest number of uniform numbers that all generators together give in a cycle."""


def generator_taps(index: int) -> list[list[int]]:
    """List the bits of a generator that make up each bit of its next state.

    Each bit of the next state is the exclusive or of a few bits of the state, its *taps*, which one
    look-up table of four inputs computes: D. B. Thomas and W. Luk, "FPGA-optimised uniform random
    number generators using LUTs and shift registers", FPL 2010.

    Parameters
    ----------
    index : int
        Number of the generator.

    Returns
    -------
    list of list of int
        Two to four taps for each of the `GENERATOR_BITS` bits.
    """
    taps = []
    for bit in range(GENERATOR_BITS):
        # All maps are permutations of the bits. Were all of them used for each bit, the exclusive
        # or of all bits would always be 0; one tap is left out so that it is not.
        maps = _MAPS[index][:-1] if bit == 0 else _MAPS[index]
        places = [(factor * bit + offset) % GENERATOR_BITS for factor, offset in maps]
        # Two equal taps cancel, since x xor x is 0.
        taps.append([place for place in places if places.count(place) == 1])
    return taps


def generators(size: AnnealerSize) -> int:
    """Count the uniform generators of a build.

    Sample n of a cycle is word ``n % WORDS`` of generator ``n // WORDS``.

    Parameters
    ----------
    size : AnnealerSize
        Size of the build.

    Returns
    -------
    int
        Number of generators, 1 or more.

    Raises
    ------
    ValueError
        If the build draws more samples in a cycle than all generators can give.
    """
    if size.samples > MAX_SAMPLES:
        raise ValueError(f"strides may add up to {MAX_SAMPLES}, not {size.samples}")
    return -(-size.samples // WORDS)


def expand_seed(seed: int, size: AnnealerSize) -> np.ndarray:
    """Derive the seeds of all generators from one number.

    Parameters
    ----------
    seed : int
        Any number of 0 or more.
    size : AnnealerSize
        Size of the device, which has the number of generators.

    Returns
    -------
    ndarray of uint8 of shape (generators, SEED_BYTES)
        One seed for each generator.
    """
    words = np.random.SeedSequence(seed).generate_state(generators(size) * SEED_BYTES // 4)
    return words.astype("<u4").view(np.uint8).reshape(-1, SEED_BYTES)
