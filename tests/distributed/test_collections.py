"""Arrays and data frames of Dask are predicted block by block, when they are computed."""

from __future__ import annotations

import numpy as np
import pytest

import tensorspin
from tensorspin import MPSAnomalyDetector, MPSClassifier, MPSRegressor, WindowFeatures
from tensorspin.distributed import DaskBoardPool

from ..support.clusters import BOARDS

da = pytest.importorskip("dask.array")
OPTIONS = {"epochs": 2, "random_state": 0}
X = np.random.default_rng(0).random((120, 3))
CLASSES = np.array(["red", "green", "blue"])[(X * 2.99).astype(int)[:, 0]]
MODELS = {
    "classes": MPSClassifier(2, **OPTIONS).fit(X, CLASSES),
    "two classes": MPSClassifier(2, **OPTIONS).fit(X, X[:, 0] > 0.5),
    "numbers": MPSRegressor(2, **OPTIONS).fit(X, X[:, 0]),
    "outliers": MPSAnomalyDetector(2, **OPTIONS).fit(X),
}
CASES = [
    ("classes", "predict"),
    ("classes", "predict_proba"),
    ("classes", "decision_function"),
    ("two classes", "predict"),
    ("two classes", "predict_proba"),
    ("two classes", "decision_function"),
    ("numbers", "predict"),
    ("outliers", "predict"),
    ("outliers", "score_samples"),
    ("outliers", "decision_function"),
]


@pytest.fixture
def pool(in_threads):
    return DaskBoardPool(in_threads)


@pytest.mark.parametrize(("model", "method"), CASES)
def test_an_array_is_predicted_when_it_is_computed(pool, model, method):
    with tensorspin.deploy(MODELS[model], BOARDS[1]) as one:
        expected = getattr(one, method)(X)
    before = sum(each.samples for each in pool.statistics())
    lazy = getattr(pool, method)(MODELS[model], da.from_array(X, chunks=(50, 2)))
    assert isinstance(lazy, da.Array)
    assert (lazy.shape, lazy.dtype) == (expected.shape, expected.dtype)
    assert sum(each.samples for each in pool.statistics()) == before
    np.testing.assert_array_equal(lazy.compute(), expected)


@pytest.mark.parametrize(("model", "method"), CASES)
def test_a_data_frame_is_predicted_with_its_index(pool, model, method):
    dd = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    index = np.arange(len(X)) * 10
    frame = pandas.DataFrame(X, columns=["a", "b", "c"], index=index)
    with tensorspin.deploy(MODELS[model], BOARDS[1]) as one:
        expected = getattr(one, method)(X)
    lazy = getattr(pool, method)(MODELS[model], dd.from_pandas(frame, npartitions=3))
    found = lazy.compute()
    np.testing.assert_array_equal(found.to_numpy(), expected)
    np.testing.assert_array_equal(found.index, index)
    if expected.ndim == 2:
        assert list(found.columns) == list(lazy.columns) == list(MODELS[model].classes_)


def test_names_of_columns_are_checked(pool):
    dd = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    model = MPSClassifier(2, **OPTIONS).fit(frame, CLASSES)
    found = pool.predict(model, dd.from_pandas(frame, npartitions=2)).compute()
    with tensorspin.deploy(model, BOARDS[1]) as one:
        np.testing.assert_array_equal(found, one.predict(frame))
    renamed = dd.from_pandas(frame.rename(columns={"a": "z"}), npartitions=2)
    with pytest.raises(ValueError, match="feature names"):
        pool.predict(model, renamed).compute()


def test_blocks_of_unknown_length_and_without_samples_are_predicted(pool):
    array = da.from_array(X, chunks=(40, 3))
    few = array[array[:, 0] > np.sort(X[:, 0])[-30]]
    with tensorspin.deploy(MODELS["classes"], BOARDS[1]) as one:
        expected = one.predict(X[X[:, 0] > np.sort(X[:, 0])[-30]])
    np.testing.assert_array_equal(pool.predict(MODELS["classes"], few).compute(), expected)
    none = array[array[:, 0] > 2]
    assert pool.predict_proba(MODELS["classes"], none).compute().shape == (0, 3)


def test_models_that_need_other_blocks_are_refused(pool):
    from sklearn.pipeline import make_pipeline

    stream = np.random.default_rng(0).normal(size=(300, 2))
    windows = make_pipeline(WindowFeatures(window_length=20), MPSAnomalyDetector(**OPTIONS))
    with pytest.raises(TypeError, match="can't predict block by block"):
        pool.predict(windows.fit(stream), da.from_array(stream))


def test_other_collections_are_refused(pool):
    with pytest.raises(TypeError, match="two dimensions"):
        pool.predict(MODELS["classes"], da.from_array(X[0]))
    with pytest.raises(AttributeError, match="no method score_samples"):
        pool.score_samples(MODELS["classes"], da.from_array(X))


def test_a_block_is_not_predicted_without_a_cluster(pool):
    lazy = pool.predict(MODELS["classes"], da.from_array(X))
    with pytest.raises(RuntimeError, match="on no worker of a cluster"):
        lazy.compute(scheduler="synchronous")
