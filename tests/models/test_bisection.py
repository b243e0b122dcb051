"""Among all floating-point numbers, the least one with a property is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.models import bisection
from tensorspin.models.bisection import from_keys, least_keys, to_keys

TYPES = [np.dtype(name) for name in ("f8", "f4", "f2")]


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("dtype", TYPES)
def test_neighbours_have_neighbouring_keys(dtype):
    info = np.finfo(dtype)
    values = np.array([-np.inf, -info.max, -1, -info.smallest_subnormal, 0, 1, info.max], dtype)
    keys = to_keys(values)
    assert np.array_equal(from_keys(keys, dtype), values)
    assert np.array_equal(from_keys(keys + 1, dtype), np.nextafter(values, dtype.type(np.inf)))
    assert to_keys(np.array([-0.0, 0.0], dtype)).tolist() == [0, 0]


@given(st.lists(st.floats(allow_nan=False), min_size=2, max_size=2))
def test_keys_have_the_order_of_the_numbers(pair):
    first, second = to_keys(np.array(pair)).tolist()
    assert (first < second) == (pair[0] < pair[1])
    assert (first == second) == (pair[0] == pair[1])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("batch", [1, 1 << 21])
def test_the_least_value_is_found(dtype, batch, monkeypatch):
    monkeypatch.setattr(bisection, "BATCH_VALUES", batch)
    info = np.finfo(dtype)
    sought = np.array(
        [
            [-info.max, -1.5, -info.smallest_subnormal],
            [0, info.tiny, info.max],
            [np.inf, np.pi, -3],
        ]
    ).astype(dtype)
    found = least_keys(dtype, sought.shape, lambda X, rows: sought[rows] <= X)
    assert np.array_equal(from_keys(found, dtype), sought)


def test_infinities_are_tried_if_wanted():
    dtype = TYPES[0]
    found = least_keys(dtype, (1, 2), lambda X, rows: X >= [[-np.inf, np.inf]], infinite=True)
    assert from_keys(found, dtype).tolist() == [[-np.inf, np.inf]]
    never = least_keys(dtype, (1, 1), lambda X, rows: np.zeros((1, 1), bool))
    assert from_keys(never, dtype).tolist() == [[np.inf]]
