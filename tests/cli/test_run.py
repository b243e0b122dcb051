"""The command ``tensorspin run``."""

from __future__ import annotations

import re

import numpy as np

from tensorspin.models import MPSAnomalyDetector, MPSRegressor
from tests.support.command_line import GOLDEN, run


def test_run_writes_what_the_program_predicts(capsys, model, tmp_path):
    output = tmp_path / "out.csv"
    status, out, _ = run(
        capsys, "run", model, "--board", GOLDEN, "--data", "iris", "--output", output
    )
    assert status == 0
    assert re.search(r"samples +30\naccuracy +[89]\d\.", out)
    rows = output.read_text().splitlines()
    assert rows[0] == "class,exponent,score 0,score 1,score 2"
    assert len(rows) == 31
    scores = np.array([[int(value) for value in row.split(",")[2:]] for row in rows[1:]])
    assert [int(row.split(",")[0]) for row in rows[1:]] == scores.argmax(axis=1).tolist()


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
