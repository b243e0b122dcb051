"""Search among all floating-point numbers of a type.

Floating-point numbers have the order of the integers that their bits are, if the bits of negative
ones are counted downwards. The integer is called a number's key; both zeros have key 0, and
neighbours have neighbouring keys.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BATCH_VALUES = 1 << 21
"""Values that a step transforms at once while boundaries are searched: 16 MiB as float64."""


def to_keys(values: np.ndarray) -> np.ndarray:
    """Return the keys of floating-point numbers as int64."""
    kind = np.dtype(f"i{values.dtype.itemsize}")
    bits = values.view(kind)
    return np.where(bits < 0, np.iinfo(kind).min - bits, bits).astype(np.int64)


def from_keys(keys: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return the floating-point numbers of a type that have these keys."""
    kind = np.dtype(f"i{dtype.itemsize}")
    keys = keys.astype(kind)
    return np.where(keys < 0, np.iinfo(kind).min - keys, keys).astype(kind).view(dtype)


def least_keys(
    dtype: np.dtype,
    shape: tuple[int, int],
    holds: Callable[[np.ndarray, slice], np.ndarray],
    *,
    infinite: bool = False,
) -> np.ndarray:
    """Find the keys of the least values for which something holds, by bisection.

    Parameters
    ----------
    dtype : dtype
        Type of the values.
    shape : tuple of int
        Shape of the values that are searched.
    holds : callable
        Tells for some rows of values, and the numbers of these rows, whether it holds: ndarray of
        bool of the shape of the values. It holds for all values above one for which it holds.
    infinite : bool
        Whether infinities are tried, too.

    Returns
    -------
    ndarray of int64 of `shape`
        One more than the greatest key that was tried where it does not hold for any value.
    """
    greatest = np.inf if infinite else np.finfo(dtype).max
    first, last = to_keys(np.array([-greatest, greatest], dtype)).tolist()
    least, beyond = np.full(shape, first), np.full(shape, last + 1)
    height = max(1, BATCH_VALUES // shape[1])
    for start in range(0, shape[0], height):
        rows = slice(start, start + height)
        low, high = least[rows], beyond[rows]  # views
        while np.any(low < high):
            middle = (low & high) + ((low ^ high) >> 1)  # the mean; the sum could overflow
            held = holds(from_keys(middle, dtype), rows)
            searching = low < high
            high[held & searching] = middle[held & searching]
            low[~held & searching] = middle[~held & searching] + 1
    return least
