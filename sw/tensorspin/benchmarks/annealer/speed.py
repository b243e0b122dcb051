"""Time to solution on boards and with other libraries.

The time to solution is the expected time until some read meets a target with the probability
`CONFIDENCE`, if reads are repeated. Short reads meet it rarely and long ones often; the number of
sweeps with the shortest time is each solver's best.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...contract.device.boards import BoardSpec
from ...progress import progress_over
from ..common.scripts import run_peer
from ..peers.solving import Task
from .boards import beta_range, obstacle, opened, solve
from .instances import Instance

PEERS = ("dwave", "openjij")
"""Other libraries; each has a program ``solve_NAME`` in `tensorspin.benchmarks.peers`."""

CONFIDENCE = 0.99
"""Probability with which the target is met within the time to solution."""

LARGE = 200
"""Number of variables from which on the target is a share of the best value, not the value itself.

The optimum of larger problems is hardly ever met, so that its time could not be measured.
"""

LARGE_TARGET = 0.995
"""Share of the best value that is the target for large problems."""


def time_to_solution(read_seconds: float | None, successes: float) -> float | None:
    """Compute the time until the target is met with the probability `CONFIDENCE`.

    Parameters
    ----------
    read_seconds : float or None
        Seconds that a read takes; None if they could not be measured.
    successes : float
        Share of the reads that meet the target.

    Returns
    -------
    float or None
        Seconds, at least those of one read; None if no read meets the target.
    """
    if read_seconds is None or not successes:
        return None
    if successes >= CONFIDENCE:
        return read_seconds
    # After n reads all have failed with the probability (1 - successes)^n = 1 - CONFIDENCE.
    return read_seconds * np.log(1 - CONFIDENCE) / np.log(1 - successes)


def first_answer(
    read_seconds: float | None, successes: float, replicas: int = 1, further_seconds: float = 0.0
) -> float | None:
    """Compute after what time a user has an answer that meets the target, in whole runs.

    A board gives nothing before all replicas of a run are done and their states have travelled, so
    the time of a read alone, a share of a run, is not what a user waits for.

    Parameters
    ----------
    read_seconds : float or None
        Seconds that a read takes, transfers included: those of a run over the number of replicas.
    successes : float
        Share of the reads that meet the target.
    replicas : int, default=1
        Reads of a run.
    further_seconds : float, default=0.0
        Seconds before the first run: the upload of the problem.

    Returns
    -------
    float or None
        Seconds of as many runs as meet the target with the probability `CONFIDENCE`; None if no
        read meets it, or the time of a read is not known.

    Examples
    --------
    >>> first_answer(0.25, 1.0, replicas=16, further_seconds=1.0)
    5.0
    """
    if read_seconds is None or not successes:
        return None
    runs = 1
    if successes < 1:
        runs = max(1, int(np.ceil(np.log(1 - CONFIDENCE) / (replicas * np.log(1 - successes)))))
    return runs * replicas * read_seconds + further_seconds


def solution_error(successes: float, reads: int) -> float | None:
    """Compute the standard error of a time to solution, relative to that time.

    The error is that of the number of successes, which is binomial.

    Parameters
    ----------
    successes : float
        Share of the reads that meet the target.
    reads : int
        Number of reads.

    Returns
    -------
    float or None
        Relative standard error; None if no read or nearly every read meets the target, as the time
        then does not depend on the number of successes.
    """
    if not 0 < successes < CONFIDENCE:
        return None
    # Linear propagation: the derivative of the time by the successes, times their spread.
    spread = np.sqrt(successes * (1 - successes) / reads)
    return float(spread / ((1 - successes) * -np.log(1 - successes)))


def measure_speed(
    instance: Instance, rows: Sequence[BoardSpec], sweeps: Sequence[int], reads: int, python: str
) -> dict:
    """Solve an instance on the boards and with other libraries.

    All solvers have the same numbers of sweeps and the same inverse temperatures, a geometric
    sequence between the ends of the default range.

    Parameters
    ----------
    instance : Instance
        The instance.
    rows : sequence of BoardSpec
        Boards. A board on which the instance does not fit exactly gets an ``obstacle``.
    sweeps : sequence of int
        Numbers of sweeps per read.
    reads : int
        Number of reads for each number of sweeps.
    python : str
        Interpreter of the environment that has the other libraries.

    Returns
    -------
    dict
        ``name``, ``variables``, ``target`` (a value of the objective), ``target_share`` (the share
        of the best value that the target is), ``status`` (how certain the best value is), ``betas``
        and ``solvers``, a list of dict. A solver has ``solver``, ``kind`` ("board" or "library")
        and ``runs``; or, instead of runs, ``obstacle`` or ``missing``, the reason why there are
        none. A run has ``sweeps``, ``successes`` (the share of the reads that meet the target),
        ``mean``, ``reads``, ``read_seconds``, ``seconds`` (the time to solution),
        ``seconds_error`` (its relative standard error) and ``seconds_to_first`` (`first_answer`);
        on boards also ``seconds_with_transfers`` and ``upload_seconds``.
    """
    solvers: list[dict[str, Any]] = []
    betas = None
    for row in rows:
        size = row.require_annealer()
        solver: dict[str, Any] = {"solver": row.name, "kind": "board", "title": row.title}
        solvers.append(solver)
        if reason := obstacle(instance, size):
            solver["obstacle"] = reason
            continue
        betas = betas or beta_range(instance, size)
        solver["clock_hz"] = row.clock_hz
        solver["replicas"] = size.replicas
        with opened(row) as sampler:
            solver["runs"] = [
                {"sweeps": count, **asdict(solve(sampler, instance, betas, count, reads))}
                for count in progress_over(sweeps, f"{instance.name}, {row.name}", "schedule")
            ]
    if betas is not None:
        solvers += _solve_with_peers(instance, betas, sweeps, reads, python)
    solved = [run for solver in solvers for run in solver.get("runs", ())]
    described = {"name": instance.name, "variables": instance.variables, "betas": betas}
    if not solved:
        return {**described, "solvers": solvers}
    target = _target(instance, solved)
    for solver in solvers:
        for run in solver.get("runs", ()):
            _judge(run, target["target"], instance.model.maximised, solver.get("replicas", 1))
    return {**described, **target, "solvers": solvers}


def _target(instance: Instance, solved: list[dict]) -> dict:
    """Choose the value to reach: of the best known, or of the best that any solver has found."""
    pick = max if instance.model.maximised else min
    best = pick(pick(run["values"]) for run in solved)
    status = "best found here"
    if instance.known is not None:
        best, status = instance.known.value, instance.known.status
    share = 1.0 if instance.variables < LARGE else LARGE_TARGET
    return {"best": best, "target": share * best, "target_share": share, "status": status}


def _judge(run: dict, target: float, maximised: bool, replicas: int) -> None:
    """Replace a run's values with their mean, the share on target, and the time to solution."""
    values = np.asarray(run.pop("values"))
    met = values >= target if maximised else values <= target
    run["successes"] = float(met.mean())
    run["mean"] = float(values.mean())
    run["reads"] = len(values)
    run["seconds"] = time_to_solution(run["read_seconds"], run["successes"])
    run["seconds_error"] = solution_error(run["successes"], run["reads"])
    with_transfers = run["read_seconds"]
    if with_transfers is not None:
        with_transfers += run.get("transfer_seconds", 0.0)
    run["seconds_to_first"] = first_answer(
        with_transfers, run["successes"], replicas, run.get("upload_seconds", 0.0)
    )
    if "transfer_seconds" in run:
        run["seconds_with_transfers"] = time_to_solution(
            run["read_seconds"] + run["transfer_seconds"], run["successes"]
        )


def _solve_with_peers(
    instance: Instance,
    betas: tuple[float, float],
    sweeps: Sequence[int],
    reads: int,
    python: str,
) -> list[dict]:
    """Solve with each other library; what goes wrong becomes the reason why it is missing."""
    linear, (rows, columns, weights), offset = instance.model.bqm.spin.to_numpy_vectors()[:3]
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        data, answer = Path(folder) / "model.npz", Path(folder) / "answer.json"
        np.savez(data, linear=linear, rows=rows, columns=columns, weights=weights)
        task = Task(str(data), list(betas), list(sweeps), reads, 0)
        for peer in progress_over(PEERS, f"{instance.name}, other libraries", "library"):
            described = {"solver": peer, "kind": "library"}
            try:
                found = run_peer(
                    python,
                    f"solve_{peer}",
                    task,
                    answer,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            except (OSError, subprocess.CalledProcessError) as error:
                lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
                answers.append({**described, "missing": (lines or ["?"])[-1]})
                continue
            for run in found["runs"]:
                # The programs get linear terms and couplings alone, without the constant.
                energies = np.array(run.pop("energies")) + offset
                run["values"] = instance.model.value(energies)
            answers.append({**described, **found})
    return answers
