"""Piecewise linear scales: their results, their order, files, and what is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from tensorspin import NetworkProgram
from tensorspin.compiler import ProgramFileError
from tensorspin.compiler.knots import Knots
from tensorspin.compiler.scaling import rounded_levels, scale_features

from ..support.programs import edited, small_program

MOST = np.finfo(float).max


def knots_of(values, positions):
    return Knots(np.array([values], dtype=float), np.array([positions], dtype=float))


def test_lines_between_knots_and_clipping_beyond():
    knots = knots_of([-1, 0, 0, 100, 100], [0, 0.2, 0.4, 0.9, 0.9])
    X = np.array([-np.inf, -9, -1, -0.5, -0.0, 0, 50, 100, 101, np.inf])[:, None]
    expected = [0, 0, 0, 0.1, 0.4, 0.4, 0.65, 0.9, 0.9, 0.9]
    np.testing.assert_allclose(knots.scale(X).ravel(), expected, rtol=1e-15)


def test_two_knots_are_the_linear_scale():
    X = np.random.default_rng(0).normal(size=(50, 3))
    low, high = X.min(axis=0), X.max(axis=0)
    knots = Knots(np.stack([low, high], axis=1), np.tile([0.0, 1.0], (3, 1)))
    np.testing.assert_array_equal(knots.scale(X), scale_features(X, low, high))


def test_extreme_values_overflow_nowhere():
    knots = knots_of([-MOST, 0, MOST], [0, 0.5, 1])
    X = np.array([[-MOST], [-MOST / 2], [0], [MOST]])
    assert knots.scale(X).ravel().tolist() == [0, 0.25, 0.5, 1]
    tiny = knots_of([0, 5e-324], [0, 1])  # a span whose half is zero
    assert tiny.scale(np.array([[0.0], [1.0]])).ravel().tolist() == [0, 0]


def test_no_samples_and_many():
    knots = Knots(np.tile(np.arange(33.0), (300, 1)), np.tile(np.arange(33) / 32, (300, 1)))
    assert knots.scale(np.empty((0, 300))).shape == (0, 300)
    X = np.random.default_rng(0).uniform(0, 32, (1000, 300))  # more than one batch
    np.testing.assert_allclose(knots.scale(X), X / 32, rtol=1e-15)


@st.composite
def any_knots(draw):
    shape = (draw(st.integers(1, 3)), draw(st.integers(2, 6)))
    values = draw(nps.arrays(float, shape, elements=st.floats(allow_nan=False, width=64)))
    positions = draw(nps.arrays(float, shape, elements=st.floats(0, 1)))
    values = np.clip(values, -MOST, MOST)
    return Knots(np.sort(values, axis=1), np.sort(positions, axis=1))


@given(any_knots(), st.data())
def test_greater_values_never_become_less(knots, data):
    near = knots.values.ravel()
    with np.errstate(over="ignore"):
        near = np.concatenate([near, np.nextafter(near, np.inf), np.nextafter(near, -np.inf)])
    drawn = data.draw(nps.arrays(float, 20, elements=st.floats(allow_nan=False)))
    X = np.repeat(np.sort(np.concatenate([near, drawn]))[:, None], len(knots.values), axis=1)
    scaled = knots.scale(X)
    assert np.all((scaled >= 0) & (scaled <= 1))
    assert np.all(np.diff(scaled, axis=0) >= 0)
    levels = rounded_levels(X, knots.values[:, 0], knots.values[:, -1], knots).astype(int)
    assert np.all(np.diff(levels, axis=0) >= 0)


@pytest.mark.parametrize(
    ("values", "positions", "message"),
    [
        (np.zeros((1, 1)), np.zeros((1, 1)), "at least 2"),
        (np.zeros(3), np.zeros(3), "at least 2"),
        (np.zeros((1, 3), int), np.zeros((1, 3)), "values of knots must be float64"),
        (np.zeros((1, 3)), np.zeros((1, 3), np.float32), "positions of knots must be float64"),
        (np.zeros((1, 3)), np.zeros((2, 3)), "can't be those of the same knots"),
        (np.array([[0, 2.0, 1]]), np.zeros((1, 3)), "values of knots must be .* rising order"),
        (np.array([[0, np.inf]]), np.zeros((1, 2)), "values of knots must be finite"),
        (np.zeros((1, 2)), np.array([[0.5, 0]]), "positions of knots must be .* rising order"),
        (np.zeros((1, 2)), np.array([[0, np.nan]]), "positions of knots must be finite"),
        (np.zeros((1, 2)), np.array([[0, 1.5]]), "must be from 0 to 1"),
    ],
)
def test_what_is_no_knots_is_refused(values, positions, message):
    with pytest.raises(ValueError, match=message):
        Knots(values, positions)


def program():
    values = np.tile([0.0, 1.0, 10.0], (4, 1))
    knots = Knots(values, np.tile([0.0, 0.75, 1.0], (4, 1)))
    return small_program(clip=True, knots=knots)


def test_a_program_keeps_them_in_files_and_copies(tmp_path):
    program().save(tmp_path / "model.npz")
    X = np.array([[-3, 0, 0.5, 1], [1.5, 5.5, 10, 99]])
    expected = [[0, 0, 96, 191], [195, 223, 255, 255]]
    copied = pickle.loads(pickle.dumps(program()))
    for each in (program(), copied, NetworkProgram.load(tmp_path / "model.npz")):
        assert each.levels(X).tolist() == expected
        for array in (each.knots.values, each.knots.positions):
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 0
    with pytest.raises(ValueError, match="feature 1 of sample 0 is nan; it must be finite"):
        program().levels([[0, np.nan, 0, 0]])
    with pytest.raises(ValueError, match="feature 2 of sample 0 is inf; it must be finite"):
        program().levels([[0, 0, np.inf, 0]])


def test_a_program_pickled_before_there_were_knots():
    older = small_program()
    state = {name: value for name, value in older.__getstate__().items() if name != "knots"}
    again = object.__new__(NetworkProgram)
    again.__setstate__(state)
    assert again.knots is None and again.levels(np.zeros((1, 4))).tolist() == [[0, 0, 0, 0]]


ZEROS = np.zeros((4, 2))


@pytest.mark.parametrize(
    ("arrays", "clip", "message"),
    [
        ({"knots": ZEROS}, True, "knots_positions is missing"),
        ({"knots": ZEROS, "knots_positions": ZEROS * np.nan}, True, "must be finite and in rising"),
        ({"knots": ZEROS, "knots_positions": ZEROS}, False, "knots are for programs that clip"),
        ({"knots": ZEROS, "knots_positions": ZEROS}, True, "feature_maximum must be the outermost"),
        ({"knots": ZEROS[:3], "knots_positions": ZEROS[:3]}, True, "must be the outermost knot"),
    ],
)
def test_edited_files_are_refused(tmp_path, arrays, clip, message):
    path = tmp_path / "model.npz"
    small_program().save(path)
    edited(path, lambda metadata, found: (metadata.update(clip=clip), found.update(arrays)))
    with pytest.raises(ProgramFileError, match=message):
        NetworkProgram.load(path)
