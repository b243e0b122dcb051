"""Bit-exact model of the annealer's uniform random generators."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...contract.annealer.thresholds import (
    GENERATOR_BITS,
    SEED_BYTES,
    WORD_BITS,
    WORDS,
    generator_taps,
)

COLUMNS = 64
"""States that are computed at a time, each of another cycle: as many as a word has bits, into which
they are packed."""

APART = 32
"""Cycles from one of these states to the next."""

BLOCK = COLUMNS * APART
"""Cycles for which the words of a generator are computed at once."""


class GoldenGenerator:
    """A uniform random generator that computes many cycles at once.

    One step of the generator is a linear map over GF(2), the field with the elements 0 and 1: each
    bit of the next state is the exclusive or of a few bits, its taps. The states of `COLUMNS`
    cycles, `APART` cycles from each other, are the columns of a matrix, whose rows are packed into
    words: a step of all columns takes one exclusive or of whole rows for each tap. After `APART`
    steps each column has arrived where the next one began, and a power of the map takes all of them
    over the rest of the block.

    Parameters
    ----------
    index : int
        Number of the generator, as for
        `tensorspin.contract.annealer.thresholds.generator_taps`.
    seeds : bytes or ndarray of uint8 of shape (..., SEED_BYTES)
        Bytes that are added to the state one after the other before the first cycle; a seed for
        each of several generators of the same number.

    Examples
    --------
    >>> GoldenGenerator(0, bytes(range(SEED_BYTES))).words().shape
    (2048, 7)
    """

    def __init__(self, index: int, seeds) -> None:
        if isinstance(seeds, bytes):
            seeds = np.frombuffer(seeds, dtype=np.uint8)
        self._shape = seeds.shape[:-1]
        bits = np.unpackbits(seeds.reshape(-1, SEED_BYTES), axis=1, bitorder="little")
        # Axes: bit of the state, generator, column.
        states = _product(_seed_map(index), bits.T)[:, :, None]
        for power in _powers(index)[APART.bit_length() - 1 : BLOCK.bit_length() - 1]:
            # Each power of the map doubles the number of states that are known.
            reached = _product(power, states.reshape(GENERATOR_BITS, -1)).reshape(states.shape)
            states = np.concatenate([states, reached], axis=2)
        packed = np.packbits(states.reshape(GENERATOR_BITS, -1), axis=1).view(np.uint64)
        # The row behind the last is zero: it stands for the taps that a bit has less than others.
        self._states = np.concatenate([packed, np.zeros_like(packed[:1])])
        self._taps = _padded_taps(index)
        self._leap = [np.flatnonzero(row) for row in _leap(index)]

    def bits(self, count: int = WORDS) -> np.ndarray:
        """Compute the words of the next `BLOCK` cycles, bit by bit.

        Parameters
        ----------
        count : int, default=WORDS
            Number of words that are wanted of each cycle, the first ones of its `WORDS`.

        Returns
        -------
        ndarray of uint64 of shape (WORD_BITS, APART, count, generators)
            Element [b, s, w, g] has bit b of word w of generator g in the cycles s, s + `APART`,
            s + 2 `APART`, ..., in the order of `numpy.unpackbits`.
        """
        states = self._states
        bits = np.empty((WORD_BITS, APART, count, states.shape[1]), dtype=np.uint64)
        for step in range(APART):
            words = states[: count * WORD_BITS].reshape(count, WORD_BITS, -1)
            bits[:, step] = words.swapaxes(0, 1)
            states[:-1] = np.bitwise_xor.reduce(states[self._taps], axis=0)
        states[:-1] = [np.bitwise_xor.reduce(states[taps], axis=0) for taps in self._leap]
        return bits

    def words(self, count: int = WORDS) -> np.ndarray:
        """Compute the words of the next `BLOCK` cycles.

        Parameters
        ----------
        count : int, default=WORDS
            Number of words that are wanted of each cycle, the first ones of its `WORDS`.

        Returns
        -------
        ndarray of int32 of shape (..., BLOCK, count)
            Uniform random numbers of `WORD_BITS` bits.
        """
        return words_of(self.bits(count)).reshape(*self._shape, BLOCK, count)


def words_of(bits: np.ndarray) -> np.ndarray:
    """Put words together from their bits.

    Parameters
    ----------
    bits : ndarray of uint64 of shape (WORD_BITS, APART, count, generators)
        Bits as `GoldenGenerator.bits` gives them.

    Returns
    -------
    ndarray of int32 of shape (generators, BLOCK, count)
        The words.

    Examples
    --------
    >>> generator = GoldenGenerator(0, bytes(range(SEED_BYTES)))
    >>> words_of(generator.bits(count=2)).shape
    (1, 2048, 2)
    """
    _, _, count, generators = bits.shape
    words = np.empty((generators, COLUMNS, APART, count), dtype=np.int32)
    weights = (1 << np.arange(WORD_BITS)).astype(np.int32)
    for step in range(APART):
        packed = np.ascontiguousarray(bits[:, step]).view(np.uint8)
        ones = np.unpackbits(packed, axis=-1).reshape(WORD_BITS, count, generators, COLUMNS)
        words[:, :, step] = np.einsum("bwgc,b->gcw", ones, weights)
    return words.reshape(generators, BLOCK, count)


def _padded_taps(index: int) -> np.ndarray:
    """Taps of each bit, filled up with a bit that is 0: array of shape (taps, GENERATOR_BITS)."""
    taps = generator_taps(index)
    most = max(map(len, taps))
    return np.array([each + [GENERATOR_BITS] * (most - len(each)) for each in taps]).T.copy()


@cache
def _powers(index: int) -> list[np.ndarray]:
    """Matrices over GF(2) of 1, 2, 4, ... and `BLOCK` steps of a generator."""
    power = np.zeros((GENERATOR_BITS, GENERATOR_BITS), dtype=np.uint8)
    for bit, taps in enumerate(generator_taps(index)):
        power[bit, taps] = 1
    powers = [power]
    while len(powers) < BLOCK.bit_length():
        powers.append(_product(powers[-1], powers[-1]))
    return powers


@cache
def _leap(index: int) -> np.ndarray:
    """Matrix over GF(2) of ``BLOCK - APART`` steps of a generator."""
    leap = np.identity(GENERATOR_BITS, dtype=np.uint8)
    for bit, power in enumerate(_powers(index)):
        if BLOCK - APART >> bit & 1:
            leap = _product(power, leap)
    return leap


@cache
def _seed_map(index: int) -> np.ndarray:
    """Matrix over GF(2) that makes of a seed's bits the state before the first cycle.

    A generator starts in the state 0 and makes a step for each byte, which is then added to its
    lowest bits; so the last byte is added as it is, and each byte before it makes one step more.
    """
    maps = [np.identity(GENERATOR_BITS, dtype=np.uint8)[:, :8]]
    while len(maps) < SEED_BYTES:
        maps.insert(0, _product(_powers(index)[0], maps[0]))
    return np.concatenate(maps, axis=1)


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Product of two matrices over GF(2).

    Floats are exact here, since no sum exceeds `GENERATOR_BITS`, and NumPy multiplies them faster.
    """
    return (left.astype(np.float32) @ right.astype(np.float32)).astype(np.uint8) & 1
