"""Names of columns: which one is meant."""

from __future__ import annotations

import pytest

from tensorspin.data import DataError
from tensorspin.data.column_names import find_column, find_columns


def test_columns_of_the_same_name():
    assert find_column("b", ["a", "b"], 2, "x") == 1
    with pytest.raises(DataError, match="2 columns called 'a'; use a number"):
        find_column("a", ["a", "a"], 2, "x")


def test_several_columns_at_once():
    names = ["a", "b,1", "c"]
    assert find_columns(["c, a"], names, 3, "x") == [2, 0]
    assert find_columns(["b,1", "-1"], names, 3, "x") == [1, 2], "a name may have a comma in it"
    assert find_columns(["b,1"], ["a", "b"], 2, "x") == [1, 1]
    assert find_columns([1, "0,2"], None, 3, "x") == [1, 0, 2]
    with pytest.raises(DataError, match="no column called 'd'; it has a, b"):
        find_columns(["a,d"], ["a", "b"], 2, "x")
