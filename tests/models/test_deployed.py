"""Deployed classifiers: the same answers on every board, in any process."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Condition

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris

from tensorspin import (
    Board,
    BoardClassifier,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    NetworkProgram,
)
from tensorspin.errors import CapacityError, TensorspinError, TransportError

from ..support.loaded_programs import cycles_of

GOLDEN = "golden://icebreaker"
SIMULATED = "sim://icebreaker"


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def classifier(iris):
    return MPSClassifier(4, epochs=20, random_state=0).fit(*iris)


@pytest.mark.parametrize("url", [GOLDEN, SIMULATED])
def test_board_predicts_what_the_golden_model_predicts(iris, classifier, url):
    X, y = iris
    program = classifier.quantize()
    golden = program.run_golden(X)
    with classifier.deploy(url) as deployed:
        assert np.array_equal(deployed.predict(X), program.predict(X))
        first = deployed.last_run_
        # Asked again, the board says the same.
        assert np.array_equal(deployed.predict(X), program.predict(X))
        second = deployed.last_run_
        assert deployed.score(X, y) == pytest.approx(classifier.score(X, y), abs=0.03)
        probabilities = deployed.predict_proba(X)
    for result in (first, second):
        assert np.array_equal(result.scores, golden.scores)
        assert np.array_equal(result.exponents, golden.exponents)
        assert set(result.cycles) == {cycles_of(program)}
    np.testing.assert_allclose(probabilities, classifier.predict_proba(X), atol=0.1)


def test_two_programs_in_turn_on_one_board(iris, classifier):
    X, y = iris
    other = MPSClassifier(2, feature_map="trigonometric", epochs=5, random_state=1).fit(X, y > 0)
    with Board.open(SIMULATED) as board:
        pair = [(model.quantize(), model.deploy(board)) for model in (classifier, other)]
        for program, deployed in pair * 2:
            assert np.array_equal(deployed.predict(X), program.predict(X))
        assert pair[1][1].decision_function(X).shape == (len(X),)
        # An open board belongs to whoever opened it.
        pair[0][1].close()
        board.status()


@pytest.mark.filterwarnings("ignore::tensorspin.errors.CapacityWarning")
def test_a_program_that_does_not_fit_leaves_the_old_one(iris, classifier):
    X, y = iris
    too_large = MPSClassifier(32, epochs=1, random_state=0).fit(
        np.random.default_rng(0).random((40, 200)), np.arange(40) % 2
    )
    with Board.open(GOLDEN) as board:
        deployed = classifier.deploy(board)
        before = deployed.predict(X)
        with pytest.raises(CapacityError, match=r"words of program memory .* holds 16383"):
            board.load(too_large.quantize())
        assert board.status().active
        assert np.array_equal(deployed.predict(X), before)


def test_pickled_and_cloned(iris, classifier):
    X, _ = iris
    deployed = classifier.deploy(GOLDEN)
    expected = deployed.predict(X)
    for copy in (pickle.loads(pickle.dumps(deployed)), clone(deployed)):
        assert np.array_equal(copy.predict(X), expected)
        copy.close()
    deployed.close()
    assert np.array_equal(deployed.predict(X), expected)
    deployed.close()


def test_another_board_is_opened_when_the_parameter_changes(iris, classifier):
    X, _ = iris
    with classifier.deploy(GOLDEN) as deployed, Board.open(GOLDEN) as board:
        deployed.predict(X)
        deployed.set_params(board="/dev/none")
        with pytest.raises(TransportError, match="/dev/none"):
            deployed.predict(X)
        deployed.set_params(board=board).predict(X)
        assert board.program is deployed.program
        deployed.set_params(board=GOLDEN).predict(X)


def test_what_is_no_board_or_no_program(iris, classifier):
    X, _ = iris
    for board in (None, 3):
        with pytest.raises(TypeError, match="must be a URL, an open Board or a BoardPool, not"):
            classifier.deploy(board).predict(X)
    with pytest.raises(TypeError, match="program must be a NetworkProgram, not str"):
        BoardClassifier("model.npz", GOLDEN).predict(X)


def test_programs_compare_and_print_briefly(classifier):
    program = classifier.quantize()
    assert program == program and program != classifier.quantize()
    assert len({program, program}) == 1
    assert "Node" not in repr(program)


def test_a_deployed_classifier_is_not_trained(iris, classifier):
    with pytest.raises(TypeError, match="fit an MPSClassifier"):
        classifier.deploy(GOLDEN).fit(*iris)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, 2.0, 3.0]], "X has 3 features, but BoardClassifier is expecting 4"),
        ([[1.0, np.nan, 3.0, 4.0]], "contains NaN"),
        ([[1.0, np.inf, 3.0, 4.0]], "contains infinity"),
    ],
)
def test_bad_samples_never_reach_the_board(classifier, X, message):
    # A board that can't be opened: it isn't even tried.
    with pytest.raises(ValueError, match=message):
        classifier.deploy("/dev/none").predict(X)


def test_values_outside_a_promised_range(iris):
    X, y = iris
    model = MPSClassifier(2, feature_range=(0, 8), epochs=1, random_state=0).fit(X, y)
    outside = X[:3].copy()
    outside[1, 2] = 8.5
    for predict in (model.predict, model.deploy("/dev/none").predict, model.quantize().predict):
        with pytest.raises(ValueError, match="feature 2 of sample 1 is 8.5.*0 to 8"):
            predict(outside)


def test_one_feature(iris):
    X, y = iris
    model = MPSClassifier(2, epochs=20, random_state=0).fit(X[:, 2:3], y)
    with model.deploy(GOLDEN) as deployed:
        assert np.mean(deployed.predict(X[:, 2:3]) == model.predict(X[:, 2:3])) > 0.95


@pytest.mark.parametrize("dtype", [str, object])
def test_string_classes(iris, tmp_path, dtype):
    X, y = iris
    labels = np.array(["setosa", "versicolor", "virginica"], dtype=dtype)[y]
    model = MPSClassifier(4, epochs=40, random_state=0).fit(X, labels)
    model.quantize().save(tmp_path / "model.npz")
    with BoardClassifier(NetworkProgram.load(tmp_path / "model.npz"), GOLDEN) as loaded:
        assert set(loaded.predict(X)) == set(labels)
        assert loaded.score(X, labels) == pytest.approx(model.score(X, labels), abs=0.03)


def test_the_board_must_hold_a_program():
    with Board.open(GOLDEN) as board, pytest.raises(TensorspinError, match="no program is loaded"):
        board.run(np.zeros((1, 4), dtype=np.uint8))


def test_digits_score_for_score_on_the_gateware():
    """The whole of the chain on real data, at a bond dimension that a test can afford."""
    X, y = load_digits(return_X_y=True)
    model = MPSClassifier(6, feature_range=(0, 16), epochs=8, random_state=0).fit(X[360:], y[360:])
    program = model.quantize()
    golden = program.run_golden(X[:360])
    with model.deploy(SIMULATED) as deployed:
        accuracy = deployed.score(X[:360], y[:360])
        result = deployed.last_run_
    assert np.array_equal(result.scores, golden.scores)
    assert np.array_equal(result.exponents, golden.exponents)
    assert np.array_equal(result.cycles, np.full(360, cycles_of(program)))
    assert accuracy > 0.9


# Threads


class PausingBoard(Board):
    """Pauses between load and run until another program is loaded, if any is."""

    def __init__(self, session):
        super().__init__(session)
        self.loads, self.loaded = 0, Condition()

    def load(self, program, **options):
        super().load(program, **options)
        with self.loaded:
            self.loads += 1
            self.loaded.notify_all()

    def run(self, levels, **options):
        with self.loaded:
            before = self.loads
            self.loaded.wait_for(lambda: self.loads > before, timeout=0.3)
        return super().run(levels, **options)


MODELS = {
    "classifier": lambda seed: MPSClassifier(2, epochs=1, random_state=seed),
    "regressor": lambda seed: MPSRegressor(2, epochs=1, random_state=seed),
    "anomaly detector": lambda seed: MPSAnomalyDetector(2, epochs=1, random_state=seed),
}


@pytest.mark.parametrize("model", MODELS)
def test_two_threads_with_a_model_each_share_a_board(iris, model):
    X, y = iris
    models = [MODELS[model](seed).fit(X, y) for seed in (0, 1)]
    programs = [each.quantize() for each in models]
    expected = [program.run_golden(X) for program in programs]
    assert not np.array_equal(expected[0].scores, expected[1].scores)
    with PausingBoard.open(GOLDEN) as board, ThreadPoolExecutor(2) as pool:
        deployed = [type(each.deploy(board))(p, board) for each, p in zip(models, programs)]
        found = list(pool.map(lambda each: (each.run(X), each.predict(X)), deployed))
    for (results, predicted), true, program in zip(found, expected, programs):
        assert np.array_equal(results.scores, true.scores)
        assert np.array_equal(predicted, program.predict(X))


def test_threads_share_one_estimator_whose_board_is_opened_once(iris, classifier, monkeypatch):
    X, _ = iris
    opened = []

    def open_slowly(url):
        opened.append(url)
        time.sleep(0.1)
        return golden_open(url)

    golden_open = Board.open
    monkeypatch.setattr(Board, "open", open_slowly)
    with classifier.deploy(GOLDEN) as deployed, ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: deployed.predict(X[start::4]), range(4)))
    for start, predicted in enumerate(found):
        assert np.array_equal(predicted, deployed.program.predict(X[start::4]))
    assert opened == [GOLDEN]


def test_closing_while_other_threads_predict(iris, classifier):
    X, _ = iris
    expected = classifier.quantize().predict(X[:5])
    with classifier.deploy(GOLDEN) as deployed, ThreadPoolExecutor(2) as pool:
        found = [pool.submit(deployed.predict, X[:5]) for _ in range(20)]
        while not all(each.done() for each in found):
            deployed.close()
        assert all(np.array_equal(each.result(), expected) for each in found)
