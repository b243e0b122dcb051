"""Bit-exact model of the annealer's random thresholds."""

from __future__ import annotations

import numpy as np

from ...contract.annealer import windows
from ...contract.annealer.size import RING, AnnealerSize, Moving
from ...contract.annealer.steps import Step
from ...contract.annealer.thresholds import WORD_BITS
from .uniform import Digit, UniformNumbers, cut


class GoldenThresholds:
    """Random thresholds of a problem's spins and decisions of the ring, round by round.

    Several runs, whose seeds differ, are computed together. A run may have fewer turns than the
    others in a round, or none; it then uses up fewer random numbers.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    first : int
        The first spin that is a variable; the spins before it get no thresholds.
    seeds : ndarray of uint8 of shape (runs, generators, SEED_BYTES)
        Seeds of the generators.
    """

    def __init__(self, size: AnnealerSize, first: int, seeds: np.ndarray) -> None:
        self._size = size
        self._spins = size.spins - first
        self._turn = size.turn(first)  # in cycles
        self._numbers = UniformNumbers(size, seeds)
        # Digits with equal strides move together, so one sequence of numbers serves all of them:
        # each number is made of the samples of all these digits.
        self._sequences = [
            _Sequence(size, self._spins, self._turn, stride, len(seeds))
            for stride in sorted(set(size.sequences))
        ]

    def draw(self, step: Step, probabilities: np.ndarray, turns: np.ndarray) -> None:
        """Draw the random numbers of the next round, which `look` then shows.

        Parameters
        ----------
        step : Step
            The step that is under way.
        probabilities : ndarray of int of shape (digits,) or (runs, replicas, digits)
            Probabilities of the thresholds' digits: the same in all turns, or those that each
            replica draws with in its turn.
        turns : ndarray of int of shape (runs,)
            Number of turns of each run in this round: one for each replica, or none; with a window
            there may be others in between.
        """
        cycles = turns * self._turn
        begins = self._numbers.advance(cycles)
        # A number below the limit makes a 1.
        limits = np.empty((*probabilities.shape[:-1], len(self._size.sequences)), dtype=np.int32)
        limits[..., : self._size.threshold_bits] = probabilities
        if self._size.ring:
            # The ring's digits are 0 as long as all replicas move.
            moves = step.moving is not Moving.ALL
            limits[..., -1] = moves * step.ring << WORD_BITS - RING.f_bits
        for sequence in self._sequences:
            sequence.draw(self._numbers, limits, begins, cycles)
            if step.moving is Moving.ALL:
                sequence.clear_ring()

    def look(self, step: Step, present: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Show the random numbers that the replicas see in the round that was drawn last.

        Parameters
        ----------
        step : Step
            The step that is under way.
        present : ndarray of bool of shape (runs, replicas)
            Which replicas have a turn in this round.

        Returns
        -------
        thresholds : ndarray of int32 of shape (runs * replicas, spins - first)
            Threshold of each spin in each turn; anything for a replica that has none. Digits from
            before the start are 0.
        holds : ndarray of bool of shape (runs * replicas, spins - first), or None
            Whether the ring holds a spin if it equals its neighbours; None if all replicas may
            move.
        """
        turn = np.maximum(np.cumsum(present, axis=1) - 1, 0)
        total, *others = [sequence.look(turn) for sequence in self._sequences]
        total = total.astype(np.int32)
        for other in others:
            total += other
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
        ndarray of int32 of shape (runs, cycles)
            One uniform random number for each clock cycle of the rounds.
        """
        cycles = rounds * self._size.replicas * self._turn
        begins = self._numbers.advance(np.full(self._numbers.runs, cycles))
        return self._numbers.words(begins, cycles)[:, :, -1]


class _Sequence:
    """Samples of all digits with one stride, a number for each sample, of several runs.

    Each run has one *line* of samples; with tempering it has one for each replica. The newest
    samples are last.
    """

    def __init__(self, size: AnnealerSize, spins: int, turn: int, stride: int, runs: int) -> None:
        self._size, self._spins, self._turn, self._stride = size, spins, turn, stride
        digits = [digit for digit, other in enumerate(size.sequences) if other == stride]
        self._digits = digits
        # The numbers of a cycle go to the digits one after the other, as many to each as its
        # stride.
        self._begins = np.cumsum((0, *size.sequences))[digits].tolist()
        self._lines = runs * (size.replicas if size.tempering else 1)
        if size.tempering:
            self._kept = spins  # samples, drawn before a round, that the round needs
        elif size.window:
            self._kept = (turn + windows.LAG + 1) * size.window
        else:
            self._kept = spins + stride * (size.replicas - 1)
        self._samples = np.zeros(
            (self._lines, self._kept), dtype=np.min_scalar_type((1 << len(size.sequences)) - 1)
        )
        self._drawn = np.zeros(self._lines, dtype=np.int64)  # in this round
        self._before = np.zeros(self._lines, dtype=np.int64)  # in all rounds before it

    def draw(
        self, numbers: UniformNumbers, limits: np.ndarray, begins: np.ndarray, cycles: np.ndarray
    ) -> None:
        """Append the samples of a round; `GoldenThresholds.draw` describes the arguments."""
        self._before += self._drawn
        most = int(cycles.max())
        if limits.ndim == 1:
            fresh = self._with_common_limits(numbers, limits, begins, most)
        else:
            fresh = self._with_limits_of_replicas(numbers, limits, begins, most)
        kept = cut(self._samples, self._drawn + self._rows(), self._kept)
        self._samples = np.concatenate([kept, fresh.reshape(self._lines, -1)], axis=1)
        drawn = cycles * self._stride
        if self._size.tempering:  # a line is drawn in the turn of its replica only
            drawn = np.repeat(drawn > 0, self._size.replicas) * self._stride
        self._drawn = drawn

    def _with_common_limits(
        self, numbers: UniformNumbers, limits: np.ndarray, begins: np.ndarray, cycles: int
    ) -> np.ndarray:
        """Draw samples, an array of shape (runs, cycles, stride), with a limit for each digit.

        They are the same as with equal limits for all replicas, but take less time.
        """
        of_digits = zip(self._digits, self._begins, limits[self._digits].tolist(), strict=True)
        digits = [Digit(*digit) for digit in of_digits]
        return numbers.samples(self._stride, digits, begins, cycles)

    def _with_limits_of_replicas(
        self, numbers: UniformNumbers, limits: np.ndarray, begins: np.ndarray, cycles: int
    ) -> np.ndarray:
        """Draw samples, an array of shape (runs, cycles, stride); each cycle has its limits."""
        words = numbers.words(begins, cycles)
        dtype = self._samples.dtype
        samples: np.ndarray = np.zeros((len(words), cycles, self._stride), dtype=dtype)
        for digit, begin in zip(self._digits, self._begins, strict=True):
            ones = words[:, :, begin : begin + self._stride] < limits[..., digit, None]
            samples |= np.left_shift(ones, digit, dtype=dtype)
        return samples

    def clear_ring(self) -> None:
        """Set the ring's digits of all samples to 0."""
        self._samples &= (1 << self._size.threshold_bits) - 1

    def look(self, turn: np.ndarray) -> np.ndarray:
        """Cut out the samples that each replica sees, an array of shape (runs * replicas, spins).

        `turn` is the number of each replica's turn in the round, of shape (runs, replicas).
        """
        size, spins = self._size, self._spins
        if size.tempering:
            begins = self._drawn + self._rows()
        elif size.window:
            # The samples of the round itself come too late for it, and so does a word that is not
            # complete when the round begins. The first window of a pass may begin with spins that
            # are not in use.
            begins = (self._turn + 1) * size.window - spins - self._before % size.window
            begins = (begins + self._rows())[:, None] + turn * size.window
        else:
            begins = (self._drawn + self._rows())[:, None] + turn * self._stride
        return cut(self._samples, begins.ravel(), spins)

    def _rows(self) -> np.ndarray:
        """Place of each line's first sample in the flat array of samples."""
        return np.arange(self._lines) * self._samples.shape[1]
