"""Feature maps of networks trained elsewhere, within the limit of a board's feature table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..contract.contractor.memory import LEVELS
from .feature_maps import COMPONENT_LIMIT, COMPONENT_ROUNDING


class ScaledMap:
    """A feature map times a factor; it can be pickled if the map can be.

    Parameters
    ----------
    function : callable
        The map.
    factor : float
        The factor.
    """

    def __init__(self, function: Callable, factor: float) -> None:
        self.function = function
        self.factor = factor

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Map scaled features."""
        return self.factor * np.asarray(self.function(x))


def bounded_map(feature_map: Any) -> tuple[Any, float]:
    """Divide a map by its largest component if that exceeds `COMPONENT_LIMIT`.

    Parameters
    ----------
    feature_map : str, callable or array-like
        The definition of a `FeatureMap`.

    Returns
    -------
    definition : str, callable or ndarray
        A definition within the limit: the given one, if that is.
    largest : float
        What it was divided by: 1 or the magnitude of the largest component.

    Raises
    ------
    ValueError
        If the map gives complex numbers or none at all.
    """
    if isinstance(feature_map, str):
        return feature_map, 1.0
    if callable(feature_map):
        table = np.asarray(feature_map(np.arange(LEVELS) / (LEVELS - 1)))
    else:
        table = np.asarray(feature_map)
    if table.dtype.kind not in "biuf":
        raise ValueError(f"the feature map must give real numbers, not {table.dtype}")
    largest = float(np.abs(table).max(initial=0.0))
    if not np.isfinite(largest) or largest <= COMPONENT_LIMIT + COMPONENT_ROUNDING:
        return feature_map, 1.0  # FeatureMap refuses what is not finite
    if callable(feature_map):
        return ScaledMap(feature_map, 1 / largest), largest
    return table / largest, largest
