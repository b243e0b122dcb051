"""Tensor networks on small FPGAs: train with scikit-learn, run bit for bit on a board."""

from __future__ import annotations

import importlib

_HOMES = {
    "AnnealingFeatureSelector": "sampling",
    "Board": "driver.board",
    "BoardAnomalyDetector": "models",
    "BoardClassifier": "models",
    "BoardRegressor": "models",
    "BoardSampler": "sampling",
    "DecomposingSampler": "sampling",
    "MPSAnomalyDetector": "models",
    "MPSClassifier": "models",
    "MPSRegressor": "models",
    "NetworkProgram": "compiler",
    "TTNClassifier": "models",
}

__all__ = list(_HOMES)


def __getattr__(name: str):
    # Late, so that the gateware can import the contract without scikit-learn.
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
