"""Split data sets so that all classifiers train and test on the same samples in every run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.multiclass import type_of_target

from ...contract.device.boards import CONTRACTORS
from ...data.datasets import Dataset, Samples, split_samples
from ...data.errors import DataError


def check_usable(samples: Samples) -> None:
    """Refuse a data set on which no classifier can be trained, or which no board takes.

    Parameters
    ----------
    samples : Samples
        The data set.

    Raises
    ------
    DataError
        If there is only one class, if the targets are numbers to predict instead of classes, or if
        a sample has more features than any board of the table takes.
    """
    kind = type_of_target(samples.y)
    if kind not in ("binary", "multiclass"):
        raise DataError(f"{samples.name}: classes are needed, not {kind} targets")
    classes = np.unique(samples.y)
    if len(classes) < 2:
        raise DataError(
            f"{samples.name}: all {len(samples.y)} samples to train on are of class {classes[0]}; "
            f"at least 2 classes are needed"
        )
    most = max(board.require_contractor().features for board in CONTRACTORS.values())
    if samples.X.shape[1] > most:
        raise DataError(
            f"{samples.name}: {samples.X.shape[1]} features a sample; the boards take {most} at "
            f"most: select features, or pool them"
        )


def stratified_splits(samples: Samples, count: int, most_training: int) -> list[Dataset]:
    """Split a data set several times into samples to train on and samples to test with.

    Parameters
    ----------
    samples : Samples
        The data set.
    count : int
        Number of splits. A data set that has a split of its own gives that one only.
    most_training : int
        Largest number of training samples; if there are more, a stratified part is drawn.

    Returns
    -------
    list of Dataset
        The splits.

    Raises
    ------
    DataError
        If `check_usable` refuses the data set, or there are too few samples of a class.
    """
    check_usable(samples)
    if samples.held_out is not None:
        splits = [Dataset(samples.X, samples.y, *samples.held_out, samples.feature_range)]
    else:
        splits = [split_samples(samples, seed) for seed in range(count)]
    return [_thinned(samples.name, split, most_training) for split in splits]


def _thinned(name: str, split: Dataset, most: int) -> Dataset:
    """Limit the number of training samples; the held-out samples stay."""
    if len(split.y_train) <= most:
        return split
    try:
        X, _, y, _ = train_test_split(
            split.X_train, split.y_train, train_size=most, stratify=split.y_train, random_state=0
        )
    except ValueError as error:
        raise DataError(f"{name}: {most} samples can't be drawn: {error}") from error
    return replace(split, X_train=X, y_train=y)
