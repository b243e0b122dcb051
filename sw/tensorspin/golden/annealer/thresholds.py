"""Bit-exact model of the annealer's random thresholds."""

from __future__ import annotations

from functools import cache

import numpy as np

from ...contract.annealer import windows
from ...contract.annealer.size import RING, AnnealerSize, Moving
from ...contract.annealer.steps import Step
from ...contract.annealer.thresholds import (
    GENERATOR_BITS,
    WORD_BITS,
    WORDS,
    generator_taps,
    generators,
)

BLOCK = 4096
"""Cycles for which the words of a generator are computed at once."""

ROUNDS = 64
"""Rounds whose random numbers are compared with their probabilities at once; each counted with as
many turns as there are replicas."""


class GoldenGenerator:
    """A uniform random generator that computes many cycles at once.

    One step of the generator is a linear map over GF(2), the field with the elements 0 and 1. The
    states of `BLOCK` cycles are the columns of a matrix; the next `BLOCK` states are the product of
    the `BLOCK`-th power of the map with this matrix.

    Parameters
    ----------
    index : int
        Number of the generator, as for
        `tensorspin.contract.annealer.thresholds.generator_taps`.
    seed : bytes or ndarray of uint8 of shape (SEED_BYTES,)
        Bytes that are added to the state one after the other before the first cycle.
    """

    def __init__(self, index: int, seed) -> None:
        *powers, leap = _powers(index)
        state = np.zeros(GENERATOR_BITS, dtype=np.uint8)
        for byte in bytes(seed):
            state = _product(powers[0], state)
            state[:8] ^= np.unpackbits(np.uint8(byte), bitorder="little")
        # Each power of the map doubles the number of states that are known.
        states = state[:, None]
        for power in powers:
            states = np.concatenate([states, _product(power, states)], axis=1)
        self._states = np.packbits(states, axis=1).view(np.uint64)
        self._leap = [np.flatnonzero(row) for row in leap]

    def words(self) -> np.ndarray:
        """Compute the words of the next `BLOCK` cycles.

        Returns
        -------
        ndarray of int32 of shape (BLOCK, WORDS)
            Uniform random numbers of `WORD_BITS` bits.
        """
        bits = np.unpackbits(self._states.view(np.uint8), axis=1)[: WORDS * WORD_BITS]
        weights = (1 << np.arange(WORD_BITS)).astype(np.int32)
        words = np.einsum("wbc,b->cw", bits.reshape(WORDS, WORD_BITS, BLOCK), weights)
        self._states = np.array(
            [np.bitwise_xor.reduce(self._states[taps], axis=0) for taps in self._leap]
        )
        return words


class GoldenThresholds:
    """Random thresholds of a problem's spins and decisions of the ring, round by round.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    first : int
        The first spin that is a variable; the spins before it get no thresholds.
    seeds : ndarray of uint8 of shape (generators, SEED_BYTES)
        Seeds of the generators.
    """

    def __init__(self, size: AnnealerSize, first: int, seeds: np.ndarray) -> None:
        self._size = size
        self._spins = spins = size.spins - first
        self._generators = [GoldenGenerator(i, seeds[i]) for i in range(generators(size))]
        self._words = np.empty((0, size.samples), dtype=np.int32)
        self._first = first
        self._turn = size.turn(first)
        self._cycles = size.replicas * self._turn  # of a round
        # Digits with equal strides move together, so one sequence of numbers serves all of them:
        # each number is made of the samples of all these digits.
        self._sequences = {
            stride: np.zeros(
                (size.replicas, spins) if size.tempering else self._kept(stride), dtype=np.int32
            )
            for stride in set(size.sequences)
        }
        # Rounds are computed in blocks. A block ends early if the probabilities change.
        self._drawn: tuple | None = None
        self._spent = 0  # cycles of the block
        self._before = 0  # cycles before the block

    def round(
        self, step: Step, probabilities: np.ndarray, turns: int | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Draw the random numbers of the next round.

        Parameters
        ----------
        step : Step
            The step that is under way.
        probabilities : ndarray of int of shape (replicas, threshold_bits)
            Probabilities of the digits that are drawn in the turn of each replica.
        turns : int, optional
            Number of turns of the round: by default one for each replica; with a window there may
            be fewer.

        Returns
        -------
        thresholds : ndarray of int32 of shape (turns, spins - first)
            Threshold of each spin in each turn. Digits from before the start are 0. The array is a
            view that must not be written to.
        holds : ndarray of bool of shape (turns, spins - first), or None
            Whether the ring holds a spin if it equals its neighbours; None if all replicas may
            move.
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
        total = np.asarray(parts[0] if len(parts) == 1 else np.sum(parts, axis=0, dtype=np.int32))
        if step.moving is Moving.ALL:
            return total, None
        ring = 1 << self._size.threshold_bits
        return total & (ring - 1), total & ring != 0

    def exchange_words(self, rounds: int) -> np.ndarray:
        """Draw the random numbers of the exchanges between two steps.

        Thresholds stand still during these rounds: the next round goes on where the last one ended.

        Parameters
        ----------
        rounds : int
            Number of rounds that the exchanges take.

        Returns
        -------
        ndarray of int32 of shape (cycles,)
            One uniform random number for each clock cycle of the rounds.
        """
        self._advance()
        cycles = rounds * self._cycles
        words = self._peek(cycles)[:, -1]
        self._words = self._words[cycles:]
        return words

    def _window(self, stride: int, sequence: np.ndarray, cycles: int) -> np.ndarray:
        """Cut out of a sequence the samples that the replicas see in a round of `cycles` cycles."""
        spins = self._spins
        if self._size.tempering:
            first = self._spent // self._cycles * stride
            return sequence[:, first : first + spins]
        first = self._spent * stride
        apart = stride  # samples from the first that one replica sees to the first of the next one
        if window := self._size.window:
            # The samples of the round itself come too late for it, and so does a word that is not
            # complete when the round begins. The first window of a pass may begin with spins that
            # are not in use.
            first -= cycles * stride
            first -= (self._before * stride + first) % window
            first += (self._turn + 1) * window - spins
            apart = window
        (step,) = sequence.strides
        return np.lib.stride_tricks.as_strided(
            sequence[first:], (cycles // self._turn, spins), (apart * step, step), writeable=False
        )

    def _kept(self, stride: int) -> int:
        """Count the samples, drawn before a round, that the round needs."""
        size = self._size
        if size.window:
            return (self._turn + windows.LAG + 1) * size.window
        return self._spins + stride * (size.replicas - 1)

    def _advance(self) -> None:
        """Drop the samples that all rounds so far have used, and end the block."""
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
        """Draw the samples of `ROUNDS` rounds and append them to the sequences."""
        size = self._size
        # Axes: round, cycle, uniform number. The numbers of a cycle go to the sequences one after
        # the other, as many to each as its stride.
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
                # The ring's digit is 0 as long as all replicas move.
                sequence = sequence & ~(1 << size.threshold_bits)
            entering: np.ndarray = fresh[stride]
            if size.tempering:
                entering = entering.swapaxes(0, 1).reshape(size.replicas, -1)
                self._sequences[stride] = np.concatenate([sequence, entering], axis=1)
            else:
                self._sequences[stride] = np.concatenate([sequence, entering.ravel()])

    def _peek(self, cycles: int) -> np.ndarray:
        """Uniform numbers of the next cycles, which stay to be drawn."""
        while len(self._words) < cycles:
            block = np.concatenate([g.words() for g in self._generators], axis=1)
            self._words = np.concatenate([self._words, block[:, : self._size.samples]])
        return self._words[:cycles]


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


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Product of two matrices over GF(2).

    Floats are exact here, since no sum exceeds `GENERATOR_BITS`, and NumPy multiplies them faster.
    """
    return (left.astype(np.float32) @ right.astype(np.float32)).astype(np.uint8) & 1
