"""Bit-exact model of the annealer and its exact cycle count, vectorised over replicas and spins."""

from __future__ import annotations

import numpy as np

from ...contract.annealer import windows
from ...contract.annealer.job import AnnealJob
from ...contract.annealer.results import AnnealResults
from ...contract.annealer.size import FIRST_DIGIT, START, STEP_ROUNDS, Exchange, Moving
from ...contract.annealer.steps import Step
from ...contract.annealer.tempering import Ladder
from .thresholds import GoldenThresholds


class GoldenAnnealer:
    """A run of the annealer, round by round.

    `anneal` runs a whole job. This class is for those who look at the states in between: call
    `fill` once, then `run` with one step after another, which need not be the steps of the job.

    Parameters
    ----------
    job : AnnealJob
        The job. It is not checked: a device runs whatever it is given.

    Attributes
    ----------
    states : ndarray of int32 of shape (replicas, n)
        Present state of each replica.
    energies : ndarray of int64 of shape (replicas,)
        Energy of these states, in units of the couplings.
    best_states : ndarray of int32 of shape (replicas, n)
        State of lowest energy that each replica has met, the first one if there are several.
    best_energies : ndarray of int64 of shape (replicas,)
        Energy of these states.
    flips : ndarray of int64 of shape (replicas,)
        Number of flips of each replica since the start.
    ranks : ndarray of int64 of shape (replicas,)
        Present rank of each replica on the ladder of temperatures.
    turns : int
        Number of turns of all replicas since the start.

    Raises
    ------
    ValueError
        If the initial states do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.annealer import AnnealerSize, AnnealJob, IsingProblem, schedule
    >>> size = AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8)
    >>> problem = IsingProblem(size, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
    >>> job = AnnealJob(problem, schedule([0.5], 5, size), seed=1)
    >>> annealer = GoldenAnnealer(job)
    >>> annealer.fill()
    >>> annealer.run(job.steps[0])
    >>> annealer.states[0].tolist(), int(annealer.energies[0])
    ([-1, 1], -6)
    """

    def __init__(self, job: AnnealJob) -> None:
        problem, size = job.problem, job.problem.size
        self.job = job
        self.problem = problem
        self.turns = 0
        self.states = job.start_states.astype(np.int32)
        self.flips = np.zeros(size.replicas, dtype=np.int64)
        self.ranks = np.arange(size.replicas)
        self._refresh = job.refresh
        self._couplings = problem.couplings.astype(np.int32)
        self._fields = problem.linear.astype(np.int32) + self.states @ self._couplings
        # Spin from which each replica's next turn begins, and turns that it still sits out.
        self._cursor = np.zeros(size.replicas, dtype=np.int64)
        self._rest = np.zeros(size.replicas, dtype=np.int64)
        # Turns of each round before the first comparison.
        self._fill = [size.replicas] * job.fill_rounds
        if size.window and job.initial_states is not None:
            begin, end = problem.offset_rows, problem.offset_rows + problem.variables
            self._fill[begin:end] = windows.flip_turns(self.states)
        # With a window: `_spared` replicas have no turns until the step ends. `_improved` and
        # `_keeps` follow a new best state through the turns up to the one that stores it.
        self._spared = np.zeros(size.replicas, dtype=bool)
        self._improved = np.ones(size.replicas, dtype=bool)
        self._keeps = np.zeros(size.replicas, dtype=bool)
        self.energies = problem.energy(self.states)
        self.best_energies = self.energies.copy()
        self.best_states = self.states.copy()
        self._thresholds = GoldenThresholds(size, problem.first, job.generator_seeds)

    def fill(self) -> None:
        """Do the rounds before the first comparison, with the probabilities of the first step."""
        step = self.job.steps[0]
        probabilities = self._probabilities(step)
        for turns in self._fill:
            self._thresholds.round(step, probabilities, turns)
            self.turns += turns

    def run(self, step: Step) -> None:
        """Do all rounds of a step.

        Parameters
        ----------
        step : Step
            The step, for a device of the job's size.
        """
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

    @property
    def _ladder(self) -> Ladder:
        """Temperatures of the ranks, which steps with an exchange need."""
        if self.job.ladder is None:
            raise ValueError("steps with an exchange need a ladder of temperatures")
        return self.job.ladder

    def _probabilities(self, step: Step) -> np.ndarray:
        """Probabilities of the digits for each replica: array of shape (replicas, digits)."""
        if step.exchange is Exchange.NONE:
            return np.tile(step.probabilities, (self.problem.size.replicas, 1))
        return np.array(self._ladder.probabilities)[self.ranks]

    def _exchange(self, pairs: Exchange) -> None:
        """Exchange the ranks of neighbouring pairs by `tensorspin.contract.annealer.tempering`."""
        size = self.problem.size
        rounds = size.exchange_rounds
        words = self._thresholds.exchange_words(rounds)
        self.turns += rounds * size.replicas
        self._rest = np.maximum(self._rest - rounds, 0)
        replicas = np.argsort(self.ranks)
        for pair, rank in enumerate(range(pairs is Exchange.ODD, size.replicas - 1, 2)):
            hot, cold = replicas[rank : rank + 2]
            begin = pair * size.pair_cycles + FIRST_DIGIT
            digits = words[begin : begin + size.exchange_bits] < self._ladder.exchanges[rank]
            threshold = digits @ (1 << np.arange(size.exchange_bits))
            if (self.energies[hot] - self.energies[cold]) // 2 <= threshold:
                self.ranks[[hot, cold]] = rank + 1, rank

    def _round(
        self, step: Step, probabilities: np.ndarray, left: np.ndarray, begins: bool = False
    ) -> None:
        """Give each replica a turn; count down in `left` the sweeps that it has yet to do."""
        present = ~self._spared
        turns = int(present.sum())
        thresholds, holds = self._thresholds.round(step, probabilities, turns)
        self.turns += turns
        rests = present & (self._rest > 0)
        self._rest -= rests
        active = ~rests & (left > 0)
        if self.problem.size.window:
            # The gateware stores a new best state two turns after the flip that led to it, so that
            # turn is not left out.
            self._spare(present & (left == 0) & ~self._keeps & (not begins))
            self._keeps[present], self._improved[present] = self._improved[present], False
        if not active.any():
            return
        if turns < len(present):
            # Replicas that have no turn are not active either, so any thresholds do for them.
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
        # A turn in which no spin accepts ends the replica's sweep.
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
        """Leave out the turns of idle replicas until the step ends, except for the least number."""
        least = self.problem.size.least_turns
        places = np.flatnonzero(idle)
        self._spared[places[: np.count_nonzero(~self._spared) - least]] = True


def anneal(job: AnnealJob) -> AnnealResults:
    """Run a job as the gateware does.

    Parameters
    ----------
    job : AnnealJob
        The job, with at least one step. It is not checked.

    Returns
    -------
    AnnealResults
        States, energies and cycles, all of them equal to the gateware's.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.annealer import AnnealerSize, AnnealJob, IsingProblem, schedule
    >>> size = AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8)
    >>> problem = IsingProblem(size, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
    >>> found = anneal(AnnealJob(problem, schedule([4.0, 1.0], 5, size), seed=1))
    >>> int(found.best_energies.min())
    -6
    """
    annealer = GoldenAnnealer(job)
    annealer.fill()
    for step in job.steps:
        annealer.run(step)
    return AnnealResults(
        annealer.states.astype(np.int8),
        annealer.best_states.astype(np.int8),
        annealer.energies,
        annealer.best_energies,
        annealer.ranks,
        START + annealer.turns * job.turn_cycles,
    )
