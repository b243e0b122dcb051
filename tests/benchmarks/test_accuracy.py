"""Rows of accuracy, and that a board which answers wrong is found out."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from tensorspin.benchmarks.contractor import accuracy
from tensorspin.benchmarks.contractor.capacity import measure_capacity
from tensorspin.benchmarks.contractor.classifiers import tensor_networks
from tensorspin.benchmarks.contractor.splits import stratified_splits
from tensorspin.contract.contractor.results import ContractorResults
from tensorspin.contract.device.boards import CONTRACTORS
from tensorspin.contract.fixed import NARROW_WEIGHT, WEIGHT
from tensorspin.data.datasets import load_samples
from tensorspin.driver.board import Board
from tensorspin.models import MPSClassifier

BITS = WEIGHT.width
URL = "golden://icebreaker"


@pytest.fixture(scope="module")
def iris():
    return stratified_splits(load_samples("iris"), 2, 10**9)


@pytest.fixture(scope="module")
def measured(iris):
    with Board.open(URL) as board:
        return accuracy.measure_accuracy("iris", iris, {URL: board}, quick=True)


def test_every_classifier_is_tested_on_every_split(measured, iris):
    rows, fitted = measured
    by_title = {(row["classifier"], row["variant"]): row for row in rows}
    assert len(by_title) == len(rows)
    for row in rows:
        assert len(row["accuracies"]) == len(iris)
        assert row["accuracy"] == np.mean(row["accuracies"])
        assert row["accuracy"] > 0.7 and row["bytes"] > 0
        # Of two values the standard error is half their distance.
        first, second = row["accuracies"]
        assert row["standard_error"] == pytest.approx(abs(first - second) / 2)
    network = by_title["MPSClassifier", "float"]
    assert network["bytes"] == by_title["MPSClassifier", f"{BITS}-bit"]["bytes"] * 32 / BITS
    for title, estimator in fitted.estimators.items():
        data = iris[0]
        expected = estimator.score(data.X_test, data.y_test)
        assert by_title[title, "float"]["accuracies"][0] == expected


def test_golden_board_equals_golden_model(measured, iris):
    rows, _ = measured
    on_board = [row for row in rows if row["variant"].endswith(URL)]
    networks = tensor_networks(0, None)
    assert {(row["classifier"], row["weight_bits"]) for row in on_board} == {
        (title, bits) for title in networks for bits in (WEIGHT.width, NARROW_WEIGHT.width)
    }
    for row in on_board:
        assert row["obstacle"] is None
        assert row["scores_compared"] == sum(3 * len(data.y_test) for data in iris)
        for what in ("scores", "exponents", "classes"):
            assert row[f"{what}_unlike_golden"] == 0
        assert row["cycles_unlike_estimate"] == 0


class LyingBoard:
    """One score, one exponent, one class and two cycle counts of each run are wrong."""

    info = SimpleNamespace(board="icebreaker")

    def load(self, program):
        self.program = program

    def run(self, levels):
        with Board.open(URL) as board:
            board.load(self.program)
            true = board.run(levels)
        scores, exponents, classes, cycles = (
            field.copy() for field in (true.scores, true.exponents, true.classes, true.cycles)
        )
        scores[1, 2] ^= 1
        exponents[0] += 1
        classes[3] = (classes[3] + 1) % 3
        cycles[:2] += 1
        return ContractorResults(scores, exponents, classes, cycles)


def test_wrong_answers_are_counted(iris):
    rows, _ = accuracy.measure_accuracy("iris", iris, {"sim://liar": LyingBoard()}, quick=True)
    for row in rows:
        if row["variant"].endswith("liar"):
            assert row["scores_unlike_golden"] == len(iris)
            assert row["exponents_unlike_golden"] == len(iris)
            assert row["classes_unlike_golden"] == len(iris)
            assert row["cycles_unlike_estimate"] == 2 * len(iris)


@pytest.fixture(scope="module")
def large_program():
    rng = np.random.default_rng(0)
    X, y = rng.random((20, 600)), np.arange(20) % 2
    classifier = MPSClassifier(bond_dim=32, feature_range=(0, 1), epochs=1, random_state=0)
    return classifier.fit(X, y).quantize()


def test_capacity_names_what_does_not_fit(large_program):
    rows = measure_capacity({("MPSClassifier", BITS): large_program})
    assert [row["board"] for row in rows] == list(CONTRACTORS)
    row = rows[list(CONTRACTORS).index("icebreaker")]
    size = CONTRACTORS["icebreaker"].contractor
    limit = size.program_words - size.signature  # a word of a signed program is its signature
    assert "program memory" in row["obstacle"] and f"of {limit:,}" in row["obstacle"]
    assert row["cycles"] > 0 and row["seconds"] == row["cycles"] / row["clock_hz"]
    assert 0 < row["utilisation"] <= 1


def test_programs_that_do_not_fit_are_not_run(large_program, monkeypatch):
    class Network(BaseEstimator):
        def __init__(self, weight_bits=None):
            self.weight_bits = weight_bits

        def fit(self, X, y):
            return self

        def score(self, X, y):
            return 0.5

        def quantize(self):
            return large_program

    monkeypatch.setattr(accuracy, "tensor_networks", lambda *arguments: {"Large": Network()})
    monkeypatch.setattr(accuracy, "baselines", lambda seed: {})
    rng = np.random.default_rng(0)
    X, y = rng.random((5, 600)), np.arange(5) % 2
    data = SimpleNamespace(X_train=X, y_train=y, X_test=X, y_test=y, feature_range=(0, 1))
    with Board.open(URL) as board:
        rows, _ = accuracy.measure_accuracy("large", [data], {URL: board})
    row = rows[-1]
    assert row["variant"].endswith(URL) and "program memory" in row["obstacle"]
    assert row["accuracy"] is None and row["accuracies"] == []
