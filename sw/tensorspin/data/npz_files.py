"""Samples from ``.npz`` files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..archives import read_arrays
from .checks import check_finite, check_labels, check_targets
from .errors import DataError

MOST_BYTES = 1 << 29
"""Most bytes that the compressed arrays of a ``.npz`` file may expand to: 512 MiB, which holds
60,000 samples of 1,024 features as float64. Arrays that `numpy.savez` stores without compression
have no limit."""


def checked_arrays(
    arrays: dict, X_name: str, y_name: str, path: Path, missing: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return features and targets of an archive, checked; images become rows of pixels.

    Parameters
    ----------
    arrays : dict of str to ndarray
        The arrays of the archive.
    X_name, y_name : str
        Names of the features and of the targets among them.
    path : Path
        The file, for messages.
    missing : bool
        Whether features may be nan.

    Returns
    -------
    X : ndarray of float64 of shape (n_samples, n_features)
        Features.
    y : ndarray of shape (n_samples,)
        Targets.

    Raises
    ------
    DataError
        If shapes or types are wrong, or a number is not finite.
    """
    X, y = arrays[X_name], arrays[y_name]
    if X.ndim and y.shape == (len(X), 1):  # a column of targets, as of a data frame
        y = y[:, 0]
    if X.ndim < 2 or X.size == 0:
        raise DataError(
            f"{path}: {X_name} has shape {X.shape}; at least one sample, one feature and two "
            f"dimensions are needed"
        )
    if y.shape != (len(X),):
        raise DataError(f"{path}: {y_name} has shape {y.shape}; {len(X)} samples need ({len(X)},)")
    if X.dtype.kind not in "biuf":
        raise DataError(f"{path}: {X_name} must hold real numbers, not {X.dtype}")
    X = X.astype(np.float64).reshape(len(X), -1)
    check_finite(X, f"{path}: {X_name}", missing)
    check_targets(y, f"{path}: {y_name}")
    if y.dtype.kind == "U":
        y = np.char.strip(y)
        check_labels(y.tolist(), lambda sample: f"{path}: {y_name}, sample {sample}")
    return X, y


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an archive that may be those of a data set.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ndarray
        Those that it has of X, y, X_train, y_train, X_test and y_test.
    """
    with open(path, "rb") as file:
        names = ("X_train", "y_train", "X_test", "y_test", "X", "y")
        return read_arrays(file, names, MOST_BYTES)


def samples_of(
    arrays: dict[str, np.ndarray], path: Path, missing: bool
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """Return the samples that the arrays of an archive hold.

    Parameters
    ----------
    arrays : dict of str to ndarray
        What `read_npz` returned.
    path : Path
        The file, for messages.
    missing : bool
        Whether features may be NaN.

    Returns
    -------
    X, y : ndarray
        Features and targets, checked by `checked_arrays`.
    held_out : tuple of (ndarray, ndarray), optional
        Features and targets of the samples to test with, if the archive has some.

    Raises
    ------
    DataError
        If an array is missing, or is not what it must be.
    """
    if not {"X_train", "y_train"} & set(arrays) and {"X", "y"} <= set(arrays):
        return *checked_arrays(arrays, "X", "y", path, missing), None
    absent = {"X_train", "y_train"} - set(arrays)
    if absent:
        raise DataError(f"{path} lacks the arrays {', '.join(sorted(absent))}, or X and y")
    X, y = checked_arrays(arrays, "X_train", "y_train", path, missing)
    held_out = {"X_test", "y_test"} & set(arrays)
    if not held_out:
        return X, y, None
    if len(held_out) == 1:
        raise DataError(f"{path} has {held_out.pop()} alone; give both X_test and y_test, or none")
    X_test, y_test = checked_arrays(arrays, "X_test", "y_test", path, missing)
    if X_test.shape[1] != X.shape[1]:
        raise DataError(
            f"{path}: X_train has {X.shape[1]} features a sample, X_test {X_test.shape[1]}"
        )
    return X, y, (X_test, y_test)
