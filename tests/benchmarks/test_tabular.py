"""The suite of many tables, from folders to tables and a picture."""

import json
import re

import matplotlib.image
import numpy as np
import pytest

from tensorspin.benchmarks.contractor.__main__ import main
from tensorspin.benchmarks.tabular import models
from tensorspin.benchmarks.tabular.fitting import measure_float
from tensorspin.benchmarks.tabular.run import Plan, _chosen_sets
from tensorspin.benchmarks.tabular.sets import split
from tensorspin.benchmarks.tabular.tables import markdown
from tensorspin.data.errors import DataError
from tensorspin.models import MPSAnomalyDetector, MPSClassifier

SMALL = ("--splits", "2", "--most-training", "40", "--most-testing", "20")


@pytest.fixture(autouse=True)
def light_models(monkeypatch):
    """Models that train in a moment."""
    monkeypatch.setattr(models, "TREES", 3)
    monkeypatch.setattr(models, "MOST_ITERATIONS", 20)
    monkeypatch.setattr("tensorspin.benchmarks.tabular.fitting.SPEED_SHAPE", (40, 4))
    makers = {
        "classes": {"MPSClassifier": lambda seed: MPSClassifier(4, epochs=3, random_state=seed)},
        "numbers": {},
        "outliers": {
            "MPSAnomalyDetector": lambda seed: MPSAnomalyDetector(4, epochs=3, random_state=seed)
        },
    }
    monkeypatch.setattr("tensorspin.benchmarks.tabular.run.ours", makers.get)


@pytest.fixture
def folder(tmp_path):
    """A folder with a set in each layout, and files that hold no set."""
    path = tmp_path / "data"
    path.mkdir()
    rng = np.random.default_rng(0)
    X = rng.random((60, 3))
    y = (X[:, 0] > X[:, 1]).astype(int)
    np.savez(path / "plain.npz", X=X, y=y)
    np.savez(
        path / "divided.npz", X_train=X[:40] + 1, y_train=y[:40], X_test=X[40:] + 1, y_test=y[40:]
    )
    rows = (f"{a:.3f},{b:.3f},{'high' if a > b else 'low'}" for a, b, _ in X)
    (path / "words.csv").write_text("x,y,class\n" + "\n".join(rows))
    np.savez(path / "numbers.npz", X=X, y=X.sum(axis=1))
    np.savez(path / "incomplete.npz", X=X)
    (path / "notes.md").write_text("# Notes")
    return path


def run(output, *arguments):
    return main(["--suite", "tabular", "--output", str(output), *SMALL, *map(str, arguments)])


def read(output):
    return json.loads((output / "tabular.json").read_text())


def test_report_tells_all(folder, tmp_path, capsys):
    output = tmp_path / "results"
    names = ("plain", "divided", "words", "numbers")
    kinds = ("--targets", "classes", "numbers")
    assert run(output, "--data", folder, "--sets", *names, *kinds) == 0
    report, text = read(output), (output / "tabular.md").read_text()
    assert {data["name"]: data["samples"] for data in report["sets"]} == dict.fromkeys(names, 60)
    data = report["sets"][0]
    assert (data["training"], data["testing"]) == (40, 12)
    rows = {(row["model"], row["bits"]): row for row in data["rows"]}
    assert set(rows) == {
        *((name, None) for name in models.rivals("classes")),
        *(("MPSClassifier", bits) for bits in (None, 8, 4)),
    }
    assert all(len(row["scores"]) == 2 and not row["failures"] for row in rows.values())
    assert np.sum(rows["MPSClassifier", 8]["calibration"], axis=0)[0] == 2 * 12
    assert rows["SVM, RBF", None]["calibration"] is None
    assert report["sets"][-1]["target"] == "numbers"
    for line in (
        r"^incomplete\.npz is left out: .*lacks the arrays X_train, y_train, or X and y$",
        r"^\| best of ours \| first or second in mean rank \| (met|\*\*not met\*\*) \| place \d",
        r"^\| MPSClassifier \| at most 20 s of training for 5,000 x 32 on one core \| met \| ",
        r"^\| plain \| 60 \| 3 \| ",
        r"^## Numbers to predict: R2 in %$",
    ):
        assert re.search(line, text, re.M), line
    for table in re.findall(r"(?:^\|.*\n)+", text, re.M):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    # Results are told on standard error as they come.
    assert re.search(
        r"^plain: accuracy in %: .*MPSClassifier 8-bit \d", capsys.readouterr().err, re.M
    )
    picture = matplotlib.image.imread(output / "tabular_accuracy.png")
    assert picture.std() > 0


def test_a_second_run_trains_only_what_is_new(folder, tmp_path, monkeypatch):
    output = tmp_path / "results"
    arguments = ("--data", folder, "--sets", "plain", "--targets", "classes")
    assert run(output, *arguments, "--models") == 0
    assert "models were not measured" in (output / "tabular.md").read_text()
    trained = []

    def counted(estimator, task):
        trained.append(type(estimator).__name__)
        return measure_float(estimator, task)

    monkeypatch.setattr("tensorspin.benchmarks.tabular.run.measure_float", counted)
    monkeypatch.setattr("tensorspin.benchmarks.tabular.figures.write_figures", lambda *_: [])
    assert run(output, *arguments) == 0
    assert trained == ["MPSClassifier"] * 2
    first = read(output)["sets"]
    assert run(output, *arguments) == 0
    assert len(trained) == 2 and read(output)["sets"] == first
    # Other code, other parameters or another split are other results.
    monkeypatch.setattr("tensorspin.benchmarks.tabular.run.code_digest", lambda: "other")
    assert run(output, *arguments) == 0
    assert trained == ["MPSClassifier"] * 4
    assert run(output, *arguments, "--anew") == 0
    assert len(trained) == 4 + 2 * 6


def test_results_are_kept_when_a_run_is_interrupted(folder, tmp_path, monkeypatch):
    output = tmp_path / "results"

    def interrupted(table, seed, *sizes):
        if seed == 1:
            raise KeyboardInterrupt
        return split(table, seed, *sizes)

    monkeypatch.setattr("tensorspin.benchmarks.tabular.run.split", interrupted)
    assert run(output, "--data", folder, "--sets", "plain") == 130
    (data,) = read(output)["sets"]
    assert all(len(row["scores"]) == 1 for row in data["rows"])
    assert markdown(read(output))


def test_tables_with_words_and_missing_values(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for place in range(60):
        colour = ("red", "blue")[place % 2]
        number = "" if place % 7 == 0 else f"{rng.random():.3f}"
        rows.append(f"{number},{colour},{'yes' if place % 2 else 'no'}")
    (tmp_path / "mixed.csv").write_text("size,colour,answer\n" + "\n".join(rows))
    output = tmp_path / "results"
    assert run(output, "--data", tmp_path / "mixed.csv", "--sets", "mixed") == 0
    classes, outliers = read(output)["sets"]
    assert all(not row["failures"] for data in (classes, outliers) for row in data["rows"])
    forest = next(row for row in classes["rows"] if row["model"] == "random forest")
    assert np.mean(forest["scores"]) > 0.9


def test_rare_words_that_are_held_out(tmp_path):
    rows = (f"{'ab'[k % 2]},rare {k if k % 9 == 0 else ''},{'ny'[k % 2]}" for k in range(60))
    (tmp_path / "rare.csv").write_text("kind,note,answer\n" + "\n".join(rows))
    words = ("--data", tmp_path / "rare.csv", "--sets", "rare", "--targets", "classes", "--bits")
    assert run(tmp_path / "results", *words) == 0
    (data,) = read(tmp_path / "results")["sets"]
    assert all(not row["failures"] for row in data["rows"])


def test_columns_of_codes(tmp_path, capsys, monkeypatch):
    longer = {"MPSClassifier": lambda seed: MPSClassifier(4, epochs=40, random_state=seed)}
    monkeypatch.setattr("tensorspin.benchmarks.tabular.run.ours", lambda target: longer)
    codes = np.tile([3, 5, 7, 12], 20)
    rows = "\n".join(f"{code},{'yes' if code in (3, 7) else 'no'}" for code in codes)
    (tmp_path / "codes.csv").write_text(f"code,answer\n{rows}")
    output, models = tmp_path / "results", ("--models", "MPSClassifier", "--bits")
    words = ("--data", tmp_path / "codes.csv", "--sets", "codes", "--targets", "classes", *models)
    assert run(output, *words, "--categorical", "code") == 0
    rows = {row["model"]: row["scores"] for row in read(output)["sets"][0]["rows"]}
    assert [rows[each] for each in ("logistic regression", "MPSClassifier")] == [[1, 1], [1, 1]]
    assert run(output, *words) == 0
    rows = {row["model"]: row["scores"] for row in read(output)["sets"][0]["rows"]}
    assert max(rows["logistic regression"]) < 1, "no threshold tells the codes apart"
    assert run(output, *words, "--categorical", "cod") == 1
    assert "--categorical names 'cod', but no file has such a feature" in capsys.readouterr().err


def test_rendering_again_measures_nothing(folder, tmp_path, monkeypatch):
    output = tmp_path / "results"
    assert run(output, "--data", folder, "--sets", "plain", "--targets", "classes") == 0
    text = (output / "tabular.md").read_text()
    (output / "tabular.md").unlink()
    monkeypatch.setattr("tensorspin.benchmarks.tabular.command.measure", None)
    assert run(output, "--render") == 0
    assert (output / "tabular.md").read_text() == text


def test_outliers(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tensorspin.benchmarks.tabular.run.FAR_FEATURES", (2,))
    output = tmp_path / "results"
    names = ("--sets", "plain", "words", "--targets", "outliers")
    assert run(output, "--data", folder, *names) == 0
    report, text = read(output), (output / "tabular.md").read_text()
    assert [data["name"] for data in report["sets"]] == ["plain: 0", "words: high"]
    assert all(0 <= min(row["scores"]) for data in report["sets"] for row in data["rows"])
    # Half of 48 samples to train on are normal.
    assert report["sets"][0]["training"] < 30
    for line in (
        r"^\| MPSAnomalyDetector \| mean area under the ROC curve at least that of each of ",
        r"^\| MPSAnomalyDetector \| six standard deviations are flagged \| .*% of 2 features \|$",
        r"^\| mean \| - \| - \| \d",
    ):
        assert re.search(line, text, re.M), line


def test_without_folder_the_sets_of_scikit_learn_are_measured():
    sets, skipped = _chosen_sets(Plan())
    assert {table.name for table in sets} == {
        *("digits", "iris", "wine", "breast_cancer"),
        *("quadratic", "friedman1", "diabetes"),
        *("digits: 3", "iris: 0", "wine: 1", "breast_cancer: 1"),
    }
    assert skipped == []


def test_a_model_that_fails_is_told_and_the_others_go_on(folder, tmp_path, monkeypatch):
    def failing(estimator, X, y):
        raise FloatingPointError("the training diverged")

    monkeypatch.setattr(MPSClassifier, "fit", failing)
    output = tmp_path / "results"
    assert run(output, "--data", folder, "--sets", "plain", "--targets", "classes") == 0
    text = (output / "tabular.md").read_text()
    assert "- plain: MPSClassifier failed: FloatingPointError: the training diverged" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sets", "plane"), "set 'plane' is unknown; choose among "),
        (("--models", "SVC"), "model 'SVC' is unknown; choose among MPSClassifier"),
        (("--data", "nowhere.npz"), "nowhere.npz"),
    ],
)
def test_what_is_unknown_ends_the_run_before_it_begins(tmp_path, capsys, arguments, message):
    assert run(tmp_path, *arguments) == 1
    assert message in capsys.readouterr().err


def test_a_folder_without_sets(tmp_path):
    with pytest.raises(DataError, match="has no file that ends in .npz"):
        _chosen_sets(Plan(data=[tmp_path]))


def test_a_file_that_is_no_report_is_not_overwritten(tmp_path, capsys):
    (tmp_path / "tabular.json").write_text('{"mine": 1}')
    assert run(tmp_path, "--sets", "iris") == 1
    assert "choose another folder with --output" in capsys.readouterr().err
    assert (tmp_path / "tabular.json").read_text() == '{"mine": 1}'


@pytest.mark.parametrize("option", ["--splits=0", "--most-training=2", "--bits=5", "--names=iris"])
def test_wrong_options_end_with_2(tmp_path, option):
    with pytest.raises(SystemExit) as caught:
        run(tmp_path, option)
    assert caught.value.code == 2


def test_an_unknown_suite_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--suite", "tables"])
    assert "invalid choice: 'tables'" in capsys.readouterr().err
