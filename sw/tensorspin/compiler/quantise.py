"""Rounding of trained tensors to the engine's number formats."""

from __future__ import annotations

import numpy as np

from ..contract.fixed import MANTISSA, WEIGHT
from ..contract.program import WEIGHT_SUM_LIMIT


def quantise_weights(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Integers that are proportional to a node's weights, as nearly as 8 bits allow.

    One step size for the whole node. It need not be a power of two: a constant factor of a node
    only scales the scores, which the host accounts for.

    Parameters
    ----------
    weights : ndarray of float, shape (outputs, left, right)
        Finite.

    Returns
    -------
    integers : ndarray of int8, same shape
        No row's absolute values sum to more than `WEIGHT_SUM_LIMIT`, so that no input can overflow
        an accumulator.
    step : float
        ``integers * step`` approximates `weights`.

    Raises
    ------
    ValueError
        If a weight is NaN or infinite.
    """
    weights = np.asarray(weights, dtype=np.float64)
    if not np.all(np.isfinite(weights)):
        raise ValueError("weights must be finite")
    largest = np.abs(weights).max()
    if largest == 0:
        return np.zeros(weights.shape, dtype=np.int8), 1.0
    # Rounding can add half a step to each magnitude of the sum.
    row_sum = np.abs(weights).reshape(len(weights), -1).sum(axis=1).max()
    elements = weights[0].size
    step = max(largest / WEIGHT.maximum, row_sum / (WEIGHT_SUM_LIMIT - elements / 2))
    return WEIGHT.from_float(weights / step).astype(np.int8), float(step)


def quantise_table(table: np.ndarray) -> np.ndarray:
    """Feature table in mantissas.

    Parameters
    ----------
    table : ndarray of float, shape (256, components)
        Within -1..1.

    Returns
    -------
    ndarray of int16, shape (components, 256)
    """
    return MANTISSA.from_float(table).astype(np.int16).T.copy()
