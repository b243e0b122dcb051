"""Features selected by a sampler."""

from __future__ import annotations

from itertools import combinations

import dimod
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from tensorspin import Board
from tensorspin.errors import CapacityError
from tensorspin.sampling import AnnealingFeatureSelector, BoardSampler, feature_selector

from ..support.annealer_boards import URL

QUICK = {"num_sweeps": 10, "states": "best"}


def on_stand_in(**options):
    return AnnealingFeatureSelector(URL, sampler_parameters=QUICK, random_state=0, **options)


QUICK_CHECKS = {
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_estimators_unfitted",
    "check_fit2d_1feature",
    "check_no_attributes_set_in_init",
    "check_transformer_general",
}
"""Checks of scikit-learn that `make test` runs; the others anneal many times."""


def _checks():
    for estimator, check in estimator_checks_generator(on_stand_in()):
        name = check.func.__name__
        marks = () if name in QUICK_CHECKS else pytest.mark.slow
        yield pytest.param(estimator, check, id=name, marks=marks)


@pytest.mark.parametrize(("estimator", "check"), list(_checks()))
def test_scikit_learn_check(estimator, check):
    check(estimator)


def copies(noise=0.05, samples=400, regression=False):
    """Three features that matter, two near-copies of each, and three of noise."""
    rng = np.random.default_rng(0)
    causes = rng.random((samples, 3))
    X = np.column_stack(
        [causes + noise * rng.standard_normal(causes.shape) for _ in range(3)]
        + [rng.random((samples, 3))]
    )
    y = causes.sum(axis=1)
    return X, y if regression else (y > 1.5)


@pytest.mark.parametrize("redundancy", ["mutual_information", "correlation"])
@pytest.mark.parametrize("regression", [False, True])
def test_one_of_each_copy_is_selected(redundancy, regression):
    X, y = copies(regression=regression)
    selector = AnnealingFeatureSelector(
        dimod.ExactSolver(), n_features_to_select=3, redundancy=redundancy
    ).fit(X, y)
    selected = selector.get_support(indices=True)
    assert sorted(selected % 3) == [0, 1, 2] and selected.max() < 9
    assert selector.transform(X).shape == (len(X), 3)
    assert 0 < selector.weight_ < 1


def test_the_board_finds_what_is_best():
    X, y = copies()
    options = {**QUICK, "num_sweeps": 50}
    selector = AnnealingFeatureSelector(
        BoardSampler(URL), n_features_to_select=3, sampler_parameters=options, random_state=0
    ).fit(X, y)
    assert selector.support_.sum() == 3

    def objective(support):
        within = selector.redundancy_[np.ix_(support, support)].sum() / 2
        relevance = selector.relevance_[list(support)].sum()
        return -selector.weight_ * relevance + (1 - selector.weight_) * within

    found = objective(np.flatnonzero(selector.support_))
    every = np.array([objective(support) for support in combinations(range(X.shape[1]), 3)])
    # The couplings of the device have 4 bits: near-copies may be as good for it.
    assert np.mean(every < found - 1e-9) < 0.01


@pytest.mark.parametrize("number, count", [(None, 6), (1, 1), (12, 12), (0.25, 3), (1.0, 12)])
def test_number_of_features(number, count):
    X, y = copies(samples=60)
    selector = AnnealingFeatureSelector(dimod.ExactSolver(), n_features_to_select=number)
    assert selector.fit(X, y).get_support().sum() == count


@pytest.mark.parametrize("number", [29, 30])
def test_nearly_all_features_of_a_board_with_narrow_fields(number):
    """Relevance is then so much weighted that it does not fit beside the couplings."""
    X, y = load_breast_cancer(return_X_y=True)
    selector = AnnealingFeatureSelector(
        BoardSampler(URL), n_features_to_select=number, sampler_parameters=QUICK, random_state=0
    )
    assert selector.fit(X, y).get_support().sum() == number


def test_copies_share_an_open_board():
    X, y = load_iris(return_X_y=True)
    with Board.open(URL) as board:
        selector = AnnealingFeatureSelector(
            BoardSampler(board), n_features_to_select=2, sampler_parameters=QUICK, random_state=0
        )
        assert clone(selector).sampler.board is board
        scores = cross_val_score(make_pipeline(selector, DecisionTreeClassifier()), X, y)
        assert scores.mean() > 0.9


def test_equal_features_are_told_apart():
    X = np.tile(np.random.default_rng(1).random((50, 1)), 6)
    y = X[:, 0] > 0.5
    selector = AnnealingFeatureSelector(dimod.ExactSolver(), n_features_to_select=4)
    assert selector.fit(X, y).get_support().sum() == 4


def test_in_a_pipeline():
    X, y = load_iris(return_X_y=True)
    pipeline = make_pipeline(
        MinMaxScaler(), on_stand_in(n_features_to_select=2), DecisionTreeClassifier(random_state=0)
    )
    assert pipeline.fit(X, y).score(X, y) > 0.95
    # Length and width of the petals.
    assert pipeline[1].get_feature_names_out(["a", "b", "c", "d"]).tolist() == ["c", "d"]


@pytest.mark.parametrize(
    "error, message, options",
    [
        (ValueError, "1 to 12, not 13", {"n_features_to_select": 13}),
        (ValueError, "not 'all'", {"n_features_to_select": "all"}),
        (ValueError, "not True", {"n_features_to_select": True}),
        (ValueError, "not 1.5", {"n_features_to_select": 1.5}),
        (ValueError, "\"correlation\", not 'none'", {"redundancy": "none"}),
        (TypeError, "a dimod.Sampler or a URL, not 3", {"sampler": 3}),
    ],
)
def test_wrong_parameters(error, message, options):
    with pytest.raises(error, match=message):
        AnnealingFeatureSelector(**{"sampler": dimod.ExactSolver(), **options}).fit(*copies())


def test_too_many_features_are_refused_before_their_pairs_are_computed(monkeypatch):
    monkeypatch.setattr(AnnealingFeatureSelector, "_redundancy", None)
    X, y = np.random.default_rng(0).random((4, 300)), np.arange(4) % 2
    with pytest.raises(CapacityError, match="300 needed, the device holds 256; select some"):
        AnnealingFeatureSelector(n_features_to_select=3).fit(X, y)
    monkeypatch.setattr(feature_selector, "MOST_FEATURES", 200)
    for wanted in (3, 300):
        selector = AnnealingFeatureSelector(dimod.ExactSolver(), n_features_to_select=wanted)
        with pytest.raises(CapacityError, match="300 needed, the device holds 200"):
            selector.fit(X, y)
