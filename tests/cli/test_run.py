"""The command ``tensorspin run``."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.compiler import NetworkProgram
from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor
from tests.support.command_line import GOLDEN, run


def test_run_writes_what_the_program_predicts(capsys, model, tmp_path):
    output = tmp_path / "out.csv"
    status, out, _ = run(
        capsys, "run", model, "--board", GOLDEN, "--data", "iris", "--output", output
    )
    assert status == 0
    assert re.search(r"samples +30\naccuracy +(100|[89]\d)\.", out)
    rows = output.read_text().splitlines()
    assert rows[0] == "class,exponent,score 0,score 1,score 2"
    assert len(rows) == 31
    scores = np.array([[int(value) for value in row.split(",")[2:]] for row in rows[1:]])
    assert [int(row.split(",")[0]) for row in rows[1:]] == scores.argmax(axis=1).tolist()


def test_run_in_either_mode(capsys, model, sharing):
    cycles = {}
    command = ("--json", "run", model, "--board", f"golden://{sharing.name}", "--data", "iris")
    for words in ((), ("--mode", "single"), ("--mode", "throughput"), ("--samples", "1")):
        status, out, _ = run(capsys, *command, *words)
        assert status == 0
        cycles[words] = json.loads(out)["cycles_per_sample"]
    program = NetworkProgram.load(model)
    alone = program.single_cycles(sharing.require_contractor())
    assert list(cycles.values()) == [program.cycles(8), alone, program.cycles(8), alone]


def test_run_on_a_file_of_the_same_shape(capsys, model, tmp_path):
    rng = np.random.default_rng(1)
    path = tmp_path / "data.npz"
    y = np.arange(40) % 3
    np.savez(path, X_train=rng.random((40, 4)), y_train=y, X_test=rng.random((7, 4)), y_test=y[:7])
    status, out, _ = run(capsys, "run", model, "--board", GOLDEN, "--data", path)
    assert status == 0 and re.search(r"samples +7\n", out)


def saved_program(tmp_path, model, y):
    """A program and data for it in files."""
    X = np.random.default_rng(1).random((60, 3))
    program, data = tmp_path / "model.npz", tmp_path / "data.npz"
    model.fit(X, y).quantize().save(program)
    np.savez(data, X_train=X, y_train=y, X_test=X[:20], y_test=y[:20])
    return program, data


def test_run_of_a_regressor(capsys, tmp_path):
    y = np.random.default_rng(1).random((60, 3)).sum(axis=1)
    program, data = saved_program(tmp_path, MPSRegressor(2, epochs=3, random_state=0), y)
    output = tmp_path / "out.csv"
    arguments = ("run", program, "--board", GOLDEN, "--data", data)
    status, out, _ = run(capsys, *arguments, "--output", output)
    assert status == 0
    assert re.search(r"root mean square error +0\.\d+\nR\^2 +0\.9\d+\n", out)
    rows = output.read_text().splitlines()
    assert rows[0] == "prediction,exponent,score 0" and len(rows) == 21
    np.testing.assert_allclose([float(row.split(",")[0]) for row in rows[1:]], y[:20], atol=0.4)
    status, out, _ = run(capsys, *arguments, "--samples", 1)
    assert status == 0 and re.search(r"R\^2 +-\n", out)
    rows = np.column_stack([np.random.default_rng(2).random((20, 3)), np.arange(20) / 7])
    numbers = tmp_path / "numbers.csv"
    np.savetxt(numbers, rows, delimiter=",")
    status, out, _ = run(capsys, *arguments[:-1], numbers)
    assert status == 0 and re.search(r"samples +4\nroot mean square error", out)
    np.savez(
        data, X_train=np.ones((4, 3)), y_train=["a"] * 4, X_test=np.ones((4, 3)), y_test=["a"] * 4
    )
    # The board is not even looked for.
    arguments = [*arguments[:2], "--board", "no-such-port", *arguments[4:]]
    status, _, err = run(capsys, *arguments)
    assert status == 1 and "the program predicts numbers, the data have none" in err


def test_run_of_an_anomaly_detector(capsys, tmp_path):
    model = MPSAnomalyDetector(2, epochs=3, random_state=0)
    program, data = saved_program(tmp_path, model, np.arange(60) % 2)
    output = tmp_path / "out.csv"
    status, out, _ = run(
        capsys, "run", program, "--board", GOLDEN, "--data", data, "--output", output
    )
    assert status == 0 and re.search(r"outliers +\d+\.\d\d%\n", out)
    rows = [row.split(",") for row in output.read_text().splitlines()]
    assert rows[0] == ["prediction", "log-likelihood", "exponent", "score 0"]
    for prediction, likelihood, *_ in rows[1:]:
        assert (prediction == "1") == (float(likelihood) >= model.offset_)


def test_run_with_other_features(capsys, model):
    status, _, err = run(capsys, "run", model, "--board", GOLDEN, "--data", "wine")
    assert status == 1 and "needs (n, 4)" in err


def test_few_samples_are_all_taken_on_request(capsys, model, tmp_path):
    data = tmp_path / "few.csv"
    X, y = load_iris(return_X_y=True)
    np.savetxt(data, np.column_stack([X, y])[::40], delimiter=",")
    arguments = ("run", model, "--board", GOLDEN, "--data", data)
    status, _, err = run(capsys, *arguments)
    assert status == 1 and "few: the samples can't be split: " in err
    assert err.endswith("; --all takes all samples\n") and "--estimator" not in err
    status, out, _ = run(capsys, *arguments, "--all")
    assert status == 0 and re.search(r"samples +4\n", out)


LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""Environment in which Python's own choice of an encoding is ASCII."""


def test_answers_are_utf_8_whatever_the_locale(tmp_path):
    y = np.array(["Grün", "Weiß"])[np.arange(60) % 2]
    program, data = saved_program(tmp_path, MPSClassifier(2, epochs=1, random_state=0), y)
    output = tmp_path / "größe.csv"
    words = ("run", program, "--board", GOLDEN, "--data", data, "--output", output)
    done = subprocess.run(
        [sys.executable, "-m", "tensorspin.cli.main", *map(str, words)],
        env={**os.environ, **LOCALE},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    header, *rows = output.read_text(encoding="utf-8").splitlines()
    assert header == "class,exponent,score Grün,score Weiß" and len(rows) == 20


def test_a_failed_write_leaves_the_old_answers(capsys, model, tmp_path, monkeypatch):
    output = tmp_path / "out.csv"
    output.write_text("old")

    def broken(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", broken)
    words = ("run", model, "--board", GOLDEN, "--data", "iris", "--output", output)
    status, _, err = run(capsys, *words)
    assert status == 1 and "No space left" in err
    assert output.read_text() == "old" and list(tmp_path.iterdir()) == [output]


def test_a_device_is_refused_before_the_board_is_opened(capsys, model):
    words = ("run", model, "--board", "nowhere://", "--data", "iris", "--output", "/dev/null")
    status, _, err = run(capsys, *words)
    assert status == 1 and "cannot write /dev/null: it is a device; name a file" in err


@pytest.mark.parametrize(
    ("classes", "labels", "message"),
    [
        ("abc", [0, 1, 2], "'a', 'b', 'c', the labels are 0, 1, 2; rename or remove 0, 1, 2, or"),
        ([0, 1, 2], ["a", "b", "c"], "are 0, 1, 2, the labels are 'a', 'b', 'c'; rename"),
        # Labels that are shifted, of which the first three samples have none that is unknown.
        ([0, 1, 2], [1, 2, 1, 3], "are 0, 1, 2, the labels are 1, 2, 3; rename or remove 3, or"),
        ("abc", ["a", "B", "c"], "'a', 'b', 'c', the labels are 'B', 'a', 'c'; rename"),
        ([0, 1, 2], [0.5, 1, 2], "are 0, 1, 2, the labels are 0.5, 1.0, 2.0; rename or remove 0.5"),
        ([1, 2, 3], ["1", "02", "3"], "are 1, 2, 3, the labels are '02', '1', '3'; rename"),
        ([0, 1, 2], range(20), "7, 8, 9 and 10 more; rename or remove 3, 4, 5, 6, 7, 8, 9, 10, 11"),
    ],
)
def test_run_with_other_labels(capsys, tmp_path, classes, labels, message):
    model = MPSClassifier(2, epochs=1, random_state=0)
    program, data = saved_program(tmp_path, model, np.array([*classes] * 20))
    X, y = np.ones((60, 3)), np.array([*labels] * 60)[:60]
    np.savez(data, X_train=X, y_train=y, X_test=X, y_test=y)
    output = tmp_path / "out.csv"
    status, out, err = run(
        *(capsys, "run", program, "--board", "golden://none", "--data", data),
        *("--output", output, "--samples", 3),
    )
    assert status == 1 and not out and not output.exists()
    assert f"{data}: the classes to predict are " in err and message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("classes", "labels"),
    [
        (["1", "2", "x"], "12"),  # a part of a file with a word has numbers alone
        (["1", "2", "x"], "11"),
        ([1, 2, 3], ["1.0", "2.0"]),
        ([1.0, 2.0, 3.0], "12"),
        (["a", "b c", "d"], [" b c", "a "]),
        ([False, True, False], "01"),
    ],
)
def test_run_with_the_same_labels_in_another_form(capsys, tmp_path, classes, labels):
    model = MPSClassifier(4, epochs=30, random_state=0)
    X = np.repeat(np.eye(3), 20, axis=0)
    model.fit(X, np.repeat(classes, 20)).quantize().save(tmp_path / "model.npz")
    data = tmp_path / "data.csv"
    # Feature i of a sample is 1 if it belongs to entry i of the classes, otherwise 0.
    names = [str(name).removesuffix(".0") for name in classes]
    rows = []
    for label in labels:
        text = label.strip().removesuffix(".0")
        place = int(text) if isinstance(classes[0], bool) else names.index(text)
        rows += [",".join([*map(str, np.eye(3, dtype=int)[place]), label])] * 10
    data.write_text("\n".join(rows))
    status, out, _ = run(capsys, "run", tmp_path / "model.npz", "--board", GOLDEN, "--data", data)
    assert status == 0 and re.search(r"samples +4\naccuracy +100\.00%\n", out)
