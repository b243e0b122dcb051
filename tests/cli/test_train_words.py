"""``tensorspin train``, ``run`` and ``predict`` with columns of words and missing cells."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tensorspin.compiler import NetworkProgram
from tests.support.command_line import GOLDEN, document, run

RNG = np.random.default_rng(4)
COLOURS = RNG.choice(["red", "green", "blue"], 60)
SIZES = RNG.random(60).round(3)
TARGETS = {
    "mps": np.where(COLOURS == "red", "hot", "cold"),
    "ttn": np.where(COLOURS == "red", "hot", "cold"),
    "regressor": SIZES + (COLOURS == "red"),
    "anomaly": np.where(COLOURS == "red", 1, 0),
}


def table(targets, gaps=True):
    cells = [[f"{size}", colour, f"{y}"] for size, colour, y in zip(SIZES, COLOURS, targets)]
    if gaps:
        for row, column, mark in ((3, 0, ""), (7, 0, "NA"), (11, 1, "?"), (13, 1, "n/a")):
            cells[row][column] = mark
    return "size,colour,class\n" + "".join(",".join(row) + "\n" for row in cells)


@pytest.mark.parametrize("estimator", TARGETS)
def test_from_a_table_to_answers(capsys, tmp_path, estimator):
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    data.write_text(table(TARGETS[estimator]))
    words = ("--estimator", estimator, "--bond-dim", 2, "--epochs", 2, "--output", model)
    document(capsys, "train", data, "--missing", "level", *words, "--json")
    program = NetworkProgram.load(model)
    assert program.missing and program.columns_of_words == [1]
    found = document(capsys, "run", model, "--data", data, "--board", GOLDEN, "--all", "--json")
    assert found["samples"] == 60
    later = tmp_path / "later.csv"
    later.write_text("colour,size\nred,0.5\nviolet,0.5\n,0.5\nred,NA\n")
    status, out, _ = run(capsys, "predict", model, "--data", later, "--board", GOLDEN, "--scores")
    assert status == 0
    answers = [line.split(",", 1)[1] for line in out.splitlines()[1:]]
    expected = program.run_golden(
        np.array([[0.5, "red"], [0.5, "violet"], [0.5, None], [None, "red"]], dtype=object)
    )
    assert [int(line.split(",")[-1]) for line in answers] == expected.scores[:, -1].tolist()
    assert answers[1] == answers[2] != answers[0]


def test_on_a_simulated_board(capsys, tmp_path):
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    data.write_text(table(TARGETS["mps"]))
    words = ("--bond-dim", 2, "--epochs", 1, "--missing", "level", "--output", model)
    document(capsys, "train", data, *words, "--json")
    answers = [
        run(capsys, "predict", model, "--data", data, "--board", board, "--scores", "--json")
        for board in ("sim://icebreaker", GOLDEN)
    ]
    assert answers[0][:2] == answers[1][:2] and answers[0][0] == 0
    assert len([json.loads(line) for line in answers[0][1].splitlines()]) == 60


def test_what_is_missing_is_refused_by_name(capsys, tmp_path):
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    data.write_text(table(TARGETS["mps"]))
    status, _, err = run(capsys, "train", data, "--output", model)
    assert status == 1 and "column 0 'size', the first) is '', not a number" in err
    assert "use --missing level" in err
    data.write_text(table(TARGETS["mps"], gaps=False))
    words = ("--bond-dim", 2, "--epochs", 1, "--output", model)
    document(capsys, "train", data, *words, "--json")
    later = tmp_path / "later.csv"
    for row, told in (
        ("0.5,violet", "column 1 ('colour') is 'violet', which is none of its categories: "),
        ("0.5,", "column 1 'colour' is '', not a word; fill it in"),
        ("red,red", "column 0 'size' is 'red', not a number"),
    ):
        later.write_text(f"size,colour\n0.5,red\n{row}\n")
        status, out, err = run(capsys, "predict", model, "--data", later, "--board", GOLDEN)
        assert status == 1 and len(out.splitlines()) == 2 and told in err and "line 3" in err
        later.write_text(f"size,colour,class\n0.5,red,hot\n{row},cold\n")
        status, _, err = run(capsys, "run", model, "--data", later, "--board", GOLDEN, "--all")
        assert status == 1 and "colour" in err or "size" in err
    later.write_text("size,class\n0.5,hot\n")
    status, _, err = run(capsys, "predict", model, "--data", later, "--board", GOLDEN)
    assert status == 1 and "lacks columns of the program: colour" in err


def test_many_words_are_refused_with_the_number(capsys, tmp_path):
    data = tmp_path / "data.csv"
    rows = "".join(f"{row},w{row // 2},{'ab'[row % 2]}\n" for row in range(1200))
    data.write_text("n,name,class\n" + rows)
    status, _, err = run(capsys, "train", data, "--output", tmp_path / "model.npz")
    assert status == 1 and "feature 1 ('name') has 583 different words" in err
    assert "at most 255 have a level: leave it out with --drop" in err


def test_words_alone_without_names(capsys, tmp_path):
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    rows = [f"{a},{b},{'positive' if a == b else 'negative'}" for a in "xob" for b in "xob"] * 6
    data.write_text("\n".join(rows) + "\n")
    words = ("--bond-dim", 4, "--feature-map", "bernstein", "--output", model)
    sharp = ("--input-noise", 0.01, "--learning-rate", 0.02, "--weight-decay", 0.01)
    found = document(capsys, "train", data, *words, *sharp, "--json")
    assert found["features"] == 2 and found["training_samples"] + found["held_out_samples"] == 54
    found = document(capsys, "run", model, "--data", data, "--board", GOLDEN, "--all", "--json")
    assert found["samples"] == 54 and found["accuracy"] == 1


def test_archives_with_gaps(capsys, tmp_path):
    data, model = tmp_path / "data.npz", tmp_path / "model.npz"
    X, y = np.stack([SIZES, SIZES**2], axis=1), (SIZES > 0.5).astype(int)
    X[5, 1] = np.nan
    np.savez(data, X_train=X, y_train=y)
    words = ("--bond-dim", 2, "--epochs", 1, "--output", model)
    status, _, err = run(capsys, "train", data, *words)
    assert status == 1 and "feature 1 of sample 5 is nan" in err
    document(capsys, "train", data, *words, "--missing", "level", "--json")
    found = document(capsys, "run", model, "--data", data, "--board", GOLDEN, "--all", "--json")
    assert found["samples"] == 60


def test_words_that_only_the_held_out_samples_have_are_refused_before_the_training(
    capsys, tmp_path
):
    data, test, model = tmp_path / "data.csv", tmp_path / "test.csv", tmp_path / "model.npz"
    data.write_text("n,name,class\n" + "".join(f"{i},w{i},{'ab'[i % 2]}\n" for i in range(40)))
    status, out, err = run(capsys, "train", data, "--output", model)
    assert status == 1 and "epoch" not in err and not model.exists()
    assert "feature 1 ('name') is 'w" in err and "in a sample to test with, and in none to" in err
    assert "use --missing level" in err
    test.write_text("n,name,class\n1,w1,a\n2,new,b\n")
    status, _, err = run(capsys, "train", data, "--test", test, "--output", model)
    assert status == 1 and f"is 'new' in {test} to test with" in err
    words = ("--epochs", 1, "--output", model, "--missing", "level")
    document(capsys, "train", data, "--test", test, *words, "--json")


def coded(codes=(101, 205, 330, 999)):
    """A table of which the classes are told by codes that no threshold divides."""
    rows = [(SIZES[k], codes[k % 4], ("hot", "cold")[k % 2]) for k in range(60)]
    return "size,region,class\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows)


def test_columns_of_codes(capsys, tmp_path):
    data, model = tmp_path / "data.csv", tmp_path / "model.npz"
    data.write_text(coded())
    words = ("--estimator", "mps", "--epochs", 30, "--output", model, "--json")
    train = ("train", data, *words, "--categorical", "region")
    assert document(capsys, *train)["accuracy_float"] == 1
    program = NetworkProgram.load(model)
    assert sorted(program.categories.columns[1].values) == [101, 205, 330, 999]
    on_board = ("--data", data, "--board", GOLDEN, "--json")
    for given in ((), ("--categorical", "region"), ("--categorical", "1")):
        assert document(capsys, "run", model, *on_board, *given)["accuracy"] == 1
    later = tmp_path / "later.csv"
    later.write_text("region,size\n999.0,0.5\n0205,0.5\n101,0.5\n7,0.5\n")
    status, out, err = run(capsys, "predict", model, "--data", later, "--board", GOLDEN)
    assert status == 1 and out.splitlines()[1:] == ["0,cold", "1,cold", "2,hot"]
    assert "later.csv, line 5: column 1 ('region') is 7.0, which is none of its categories" in err
    for command in ("run", "predict"):
        given = (command, model, "--data", data, "--board", GOLDEN, "--categorical", "size")
        status, _, err = run(capsys, *given)
        assert status == 1 and "column 0 'size', the first, which the program takes as num" in err


def test_columns_of_codes_in_arrays(capsys, tmp_path):
    data, model = tmp_path / "data.npz", tmp_path / "model.npz"
    codes = np.tile([101.0, 205.0, 330.0, 999.0], 15)
    np.savez(data, X=np.column_stack([SIZES, codes]), y=np.arange(60) % 2)
    words = ("--estimator", "mps", "--epochs", 30, "--output", model, "--json")
    found = document(capsys, "train", data, *words, "--categorical", "1")
    assert found["accuracy_float"] == 1
    run_again = ("run", model, "--data", data, "--board", GOLDEN)
    assert document(capsys, *run_again, "--categorical", "1", "--json")["accuracy"] == 1
    for command in (run_again, ("predict", *run_again[1:])):
        status, _, err = run(capsys, *command, "--categorical", "0")
        assert status == 1 and "column 0, the first, which the program takes as numbers" in err
    status, _, err = run(capsys, "train", data, *words, "--categorical", "region")
    assert status == 1 and "no column called 'region'; it has no names, use numbers" in err


def test_codes_that_are_refused_before_the_training(capsys, tmp_path):
    data, model, test = tmp_path / "data.csv", tmp_path / "model.npz", tmp_path / "test.csv"
    data.write_text(coded())
    words = ("train", data, "--output", model, "--epochs", 2, "--categorical")
    test.write_text(coded(("101.0", "205", "0330", "999")))
    train = (*words, "region", "--test", test, "--estimator", "mps")
    assert run(capsys, *train)[0] == 0, "these are the same numbers"
    test.write_text(coded((101, 205, 330, 5)))
    status, _, err = run(capsys, *train)
    assert status == 1 and "feature 1 ('region') is '5' in" in err and "--missing level" in err
    assert run(capsys, *train, "--missing", "level")[0] == 0
    rows = "".join(f"{k},{('hot', 'cold')[k % 2]}\n" for k in range(400))
    data.write_text("number,class\n" + rows)
    status, _, err = run(capsys, *words, "number", "--missing", "level")
    assert status == 1 and "feature 0 ('number') has 320 different values, such as" in err
