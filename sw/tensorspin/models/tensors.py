"""What the tensors of every network have in common: where they start and how they are scaled."""

from __future__ import annotations

import numpy as np

# The largest entry of each fitted tensor: 127 steps of 1/128, the largest int8.
LARGEST_ENTRY = 127 / 128


def constant_combination(table: np.ndarray) -> np.ndarray:
    """Weights with which a feature map's components sum to about 1 at any feature.

    With these weights a tensor can pass on a vector unchanged, whatever the feature.

    Parameters
    ----------
    table : float array (levels, local_dim), from `FeatureMap.table`

    Returns
    -------
    float64 array (local_dim,)
    """
    ones = np.ones(len(table))
    weights = np.linalg.lstsq(table, ones, rcond=None)[0]
    if np.sqrt(np.mean((table @ weights - ones) ** 2)) > 0.5:
        # The map has no constant part, so no choice passes the vector on; any start is as good.
        weights = ones[: table.shape[1]]
    return weights


def rescaled(tensor: np.ndarray) -> np.ndarray:
    """Scale so that the largest entry is LARGEST_ENTRY; the class does not depend on the scale.

    Parameters
    ----------
    tensor : float array of any shape

    Returns
    -------
    float64 array
    """
    tensor = tensor.astype(np.float64)
    largest = np.abs(tensor).max()
    return tensor * (LARGEST_ENTRY / largest) if largest > 0 else tensor
