"""Feature maps and their tables."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models import FeatureMap


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
