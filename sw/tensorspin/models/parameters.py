"""Checks of the parameters that a user sets, and whether two values of a parameter are the same."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from .repeats import MOST_REPEATS, check_repeat_order

Limit = tuple[type, float, float]
"""Kind of a number, Integral or Real, and its least and greatest value."""

TRAINING_LIMITS: dict[str, Limit] = {
    # With bonds of dimension 1 no part of a network could tell another anything.
    "bond_dim": (Integral, 2, 32),
    "n_repeats": (Integral, 1, MOST_REPEATS),
    "feature_margin": (Real, 0, 10),
    "epochs": (Integral, 1, np.inf),
    "batch_size": (Integral, 1, np.inf),
    "learning_rate": (Real, 0, np.inf),
    "weight_decay": (Real, 0, np.inf),
    "input_noise": (Real, 0, np.inf),
    "n_iter_no_change": (Integral, 1, np.inf),
    "tol": (Real, 0, np.inf),
}
"""Limits of the parameters that all estimators have; `batch_size` may be "auto" too."""

CLASSIFIER_LIMITS: dict[str, Limit] = {
    **TRAINING_LIMITS,
    "label_smoothing": (Real, 0, 1),
    "max_shift": (Real, 0, np.inf),
    "distortion": (Real, 0, np.inf),
}
"""Limits of the parameters of classifiers."""

AUTO = "auto"
"""Value of a parameter that an estimator chooses itself; see `tensorspin.models.recipes`."""

SWITCHES = ("warm_start", "early_stopping")
"""Parameters that are True or False."""


def is_auto(value: object) -> bool:
    """Tell whether the value of a parameter asks the estimator to choose one."""
    return isinstance(value, str) and value == AUTO


def check_parameters(
    estimator: Any, limits: Mapping[str, Limit], automatic: Collection[str] = ()
) -> None:
    """Refuse parameters of an estimator that are not within their limits.

    Parameters
    ----------
    estimator : NetworkEstimator
        Its attributes are read.
    limits : mapping of str to Limit
        The limits of its numbers. The switches, `repeat_order` and `validation_fraction`, which all
        estimators have, are checked as well.
    automatic : collection of str
        The numbers that may be "auto", beside `batch_size`.

    Raises
    ------
    ValueError
        If a parameter is of another kind, or outside of its limits.
    """
    for name, (kind, least, most) in limits.items():
        value: Any = getattr(estimator, name)
        if is_auto(value) and (name == "batch_size" or name in automatic):
            continue
        described = "an integer" if kind is Integral else "a finite number"
        bounds = f"from {least} to {most}" if most < np.inf else f"of at least {least}"
        if not is_number(value, kind):
            other = f'; "{AUTO}" chooses one' if name in automatic else ""
            raise ValueError(f"{name} must be {described} {bounds}, not {value!r}{other}")
        if not least <= value <= most or not np.isfinite(value):
            raise ValueError(f"{name} must be {described} {bounds}, not {value}")
    for name in SWITCHES:
        value = getattr(estimator, name)
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{name} must be True or False, not {value!r}")
    check_repeat_order(estimator.repeat_order)
    share = estimator.validation_fraction
    if not is_number(share, Real) or not 0 < share < 1:
        raise ValueError(f"validation_fraction must be a number between 0 and 1, not {share!r}")


def is_number(value: object, kind: type) -> bool:
    """Tell whether a user's value is a number of a kind, Integral or Real, and not a bool."""
    return isinstance(value, kind) and not isinstance(value, bool)


def flattened(value: object) -> tuple[Any, ...]:
    """Write the value of a parameter as one flat tuple, so that ``==`` compares two of them.

    Arrays, lists and tuples with the same entries give the same tuple. It holds copies, so that a
    change of the value in place shows, too.

    Parameters
    ----------
    value : object
        A number, a text, None, a callable, or these in arrays and sequences nested to any depth.

    Returns
    -------
    tuple
        The entries, with brackets where a sequence begins and ends; one entry if the value is none.
    """
    entries: list[Any] = []
    # A stack instead of recursion, as a tree that is a chain is 1,023 pairs deep.
    stack = [value]
    while stack:
        item = stack.pop()
        if hasattr(item, "__array__") and not np.isscalar(item):
            item = np.asarray(item).tolist()
        if isinstance(item, (list, tuple)):
            stack += ["]", *reversed(item), "["]
        else:
            entries.append(item)
    return tuple(entries)
