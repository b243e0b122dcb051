"""Time to solution beside other libraries."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ...contract.device.boards import BoardSpec
from ...progress import progress_over
from ..common.scripts import run_script
from .boards import beta_range, obstacle, opened, solve
from .instances import Instance
from .peers.protocol import Task

PEERS = ("dwave", "openjij")
"""Each has its script ``peers/solve_NAME.py``."""

CONFIDENCE = 0.99
"""Probability with which the target is met in the time to solution."""

LARGE = 200
"""Variables from which on the target is `LARGE_TARGET` of the best value, instead of all of it."""

LARGE_TARGET = 0.995

_SCRIPTS = Path(__file__).parent / "peers"


def time_to_solution(read_seconds: float | None, successes: float) -> float | None:
    """Expected time until the target is met with the probability `CONFIDENCE`.

    Parameters
    ----------
    read_seconds : float or None
        None if it could not be measured.
    successes : float
        Part of the reads that meet it.

    Returns
    -------
    float or None
        At least one read's; None if no read meets it.
    """
    if read_seconds is None or not successes:
        return None
    if successes >= CONFIDENCE:
        return read_seconds
    return read_seconds * np.log(1 - CONFIDENCE) / np.log(1 - successes)


def solution_error(successes: float, reads: int) -> float | None:
    """Standard error of a time to solution, in parts of it: that of the number of successes.

    Parameters
    ----------
    successes : float
        Part of the reads.
    reads : int

    Returns
    -------
    float or None
        None if no read or nearly every one meets the target: then it is no such error.
    """
    if not 0 < successes < CONFIDENCE:
        return None
    spread = np.sqrt(successes * (1 - successes) / reads)
    return float(spread / ((1 - successes) * -np.log(1 - successes)))


def measure_speed(
    instance: Instance, rows: Sequence[BoardSpec], sweeps: Sequence[int], reads: int, python: str
) -> dict:
    """Solve an instance on the boards and with other libraries.

    All have the same inverse temperatures, geometric from the first to the last of the default
    range, and the same numbers of sweeps.

    Parameters
    ----------
    instance : Instance
    rows : sequence of BoardSpec
        Boards; those on which the instance does not fit exactly get an ``obstacle``.
    sweeps : sequence of int
    reads : int
        For each number of sweeps.
    python : str
        Interpreter of the environment that has the other libraries.

    Returns
    -------
    dict
        ``name``, ``variables``, ``target`` (a value), ``target_share`` (of the best), ``status``,
        ``betas`` and ``solvers``: a dict for each with ``solver``, ``kind`` ("board" or "library")
        and ``runs``, or ``obstacle``, or ``missing``. A run has ``sweeps``, ``successes``,
        ``mean``, ``reads``, ``read_seconds``, ``seconds`` (to solution) and ``seconds_error``
        (`solution_error`); on boards also ``seconds_with_transfers`` and ``upload_seconds``.
    """
    solvers, betas = [], None
    for row in rows:
        solver = {"solver": row.name, "kind": "board", "title": row.title}
        solvers.append(solver)
        if reason := obstacle(instance, row.annealer):
            solver["obstacle"] = reason
            continue
        betas = betas or beta_range(instance, row.annealer)
        solver["clock_hz"] = row.clock_hz
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
    for run in solved:
        _judge(run, target["target"], instance.model.maximised)
    return {**described, **target, "solvers": solvers}


def _target(instance: Instance, solved: list[dict]) -> dict:
    pick = max if instance.model.maximised else min
    best = pick(pick(run["values"]) for run in solved)
    status = "best found here"
    if instance.known is not None:
        best, status = instance.known.value, instance.known.status
    share = 1.0 if instance.variables < LARGE else LARGE_TARGET
    return {"best": best, "target": share * best, "target_share": share, "status": status}


def _judge(run: dict, target: float, maximised: bool) -> None:
    """Replace a run's values with what they say."""
    values = np.asarray(run.pop("values"))
    met = values >= target if maximised else values <= target
    run["successes"] = float(met.mean())
    run["mean"] = float(values.mean())
    run["reads"] = len(values)
    run["seconds"] = time_to_solution(run["read_seconds"], run["successes"])
    run["seconds_error"] = solution_error(run["successes"], run["reads"])
    if "transfer_seconds" in run:
        run["seconds_with_transfers"] = time_to_solution(
            run["read_seconds"] + run["transfer_seconds"], run["successes"]
        )


def _solve_with_peers(instance, betas, sweeps, reads, python) -> list[dict]:
    linear, (rows, columns, weights), offset = instance.model.bqm.spin.to_numpy_vectors()
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        data, answer = Path(folder) / "model.npz", Path(folder) / "answer.json"
        np.savez(data, linear=linear, rows=rows, columns=columns, weights=weights)
        task = Task(str(data), list(betas), list(sweeps), reads, 0)
        for peer in progress_over(PEERS, f"{instance.name}, other libraries", "library"):
            described = {"solver": peer, "kind": "library"}
            try:
                found = run_script(
                    python,
                    _SCRIPTS / f"solve_{peer}.py",
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
                energies = np.array(run.pop("energies")) + offset
                run["values"] = instance.model.value(energies)
            answers.append({**described, **found})
    return answers
