"""The table of categories of a program: words become numbers, and files are read or refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tensorspin.compiler import NetworkProgram, ProgramFileError
from tensorspin.compiler.categories import Categories, CategoryColumn

from ..support.programs import edited, small_program

SIZES = CategoryColumn(("S", "M", "L"), np.array([0.0, 10.0, 5.0]))


def test_numbers_of_words_and_numbers():
    table = Categories(3, {1: SIZES}, ignored=frozenset({2}))
    rows = [[1, "M", object()], ["2.5", "S", None], [True, "L", "?"]]
    expected = [[1, 10, 0], [2.5, 0, 0], [1, 5, 0]]
    assert table.numbers(rows).tolist() == expected
    assert table.numbers(pd.DataFrame(rows)).tolist() == expected
    with pytest.raises(ValueError, match="X has 2 columns, not 3"):
        table.numbers([[1, "M"]])
    with pytest.raises(
        ValueError, match="must have two dimensions, samples and columns, not shape"
    ):
        table.numbers([1, "M"])
    with pytest.raises(ValueError, match=r"column 0 \('a'\) of sample 1 is 'x', not a number"):
        table.numbers([[1, "M", 0], ["x", "S", 0]], ["a", "b", "c"])


def test_the_type_is_that_of_all_numbers():
    table = Categories(3, {1: SIZES})
    frame = pd.DataFrame({"a": np.float32([1, 2]), "b": ["M", "S"], "c": np.float32([3, 4])})
    assert table.numbers(frame).dtype == np.float32
    assert table.numbers(frame.astype({"a": float})).dtype == np.float64
    assert table.numbers(frame.astype({"a": int})).dtype == np.float64


def test_what_is_unknown_or_missing():
    column = CategoryColumn(("a", "b"), np.array([0.0, 1.0]), unknown=-1.0, missing=np.nan)
    found = column.encode(np.array(["b", "z", None, np.nan, "nan", 3, True], dtype=object), "it")
    np.testing.assert_array_equal(found, [1, -1, np.nan, np.nan, np.nan, -1, -1])
    strict = CategoryColumn(tuple("abcdefg"), np.arange(7.0))
    with pytest.raises(
        ValueError, match="it of sample 0 is 'z', .*: 'a', 'b', 'c', 'd', 'e' and 2"
    ):
        strict.encode(np.array(["z"]), "it")
    with pytest.raises(ValueError, match="it of sample 1 is missing"):
        strict.encode(np.array(["a", None], dtype=object), "it")
    numbers = CategoryColumn((12.0, 7000.0), np.array([0.0, 1.0]))
    assert numbers.encode(np.array([7000, "12", 12.0], dtype=object), "it").tolist() == [1, 0, 0]
    for wrong in ("x", 13, [1]):
        with pytest.raises(ValueError, match="which is none of its categories: 12.0, 7000.0"):
            numbers.encode(np.array([wrong, None], dtype=object)[:1], "it")


def categories(n_columns=4, **changes):
    """The entry of a file for categories in column 1."""
    column = {"column": 1, "values": ["a", "b"], "numbers": [0.0, 1.0]}
    return {
        "n_columns": n_columns,
        "ignored": [],
        "columns": [{**column, "unknown": None, "missing": None, **changes}],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, a: m.update(missing="yes"), "'yes' should be true or false"),
        (lambda m, a: m.update(categories=[1]), r"categories is \[1\], not an object"),
        (lambda m, a: m.update(categories={"n_columns": 4}), "columns is missing"),
        (lambda m, a: m.update(categories={**categories(), "ignored": [7]}), "0 to 3, not 7"),
        (lambda m, a: m.update(categories=categories(n_columns=3)), "for 3 columns, the program"),
        (lambda m, a: m.update(categories=categories(n_columns="4")), "must be integers"),
        (lambda m, a: m.update(categories=categories(column=9)), "columns 0 to 3, not 9"),
        (lambda m, a: m.update(categories=categories(values=["a", "a"])), "must be different"),
        (lambda m, a: m.update(categories=categories(values=["a", 1])), "all be text or all"),
        (lambda m, a: m.update(categories=categories(values=[])), "1 to 255 categories, not 0"),
        (lambda m, a: m.update(categories=categories(numbers=[0.0])), "one for each"),
        (lambda m, a: m.update(categories=categories(numbers=[0.0, "nan"])), "must be finite"),
        (lambda m, a: m.update(categories=categories(missing="x")), "'x' should be a number"),
    ],
)
def test_edited_files_are_refused(tmp_path, change, message):
    path = tmp_path / "model.npz"
    small_program().save(path)
    edited(path, change)
    with pytest.raises(ProgramFileError, match=message):
        NetworkProgram.load(path)
