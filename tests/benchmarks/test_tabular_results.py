"""Splits, ranks, differences, calibration and verdicts of the suite of many tables."""

import numpy as np
import pytest

from tensorspin.benchmarks.tabular.fitting import (
    calibration,
    calibration_error,
    far_samples_flagged,
)
from tensorspin.benchmarks.tabular.results import (
    BEST,
    best_own,
    mean_gap,
    mean_ranks,
    to_best_rival,
)
from tensorspin.benchmarks.tabular.sets import (
    TableSet,
    outlier_sets,
    read_folder,
    split,
    target_kind,
)
from tensorspin.benchmarks.tabular.verdicts import (
    number_verdicts,
    outlier_verdicts,
    speed_verdicts,
    verdicts,
)
from tensorspin.data.errors import DataError


def row(model, scores, own=False, bits=None):
    seconds = [1.0] * len(scores)
    return {
        **{"model": model, "bits": bits, "own": own, "scores": scores, "seconds": seconds},
        **{"calibration": None, "failures": []},
    }


def data(name="set", samples=1000, testing=200, **scores):
    """A set of a report; the scores of `ours...` are Tensorspin's, `ours_8` with 8 bits."""
    rows = []
    for model, values in scores.items():
        name_of, _, bits = model.partition("_")
        own = name_of.startswith("ours")
        rows.append(row(name_of, values, own, int(bits) if bits else None))
    return {"name": name, "samples": samples, "testing": testing, "rows": rows}


def test_ranks_and_differences():
    sets = [
        data(svm=[0.9, 0.8], forest=[0.7, 0.7], ours=[0.95, 0.85], ours2=[0.5, 0.5]),
        data(svm=[0.9, 0.9], forest=[0.8, 0.8], ours=[0.8, 0.8], ours2=[0.8, 0.9]),
    ]
    assert mean_ranks(sets, "ours") == {"svm": 1.5, "forest": 2.75, "ours": 1.75}
    assert [best_own(found) for found in sets] == ["ours", "ours2"]
    assert mean_ranks(sets, BEST) == {"svm": 1.5, "forest": 3.0, BEST: 1.5}
    found = to_best_rival(sets[1], BEST)
    assert found.mean == pytest.approx(-0.05) and found.error == pytest.approx(0.05)
    assert mean_gap(sets, BEST) == pytest.approx(0.0)


def by_aim(sets, model=BEST):
    return {item.aim: item for item in verdicts(sets) if item.model == model}


def test_verdicts():
    large = data("large", svm=[0.9, 0.9], ours=[0.85, 0.9], ours_8=[0.84, 0.9], ours_4=[0.8, 0.9])
    small = data("small", 100, 20, svm=[0.9, 1.0], ours=[0.8, 1.0], ours_8=[0.75, 0.95])
    aims = list(by_aim([large, small]).values())
    assert [item.met for item in aims] == [True, False, True, False]
    assert "place 2: svm 1.00, best of ours 2.00" in aims[0].detail
    # On the large set 2.5 points are too many, on the small one 5 are within the standard error.
    assert aims[1].detail == "1 of 2 sets; not on large (-2.5 ± 2.5)"
    # On the large set half a point is lost, on the small one less than two samples of 20.
    assert aims[2].detail == "2 of 2 sets"
    assert aims[3].detail == "0 of 1 sets; not on large (-2.50)"


def test_verdicts_of_detectors():
    sets = [data(lof=[0.8], svm=[0.9], ours=[0.9]), data(lof=[0.9], svm=[0.7], ours=[0.8])]
    far = [{"model": "ours", "features": 2, "flagged": flagged} for flagged in (1.0, 0.5)]
    best, flagged = outlier_verdicts(sets, far)
    assert best.met and best.detail == "lof 85.0, svm 80.0, ours 85.0 over 2 tasks"
    assert not flagged.met and flagged.detail == "100% of 2 features, 50% of 2 features"
    assert outlier_verdicts(sets, far[:1])[1].met
    assert not outlier_verdicts([data(lof=[0.9], ours=[0.8])], [])[0].met


def test_verdicts_of_regressors():
    sets = [data("diabetes", ridge=[0.4], ours=[0.37]), data("mine", ridge=[0.4], ours=[0.1])]
    (verdict,) = number_verdicts(sets)
    assert not verdict.met and verdict.aim == "at least 38 % on diabetes"


def test_verdicts_of_speed():
    rows = [{"model": "slow", "seconds": 20.1}, {"model": "fast", "seconds": 3.456}]
    slow, fast = speed_verdicts(rows)
    assert not slow.met and fast.met and fast.detail == "3.46 s"


class Distance:
    """A detector that takes what is far from the mean for an outlier."""

    def __init__(self, limit):
        self.limit = limit

    def fit(self, X):
        return self

    def predict(self, X):
        return np.where(np.abs(X).max(axis=1) > self.limit, -1, 1)


def test_far_samples():
    assert far_samples_flagged(Distance(5.9), 8) == 1
    assert far_samples_flagged(Distance(6.1), 8) == 0


def test_a_set_with_an_aim_of_its_own():
    found = by_aim([data("phoneme", svm=[0.9, 0.9], ours=[0.86, 0.87])])
    assert not found["at least 87 % on phoneme"].met


def test_a_failure_on_one_set_is_no_success():
    found = by_aim([data(svm=[0.9, 0.9], ours=[0.9, None])], "ours")
    assert found == {}
    sets = [data("good", svm=[0.9], ours=[0.9]), data("bad", svm=[0.9], ours=[None])]
    (gap,) = [item for item in by_aim(sets, "ours").values() if "on no set" in item.aim]
    assert not gap.met and gap.detail.endswith("failed on bad")


def test_calibration_error_of_a_model_that_is_too_sure():
    bins = calibration(np.zeros(10), np.full(10, 0.9), np.array([0] * 6 + [1] * 4))
    assert calibration_error(np.array(bins)) == pytest.approx(0.3)


def test_splits_are_seeded_stratified_and_limited():
    y = np.repeat([0, 1], [300, 100])
    table = TableSet("set", np.arange(400.0)[:, None], y, "classes")
    train, test = split(table, 0, 10**6, 10**6)
    assert len(train) == 320 and not set(train) & set(test)
    assert np.bincount(y[train]).tolist() == [240, 80] and np.bincount(y[test]).tolist() == [60, 20]
    again, _ = split(table, 0, 10**6, 10**6)
    other, _ = split(table, 1, 10**6, 10**6)
    assert np.array_equal(train, again) and not np.array_equal(train, other)
    train, test = split(table, 0, 40, 20)
    assert np.bincount(y[train]).tolist() == [30, 10] and np.bincount(y[test]).tolist() == [15, 5]


@pytest.mark.parametrize("counts", [[50, 1], [50, 6, 1, 2], [3, 3, 3, 3], [30, 4, 4]])
def test_rare_classes_can_be_split(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    table = TableSet("set", np.zeros((len(y), 1)), y, "classes")
    for seed in range(3):
        train, test = split(table, seed, 10, 10)
        assert len(train) == min(10, len(y) - len(test)) and len(test) > 0


@pytest.mark.parametrize(
    ("y", "kind"),
    [
        (np.array(["a", "b"] * 10), "classes"),
        (np.array([0.0, 1.0] * 10), "classes"),
        (np.array([0.5, 1.0] * 10), "numbers"),
        (np.arange(20), "numbers"),
        (np.arange(200) % 100, "numbers"),
        (np.arange(200) % 26, "classes"),
    ],
)
def test_what_targets_are(y, kind):
    assert target_kind(y) == kind


def test_names_fit_into_tables(tmp_path):
    X, y = np.random.default_rng(0).random((20, 2)), np.array(["a|b", "c"])[np.arange(20) % 2]
    np.savez(tmp_path / "x  y.npz", X=X, y=y)
    ((table,), _) = read_folder([tmp_path])
    assert table.name == "x y"
    assert [task.name for task in outlier_sets([table])] == ["x y: a/b"]


def test_a_folder_of_benchmark_data_with_its_tables_apart(tmp_path):
    (tmp_path / "ml").mkdir()
    X, y = np.random.default_rng(0).random((20, 2)), np.arange(20) % 2
    np.savez(tmp_path / "ml" / "inner.npz", X_train=X, y_train=y)
    np.savez(tmp_path / "iris.npz", X=X, y=y)
    sets, skipped = read_folder([tmp_path])
    assert [table.name for table in sets] == ["iris-2", "inner"] and skipped == []
    assert sets[0].digest == sets[1].digest


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((20, 2000)), np.arange(20) % 2, "2000 features a sample; boards take 1024"),
        (np.ones((20, 2)), np.ones(20, int), "all 20 samples are of class 1"),
        (np.ones((4, 2)), np.arange(4) % 2, "10 samples and 2 classes of 2 samples are needed"),
    ],
)
def test_sets_that_cannot_be_used(tmp_path, X, y, message):
    np.savez(tmp_path / "bad.npz", X=X, y=y)
    with pytest.raises(DataError, match=message):
        read_folder([tmp_path / "bad.npz"])
    assert message in read_folder([tmp_path])[1][0]["reason"]
