"""Bit-exact model of the annealer and its exact cycle count, vectorised over replicas and spins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...contract.annealer import windows
from ...contract.annealer.job import AnnealJob
from ...contract.annealer.results import AnnealResults
from ...contract.annealer.segments import segment_bounds
from ...contract.annealer.size import FIRST_DIGIT, START, STEP_ROUNDS, Exchange, Moving
from ...contract.annealer.steps import Step
from ...contract.annealer.tempering import Ladder
from .thresholds import GoldenThresholds


class GoldenAnnealer:
    """A run of the annealer, round by round, or several runs at once.

    `anneal` runs a whole job. This class is for those who look at the states in between: call
    `fill` once, then `run` with one step after another, which need not be the steps of the job.

    Runs do not influence each other. They are computed together because NumPy needs hardly more
    time for many small runs than for one.

    Parameters
    ----------
    *jobs : AnnealJob
        The job of each run. They differ in nothing but seed and initial states, which all of them
        have or none. They are not checked: a device runs whatever it is given.

    Attributes
    ----------
    states : ndarray of int32 of shape (runs * replicas, n)
        Present state of each replica, first those of the first run.
    energies : ndarray of int64 of shape (runs * replicas,)
        Energy of these states, in units of the couplings.
    best_states : ndarray of int32 of shape (runs * replicas, n)
        State of lowest energy that each replica has met, the first one if there are several.
    best_energies : ndarray of int64 of shape (runs * replicas,)
        Energy of these states.
    flips : ndarray of int64 of shape (runs * replicas,)
        Number of flips of each replica since the start.
    ranks : ndarray of int64 of shape (runs * replicas,)
        Present rank of each replica on its run's ladder of temperatures.
    turns : ndarray of int64 of shape (runs,)
        Number of turns of all replicas of a run since the start.

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

    def __init__(self, *jobs: AnnealJob) -> None:
        job = jobs[0]
        problem, size = job.problem, job.problem.size
        self.job = job
        self.problem = problem
        self.runs = len(jobs)
        self.turns = np.zeros(self.runs, dtype=np.int64)
        self.states = np.concatenate([each.start_states for each in jobs]).astype(np.int32)
        self._rows = np.arange(len(self.states))
        self._spins = np.arange(problem.variables)
        self.flips = np.zeros(len(self.states), dtype=np.int64)
        self.ranks = np.tile(np.arange(size.replicas), self.runs)
        self._refresh = job.refresh
        self._couplings = problem.couplings.astype(np.int32)
        self._fields = problem.linear.astype(np.int32) + self.states @ self._couplings
        # Variable from which each replica's next turn begins, in each segment of spins, and turns
        # that it still sits out.
        self._bounds = segment_bounds(size, problem.variables)
        self._starts = np.tile(self._bounds[:-1], (len(self.states), 1))
        self._cursor = self._starts.copy()
        self._rest = np.zeros(len(self.states), dtype=np.int64)
        # Sweeps of all replicas that have ended in steps that share them, and that should have.
        self._ended = np.zeros(self.runs, dtype=np.int64)
        self._due = 0
        # Turns of each round before the first comparison, for each run.
        self._fill = np.full((job.fill_rounds, self.runs), size.replicas)
        if size.window and job.initial_states is not None:
            begin, end = problem.offset_rows, problem.offset_rows + problem.variables
            self._fill[begin:end] = np.transpose(
                [windows.flip_turns(each.start_states) for each in jobs]
            )
        # With a window: `_spared` replicas have no turns until the step ends. `_improved` and
        # `_keeps` follow a new best state through the turns up to the one that stores it.
        self._spared = np.zeros(len(self.states), dtype=bool)
        self._improved = np.ones(len(self.states), dtype=bool)
        self._keeps = np.zeros(len(self.states), dtype=bool)
        self.energies = problem.energy(self.states)
        self.best_energies = self.energies.copy()
        self.best_states = self.states.copy()
        seeds = np.array([each.generator_seeds for each in jobs])
        self._thresholds = GoldenThresholds(size, problem.first, seeds)
        # Where the variables are among the spins from the first variable on; None if they are all.
        among = problem.spins - problem.first
        self._among = None if len(among) == size.spins - problem.first else among

    @property
    def cycles(self) -> np.ndarray:
        """Clock cycles from the start of each run to the end of its last round, as integers."""
        return START + self.turns * self.job.turn_cycles

    def fill(self) -> None:
        """Do the rounds before the first comparison, with the probabilities of the first step."""
        step = self.job.steps[0]
        probabilities = self._probabilities(step)
        for turns in self._fill:
            self._thresholds.draw(step, probabilities, turns)
            self.turns += turns

    def run(self, step: Step, shared: bool = False) -> None:
        """Do all rounds of a step.

        Parameters
        ----------
        step : Step
            The step, for a device of the job's size.
        shared : bool, default=False
            Whether the replicas share its sweeps.
        """
        for _ in self.rounds(step, shared):
            pass

    def rounds(self, step: Step, shared: bool = False) -> Iterator[None]:
        """Do the rounds of a step one by one, and give control back between them.

        Parameters
        ----------
        step, shared
            As for `run`.

        Yields
        ------
        None
            After each round but the last ones; the next begins when the iterator is asked again.
        """
        replicas = self._rows % self.problem.size.replicas
        waits = {Moving.ALL: None, Moving.EVEN: 1, Moving.ODD: 0}[step.moving]
        left = np.where(replicas % 2 == waits, 0, step.sweeps)
        probabilities = self._probabilities(step)
        self._spared[:] = False
        every = np.ones(self.runs, dtype=bool)
        if shared:
            yield from self._shared_rounds(step, probabilities, left)
            return
        left -= self._round(step, probabilities, left, every, begins=True)
        # A run whose replicas have done their sweeps waits until all runs have.
        while left.any():
            yield
            live = np.any(self._by_run(left), axis=1)
            left -= self._round(step, probabilities, left, live)
        for _ in range(STEP_ROUNDS - 1):
            self._round(step, probabilities, left, every)
        if step.exchange is not Exchange.NONE:
            self._exchange(step.exchange)

    def _shared_rounds(
        self, step: Step, probabilities: np.ndarray, left: np.ndarray
    ) -> Iterator[None]:
        """Do the rounds of a step whose sweeps the replicas share, as `rounds` does.

        `left` is not 0 for the replicas that move. A run that has left the step waits for others.
        """
        self._due += step.sweeps * self.problem.size.replicas
        live = np.ones(self.runs, dtype=bool)
        while live.any():
            # A step ends with the round after the one with which its sweeps are complete.
            done = self._ended >= self._due
            ends = self._round(step, probabilities, left, live)
            self._ended += self._by_run(ends).sum(axis=1)
            live &= ~done
            if live.any():
                yield

    def results(self) -> list[AnnealResults]:
        """Give the states, energies and cycles so far, as a device reports them at the end.

        Returns
        -------
        list of AnnealResults
            The results of each run.
        """
        columns = (
            self.states.astype(np.int8),
            self.best_states.astype(np.int8),
            self.energies,
            self.best_energies,
            self.ranks,
        )
        parts = (np.split(column, self.runs) for column in columns)
        cycles = (self.cycles + self.job.check_cycles).tolist()
        return [AnnealResults(*each) for each in zip(*parts, cycles, strict=True)]

    @property
    def _ladder(self) -> Ladder:
        """Temperatures of the ranks, which steps with an exchange need."""
        if self.job.ladder is None:
            raise ValueError("steps with an exchange need a ladder of temperatures")
        return self.job.ladder

    def _by_run(self, values: np.ndarray) -> np.ndarray:
        """Give values of all replicas as an array of shape (runs, replicas, ...)."""
        return values.reshape(self.runs, self.problem.size.replicas, *values.shape[1:])

    def _probabilities(self, step: Step) -> np.ndarray:
        """Probabilities of the digits: shape (digits,), or (runs, replicas, digits) by rank."""
        if step.exchange is Exchange.NONE:
            return np.array(step.probabilities)
        return np.array(self._ladder.probabilities)[self._by_run(self.ranks)]

    def _exchange(self, pairs: Exchange) -> None:
        """Exchange the ranks of neighbouring pairs by `tensorspin.contract.annealer.tempering`."""
        size = self.problem.size
        rounds = size.exchange_rounds
        words = self._thresholds.exchange_words(rounds)
        self.turns += rounds * size.replicas
        self._rest = np.maximum(self._rest - rounds, 0)
        # The replicas of each run in the order of their ranks.
        replicas = np.argsort(self._by_run(self.ranks), axis=1)
        replicas += self._rows[:: size.replicas, None]
        for pair, rank in enumerate(range(pairs is Exchange.ODD, size.replicas - 1, 2)):
            hot, cold = replicas[:, rank], replicas[:, rank + 1]
            begin = pair * size.pair_cycles + FIRST_DIGIT
            digits = words[:, begin : begin + size.exchange_bits] < self._ladder.exchanges[rank]
            threshold = digits @ (1 << np.arange(size.exchange_bits))
            accept = (self.energies[hot] - self.energies[cold]) // 2 <= threshold
            self.ranks[hot] = rank + accept
            self.ranks[cold] = rank + 1 - accept

    def _round(
        self,
        step: Step,
        probabilities: np.ndarray,
        left: np.ndarray,
        live: np.ndarray,
        begins: bool = False,
    ) -> np.ndarray:
        """Give each replica of the `live` runs a turn, and return which replicas end a sweep.

        `left` holds the sweeps that each replica has yet to do; those that have none compare
        nothing.
        """
        size = self.problem.size
        present = np.repeat(live, size.replicas) & ~self._spared
        turns = self._by_run(present).sum(axis=1)
        self._thresholds.draw(step, probabilities, turns)
        self.turns += turns
        rests = present & (self._rest > 0)
        self._rest -= rests
        active = present & ~rests & (left > 0)
        if size.window:
            # The gateware stores a new best state two turns after the flip that led to it, so that
            # turn is not left out.
            self._spare(present & (left == 0) & ~self._keeps & (not begins))
            self._keeps[present], self._improved[present] = self._improved[present], False
        if not active.any():
            return active
        thresholds, holds = self._thresholds.look(step, self._by_run(present))
        if self._among is not None:
            thresholds = thresholds[:, self._among]
            holds = None if holds is None else holds[:, self._among]
        accept = -self.states * self._fields <= thresholds
        if holds is not None:
            states = self._by_run(self.states)
            neighbours = np.roll(states, 1, axis=1) + np.roll(states, -1, axis=1)
            accept &= ~(holds & (neighbours == 2 * states).reshape(holds.shape))
        for segment, (begin, end) in enumerate(zip(self._bounds, self._bounds[1:])):
            accept[:, begin:end] &= self._spins[begin:end] >= self._cursor[:, [segment]]
        accept &= active[:, None]
        # A turn in which no spin accepts ends the replica's sweep.
        ends = active & ~accept.any(axis=1)
        flips = self._search(accept)
        self._cursor[ends] = self._starts[ends]
        self._rest[ends] = self._refresh
        self._flip(flips)
        better = np.flatnonzero(self.energies < self.best_energies)
        self.best_energies[better] = self.energies[better]
        self.best_states[better] = self.states[better]
        self._improved[better] = True
        return ends

    def _search(self, accept: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Find the variables that flip, and move the cursors of their replicas.

        Returns, for each segment of spins, the replicas that flip a variable of it, and these
        variables.
        """
        flips = []
        before = np.zeros(len(accept), dtype=bool)  # one flip a turn: an earlier segment has it
        moves = accept.any(axis=1)
        for segment, (begin, end) in enumerate(zip(self._bounds, self._bounds[1:])):
            part = accept[:, begin:end]
            found = part.any(axis=1)
            rows = np.flatnonzero(found & ~before)
            variables = begin + part[rows].argmax(axis=1) if len(rows) else rows
            # In a segment where no spin accepts, all are visited; unless a flip comes before them.
            self._cursor[moves & ~found & ~before, segment] = end
            self._cursor[rows, segment] = variables + 1
            flips.append((rows, variables))
            if self.job.flips == 1:
                before |= found
        return flips

    def _flip(self, flips: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Flip variables, at most one of each segment in a replica, all at once."""
        signs = [self.states[found] for found in flips]
        # Each changes the energy by its sign times its fields before and after all flips.
        for found, before in zip(flips, signs):
            self.energies[found[0]] -= before * self._fields[found]
        for (rows, variables), before in zip(flips, signs):
            self._fields[rows] -= 2 * before[:, None] * self._couplings[variables]
            self.states[rows, variables] = -before
            self.flips[rows] += 1
        for found, before in zip(flips, signs):
            self.energies[found[0]] -= before * self._fields[found]

    def _spare(self, idle: np.ndarray) -> None:
        """Leave out the turns of idle replicas until the step ends, except for the least number."""
        idle = self._by_run(idle)
        remaining = (~self._by_run(self._spared)).sum(axis=1)
        most = np.maximum(remaining - self.problem.size.least_turns, 0)
        self._spared |= (idle & (np.cumsum(idle, axis=1) <= most[:, None])).ravel()


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
    (found,) = anneal_all([job])
    return found


def anneal_all(jobs: Sequence[AnnealJob]) -> list[AnnealResults]:
    """Run several jobs as the gateware does, all at once.

    Parameters
    ----------
    jobs : sequence of AnnealJob
        Jobs as `GoldenAnnealer` takes them, which differ in nothing but seed and initial states.

    Returns
    -------
    list of AnnealResults
        The results of each job: those that `anneal` gives for it.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.annealer import AnnealerSize, AnnealJob, IsingProblem, schedule
    >>> size = AnnealerSize(24, 4, 9, 10, (1,) * 6, 16, 8)
    >>> problem = IsingProblem(size, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
    >>> steps = schedule([4.0, 1.0], 5, size)
    >>> found = anneal_all([AnnealJob(problem, steps, seed) for seed in (1, 2, 3)])
    >>> [int(each.best_energies.min()) for each in found]
    [-6, -6, -6]
    """
    annealer = GoldenAnnealer(*jobs)
    annealer.fill()
    for number, step in enumerate(annealer.job.steps):
        annealer.run(step, number < annealer.job.shared_steps)
    return annealer.results()
