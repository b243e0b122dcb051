"""A pipeline on a board takes raw columns, and gives the levels that it gives on the host."""

from __future__ import annotations

import pickle
from functools import cache

import dimod
import numpy as np
import pytest
import sklearn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.feature_selection import (
    RFE,
    SelectFromModel,
    SelectKBest,
    SelectPercentile,
    VarianceThreshold,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

import tensorspin
from tensorspin import (
    AnnealingFeatureSelector,
    MPSAnomalyDetector,
    MPSRegressor,
    NetworkProgram,
    TTNClassifier,
)
from tensorspin.contract.device.boards import find_board
from tensorspin.feasibility import estimate_program
from tensorspin.models import quantize

from ..support.pipelines import GOLDEN, TYPES, X, host_levels, mps, y

PIPELINES = {
    "standard": lambda: make_pipeline(StandardScaler(), mps()),
    "standard without mean": lambda: make_pipeline(StandardScaler(with_mean=False), mps()),
    "standard without scale": lambda: make_pipeline(StandardScaler(with_std=False), mps()),
    "standard in place": lambda: make_pipeline(StandardScaler(copy=False), mps()),
    "min-max": lambda: make_pipeline(MinMaxScaler((-3, 0.1)), mps()),
    "min-max, promised": lambda: make_pipeline(MinMaxScaler(), mps(feature_range=(0, 1))),
    "min-max, clipped": lambda: make_pipeline(MinMaxScaler(clip=True), mps(feature_range=(0, 1))),
    "max-abs": lambda: make_pipeline(MaxAbsScaler(), mps()),
    "robust": lambda: make_pipeline(RobustScaler(), mps()),
    "robust without center": lambda: make_pipeline(RobustScaler(with_centering=False), mps()),
    "quantiles, promised": lambda: make_pipeline(
        QuantileTransformer(n_quantiles=52), mps(feature_range=(0, 1))
    ),
    "knots": lambda: make_pipeline(RobustScaler(), SelectKBest(k=3), mps(scaling="quantile")),
    "k best": lambda: make_pipeline(SelectKBest(k=2), mps()),
    "variance": lambda: make_pipeline(VarianceThreshold(), mps()),
    "scaled, selected, scaled, selected": lambda: make_pipeline(
        StandardScaler(),
        SelectPercentile(percentile=70),
        MinMaxScaler(clip=True),
        SelectFromModel(DecisionTreeClassifier(random_state=0), max_features=2),
        RobustScaler(),
        mps(),
    ),
    "recursive elimination": lambda: make_pipeline(
        MaxAbsScaler(), RFE(DecisionTreeClassifier(random_state=0), n_features_to_select=2), mps()
    ),
    "by the annealer": lambda: make_pipeline(
        AnnealingFeatureSelector(dimod.ExactSolver(), n_features_to_select=3),
        StandardScaler(),
        mps(),
    ),
    "nested": lambda: Pipeline(
        [
            ("nothing", "passthrough"),
            ("inner", make_pipeline(MinMaxScaler(), "passthrough", None, VarianceThreshold())),
            ("model", make_pipeline(StandardScaler(), TTNClassifier(2, epochs=1, random_state=0))),
        ]
    ),
    "data frames inside": lambda: make_pipeline(
        StandardScaler(), SelectKBest(k=3), RobustScaler(), mps()
    ).set_output(transform="default"),
}


@cache
def fitted(name):
    pipeline = PIPELINES[name]()
    return pipeline.fit(X.copy(), y), quantize(pipeline)  # one of them writes into X


def outcome(levels, samples):
    """Return levels as a list, or that the samples are refused."""
    with np.errstate(all="ignore"):
        try:
            return levels(samples).tolist()
        except ValueError:
            return "refused"


def agree(name, samples):
    pipeline, program = fitted(name)
    expected = outcome(lambda samples: host_levels(pipeline, samples.copy()), samples)
    assert outcome(program.levels, samples.copy()) == expected
    return expected


# Levels


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PIPELINES)
def test_training_samples(name):
    for dtype in [*TYPES, np.int32, np.int64, ">f4", ">f8", object]:
        agree(name, X.astype(dtype))
        # What one sample is refused for hides nothing of the others.
        for sample in X[:5].astype(dtype):
            agree(name, sample[None])


def test_most_of_these_are_accepted():
    for dtype in TYPES:
        refused = [name for name in PIPELINES if agree(name, X.astype(dtype)) == "refused"]
        # As float16, the greatest values of some columns are beyond the range that was promised.
        assert refused == (["min-max, promised"] if dtype is np.float16 else [])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", PIPELINES)
def test_both_sides_of_every_boundary(name, dtype):
    _, program = fitted(name)
    found = program.columns.boundaries[np.dtype(dtype).name]
    rng = np.random.default_rng(0)
    base = np.clip(X[:1], found.least, found.greatest).astype(dtype)
    for feature, column in enumerate(program.columns.features):
        boundaries = np.unique(found.levels[feature])
        boundaries = rng.permutation(boundaries[np.isfinite(boundaries)])[:5]
        if not len(boundaries):
            continue
        below, above = (np.nextafter(boundaries, dtype(way * np.inf)) for way in (-1, 1))
        samples = np.repeat(base, 3 * len(boundaries), axis=0)
        samples[:, column] = [*below, *boundaries, *above]
        agree(name, samples)
    for column in range(X.shape[1]):
        for value in (found.least[column], found.greatest[column]):
            for at in (value, *(np.nextafter(value, dtype(way * np.inf)) for way in (-1, 1))):
                sample = base.copy()
                sample[0, column] = at
                agree(name, sample)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["standard", "min-max, promised", "robust", "nested"])
def test_columns_of_any_magnitude(name):
    magnitudes = np.array([1e150, 1e-300, 1e9, 1e-30, 1.0, -1e20])
    samples = np.random.default_rng(0).normal(size=(80, 6)) * magnitudes + magnitudes
    pipeline = PIPELINES[name]().fit(samples, y)
    program = quantize(pipeline)
    for dtype in TYPES:
        found = program.columns.boundaries[np.dtype(dtype).name]
        rows = samples.astype(dtype)
        rows = np.concatenate([rows, np.clip(rows, found.least, found.greatest).astype(dtype)])
        for row in rows:
            expected = outcome(lambda row: host_levels(pipeline, row), row[None])
            assert outcome(program.levels, row[None]) == expected
    assert outcome(program.levels, samples) != "refused"


def any_floats(dtype):
    """Return samples of which some have values of the data, and others any that there are."""
    width = 8 * np.dtype(dtype).itemsize
    anything = nps.arrays(dtype, (1, 6), elements=st.floats(width=width))
    return st.tuples(anything, nps.arrays(bool, (1, 6)), st.integers(0, len(X) - 1)).map(
        lambda drawn: np.where(drawn[1], drawn[0], X[drawn[2]].astype(dtype)).astype(dtype)
    )


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PIPELINES)), st.one_of(*map(any_floats, TYPES)))
@example("variance", np.array([[9, 9, 0, np.nan, 9, 9]]))
@example("variance", np.array([[9, 9, 0, np.inf, 9, 9]]))
@example("k best", np.array([[9, 9, 0, np.nan, 9, 9]]))
@example("standard", np.full((1, 6), -0.0))
@example("standard", np.full((1, 6), np.finfo(float).max))
def test_any_floating_point_number(name, samples):
    agree(name, samples)


def test_what_a_dropped_column_may_have():
    _, program = fitted("variance")
    assert program.columns.accepts_nan.tolist() == [column == 3 for column in range(6)]
    sample = X[:1].copy()
    sample[0, 3] = np.nan
    assert agree("variance", sample) != "refused"
    sample[0, 0] = np.nan
    assert agree("variance", sample) == "refused"
    with pytest.raises(ValueError, match="column 0 of sample 0 is nan; it must be finite"):
        program.levels(sample)
    with tensorspin.deploy(fitted("variance")[0], GOLDEN) as on_board:
        with pytest.raises(ValueError, match="column 0 of sample 0 is nan; it must be finite"):
            on_board.predict(sample)


def test_values_that_are_refused_are_named():
    program = fitted("min-max, promised")[1]
    sample = X[:2].copy()
    sample[1, 0] = 1e4
    with pytest.raises(
        ValueError, match=r"column 0 of sample 1 is 10000; .* takes 8\.19\d* to 21\.16\d* there"
    ):
        program.levels(sample)
    with pytest.raises(ValueError, match=r"shape \(2, 5\); this program needs \(n, 6\)"):
        program.levels(X[:2, :5])
    assert program.levels(X[:0]).shape == (0, 6)


def test_limits_are_those_of_the_raw_columns():
    for name in ("standard", "min-max, clipped", "robust", "variance"):
        program = fitted(name)[1]
        varying = program.columns.features != 3
        raw = X[:, program.columns.features[varying]]
        np.testing.assert_allclose(program.feature_minimum[varying], raw.min(axis=0), rtol=1e-9)
        np.testing.assert_allclose(program.feature_maximum[varying], raw.max(axis=0), rtol=1e-9)


# Boards, files, names


MODELS = {
    "classifier": (mps, load_breast_cancer),
    "tree": (lambda: TTNClassifier(2, epochs=1, random_state=0), load_breast_cancer),
    "regressor": (lambda: MPSRegressor(2, epochs=1, random_state=0), load_diabetes),
    "detector": (lambda: MPSAnomalyDetector(2, epochs=1, random_state=0), load_diabetes),
}


@pytest.mark.parametrize("kind", MODELS)
def test_deployed_and_saved(kind, tmp_path):
    model, load = MODELS[kind]
    X, y = load(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), SelectKBest(k=4), model()).fit(X[:99], y[:99])
    alone = pipeline[-1].quantize()
    expected = alone.predict(pipeline[:-1].transform(X))
    path = tmp_path / "model.npz"
    tensorspin.save(pipeline, path)
    loaded = NetworkProgram.load(path)
    assert loaded.digest(8) == alone.digest(8)
    assert (loaded.n_features_in_, loaded.n_features) == (X.shape[1], 4)
    with tensorspin.deploy(pipeline, GOLDEN) as on_board:
        assert on_board.n_features_in_ == X.shape[1]
        for predict in (loaded.predict, on_board.predict, clone(on_board).predict):
            assert np.array_equal(predict(X), expected)
        for dtype in (np.float32, np.float16):
            narrow = X.astype(dtype)
            expected_narrow = alone.predict(pipeline[:-1].transform(narrow))
            assert np.array_equal(on_board.predict(narrow), expected_narrow)
    assert estimate_program(pipeline, find_board("icebreaker")).fits


def test_copies_have_the_same_levels():
    program = fitted("standard")[1]
    again = pickle.loads(pickle.dumps(program))
    assert np.array_equal(again.levels(X), program.levels(X))
    for array in (again.columns.features, again.columns.boundaries["float32"].levels):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_an_estimator_without_pipeline(tmp_path):
    model = mps().fit(X, y)
    tensorspin.save(model, tmp_path / "model.npz", weight_bits=4)
    loaded = NetworkProgram.load(tmp_path / "model.npz")
    assert loaded.digest(8) == model.quantize(4).digest(8) and loaded.columns is None
    with tensorspin.deploy(model, GOLDEN) as on_board:
        assert np.array_equal(on_board.predict(X), model.quantize().predict(X))
    only = make_pipeline("passthrough", model)
    assert quantize(only).columns is None
    auto = quantize(fitted("standard")[0], "auto", board="icebreaker")
    assert np.array_equal(auto.levels(X), fitted("standard")[1].levels(X))


@pytest.mark.parametrize("kind", MODELS)
def test_a_program_comes_to_a_board_as_its_task_asks(kind, tmp_path):
    model, load = MODELS[kind]
    X, y = load(return_X_y=True)
    model = model().fit(X[:60, :4], y[:60])
    tensorspin.save(model.quantize(), tmp_path / "model.npz")
    loaded = NetworkProgram.load(tmp_path / "model.npz")
    with tensorspin.deploy(loaded, GOLDEN) as on_board:
        assert type(on_board) is type(model.deploy(GOLDEN))
        assert np.array_equal(on_board.predict(X[:, :4]), loaded.predict(X[:, :4]))
    with pytest.raises(ValueError, match="rounded already"):
        quantize(loaded, 4)


def test_a_pipeline_that_ends_on_a_board():
    pipeline, program = fitted("standard")
    mixed = make_pipeline(pipeline[0], pipeline[-1].deploy(GOLDEN))
    assert np.array_equal(quantize(mixed).predict(X), program.predict(X))
    with tensorspin.deploy(mixed, GOLDEN) as on_board:
        assert np.array_equal(on_board.predict(X), program.predict(X))
    with pytest.raises(ValueError, match="rounded already"):
        quantize(mixed, 4)


def test_a_search_over_parameters():
    search = GridSearchCV(PIPELINES["standard"](), {"mpsclassifier__weight_decay": [0.1]}, cv=2)
    search.fit(X, y)
    program = quantize(search)
    assert np.array_equal(program.levels(X), host_levels(search.best_estimator_, X))


def test_steps_that_change_training_samples_alone():
    """As in the pipelines of imbalanced-learn, which are scikit-learn's otherwise."""

    class Sampler:
        def fit_resample(self, X, y):
            return X, y

    pipeline, program = fitted("standard")
    resampled = Pipeline([pipeline.steps[0], ("sample", Sampler()), pipeline.steps[1]])
    assert np.array_equal(quantize(resampled).levels(X), program.levels(X))


def test_what_is_refused_does_not_depend_on_the_configuration():
    with sklearn.config_context(assume_finite=True):
        program = quantize(fitted("k best")[0])
    assert not program.columns.accepts_nan.any()
    sample = X[:1].copy()
    sample[0, program.columns.features[0] - 1] = np.inf
    with pytest.raises(ValueError, match="is inf; it must be finite"):
        program.levels(sample)


TARGETS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler((-2, 3)),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    None,
]


@pytest.mark.parametrize("transformer", TARGETS, ids=str)
def test_a_transformed_target(transformer):
    X, y = load_diabetes(return_X_y=True)
    X, y = X[:100, :4] * 7, y[:100] * 1e3
    inner = make_pipeline(StandardScaler(), MPSRegressor(2, epochs=2, random_state=0))
    model = TransformedTargetRegressor(inner, transformer=transformer).fit(X, y)
    alone = quantize(model.regressor_).predict(X)
    expected = model.transformer_.inverse_transform(alone[:, None])[:, 0]
    np.testing.assert_allclose(quantize(model).predict(X), expected, rtol=1e-9)
    # The same with the scaler in front.
    outer = make_pipeline(model.regressor_[0], clone(model).set_params(regressor=inner[-1]))
    outer.fit(X, y)
    with tensorspin.deploy(outer, GOLDEN) as on_board:
        np.testing.assert_allclose(on_board.predict(X), expected, rtol=1e-9)


def test_names_are_those_of_the_raw_columns(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=[*"abcdef"])
    for output in ("default", "pandas"):
        pipeline = make_pipeline(
            StandardScaler(), "passthrough", SelectKBest(k=2), MinMaxScaler(), mps()
        ).set_output(transform=output)
        pipeline.fit(frame, y)
        tensorspin.save(pipeline, tmp_path / "model.npz")
        program = NetworkProgram.load(tmp_path / "model.npz")
        assert program.feature_names == tuple("abcdef")
        transformed = np.asarray(pipeline[:-1].transform(frame))
        expected = pipeline[-1].quantize().encode(transformed)
        assert np.array_equal(program.levels(frame), expected)
        with tensorspin.deploy(pipeline, GOLDEN) as on_board:
            assert on_board.feature_names_in_.tolist() == [*"abcdef"]
            for other in (frame[[*"fedcba"]], frame[[*"abcde"]]):
                with pytest.raises(ValueError, match="feature names should match"):
                    on_board.predict(other)
    # A frame of which a column is float32 is computed with float64, as on the host.
    mixed = frame.astype({"a": np.float32})
    assert np.array_equal(
        program.levels(mixed),
        pipeline[-1].quantize().encode(np.asarray(pipeline[:-1].transform(mixed))),
    )
