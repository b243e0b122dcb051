"""Round couplings so that the sum of each variable's couplings is kept.

Rounding every coupling to the nearest integer changes all couplings of a constraint in the same
direction, if they are equal, and their sum by as much as all of them together. The sum decides what
a constraint says. Here some couplings of a row are rounded up and others down, as error diffusion
does with the pixels of a picture.
"""

from __future__ import annotations

import numpy as np

MAX_PASSES = 8
"""Greatest number of passes through all rows. Few instances need more than four."""

WHOLE = 1e-9
"""Distance from an integer up to which a scaled coupling is that integer, and stays it."""

FIRST = 1.5
"""Half of what the first move of a row adds to the sum of squares, whatever the errors."""


def diffuse(couplings: np.ndarray, scale: float, anchor: np.ndarray) -> np.ndarray:
    """Round scaled couplings so that their fields on one state are kept.

    Each coupling becomes one of the two integers next to it. A greedy search lowers the squares of
    the errors of all fields, plus those of all couplings: it goes through the rows and moves, in
    each, those couplings to their other neighbour whose moves lower the sum most.

    Parameters
    ----------
    couplings : ndarray of float64 of shape (n, n)
        Couplings: symmetric, zero on the diagonal.
    scale : float
        Factor of the couplings before they are rounded.
    anchor : ndarray of shape (n,)
        The state of +1 and -1 whose fields are kept: all +1 keeps the sums of the rows.

    Returns
    -------
    ndarray of float64 of shape (n, n)
        Integers: symmetric, zero on the diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> weak = 0.3 * (1 - np.eye(11))
    >>> sums = diffuse(weak, 1.0, np.ones(11)).sum(axis=1)  # to the nearest, all would be 0
    >>> bool(np.abs(sums - 3).max() <= 1)
    True
    """
    signs = np.outer(anchor, anchor)
    scaled = couplings * signs * scale
    errors = np.rint(scaled) - scaled
    sums = errors.sum(axis=1)
    for _ in range(MAX_PASSES):
        moved = False
        for row in np.argsort(-np.abs(sums), kind="stable"):
            # Moves in the other direction would make this row's error greater.
            step = -np.sign(sums[row])
            chosen = _cheapest(step * errors[row], step * sums, row)
            if not len(chosen):
                continue
            moved = True
            errors[row, chosen] += step
            errors[chosen, row] += step
            sums[chosen] += step
            sums[row] += len(chosen) * step
        if not moved:
            break
    return np.rint(scaled + errors) * signs


def _cheapest(errors: np.ndarray, sums: np.ndarray, row: int) -> np.ndarray:
    """Choose the couplings of a row whose moves by +1 together lower the sum of squares most.

    A coupling can move up if it lies below its value. The move adds ``2 * (errors + sums) + 2`` in
    its own error and in the sum of the other row, and the move after k others adds
    ``2 * (sums[row] + k) + 1`` in the sum of this row, which is negative or zero at first.
    """
    costs = errors + sums
    found = np.flatnonzero((costs < -sums[row] - FIRST) & (errors < -WHOLE))
    if not len(found):
        return found
    order = np.argsort(costs[found], kind="stable")
    most = -sums[row] - FIRST - np.arange(len(found)) - WHOLE
    return found[order[: int(np.count_nonzero(costs[found[order]] < most))]]
