"""Data by name from scikit-learn, or from a file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import type_of_target

from ..errors import TensorspinError

_NAMED = {
    "digits": datasets.load_digits,
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
}

NAMES = tuple(_NAMED)

FEATURE_RANGES = {"digits": (0.0, 16.0)}
"""Ranges that are known beforehand, here of a pixel; those of the others are learnt."""

TEST_SIZE = 0.2
"""Part of the samples that is held out where a source has no split of its own."""


class DataError(TensorspinError):
    """A data set can't be read."""


@dataclass(frozen=True)
class Dataset:
    """Samples to train on and samples held out.

    Attributes
    ----------
    X_train, X_test : ndarray of float64, shape (n, features)
    y_train, y_test : ndarray, shape (n,)
        Classes, or numbers to predict.
    feature_range : tuple of float, or None
        Limits that hold for all features, if they are known.
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Samples:
    """What a source holds, before any split of ours.

    Attributes
    ----------
    name : str
        Of the set; of a file, its name without folder and suffix.
    X : ndarray of float64, shape (n, features)
    y : ndarray, shape (n,)
    held_out : tuple of ndarray (X, y), or None
        The source's own held-out samples.
    feature_range : tuple of float, or None
        As of `Dataset`.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    held_out: tuple[np.ndarray, np.ndarray] | None = None
    feature_range: tuple[float, float] | None = None


def load_named(name: str) -> tuple[np.ndarray, np.ndarray]:
    """All samples and classes of a data set that scikit-learn brings along.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    """
    return _NAMED[name](return_X_y=True)


def load_samples(source: str) -> Samples:
    """Read a data set without splitting it.

    Parameters
    ----------
    source : str
        A name of `NAMES`; a ``.npz`` file with arrays ``X_train, y_train`` and, if it has its own
        held-out samples, ``X_test, y_test``; or a ``.csv`` file with one sample a line, the class
        (or the number to predict) last, and an optional line of column names.

    Returns
    -------
    Samples

    Raises
    ------
    DataError
        If the source is unknown, unreadable, or has the wrong shape, or a feature or a target is
        not a finite number.
    """
    if source in _NAMED:
        return Samples(source, *load_named(source), feature_range=FEATURE_RANGES.get(source))
    path = Path(source)
    if path.suffix not in (".npz", ".csv"):
        raise DataError(f"{source!r} is neither a .npz or .csv file nor one of {', '.join(NAMES)}")
    try:
        if path.suffix == ".csv":
            return Samples(path.stem, *_read_csv(path))
        arrays = _read_npz(path)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error
    except DataError:
        raise
    except Exception as error:  # numpy, zipfile and zlib have a family each
        raise DataError(f"{path} can't be read: {error}") from error
    missing = {"X_train", "y_train"} - set(arrays)
    if missing:
        raise DataError(f"{path} lacks the arrays {', '.join(sorted(missing))}")
    X, y = _checked(arrays, "X_train", "y_train", path)
    held_out = {"X_test", "y_test"} & set(arrays)
    if not held_out:
        return Samples(path.stem, X, y)
    if len(held_out) == 1:
        raise DataError(f"{path} has {held_out.pop()} alone; give both X_test and y_test, or none")
    X_test, y_test = _checked(arrays, "X_test", "y_test", path)
    if X_test.shape[1] != X.shape[1]:
        raise DataError(
            f"{path}: X_train has {X.shape[1]} features a sample, X_test {X_test.shape[1]}"
        )
    return Samples(path.stem, X, y, (X_test, y_test))


def load_dataset(source: str, test_size: float = TEST_SIZE, seed: int = 0) -> Dataset:
    """Read a data set, split in two.

    Parameters
    ----------
    source : str
        As of `load_samples`.
    test_size : float
        Part of the samples that is held out where the source has no split, 0..1; stratified if
        they have classes.
    seed : int
        Of that split.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        As of `load_samples`, and if the samples can't be split.
    """
    samples = load_samples(source)
    if samples.held_out is not None:
        return Dataset(samples.X, samples.y, *samples.held_out, samples.feature_range)
    continuous = type_of_target(samples.y).startswith("continuous")
    return split_samples(samples, seed, test_size, stratify=not continuous)


def split_samples(
    samples: Samples, seed: int, test_size: float = TEST_SIZE, *, stratify: bool = True
) -> Dataset:
    """Hold out a part of the samples; the source's own held-out samples are not looked at.

    Parameters
    ----------
    samples : Samples
    seed : int
    test_size : float
        Part that is held out, 0..1.
    stratify : bool
        Keep the proportions of the classes.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there are too few samples, or too few of a class.
    """
    try:
        X_train, X_test, y_train, y_test = train_test_split(
            samples.X,
            samples.y,
            test_size=test_size,
            stratify=samples.y if stratify else None,
            random_state=seed,
        )
    except ValueError as error:
        raise DataError(f"{samples.name}: the samples can't be split: {error}") from error
    return Dataset(X_train, y_train, X_test, y_test, samples.feature_range)


def _checked(arrays: dict, X_name: str, y_name: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Samples, one row each (images become rows of pixels), and what belongs to them."""
    X, y = arrays[X_name], arrays[y_name]
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
    _check_finite(X, f"{path}: {X_name}")
    _check_targets(y, f"{path}: {y_name}")
    return X, y


def _check_finite(X: np.ndarray, where: str) -> None:
    bad = np.argwhere(~np.isfinite(X))
    if len(bad):
        sample, feature = bad[0]
        raise DataError(
            f"{where}: feature {feature} of sample {sample} is {X[sample, feature]}; fill in or "
            f"remove what is missing"
        )


def _check_targets(y: np.ndarray, where: str) -> None:
    if y.dtype.kind not in "biufU":
        raise DataError(f"{where} must hold numbers or text, not {y.dtype}")
    bad = np.flatnonzero(~np.isfinite(y)) if y.dtype.kind == "f" else ()
    if len(bad):
        raise DataError(f"{where}: the target of sample {bad[0]} is {y[bad[0]]}; remove it")


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    archive = np.load(path, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(f"{path} is a single array; an archive is needed, as of numpy.savez")
    with archive:
        return {name: archive[name] for name in archive.files}


def _read_csv(path: Path) -> tuple[np.ndarray, np.ndarray]:
    # Spreadsheets begin a file with a byte order mark, which would hide the first number.
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if row]
    # A line with a number in it is a sample, even if something else in it is wrong.
    if rows and not any(_is_number(value) for value in rows[0][:-1] or rows[0]):
        del rows[0]
    if not rows:
        raise DataError(f"{path} has no samples")
    columns = len(rows[0])
    if columns < 2:
        raise DataError(f"{path} needs at least 2 columns, features and class, not {columns}")
    for number, row in enumerate(rows):
        if len(row) != columns:
            raise DataError(f"{path}: sample {number} has {len(row)} columns, not {columns}")
        for column, value in enumerate(row[:-1]):
            if not _is_number(value):
                raise DataError(
                    f"{path}: feature {column} of sample {number} is {value!r}, not a number"
                )
    X = np.array([[float(value) for value in row[:-1]] for row in rows])
    _check_finite(X, str(path))
    labels = [row[-1] for row in rows]
    for kind in (int, float):
        try:
            y = np.array([kind(label) for label in labels], dtype=np.dtype(kind))
        except ValueError:
            continue
        _check_targets(y, str(path))
        return X, y
    return X, np.array(labels)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
