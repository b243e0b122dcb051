"""Bit-exact model of the annealer's random thresholds."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..contract.annealer import AnnealerSize
from ..contract.thresholds import (
    GENERATOR_BITS,
    WORD_BITS,
    WORDS,
    generator_taps,
    generators,
)

BLOCK = 4096
"""Cycles for which a generator's words are computed at once."""

ROUNDS = 64
"""Rounds whose samples are compared with their probabilities at once."""


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
    """Thresholds of the last spins, round by round.

    Parameters
    ----------
    size : AnnealerSize
    first : int
        The first of the spins.
    seeds : ndarray of uint8, shape (generators, SEED_BYTES)
    """

    def __init__(self, size: AnnealerSize, first: int, seeds: np.ndarray) -> None:
        self._size = size
        self._spins = size.spins - first
        self._generators = [Generator(i, seeds[i]) for i in range(generators(size))]
        self._words = np.empty((0, size.samples), dtype=np.int32)
        # Digits with equal strides move together: one sequence, their sum, is enough.
        self._sequences = {
            stride: np.zeros(self._spins + stride * (size.replicas - 1), dtype=np.int32)
            for stride in set(size.strides)
        }
        self._windows: list[tuple[int, np.ndarray]] = []
        self._probabilities: tuple[int, ...] | None = None
        self._round = 0

    def round(self, probabilities) -> np.ndarray:
        """Thresholds of the next round.

        Parameters
        ----------
        probabilities : sequence of int
            Of the digits that are drawn in this round.

        Returns
        -------
        ndarray of int32, shape (replicas, spins - first)
            Digits that were drawn before the start are 0. Not to be written to.
        """
        probabilities = tuple(probabilities)
        if probabilities != self._probabilities or self._round == ROUNDS:
            self._draw(probabilities)
        self._round += 1
        parts = []
        for stride, windows in self._windows:
            first = self._round * stride * self._size.replicas
            parts.append(windows[first : first + stride * self._size.replicas : stride])
        return parts[0] if len(parts) == 1 else np.sum(parts, axis=0, dtype=np.int32)

    def _draw(self, probabilities: tuple[int, ...]) -> None:
        """The samples of the next rounds, as long as the probabilities stay."""
        size = self._size
        cycles = ROUNDS * size.replicas
        self._words = self._words[self._round * size.replicas :]
        while len(self._words) < cycles:
            block = np.concatenate([g.words() for g in self._generators], axis=1)
            self._words = np.concatenate([self._words, block[:, : size.samples]])
        # A sample for each digit, stride and cycle, in the order in which it enters.
        fresh = {stride: np.zeros((cycles, stride), dtype=np.int32) for stride in self._sequences}
        place = 0
        for digit, stride in enumerate(size.strides):
            samples = self._words[:cycles, place : place + stride] < probabilities[digit]
            fresh[stride] += samples.astype(np.int32) << digit
            place += stride
        self._windows = []
        for stride, sequence in self._sequences.items():
            kept = self._spins + stride * (size.replicas - 1)
            gone = self._round * stride * size.replicas
            sequence = np.concatenate([sequence[gone : gone + kept], fresh[stride].ravel()])
            self._sequences[stride] = sequence
            windows = np.lib.stride_tricks.sliding_window_view(sequence, self._spins)
            self._windows.append((stride, windows))
        self._probabilities = probabilities
        self._round = 0


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
