"""Make all measurements, and put them into one report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from ...contract.device.boards import BoardSpec
from ...progress import progress_bar, progress_over
from ..common.machine import describe_machine
from ..common.report import Keep
from .boards import obstacle
from .constrained import INSTANCES, SEEDS, constrained_rows, measure_kind
from .instances import (
    Instance,
    check_folder,
    complete_instance,
    gset_instances,
    small_instances,
)
from .kinds import KINDS
from .quality import WAYS, measure_gset, measure_small
from .speed import measure_speed

FORMAT = 5
"""Version of the report's structure; `tables` and `figures` render no other."""

SPEED_SWEEPS = (10, 20, 50, 100, 200, 400, 800)
"""Numbers of sweeps per read, among which each solver's shortest time to solution is found."""

GSET_SWEEPS = (100, 300, 800, 2000)
"""Numbers of sweeps per read for cuts of the G-set."""

PARTS = ("speed", "gset", "small", "constrained")
"""Parts of the benchmark: time to solution, cuts of the G-set, optima of small instances, gaps of
models with constraints."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    rows : sequence of BoardSpec
        Boards with an annealer.
    folder : Path or None
        Folder of the instances; without one only random problems are solved.
    parts : sequence of str
        Some of `PARTS`.
    speed_sweeps : sequence of int
        Numbers of sweeps per read for the time to solution.
    gset_sweeps : sequence of int
        Numbers of sweeps per read for cuts of the G-set, by the first way of `quality.WAYS`.
    reads : int
        Number of reads for each number of sweeps.
    spins : sequence of int
        Numbers of spins of the random fully connected problems.
    gset : sequence of str or None
        Names of the G-set's files; None for those of `instances.GSET`.
    gset_betas : tuple of (float, float), or None
        First and last inverse temperature for the G-set; None for the sampler's default.
    python : str
        Interpreter of the environment that has the other libraries.
    instances, seeds : int
        Instances of each kind of models with constraints, and seeds of the samplers for each.
    """

    rows: Sequence[BoardSpec]
    folder: Path | None
    parts: Sequence[str]
    speed_sweeps: Sequence[int]
    gset_sweeps: Sequence[int]
    reads: int
    spins: Sequence[int]
    gset: Sequence[str] | None
    gset_betas: tuple[float, float] | None
    python: str
    instances: int = INSTANCES
    seeds: int = SEEDS


def measure(plan: Plan, keep: Keep) -> dict:
    """Measure what the plan names, on one core of this computer.

    Parameters
    ----------
    plan : Plan
        What to measure.
    keep : callable
        Called with the report after each measurement, as all of them may take hours.

    Returns
    -------
    dict
        The report, ready for JSON; `tables` and `figures` render it.

    Raises
    ------
    DataError
        If the folder has no instances, or a file cannot be read.
    """
    gset = []
    if plan.folder is not None:
        check_folder(plan.folder)
        gset = gset_instances(plan.folder, plan.gset, plan.gset_betas)
    report: dict[str, Any] = {
        "format": FORMAT,
        "machine": describe_machine(),
        "boards": [_described(row) for row in plan.rows],
        **{part: [] for part in PARTS},
    }
    with threadpool_limits(1):
        for part, rows in _measurements(plan, gset):
            report[part] += rows
            keep(report)
    return report


def _measurements(plan: Plan, gset: Sequence[Instance]) -> Iterator[tuple[str, list[dict]]]:
    """Make one measurement after another; each gives rows for a part of the report."""
    if "speed" in plan.parts:
        for instance in [*map(complete_instance, plan.spins), *gset]:
            row = measure_speed(instance, plan.rows, plan.speed_sweeps, plan.reads, plan.python)
            yield "speed", [row]
    if "gset" in plan.parts and gset:
        for rows in _gset_measurements(plan, gset):
            yield "gset", rows
    if "small" in plan.parts and plan.folder is not None:
        instances = list(small_instances(plan.folder))
        for instance in progress_over(instances, "small instances", "instance"):
            yield "small", [measure_small(instance, plan.rows[0])]
    if "constrained" in plan.parts:
        boards = constrained_rows()
        total, measured = len(KINDS) * len(boards) * plan.instances, count(1)
        with progress_bar("models with constraints", "instance") as progress:
            for kind in KINDS:
                found = measure_kind(
                    kind,
                    boards,
                    range(1, plan.instances + 1),
                    range(plan.seeds),
                    lambda: progress(next(measured), total),
                )
                yield "constrained", [found]


def _gset_measurements(plan: Plan, gset: Sequence[Instance]) -> Iterator[list[dict]]:
    """Measure each graph of the G-set on each board, with one bar for all of them."""
    pairs = [(instance, row) for instance in gset for row in plan.rows]
    fitting = sum(obstacle(instance, row.require_annealer()) is None for instance, row in pairs)
    total = fitting * len(WAYS) * len(plan.gset_sweeps)
    measured = count(1)
    with progress_bar("G-set", "schedule") as progress:
        for instance, row in pairs:
            yield measure_gset(
                instance,
                row,
                plan.gset_sweeps,
                plan.reads,
                lambda: progress(next(measured), total),
            )


def _described(row: BoardSpec) -> dict:
    """Describe a board and its annealer for the report."""
    size = row.require_annealer()
    return {
        "name": row.name,
        "title": row.title,
        "clock_hz": row.clock_hz,
        "baud": row.baud,
        "spins": size.spins,
        "coupling_bits": size.coupling_bits,
        "field_bits": size.field_bits,
        "replicas": size.replicas,
    }
