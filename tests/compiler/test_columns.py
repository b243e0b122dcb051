"""Levels of columns follow from boundaries, for each type of floating-point numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin import NetworkProgram
from tensorspin.compiler import ProgramFileError
from tensorspin.compiler.columns import TYPES, Boundaries, ColumnLevels
from tests.support.programs import edited, small_program


def boundaries(dtype, shift=0.0) -> Boundaries:
    """Five columns from -300 to 300, and four features whose level k begins at k + shift."""
    limit = np.full(5, 300, dtype)
    return Boundaries(
        -limit, limit, np.tile(np.arange(1, 256), (4, 1)).astype(dtype) + dtype(shift)
    )


def columns(**changes) -> ColumnLevels:
    attributes = {
        "features": np.array([4, 0, 1, 2]),
        "accepts_nan": np.array([False, False, False, True, False]),
        "boundaries": {
            "float64": boundaries(np.float64),
            "float32": boundaries(np.float32, 0.25),
            "float16": boundaries(np.float16, 0.5),
        },
    }
    return ColumnLevels(**{**attributes, **changes})


@pytest.mark.parametrize(
    ("dtype", "levels"),
    [
        (np.float64, [7, 1, 2, 255]),
        (np.float32, [6, 0, 2, 255]),
        (np.float16, [6, 0, 1, 255]),
        (np.longdouble, [7, 1, 2, 255]),
        (">f4", [7, 1, 2, 255]),  # which scikit-learn turns into float64
        (object, [7, 1, 2, 255]),
    ],
)
def test_each_type_has_boundaries_of_its_own(dtype, levels):
    X = np.array([[1.125, 2.25, 300, np.nan, 7.1]]).astype(dtype)
    assert columns().encode(X).tolist() == [levels]
    assert small_program(columns=columns()).levels(X).tolist() == [levels]


def test_integers_and_lists():
    assert columns().encode([[1, 2, -3, 0, 256]]).tolist() == [[255, 1, 2, 0]]
    assert columns().encode(np.array([[1, 2, 3, 0, 7]], np.uint8)).tolist() == [[7, 1, 2, 3]]
    assert columns().encode(np.zeros((0, 5))).shape == (0, 4)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1, 2, 3, 4]], r"shape \(1, 4\); this program needs \(n, 5\)"),
        ([1, 2, 3, 4, 5], r"shape \(5,\)"),
        ([[1, 2, 3, 4, np.nan]], "column 4 of sample 0 is nan; it must be finite"),
        ([[1, 2, 3, 4, 5], [1, -np.inf, 3, 4, 5]], "column 1 of sample 1 is -inf"),
        ([[1, 2, 3, np.inf, 5]], "column 3 of sample 0 is inf"),
        ([[1, 2, 3, 4, 300.5]], "column 4 of sample 0 is 300.5; this program takes -300 to 300"),
    ],
)
def test_bad_samples_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        columns().encode(X)


def with_float32(**changes):
    return {"boundaries": {**columns().boundaries, "float32": replace(F32, **changes)}}


F32 = boundaries(np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": np.array([0, 1, 2, 5])}, "features read columns 0 to 4, not"),
        ({"features": np.array([-1, 1, 2, 4])}, "features read columns 0 to 4, not"),
        ({"features": np.array([0.0, 1, 2, 4])}, "must be a row of integers"),
        ({"features": np.array([0, 1, 2, 3])}, "can't have missing values"),
        ({"accepts_nan": np.zeros(5)}, "must be a row of bool"),
        ({"accepts_nan": np.zeros((1, 5), bool)}, "must be a row of bool"),
        ({"boundaries": {"float64": boundaries(np.float64)}}, "must be for float64, float32, fl"),
        (with_float32(least=np.zeros(4, np.float32)), r"5 columns and 4 features can't have sh"),
        (with_float32(levels=F32.levels[:, 1:]), r"can't have shapes .*\(4, 254\)"),
        (with_float32(levels=F32.levels[:, ::-1]), "must be in order"),
        (with_float32(levels=F32.levels * np.float32(np.nan)), "must be numbers of float32"),
        (with_float32(least=np.zeros(5)), "must be numbers of float32, not float64"),
    ],
)
def test_what_is_unsound_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        columns(**changes)


def test_a_program_with_as_many_features():
    program = small_program(columns=columns())
    assert (program.n_features, program.n_features_in_) == (4, 5)
    with pytest.raises(ValueError, match="read by 3 features, the program has 4"):
        small_program(
            columns=ColumnLevels(
                np.array([0, 1, 2]),
                np.zeros(5, bool),
                {
                    name: Boundaries(b.least, b.greatest, b.levels[:3])
                    for name, b in columns().boundaries.items()
                },
            )
        )
    with pytest.raises(ValueError, match="4 names, the samples 5 columns"):
        small_program(columns=columns(), feature_names=tuple("abcd"))


def test_files_keep_every_boundary(tmp_path):
    path = tmp_path / "model.npz"
    small_program(columns=columns(), feature_names=tuple("abcde")).save(path)
    loaded = NetworkProgram.load(path).columns
    assert loaded.features.tolist() == [4, 0, 1, 2]
    assert loaded.accepts_nan.tolist() == [False, False, False, True, False]
    for name in TYPES:
        for part in ("least", "greatest", "levels"):
            found = getattr(loaded.boundaries[name], part)
            expected = getattr(columns().boundaries[name], part)
            assert found.dtype == name and np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, a: a.pop("columns_float16"), "columns_float16 is missing"),
        (lambda m, a: a.pop("columns_nan"), "columns_nan is missing"),
        (lambda m, a: a.pop("columns"), "columns is missing"),
        (lambda m, a: a.update(columns_float32=np.zeros(5)), r"columns_float32 has shape \(5,\)"),
        (lambda m, a: a.update(columns_float32=np.zeros((2, 5))), "numbers of float32, not floa"),
        (lambda m, a: a.update(columns=np.array([9, 0, 1, 2])), "features read columns 0 to 4"),
        (lambda m, a: a.update(columns=np.array(["a"] * 4)), "must be a row of integers"),
        (lambda m, a: a.update(columns_nan=np.ones(5, bool)), "can't have missing values"),
    ],
)
def test_edited_files_are_refused(tmp_path, change, message):
    path = tmp_path / "model.npz"
    small_program(columns=columns()).save(path)
    edited(path, change)
    with pytest.raises(ProgramFileError, match=message):
        NetworkProgram.load(path)
