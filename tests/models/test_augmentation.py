"""Noise, shifts and smoothed labels of the training."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.models.augmentation import Augmentation, displaced, random_fields
from tensorspin.models.feature_order import snake_order
from tensorspin.models.losses import cross_entropy

from ..support.estimators import CLASSIFIERS, quick


def images(count=6, height=4, width=5):
    return np.random.default_rng(0).random((count, height, width), dtype=np.float32)


def along(*shifts):
    """One displacement for all pixels of each image."""
    return np.array(shifts, dtype=np.float32)[:, None, None]


def test_whole_shifts_move_pixels_and_repeat_the_edge():
    before = images(2)
    after = displaced(before, along(1, -1), along(0, 2))
    assert after.dtype == before.dtype
    np.testing.assert_allclose(after[0, 1:], before[0, :-1])
    np.testing.assert_allclose(after[0, 0], before[0, 0])
    np.testing.assert_allclose(after[1, :-1, 2:], before[1, 1:, :-2])
    np.testing.assert_allclose(after[1, -1, 2:], before[1, -1, :-2])
    np.testing.assert_allclose(after[1, :-1, 0], before[1, 1:, 0])


def test_a_shift_by_half_a_pixel_is_a_mean():
    before = images(1)
    after = displaced(before, along(0.5), along(0))
    np.testing.assert_allclose(after[0, 1:], (before[0, 1:] + before[0, :-1]) / 2, rtol=1e-6)


@pytest.mark.parametrize("size", [(4, 5), (1, 5), (4, 1)])
def test_displacements_beyond_the_image_leave_its_edge(size):
    before = images(1, *size)
    after = displaced(before, along(9), along(-9))
    np.testing.assert_allclose(after[0], np.broadcast_to(before[0, 0, -1], size))


def test_each_pixel_has_a_displacement_of_its_own():
    # Of an image that is a plane, bilinear interpolation is exact inside.
    rows, columns = np.mgrid[:6.0, :7.0]
    rng = np.random.default_rng(0)
    down, right = rng.uniform(-1, 1, (2, 3, 6, 7))
    after = displaced(np.broadcast_to(2 * rows + 3 * columns, (3, 6, 7)), down, right)
    expected = 2 * (rows - down) + 3 * (columns - right)
    np.testing.assert_allclose(after[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], rtol=1e-12)


@pytest.mark.parametrize("size", [(14, 14), (3, 20), (1, 4)])
def test_random_fields_are_smooth_and_of_unit_size(size):
    fields = random_fields(size, 4000, np.random.default_rng(0))
    assert fields.shape == (4000, *size) and fields.dtype == np.float32
    assert np.mean(fields) == pytest.approx(0, abs=0.05)
    assert np.sqrt(np.mean(fields**2)) == pytest.approx(1, rel=0.03)
    if size == (14, 14):
        steps = np.sqrt(np.mean(np.diff(fields, axis=2) ** 2))
        assert steps < 0.5
        assert abs(np.corrcoef(fields[:, 0, 0], fields[:, -1, -1])[0, 1]) < 0.1


@pytest.mark.parametrize("options", [{"max_shift": 1.5}, {"distortion": 0.8}])
def test_displacements_follow_the_order_of_the_sites(options):
    before = images()
    order = snake_order(4, 5)
    pixels = np.argsort(order).reshape(4, 5)
    straight, snake = (
        Augmentation(**options, pixels=p)(flat, np.random.default_rng(1))
        for flat, p in (
            (before.reshape(6, -1), np.arange(20).reshape(4, 5)),
            (before.reshape(6, -1)[:, order], pixels),
        )
    )
    np.testing.assert_array_equal(straight[:, order], snake)
    assert straight.dtype == np.float32
    assert not np.allclose(straight, before.reshape(6, -1))


def test_noise_stays_in_range():
    batch = images().reshape(6, -1)
    noisy = Augmentation(input_noise=np.float64(0.3))(batch, np.random.default_rng(0))
    assert noisy.dtype == np.float32
    assert noisy.min() >= 0 and noisy.max() <= 1
    assert 0.1 < np.std(noisy - batch) < 0.3


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_gradient_of_the_smoothed_loss(smoothing):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 5))
    labels = rng.integers(3, size=5)
    _, gradient, in_log_temperature = cross_entropy(scores, labels, 4.0, smoothing)
    tiny = 1e-6

    def loss(change=0.0, temperature=4.0):
        return cross_entropy(scores + change, labels, temperature, smoothing)[0]

    for index in np.ndindex(*scores.shape):
        change = np.zeros_like(scores)
        change[index] = tiny
        slope = (loss(change) - loss(-change)) / (2 * tiny)
        assert gradient[index] == pytest.approx(slope, abs=1e-7)
    slope = (loss(temperature=4 * np.exp(tiny)) - loss(temperature=4 * np.exp(-tiny))) / (2 * tiny)
    assert in_log_temperature == pytest.approx(slope, abs=1e-7)


def test_smoothed_loss_equals_its_definition():
    scores = np.random.default_rng(0).normal(size=(3, 5))
    labels = np.array([0, 1, 2, 1, 0])
    plain, _, _ = cross_entropy(scores, labels, 4.0)
    per_class = [cross_entropy(scores, np.full(5, k), 4.0)[0] for k in range(3)]
    smoothed, _, _ = cross_entropy(scores, labels, 4.0, 0.3)
    assert smoothed == pytest.approx(0.7 * plain + 0.3 * np.mean(per_class))


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_each_option_changes_the_training(kind):
    X, y = load_iris(return_X_y=True)
    plain = quick(kind).fit(X, y)
    for option in (
        {"label_smoothing": 0.2},
        {"max_shift": 0.5},
        {"distortion": 0.5},
        {"input_noise": 0.0},
    ):
        other = quick(kind, **option).fit(X, y)
        assert other.loss_curve_ != plain.loss_curve_
        assert other.loss_curve_ == quick(kind, **option).fit(X, y).loss_curve_


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"label_smoothing": -0.1}, "label_smoothing must be a finite number from 0 to 1, not"),
        ({"label_smoothing": 1.5}, "label_smoothing must be a finite number from 0 to 1, not"),
        ({"label_smoothing": np.nan}, "label_smoothing must be a finite number from 0 to 1, not"),
        ({"max_shift": -1}, "max_shift must be a finite number of at least 0, not -1"),
        ({"max_shift": np.inf}, "max_shift must be a finite number of at least 0, not inf"),
        ({"distortion": -1}, "distortion must be a finite number of at least 0, not -1"),
        ({"distortion": np.nan}, "distortion must be a finite number of at least 0, not nan"),
        ({"distortion": 1, "image_size": (3, 2)}, "image_size is 3 x 2, X has 4 features"),
        ({"max_shift": 1, "image_size": (3, 2)}, "image_size is 3 x 2, X has 4 features"),
    ],
)
def test_wrong_parameters_are_refused(kind, parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(kind, **parameters).fit(*load_iris(return_X_y=True))


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("option", ["max_shift", "distortion"])
def test_a_single_pixel_cannot_be_moved(kind, option):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=f"{option}=1 needs images of at least 2 pixels, not 1"):
        quick(kind, **{option: 1}).fit(X[:, :1], y)
