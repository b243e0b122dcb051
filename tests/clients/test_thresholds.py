"""Exported thresholds give each reading the level that the host gives it."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

import tensorspin
from tensorspin.compiler.knots import Knots
from tensorspin.export.thresholds import float_thresholds, short_thresholds
from tensorspin.models.bisection import from_keys, to_keys

from ..support.pipelines import mps
from ..support.programs import small_program

LOW, HIGH = np.array([0.0, -1e-3, -3e4, 5.0]), np.array([10.0, 1e5, 3e4, 5.0])


def knots():
    rng = np.random.default_rng(0)
    values = np.sort(rng.normal(0, [[1.0], [1e4], [1e-3], [30.0]], (4, 9)), axis=1)
    return Knots(values, np.sort(rng.random((4, 9)), axis=1))


def with_knots():
    found = knots()
    ends = {"feature_minimum": found.values[:, 0], "feature_maximum": found.values[:, -1]}
    return small_program(clip=True, knots=found, **ends)


def folded(*scalers):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)) * [1, 1e3, 1e4, 10], np.arange(60) % 2
    pipeline = make_pipeline(*scalers, mps(feature_range=None)).fit(X, y)
    return tensorspin.models.quantize(pipeline)


PROGRAMS = {
    "clipped": lambda: small_program(clip=True, feature_minimum=LOW, feature_maximum=HIGH),
    "refused": lambda: small_program(clip=False, feature_minimum=LOW, feature_maximum=HIGH),
    "quantiles": with_knots,
    "folded scaler": lambda: folded(StandardScaler()),
    "folded quantiles": lambda: folded(QuantileTransformer(n_quantiles=20)),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request):
    return PROGRAMS[request.param]()


def assert_same(program, thresholds, readings, keys):
    """Compare levels and refusals, one column of readings after the other."""
    middle = np.array([5.0, 1.0, 0.0, 5.0], readings.dtype)
    for column in range(program.n_features_in_):
        samples = np.tile(middle, (len(readings), 1))
        samples[:, column] = readings[:, column]
        limits = thresholds.limits[column]
        accepted = (limits[0] <= keys[:, column]) & (keys[:, column] <= limits[1])
        found = program.levels(samples[accepted])
        own = np.tile(to_keys(middle) if middle.dtype.kind == "f" else middle, (len(samples), 1))
        own[:, column] = keys[:, column]
        assert np.array_equal(thresholds.levels(own[accepted]), found)
        for refused in np.flatnonzero(~accepted)[:: max(1, (~accepted).sum() // 50)]:
            with pytest.raises(ValueError, match="takes|promises|must be finite"):
                program.levels(samples[refused : refused + 1])


def test_all_readings_of_16_bits(program):
    thresholds = short_thresholds(program)
    readings = np.tile(np.arange(-(1 << 15), 1 << 15, dtype=np.int16)[:, None], (1, 4))
    assert_same(program, thresholds, readings[::7], readings[::7].astype(np.int64))
    edges = np.unique(np.clip(thresholds.rows[:, :, None] + [-1, 0], -(1 << 15), (1 << 15) - 1))
    edges = np.tile(edges[:, None], (1, 4))
    assert_same(program, thresholds, edges.astype(np.int16), edges.astype(np.int64))


def test_float_readings_at_all_thresholds_and_anywhere(program):
    thresholds = float_thresholds(program)
    infinity = int(to_keys(np.array([np.inf], np.float32))[0])
    edges = np.clip(thresholds.rows[:, :, None] + [-1, 0, 1], -infinity, infinity).ravel()
    limits = np.clip(thresholds.limits[:, :, None] + [-1, 0, 1], -infinity, infinity).ravel()
    anywhere = np.random.default_rng(2).integers(-infinity, infinity + 1, 2000)
    keys = np.unique(np.concatenate([edges, limits, anywhere, [0, infinity, -infinity]]))
    keys = np.tile(keys[:, None], (1, 4))
    assert_same(program, thresholds, from_keys(keys, np.dtype(np.float32)), keys)


def test_features_of_one_scale_share_their_thresholds():
    program = small_program()  # all features from 0 to 10
    for found in (float_thresholds(program), short_thresholds(program)):
        assert len(found.rows) == 1 and found.row.tolist() == [0] * 4


def test_a_column_that_nobody_reads_may_miss_values():
    from sklearn.feature_selection import SelectKBest

    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)), np.arange(60) % 2
    X[:, 2] += y
    pipeline = make_pipeline(StandardScaler(), SelectKBest(k=2), mps()).fit(X, y)
    thresholds = float_thresholds(tensorspin.models.quantize(pipeline))
    sample = X[:1].astype(np.float32)
    unread = sorted(set(range(4)) - set(thresholds.columns.tolist()))
    missing = sample.copy()
    missing[0, unread] = np.nan
    for column in range(4):
        one = sample.copy()
        one[0, column] = np.nan
        if thresholds.accepts_missing[column]:
            assert np.array_equal(
                thresholds.levels(to_keys(one)), thresholds.levels(to_keys(sample))
            )
        else:
            with pytest.raises(ValueError, match=f"column {column} of sample 0"):
                thresholds.levels(to_keys(one))


def test_a_missing_value_has_its_level():
    samples = np.array([[1.0, np.nan], [0.0, 2.0], [3.0, 1.0]], np.float32)
    program = mps(missing="level").fit(samples, [0, 1, 0]).quantize()
    found = float_thresholds(program)
    assert np.array_equal(found.levels(to_keys(samples)), program.levels(samples))
    assert found.accepts_missing.all() and found.missing.tolist() == [255, 255]
    whole = np.nan_to_num(samples).astype(np.int16)
    assert np.array_equal(short_thresholds(program).levels(whole), program.levels(whole))
