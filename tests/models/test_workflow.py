"""Estimators with all their options in the tools of scikit-learn."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, TTNClassifier

CLASSIFIER_OPTIONS = {
    "weight_bits": 4,
    "label_smoothing": 0.1,
    "max_shift": 0.5,
    "distortion": 0.3,
    "image_size": (1, 4),
    "feature_order": "mutual_information",
}
CHAIN_OPTIONS = {"feature_order": "snake", "image_size": (4, 1)}
ESTIMATORS = [
    MPSClassifier(4, epochs=10, random_state=0, **CLASSIFIER_OPTIONS),
    TTNClassifier(4, epochs=10, random_state=0, **CLASSIFIER_OPTIONS),
    MPSRegressor(4, epochs=10, random_state=0, **CHAIN_OPTIONS),
    MPSAnomalyDetector(4, epochs=10, random_state=0, **CHAIN_OPTIONS),
]
NAMES = [type(estimator).__name__ for estimator in ESTIMATORS]


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=NAMES)
def test_a_second_fit_and_a_copy_give_the_same_answers(iris, estimator):
    X, y = iris
    model = clone(estimator)
    assert model.get_params() == estimator.get_params()
    first = model.fit(X, y).predict(X)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), first)
    assert copy.quantize().digest(8) == model.quantize().digest(8)
    losses = model.loss_curve_
    np.testing.assert_array_equal(model.fit(X, y).predict(X), first)
    assert model.loss_curve_ == losses


@pytest.mark.parametrize("estimator", ESTIMATORS[:3], ids=NAMES[:3])
def test_grid_search_in_a_pipeline_on_two_processes(iris, estimator):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), clone(estimator))
    name = f"{type(estimator).__name__.lower()}__feature_order"
    search = GridSearchCV(pipeline, {name: [None, "mutual_information"]}, n_jobs=2, cv=2)
    search.fit(X, y)
    assert np.all(np.isfinite(search.cv_results_["mean_test_score"]))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(search)).predict(X), search.predict(X))
