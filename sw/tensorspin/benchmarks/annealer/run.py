"""All measurements, in one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from threadpoolctl import threadpool_limits

from ...contract.device.boards import BoardSpec
from ...progress import progress_bar, progress_over
from ..common.machine import describe_machine
from .boards import obstacle
from .instances import check_folder, complete_instance, gset_instances, small_instances
from .quality import WAYS, measure_gset, measure_small
from .speed import measure_speed

FORMAT = 3
"""Of the report; one of another format can't be rendered."""

SPEED_SWEEPS = (10, 20, 50, 100, 200, 400, 800)
"""For the time to solution."""

GSET_SWEEPS = (100, 300, 800, 2000)
"""For cuts of the G-set."""

PARTS = ("speed", "gset", "small")


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes
    ----------
    rows : sequence of BoardSpec
        Boards with an annealer.
    folder : Path or None
        Of the instances; without it only random ones are solved.
    parts : sequence of str
        Some of `PARTS`.
    speed_sweeps, gset_sweeps : sequence of int
        Of the G-set by the first of its ways.
    reads : int
        For each number of sweeps.
    spins : sequence of int
        Of the random fully connected problems.
    gset : sequence of str or None
        Names of the G-set's files; None for the usual ones.
    gset_betas : (float, float) or None
        Inverse temperatures for these; None for the sampler's default.
    python : str
        Interpreter of the environment that has the other libraries.
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


def measure(plan: Plan, keep: Callable[[dict], None]) -> dict:
    """Measure all that the plan names.

    Parameters
    ----------
    plan : Plan
    keep : callable
        Called with the report after each measurement: some take long.

    Returns
    -------
    dict
        Ready for JSON; `tables` and `figures` render it.

    Raises
    ------
    DataError
        If the folder has no instances, or a file can't be read.
    """
    if plan.folder is not None:
        check_folder(plan.folder)
    report = {
        "format": FORMAT,
        "machine": describe_machine(),
        "boards": [_described(row) for row in plan.rows],
        "speed": [],
        "gset": [],
        "small": [],
    }
    gset = []
    if plan.folder is not None:
        gset = gset_instances(plan.folder, plan.gset, plan.gset_betas)
    with threadpool_limits(1):
        if "speed" in plan.parts:
            for instance in [*map(complete_instance, plan.spins), *gset]:
                report["speed"].append(
                    measure_speed(instance, plan.rows, plan.speed_sweeps, plan.reads, plan.python)
                )
                keep(report)
        if "gset" in plan.parts and gset:
            pairs = [(instance, row) for instance in gset for row in plan.rows]
            fitting = sum(obstacle(instance, row.annealer) is None for instance, row in pairs)
            total = fitting * len(WAYS) * len(plan.gset_sweeps)
            measured = count(1)
            with progress_bar("G-set", "schedule") as progress:
                for instance, row in pairs:
                    report["gset"] += measure_gset(
                        instance,
                        row,
                        plan.gset_sweeps,
                        plan.reads,
                        lambda: progress(next(measured), total),
                    )
                    keep(report)
        if "small" in plan.parts and plan.folder is not None:
            instances = list(small_instances(plan.folder))
            for instance in progress_over(instances, "small instances", "instance"):
                report["small"].append(measure_small(instance, plan.rows[0]))
                keep(report)
    return report


def _described(row: BoardSpec) -> dict:
    size = row.annealer
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
