"""Data from scikit-learn and from files.

What the command line says of files that cannot be used is in ``tests/cli/test_train.py``.
"""

import numpy as np
import pytest

from tensorspin.data.datasets import TEST_SIZE, load_dataset, load_samples, split_samples
from tensorspin.data.errors import DataError


def test_names_are_read_whole():
    samples = load_samples("digits")
    assert samples.name == "digits"
    assert samples.X.shape == (1797, 64) and samples.y.shape == (1797,)
    assert samples.held_out is None
    assert samples.feature_range == (0, 16)


def test_a_file_is_named_without_its_folder(tmp_path):
    path = tmp_path / "mine.npz"
    X, y = np.arange(24).reshape(12, 2), np.arange(12) % 2
    np.savez(path, X_train=X, y_train=y, X_test=X[:3], y_test=y[:3])
    samples = load_samples(str(path))
    assert samples.name == "mine"
    assert samples.held_out[0].shape == (3, 2) and samples.held_out[1].shape == (3,)
    data = load_dataset(str(path))
    assert np.array_equal(data.X_train, X) and np.array_equal(data.X_test, X[:3])


def test_archives_with_X_and_y_alone(tmp_path):
    path = tmp_path / "mine.npz"
    X, y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])
    np.savez(path, X=X, y=y)
    samples = load_samples(str(path))
    assert np.array_equal(samples.X, X) and np.array_equal(samples.y, y)
    np.savez(path, X=X, y=y[:, np.newaxis])
    assert np.array_equal(load_samples(str(path)).y, y)
    # What is for training stays apart from what is not.
    np.savez(path, X_train=X + 1, y_train=y, X=X, y=y)
    assert np.array_equal(load_samples(str(path)).X, X + 1)


def test_splits_are_stratified_and_repeat():
    samples = load_samples("iris")
    first, again, other = (split_samples(samples, seed) for seed in (0, 0, 1))
    assert np.array_equal(first.X_test, again.X_test)
    assert not np.array_equal(first.X_test, other.X_test)
    assert len(first.y_test) == round(TEST_SIZE * len(samples.y))
    assert np.bincount(first.y_test).tolist() == [10, 10, 10]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (np.array([0, 1, np.nan, 1]), "y_train: the target of sample 2 is nan"),
        (np.array([0, 1, 2, np.inf]), "y_train: the target of sample 3 is inf"),
        (np.array([0, 1j, 0, 1]), "y_train must hold numbers or text, not complex128"),
    ],
)
def test_targets_that_are_none(tmp_path, targets, message):
    path = tmp_path / "bad.npz"
    np.savez(path, X_train=np.ones((4, 2)), y_train=targets)
    with pytest.raises(DataError) as caught:
        load_samples(str(path))
    assert message in str(caught.value)


@pytest.mark.parametrize("label", ["", "  ", "?", "NaN", " nan", "NA", "N/A", "null"])
def test_missing_labels_of_archives(tmp_path, label):
    path = tmp_path / "bad.npz"
    np.savez(path, X_train=np.ones((4, 2)), y_train=["a", "b", label, "a"])
    with pytest.raises(DataError, match="y_train, sample 2: the label is"):
        load_samples(str(path))


def test_labels_of_archives_are_stripped(tmp_path):
    path = tmp_path / "data.npz"
    X, y = np.ones((4, 2)), [" a", "a", "b c ", "\tb c"]
    np.savez(path, X_train=X, y_train=y, X_test=X, y_test=y)
    samples = load_samples(str(path))
    assert samples.y.tolist() == samples.held_out[1].tolist() == ["a", "a", "b c", "b c"]


@pytest.mark.parametrize("source", ["iris", "data.npz"])
def test_a_header_is_for_csv_files(source):
    with pytest.raises(ValueError, match=f"header 'yes' is for .csv files, not for '{source}'"):
        load_samples(source, header="yes")
    with pytest.raises(ValueError, match="header must be one of auto, yes, no, not 'maybe'"):
        load_samples(source, header="maybe")


@pytest.mark.parametrize(
    ("labels", "dtype"), [("01", "int64"), (("0.5", "1"), "float64"), (("1", "b"), "<U1")]
)
def test_csv_files_of_spreadsheets(tmp_path, labels, dtype):
    path = tmp_path / "data.csv"
    rows = [f"{i},2,{labels[i % 2]}" for i in range(20)]
    path.write_text("\n".join(rows), encoding="utf-8-sig")
    data = load_dataset(str(path))
    # The byte order mark is not a line of names: no sample is lost.
    assert sorted([*data.X_train[:, 0], *data.X_test[:, 0]]) == list(range(20))
    assert data.y_train.dtype == dtype
