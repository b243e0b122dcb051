"""Bit-exact model of the annealer's random thresholds."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..contract.annealer import RING, AnnealerSize, Moving
from ..contract.ising import Step
from ..contract.thresholds import (
    GENERATOR_BITS,
    WORD_BITS,
    WORDS,
    generator_taps,
    generators,
)

BLOCK = 4096
"""Cycles for which a generator's words are computed at once."""


class Generator:
    """A uniform generator, many cycles at once.

    The states of `BLOCK` cycles are the columns of a matrix over GF(2); the next ones are its
    product with the `BLOCK`-th power of the matrix of one step.

    Parameters
    ----------
    index : int
        As for `tensorspin.contract.thresholds.generator_taps`.
    seed : bytes or ndarray of uint8
    """

    def __init__(self, index: int, seed) -> None:
        *powers, leap = _powers(index)
        state = np.zeros(GENERATOR_BITS, dtype=np.uint8)
        for byte in bytes(seed):
            state = _product(powers[0], state)
            state[:8] ^= np.unpackbits(np.uint8(byte), bitorder="little")
        states = state[:, None]
        for power in powers:
            states = np.concatenate([states, _product(power, states)], axis=1)
        self._states = np.packbits(states, axis=1).view(np.uint64)
        self._leap = [np.flatnonzero(row) for row in leap]

    def words(self) -> np.ndarray:
        """Words of the next `BLOCK` cycles, int32, shape (BLOCK, WORDS)."""
        bits = np.unpackbits(self._states.view(np.uint8), axis=1)[: WORDS * WORD_BITS]
        weights = (1 << np.arange(WORD_BITS)).astype(np.int32)
        words = np.einsum("wbc,b->cw", bits.reshape(WORDS, WORD_BITS, BLOCK), weights)
        self._states = np.array(
            [np.bitwise_xor.reduce(self._states[taps], axis=0) for taps in self._leap]
        )
        return words


class Thresholds:
    """Thresholds of the last spins and what the ring decides, round by round.

    Parameters
    ----------
    size : AnnealerSize
    first : int
        The first of the spins.
    seeds : ndarray of uint8, shape (generators, SEED_BYTES)
    """

    def __init__(self, size: AnnealerSize, first: int, seeds: np.ndarray) -> None:
        self._size = size
        self._first = first
        self._generators = [Generator(i, seeds[i]) for i in range(generators(size))]
        self._words = np.empty((0, size.samples), dtype=np.int32)
        # Digits with equal strides move together: one sequence, their sum, is enough.
        spins = size.spins - first
        self._sequences = {
            stride: np.zeros(
                (size.replicas, spins) if size.tempering else spins + stride * (size.replicas - 1),
                dtype=np.int32,
            )
            for stride in set(size.sequences)
        }

    def round(self, step: Step, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Random numbers of the next round.

        Parameters
        ----------
        step : Step
            Under way.
        probabilities : ndarray of int, shape (replicas, threshold_bits)
            Of the digits that are drawn in the replicas' turns.

        Returns
        -------
        thresholds : ndarray of int32, shape (replicas, spins - first)
            Digits that were drawn before the start are 0.
        holds : ndarray of bool, shape (replicas, spins - first)
            The ring holds the spin if it equals its neighbours.
        """
        size = self._size
        # A sample for each sequence, cycle and stride, in the order in which it enters.
        words = self._draw(size.replicas)
        fresh = {
            stride: np.zeros((size.replicas, stride), dtype=np.int32) for stride in self._sequences
        }
        place = 0
        ring_limit = np.full(size.replicas, step.ring << WORD_BITS - RING.f_bits)
        limits = [*probabilities.T, ring_limit]
        for digit, (stride, limit) in enumerate(zip(size.sequences, limits)):
            samples = words[:, place : place + stride] < limit[:, None]
            fresh[stride] += samples.astype(np.int32) << digit
            place += stride
        spins = size.spins - self._first
        total = np.zeros((size.replicas, spins), dtype=np.int32)
        ring = 1 << size.threshold_bits
        for stride, sequence in self._sequences.items():
            if step.moving is Moving.ALL:
                sequence &= ~ring
            if size.tempering:
                sequence = np.concatenate([sequence, fresh[stride]], axis=1)[:, -spins:]
                total += sequence
            else:
                entering = fresh[stride].reshape(-1)
                sequence = np.concatenate([sequence, entering])[-len(sequence) :]
                windows = np.lib.stride_tricks.sliding_window_view(sequence, spins)
                total += windows[::stride]
            self._sequences[stride] = sequence
        return total & (ring - 1), total & ring != 0

    def exchange_words(self, rounds: int) -> np.ndarray:
        """Numbers for exchanges, one for each cycle of the next rounds; all else is as it was."""
        return self._draw(rounds * self._size.replicas)[:, -1]

    def _draw(self, cycles: int) -> np.ndarray:
        while len(self._words) < cycles:
            block = np.concatenate([g.words() for g in self._generators], axis=1)
            self._words = np.concatenate([self._words, block[:, : self._size.samples]])
        words, self._words = self._words[:cycles], self._words[cycles:]
        return words


@cache
def _powers(index: int) -> list[np.ndarray]:
    """A generator's matrix of 1, 2, 4, ... and `BLOCK` steps."""
    power = np.zeros((GENERATOR_BITS, GENERATOR_BITS), dtype=np.uint8)
    for bit, taps in enumerate(generator_taps(index)):
        power[bit, taps] = 1
    powers = [power]
    while len(powers) < BLOCK.bit_length():
        powers.append(_product(powers[-1], powers[-1]))
    return powers


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Over GF(2)."""
    return (left.astype(np.float32) @ right.astype(np.float32)).astype(np.uint8) & 1
