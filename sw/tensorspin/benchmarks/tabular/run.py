"""Train and test everything, set by set, and put the results into one report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ...data.errors import DataError
from ...driver.board import Board
from ...progress import progress_bar, progress_over
from ..common.machine import describe_machine
from ..common.report import Keep
from .fitting import (
    SPEED_SHAPE,
    Task,
    far_samples_flagged,
    measure_board,
    measure_float,
    trained_for,
    training_seconds,
)
from .ledger import Ledger
from .models import BITS, all_ours, code_digest, definition, ours, rivals, suited
from .results import set_lines
from .sets import (
    CLASSES,
    OUTLIERS,
    TARGETS,
    TableSet,
    outlier_sets,
    own_sets,
    read_folder,
    regression_sets,
    split,
)

FORMAT = 1
"""Version of the report's structure; `tables` and `figures` render no other."""

FAR_FEATURES = (2, 8, 32)
"""Numbers of features for which detectors are tested with samples far from all others."""

_AS_TRAINED = 8
"""Bits to which a network that was trained with real numbers is rounded as it is."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    data : sequence of str
        Folders or files with further sets.
    categorical : sequence of str
        Names of columns in these whose values are names, even if they are written as numbers.
    names : sequence of str, optional
        Names of the sets to measure; None: all.
    targets : sequence of str
        Kinds of target to measure: "classes", "numbers", "outliers".
    models : sequence of str, optional
        Names of Tensorspin's estimators to measure; None: all; none: the others alone.
    bits : sequence of int
        Widths of weights in bits to measure beside floating point.
    splits : int
        Number of seeded splits.
    most_training, most_testing : int
        Largest number of samples to train on, and to test with.
    board : str
        URL of the board on which quantised networks run.
    quick : bool
        Whether this is a quick run, for the report.
    """

    data: Sequence[str] = ()
    categorical: Sequence[str] = ()
    names: Sequence[str] | None = None
    targets: Sequence[str] = TARGETS
    models: Sequence[str] | None = None
    bits: Sequence[int] = BITS
    splits: int = 5
    most_training: int = 3000
    most_testing: int = 3000
    board: str = "golden://ulx3s_85f"
    quick: bool = False


def measure(
    plan: Plan,
    ledger: Ledger,
    keep: Keep = lambda report: None,
    cluster: str | None = None,
) -> dict:
    """Measure what the plan names, on one core of this computer, or on a cluster.

    Parameters
    ----------
    plan : Plan
        What to measure.
    ledger : Ledger
        Results of earlier runs; what it has is not measured again.
    keep : callable, optional
        Saves the report after each split.
    cluster : str, optional
        Address of a Dask scheduler, on whose workers splits are measured at the same time. Times
        are then those of the workers.

    Returns
    -------
    dict
        The report, ready for JSON; `tables` and `figures` render it.

    Raises
    ------
    DataError
        If a folder has no sets, or there is no set of a name. All are read before anything is
        measured.
    TensorspinError
        If the board cannot be opened.
    """
    sets, skipped = _chosen_sets(plan)
    for found in skipped:
        _tell([f"{found['name']} is left out: {found['reason']}"])
    report: dict[str, Any] = {
        "format": FORMAT,
        "machine": describe_machine(),
        "quick": plan.quick,
        "splits": plan.splits,
        "most_training": plan.most_training,
        "most_testing": plan.most_testing,
        "board": plan.board,
        "skipped": skipped,
        "sets": [],
        "far": [],
        "speed": [],
        "ledger": ledger.results,
    }
    if cluster is not None:
        _measure_on(cluster, plan, ledger, sets, lambda: keep(report))
    # One core for every library, so that the times compare algorithms and not their threads.
    with threadpool_limits(1), closing(Board.open(plan.board)) as board:
        for table in sets:
            described = table.describe() | {"rows": []}
            report["sets"].append(described)
            measuring = _Measuring(plan, ledger, board, table)
            for seed in progress_over(range(plan.splits), table.name, "split"):
                sizes = measuring.measure_split(seed)
                described |= sizes
                described["rows"] = measuring.rows
                keep(report)
            _tell(set_lines(described))
        if not plan.quick and any(table.target == CLASSES for table in sets):
            report["speed"] = _speed(plan, ledger)
        if any(table.target == OUTLIERS for table in sets):
            report["far"] = _far(plan)
            _tell([f"{row['model']}: {row['flagged']:.0%} of far samples" for row in report["far"]])
    return report


def _measure_on(
    cluster: str, plan: Plan, ledger: Ledger, sets: Sequence[TableSet], keep: Callable[[], None]
) -> None:
    """Fill a ledger with the results of all splits, by joblib on a Dask cluster."""
    from distributed import Client
    from joblib import Parallel, delayed, parallel_config

    splits = [(table, seed) for table in sets for seed in range(plan.splits)]
    with Client(cluster) as client, parallel_config("dask", client=client):
        found = Parallel(return_as="generator_unordered")(
            delayed(split_results)(plan, table, seed, ledger.results) for table, seed in splits
        )
        with progress_bar("splits on the cluster", "split") as advance:
            for done, results in enumerate(found, 1):
                ledger.results.update(results)
                advance(done, len(splits))
                keep()


def split_results(plan: Plan, table: TableSet, seed: int, known: dict[str, dict]) -> dict:
    """Measure one split of a set, with a board of its own.

    Parameters
    ----------
    plan : Plan
        What to measure.
    table : TableSet
        The set.
    seed : int
        Seed of the split.
    known : dict of str to dict
        Results of a `Ledger`, which are not measured again.

    Returns
    -------
    dict of str to dict
        The results that were not known.
    """
    ledger = Ledger(known)
    with threadpool_limits(1), closing(Board.open(plan.board)) as board:
        _Measuring(plan, ledger, board, table).measure_split(seed)
    return {key: result for key, result in ledger.results.items() if key not in known}


def _speed(plan: Plan, ledger: Ledger) -> list[dict]:
    """Measure how long Tensorspin's classifiers train on a set of a given size."""
    rows = []
    for name, make in progress_over(ours(CLASSES).items(), "time of training", "model"):
        if plan.models is not None and name not in plan.models:
            continue
        facts = {"shape": SPEED_SHAPE, "model": name, "definition": definition(make(0))}
        facts["version"] = code_digest()
        found = ledger.find(**facts)
        if found is None:
            found = ledger.keep({"seconds": training_seconds(make(0))}, **facts)
        rows.append({"model": name, **found})
        seconds = found["seconds"]
        took = "failed" if seconds is None else f"{seconds:.3g} s"
        _tell([f"{name}: {took} for {SPEED_SHAPE[0]:,} x {SPEED_SHAPE[1]}"])
    return rows


def _far(plan: Plan) -> list[dict]:
    """Measure how many samples far from all others Tensorspin's detectors flag."""
    return [
        {"model": name, "features": n, "flagged": far_samples_flagged(make(0), n)}
        for name, make in ours(OUTLIERS).items()
        if plan.models is None or name in plan.models
        for n in FAR_FEATURES
    ]


class _Measuring:
    """Measures one set, split by split; `rows` has a row for each model and number of bits."""

    def __init__(self, plan: Plan, ledger: Ledger, board: Board, table: TableSet) -> None:
        self.rows: list[dict] = []
        self._plan = plan
        self._ledger = ledger
        self._board = board
        self._table = table
        self._digest = table.digest

    def measure_split(self, seed: int) -> dict[str, int]:
        """Add the results of one split to the rows; return the sizes of its two parts."""
        table = self._table
        train, test = split(table, seed, self._plan.most_training, self._plan.most_testing)
        task = Task(table.target, table.X[train], table.y[train], table.X[test], table.y[test])
        for name, make in rivals(table.target).items():
            estimator = suited(make(seed), table, own=False)
            facts = self._facts(seed, name, estimator, None, sklearn.__version__)
            self._add(name, None, False, facts, partial(measure_float, estimator, task))
        for name, make in ours(table.target).items():
            if self._plan.models is None or name in self._plan.models:
                self._measure_ours(seed, name, make, task)
        return {"training": len(train), "testing": len(test)}

    def _measure_ours(self, seed: int, name: str, make: Callable, task: Task) -> None:
        estimator = suited(make(seed), self._table, own=True)
        facts = {
            bits: self._facts(seed, name, estimator, bits, code_digest())
            for bits in (None, *self._plan.bits)
        }
        fitted = self._ledger.find(**facts[None])
        if fitted is None or any(self._ledger.find(**found) is None for found in facts.values()):
            fitted = measure_float(estimator, task)
        self._add(name, None, True, facts[None], lambda: fitted)
        for bits in self._plan.bits:
            if fitted["failure"] is not None:
                continue
            # Rounding to 8 bits hardly changes a network. For fewer it is trained with the rounding
            # in view, if it can be.
            trained = None if bits == _AS_TRAINED else trained_for(estimator, bits)
            chosen = estimator if trained is None else trained
            rounded = None if bits == _AS_TRAINED or trained is not None else bits
            measured = partial(measure_board, chosen, rounded, trained is None, task, self._board)
            self._add(name, bits, True, facts[bits], measured)

    def _facts(
        self, seed: int, name: str, estimator, bits: int | None, version: str
    ) -> dict[str, Any]:
        """Return all that a result depends on."""
        return {
            "set": self._digest,
            "split": seed,
            "most_training": self._plan.most_training,
            "most_testing": self._plan.most_testing,
            "model": name,
            "definition": definition(estimator),
            "version": version,
            "bits": bits,
            "board": None if bits is None else self._plan.board,
        }

    def _add(
        self, name: str, bits: int | None, own: bool, facts: dict, measured: Callable[[], dict]
    ) -> None:
        result = self._ledger.find(**facts)
        if result is None:
            result = self._ledger.keep(measured(), **facts)
        row = next((r for r in self.rows if (r["model"], r["bits"]) == (name, bits)), None)
        if row is None:
            row = {"model": name, "bits": bits, "own": own, "scores": [], "seconds": []}
            row |= {"calibration": None, "failures": []}
            self.rows.append(row)
        row["scores"].append(result["score"])
        row["seconds"].append(result["seconds"])
        if result["failure"] is not None:
            row["failures"].append(result["failure"])
        if result["calibration"] is not None:
            bins = np.array(result["calibration"])
            total = 0 if row["calibration"] is None else np.array(row["calibration"])
            row["calibration"] = (total + bins).tolist()


def _chosen_sets(plan: Plan) -> tuple[list[TableSet], list[dict]]:
    """Read the sets of the plan, by kind and size: of folders, of scikit-learn, and tasks."""
    known = all_ours()
    for name in plan.models or ():
        if name not in known:
            raise DataError(f"model {name!r} is unknown; choose among {', '.join(known)}")
    further, skipped = read_folder(plan.data, plan.categorical)
    sets = [*further, *own_sets(), *regression_sets()]
    sets += outlier_sets(sets)
    sets.sort(key=lambda table: (table.target, len(table.y)))
    if plan.names is not None:
        names = [table.name for table in sets]
        for name in plan.names:
            if name not in names:
                raise DataError(f"set {name!r} is unknown; choose among {', '.join(names)}")
        # The name of a set with classes stands for the task with outliers, too.
        sets = [
            table
            for table in sets
            if table.name in plan.names or table.name.rpartition(": ")[0] in plan.names
        ]
    sets = [table for table in sets if table.target in plan.targets]
    # Two splits of a set that is there twice would count twice.
    return list({table.digest: table for table in reversed(sets)}.values())[::-1], skipped


def keep_in(folder: Path, stem: str) -> Ledger:
    """Return the results that the report in a folder has, to go on from."""
    return Ledger.of_report(folder / f"{stem}.json", FORMAT)


def _tell(lines: Sequence[str]) -> None:
    """Show results on standard error, above a progress bar if there is one."""
    for line in lines:
        tqdm.write(line, file=sys.stderr)
