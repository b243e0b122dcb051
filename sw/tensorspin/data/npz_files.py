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
