"""Tables of samples to train with, by name from scikit-learn or from a ``.npz`` or ``.csv`` file.

What a ``.csv`` file is, `tensorspin.data.csv_files` says.

A source is read whole (`load_samples`), then split into samples to train on and samples held out
for the test (`split_samples`), unless the source brings a split of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..files import check_readable
from .column_names import find_columns
from .csv_files import read_csv
from .errors import DataError, SplitError
from .known_columns import Known, check_categorical
from .npz_files import read_npz, samples_of
from .reading import Reading
from .text_lines import STANDARD_INPUT

NAMES = ("digits", "iris", "wine", "breast_cancer")
"""Names of the data sets that come with scikit-learn, so that no download is needed."""

FEATURE_RANGES = {"digits": (0.0, 16.0)}
"""Lowest and highest value of all features, where the data set's documentation states them.

A pixel of ``digits`` is 0 to 16. For the other data sets an estimator learns the range of each
feature from the training samples.
"""

TEST_SIZE = 0.2
"""Share of the samples that is held out for the test if a source has no split of its own."""


@dataclass(frozen=True)
class Dataset:
    """Samples to train on, and samples that are held out to test with.

    Parameters
    ----------
    X_train : ndarray of float64 or object of shape (n_train, n_features)
        Features of the training samples: float64, or objects if some are words.
    y_train : ndarray of shape (n_train,)
        Class of each training sample (numbers or text), or the number to predict for it.
    X_test : ndarray of float64 or object of shape (n_test, n_features)
        Features of the held-out samples.
    y_test : ndarray of shape (n_test,)
        Class of each held-out sample, or the number to predict for it.
    feature_range : tuple of (float, float), optional
        Lowest and highest value that any feature can take. None if they are not known beforehand.
    feature_names : tuple of str, optional
        Names of the features, if the source has them.
    target : str
        Which column of the source is the target, for people; empty if there are no columns.
    categorical : tuple of int
        Features whose values are names, by what the user says.
    test_rows : ndarray of int of shape (n_test,), optional
        Numbers of the held-out samples in the source, from 0, if they were chosen at random.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.data import Dataset
    >>> X, y = np.array([[0.0], [1.0], [0.2]]), np.array([0, 1, 0])
    >>> data = Dataset(X[:2], y[:2], X[2:], y[2:], feature_range=(0.0, 1.0))
    >>> len(data.y_train), len(data.y_test)
    (2, 1)
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    feature_range: tuple[float, float] | None = None
    feature_names: tuple[str, ...] | None = None
    target: str = ""
    categorical: tuple[int, ...] = ()
    test_rows: np.ndarray | None = None


@dataclass(frozen=True)
class Samples:
    """All samples of a source, before `split_samples` divides them.

    Parameters
    ----------
    name : str
        Name of the data set. For a file, the file's name without folder and suffix.
    X : ndarray of float64 or object of shape (n_samples, n_features)
        Features of the samples: float64, or objects if some are words.
    y : ndarray of shape (n_samples,)
        Class of each sample (numbers or text), or the number to predict for it. It has no entries
        if a table for outlier detection has no target.
    held_out : tuple of (ndarray, ndarray), optional
        Features and targets of further samples which the source itself reserves for the test.
        None if it reserves none.
    feature_range : tuple of (float, float), optional
        Lowest and highest value that any feature can take. None if they are not known beforehand.
    feature_names : tuple of str, optional
        Names of the features, if the source has them.
    target : str
        Which column of the source is the target, for people; empty if there are no columns.
    categorical : tuple of int
        Features whose values are names, by what the user says.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.data import Samples
    >>> samples = Samples("sensor", np.array([[0.5, 1.0], [2.0, 0.1]]), np.array(["ok", "faulty"]))
    >>> samples.X.shape, samples.held_out
    ((2, 2), None)
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    held_out: tuple[np.ndarray, np.ndarray] | None = None
    feature_range: tuple[float, float] | None = None
    feature_names: tuple[str, ...] | None = None
    target: str = ""
    categorical: tuple[int, ...] = ()


def load_named(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Load a data set that comes with scikit-learn.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Returns
    -------
    X : ndarray of float64 of shape (n_samples, n_features)
        Features of all samples.
    y : ndarray of int of shape (n_samples,)
        Their classes.
    """
    from sklearn import datasets  # imported late: readers of files and of models need none of it

    return getattr(datasets, f"load_{name}")(return_X_y=True)


def load_samples(
    source: str,
    *,
    header: str = "auto",
    reading: Reading | None = None,
    known: Known | None = None,
) -> Samples:
    """Read a data set without splitting it.

    Parameters
    ----------
    source : str
        One of these:

        - a name of `NAMES`;
        - a ``.npz`` file with arrays ``X_train`` and ``y_train`` and, if the file has its own
          held-out samples, ``X_test`` and ``y_test``; or with ``X`` and ``y`` alone. Samples with
          more than one dimension, such as images, become rows of features. Compressed arrays may
          expand to `MOST_BYTES`; other arrays in the file are not read;
        - a ``.csv`` file, or any other table of text, with one sample per line; it may be
          compressed by gzip. The first line may hold names of the columns. The last column is the
          class or the number to predict, unless `reading` says otherwise;
        - ``-``, a table of text on standard input.
    header : str
        Whether the first line of a ``.csv`` file holds names: ``yes``, ``no``, or ``auto``, which
        recognises words, and also the running integers that programs write where columns have no
        names. It counts if there is no `reading`.
    reading : Reading, optional
        Separator, decimal mark, target and other things that a user says of a table of text.
    known : Known, optional
        What a program that was trained before expects of a table of text; its features are found
        by their names.

    Returns
    -------
    Samples
        What the source holds, all numbers checked to be finite.

    Raises
    ------
    DataError
        If the source is unknown, cannot be read or has the wrong shape, if a feature or a target
        is not a finite number, or if a label is missing.
    ValueError
        If `header` is none of the three words, or something is said of a table of text and the
        source is none.

    Examples
    --------
    >>> from tensorspin.data import load_samples
    >>> samples = load_samples("iris")
    >>> samples.X.shape, samples.y.shape
    ((150, 4), (150,))
    """
    reading = reading or Reading(header=header)
    path = Path(source)
    if source in NAMES or (path.suffix == ".npz" and source != STANDARD_INPUT):
        for name, value in reading.given().items():
            raise ValueError(f"{name} {value!r} is for .csv files, not for {source!r}")
    if source in NAMES:
        samples = Samples(source, *load_named(source), feature_range=FEATURE_RANGES.get(source))
        return _with_categorical(samples, source, reading, known)
    if path.suffix not in (".npz", ".csv") and source != STANDARD_INPUT and not path.exists():
        raise DataError(f"{source!r} is neither a .npz or .csv file nor one of {', '.join(NAMES)}")
    try:
        if source != STANDARD_INPUT:
            check_readable(path)
        if path.suffix != ".npz":
            table = read_csv(path, reading, known)
            return Samples(
                path.name.partition(".")[0] or path.name,
                table.X,
                table.y,
                feature_names=table.names,
                target=table.target,
                categorical=table.categorical,
            )
        arrays = read_npz(path)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from error
    except DataError:
        raise
    except Exception as error:
        # A damaged archive makes numpy, zipfile or zlib raise one of many exceptions that have no
        # base class in common.
        raise DataError(f"{path} can't be read: {error}") from error
    missing = reading.missing or (known is not None and bool(known.gaps))
    samples = Samples(path.stem, *samples_of(arrays, path, missing))
    return _with_categorical(samples, source, reading, known)


def _with_categorical(
    samples: Samples, source: str, reading: Reading, known: Known | None
) -> Samples:
    """Add which columns of arrays are categorical by what the user says; they have no names."""
    count = samples.X.shape[1]
    if known is not None:
        check_categorical(source, None, range(count), count, known, reading)
        return samples
    places = find_columns(reading.categorical, None, count, source)
    return replace(samples, categorical=tuple(sorted(set(places))))


def load_dataset(
    source: str,
    test_size: float = TEST_SIZE,
    seed: int = 0,
    *,
    header: str = "auto",
    reading: Reading | None = None,
    known: Known | None = None,
) -> Dataset:
    """Read a data set and split it into training samples and held-out samples.

    Parameters
    ----------
    source : str
        Name or file, as `load_samples` takes it.
    test_size : float
        Share of the samples to hold out, between 0 and 1. It counts only if the source has no
        split of its own. If the targets are classes, the split keeps their proportions.
    seed : int
        Seed of the random split: the same seed gives the same split.
    header : str
        Whether the first line of a ``.csv`` file holds names, as `load_samples` takes it.
    reading : Reading, optional
        What a user says of a table of text.
    known : Known, optional
        What a program that was trained before expects of a table of text.

    Returns
    -------
    Dataset
        The samples, split.

    Raises
    ------
    DataError
        If `load_samples` cannot read the source, or the samples cannot be split.

    Examples
    --------
    >>> from tensorspin.data import load_dataset
    >>> data = load_dataset("digits")
    >>> data.X_train.shape, data.X_test.shape, data.feature_range
    ((1437, 64), (360, 64), (0.0, 16.0))
    """
    samples = load_samples(source, header=header, reading=reading, known=known)
    if samples.held_out is not None:
        return Dataset(
            samples.X,
            samples.y,
            *samples.held_out,
            samples.feature_range,
            categorical=samples.categorical,
        )
    from sklearn.utils.multiclass import type_of_target

    # Numbers to predict can't be stratified, even if they are integers.
    task = None if reading is None else reading.task
    classes = len(samples.y) > 0 and not type_of_target(samples.y).startswith("continuous")
    return split_samples(samples, seed, test_size, stratify=classes and task != "numbers")


def split_samples(
    samples: Samples, seed: int, test_size: float = TEST_SIZE, *, stratify: bool = True
) -> Dataset:
    """Hold out a random part of the samples.

    Samples which the source itself reserves for the test (`Samples.held_out`) are ignored.

    Parameters
    ----------
    samples : Samples
        The samples to split.
    seed : int
        Seed of the random split: the same seed gives the same split.
    test_size : float
        Share of the samples to hold out, between 0 and 1.
    stratify : bool
        Whether both parts keep the proportions of the classes. Targets that are numbers to predict
        cannot be stratified.

    Returns
    -------
    Dataset
        The samples, split.

    Raises
    ------
    SplitError
        If there are too few samples, or too few of one class.

    Examples
    --------
    >>> from tensorspin.data import load_samples, split_samples
    >>> data = split_samples(load_samples("wine"), seed=1, test_size=0.5)
    >>> len(data.y_train), len(data.y_test)
    (89, 89)
    """
    from sklearn.model_selection import train_test_split

    try:
        train, test = train_test_split(
            np.arange(len(samples.X)),
            test_size=test_size,
            stratify=samples.y if stratify else None,
            random_state=seed,
        )
    except ValueError as error:
        hint = ""
        if samples.y.dtype.kind in "iuf" and len(np.unique(samples.y)) > len(samples.y) / 3:
            hint = (
                "most targets are different, as those of numbers to predict: use --estimator "
                "regressor, or choose the class with --target"
            )
        raise SplitError(f"{samples.name}: the samples can't be split: {error}", hint) from error
    X, y = samples.X, samples.y
    return Dataset(
        X[train],
        y[train] if len(y) else y,
        X[test],
        y[test] if len(y) else y,
        samples.feature_range,
        samples.feature_names,
        samples.target,
        samples.categorical,
        test,
    )
