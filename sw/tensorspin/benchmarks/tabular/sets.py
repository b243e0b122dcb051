"""Sets of samples: files of a folder and scikit-learn's own, whole, and their seeded splits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import type_of_target

from ...contract.contractor.program import MAX_FEATURES, MAX_OUTPUTS
from ...data.datasets import NAMES, Samples, load_samples
from ...data.errors import DataError
from ...data.reading import Reading

CLASSES, NUMBERS, OUTLIERS = "classes", "numbers", "outliers"
"""What a set's targets are: classes to tell apart, numbers to predict, or whether a sample is like
those that were trained on (1) or not (0)."""

TARGETS = (CLASSES, NUMBERS, OUTLIERS)
"""All kinds of target."""

SUFFIXES = (".npz", ".csv", ".csv.gz", ".tsv")
"""Endings of the files that are read from a folder."""

SUBFOLDER = "ml"
"""Folder that is searched, too, if a folder of benchmark data keeps its tables apart there."""

TEST_SIZE = 0.2
"""Share of the samples that is held out."""

RARE = 5
"""A class of fewer samples is not held to its share in a split, which would be less than one."""

_GENERATED_SAMPLES = 1000
"""Number of samples of the regression tasks that are generated."""


@dataclass(frozen=True, eq=False)
class TableSet:
    """A set of samples, all in one.

    Parameters
    ----------
    name : str
        Name of the set.
    X : ndarray of float64 or object of shape (n_samples, n_features)
        Features of all samples; a split that the source has is undone. Objects, if some features
        are words. NaN and None are missing values.
    y : ndarray of shape (n_samples,)
        Their classes, or the numbers to predict, or 1 for what is normal and 0 for what is not.
    target : {"classes", "numbers", "outliers"}
        What `y` holds.
    categorical : tuple of int
        Columns whose values are names, by what the user says; these are text.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    target: str
    categorical: tuple[int, ...] = ()

    @property
    def digest(self) -> str:
        """Checksum of the samples, by which results are found again whatever the set's name."""
        # The bytes of an array of objects are their places in memory.
        words = self.X.dtype == object
        content = (
            repr(self.X.tolist()).encode() if words else np.ascontiguousarray(self.X).tobytes()
        )
        digest = hashlib.sha256(content)
        digest.update("\n".join(map(str, (self.X.shape, *self.y.tolist()))).encode())
        if self.target == OUTLIERS:  # whose samples may be those of a set with two classes
            digest.update(self.target.encode())
        return digest.hexdigest()[:16]

    @property
    def word_columns(self) -> list[int]:
        """Columns whose values are words."""
        if self.X.dtype != object:
            return []
        return [
            column
            for column in range(self.X.shape[1])
            if any(isinstance(value, str) for value in self.X[:, column])
        ]

    @property
    def has_missing(self) -> bool:
        """Whether values are missing."""
        if self.X.dtype != object:
            return bool(np.isnan(self.X).any())
        # Nothing but NaN differs from itself.
        return any(value is None or value != value for value in self.X.ravel().tolist())

    def describe(self) -> dict:
        """Return name, digest and sizes, ready for JSON."""
        return {
            "name": self.name,
            "digest": self.digest,
            "target": self.target,
            "samples": len(self.y),
            "features": self.X.shape[1],
            "classes": len(np.unique(self.y)) if self.target == CLASSES else None,
        }


def read_folder(
    paths: Iterable[str | Path], categorical: Sequence[str] = ()
) -> tuple[list[TableSet], list[dict]]:
    """Read all files of folders that hold a table.

    Parameters
    ----------
    paths : iterable of str or Path
        Folders, of which all files with one of the endings `SUFFIXES` are read, also those of a
        folder ``ml`` in them; or single files.
    categorical : sequence of str
        Names of columns whose values are names, in all files with such a column.

    Returns
    -------
    sets : list of TableSet
        The sets, by name.
    skipped : list of dict
        ``name`` and ``reason`` of each file of a folder that cannot be used.

    Raises
    ------
    DataError
        If a path does not exist, a folder has no such file, a file that was named itself cannot be
        used, or no file has a column of one of the names.
    """
    sets: list[TableSet] = []
    skipped: list[dict] = []
    absent = set(categorical)
    for path in map(Path, paths):
        if not path.is_dir():
            sets.append(_read(path, categorical, absent))
            continue
        found = [
            file
            for folder in (path, path / SUBFOLDER)
            if folder.is_dir()
            for file in sorted(folder.iterdir())
            if file.name.endswith(SUFFIXES)
        ]
        if not found:
            raise DataError(f"{path} has no file that ends in {', '.join(SUFFIXES)}")
        for file in found:
            try:
                sets.append(_read(file, categorical, absent))
            except DataError as error:
                skipped.append({"name": file.name, "reason": str(error)})
    if absent:
        raise DataError(f"--categorical names {min(absent)!r}, but no file has such a feature")
    return _with_distinct_names(sets), skipped


def own_sets() -> list[TableSet]:
    """Return the sets with classes that come with scikit-learn."""
    return [_pooled(load_samples(name)) for name in NAMES]


def regression_sets() -> list[TableSet]:
    """Return tasks with numbers to predict: two that are generated, and one of scikit-learn.

    Returns
    -------
    list of TableSet
        "quadratic" is 2 x0 + x1^2 of two standard normal features, with noise of standard deviation
        0.1; "friedman1" has ten features of which five count, with noise of 1; and "diabetes".
    """
    rng = np.random.default_rng(0)
    X = rng.standard_normal((_GENERATED_SAMPLES, 2))
    y = 2 * X[:, 0] + X[:, 1] ** 2 + 0.1 * rng.standard_normal(_GENERATED_SAMPLES)
    X_friedman, y_friedman = make_friedman1(_GENERATED_SAMPLES, noise=1.0, random_state=0)
    X_diabetes, y_diabetes = load_diabetes(return_X_y=True)
    return [
        TableSet("quadratic", X, y, NUMBERS),
        TableSet("friedman1", X_friedman, y_friedman, NUMBERS),
        TableSet("diabetes", X_diabetes, y_diabetes, NUMBERS),
    ]


def outlier_sets(sets: Iterable[TableSet]) -> list[TableSet]:
    """Make a task of each set with classes: its most frequent class is normal, all others are not.

    Parameters
    ----------
    sets : iterable of TableSet
        Sets of any kind.

    Returns
    -------
    list of TableSet
        The tasks, each named after the set and the class.
    """
    result = []
    for table in sets:
        if table.target == CLASSES:
            classes, counts = np.unique(table.y, return_counts=True)
            normal = classes[np.argmax(counts)]
            y = (table.y == normal).astype(int)
            name = f"{table.name}: {_plain(normal)}"
            result.append(replace(table, name=name, y=y, target=OUTLIERS))
    return result


def split(
    table: TableSet, seed: int, most_training: int, most_testing: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split a set into samples to train on and samples held out.

    Parameters
    ----------
    table : TableSet
        The set. Classes keep their shares in both parts, as far as a class has samples enough.
    seed : int
        Seed of the split.
    most_training, most_testing : int
        Largest size of each part; a stratified part is drawn of a larger one.

    Returns
    -------
    train, test : ndarray of int
        Places of the samples in the set. With outliers, those to train on are all normal.
    """
    strata = _strata(table)
    places = np.arange(len(table.y))
    train, test = train_test_split(places, test_size=TEST_SIZE, stratify=strata, random_state=seed)
    if table.target == OUTLIERS:
        train = train[table.y[train] == 1]
    return _thinned(table, train, most_training), _thinned(table, test, most_testing)


def target_kind(y: np.ndarray) -> str:
    """Tell whether targets are classes or numbers to predict.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        The targets.

    Returns
    -------
    {"classes", "numbers"}
        Numbers are those with fractions, and integers of which more are different than a board has
        scores, or than a fifth of the samples.
    """
    kind = type_of_target(y)
    if kind.startswith("continuous"):
        return NUMBERS
    distinct = len(np.unique(y))
    if y.dtype.kind in "iuf" and (distinct > MAX_OUTPUTS or distinct > max(2, len(y) / 5)):
        return NUMBERS
    return CLASSES


def _read(path: Path, categorical: Iterable[str], absent: set[str]) -> TableSet:
    """Read a file, and take the names of categorical columns that it has from those absent."""
    reading = Reading(words=True, missing=True)
    samples = load_samples(str(path), reading=reading)
    found = tuple(name for name in categorical if name in (samples.feature_names or ()))
    if found:
        absent -= set(found)
        samples = load_samples(str(path), reading=replace(reading, categorical=found))
    return _pooled(samples)


def _pooled(samples: Samples) -> TableSet:
    """Put all samples of a source together, and refuse what no board takes."""
    X, y = samples.X, samples.y
    if samples.held_out is not None:
        X, y = np.concatenate([X, samples.held_out[0]]), np.concatenate([y, samples.held_out[1]])
    if X.shape[1] > MAX_FEATURES:
        raise DataError(
            f"{samples.name}: {X.shape[1]} features a sample; boards take {MAX_FEATURES} at most"
        )
    if len(y) != len(X):
        raise DataError(f"{samples.name}: there are no targets")
    target = target_kind(y)
    classes, counts = np.unique(y, return_counts=True)
    if target == CLASSES and len(classes) < 2:
        raise DataError(f"{samples.name}: all {len(y)} samples are of class {classes[0]}")
    if target == CLASSES and len(classes) > MAX_OUTPUTS:
        raise DataError(
            f"{samples.name}: {len(classes)} classes; boards take {MAX_OUTPUTS} at most"
        )
    least = 2 * RARE
    if len(y) < least or (target == CLASSES and np.sort(counts)[-2] < 2):
        raise DataError(
            f"{samples.name}: {least} samples and 2 classes of 2 samples are needed for splits"
        )
    return TableSet(_plain(samples.name), X, y, target, samples.categorical)


def _plain(name: object) -> str:
    """Write a name on one line, and without the mark that ends a cell of a table."""
    return " ".join(str(name).split()).replace("|", "/")


def _with_distinct_names(sets: Sequence[TableSet]) -> list[TableSet]:
    """Add a number to names that an earlier set has, or one that scikit-learn brings."""
    taken = {*NAMES, *(table.name for table in regression_sets())}
    result = []
    for table in sets:
        name, number = table.name, 1
        while name in taken:
            number += 1
            name = f"{table.name}-{number}"
        taken.add(name)
        result.append(replace(table, name=name))
    return result


def _strata(table: TableSet) -> np.ndarray | None:
    """Return the classes that a split keeps in proportion: rare ones count as one together."""
    if table.target == NUMBERS:
        return None
    classes, labels, counts = np.unique(table.y, return_inverse=True, return_counts=True)
    rare = counts < RARE
    if not rare.any():
        return labels
    joined = np.flatnonzero(rare)[0]
    if counts[rare].sum() < RARE:
        joined = int(np.argmax(counts))
    strata = np.where(rare[labels], joined, labels)
    # Too few samples of anything: the split is drawn without regard to classes.
    return strata if np.unique(strata, return_counts=True)[1].min() >= RARE else None


def _thinned(table: TableSet, places: np.ndarray, most: int) -> np.ndarray:
    if len(places) <= most:
        return places
    strata = _strata(table)
    chosen = None if strata is None else strata[places]
    if chosen is not None and np.unique(chosen, return_counts=True)[1].min() < 2:
        chosen = None
    return train_test_split(places, train_size=most, stratify=chosen, random_state=0)[0]
