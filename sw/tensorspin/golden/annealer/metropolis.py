"""Bit-exact model of the annealer and its exact cycle count, vectorised over replicas and spins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.annealer import windows
from ...contract.annealer.problem import IsingProblem, Step
from ...contract.annealer.results import Anneal
from ...contract.annealer.size import REFRESH, START, STEP_ROUNDS, Exchange, Moving
from ...contract.annealer.tempering import FIRST_DIGIT, Ladder, exchange_rounds, pair_cycles
from .thresholds import Thresholds


class Annealer:
    """A run, round by round.

    Parameters
    ----------
    problem : IsingProblem
    seeds : ndarray of uint8, shape (generators, SEED_BYTES)
        As from `tensorspin.contract.annealer.thresholds.expand_seed`.
    refresh : int, default=0
        Turns that a replica sits out between two sweeps.
    initial_states : array_like of int, shape (replicas, n), optional
        +1 and -1. Without them all spins are +1.
    ladder : Ladder, optional
        Needed by steps with an exchange.

    Attributes
    ----------
    states : ndarray of int32, shape (replicas, n)
    energies : ndarray of int64, shape (replicas,)
    best_states, best_energies
        With the lowest energy (the first such).
    flips : ndarray of int64, shape (replicas,)
    ranks : ndarray of int64, shape (replicas,)
        On the ladder.
    turns : int
        Of all replicas.

    Raises
    ------
    ValueError
        If `refresh` is out of range, or the initial states do not fit.
    """

    def __init__(
        self,
        problem: IsingProblem,
        seeds: np.ndarray,
        refresh: int = 0,
        initial_states: np.ndarray | None = None,
        ladder: Ladder | None = None,
    ) -> None:
        if not REFRESH.minimum <= refresh <= REFRESH.maximum:
            raise ValueError(f"refresh must be 0 to {REFRESH.maximum}, not {refresh}")
        size = problem.size
        self.problem = problem
        self.turns = 0
        self.states = problem.initial_states(initial_states).astype(np.int32)
        self.flips = np.zeros(size.replicas, dtype=np.int64)
        self.ranks = np.arange(size.replicas)
        self._ladder = ladder
        self._refresh = refresh
        self._couplings = problem.couplings.astype(np.int32)
        self._fields = problem.linear.astype(np.int32) + self.states @ self._couplings
        self._cursor = np.zeros(size.replicas, dtype=np.int64)
        self._rest = np.zeros(size.replicas, dtype=np.int64)
        self._fill = [size.replicas] * problem.fill_rounds(initial_states is not None)
        if size.window and initial_states is not None:
            begin, end = problem.offset_rows, problem.offset_rows + problem.variables
            self._fill[begin:end] = windows.flip_turns(self.states)
        # With a window: replicas that have no turns, and what a later turn of them has to do.
        self._spared = np.zeros(size.replicas, dtype=bool)
        self._improved = np.ones(size.replicas, dtype=bool)
        self._keeps = np.zeros(size.replicas, dtype=bool)
        self.energies = problem.energy(self.states)
        self.best_energies = self.energies.copy()
        self.best_states = self.states.copy()
        self._thresholds = Thresholds(size, problem.first, seeds)

    def fill(self, step: Step) -> None:
        """The rounds before the first comparison, with the first step's probabilities."""
        probabilities = self._probabilities(step)
        for turns in self._fill:
            self._thresholds.round(step, probabilities, turns)
            self.turns += turns

    def run(self, step: Step) -> None:
        """All rounds of a step."""
        replicas = np.arange(self.problem.size.replicas)
        waits = {Moving.ALL: None, Moving.EVEN: 1, Moving.ODD: 0}[step.moving]
        left = np.where(replicas % 2 == waits, 0, step.sweeps)
        probabilities = self._probabilities(step)
        self._spared[:] = False
        self._round(step, probabilities, left, begins=True)
        while left.any():
            self._round(step, probabilities, left)
        for _ in range(STEP_ROUNDS - 1):
            self._round(step, probabilities, left)
        if step.exchange is not Exchange.NONE:
            self._exchange(step.exchange)

    def _probabilities(self, step: Step) -> np.ndarray:
        if step.exchange is Exchange.NONE:
            return np.tile(step.probabilities, (self.problem.size.replicas, 1))
        return np.array(self._ladder.probabilities)[self.ranks]

    def _exchange(self, pairs: Exchange) -> None:
        size = self.problem.size
        rounds = exchange_rounds(size)
        words = self._thresholds.exchange_words(rounds)
        self.turns += rounds * size.replicas
        self._rest = np.maximum(self._rest - rounds, 0)
        replicas = np.argsort(self.ranks)
        for pair, rank in enumerate(range(pairs is Exchange.ODD, size.replicas - 1, 2)):
            hot, cold = replicas[rank : rank + 2]
            begin = pair * pair_cycles(size) + FIRST_DIGIT
            digits = words[begin : begin + size.exchange_bits] < self._ladder.exchanges[rank]
            threshold = digits @ (1 << np.arange(size.exchange_bits))
            if (self.energies[hot] - self.energies[cold]) // 2 <= threshold:
                self.ranks[[hot, cold]] = rank + 1, rank

    def _round(
        self, step: Step, probabilities: np.ndarray, left: np.ndarray, begins: bool = False
    ) -> None:
        """A turn of each replica; counts down the sweeps that it has left in `left`."""
        present = ~self._spared
        turns = int(present.sum())
        thresholds, holds = self._thresholds.round(step, probabilities, turns)
        self.turns += turns
        rests = present & (self._rest > 0)
        self._rest -= rests
        active = ~rests & (left > 0)
        if self.problem.size.window:
            self._spare(present & (left == 0) & ~self._keeps & (not begins))
            self._keeps[present], self._improved[present] = self._improved[present], False
        if not active.any():
            return
        if turns < len(present):
            # Those that have no turn are not active either.
            seen, thresholds = thresholds, np.zeros(self._fields.shape, dtype=np.int32)
            thresholds[present] = seen
        accept = -self.states * self._fields <= thresholds
        if holds is not None:
            neighbours = np.roll(self.states, 1, axis=0) + np.roll(self.states, -1, axis=0)
            accept &= ~(holds & (neighbours == 2 * self.states))
        accept &= np.arange(self.problem.variables) >= self._cursor[:, None]
        accept &= active[:, None]
        spins = accept.argmax(axis=1)
        flips = np.flatnonzero(accept[np.arange(len(spins)), spins])
        ends = active.copy()
        ends[flips] = False
        left -= ends
        self._cursor[ends] = 0
        self._rest[ends] = self._refresh

        spins = spins[flips]
        self._cursor[flips] = spins + 1
        before = self.states[flips, spins]
        self.energies[flips] -= 2 * before * self._fields[flips, spins]
        self._fields[flips] -= 2 * before[:, None] * self._couplings[spins]
        self.states[flips, spins] = -before
        self.flips[flips] += 1
        better = np.flatnonzero(self.energies < self.best_energies)
        self.best_energies[better] = self.energies[better]
        self.best_states[better] = self.states[better]
        self._improved[better] = True

    def _spare(self, idle: np.ndarray) -> None:
        """Leave out the turns of idle replicas until the step ends, as far as that may be."""
        least = self.problem.size.least_turns
        places = np.flatnonzero(idle)
        self._spared[places[: np.count_nonzero(~self._spared) - least]] = True


def anneal(
    problem: IsingProblem,
    steps: Sequence[Step],
    seeds: np.ndarray,
    refresh: int = 0,
    initial_states: np.ndarray | None = None,
    ladder: Ladder | None = None,
) -> Anneal:
    """Anneal as the gateware does.

    Parameters
    ----------
    problem : IsingProblem
    steps : sequence of Step
        At least one.
    seeds, refresh, initial_states, ladder
        As for `Annealer`.

    Returns
    -------
    Anneal
    """
    annealer = Annealer(problem, seeds, refresh, initial_states, ladder)
    annealer.fill(steps[0])
    for step in steps:
        annealer.run(step)
    return Anneal(
        annealer.states.astype(np.int8),
        annealer.best_states.astype(np.int8),
        annealer.energies,
        annealer.best_energies,
        annealer.ranks,
        START + annealer.turns * problem.turn,
    )
