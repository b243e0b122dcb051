"""Scaling: values that overstep a promised range by rounding, and values that are truly outside."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
import scipy.sparse
from sklearn.preprocessing import MinMaxScaler

from tensorspin.compiler.scaling import check_inside, feature_levels, scale_features

EPS = np.finfo(np.float32).eps

RANGES = [(0, 1), (-1, 1), (0, 255), (-1e-30, 3e-30), (1000, 1001), (-2e300, 1e300)]


def limits(low, high):
    return np.array([low], dtype=float), np.array([high], dtype=float)


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_rounding_beyond_a_range_counts_as_its_limit(low, high):
    low, high = limits(low, high)
    step = 4 * EPS * (high - low)
    X = np.stack([low - step, low, high, high + step])
    check_inside(X, low, high)
    assert feature_levels(X, low, high, clip=False).ravel().tolist() == [0, 0, 255, 255]
    assert scale_features(X, low, high).ravel().tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("low", "high"), RANGES)
@pytest.mark.parametrize("share", [-1e-3, 1 + 1e-3, 1.5])
def test_a_value_outside_by_more_than_rounding_is_refused(low, high, share):
    low, high = limits(low, high)
    with pytest.raises(ValueError, match="feature 0 of sample 0 is .* promises"):
        feature_levels((low + share * (high - low))[None], low, high, clip=False)


def test_the_message_shows_digits_in_which_value_and_limit_differ():
    with pytest.raises(ValueError, match="is 1.00001; feature_range promises 0 to 1$"):
        check_inside(np.array([[1.00001]]), *limits(0, 1))


@pytest.mark.parametrize("offset", [0, 3, 10])
def test_what_a_scaler_makes_of_its_own_data_is_inside_its_range(offset):
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        X = (rng.random((500, 50)) + offset * rng.random(50)).astype(dtype)
        for low, high in ((0, 1), (-1, 1), (0, 255)):
            scaled = MinMaxScaler(feature_range=(low, high)).fit_transform(X)
            check_inside(scaled.astype(float), np.full(50, float(low)), np.full(50, float(high)))


def test_a_limit_that_is_rounded_to_float32_is_inside():
    for low, high in ((0.1, 0.3), (1000.1, 1000.2), (-1000.2, -1000.1)):
        X = np.array([[low], [high]], dtype=np.float32).astype(float)
        check_inside(X, *limits(low, high))


def test_the_widest_range_of_all_numbers_overflows_nowhere():
    most = np.finfo(float).max
    with np.errstate(all="raise"):
        levels = feature_levels([[-most], [0], [most]], *limits(-most, most), clip=False)
    assert levels.ravel().tolist() == [0, 128, 255]


def missing():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"a": [1, pandas.NA]}, dtype=object)


@pytest.mark.parametrize(
    ("X", "shown"),
    [
        (missing, "<NA>"),
        (lambda: [[datetime.date(2020, 2, 1)]], r"datetime.date\(2020, 2, 1\)"),
        (lambda: [[10**400]], "10000.*00000"),
        (lambda: [["1.5"], ["high"]], ".*'high'.*"),
    ],
)
def test_what_is_no_number_is_named(X, shown):
    with pytest.raises(ValueError, match=f"^X must hold real numbers, not {shown}$") as caught:
        feature_levels(X(), *limits(0, 1), clip=True)
    assert len(str(caught.value)) < 100


def test_a_sparse_matrix_is_refused_as_scikit_learn_refuses_it():
    with pytest.raises(TypeError, match=r"X is sparse, but must be dense; use toarray\(\)"):
        feature_levels(scipy.sparse.csr_matrix(np.eye(1)), *limits(0, 1), clip=True)
