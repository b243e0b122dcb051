"""Gradients of programs by their samples: beside differences, for every kind of program."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, StandardScaler

from tensorspin.compiler import NetworkProgram
from tensorspin.compiler.gradient import Scale, interpolated, scale_of_boundaries
from tensorspin.compiler.outputs import exact_scores
from tensorspin.models import (
    EnsembleClassifier,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
)
from tensorspin.models.pipelines import quantize

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5)) * [1, 10, 0.1, 1, 1000] + [0, 5, 0, 0, 300]
Z = (X - X.mean(axis=0)) / X.std(axis=0)
Y = (Z[:, 0] * Z[:, 1] + Z[:, 2] > 0).astype(int) + (Z[:, 3] > 1)
FEW = {"epochs": 2, "random_state": 0}


def deployed(*steps):
    pipeline = make_pipeline(*steps, MPSClassifier(3, **FEW)).fit(X, Y)
    return quantize(pipeline)


PROGRAMS = {
    "chain": lambda: MPSClassifier(3, **FEW).fit(X, Y).quantize(),
    "linear scale": lambda: MPSClassifier(3, scaling="range", **FEW).fit(X, Y).quantize(),
    "4 bits": lambda: MPSClassifier(3, **FEW).fit(X, Y).quantize(4),
    "tree": lambda: TTNClassifier(3, **FEW).fit(X, Y).quantize(),
    "ensemble": lambda: EnsembleClassifier(**FEW).fit(X, Y).quantize(),
    "regressor": lambda: MPSRegressor(3, **FEW).fit(X, Z[:, 0] * Z[:, 1]).quantize(),
    "detector": lambda: MPSAnomalyDetector(3, **FEW).fit(X).quantize(),
    "standard scaler": lambda: deployed(StandardScaler()),
    "range scaler": lambda: deployed(MinMaxScaler()),
    "quantiles": lambda: deployed(QuantileTransformer(n_quantiles=20)),
    "imputer": lambda: deployed(SimpleImputer(add_indicator=False), StandardScaler()),
}


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request, tmp_path_factory):
    """A program that was saved and read again."""
    path = tmp_path_factory.mktemp("programs") / "program.npz"
    PROGRAMS[request.param]().save(path)
    return NetworkProgram.load(path)


def differences(program, samples, width):
    """Central differences of the scores that come with the gradient, over parts of the columns."""
    found = []
    for column in range(samples.shape[1]):
        step = np.zeros(samples.shape[1])
        step[column] = width * X[:, column].std()
        up, down = (
            program.input_gradient(samples + s, return_scores=True)[1] for s in (step, -step)
        )
        found.append((up - down) / (2 * step[column]))
    return np.stack(found, axis=2)


def test_equals_differences_in_the_unit_of_each_column(program):
    samples = np.percentile(X, [30, 50, 65], axis=0) + X.std(axis=0) * 1e-3
    gradient = program.input_gradient(samples)
    assert gradient.shape == (3, program.n_outputs, 5) and gradient.dtype == np.float64
    expected = differences(program, samples, 1e-6)
    scale = np.abs(expected).max(axis=(0, 1))
    assert np.all(scale > 0)
    # A sample may lie within a difference of a kink of its scale; most do not.
    wrong = np.abs(gradient - expected) > 1e-4 * scale
    assert wrong.mean() < 0.05


def test_the_scores_are_those_of_the_board_up_to_rounding(program):
    found = program.run_golden(X)
    board = exact_scores(found.scores, found.exponents, program.log2_scale)
    gradient, scores = program.input_gradient(X, return_scores=True)
    assert np.abs(scores - board).max() < 0.05 * np.abs(board).max()
    assert np.isfinite(gradient).all()
    assert np.mean(scores.argmax(axis=1) == board.argmax(axis=1)) > 0.95


def test_levels_are_those_of_the_board_before_rounding(program):
    _, levels, slopes, _ = program._smooth_levels(X)
    assert np.abs(levels - program.levels(X)).max() < 0.51
    assert np.all(slopes >= 0) and np.all(slopes.max(axis=0) > 0)


def test_a_step_along_the_gradient_changes_what_the_board_answers():
    """The point of it: an attack on what is deployed, in the user's units."""
    model = MPSClassifier(4, epochs=15, random_state=0).fit(X, Y)
    program = model.quantize()
    answers = program.predict(X)
    step = 0.3 * X.std(axis=0)
    gradient = program.input_gradient(X)
    place = np.searchsorted(program.classes, answers)
    own = gradient[np.arange(len(X)), place]
    rival_scores = program.input_gradient(X, return_scores=True)[1]
    rival_scores[np.arange(len(X)), place] = -np.inf
    rival = gradient[np.arange(len(X)), rival_scores.argmax(axis=1)]
    attacked = program.predict(X + step * np.sign(rival - own)) != answers
    random = program.predict(X + step * RNG.choice([-1, 1], X.shape)) != answers
    assert attacked.sum() > 1.5 * random.sum() and attacked.mean() > 0.1


def test_clipped_missing_and_unread_values_have_no_derivative():
    holes = X.copy()
    holes[::7, 1] = np.nan
    program = MPSClassifier(3, missing="level", **FEW).fit(holes, Y).quantize()
    samples = X[:3].copy()
    samples[0, 1] = np.nan
    samples[1, 2] = X[:, 2].max() + 100
    gradient = program.input_gradient(samples)
    assert np.all(gradient[0, :, 1] == 0) and np.all(gradient[1, :, 2] == 0)
    assert np.all(np.abs(gradient[0, :, [0, 3]]).max(axis=1) > 0)
    levels = program._smooth_levels(samples)[1]
    assert levels[0, 1] == 255 and levels[1, 2] == 254
    found, board = program.input_gradient(holes, return_scores=True)[1], program.run_golden(holes)
    board = exact_scores(board.scores, board.exponents, program.log2_scale)
    assert np.abs(found - board).max() < 0.05 * np.abs(board).max()


def test_at_a_limit_the_derivative_is_that_within():
    scale = Scale(np.array([2.0, 4.0]), np.array([0.0, 255.0]), 0, 255)
    levels, slopes = scale.at(np.array([1.9, 2.0, 3.0, 4.0, 4.1]))
    assert levels.tolist() == [0, 0, 127.5, 255, 255]
    assert slopes.tolist() == [0, 127.5, 127.5, 127.5, 0]


def test_scales_with_jumps_repeated_knots_and_no_range():
    knots = Scale(np.array([0.0, 1, 1, 3, 3]), np.array([0.0, 50, 100, 255, 255]), 0, 255)
    levels, slopes = knots.at(np.array([0.5, 1.0, 2.0, 3.0]))
    assert levels.tolist() == [25, 100, 177.5, 255]
    assert slopes.tolist() == [50, 77.5, 77.5, 77.5]
    constant = Scale(np.array([5.0, 5.0]), np.array([0.0, 255.0]), 0, 255)
    assert [part.tolist() for part in constant.at(np.array([1.0, 9.0]))] == [[0, 0], [0, 0]]


def test_boundaries_with_unreachable_levels():
    boundaries = np.r_[[-np.inf] * 10, np.arange(100) / 10, [np.inf] * 145]
    scale = scale_of_boundaries(boundaries)
    assert (scale.least, scale.greatest) == (10, 110)
    levels, slopes = scale.at(np.array([-1.0, 0.0, 0.05, 5.0, 50.0]))
    np.testing.assert_allclose(levels, [10, 10.5, 11, 60.5, 110])
    np.testing.assert_allclose(slopes, [0, 10, 10, 10, 0])
    step = scale_of_boundaries(np.full(255, 0.5))
    assert step.at(np.array([0.2]))[1] == 0


def test_interpolation_meets_the_table_and_does_not_look_beyond_its_levels():
    table = RNG.integers(-(2**15), 2**15, (3, 256)).astype(np.int16)
    levels = np.arange(10, 255, dtype=float)
    vectors, slopes = interpolated(table, levels, 10, 254)
    np.testing.assert_array_equal(vectors, table[:, 10:255].T)
    other = table.copy()
    other[:, :10] = other[:, 255] = 0
    for found in interpolated(other, levels, 10, 254), (vectors, slopes):
        np.testing.assert_array_equal(found[1], slopes)
    between = levels[:-1] + 0.25
    up, down = (interpolated(table, between + h, 10, 254)[0] for h in (1e-5, -1e-5))
    np.testing.assert_allclose(
        interpolated(table, between, 10, 254)[1], (up - down) / 2e-5, atol=0.1
    )


def test_columns_of_words_do_not_move():
    colours = np.array(["red", "green", "blue"])[RNG.integers(0, 3, len(X))]
    frame = pd.DataFrame({"a": X[:, 0], "colour": colours, "b": X[:, 3]})
    program = MPSClassifier(3, **FEW).fit(frame, Y).quantize()
    gradient = program.input_gradient(frame[:4])
    assert gradient.shape[2] == 3
    assert np.all(gradient[:, :, 1] == 0) and np.all(np.abs(gradient[:, :, [0, 2]]).max((0, 1)) > 0)


def test_long_chains_stay_within_float64():
    wide = RNG.random((30, 700))
    model = MPSClassifier(2, epochs=1, random_state=0).fit(wide, np.arange(30) % 2)
    gradient, scores = model.quantize().input_gradient(wide[:2], return_scores=True)
    assert np.isfinite(gradient).all() and np.isfinite(scores).all()


def test_samples_that_are_refused_by_levels_are_refused():
    program = PROGRAMS["chain"]()
    with pytest.raises(ValueError, match="this program needs"):
        program.input_gradient(X[:, :4])
    with pytest.raises(ValueError, match="NaN|missing"):
        program.input_gradient(np.full((1, 5), np.nan))
    assert program.input_gradient(X[:0]).shape == (0, program.n_outputs, 5)
