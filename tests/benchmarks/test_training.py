"""The comparison of training, as far as it needs no other library."""

import pytest

from tensorspin.benchmarks.contractor import training
from tensorspin.data.datasets import Dataset, load_dataset
from tensorspin.data.errors import DataError


@pytest.fixture(scope="module")
def rows():
    data = load_dataset("iris")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "PEERS", ("no_such_library", "neither_this_one"))
        return training.measure_training("iris", data, epochs=3)


def test_our_row(rows):
    ours = rows[0]
    assert ours["library"] == "tensorspin"
    assert ours["epoch_seconds"] > 0
    low, high = ours["epoch_range"]
    assert low <= ours["epoch_seconds"] <= high
    assert ours["accuracy"] > 0.5
    assert (ours["sites"], ours["epochs"], ours["data"]) == (4, 3, "iris")
    # 120 samples, in whole batches.
    assert ours["batch_size"] == 7 and ours["training_samples"] == 119


def test_what_is_not_installed_says_so(rows):
    assert [row["library"] for row in rows[1:]] == ["no_such_library", "neither_this_one"]
    for row in rows[1:]:
        assert row["missing"].startswith("not installed (ModuleNotFoundError")
        assert "epoch_seconds" not in row and "ratio" not in row


def test_an_interpreter_that_is_none():
    data = load_dataset("iris")
    rows = training.measure_training("iris", data, python="/no/such/python", epochs=2)
    assert all("No such file" in row["missing"] for row in rows[1:])


def test_ratio_and_failure(monkeypatch):
    answers = {"tensorspin": 2.0, "tensorkrowch": 6.0}

    def run(python, library, task):
        if library not in answers:
            raise training.subprocess.CalledProcessError(3, library)
        return {"epoch_seconds": answers[library]}

    monkeypatch.setattr(training, "_run", run)
    monkeypatch.setattr(
        training.subprocess,
        "run",
        lambda command, **options: training.subprocess.CompletedProcess(command, 0),
    )
    ours, krowch, tn4ml = training.measure_training("iris", load_dataset("iris"), epochs=2)
    assert "ratio" not in ours
    assert krowch["ratio"] == 3.0
    assert tn4ml["missing"] == "failed with status 3, see its message"


def test_too_little():
    data = load_dataset("iris")
    with pytest.raises(ValueError, match="at least 2 epochs"):
        training.measure_training("iris", data, epochs=1)
    few = Dataset(data.X_train[:15], data.y_train[:15], data.X_test, data.y_test)
    with pytest.raises(DataError, match="at least 16 samples, not 15"):
        training.measure_training("few", few)
