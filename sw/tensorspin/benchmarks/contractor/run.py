"""All measurements, in one report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from ...contract.device.boards import CONTRACTORS
from ...data.datasets import NAMES, Samples, load_samples
from ...driver.board import Board
from ..common.machine import describe_machine
from .accuracy import measure_accuracy
from .capacity import measure_capacity
from .host import measure_host
from .latency import measure_boards
from .splits import stratified_splits
from .training import EPOCHS, measure_training

FORMAT = 1
"""Of the report; one of another format can't be rendered."""

QUICK_NAMES = ("iris", "wine", "breast_cancer")


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes
    ----------
    sources : sequence of str
        As `tensorspin.data.datasets.load_samples` takes them.
    urls : sequence of str
        Boards to run programs on.
    splits : int
        Stratified splits of a source that has none of its own.
    most_training : int
        Samples to train on at most.
    quick : bool
        Train less, repeat less, and don't compare with other libraries.
    training_source : str
        Data of the comparison with other libraries.
    training_epochs : int
    training_python : str, optional
        Interpreter of the environment that has them.
    """

    sources: Sequence[str] = NAMES
    urls: Sequence[str] = tuple(f"sim://{name}" for name in CONTRACTORS)
    splits: int = 5
    most_training: int = 10_000
    quick: bool = False
    training_source: str = "digits"
    training_epochs: int = EPOCHS
    training_python: str | None = None


def measure(plan: Plan) -> dict:
    """Measure all that the plan names, on one core.

    Parameters
    ----------
    plan : Plan

    Returns
    -------
    dict
        Ready for JSON; `tables` and `figures` render it.

    Raises
    ------
    DataError
        If a source can't be read or used; before anything is measured.
    TensorspinError
        If a board can't be opened, or fails.
    """
    samples = [load_samples(source) for source in plan.sources]
    for item in samples:
        stratified_splits(item, plan.splits, plan.most_training)
    training = None
    if not plan.quick:
        source = load_samples(plan.training_source)
        training = stratified_splits(source, 1, plan.most_training)[0]
    with threadpool_limits(1), ExitStack() as stack:
        boards = {url: stack.enter_context(Board.open(url)) for url in plan.urls}
        report = {
            "format": FORMAT,
            "machine": describe_machine(),
            "quick": plan.quick,
            "data": [_measure_data(item, plan, boards) for item in samples],
            "training": [],
        }
        if training is not None:
            report["training"] = measure_training(
                Path(plan.training_source).stem,
                training,
                plan.training_python,
                plan.training_epochs,
            )
    return report


def _measure_data(samples: Samples, plan: Plan, boards: dict[str, Board]) -> dict:
    splits = stratified_splits(samples, plan.splits, plan.most_training)
    accuracy, fitted = measure_accuracy(samples.name, splits, boards, plan.quick)
    X_test = splits[0].X_test
    return {
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
        "boards": measure_boards(samples.name, fitted.programs, boards, X_test),
        "host": measure_host(samples.name, fitted.estimators, X_test, plan.quick),
    }
