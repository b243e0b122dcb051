"""How good reads are, and how long they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...contract.annealer.size import AnnealerSize
from ...contract.device.boards import BoardSpec
from ...sampling.methods import plan
from .boards import beta_range, exact_row, method_row, obstacle, opened, solve
from .instances import Instance

WAYS = (
    ("annealing", "geometric"),
    ("annealing", "linear"),
    ("tempering", "geometric"),
    ("quantum", "geometric"),
)
"""Methods and schedules; the others have as much time as the first."""

SMALL_READS = 100
SMALL_SWEEPS = 500


def measure_small(instance: Instance, row: BoardSpec) -> dict:
    """Whether the proven optimum of a small instance is found within `SMALL_READS` reads.

    Parameters
    ----------
    instance : Instance
    row : BoardSpec
        Rebuilt with bits for the instance's weights: `exact_row`.

    Returns
    -------
    dict
        ``name``, ``variables``, ``coupling_bits``, ``relative_error``, ``known``, ``best``,
        ``first`` (read that finds the optimum, from 1 on, or None), ``successes``,
        ``read_seconds``, ``sweeps``, ``reads``.
    """
    rebuilt, error = exact_row(row, instance)
    betas = beta_range(instance, rebuilt.annealer)
    with opened(rebuilt) as sampler:
        solved = solve(sampler, instance, betas, SMALL_SWEEPS, SMALL_READS)
    values = solved.values[:SMALL_READS]
    known = instance.known.value
    met = values >= known if instance.model.maximised else values <= known
    return {
        "name": instance.name,
        "variables": instance.variables,
        "coupling_bits": rebuilt.annealer.coupling_bits,
        "relative_error": error,
        "objective": instance.model.objective,
        "known": known,
        "best": float(values.max() if instance.model.maximised else values.min()),
        "first": int(met.argmax()) + 1 if met.any() else None,
        "successes": float(met.mean()),
        "read_seconds": solved.read_seconds,
        "sweeps": SMALL_SWEEPS,
        "reads": SMALL_READS,
    }


def measure_gset(
    instance: Instance, row: BoardSpec, sweeps: Sequence[int], reads: int, progress
) -> list[dict]:
    """Cuts in parts of the best known, by each of `WAYS` in about the same time of the device.

    Parameters
    ----------
    instance : Instance
    row : BoardSpec
        For a method that it lacks, rebuilt: `method_row`.
    sweeps : sequence of int
        Of the first way, which sets the time of the others.
    reads : int
        At least; always whole runs.
    progress : callable
        Called without arguments after each way and number of sweeps.

    Returns
    -------
    list of dict
        ``name``, ``board``, and ``obstacle``; for each way ``method``, ``schedule``, ``rebuilt``,
        and ``obstacle`` if the board lacks the method, or ``sweeps``, ``betas``, ``reads``,
        ``mean``, ``standard_error`` and ``run_best`` (shares of the best known value: of a read,
        and the mean over runs of the best of all replicas), ``read_seconds``,
        ``transfer_seconds``, ``upload_seconds``.
    """
    described = {"name": instance.name, "variables": instance.variables, "board": row.name}
    if reason := obstacle(instance, row.annealer):
        return [{**described, "obstacle": reason}]
    found, targets = [], []
    for method, schedule in WAYS:
        built = method_row(row, method)
        way = {**described, "method": method, "schedule": schedule, "rebuilt": built != row}
        if reason := _lacking(method, built.annealer):
            found.append({**way, "obstacle": reason})
            for _ in sweeps:
                progress()
            continue
        runs = list(_measure_way(instance, built, way, sweeps, targets, reads, progress))
        targets = targets or [run["read_seconds"] for run in runs]
        found += runs
    return found


def _measure_way(instance, row, way, sweeps, targets, reads, progress) -> Iterator[dict]:
    """Runs of so many sweeps; or that take as long as the targets, if there are any."""
    betas = beta_range(instance, row.annealer)
    replicas = row.annealer.replicas
    reads = -(-reads // replicas) * replicas
    known = []
    if targets:
        with opened(row) as sampler:
            first = solve(sampler, instance, betas, sweeps[0], reads, **_options(way))
        known.append((sweeps[0], first.read_seconds))
    with opened(row) as sampler:
        for place, count in enumerate(sweeps):
            if targets:
                count = _sweeps_for(targets[place], known)
            solved = solve(sampler, instance, betas, count, reads, **_options(way))
            known.append((count, solved.read_seconds))
            shares = solved.values / instance.known.value
            yield {
                **way,
                "sweeps": count,
                "betas": betas,
                "reads": len(shares),
                "mean": float(shares.mean()),
                "standard_error": float(shares.std(ddof=1) / np.sqrt(len(shares))),
                "run_best": float(shares.reshape(-1, replicas).max(axis=1).mean()),
                "read_seconds": solved.read_seconds,
                "transfer_seconds": solved.transfer_seconds,
                "upload_seconds": solved.upload_seconds,
            }
            progress()


def _options(way: dict) -> dict:
    return {"schedule": way["schedule"], "method": way["method"]}


def _lacking(method: str, size: AnnealerSize) -> str | None:
    """Why a device can't do a method; None if it can."""
    try:
        plan(method, np.array([1.0, 2.0]), 1, size)
    except ValueError as reason:
        return str(reason)
    return None


def _sweeps_for(seconds: float, known: Sequence[tuple[int, float]]) -> int:
    """Sweeps with which a read takes about so long, on the line through the last two measured; in
    proportion to the last if these are too close to each other for a line."""
    (before, earlier), (last, took) = [(0, 0.0), *known][-2:]
    if last < 1.5 * before or took <= earlier:
        before, earlier = 0, 0.0
    return max(2, round(last + (seconds - took) * (last - before) / (took - earlier)))
