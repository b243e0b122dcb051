"""Missing values in pipelines: imputers and levels of missing values are folded into programs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

import tensorspin
from tensorspin import NetworkProgram
from tensorspin.models import quantize

from ..support.pipelines import GOLDEN, TYPES, X, host_levels, mps, y

GAPS = X.copy()
GAPS[np.random.default_rng(0).random(GAPS.shape) < 0.15] = np.nan

PIPELINES = {
    "mean": lambda: make_pipeline(SimpleImputer(), mps()),
    "median, then scaled": lambda: make_pipeline(
        SimpleImputer(strategy="median"), StandardScaler(), mps()
    ),
    "scaled, then frequent": lambda: make_pipeline(
        RobustScaler(), SimpleImputer(strategy="most_frequent"), mps(scaling="quantile")
    ),
    "constant": lambda: make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-2.5), MinMaxScaler(), mps()
    ),
    "constant beyond the range": lambda: make_pipeline(
        SimpleImputer(strategy="constant", fill_value=1e6), mps(feature_range=(-1e5, 1e6))
    ),
    "selected": lambda: make_pipeline(SimpleImputer(), SelectKBest(k=2), StandardScaler(), mps()),
    "selected before": lambda: make_pipeline(VarianceThreshold(0.5), SimpleImputer(), mps()),
    "a level": lambda: make_pipeline(StandardScaler(), mps(missing="level")),
    "a level, quantiles": lambda: make_pipeline(
        MinMaxScaler(), QuantileTransformer(n_quantiles=20), mps(missing="level")
    ),
    "a level that is not needed": lambda: make_pipeline(SimpleImputer(), mps(missing="level")),
}


@cache
def fitted(name):
    pipeline = PIPELINES[name]().fit(GAPS, y)
    return pipeline, quantize(pipeline)


def agree(name, samples):
    pipeline, program = fitted(name)
    try:
        expected = host_levels(pipeline, samples)
    except ValueError:
        with pytest.raises(ValueError):
            program.levels(samples)
        return
    np.testing.assert_array_equal(program.levels(samples), expected)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", PIPELINES)
def test_levels_are_those_of_the_pipeline(name, dtype, tmp_path):
    pipeline, program = fitted(name)
    agree(name, GAPS.astype(dtype))
    agree(name, np.full((1, 6), np.nan, dtype))
    assert program.missing == (pipeline[-1].missing == "level")
    program.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.levels(GAPS), program.levels(GAPS))
    with tensorspin.deploy(pipeline, GOLDEN) as on_board:
        np.testing.assert_array_equal(on_board.predict(GAPS), program.predict(GAPS))


values = st.one_of(st.just(np.nan), st.floats(width=32), st.floats())


@settings(max_examples=30, deadline=None)
@given(
    name=st.sampled_from(sorted(PIPELINES)),
    dtype=st.sampled_from(TYPES),
    rows=st.lists(st.lists(values, min_size=6, max_size=6), min_size=1, max_size=3),
)
def test_any_floating_point_number_or_none(name, dtype, rows):
    with np.errstate(over="ignore"):
        agree(name, np.array(rows).astype(dtype))


def test_a_fill_value_that_the_range_refuses():
    # Of what fit sees nothing is missing, so that it does not meet the value.
    steps = SimpleImputer(strategy="constant", fill_value=99.0), mps(feature_range=(-1e5, 50))
    pipeline = make_pipeline(*steps).fit(np.minimum(X, 50), y)
    program = quantize(pipeline)
    assert program.columns_with_gaps == []
    with pytest.raises(ValueError, match="column 0 of sample 0 is nan; it must be finite"):
        program.levels(np.full((1, 6), np.nan))


@pytest.mark.parametrize(
    ("imputer", "message"),
    [
        (SimpleImputer(missing_values=0), "can't be folded with missing_values=0, only with NaN"),
        (SimpleImputer(add_indicator=True), "can't be folded with add_indicator=True; .*level"),
        (KNNImputer(), r"step 'first' \(KNNImputer\) can't be folded"),
    ],
)
def test_imputers_that_cannot_be_folded(imputer, message):
    pipeline = make_pipeline(imputer, mps())
    pipeline.steps[0] = ("first", imputer)
    pipeline.fit(GAPS if np.isnan(getattr(imputer, "missing_values", np.nan)) else X, y)
    with pytest.raises(ValueError, match=message):
        quantize(pipeline)


def test_a_column_without_any_value():
    empty = GAPS.copy()
    empty[:, 1] = np.nan
    with pytest.warns(UserWarning, match="without any observed values"):
        pipeline = make_pipeline(SimpleImputer(), mps()).fit(empty, y)
    with pytest.raises(ValueError, match="statistics_ of its column 1 is nan; remove the column"):
        quantize(pipeline)
    kept = make_pipeline(SimpleImputer(keep_empty_features=True), mps()).fit(empty, y)
    np.testing.assert_array_equal(quantize(kept).levels(empty), host_levels(kept, empty))
