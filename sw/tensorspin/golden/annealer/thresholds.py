"""Bit-exact model of the annealer's random thresholds."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...contract.annealer import windows
from ...contract.annealer.problem import Step
from ...contract.annealer.size import RING, AnnealerSize, Moving
from ...contract.annealer.thresholds import (
    GENERATOR_BITS,
    WORD_BITS,
    WORDS,
    generator_taps,
    generators,
)

BLOCK = 4096
"""Cycles for which a generator's words are computed at once."""

ROUNDS = 64
"""Rounds, of as many turns as there are replicas, whose numbers are compared with their
probabilities at once."""


class Generator:
    """A uniform generator, many cycles at once.

    The states of `BLOCK` cycles are the columns of a matrix over GF(2); the next ones are its
    product with the `BLOCK`-th power of the matrix of one step.

    Parameters
    ----------
    index : int
        As for `tensorspin.contract.annealer.thresholds.generator_taps`.
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
        self._spins = spins = size.spins - first
        self._generators = [Generator(i, seeds[i]) for i in range(generators(size))]
        self._words = np.empty((0, size.samples), dtype=np.int32)
        self._first = first
        self._turn = size.turn(first)
        self._cycles = size.replicas * self._turn  # of a round
        # Digits with equal strides move together: one sequence, their sum, is enough.
        self._sequences = {
            stride: np.zeros(
                (size.replicas, spins) if size.tempering else self._kept(stride), dtype=np.int32
            )
            for stride in set(size.sequences)
        }
        # Rounds are computed in blocks, as long as what is drawn stays the same.
        self._drawn: tuple | None = None
        self._spent = 0  # cycles of the block
        self._before = 0  # cycles before the block

    def round(
        self, step: Step, probabilities: np.ndarray, turns: int | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Random numbers of the next round.

        Parameters
        ----------
        step : Step
            Under way.
        probabilities : ndarray of int, shape (replicas, threshold_bits)
            Of the digits that are drawn in the replicas' turns.
        turns : int, optional
            Of the round: one for each replica, or fewer with a window.

        Returns
        -------
        thresholds : ndarray of int32, shape (turns, spins - first)
            Digits that were drawn before the start are 0. Not to be written to.
        holds : ndarray of bool, shape (turns, spins - first), or None
            The ring holds the spin if it equals its neighbours; None if all replicas may move.
        """
        cycles = (self._size.replicas if turns is None else turns) * self._turn
        drawn = (probabilities.tobytes(), step.ring, step.moving is Moving.ALL)
        if drawn != self._drawn or self._spent + cycles > ROUNDS * self._cycles:
            self._advance()
            self._draw_block(step, probabilities)
            self._drawn = drawn
        self._spent += cycles
        parts = [
            self._window(stride, sequence, cycles) for stride, sequence in self._sequences.items()
        ]
        total = parts[0] if len(parts) == 1 else np.sum(parts, axis=0, dtype=np.int32)
        if step.moving is Moving.ALL:
            return total, None
        ring = 1 << self._size.threshold_bits
        return total & (ring - 1), total & ring != 0

    def exchange_words(self, rounds: int) -> np.ndarray:
        """Numbers for exchanges, one for each cycle of the next rounds; all else is as it was."""
        self._advance()
        cycles = rounds * self._cycles
        words = self._peek(cycles)[:, -1]
        self._words = self._words[cycles:]
        return words

    def _window(self, stride: int, sequence: np.ndarray, cycles: int) -> np.ndarray:
        """What the replicas see of a sequence in the round, which takes so many cycles."""
        spins = self._spins
        if self._size.tempering:
            first = self._spent // self._cycles * stride
            return sequence[:, first : first + spins]
        first = self._spent * stride
        apart = stride  # a replica's samples and the next one's
        if window := self._size.window:
            # The round's own samples come too late, as does a word that is not complete; the pass
            # may begin with spins not in use.
            first -= cycles * stride
            first -= (self._before * stride + first) % window
            first += (self._turn + 1) * window - spins
            apart = window
        (step,) = sequence.strides
        return np.lib.stride_tricks.as_strided(
            sequence[first:], (cycles // self._turn, spins), (apart * step, step), writeable=False
        )

    def _kept(self, stride: int) -> int:
        """Samples, drawn before a round, that it needs."""
        size = self._size
        if size.window:
            return (self._turn + windows.LAG + 1) * size.window
        return self._spins + stride * (size.replicas - 1)

    def _advance(self) -> None:
        """Drop what the rounds so far have used; after that, another block must be drawn."""
        spent = self._spent
        self._words = self._words[spent:]
        for stride, sequence in self._sequences.items():
            if self._size.tempering:
                sequence = sequence[:, spent // self._cycles * stride :][:, : self._spins]
            else:
                sequence = sequence[spent * stride :][: self._kept(stride)]
            self._sequences[stride] = sequence
        self._before += spent
        self._drawn, self._spent = None, 0

    def _draw_block(self, step: Step, probabilities: np.ndarray) -> None:
        """Append the samples of `ROUNDS` rounds to the sequences."""
        size = self._size
        # A sample for each sequence, round, cycle and stride, in the order in which it enters.
        words = self._peek(ROUNDS * self._cycles).reshape(ROUNDS, self._cycles, -1)
        fresh = {
            stride: np.zeros((ROUNDS, self._cycles, stride), dtype=np.int32)
            for stride in self._sequences
        }
        place = 0
        ring_limit = np.full(self._cycles, step.ring << WORD_BITS - RING.f_bits)
        limits = [*np.repeat(probabilities, self._turn, axis=0).T, ring_limit]
        for digit, (stride, limit) in enumerate(zip(size.sequences, limits)):
            samples = words[:, :, place : place + stride] < limit[:, None]
            fresh[stride] += samples.astype(np.int32) << digit
            place += stride
        for stride, sequence in self._sequences.items():
            if step.moving is Moving.ALL:
                sequence = sequence & ~(1 << size.threshold_bits)  # the ring's
            entering = fresh[stride]
            if size.tempering:
                entering = entering.swapaxes(0, 1).reshape(size.replicas, -1)
                self._sequences[stride] = np.concatenate([sequence, entering], axis=1)
            else:
                self._sequences[stride] = np.concatenate([sequence, entering.ravel()])

    def _peek(self, cycles: int) -> np.ndarray:
        """Numbers of the next cycles, which stay."""
        while len(self._words) < cycles:
            block = np.concatenate([g.words() for g in self._generators], axis=1)
            self._words = np.concatenate([self._words, block[:, : self._size.samples]])
        return self._words[:cycles]


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
