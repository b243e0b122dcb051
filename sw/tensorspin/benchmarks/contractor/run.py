"""Make all measurements, and put them into one report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from ...contract.device.boards import CONTRACTORS
from ...data.datasets import NAMES, Samples, load_samples
from ...driver.board import Board
from ..common.machine import describe_machine
from ..common.report import Keep
from .accuracy import Fitted, accuracy_on_board, measure_accuracy
from .capacity import measure_capacity
from .host import measure_host
from .kernels import measure_kernels
from .latency import measure_boards
from .lines import board_lines, host_lines
from .one_sample.rows import measure_rows
from .opening import Boards
from .splits import stratified_splits
from .training import EPOCHS, measure_training

FORMAT = 1
"""Version of the report's structure; `tables` and `figures` render no other."""

QUICK_NAMES = ("iris", "wine", "breast_cancer")
"""Data sets of a quick run, the smaller ones that come with scikit-learn."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Parameters
    ----------
    sources : sequence of str
        Names or files of the data sets, as `tensorspin.data.load_samples` takes them.
    urls : sequence of str
        Boards to run programs on, as `tensorspin.Board.open` takes them.
    splits : int
        Number of stratified splits of a data set that has no split of its own.
    most_training : int
        Largest number of samples to train on.
    quick : bool
        Whether to train less, repeat less, and leave out the comparison with other libraries.
    training_source : str
        Data set of the comparison with other libraries.
    training_epochs : int
        Passes over the training samples in that comparison.
    training_python : str, optional
        Interpreter of the environment that has the other libraries; by default this one.
    header : str
        Whether the first line of ``.csv`` files among the sources holds names of columns, as
        `tensorspin.data.load_samples` takes it.
    counted : Path, optional
        A report of ``make bench-mcu``, whose figures of one sample are shown beside the boards'.
    """

    sources: Sequence[str] = NAMES
    urls: Sequence[str] = tuple(f"sim://{name}" for name in CONTRACTORS)
    splits: int = 5
    most_training: int = 10_000
    quick: bool = False
    training_source: str = "digits"
    training_epochs: int = EPOCHS
    training_python: str | None = None
    header: str = "auto"
    counted: Path | None = None


def measure(plan: Plan, keep: Keep = lambda report: None) -> dict:
    """Measure what the plan names, on one core of this computer.

    The host is measured first, while nothing else runs. Then one board is measured after the other,
    while the simulators of those that follow are compiled; this changes none of their results,
    which are clock cycles, and processor time of this thread. Results are told on standard error as
    soon as they are there.

    Parameters
    ----------
    plan : Plan
        What to measure.
    keep : callable, optional
        Saves the report after the host and after each board.

    Returns
    -------
    dict
        The report, ready for JSON; `tables` and `figures` render it.

    Raises
    ------
    DataError
        If a data set cannot be read or used. All are read before anything is measured.
    TensorspinError
        If a board cannot be opened, or fails.
    """
    samples = [_load(source, plan) for source in plan.sources]
    for item in samples:
        stratified_splits(item, plan.splits, plan.most_training)  # only to see that it works
    training = None
    if not plan.quick:
        source = _load(plan.training_source, plan)
        training = stratified_splits(source, 1, plan.most_training)[0]
    # One core for every library, so that the times compare algorithms and not their threads.
    with threadpool_limits(1), Boards(plan.urls) as boards:
        report: dict = {
            "format": FORMAT,
            "machine": describe_machine(),
            "quick": plan.quick,
            "data": [],
            "training": [],
            "kernels": [],
        }
        trained = []
        for item in samples:
            data, fitted = _measure_host(item, plan)
            report["data"].append(data)
            trained.append(fitted)
            _tell(host_lines(data))
        if training is not None:
            report["kernels"] = measure_kernels()
            report["training"] = measure_training(
                Path(plan.training_source).stem,
                training,
                plan.training_python,
                plan.training_epochs,
            )
        keep(report)
        for url, board in boards.in_turn():
            for data, fitted in zip(report["data"], trained):
                _measure_board(data, fitted, url, board)
                _tell(board_lines(data, url))
            keep(report)
    return report


def _load(source: str, plan: Plan) -> Samples:
    """Read a data set; `Plan.header` is for those that are .csv files."""
    return load_samples(source, header=plan.header if Path(source).suffix == ".csv" else "auto")


def _measure_host(samples: Samples, plan: Plan) -> tuple[dict, Fitted]:
    """Measure what needs no board; speed is measured with what the first split trained."""
    splits = stratified_splits(samples, plan.splits, plan.most_training)
    accuracy, fitted = measure_accuracy(samples.name, splits, {}, plan.quick)
    data = {
        "name": samples.name,
        "features": samples.X.shape[1],
        "classes": len(np.unique(samples.y)),
        "samples": len(samples.y) + (len(samples.held_out[1]) if samples.held_out else 0),
        "own_split": samples.held_out is not None,
        "splits": len(splits),
        "training_samples": len(splits[0].y_train),
        "test_samples": len(splits[0].y_test),
        "accuracy": accuracy,
        "capacity": measure_capacity(fitted.programs),
        "boards": [],
        "host": measure_host(samples.name, fitted.estimators, splits[0].X_test, plan.quick),
    }
    programs = {f"{title}, {bits}-bit": each for (title, bits), each in fitted.programs.items()}
    data["one_sample"] = measure_rows(
        *(samples.name, programs, fitted.estimators, splits[0].X_test),
        host=data["host"],
        counted=plan.counted,
    )
    return data, fitted


def _measure_board(data: dict, fitted: Fitted, url: str, board: Board) -> None:
    """Add to a data set what one board answers, and how fast; rows of a program stay together."""
    programs: list[tuple[str, int | None]] = list(fitted.programs)
    X_test = fitted.tests[0].data.X_test
    rows = measure_boards(data["name"], fitted.programs, {url: board}, X_test)
    data["boards"] = sorted([*data["boards"], *rows], key=lambda row: programs.index(_key(row)))
    variants = list(dict.fromkeys(map(_key, data["accuracy"])))
    rows = [*data["accuracy"], *accuracy_on_board(fitted, url, board)]
    data["accuracy"] = sorted(rows, key=lambda row: variants.index(_key(row)))


def _key(row: dict) -> tuple[str, int | None]:
    """Identify the program of a row; None stands for a classifier in floating point."""
    return row["classifier"], row["weight_bits"]


def _tell(lines: list[str]) -> None:
    """Show results on standard error, above a progress bar if there is one."""
    for line in lines:
        tqdm.write(line, file=sys.stderr)
