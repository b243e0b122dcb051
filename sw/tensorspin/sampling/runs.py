"""Runs of a board's annealer, one after the other, until all reads are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import dimod
import numpy as np

from ..contract.annealer.job import AnnealJob
from ..driver.annealer import BoardAnnealResults
from ..errors import InterruptedRunError
from ..progress import Progress
from .crossover import Crossover
from .prepare import Prepared
from .quantise import Quantised

EXPECTED = 64
"""Number of runs that are prepared at a time. A golden board may compute them together."""

STATES = ("lower", "final", "best")
"""Which state of a replica is a read: the lower, in the user's model, of the other two; its last
state; or the one that had the lowest energy on the device."""


@dataclass(frozen=True, eq=False)
class Anneal:
    """One of the anneals of a read, or several in one run.

    Parameters
    ----------
    quantised : Quantised
        The model in integers.
    job : AnnealJob
        Its job, but for the seed and the initial states.
    count : int, default=1
        Number of anneals that the job makes, one after the other.
    """

    quantised: Quantised
    job: AnnealJob
    count: int = 1

    @property
    def info(self) -> dict[str, Any]:
        """How the device goes through its turns and steps, for the user."""
        return {"flips": self.job.flips, "shared_sweeps": self.job.shared_sweeps}


@dataclass(frozen=True, eq=False)
class _Run:
    """A run on the board: an anneal of some reads.

    Parameters
    ----------
    number : int
        Number of the anneal of each of these reads.
    reads : slice
        The reads, at most one for each replica.
    job : AnnealJob
        The job.
    """

    number: int
    reads: slice
    job: AnnealJob


class AnnealedReads:
    """The reads of a call while they are made, an anneal after the other.

    Parameters
    ----------
    anneals : sequence of Anneal
        The anneals of a read.
    model : Prepared
        The model as the device takes it.
    states : dimod.SampleSet
        Initial states of all reads, as spins.
    energies : callable
        Gives the energies, in the user's model, of an array of +1 and -1 in the order of the
        model's labels.
    seed : int
        Seed of the seeds of the runs.
    kind : str
        Which state of a replica is a read: one of `STATES`.
    given : bool, default=False
        Whether the initial states are the user's. If so, each anneal of a read begins in its
        initial state; otherwise all but the first begin in further random states.
    crossover : Crossover, optional
        Crosses each anneal of a read with the ones before, and the lowest read with the states of
        all replicas.
    """

    def __init__(
        self,
        anneals: Sequence[Anneal],
        model: Prepared,
        states: dimod.SampleSet,
        energies: Callable[[np.ndarray], np.ndarray],
        *,
        seed: int,
        kind: str,
        given: bool = False,
        crossover: Crossover | None = None,
    ) -> None:
        self._anneals, self._energies, self._kind, self._given = anneals, energies, kind, given
        self._replicas = anneals[0].job.problem.size.replicas
        self._annealed = len(model.variables)
        self._start = states.record.sample[:, [states.variables.index(v) for v in model.labels]]
        self._start[:, self._annealed :] = list(model.decided.values())
        self._samples = self._start.copy()
        # Energies are computed only where states of a replica, or of anneals, are compared.
        self._best = np.full(len(self._samples), np.inf)
        self._seed, self._crossover = seed, crossover
        self._lowest = self._samples[:0]
        self._done = np.zeros(len(self._samples), bool)
        self.runs: list[BoardAnnealResults] = []

    @property
    def missing(self) -> bool:
        """Whether not all anneals of all reads were done."""
        return len(self.runs) < len(self._anneals) * -(-len(self._samples) // self._replicas)

    def anneal(
        self,
        run: Callable[[AnnealJob, Sequence[AnnealJob]], BoardAnnealResults],
        interrupt_function: Callable[[], bool] | None = None,
        reached: Callable[[np.ndarray], bool] | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Run until all reads are done, somebody interrupts, or a read is good enough.

        Parameters
        ----------
        run : callable
            Runs a job on the board. It is also given the jobs that will probably follow, and may
            raise `InterruptedRunError`.
        interrupt_function : callable, optional
            Asked between runs; if it returns True, there are no more.
        reached : callable, optional
            Told the reads of each run, an array of +1 and -1; if it returns True, there are no
            more.
        progress : callable, optional
            Called with the number of reads done, and of all reads. Of several anneals, each counts
            as its part of the reads.

        Returns
        -------
        ndarray of int8 of shape (n_reads, n_variables)
            The reads, of +1 and -1, in the order of the model's labels. If not even the first run
            was done, they are the initial states of its reads.
        """
        count = len(self._samples)
        if not self._annealed:  # a device cannot run a problem without variables
            return self._samples
        for runs in self._blocks():
            while runs:
                if self.runs and interrupt_function is not None and interrupt_function():
                    return self._found()
                # Where the runs may end early, as many follow as have been done: then no more is
                # computed in vain than was of use.
                together = interrupt_function is None and reached is None
                following = runs if together else runs[: len(self.runs) + 1]
                try:
                    found = run(runs[0].job, [each.job for each in following])
                except InterruptedRunError:
                    return self._found()
                self._take(runs[0], found)
                if progress is not None:
                    done = len(self.runs) * self._replicas // len(self._anneals)
                    progress(min(done, count), count)
                if reached is not None and reached(self._samples[runs[0].reads]):
                    return self._found()
                del runs[0]
        return self._found()

    def _blocks(self) -> Iterator[list[_Run]]:
        """List the runs, a block of reads at a time, in it one anneal of all reads after the other.

        So the device keeps a problem for several runs, and an interruption leaves whole reads.
        """
        parts = -(-len(self._samples) // self._replicas)
        # Each run has a seed of 64 bits: two seeds of users hardly ever lead to the same one.
        words = np.random.SeedSequence(self._seed).generate_state(
            parts * len(self._anneals), np.uint64
        )
        for first in range(0, parts, EXPECTED):
            yield [
                self._run(number, place, int(words[number * parts + place]))
                for number in range(len(self._anneals))
                for place in range(first, min(first + EXPECTED, parts))
            ]

    def _run(self, number: int, place: int, seed: int) -> _Run:
        """Make the run of an anneal of some reads."""
        anneal = self._anneals[number]
        reads = slice(place * self._replicas, (place + 1) * self._replicas)
        states = self._start[reads, : self._annealed]
        if number and not self._given:
            rng = np.random.default_rng([seed, number])
            states = rng.choice(np.array([-1, 1], np.int8), states.shape)
        # In the last run, replicas for which no read is left begin like the others.
        initial = np.resize(states * anneal.quantised.start, (self._replicas, self._annealed))
        return _Run(number, reads, replace(anneal.job, seed=seed, initial_states=initial))

    def _take(self, run: _Run, found: BoardAnnealResults) -> None:
        """Keep what a run has found, where it is lower than what earlier anneals have."""
        self.runs.append(found)
        start = self._anneals[run.number].quantised.start
        samples, best = self._samples[run.reads], self._best[run.reads]
        candidates = []
        for kind, states in (("final", found.states), ("best", found.best_states)):
            if self._kind in ("lower", kind):
                candidate = np.repeat(samples[:1], self._replicas, axis=0)
                candidate[:, : self._annealed] = start * states
                candidates.append(candidate)
        if self._crossover is not None:
            self._cross(self._crossover, samples, best, candidates)
        elif len(candidates) == len(self._anneals) == 1:
            samples[:] = candidates[0][: len(samples)]
        else:
            _lower(samples, best, (each[: len(samples)] for each in candidates), self._energies)
        self._done[run.reads] = True

    def _cross(
        self,
        crossover: Crossover,
        samples: np.ndarray,
        best: np.ndarray,
        candidates: Sequence[np.ndarray],
    ) -> None:
        """Cross the states of a run with those of earlier ones, and into the lowest read.

        All replicas have their part in the lowest read, also those that are no reads.
        """
        crossed, count = candidates[0], len(samples)
        for candidate in candidates[1:]:
            crossed = crossover.cross(crossed, candidate)
        if np.isfinite(best).all():  # otherwise this is the first anneal of these reads
            crossed[:count] = crossover.cross(samples, crossed[:count])
        lowest = crossover.joined(np.concatenate([crossed, self._lowest]))[None, :]
        _lower(samples, best, [crossed[:count]], self._energies)
        place = slice(int(best.argmin()), int(best.argmin()) + 1)
        _lower(samples[place], best[place], [lowest], self._energies)
        self._lowest = samples[place].copy()

    def _found(self) -> np.ndarray:
        """Return the reads that were annealed at least once; if there are none, initial states."""
        return self._samples[self._done] if self._done.any() else self._samples[: self._replicas]


def times(runs: Sequence[BoardAnnealResults]) -> dict[str, Any]:
    """Add up what runs took on the device and on the line.

    Parameters
    ----------
    runs : sequence of BoardAnnealResults
        The runs.

    Returns
    -------
    dict
        ``cycles`` (a list, of each run), ``device_time`` and ``transfer_time`` (seconds, of all).
    """
    return {
        "cycles": [run.cycles for run in runs],
        "device_time": sum(run.seconds for run in runs),
        "transfer_time": sum(run.transfer_seconds for run in runs),
    }


def _lower(
    samples: np.ndarray,
    best: np.ndarray,
    candidates: Iterable[np.ndarray],
    energies: Callable[[np.ndarray], np.ndarray],
) -> None:
    """Replace states, and their energies, where candidates are lower; in place."""
    for candidate in candidates:
        found = energies(candidate)
        lower = found < best
        samples[lower], best[lower] = candidate[lower], found[lower]
