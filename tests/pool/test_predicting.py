"""Predictions of a pool are those of one board."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tensorspin
from tensorspin import BoardPool, GuardedClassifier, MPSAnomalyDetector, MPSClassifier, MPSRegressor
from tensorspin.driver.pool.work import LEAST_SAMPLES, MOST_SAMPLES, sample_works
from tensorspin.errors import CapacityError, PoolCapacityError, PoolError

from ..support.loaded_programs import chain_program

BOARD = "golden://icebreaker"
SMALL = "golden://ulx3s_25f_both"
MIXED = [BOARD, "golden://ulx3s_25f_annealer", "golden://ulx3s_25f", SMALL]
"""Boards of several sizes; one has no contractor."""


@pytest.mark.parametrize("urls", [[BOARD], [BOARD] * 3, MIXED])
def test_scores_do_not_depend_on_the_boards(trained, urls):
    program, X = trained
    with tensorspin.deploy(program, BOARD) as one, BoardPool(urls) as pool:
        shared = pool.deploy(program)
        for samples in (X, X[:1], X[:20]):
            np.testing.assert_array_equal(shared.predict_proba(samples), one.predict_proba(samples))
            for field in ("scores", "exponents", "classes"):
                found, expected = (getattr(each.last_run_, field) for each in (shared, one))
                np.testing.assert_array_equal(found, expected)
        for method in ("predict", "predict_proba", "decision_function"):
            expected = getattr(one, method)(X)
            np.testing.assert_array_equal(getattr(pool, method)(program, X), expected)


def test_all_kinds_of_models_predict_on_a_pool():
    rng = np.random.default_rng(0)
    X = rng.random((150, 3))
    classes = (X[:, 0] > X[:, 1]).astype(int)
    options = {"epochs": 2, "random_state": 0}
    detector = MPSAnomalyDetector(2, **options)
    classifier = MPSClassifier(2, **options)
    models = {
        "predict": MPSRegressor(2, **options).fit(X, X[:, 0]),
        "score_samples": MPSAnomalyDetector(2, **options).fit(X),
        "predict_proba": make_pipeline(StandardScaler(), MPSClassifier(2, **options)).fit(
            X, classes
        ),
        "predict ": GuardedClassifier(classifier, detector, 0.1, random_state=0).fit(X, classes),
    }
    with BoardPool([BOARD] * 2) as pool:
        for name, model in models.items():
            with tensorspin.deploy(model, BOARD) as one:
                expected = getattr(one, name.strip())(X)
            np.testing.assert_array_equal(getattr(pool, name.strip())(model, X), expected)


def test_a_method_that_the_model_lacks_is_named(trained):
    program, X = trained
    with BoardPool([BOARD]) as pool:
        with pytest.raises(AttributeError, match="BoardClassifier has no method transform"):
            pool.transform(program, X)
        with pytest.raises(AttributeError, match="no method score_samples"):
            pool.score_samples(program, X)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 100, 5000, 100_000])
def test_pieces_depend_on_the_number_of_samples_alone(trained, count):
    program, _ = trained
    works = sample_works(program, np.zeros((count, 4), np.uint8), None, False)
    sizes = [work.amount for work in works]
    assert sum(sizes) == count and max(sizes) <= MOST_SAMPLES
    assert len(works) == 1 or min(sizes[:-1]) >= LEAST_SAMPLES
    assert {work.mode.value for work in works} == {"single" if count == 1 else "throughput"}


def test_no_samples_are_refused_as_by_one_board(trained):
    program, X = trained
    with BoardPool([BOARD]) as pool, pytest.raises(ValueError, match="0 sample"):
        pool.predict(program, X[:0])


def test_a_model_that_no_board_holds_is_refused_with_each_limit():
    program = chain_program(n_features=200, bond=24)
    with BoardPool([BOARD, SMALL]) as pool:
        with pytest.raises(PoolCapacityError) as refusal:
            pool.predict(program, np.zeros((2, 200)))
    error = refusal.value
    assert isinstance(error, CapacityError) and set(error.reasons) == set(pool.urls)
    for url, reason in error.reasons.items():
        assert url in str(error) and reason in str(error) and "needed, the device holds" in reason
    assert error.needed > error.limit


def test_a_model_that_some_boards_hold_is_computed_by_those():
    program = chain_program(n_features=100, bond=14)
    X = np.random.default_rng(0).random((90, 100))
    with BoardPool([SMALL, BOARD, SMALL]) as pool, tensorspin.deploy(program, BOARD) as one:
        np.testing.assert_array_equal(pool.predict(program, X), one.predict(X))
        assert [each.samples for each in pool.statistics()] == [0, 90, 0]


def test_boards_without_a_contractor_are_named(trained):
    with BoardPool(["golden://ulx3s_25f_annealer"]) as pool:
        with pytest.raises(PoolError, match="has no contractor in its bitstream"):
            pool.predict(*trained)


def test_copies_of_an_estimator_share_the_pool(trained):
    program, X = trained
    with BoardPool([BOARD]) as pool:
        copied = clone(pool.deploy(program))
        assert copied.board is pool
        copied.close()
        assert len(copied.predict(X)) == len(X)
