"""Runs of a board's annealer, one after the other, until all reads are done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import dimod
import numpy as np

from ..contract.annealer.job import AnnealJob
from ..driver.annealer import BoardAnnealResults
from ..errors import InterruptedRunError
from ..progress import Progress
from .prepare import Prepared

EXPECTED = 64
"""Number of runs that are prepared at a time. A golden board may compute them together."""


def anneal_reads(
    run: Callable[[AnnealJob, Sequence[AnnealJob]], BoardAnnealResults],
    job: AnnealJob,
    model: Prepared,
    states: dimod.SampleSet,
    *,
    seed: int,
    kind: str,
    interrupt_function: Callable[[], bool] | None = None,
    reached: Callable[[np.ndarray], bool] | None = None,
    progress: Progress | None = None,
) -> tuple[np.ndarray, list[BoardAnnealResults]]:
    """Run a job until all reads are done, somebody interrupts, or a read is good enough.

    Parameters
    ----------
    run : callable
        Runs a job on the board. It is also given the jobs that will probably follow, and may raise
        `InterruptedRunError`.
    job : AnnealJob
        The job, but for its seed and its initial states.
    model : Prepared
        The model as the device takes it.
    states : dimod.SampleSet
        Initial states of all reads, as spins.
    seed : int
        Seed of the seeds of the runs.
    kind : {"final", "best"}
        Which state of a replica is a read.
    interrupt_function : callable, optional
        Asked between runs; if it returns True, there are no more.
    reached : callable, optional
        Told the reads of each run, an array of +1 and -1; if it returns True, there are no more.
    progress : callable, optional
        Called with the number of reads done, and of all reads.

    Returns
    -------
    samples : ndarray of int8 of shape (n_reads, n_variables)
        The reads, of +1 and -1, in the order of the model's labels. If not even the first run was
        done, they are the initial states of its reads.
    runs : list of BoardAnnealResults
        What each run gave.
    """
    replicas, annealed = job.problem.size.replicas, len(model.variables)
    samples = states.record.sample[:, [states.variables.index(v) for v in model.labels]]
    samples[:, annealed:] = list(model.decided.values())
    runs: list[BoardAnnealResults] = []
    if not annealed:  # a device cannot run a problem without variables
        return samples, runs
    start, done, count = model.quantised.start, 0, len(samples)
    # Each run has a seed of 64 bits: two seeds of users hardly ever lead to the same one.
    words = np.random.SeedSequence(seed).generate_state(-(-count // replicas), np.uint64)
    jobs: list[AnnealJob] = []
    # Where the runs may end early, as many follow as have been done: then no more is computed in
    # vain than was of use.
    together = interrupt_function is None and reached is None
    for number in range(len(words)):
        if runs and interrupt_function is not None and interrupt_function():
            break
        if not jobs:
            for place, word in enumerate(words[number : number + EXPECTED], start=number):
                reads = samples[place * replicas : (place + 1) * replicas, :annealed]
                # In the last run, replicas for which no read is left begin like the others.
                initial = np.resize(reads * start, (replicas, annealed))
                jobs.append(replace(job, seed=int(word), initial_states=initial))
        try:
            found = run(jobs[0], jobs if together else jobs[: len(runs) + 1])
        except InterruptedRunError:
            break
        del jobs[0]
        reads = samples[done : done + replicas, :annealed]
        best = start * (found.best_states if kind == "best" else found.states)
        reads[:] = best[: len(reads)]
        done += len(reads)
        runs.append(found)
        if progress is not None:
            progress(done, count)
        if reached is not None and reached(samples[done - len(reads) : done]):
            break
    return samples[: done or replicas], runs
