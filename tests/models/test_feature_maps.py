"""Feature maps and their tables."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.interpolate import BSpline
from sklearn.datasets import load_iris

from tensorspin.errors import CapacityError
from tensorspin.models import FeatureMap, MPSAnomalyDetector, MPSClassifier, MPSRegressor

from ..support.estimators import ESTIMATORS, quick


def _pair(x):
    return np.stack([x, 1 - x], axis=-1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("linear", [[1, 0], [0.5, 0.5], [0, 1]]),
        ("trigonometric", [[1, 0], [np.sqrt(0.5), np.sqrt(0.5)], [0, 1]]),
        ("polynomial", [[1, 0, 0], [1, 0.5, 0.25], [1, 1, 1]]),
    ],
)
def test_named_map(name, expected):
    feature_map = FeatureMap(name)
    assert feature_map.local_dim == len(expected[0])
    np.testing.assert_allclose(feature_map.table(3), expected, atol=1e-15)
    assert feature_map.table().shape == (256, feature_map.local_dim)
    x = np.array([[0.0, 0.5, 1.0]], dtype=np.float32)
    assert feature_map(x).dtype == np.float32
    np.testing.assert_allclose(feature_map(x), [expected], atol=1e-6)


X = np.linspace(0, 1, 41)
BASES = ["polynomial", "bernstein", "bumps", "bspline"]


@pytest.mark.parametrize("local_dim", [None, *range(2, 9)])
@pytest.mark.parametrize("name", BASES)
def test_a_basis_of_any_number_of_components(name, local_dim):
    feature_map = FeatureMap(name, local_dim)
    usual = 3 if name == "polynomial" else 4
    assert feature_map.local_dim == (local_dim or usual)
    assert feature_map.table().shape == (256, feature_map.local_dim)
    assert np.linalg.matrix_rank(feature_map.table()) == feature_map.local_dim
    narrow = feature_map(X.astype(np.float32))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, feature_map(X), atol=1e-6)
    again = pickle.loads(pickle.dumps(feature_map))
    np.testing.assert_array_equal(again(X), feature_map(X))
    if name in ("bernstein", "bspline"):
        np.testing.assert_allclose(feature_map(X).sum(axis=-1), 1)
        np.testing.assert_allclose(feature_map.constant, 1)
    if name == "bumps":
        np.testing.assert_allclose(np.linalg.norm(feature_map(X), axis=-1), 1)


@pytest.mark.parametrize("local_dim", range(2, 9))
def test_bernstein_polynomials_are_b_splines_without_inner_knots(local_dim):
    splines = BSpline.basis_element  # a single interval has local_dim elements, each of its knots
    knots = np.repeat([0.0, 1.0], local_dim)
    inside = X[:-1]  # scipy's elements end before their last knot
    for index, component in enumerate(FeatureMap("bernstein", local_dim)(inside).T):
        element = splines(knots[index : index + local_dim + 1], extrapolate=False)
        np.testing.assert_allclose(component, element(inside), atol=1e-12)
    if local_dim <= 4:
        np.testing.assert_allclose(
            FeatureMap("bspline", local_dim)(X), FeatureMap("bernstein", local_dim)(X), atol=1e-12
        )


def test_b_splines_reproduce_cubic_polynomials_and_bend_at_the_knots_alone():
    splines = FeatureMap("bspline", local_dim=6)(X)
    for power in range(4):
        rest = X**power - splines @ np.linalg.lstsq(splines, X**power, rcond=None)[0]
        np.testing.assert_allclose(rest, 0, atol=1e-12)
    # The fourth differences of a cubic are zero; knots are at 1/3 and 2/3.
    bends = np.abs(np.diff(splines, 4, axis=0)).max(axis=1) > 1e-9
    middles = X[2:-2][bends]
    assert (np.abs(middles[:, None] - [1 / 3, 2 / 3]).min(axis=1) < 0.06).all() and bends.any()


def test_four_bumps():
    bumps = np.exp(-(((X[:, None] - [0, 1 / 3, 2 / 3, 1]) / 0.2) ** 2) / 2)
    expected = bumps / np.sqrt((bumps**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(FeatureMap("bumps")(X), expected, atol=1e-12)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("local_dim", [1, 9, 0, -1, 4.0, True, "4"])
def test_numbers_of_components_that_no_basis_has(name, local_dim):
    message = f"local_dim of feature map '{name}' must be an integer from 2 to 8, not {local_dim!r}"
    with pytest.raises(ValueError, match=message):
        FeatureMap(name, local_dim)


@pytest.mark.parametrize("definition", ["linear", "trigonometric", [[0, 1], [1, 0]], _pair])
def test_a_map_with_a_number_of_components_of_its_own(definition):
    assert FeatureMap(definition, local_dim=2).local_dim == 2
    with pytest.raises(
        ValueError, match="local_dim must be None or 2, the number .* not 3; choose"
    ):
        FeatureMap(definition, local_dim=3)


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize(("name", "local_dim"), [("bernstein", 5), ("bumps", None), ("bspline", 6)])
def test_programs_answer_as_the_estimator_does(kind, name, local_dim):
    X, y = load_iris(return_X_y=True)
    model = quick(kind, feature_map=name, local_dim=local_dim, epochs=10).fit(X, y)
    program = model.quantize()
    assert len(program.table) == (local_dim or 4)
    if kind is MPSRegressor:
        assert np.corrcoef(program.predict(X), model.predict(X))[0, 1] > 0.99
    else:
        assert np.mean(program.predict(X) == model.predict(X)) >= 0.95


def test_a_board_refuses_more_components_than_its_table_has():
    X, y = load_iris(return_X_y=True)
    model = quick(MPSClassifier, feature_map="bernstein", local_dim=8)
    model.check_capacity(X, y, board="ulx3s_85f")
    with pytest.raises(CapacityError, match="components of the feature map: 8 needed, .* holds 4"):
        model.check_capacity(X, y, board="icebreaker")


def test_bumps_with_a_margin_find_outliers_on_all_sides():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 2))
    detector = MPSAnomalyDetector(
        feature_map="bumps", feature_margin=1 / 3, input_noise=0.05, random_state=0
    ).fit(X)
    far = np.array([[6, 6], [-6, 6], [6, 0], [0, -6], [10, 10]])
    assert (detector.predict(far) == -1).all()
    assert detector.score_samples([[0, 0]]) > detector.score_samples(far).max() + 1
    program = detector.quantize()
    assert (program.predict(far) == -1).all() and np.mean(program.predict(X) == 1) > 0.85


def test_callable():
    feature_map = FeatureMap(lambda x: np.stack([x, x**3, 1 - x, -x], axis=-1))
    assert feature_map.local_dim == 4
    np.testing.assert_allclose(feature_map.table(2), [[0, 0, 1, 0], [1, 1, 0, -1]])


def test_table_takes_the_nearer_level():
    rows = [[1, 0], [0, 1], [-1, 0]]
    feature_map = FeatureMap(rows)
    np.testing.assert_array_equal(feature_map.table(3), rows)
    np.testing.assert_array_equal(
        feature_map(np.array([0, 0.24, 0.26, 0.74, 0.76, 1])), np.repeat(rows, 2, axis=0)
    )


def test_table_of_256_levels_is_kept_exactly():
    rows = np.random.default_rng(0).uniform(-1, 1, (256, 3))
    np.testing.assert_array_equal(FeatureMap(rows).table(), rows)


def test_components_may_overstep_the_limit_by_rounding():
    def rounded(x):
        return np.stack([1 - 2 * x, x], axis=-1).astype(np.float32) * np.float32(1 + 2e-7)

    assert FeatureMap(rounded).table().max() > 1


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("cubic", "feature map 'cubic' is unknown; choose one of linear, trigonometric"),
        (
            lambda x: np.stack([x, 1.5 * x], axis=-1),
            r"component 1 of the feature map is 1.00\d+ at x = 0.67\d+; the limit is 1",
        ),
        ([[0, 1], [np.nan, 1]], "component 0 of the feature map is nan at x = 1; the limit is 1"),
        (lambda x: x, r"returned shape \(256,\) for features of shape \(256,\)"),
        (lambda x: x[..., None], "must have 2 to 32 components, not 1"),
        (np.ones((4, 33)), "must have 2 to 32 components, not 33"),
        (np.ones(5), r"shape \(levels, local_dim\) with at least 2 levels, not shape \(5,\)"),
    ],
)
def test_wrong_definition(definition, message):
    with pytest.raises(ValueError, match=message):
        FeatureMap(definition)


def test_table_needs_two_levels():
    with pytest.raises(ValueError, match="at least 2 levels, not 1"):
        FeatureMap().table(1)
