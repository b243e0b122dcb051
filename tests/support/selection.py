"""Which cases of a test `make test` runs, where all of them would take minutes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

import pytest


def slow_but(quick: Collection, values: Iterable) -> list:
    """Mark all values of a parameter as `slow` but those that `make test` runs, too.

    Parameters
    ----------
    quick : collection
        Values that stay quick; each must be among `values`.
    values : iterable
        All values, as `pytest.mark.parametrize` takes them.

    Returns
    -------
    list
        The values in their order.
    """
    values = list(values)
    missing = [value for value in quick if value not in values]
    assert quick and not missing, f"no such cases: {missing}"
    return [value if value in quick else _slow(value) for value in values]


def slow_after(count: int, values: Iterable) -> list:
    """Mark all values of a parameter as `slow` but the first ones.

    Parameters
    ----------
    count : int
        Number of values that stay quick.
    values : iterable
        All values, as `pytest.mark.parametrize` takes them.

    Returns
    -------
    list
        The values in their order.
    """
    values = list(values)
    return [*islice(values, count), *(_slow(value) for value in values[count:])]


def long_after(count: int, values: Iterable) -> list:
    """Mark all values of a parameter as `long` but the first ones: `make test-all` runs them alone.

    Parameters
    ----------
    count : int
        Number of values that stay quick.
    values : iterable
        All values, as `pytest.mark.parametrize` takes them.

    Returns
    -------
    list
        The values in their order.
    """
    values = list(values)
    return [*islice(values, count), *(_long(value) for value in values[count:])]


def _slow(value: Any):
    return pytest.param(value, marks=pytest.mark.slow)


def _long(value: Any):
    return pytest.param(value, marks=pytest.mark.long)
