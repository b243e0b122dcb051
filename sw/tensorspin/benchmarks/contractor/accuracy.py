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
class Test:
    """A program, the held-out samples to test it on, and what the golden model answers.

    Parameters
    ----------
    title : str
        Name of the classifier.
    bits : int
        Number of bits of a weight.
    program : NetworkProgram
        The quantised program.
    data : Dataset
        The split whose held-out samples are run.
    golden : ContractorResults
        Answers of the golden model to these samples.
    """

    __test__ = False  # pytest would take the class for tests

    title: str
    bits: int
    program: NetworkProgram
    data: Dataset
    golden: ContractorResults


@dataclass(frozen=True)
class Fitted:
    """What was trained: the measurements of speed and of boards use it.

    Parameters
    ----------
    estimators : dict of str to estimator
        Classifiers fitted on the first split, which predict on the host, by their names.
    programs : dict of (str, int) to NetworkProgram
        Quantised programs of the first split, by the classifier's name and the number of bits of a
        weight.
    tests : list of Test
        The programs of all splits.
    """

    estimators: dict
    programs: dict[tuple[str, int], NetworkProgram]
    tests: list[Test]


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
        Open boards by their URL, on which the programs are then tested by `accuracy_on_board`; none
        if that is done later.
    quick : bool
        Whether to train for fewer epochs.

    Returns
    -------
    rows : list of dict
        One row for each classifier and variant (float, quantised, quantised on a board): accuracies
        0..1, bytes, seconds of training.
    fitted : Fitted
        What was trained.
    """
    table = _Table()
    fitted = Fitted({}, {}, [])
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
            test = Test(title, bits, program, data, program.run_golden(data.X_test))
            fitted.tests.append(test)
            table.add(test, test.golden)
        if split == 0:
            fitted.estimators[title] = estimator
            fitted.programs.update(programs)
    rows = table.finished()
    for url, board in boards.items():
        rows += accuracy_on_board(fitted, url, board)
    return rows, fitted


def accuracy_on_board(fitted: Fitted, url: str, board: Board) -> list[dict]:
    """Test all programs that fit a board on it, with all held-out samples.

    Parameters
    ----------
    fitted : Fitted
        What `measure_accuracy` trained.
    url : str
        The board's URL.
    board : Board
        The open board.

    Returns
    -------
    list of dict
        One row for each classifier and number of bits, as in `measure_accuracy`. It counts the
        answers that differ from the golden model, over all splits.
    """
    table = _Table()
    for test in fitted.tests:
        obstacle = estimated(test.program, board.info.board)["obstacle"]
        results = None
        if obstacle is None:
            board.load(test.program)
            results = board.run(test.program.levels(test.data.X_test))
        row = table.add(test, results, url)
        row["obstacle"] = obstacle
        if results is not None:
            _count_differences(row, results, test.golden, test.program, board.info.board)
    return table.finished()


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

    def add(self, test: Test, results: ContractorResults | None, url: str | None = None) -> dict:
        """Add a program's accuracy on one split to the row of its variant, and return the row.

        Parameters
        ----------
        test : Test
            The program and the samples.
        results : ContractorResults or None
            Answers to the samples; None if the program was not run.
        url : str, optional
            As for `row`.
        """
        row = self.row(test.title, test.bits, url)
        row["bytes"].append(weight_bytes(test.program, test.bits))
        if results is not None:
            found = test.program.interpret(results.scores, results.exponents)
            row["accuracies"].append(float(np.mean(found == test.data.y_test)))
        return row

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
