"""Accuracy of all classifiers on the same splits; of programs, on boards too."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler import NetworkProgram
from ...contract.contractor.results import Results
from ...contract.fixed import NARROW_WEIGHT, WEIGHT
from ...data.datasets import Dataset
from ...driver.board import Board
from ...progress import progress_over
from .capacity import estimated
from .classifiers import baselines, float_bytes, tensor_networks, trained_for, weight_bytes


@dataclass(frozen=True)
class Fitted:
    """What was trained on the first split, for the measurements of speed.

    Attributes
    ----------
    estimators : dict of str to estimator
        Those that predict on the host.
    programs : dict of (str, int) to NetworkProgram
        By the estimator's name and the bits of a weight.
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
        Of the data, for the progress.
    splits : sequence of Dataset
    boards : mapping of str to Board
        Open boards by their URL; the programs that fit are run there, on all test samples.
    quick : bool
        Train less.

    Returns
    -------
    rows : list of dict
        One for each classifier and variant: accuracies 0..1, bytes, seconds of training; of a
        board, the answers that differ from the golden model, counted over all splits.
    fitted : Fitted
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
            # Rounding to 8 bits changes nothing; for 4 bits a network must be trained.
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
    """Train; returns the seconds that it took."""
    started = time.perf_counter()
    estimator.fit(data.X_train, data.y_train)
    return time.perf_counter() - started


class _Table:
    """Rows in the order in which they are first asked for."""

    def __init__(self) -> None:
        self._rows: dict[tuple, dict] = {}

    def row(self, classifier: str, bits: int | None = None, url: str | None = None) -> dict:
        """Of a classifier as it is, or of its program with weights of `bits`, or on a board."""
        variant = "float" if bits is None else f"{bits}-bit"
        empty = {
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
        """The rows, lists of numbers joined to one where that is what is wanted."""
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


def _test_program(table, title, bits, program, data, boards) -> None:
    """The program on the golden model, and on the boards that hold it."""
    golden = program.run_golden(data.X_test)
    size = weight_bytes(program, bits)

    def record(results: Results | None, url: str | None = None) -> dict:
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


def _count_differences(row, results: Results, golden: Results, program, board_name: str) -> None:
    cycles = estimated(program, board_name)["cycles"]
    counts = {
        "scores_compared": results.scores.size,
        "scores_unlike_golden": np.count_nonzero(results.scores != golden.scores),
        "exponents_unlike_golden": np.count_nonzero(results.exponents != golden.exponents),
        "classes_unlike_golden": np.count_nonzero(results.classes != golden.classes),
        "cycles_unlike_estimate": np.count_nonzero(results.cycles != cycles),
    }
    for what, count in counts.items():
        row[what] = row.get(what, 0) + int(count)
