"""The command ``tensorspin predict``: an answer for each row, whatever brings the rows."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.cli.main import main
from tensorspin.compiler import NetworkProgram
from tensorspin.models import MPSAnomalyDetector, MPSRegressor
from tests.support.command_line import GOLDEN, document, run

X, Y = load_iris(return_X_y=True)
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]


@pytest.fixture(scope="module")
def named_model(tmp_path_factory):
    """A program that knows the names of its features."""
    folder = tmp_path_factory.mktemp("named")
    data = folder / "iris.csv"
    rows = [[*x, "abc"[y]] for x, y in zip(X.tolist(), Y)]
    data.write_text("\n".join(",".join(map(str, row)) for row in [[*NAMES, "kind"], *rows]))
    words = ["train", str(data), "--bond-dim", "2", "--epochs", "5", "-q"]
    assert main([*words, "--output", str(folder / "m.npz")]) == 0
    return folder / "m.npz"


def answers(out):
    return list(csv.DictReader(io.StringIO(out)))


def expected(model):
    return NetworkProgram.load(model).encode(X), [
        str(label) for label in NetworkProgram.load(model).predict(X).tolist()
    ]


def write(path, columns, header=None):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([*([header] if header else []), *columns])
    return path


def test_every_row_in_its_order(capsys, model, tmp_path):
    _, classes = expected(model)
    plain = write(tmp_path / "x.csv", X.tolist())
    labelled = write(tmp_path / "xy.csv", [[*x, y] for x, y in zip(X.tolist(), Y)])
    np.savez(tmp_path / "x.npz", X=X)
    for data in ("iris", plain, labelled, tmp_path / "x.npz"):
        status, out, _ = run(capsys, "predict", model, "--board", GOLDEN, "--data", data)
        rows = answers(out)
        assert status == 0 and [row["class"] for row in rows] == classes
        assert [int(row["row"]) for row in rows] == list(range(150))


def test_columns_are_found_by_name(capsys, named_model, tmp_path):
    program = NetworkProgram.load(named_model)
    assert list(program.feature_names) == NAMES
    order = [2, 0, 3, 1]
    rows = [["note", *x[order], "?"] for x in X]
    data = write(tmp_path / "x.csv", rows, ["remark", *(NAMES[i] for i in order), "kind"])
    words = ("predict", named_model, "--board", GOLDEN, "--data", data)
    _, out, err = run(capsys, *words)
    with pytest.warns(UserWarning):  # of an array, which has no names
        classes = program.predict(X).tolist()
    assert [row["class"] for row in answers(out)] == classes
    assert "not used: column 0 'remark', the first; column 5 'kind', the last" in err
    assert "warning" not in err and not run(capsys, *words, "-q")[2]
    data = write(tmp_path / "y.csv", X.tolist(), ["a", "b", "c", "d"])
    status, out, err = run(capsys, "predict", named_model, "--board", GOLDEN, "--data", data)
    assert status == 1 and "lacks columns of the program: sepal length, sepal width" in err


def test_scores_are_what_run_writes(capsys, model, tmp_path):
    words = (model, "--board", GOLDEN, "--data", "iris")
    run(capsys, "run", *words, "--all", "--output", tmp_path / "run.csv")
    _, out, _ = run(capsys, "predict", *words, "--scores")
    rows = answers(out)
    for row, (number, ours) in zip(answers((tmp_path / "run.csv").read_text()), enumerate(rows)):
        assert ours == {"row": str(number), **row}


def test_json_lines(capsys, model):
    words = ("predict", model, "--board", GOLDEN, "--data", "iris", "--json")
    status, out, _ = run(capsys, *words)
    lines = [json.loads(line) for line in out.splitlines()]
    classes = NetworkProgram.load(model).predict(X).tolist()
    assert status == 0 and lines == [{"row": i, "class": c} for i, c in enumerate(classes)]
    first = json.loads(run(capsys, *words, "--scores")[1].splitlines()[0])
    assert list(first["scores"]) == ["0", "1", "2"] and first["exponent"] > 0


def test_numbers_and_outliers(capsys, tmp_path):
    X = np.random.default_rng(1).random((40, 3))
    program = MPSRegressor(2, epochs=3, random_state=0).fit(X, X.sum(axis=1)).quantize()
    program.save(tmp_path / "r.npz")
    np.save(tmp_path / "x.npy", X)
    words = ("--board", GOLDEN, "--data", tmp_path / "x.npy")
    _, out, _ = run(capsys, "predict", tmp_path / "r.npz", *words)
    assert [float(row["value"]) for row in answers(out)] == program.predict(X).tolist()
    program = MPSAnomalyDetector(2, epochs=3, random_state=0).fit(X).quantize()
    program.save(tmp_path / "a.npz")
    _, out, _ = run(capsys, "predict", tmp_path / "a.npz", *words, "--scores")
    flags = ["true" if label == -1 else "false" for label in program.predict(X)]
    assert [row["outlier"] for row in answers(out)] == flags and "true" in flags
    likelihoods = np.array([float(row["log_likelihood"]) for row in answers(out)])
    assert ((likelihoods < program.task.offset) == (np.array(flags) == "true")).all()
    _, out, _ = run(capsys, "predict", tmp_path / "a.npz", *words, "--json")
    assert json.loads(out.splitlines()[0])["outlier"] in (True, False)


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_output_goes_to_a_file(capsys, model, tmp_path, name):
    output = tmp_path / name
    words = ("predict", model, "--board", GOLDEN, "--data", "iris")
    status, out, _ = run(capsys, *words, "--output", output)
    assert status == 0 and out == f"rows     150\nanswers  {output}\n"
    as_json = name.endswith("jsonl")
    assert output.read_text() == run(capsys, *words, *(["--json"] if as_json else []))[1]
    found = document(capsys, *words, "--output", output, "--json")
    assert found["rows"] == 150 and found["output"] == str(output)
    assert json.loads(output.read_text().splitlines()[0]) == {"row": 0, "class": 0}


@pytest.mark.parametrize("form", ["stdout", "json", "file"])
def test_a_bad_row_keeps_the_answers_before_it(capsys, model, tmp_path, form):
    data = tmp_path / "x.csv"
    data.write_text("5,3,1,0.2\n6,3,4,1.5\n\n5,3,x,0.2\n6,3,4,1.5\n")
    words = ("predict", model, "--board", GOLDEN, "--data", data)
    output = tmp_path / "out.csv"
    more = {"stdout": (), "json": ("--json",), "file": ("--output", output)}[form]
    status, out, err = run(capsys, *words, *more)
    message = f"{data}, line 4: column 2 is 'x', not a number"
    assert status == 1 and f"tensorspin: {message}\n" in err
    if form == "json":
        *lines, last = map(json.loads, out.splitlines())
        assert [line["row"] for line in lines] == [0, 1] and last["error"] == message
    else:
        assert len(answers(output.read_text() if form == "file" else out)) == 2


def test_a_row_that_the_program_refuses(capsys, tmp_path):
    model = tmp_path / "m.npz"
    X = np.random.default_rng(0).random((20, 2))
    MPSRegressor(2, epochs=1, feature_range=(0, 1)).fit(X, X[:, 0]).quantize().save(model)
    data = tmp_path / "x.csv"
    data.write_text("0.5,0.5\n0.1,0.2\n0.5,7\n0.5,8\n")
    status, out, err = run(capsys, "predict", model, "--board", GOLDEN, "--data", data)
    assert status == 1 and len(answers(out)) == 2
    assert "x.csv, line 3: feature 1 is 7" in err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--output", "/dev/null"), "it is a device"),
        (("--separator", ";"), "separator ';' is for .csv files, not for 'iris'"),
        (("--decimal", ";"), "invalid choice"),
    ],
)
def test_bad_options_are_refused_before_the_board_is_opened(capsys, model, more, message):
    words = ["predict", model, "--board", "nowhere://", "--data", "iris", *more]
    if "invalid" in message:
        with pytest.raises(SystemExit):
            main([str(word) for word in words])
        assert message in capsys.readouterr().err
    else:
        status, _, err = run(capsys, *words)
        assert status == 1 and message in err


def piped(monkeypatch, model, user):
    """Run ``predict`` between two pipes, of which `user` has the other ends; returns the status."""
    (stdin, feed), (answers, stdout) = os.pipe(), os.pipe()
    with (
        open(stdin) as ours,
        open(stdout, "w") as written,
        open(feed, "wb", buffering=0) as rows,
        open(answers, "rb") as read,
        ThreadPoolExecutor(1) as pool,
    ):
        monkeypatch.setattr("sys.stdin", ours)
        monkeypatch.setattr("sys.stdout", written)

        def use():
            try:
                user(rows, read)
            finally:  # so that a failure does not leave the command waiting
                rows.close()
                read.close()

        used = pool.submit(use)
        status = main(["predict", str(model), "--board", GOLDEN, "--data", "-", "-q"])
        written.close()
        ours.close()
        used.result(timeout=60)
        return status


def test_a_live_pipe_gets_each_answer_at_once(monkeypatch, model):
    def user(rows, answers):
        rows.write(b"5,3,1,0.2\n")
        assert answers.readline() == b"row,class\n"
        # Each answer comes before the next row is written.
        for row in range(3):
            assert answers.readline().startswith(b"%d," % row)
            rows.write(b"6,3,4,1.5\n")
        rows.close()
        assert answers.readline().startswith(b"3,") and not answers.read()

    assert piped(monkeypatch, model, user) == 0


def test_a_reader_that_goes_away_ends_it_silently(monkeypatch, model, capfd):
    def user(rows, answers):
        rows.write(b"5,3,1,0.2\n")
        answers.readline()
        answers.close()
        with suppress(BrokenPipeError):
            while True:
                rows.write(b"5,3,1,0.2\n" * 1000)

    assert piped(monkeypatch, model, user) == 141
    assert capfd.readouterr().err == ""


def test_an_endless_stream_is_never_read_far_ahead(monkeypatch, model):
    def user(rows, answers):
        row = b"5,3,1,0.2\n" * 100
        written = rows.write(row)
        assert answers.readline() == b"row,class\n"
        os.set_blocking(rows.fileno(), False)
        # While nobody takes the answers, the command stops reading: what it and the pipes hold is
        # bounded.
        deadline = time.monotonic() + 30
        full = 0
        while full < 20 and time.monotonic() < deadline:
            count = rows.write(row)
            written += count or 0
            full = 0 if count else full + 1
            time.sleep(0 if count else 0.02)
        assert full == 20 and written < 4 << 20
        answers.close()

    assert piped(monkeypatch, model, user) == 141


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_to_end_keeps_the_answers(capsys, monkeypatch, model, tmp_path, name):
    """Of kill, timeout, a service that is stopped, or a terminal that is closed."""
    number = getattr(signal, name, None)
    main_thread = threading.current_thread() is threading.main_thread()
    if not main_thread or number is None or signal.getsignal(number) is not signal.SIG_DFL:
        pytest.skip("the signal would end the tests")

    def answers_and_end(*_):
        yield [{"row": 0, "class": "a"}]
        signal.raise_signal(number)

    monkeypatch.setattr("tensorspin.cli.predict._answers", answers_and_end)
    output = tmp_path / "a.csv"
    words = ("predict", model, "--board", GOLDEN, "--data", "iris", "--output", output, "--json")
    status, out, err = run(capsys, *words)
    assert status == 128 + number and f"ended by {name}" in err
    assert json.loads(out)["error"] == f"ended by {name}"
    assert output.read_text() == '{"row": 0, "class": "a"}\n'
    assert list(tmp_path.iterdir()) == [output]
    assert signal.getsignal(number) is signal.SIG_DFL
