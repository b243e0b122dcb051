"""Checks of features and targets, whichever kind of file they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from .errors import DataError

MISSING = frozenset({"", "?", "nan", "na", "n/a", "null", "<na>", "#na", "#n/a"})
"""Texts in lower case that stand for a missing value, as common programs write it.

The word "none" is not among them: it is the name of a class in many data sets.
"""


def is_missing(text: str) -> bool:
    """Return whether a text stands for a missing value: nothing, or a word of `MISSING`."""
    return text.strip().lower() in MISSING


def check_finite(X: np.ndarray, where: str, missing: bool = False) -> None:
    """Name the first feature that is not a finite number: nan usually stands for a gap.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        Features of the samples.
    where : str
        The file, and the array if it has several, for the message.
    missing : bool
        Whether features may be nan.

    Raises
    ------
    DataError
        If a feature is infinite or nan.
    """
    bad = np.argwhere(np.isinf(X) if missing else ~np.isfinite(X))
    if len(bad):
        sample, feature = bad[0]
        raise DataError(
            f"{where}: feature {feature} of sample {sample} is {X[sample, feature]}; fill in or "
            f"remove what is missing"
        )


def check_targets(y: np.ndarray, where: str) -> None:
    """Refuse targets that are neither text nor finite numbers.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Target of each sample.
    where : str
        The file, and the array if it has several, for the message.

    Raises
    ------
    DataError
        If the targets have another type, or one is infinite or nan.
    """
    if y.dtype.kind not in "biufU":
        raise DataError(f"{where} must hold numbers or text, not {y.dtype}")
    # Integers and text are always finite, and isfinite() does not take text.
    if y.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(y))
        if len(bad):
            raise DataError(f"{where}: the target of sample {bad[0]} is {y[bad[0]]}; remove it")


def check_labels(labels: Iterable[str], where: Callable[[int], str]) -> None:
    """Refuse labels that a classifier would learn as a class of their own by mistake.

    Parameters
    ----------
    labels : iterable of str
        Label of each sample, without spaces around it.
    where : callable
        Tells for a sample's number how a message names its place, such as ``data.csv, line 7``.

    Raises
    ------
    DataError
        If a label is missing or has a line break in it.
    """
    for number, label in enumerate(labels):
        if not label:
            raise DataError(f"{where(number)}: the label is empty; fill it in or remove the sample")
        if is_missing(label):
            raise DataError(
                f"{where(number)}: the label is {label!r}, which stands for a missing one; fill "
                f"it in or remove the sample, or rename the class if one is meant"
            )
        # A quotation mark that is never closed makes the rest of a file one label.
        if "\n" in label or "\r" in label:
            raise DataError(
                f"{where(number)}: the label {label[:20]!r} goes on in the next line; close its "
                f"quotation mark"
            )
