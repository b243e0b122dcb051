"""How good reads are, and how long they take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.boards import Board as Row
from .boards import beta_range, exact_row, obstacle, opened, solve
from .instances import Instance

SCHEDULES = ("linear", "geometric")

SMALL_READS = 100
SMALL_SWEEPS = 500


def measure_small(instance: Instance, row: Row) -> dict:
    """Whether the proven optimum of a small instance is found within `SMALL_READS` reads.

    Parameters
    ----------
    instance : Instance
    row : Row
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
    instance: Instance, row: Row, sweeps: Sequence[int], reads: int, progress
) -> list[dict]:
    """Mean cut in parts of the best known, against the time of a read.

    Parameters
    ----------
    instance : Instance
    row : Row
    sweeps : sequence of int
    reads : int
    progress : callable
        Called without arguments after each schedule.

    Returns
    -------
    list of dict
        ``name``, ``board``, and ``obstacle``; or ``schedule``, ``sweeps``, ``betas``, ``reads``,
        ``mean``, ``standard_error``, ``best`` (shares of the best known value), ``read_seconds``,
        ``transfer_seconds``, ``upload_seconds``.
    """
    described = {"name": instance.name, "variables": instance.variables, "board": row.name}
    if reason := obstacle(instance, row.annealer):
        return [{**described, "obstacle": reason}]
    betas = beta_range(instance, row.annealer)
    found = []
    with opened(row) as sampler:
        for schedule in SCHEDULES:
            for count in sweeps:
                solved = solve(sampler, instance, betas, count, reads, schedule)
                shares = solved.values / instance.known.value
                found.append(
                    {
                        **described,
                        "schedule": schedule,
                        "sweeps": count,
                        "betas": betas,
                        "reads": len(shares),
                        "mean": float(shares.mean()),
                        "standard_error": float(shares.std(ddof=1) / np.sqrt(len(shares))),
                        "best": float(shares.max()),
                        "read_seconds": solved.read_seconds,
                        "transfer_seconds": solved.transfer_seconds,
                        "upload_seconds": solved.upload_seconds,
                    }
                )
                progress()
    return found
