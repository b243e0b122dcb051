"""Tensor networks on small FPGAs: train with scikit-learn, run bit for bit on a board."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # For type checkers and editors; at run time `__getattr__` imports the names.
    from .compiler import NetworkProgram
    from .driver import Board
    from .models import (
        BoardAnomalyDetector,
        BoardClassifier,
        BoardRegressor,
        EnsembleClassifier,
        GuardedClassifier,
        MPSAnomalyDetector,
        MPSClassifier,
        MPSRegressor,
        TTNClassifier,
        WindowFeatures,
        deploy,
        from_tensors,
        save,
    )
    from .pool import BoardPool
    from .sampling import AnnealingFeatureSelector, BoardSampler, DecomposingSampler

__all__ = [
    "AnnealingFeatureSelector",
    "Board",
    "BoardAnomalyDetector",
    "BoardClassifier",
    "BoardPool",
    "BoardRegressor",
    "BoardSampler",
    "DecomposingSampler",
    "EnsembleClassifier",
    "GuardedClassifier",
    "MPSAnomalyDetector",
    "MPSClassifier",
    "MPSRegressor",
    "NetworkProgram",
    "TTNClassifier",
    "WindowFeatures",
    "deploy",
    "from_tensors",
    "save",
]

_HOMES = {
    "AnnealingFeatureSelector": "sampling",
    "Board": "driver",
    "BoardAnomalyDetector": "models",
    "BoardClassifier": "models",
    "BoardPool": "pool",
    "BoardRegressor": "models",
    "BoardSampler": "sampling",
    "DecomposingSampler": "sampling",
    "EnsembleClassifier": "models",
    "GuardedClassifier": "models",
    "MPSAnomalyDetector": "models",
    "MPSClassifier": "models",
    "MPSRegressor": "models",
    "NetworkProgram": "compiler",
    "TTNClassifier": "models",
    "WindowFeatures": "models",
    "deploy": "models",
    "from_tensors": "models",
    "save": "models",
}
"""The package in which each public name is at home."""


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used.

    The gateware imports `tensorspin.contract`, and with it this package, where scikit-learn need
    not be installed.
    """
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, too, as completion in an editor or notebook expects."""
    return sorted({*globals(), *__all__})
