"""Missing values: refused by name, or a level of their own that host, board and file agree on."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import get_tags

from tensorspin import MPSClassifier, MPSRegressor, NetworkProgram
from tensorspin.models import MPSAnomalyDetector, TTNClassifier
from tensorspin.models.feature_maps import FeatureMap
from tensorspin.models.missing import FULL, MissingMap
from tensorspin.models.scales import SCALINGS

from ..support.estimators import ESTIMATORS, quick, tensors_of

GOLDEN = "golden://icebreaker"


def gappy(n=60, columns=4, share=0.2, seed=0):
    """Samples with gaps, and classes that depend on where the gaps are."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, columns))
    X[rng.random(X.shape) < share] = np.nan
    return X, (np.isnan(X[:, 0]) ^ (np.nan_to_num(X[:, 1]) > 0)).astype(int)


# Refused


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_missing_values_are_refused_with_the_name_of_the_column(kind):
    X, y = gappy()
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    place = f"feature 0 \\('a'\\) of sample {np.flatnonzero(np.isnan(X[:, 0]))[0]}"
    frame[["b", "c", "d"]] = frame[["b", "c", "d"]].fillna(0)
    told = f'contains NaN: {place} is nan; .*missing="level"'
    for samples in (
        frame,
        frame.astype("Float64"),
        frame.astype(object).where(frame.notna(), None),
    ):
        with pytest.raises(ValueError, match=told):
            quick(kind).fit(samples, y)
    with pytest.raises(ValueError, match="NaN: feature 0 of sample"):
        quick(kind).fit(frame.to_numpy(), y)
    model = quick(kind).fit(frame.fillna(0), y)
    program, on_board = model.quantize(), model.deploy(GOLDEN)
    for use in (model._validated_inputs, program.levels, on_board.run):
        with pytest.raises(ValueError, match=told):
            use(frame)


@pytest.mark.parametrize("missing", ["refuse", "level"])
def test_infinities_are_always_refused(missing):
    X, y = gappy(share=0)
    model = quick(MPSClassifier, missing=missing).fit(X, y)
    for value in (np.inf, -np.inf):
        bad = X.copy()
        bad[7, 2] = value
        for use in (model.predict, model.quantize().levels, model.deploy(GOLDEN).predict):
            with pytest.raises(ValueError, match="infinity: feature 2 of sample 7 is -?inf"):
                use(bad)
        with pytest.raises(ValueError, match="infinity: feature 2 of sample 7"):
            quick(MPSClassifier, missing=missing).fit(bad, y)


@pytest.mark.parametrize("missing", [None, "drop", True, np.nan, ["level"]])
def test_wrong_values_of_the_parameter(missing):
    with pytest.raises(ValueError, match='missing must be "refuse" or "level", not'):
        quick(MPSClassifier, missing=missing).fit(*gappy(share=0))


# A level of their own


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_host_program_file_and_board_have_the_same_levels(kind, scaling, tmp_path):
    X, y = gappy()
    X[:, 3] = np.round(X[:, 3])
    model = quick(kind, missing="level", scaling=scaling, feature_margin=0.1).fit(X, y)
    program = model.quantize()
    levels = program.levels(X)
    scaled = model._scaled(X)
    np.testing.assert_array_equal(levels == 255, np.isnan(X))
    np.testing.assert_array_equal(levels[levels < 255], np.rint(scaled * 254)[~np.isnan(X)])
    # The table's row is the vector that the host gives a missing value.
    vectors = model.feature_map_(np.array([0.0, 1.0, np.nan]))
    np.testing.assert_allclose(program.table.T[[0, 254, 255]] / 2**15, vectors, atol=2**-14)
    program.save(tmp_path / "model.npz")
    again = pickle.loads(pickle.dumps(NetworkProgram.load(tmp_path / "model.npz")))
    assert again.missing
    np.testing.assert_array_equal(again.levels(X), levels)
    with model.deploy(GOLDEN) as on_board:
        np.testing.assert_array_equal(on_board.predict(X), program.predict(X))
    if kind is not MPSRegressor:
        assert np.mean(program.predict(X) == model.predict(X)) > 0.85


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_levels_of_any_values(data):
    scaling = data.draw(st.sampled_from(SCALINGS))
    values = st.one_of(
        st.just(np.nan), st.integers(-3, 3).map(float), st.floats(-1e12, 1e12), st.just(1e300)
    )
    rows = data.draw(st.lists(st.lists(values, min_size=3, max_size=3), min_size=4, max_size=12))
    X = np.array(rows)
    y = np.arange(len(X)) % 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MPSClassifier(2, epochs=1, scaling=scaling, missing="level", random_state=0)
        program = model.fit(X, y).quantize()
    later = np.array(data.draw(st.lists(st.lists(values, min_size=3, max_size=3), min_size=1)))
    for samples in (X, later):
        levels = program.levels(samples)
        np.testing.assert_array_equal(levels == 255, np.isnan(samples))
        scaled = model._scaled(samples)
        known = ~np.isnan(samples)
        np.testing.assert_array_equal(levels[known], np.rint(254 * scaled[known]))
        np.testing.assert_array_equal(
            model.deploy(GOLDEN).predict(samples), program.predict(samples)
        )


@pytest.mark.parametrize("kind", [MPSClassifier, TTNClassifier])
@pytest.mark.parametrize("feature_map", ["linear", "bernstein"])
def test_a_network_learns_what_a_gap_means(kind, feature_map):
    X, y = gappy(400, share=0.4)
    model = kind(
        4, epochs=30, feature_map=feature_map, missing="level", input_noise=0.03, random_state=0
    )
    model.fit(X, y)
    assert model.score(X, y) > 0.9
    assert np.mean(model.quantize().predict(X) == y) > 0.9


def test_a_regressor_learns_what_a_gap_means():
    X, _ = gappy(400)
    y = np.where(np.isnan(X[:, 2]), 5.0, np.nan_to_num(X[:, 2]))
    model = MPSRegressor(4, missing="level", random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


def test_what_a_gap_means_to_a_detector():
    rng = np.random.default_rng(0)
    X = rng.random((400, 3))
    X[rng.random(400) < 0.5, 0] = np.nan  # missing as often as not
    X[rng.random(400) < 0.02, 1] = np.nan  # rarely missing
    plain = {"feature_map": "linear", "scaling": "range", "feature_margin": 0.0}
    plain |= {"input_noise": 0.1, "weight_decay": 0.3, "missing": "level", "random_state": 0}
    model = MPSAnomalyDetector(4, **plain).fit(X)
    usual, without_first, without_second, without_third = model.score_samples(
        [[0.5, 0.5, 0.5], [np.nan, 0.5, 0.5], [0.5, np.nan, 0.5], [0.5, 0.5, np.nan]]
    )
    assert without_first == pytest.approx(usual, abs=0.7), "a gap is no more likely than a value"
    assert without_second < usual - 2 and without_third < without_second
    # The likelihoods of all combinations add up to 1, where a gap counts as 255 levels.
    pair = MPSAnomalyDetector(2, **{**plain, "epochs": 2}).fit(X[:, :2])
    axis = np.r_[np.linspace(0, 1, 255), np.nan]
    pair.feature_minimum_[:], pair.feature_maximum_[:] = 0, 1
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    counts = np.where(np.isnan(grid), 255, 1).prod(axis=1)
    assert np.sum(counts * np.exp(pair.score_samples(grid))) == pytest.approx(1)


def test_weights_of_4_bits_are_rounded_for_the_levels_that_a_board_is_sent():
    X, y = gappy()
    model = MPSClassifier(4, missing="level", epochs=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y)
    assert np.array_equal(model._levels_to_round_for, model.quantize(4).encode(X))


def test_columns_without_gaps_may_have_them_later():
    X, y = gappy(share=0)
    model = quick(MPSClassifier, missing="level").fit(X, y)
    X[5] = np.nan
    assert model.quantize().levels(X)[5].tolist() == [255] * 4
    assert np.isfinite(model.predict_proba(X)).all()
    np.testing.assert_array_equal(model.deploy(GOLDEN).predict(X), model.quantize().predict(X))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_column_without_any_value_is_told_of_and_constant(scaling):
    X, y = gappy()
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    frame["c"] = np.nan
    with pytest.warns(UserWarning, match=r"without any value .* constant: column 2 \('c'\)"):
        model = quick(MPSClassifier, missing="level", scaling=scaling).fit(frame, y)
    frame["c"] = 7.0
    assert set(model.quantize().levels(frame)[:, 2].tolist()) <= {0, 254}
    with pytest.raises(ValueError, match="contains NaN"):
        quick(MPSClassifier).fit(frame.assign(c=np.nan), y)


def test_masked_values_are_missing():
    X, y = gappy()
    masked = np.ma.masked_invalid(X)
    masked.data[masked.mask] = 1e6
    model = quick(MPSClassifier, missing="level").fit(masked, y)
    expected = quick(MPSClassifier, missing="level").fit(X, y)
    assert (model.feature_maximum_ == expected.feature_maximum_).all()
    np.testing.assert_array_equal(model.quantize().levels(masked), expected.quantize().levels(X))
    np.testing.assert_array_equal(model.deploy(GOLDEN).predict(masked), model.quantize().predict(X))
    with pytest.raises(ValueError, match="contains NaN: feature"):
        quick(MPSClassifier).fit(masked, y)


def test_weights_count_among_the_samples_that_have_a_value():
    X, y = gappy()
    weights = np.random.default_rng(1).integers(0, 4, len(X)).astype(float)
    repeated = np.repeat(np.arange(len(X)), weights.astype(int))
    for scaling in SCALINGS:
        one = quick(MPSClassifier, missing="level", scaling=scaling).fit(X, y, weights)
        two = quick(MPSClassifier, missing="level", scaling=scaling).fit(X[repeated], y[repeated])
        np.testing.assert_allclose(one.feature_minimum_, two.feature_minimum_)
        np.testing.assert_allclose(one.feature_maximum_, two.feature_maximum_)


def test_trainings_that_go_on():
    X, y = gappy()
    model = quick(MPSClassifier, missing="level", warm_start=True).fit(X, y)
    assert len(model.fit(X, y).loss_curve_) == 6
    stream = quick(MPSClassifier, missing="level")
    for rows in (slice(30), slice(30, None)):
        stream.partial_fit(X[rows], y[rows], classes=[0, 1])
    assert stream.predict(X).shape == y.shape
    with pytest.raises(ValueError, match="missing"):
        model.set_params(missing="refuse").fit(np.nan_to_num(X), y)


@pytest.mark.parametrize("options", [
    {"early_stopping": True}, {"feature_order": "mutual_information"}, {"weight_bits": 4},
    {"n_repeats": 2}, {"max_shift": 1.0, "image_size": (2, 2)}, {"feature_range": (-9, 9)},
    {"feature_map": "bumps", "local_dim": 8}, {"feature_map": "trigonometric"},
])  # fmt: skip
def test_with_other_options(options):
    X, y = gappy()
    model = quick(MPSClassifier, missing="level", **options).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert all(np.isfinite(tensor).all() for tensor in tensors_of(model))
    program = model.quantize()
    np.testing.assert_array_equal(program.levels(X) == 255, np.isnan(X))


def test_tools_of_scikit_learn_let_gaps_pass():
    X, y = gappy()
    assert get_tags(quick(MPSClassifier, missing="level")).input_tags.allow_nan
    assert not get_tags(quick(MPSClassifier)).input_tags.allow_nan
    model = quick(MPSClassifier, missing="level")
    assert len(cross_val_score(model, X, y, cv=3)) == 3
    found = GridSearchCV(quick(MPSClassifier), {"missing": ["level"]}, cv=2).fit(X, y)
    assert found.predict(X).shape == y.shape
    assert get_tags(found.best_estimator_.deploy(GOLDEN)).input_tags.allow_nan


def test_models_of_earlier_versions_refuse_gaps():
    X, y = gappy(share=0)
    model = quick(MPSClassifier).fit(X, y)
    state = dict(model.__getstate__())
    for name in ("missing", "_categories", "_words"):
        state.pop(name, None)
    old = MPSClassifier.__new__(MPSClassifier)
    old.__setstate__(state)
    np.testing.assert_array_equal(old.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="contains NaN"):
        old.predict(np.full((1, 4), np.nan))
    program = model.quantize()
    fields = dict(program.__getstate__())
    del fields["missing"], fields["categories"]
    older = NetworkProgram.__new__(NetworkProgram)
    older.__setstate__(fields)
    np.testing.assert_array_equal(older.levels(X), program.levels(X))


# The feature map


@pytest.mark.parametrize(
    ("definition", "local_dim", "components"),
    [
        ("linear", None, 3),
        ("trigonometric", None, 3),
        ("polynomial", None, 4),
        ("bernstein", 3, 4),
        ("bernstein", None, 4),
        ("bumps", 4, 4),
        ("bspline", 5, 6),
        ("bumps", 8, 8),
        (np.eye(4), None, 4),
        (np.eye(32), None, 32),
    ],
)
def test_vectors_of_missing_values(definition, local_dim, components):
    values, found = FeatureMap(definition, local_dim), MissingMap(definition, local_dim)
    assert found.local_dim == components
    assert (values.local_dim in FULL) == (values.local_dim == components)
    table = found.table()
    assert table.shape == (256, components) and np.abs(table).max() <= 1
    np.testing.assert_array_equal(table[:255, : values.local_dim], values.table(255))
    np.testing.assert_array_equal(table[255], found(np.array([np.nan]))[0])
    # No value has this vector, nor a multiple of it.
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    assert np.abs(unit[:255] @ unit[255]).max() < 0.99
    if isinstance(definition, str) and definition not in ("trigonometric", "bumps"):
        np.testing.assert_allclose(table[:255] @ found.constant, 1, atol=1e-3)
        np.testing.assert_allclose(table[255] @ found.constant, 1, atol=0.01)


def test_a_user_s_map_never_meets_a_gap():
    def steps(x):
        assert not np.isnan(x).any()
        return np.stack([x < 0.5, x >= 0.5], axis=-1).astype(float)

    X, y = gappy()
    model = quick(MPSClassifier, missing="level", feature_map=steps).fit(X, y)
    assert model.feature_map_.local_dim == 3
    assert np.isfinite(model.predict_proba(X)).all()


# Imputers in pipelines are in test_pipelines.py


def test_an_imputer_stands_for_a_level_of_its_value():
    X, y = gappy()
    filled = SimpleImputer().fit_transform(X)
    model = quick(MPSClassifier, missing="level")
    assert not (model.fit(filled, y).quantize().levels(filled) == 255).any()
