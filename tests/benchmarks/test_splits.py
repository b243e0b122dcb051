"""Splits for the benchmarks, and data that can't be used."""

import numpy as np
import pytest

from tensorspin.benchmarks.contractor.splits import stratified_splits
from tensorspin.contract.device.boards import CONTRACTORS
from tensorspin.data.datasets import Samples, load_samples
from tensorspin.data.errors import DataError

ALL = 10**9


def samples(X, y, held_out=None):
    return Samples("mine", np.asarray(X, dtype=float), np.asarray(y), held_out)


def test_as_many_splits_as_wanted():
    splits = stratified_splits(load_samples("wine"), 3, ALL)
    assert [len(split.y_test) for split in splits] == [36, 36, 36]
    assert not np.array_equal(splits[0].X_test, splits[1].X_test)


def test_a_source_keeps_its_own_split():
    X, y = np.arange(20).reshape(10, 2), np.arange(10) % 2
    (split,) = stratified_splits(samples(X, y, (X[:4] + 1, y[:4])), 5, ALL)
    assert np.array_equal(split.X_train, X)
    assert np.array_equal(split.X_test, X[:4] + 1)


def test_training_samples_are_limited_and_stay_stratified():
    y = np.repeat([0, 1], [300, 100])
    X = np.arange(400)[:, np.newaxis]
    splits = stratified_splits(samples(X, y), 2, 80)
    for split in splits:
        assert np.bincount(split.y_train).tolist() == [60, 20]
        assert len(split.y_test) == 80
        assert not set(split.X_train.ravel()) & set(split.X_test.ravel())


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((6, 2)), np.ones(6, int), "all 6 samples to train on are of class 1"),
        (np.ones((6, 2)), np.arange(6) / 7, "classes are needed, not continuous targets"),
        (np.ones((6, 2)), [0, 0, 0, 0, 0, 1], "can't be split"),
    ],
)
def test_unusable_data(X, y, message):
    with pytest.raises(DataError) as caught:
        stratified_splits(samples(X, y), 2, ALL)
    assert str(caught.value).startswith("mine: ") and message in str(caught.value)


def test_more_features_than_any_board_takes():
    most = max(board.contractor.features for board in CONTRACTORS.values())
    with pytest.raises(DataError, match=f"{most + 1} features a sample; the boards take {most}"):
        stratified_splits(samples(np.ones((20, most + 1)), np.arange(20) % 2), 2, ALL)
