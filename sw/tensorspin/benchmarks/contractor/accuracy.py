"""Accuracy of all classifiers on the same splits, and of quantised programs on boards."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler import NetworkProgram
from ...contract.contractor.results import ContractorResults
from ...contract.fixed import NARROW_WEIGHT, WEIGHT
from ...data.datasets import Dataset
from ...driver.board import Board
from ...progress import progress_over
from .capacity import estimated
from .classifiers import baselines, float_bytes, tensor_networks, trained_for, weight_bytes


@dataclass(frozen=True)
class Fitted:
    """What was trained on the first split; the measurements of speed use it.

    Parameters
    ----------
    estimators : dict of str to estimator
        Fitted classifiers, which predict on the host, by their names.
    programs : dict of (str, int) to NetworkProgram
        Quantised programs, by the classifier's name and the number of bits of a weight.
    """

    estimators: dict
    programs: dict[tuple[str, int], NetworkProgram]


def measure_accuracy(
    name: str, splits: Sequence[Dataset], boards: Mapping[str, Board], quick: bool = False
) -> tuple[list[dict], Fitted]:
    """Train and test all classifiers.

    Parameters
    ----------
    name : str
        Name of the data set, for the progress bar.
    splits : sequence of Dataset
        Training and held-out samples; every classifier is trained and tested on each split.
    boards : mapping of str to Board
        Open boards by their URL. Each runs the programs that fit it, on all held-out samples.
    quick : bool
        Whether to train for fewer epochs.

    Returns
    -------
    rows : list of dict
        One row for each classifier and variant (float, quantised, quantised on a board): accuracies
        0..1, bytes, seconds of training. The row of a board counts the answers that differ from the
        golden model, over all splits.
    fitted : Fitted
        What was trained on the first split.
    """
    table = _Table()
    fitted = Fitted({}, {})
    tasks = [
        (split, data, title, estimator)
        for split, data in enumerate(splits)
        for title, estimator in (
            tensor_networks(split, data.feature_range, quick) | baselines(split)
        ).items()
    ]
    for split, data, title, estimator in progress_over(tasks, f"accuracy on {name}", "fit"):
        row = table.row(title)
        row["training_seconds"].append(_fit(estimator, data))
        row["accuracies"].append(float(estimator.score(data.X_test, data.y_test)))
        row["bytes"].append(float_bytes(estimator))
        programs = {}
        if hasattr(estimator, "quantize"):
            # Rounding to 8 bits hardly changes a network, so the float network is quantised as it
            # is. For 4 bits a network must be trained with the rounding in view.
            narrow = trained_for(estimator, NARROW_WEIGHT.width)
            seconds = _fit(narrow, data)
            table.row(title, NARROW_WEIGHT.width)["training_seconds"].append(seconds)
            programs = {
                (title, WEIGHT.width): estimator.quantize(),
                (title, NARROW_WEIGHT.width): narrow.quantize(),
            }
        for (_, bits), program in programs.items():
            _test_program(table, title, bits, program, data, boards)
        if split == 0:
            fitted.estimators[title] = estimator
            fitted.programs.update(programs)
    return table.finished(), fitted


def _fit(estimator, data: Dataset) -> float:
    """Train a classifier, and return the seconds that it took."""
    started = time.perf_counter()
    estimator.fit(data.X_train, data.y_train)
    return time.perf_counter() - started


class _Table:
    """Rows of results, which grow from split to split, in the order of their first use."""

    def __init__(self) -> None:
        self._rows: dict[tuple, dict] = {}

    def row(self, classifier: str, bits: int | None = None, url: str | None = None) -> dict:
        """Return the row of a variant, which is made at its first use.

        Parameters
        ----------
        classifier : str
            Name of the classifier.
        bits : int, optional
            Number of bits of a weight in the classifier's program. None: the classifier as it is
            trained, in floating point.
        url : str, optional
            Board on which the program runs. None: the golden model.
        """
        variant = "float" if bits is None else f"{bits}-bit"
        empty: dict[str, Any] = {
            "classifier": classifier,
            "weight_bits": bits,
            "url": url,
            "variant": variant if url is None else f"{variant} on {url}",
            "accuracies": [],
            "bytes": [],
            "training_seconds": [],
        }
        return self._rows.setdefault((classifier, bits, url), empty)

    def finished(self) -> list[dict]:
        """Return the rows, with mean, standard error and median in place of the splits' numbers."""
        for row in self._rows.values():
            values = row["accuracies"]
            row["accuracy"] = float(np.mean(values)) if values else None
            row["standard_error"] = (
                float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
            )
            row["bytes"] = float(np.mean(row["bytes"]))
            seconds = row.pop("training_seconds")
            row["training_seconds"] = float(np.median(seconds)) if seconds else None
        return list(self._rows.values())


def _test_program(
    table: _Table,
    title: str,
    bits: int,
    program: NetworkProgram,
    data: Dataset,
    boards: Mapping[str, Board],
) -> None:
    """Test a program on the golden model, and on the boards that hold it."""
    golden = program.run_golden(data.X_test)
    size = weight_bytes(program, bits)

    def record(results: ContractorResults | None, url: str | None = None) -> dict:
        row = table.row(title, bits, url)
        row["bytes"].append(size)
        if results is not None:
            found = program.interpret(results.scores, results.exponents)
            row["accuracies"].append(float(np.mean(found == data.y_test)))
        return row

    record(golden)
    for url, board in boards.items():
        obstacle = estimated(program, board.info.board)["obstacle"]
        results = None
        if obstacle is None:
            board.load(program)
            results = board.run(program.levels(data.X_test))
        row = record(results, url)
        row["obstacle"] = obstacle
        if results is not None:
            _count_differences(row, results, golden, program, board.info.board)


def _count_differences(
    row: dict,
    results: ContractorResults,
    golden: ContractorResults,
    program: NetworkProgram,
    board_name: str,
) -> None:
    """Add to a board's row the answers unlike the golden model, and the cycles unlike promised."""
    cycles = estimated(program, board_name)["cycles"]
    counts: dict[str, Any] = {
        "scores_compared": results.scores.size,
        "scores_unlike_golden": np.count_nonzero(results.scores != golden.scores),
        "exponents_unlike_golden": np.count_nonzero(results.exponents != golden.exponents),
        "classes_unlike_golden": np.count_nonzero(results.classes != golden.classes),
        "cycles_unlike_estimate": np.count_nonzero(results.cycles != cycles),
    }
    for what, count in counts.items():
        row[what] = row.get(what, 0) + int(count)
