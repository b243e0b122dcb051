"""Limits of the estimators' parameters."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

TRAINING_LIMITS = {
    "epochs": (Integral, 1, np.inf),
    "batch_size": (Integral, 1, np.inf),
    "learning_rate": (Real, 0, np.inf),
    "weight_decay": (Real, 0, np.inf),
    "input_noise": (Real, 0, np.inf),
}
"""Kind, least and largest value of the parameters of training; see `check_limits`."""

CLASSIFIER_LIMITS = {
    **TRAINING_LIMITS,
    "label_smoothing": (Real, 0, 1),
    "max_shift": (Real, 0, np.inf),
    "distortion": (Real, 0, np.inf),
}
"""The same for classifiers."""


def check_limits(estimator: BaseEstimator, limits: dict[str, tuple[type, float, float]]) -> None:
    """Refuse parameters that are not numbers within their limits.

    Parameters
    ----------
    estimator : BaseEstimator
    limits : dict
        From the parameter's name to (kind, least, most); kind is `numbers.Integral` or
        `numbers.Real`. A ``batch_size`` may be "auto" too.

    Raises
    ------
    ValueError
        With the parameter's name, its limits and its value.
    """
    for name, (kind, least, most) in limits.items():
        value = getattr(estimator, name)
        if name == "batch_size" and isinstance(value, str) and value == "auto":
            continue
        described = "an integer" if kind is Integral else "a finite number"
        bounds = f"from {least} to {most}" if most < np.inf else f"of at least {least}"
        if isinstance(value, bool) or not isinstance(value, kind):
            raise ValueError(f"{name} must be {described} {bounds}, got {value!r}")
        if not least <= value <= most or not np.isfinite(value):
            raise ValueError(f"{name} must be {described} {bounds}, got {value}")
