"""What is done with the reads of a board: from none at all to everything that a sampler does."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import dimod
import numpy as np

from ...contract.annealer.job import AnnealJob
from ...contract.annealer.results import AnnealResults
from ...contract.annealer.size import AnnealerSize
from ...contract.device.boards import BoardSpec
from ...errors import InterruptedRunError, PrecisionWarning
from ...sampling.refine import refine_states
from ...sampling.tabu import tabu_states
from ...sampling.windows import DEFAULT_WINDOWS, refined_in_windows
from .boards import opened

CALLS: dict[str, dict[str, Any]] = {
    "raw": {"refine": None},
    "windows": {"refine": None, "num_windows": DEFAULT_WINDOWS},
    "default": {},
}
"""Ways that a call of the sampler takes by itself, with its arguments."""

TIMES = ("device_time", "transfer_time", "host_time")
"""What a sampler tells of its time."""

After = Callable[[dimod.BinaryQuadraticModel, dimod.SampleSet, AnnealerSize, int], dimod.SampleSet]
"""What a computer does with reads, without the board; it has the size and the call's seed."""


def _descent(
    bqm: dimod.BinaryQuadraticModel, reads: dimod.SampleSet, size: AnnealerSize, seed: int
) -> dimod.SampleSet:
    """Lower each read by steepest descent."""
    variables = list(reads.variables)
    states = refine_states(bqm, variables, reads.record.sample)
    return dimod.SampleSet.from_samples_bqm((states, variables), bqm)


def _tabu(
    bqm: dimod.BinaryQuadraticModel, reads: dimod.SampleSet, size: AnnealerSize, seed: int
) -> dimod.SampleSet:
    """Lower each read by steepest descent, and then by a tabu search."""
    variables = list(reads.variables)
    states = refine_states(bqm, variables, reads.record.sample)
    return dimod.SampleSet.from_samples_bqm(
        (tabu_states(bqm, variables, states, seed), variables), bqm
    )


def _chains(
    bqm: dimod.BinaryQuadraticModel, reads: dimod.SampleSet, size: AnnealerSize, seed: int
) -> dimod.SampleSet:
    """Follow the chains that choose windows, and anneal none."""

    def refused(job: AnnealJob) -> AnnealResults:
        raise InterruptedRunError("this is the choice of windows alone")

    return refined_in_windows(bqm, reads, refused, size, DEFAULT_WINDOWS, seed)


AFTER: dict[str, After] = {"descent": _descent, "tabu": _tabu, "chains": _chains}
"""Ways that begin with raw reads."""

WAYS = ("raw", "descent", "tabu", "chains", "windows", "default")
"""All ways, in the order of the table."""


def sampled(
    row: BoardSpec,
    bqm: dimod.BinaryQuadraticModel,
    reads: int,
    sweeps: int,
    seeds: Sequence[int],
) -> dict[str, tuple[list[dimod.SampleSet], np.ndarray]]:
    """Sample a model on a golden board, in all ways.

    Parameters
    ----------
    row : BoardSpec
        Row of the board.
    bqm : dimod.BinaryQuadraticModel
        The model.
    reads, sweeps : int
        Reads of a call, and sweeps of a read.
    seeds : sequence of int
        Seeds of the calls.

    Returns
    -------
    dict of str to tuple
        For each of `WAYS`, the reads of each call, and the seconds of a call on the device, on the
        line (modelled) and on the host, in the mean: an array of float64 of shape
        (3,).
    """
    size = row.require_annealer()
    found: dict[str, list[dimod.SampleSet]] = {way: [] for way in WAYS}
    times: dict[str, list[np.ndarray]] = {way: [] for way in WAYS}
    for seed in seeds:
        for way, arguments in CALLS.items():
            own, spent = _called(
                row, bqm, num_reads=reads, num_sweeps=sweeps, seed=seed, **arguments
            )
            found[way].append(own)
            times[way].append(spent)
        for way, after in AFTER.items():
            begun = time.process_time()
            found[way].append(after(bqm, found["raw"][-1], size, seed))
            times[way].append(times["raw"][-1] + [0, 0, time.process_time() - begun])
    return {way: (found[way], np.mean(times[way], axis=0)) for way in WAYS}


def _called(
    row: BoardSpec, bqm: dimod.BinaryQuadraticModel, **arguments: Any
) -> tuple[dimod.SampleSet, np.ndarray]:
    """Call a sampler whose board is a new one, so that the time includes the whole upload."""
    with opened(row) as sampler, warnings.catch_warnings():
        warnings.simplefilter("ignore", PrecisionWarning)
        found = sampler.sample(bqm, **arguments)
    return found, np.array([found.info[name] for name in TIMES])
