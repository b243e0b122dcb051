"""How long ``tensorspin anneal`` samples: all reads, until a time is over, or a target reached."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..progress import progress_bar

if TYPE_CHECKING:
    import dimod

    from ..data.model_files import Model

MOST_KEPT = 1 << 24
"""Most spins of all reads that are kept while sampling is repeated; of more, the best reads are."""

_SEEDS = 1 << 32
"""Number of seeds that the samplers take: a repetition takes the next one, round in a circle."""

_SUMS = (
    "cycles",
    "device_time",
    "transfer_time",
    "host_time",
    "parts",
    "energies",
    "board_energies",
)
"""What the samplers tell that is added up over all repetitions."""

_log = logging.getLogger(__name__)


def check_limits(time_limit: float | None, target: float | None) -> None:
    """Refuse limits that are no limits.

    Parameters
    ----------
    time_limit : float or None
        Seconds.
    target : float or None
        Value of the objective.

    Raises
    ------
    ValueError
        If the time is not more than 0 and finite, or the target not finite.
    """
    if time_limit is not None and not 0 < time_limit < math.inf:
        raise ValueError(f"--time-limit must be more than 0 seconds and finite, not {time_limit}")
    if target is not None and not math.isfinite(target):
        raise ValueError(f"--target must be a finite number, not {target}")


def sample_within(
    sampler: dimod.Sampler,
    model: Model,
    *,
    unit: str,
    reads: int | None,
    seed: int | None,
    time_limit: float | None,
    target: float | None,
    **parameters: Any,
) -> dimod.SampleSet:
    """Sample a model within the limits.

    Without a time limit the sampler is called once. With one and without a number of reads it is
    called again, with other seeds, until the time is over.

    Parameters
    ----------
    sampler : dimod.Sampler
        A `BoardSampler`, or a `DecomposingSampler` with one.
    model : Model
        The model.
    unit : str
        What the sampler's progress counts, in the singular.
    reads : int or None
        Number of reads; None for the sampler's default.
    seed : int or None
        Seed of the first call; None for a random one.
    time_limit : float or None
        Seconds of the computer's clock from now on.
    target : float or None
        Value of the file's objective at which sampling ends.
    **parameters
        Further arguments of the sampler.

    Returns
    -------
    dimod.SampleSet
        All reads, or the best of them if they are very many. Its ``info`` is that of the first
        call, with sums over all calls, and with ``reads_made``.
    """
    until = None if time_limit is None else time.monotonic() + time_limit
    if target is not None:
        parameters["energy_threshold"] = model.energy(target) + 1e-9 * max(1.0, abs(target))
    sets: list[dimod.SampleSet] = []
    made = 0
    with progress_bar("annealing", unit if until is None else "s") as progress:
        if until is None:
            parameters["progress"] = progress
        else:
            parameters["interrupt_function"] = _clock(until, time_limit or 0.0, progress)
        while True:
            left = None if reads is None else reads - made
            found = sampler.sample(model.bqm, num_reads=left, seed=seed, **parameters)
            if not sets or not unannealed(found):
                sets.append(found)
                made += len(found)
            if _ends(model, found, until, target, None if reads is None else reads - made):
                break
            _log.debug("%d reads made, the next seed is another one", made)
            seed = (found.info["seed"] + 1) % _SEEDS
            sets = [_best(_joined(sets), model.bqm.num_variables)]
    joined = _joined(sets)
    joined.info["reads_made"] = made
    return joined


def _clock(until: float, seconds: float, progress: Callable[[int, int], None]):
    """Make the function that samplers ask whether the time is over; it moves the bar."""

    def over() -> bool:
        left = until - time.monotonic()
        progress(int(min(seconds, max(0.0, seconds - left))), math.ceil(seconds))
        return left <= 0

    return over


def unannealed(found: dimod.SampleSet) -> bool:
    """Tell whether reads are initial states: the time was over before the first run was."""
    return found.info["interrupted"] and found.info.get("cycles") == []


def _ends(
    model: Model,
    found: dimod.SampleSet,
    until: float | None,
    target: float | None,
    left: int | None,
) -> bool:
    """Tell whether no further call is wanted."""
    if target is not None and model.answers(found).reaches(target):
        return True
    if until is not None and time.monotonic() >= until:
        return True
    if found.info.get("cycles") == []:
        return True  # all variables were decided on the host, and would be again
    # A target that only a state without the constraints has reached ends a call too early.
    return left <= 0 if left is not None else until is None


def _joined(sets: list[dimod.SampleSet]) -> dimod.SampleSet:
    """Put the reads of all calls into one set."""
    import dimod

    if len(sets) == 1:
        return sets[0]
    joined = dimod.concatenate(sets)
    joined.info.update(sets[0].info)
    for name in _SUMS:
        values = [each.info[name] for each in sets if name in each.info]
        if values:
            joined.info[name] = sum(values[1:], start=values[0])
    return joined


def _best(found: dimod.SampleSet, variables: int) -> dimod.SampleSet:
    """Drop the worst reads if there are too many to keep."""
    most = max(1, MOST_KEPT // max(1, variables))
    if len(found) <= most:
        return found
    import dimod

    order = found.record.energy.argsort(kind="stable")[: max(1, most // 2)]
    before = found.info["board_energies"]  # of each read, so they are dropped with the reads
    info = {**found.info, "board_energies": [before[read] for read in order]}
    return dimod.SampleSet(found.record[order], found.variables, info, found.vartype)
