"""Data for the command line: by name from scikit-learn, or from a file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from .errors import TensorspinError

_NAMED = {
    "digits": datasets.load_digits,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
}

NAMES = tuple(_NAMED)

FEATURE_RANGES = {"digits": (0.0, 16.0)}
"""Ranges that are known beforehand, here of a pixel; those of the others are learnt."""


class DataError(TensorspinError):
    """A data set can't be read."""


@dataclass(frozen=True)
class Dataset:
    """Samples to train on and samples held out.

    Attributes
    ----------
    X_train, X_test : ndarray of float64, shape (n, features)
    y_train, y_test : ndarray, shape (n,)
    feature_range : tuple of float, or None
        Limits that hold for all features, if they are known.
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_range: tuple[float, float] | None = None


def load_named(name: str) -> tuple[np.ndarray, np.ndarray]:
    """All samples and classes of a data set that scikit-learn brings along.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    """
    return _NAMED[name](return_X_y=True)


def load_dataset(source: str, test_size: float = 0.2, seed: int = 0) -> Dataset:
    """Read a data set.

    Parameters
    ----------
    source : str
        A name of `NAMES`; a ``.npz`` file with arrays ``X_train, y_train`` and, if it has its own
        held-out samples, ``X_test, y_test``; or a ``.csv`` file with one sample a line, the class
        last, and an optional line of column names.
    test_size : float
        Part of the samples that is held out where the source has no split: stratified, 0..1.
    seed : int
        Of that split.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the source is unknown, unreadable, or has the wrong shape.
    """
    if source in _NAMED:
        return _split(*load_named(source), test_size, seed, FEATURE_RANGES.get(source))
    path = Path(source)
    if path.suffix not in (".npz", ".csv"):
        raise DataError(f"{source!r} is neither a .npz or .csv file nor one of {', '.join(NAMES)}")
    try:
        if path.suffix == ".csv":
            return _split(*_read_csv(path), test_size, seed)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error
    except DataError:
        raise
    except Exception as error:  # numpy, zipfile and zlib have a family each
        raise DataError(f"{path} can't be read: {error}") from error
    missing = {"X_train", "y_train"} - set(arrays)
    if missing:
        raise DataError(f"{path} lacks the arrays {', '.join(sorted(missing))}")
    X, y = _flatten(arrays["X_train"]), arrays["y_train"]
    if {"X_test", "y_test"} <= set(arrays):
        return Dataset(X, y, _flatten(arrays["X_test"]), arrays["y_test"])
    return _split(X, y, test_size, seed)


def _flatten(X: np.ndarray) -> np.ndarray:
    """One row a sample; images become rows of pixels."""
    return np.asarray(X, dtype=np.float64).reshape(len(X), -1)


def _split(X, y, test_size, seed, feature_range=None) -> Dataset:
    if len(X) != len(y):
        raise DataError(f"{len(X)} samples and {len(y)} classes don't belong together")
    try:
        X_train, X_test, y_train, y_test = train_test_split(
            X, y, test_size=test_size, stratify=y, random_state=seed
        )
    except ValueError as error:
        raise DataError(f"the samples can't be split: {error}") from error
    return Dataset(X_train, y_train, X_test, y_test, feature_range)


def _read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with open(path, newline="") as file:
        rows = [row for row in csv.reader(file) if row]
    if rows and not _is_number(rows[0][0]):
        del rows[0]
    if not rows:
        raise DataError(f"{path} has no samples")
    columns = len(rows[0])
    if columns < 2:
        raise DataError(f"{path} needs at least 2 columns, features and class, not {columns}")
    for number, row in enumerate(rows):
        if len(row) != columns:
            raise DataError(f"{path}: sample {number} has {len(row)} columns, not {columns}")
    try:
        X = np.array([[float(value) for value in row[:-1]] for row in rows])
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
    y = np.array([row[-1] for row in rows])
    return X, y.astype(np.int64) if all(_is_integer(label) for label in y) else y


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_integer(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()
