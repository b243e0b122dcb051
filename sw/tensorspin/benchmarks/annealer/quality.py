"""Quality of reads (solutions): optima of small instances, and cuts of the G-set by method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

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
"""Methods, each with its schedule of inverse temperatures, in the order in which they are measured.

The first sets the time on the device that each of the others gets.
"""

SMALL_READS = 100
"""Reads within which the optimum of a small instance is to be found."""

SMALL_SWEEPS = 500
"""Sweeps of each of these reads."""


def measure_small(instance: Instance, row: BoardSpec) -> dict:
    """Look whether `SMALL_READS` reads find the proven optimum of a small instance.

    Parameters
    ----------
    instance : Instance
        An instance whose optimum is known.
    row : BoardSpec
        Row of the board table. Its annealer is changed to have bits for the instance's weights
        (`exact_row`).

    Returns
    -------
    dict
        ``name``, ``variables``, ``coupling_bits`` and ``relative_error`` (of the quantisation);
        ``known`` and ``best``, the optimum and the best value found; ``first``, the number of the
        first read with the optimum, counted from 1, or None; ``successes``, the share of the reads
        with it; ``read_seconds``, ``sweeps``, ``reads``.

    Raises
    ------
    ValueError
        If the instance's optimum is not known.
    """
    if instance.known is None:
        raise ValueError(f"the optimum of {instance.name} is not known")
    rebuilt, error = exact_row(row, instance)
    size = rebuilt.require_annealer()
    betas = beta_range(instance, size)
    with opened(rebuilt) as sampler:
        solved = solve(sampler, instance, betas, SMALL_SWEEPS, SMALL_READS)
    values = solved.values[:SMALL_READS]
    known = instance.known.value
    met = values >= known if instance.model.maximised else values <= known
    return {
        "name": instance.name,
        "variables": instance.variables,
        "coupling_bits": size.coupling_bits,
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
    instance: Instance,
    row: BoardSpec,
    sweeps: Sequence[int],
    reads: int,
    progress: Callable[[], object],
) -> list[dict]:
    """Compare the methods of `WAYS` by their cuts of a graph, in about the same time on the device.

    Parameters
    ----------
    instance : Instance
        A graph whose best cut is known.
    row : BoardSpec
        Row of the board table. For a method that its annealer lacks, the annealer is changed if it
        can be built so (`method_row`).
    sweeps : sequence of int
        Numbers of sweeps of the first way. The others get as many sweeps as take the same time.
    reads : int
        Number of reads, which is rounded up to whole runs of all replicas.
    progress : callable
        Called without arguments after each way and number of sweeps.

    Returns
    -------
    list of dict
        If the graph does not fit the board, one dict with ``name``, ``board`` and ``obstacle``.
        Otherwise each dict has ``method``, ``schedule`` and ``rebuilt`` (whether the annealer was
        changed), and ``obstacle`` if the board lacks the method. Measured ways have ``sweeps``,
        ``betas``, ``reads``, ``read_seconds``, ``transfer_seconds``, ``upload_seconds``, and, as
        shares of the best cut known, ``mean`` (of all reads), its ``standard_error``, and
        ``run_best`` (the best read of a run, in the mean over the runs).
    """
    described = {"name": instance.name, "variables": instance.variables, "board": row.name}
    if reason := obstacle(instance, row.require_annealer()):
        return [{**described, "obstacle": reason}]
    found: list[dict] = []
    targets: list[float] = []
    for method, schedule in WAYS:
        built = method_row(row, method)
        way = {**described, "method": method, "schedule": schedule, "rebuilt": built != row}
        if reason := _lacking(method, built.require_annealer()):
            found.append({**way, "obstacle": reason})
            for _ in sweeps:
                progress()
            continue
        runs = list(_measure_way(instance, built, way, sweeps, targets, reads, progress))
        targets = targets or [run["read_seconds"] for run in runs]
        found += runs
    return found


def _measure_way(
    instance: Instance,
    row: BoardSpec,
    way: dict,
    sweeps: Sequence[int],
    targets: Sequence[float],
    reads: int,
    progress: Callable[[], object],
) -> Iterator[dict]:
    """Measure one way, with the given sweeps, or with so many that a read takes the target's time.

    `targets` has the seconds of a read for each number of sweeps, or is empty for the first way.
    """
    if instance.known is None:
        raise ValueError(f"the best cut of {instance.name} is not known")
    size = row.require_annealer()
    betas = beta_range(instance, size)
    replicas = size.replicas
    reads = -(-reads // replicas) * replicas
    measured: list[tuple[int, float]] = []
    # How long a sweep takes depends on the method, so a first run measures it. That run has a board
    # of its own, so that the next one still includes the upload.
    if targets:
        with opened(row) as sampler:
            first = solve(sampler, instance, betas, sweeps[0], reads, **_options(way))
        measured.append((sweeps[0], first.read_seconds))
    with opened(row) as sampler:
        for place, count in enumerate(sweeps):
            if targets:
                count = _sweeps_for(targets[place], measured)
            solved = solve(sampler, instance, betas, count, reads, **_options(way))
            measured.append((count, solved.read_seconds))
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
    """Say why an annealer of a size cannot do a method; None if it can."""
    try:
        plan(method, np.array([1.0, 2.0]), 1, size)
    except ValueError as reason:
        return str(reason)
    return None


def _sweeps_for(seconds: float, measured: Sequence[tuple[int, float]]) -> int:
    """Find the number of sweeps with which a read takes about so many seconds.

    The number lies on the straight line through the last two measurements (sweeps, seconds). If
    these are too close to each other for a line, it is in proportion to the last one.
    """
    (before, earlier), (last, took) = [(0, 0.0), *measured][-2:]
    if last < 1.5 * before or took <= earlier:
        before, earlier = 0, 0.0
    return max(2, round(last + (seconds - took) * (last - before) / (took - earlier)))
