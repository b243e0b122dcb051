"""The C driver's levels are the host's, for readings of either type."""

import ctypes

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tensorspin
from tensorspin.contract.device.boards import find_board
from tensorspin.export.model import ClientModel
from tensorspin.models.bisection import from_keys, to_keys

from ..support import c_client
from ..support.pipelines import mps
from .test_thresholds import PROGRAMS

BOARD = find_board("icebreaker_spi")
INFINITY = int(to_keys(np.array([np.inf], np.float32))[0])


class Levels:
    """The functions of an exported program."""

    def __init__(self, program, folder):
        self.program = program
        self.library = c_client.exported(ClientModel(program, BOARD), folder)

    def __call__(self, readings):
        short = readings.dtype == np.int16
        scale = ctypes.c_void_p(
            self.library.exported_int16() if short else self.library.exported_float()
        )
        levels = np.zeros(self.program.n_features, np.uint8)
        make = getattr(self.library, "tensorspin_levels" + "_int16" * short)
        status = make(scale, np.ascontiguousarray(readings).ctypes, levels.ctypes)
        return status, levels


@pytest.fixture(scope="module", params=PROGRAMS)
def levels(request, tmp_path_factory):
    return Levels(PROGRAMS[request.param](), tmp_path_factory.mktemp("model"))


def host(program, sample):
    try:
        return c_client.OK, program.encode(sample[None])[0]
    except ValueError:
        return (c_client.NOT_A_NUMBER if np.isnan(sample).any() else c_client.OUT_OF_RANGE), None


def assert_same(levels, samples):
    for sample in samples:
        status, found = levels(sample)
        expected, wanted = host(levels.program, sample)
        assert status == expected, sample
        if wanted is not None:
            assert np.array_equal(found, wanted), sample


def mixed(values, dtype, middle=(5.0, 1.0, 0.0, 5.0)):
    """Samples in which one column at a time has one of these values."""
    samples = np.tile(np.array(middle, dtype), (len(values), 1))
    samples[np.arange(len(values)), np.arange(len(values)) % 4] = values
    return samples


def test_readings_of_float(levels):
    scale = ClientModel(levels.program, BOARD).float_scale
    rng = np.random.default_rng(0)
    rows = scale.rows[:, ::9]
    edges = np.unique(np.clip(rows[:, :, None] + [-1, 0, 1], -INFINITY, INFINITY))
    limits = np.clip(scale.limits[:, :, None] + [-1, 0, 1], -INFINITY, INFINITY).ravel()
    anywhere = rng.integers(-INFINITY, INFINITY + 1, 200)
    keys = np.concatenate([edges, limits, anywhere, [0, INFINITY, -INFINITY]])
    values = from_keys(rng.permutation(keys), np.dtype(np.float32))
    assert_same(levels, mixed(np.concatenate([values, np.float32([-0.0, np.nan])]), np.float32))


def test_readings_of_int16(levels):
    rng = np.random.default_rng(0)
    edges = ClientModel(levels.program, BOARD).short_scale.rows[:, ::9]
    values = [np.clip(edges.ravel() - shift, -(1 << 15), (1 << 15) - 1) for shift in (0, 1)]
    values += [rng.integers(-(1 << 15), 1 << 15, 200), [-(1 << 15), (1 << 15) - 1, 0, -1]]
    assert_same(levels, mixed(rng.permutation(np.concatenate(values)).astype(np.int16), np.int16))


def test_each_function_takes_the_scale_of_its_type_alone(levels):
    library = levels.library
    readings, found = np.zeros(4, np.float32), np.zeros(4, np.uint8)
    for name, scale in (
        ("levels", library.exported_int16),
        ("levels_int16", library.exported_float),
    ):
        make = getattr(library, f"tensorspin_{name}")
        assert make(ctypes.c_void_p(scale()), readings.ctypes, found.ctypes) == (
            c_client.DOES_NOT_FIT
        )


def test_a_reading_may_be_missing_where_the_network_was_trained_so(tmp_path):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2
    X[rng.random(X.shape) < 0.1] = np.nan
    program = mps(missing="level").fit(X, y).quantize()
    assert program.missing
    levels = Levels(program, tmp_path)
    samples = np.concatenate([X, mixed(np.float32([np.nan, np.inf, -np.inf, 0, 9e9]), np.float32)])
    assert_same(levels, samples)
    assert_same(levels, (100 * np.nan_to_num(samples[:60])).astype(np.int16))


def test_a_pipeline_that_fills_in(tmp_path):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2
    X[rng.random(X.shape) < 0.1] = np.nan
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), mps()).fit(X, y)
    levels = Levels(tensorspin.models.quantize(pipeline), tmp_path)
    assert_same(levels, X)


def test_a_column_that_nobody_reads_may_miss_values(tmp_path):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2
    X[:, 2] += y
    pipeline = make_pipeline(StandardScaler(), SelectKBest(k=2), mps()).fit(X, y)
    program = tensorspin.models.quantize(pipeline)
    levels = Levels(program, tmp_path)
    samples = np.concatenate([X[:5], X[:8]])
    samples[range(5, 9), range(4)] = np.nan
    samples[range(9, 13), range(4)] = np.inf
    assert_same(levels, samples)
