"""The command ``tensorspin train``, and what it says of data that cannot be used."""

from __future__ import annotations

import argparse
import json
import re

import numpy as np
import pytest

from tensorspin.cli import train
from tensorspin.models import MPSClassifier, kernel
from tests.support.command_line import GOLDEN, run


def test_train_from_csv(capsys, tmp_path):
    rng = np.random.default_rng(1)
    X = rng.random((60, 3))
    lines = ["length,width,weight,kind"]
    lines += [f"{a},{b},{c},{'big' if a > 0.5 else 'small'}" for a, b, c in X]
    data, output = tmp_path / "data.csv", tmp_path / "model.npz"
    data.write_text("\n".join(lines) + "\n")
    status, out, _ = run(capsys, "train", data, "--bond-dim", 2, "--output", output)
    assert status == 0
    assert re.search(r"accuracy, quantised +\d+", out)
    status, out, _ = run(
        capsys, "run", output, "--board", GOLDEN, "--data", data, "--output", tmp_path / "o.csv"
    )
    assert status == 0
    assert {row.split(",")[0] for row in (tmp_path / "o.csv").read_text().splitlines()[1:]} <= {
        "big",
        "small",
    }


def test_the_kernel_that_trained_is_told(capsys, tmp_path):
    command = ("train", "iris", "--bond-dim", 2, "--epochs", 1, "--output", tmp_path / "model.npz")
    with kernel.chosen("numpy"):
        assert re.search("trained by +NumPy, without", run(capsys, *command)[1])
    with kernel.chosen(kernel.available()[0]):
        told = run(capsys, *command)[1]
        if kernel.instructions():
            assert f"compiled kernel ({kernel.instructions()})" in told


def test_train_for_a_board(capsys, tmp_path):
    rng = np.random.default_rng(1)
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    np.savez(data, X_train=rng.random((40, 100)), y_train=np.arange(40) % 2)
    command = ("train", data, "--bond-dim", "32", "--epochs", "1", "--output", output)
    command += ("--estimator", "mps")
    status, out, _ = run(capsys, *command, "--board", "icebreaker")
    narrow, nodes = map(int, re.search(r"nodes of 4-bit weights +(\d+) of (\d+)", out).groups())
    assert status == 0 and 0 < narrow < nodes == 99
    status, out, _ = run(capsys, "estimate", output)
    assert status == 0 and re.search(rf"nodes of 4-bit weights +{narrow} of {nodes}", out)


def test_train_protects_weights(capsys, tmp_path):
    output = tmp_path / "model.npz"
    command = ("train", "iris", "--epochs", 2, "--estimator", "mps", "--output", output)
    status, out, _ = run(capsys, *command, "--protect")
    assert status == 0 and re.search(r"nodes of 4-bit weights +(\d+) of \1, \1 protected", out)
    status, out, _ = run(capsys, "estimate", output, "--board", "protect/ulx3s_25f")
    assert status == 0 and re.search(r"nodes of 4-bit weights +(\d+) of \1, \1 protected", out)
    status, out, _ = run(capsys, "estimate", output, "--board", "icebreaker")
    assert status == 1 and re.search(
        r"nodes with protected weights .*DOES NOT FIT: .*--protect", out
    )
    status, _, err = run(capsys, "run", output, "--data", "iris", "--board", "golden://icebreaker")
    assert status == 1 and "use one that does, such as protect/ulx3s_25f" in err
    for option, told in (
        (("--weight-bits", 8), "--protect needs --weight-bits 4, not 8"),
        (("--board", "icebreaker"), "give --protect or --board, not both"),
    ):
        status, _, err = run(capsys, *command, "--protect", *option)
        assert status == 1 and told in err


def test_train_tells_what_it_cost_to_fit_a_board(capsys, tmp_path):
    rng = np.random.default_rng(1)
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    np.savez(data, X_train=rng.random((40, 900)), y_train=np.arange(40) % 2)
    command = ("train", data, "--epochs", "1", "--output", output, "--board", "icebreaker")
    status, out, _ = run(capsys, *command, "--estimator", "mps", "--json")
    told = json.loads(out)
    assert status == 0 and 6 <= told["parameters"]["bond_dim"] < 16
    assert told["program_memory"]["words"] <= told["program_memory"]["of"] == 16383
    assert told["nodes"]["narrow"] == 0
    assert {"accuracy_float", "accuracy_quantised", "accuracy_8_bits", "accuracy_4_bits"} < {*told}
    status, out, _ = run(capsys, "train", "iris", *command[2:], "--estimator", "anomaly")
    assert status == 0 and re.search(r"AUC, 4 bits +\d", out)
    assert re.search(r"program memory of icebreaker +\d+ of 16383 words \(\d+%\)", out)


def test_train_with_all_options(capsys, tmp_path):
    output = tmp_path / "model.npz"
    options = ("--weight-bits", 4, "--feature-order", "snake", "--image-size", 1, 4)
    options += ("--max-shift", 0.5, "--label-smoothing", 0.1, "--input-noise", 0.05)
    options += ("--distortion", 0.3, "--weight-decay", 0.1, "--n-repeats", 1)
    status, out, _ = run(capsys, "train", "iris", "--epochs", 2, *options, "--output", output)
    assert status == 0 and re.search(r"nodes of 4-bit weights +3 of 3", out)


def test_train_tells_what_was_chosen(capsys, tmp_path):
    command = ("train", "iris", "--epochs", 1, "--output", tmp_path / "model.npz")
    status, out, _ = run(capsys, *command, "--input-noise", 0.2, "--n-repeats", "auto")
    (chosen,) = re.findall(r"chosen +(.*)", out)
    assert status == 0 and "n_repeats 2" in chosen and "feature_map bernstein" in chosen
    assert "weight_decay 1" in chosen and "local_dim 4" in chosen and "noise" not in chosen
    status, out, _ = run(capsys, *command, "--input-noise", 0.2, "--json")
    parameters = json.loads(out)["parameters"]
    assert status == 0 and parameters["n_repeats"] == 2 and parameters["input_noise"] == 0.2
    assert parameters["feature_map"] == "bernstein" and parameters["weight_decay"] == 1
    with pytest.raises(SystemExit):
        run(capsys, *command, "--n-repeats", "many")
    assert "argument --n-repeats: invalid int value: 'many'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no samples"),
        ("1,2,a\n1,2\n", "sample 1 has 2 columns, not 3"),
        ("1\n2\n", "at least 2 columns"),
        ("1,2,b\n" + "1,x,a\n" * 4, "feature 1 of sample 1 is 'x', not a number; the column mixes"),
        (",2,a\n1,2,a\n", "feature 0 of sample 0 is '', not a number"),
        ("1,2,a\n" * 9 + "1,2,b\n", "can't be split"),
        ("1,2,a\n1,nan,a\n", "feature 1 of sample 1 is nan"),
        ("1,2,a\n1e999,2,a\n", "feature 0 of sample 1 is inf"),
        ("1,2,a\n" * 9, "at least 2 classes are needed, not 1 class: a"),
        (
            "".join(f"{i},{i / 7}\n" for i in range(20)),
            "which are no classes: use --estimator regressor, or choose the class with --target",
        ),
    ],
)
def test_bad_csv_files(capsys, tmp_path, text, message):
    path = tmp_path / "data.csv"
    path.write_text(text)
    status, _, err = run(capsys, "train", path)
    assert status == 1 and message in err and err.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X_train": np.float64(3)}, "X_train has shape ()"),
        ({"X_train": np.zeros((0, 4))}, "X_train has shape (0, 4)"),
        ({"y_train": np.zeros(5)}, "y_train has shape (5,); 12 samples need (12,)"),
        ({"y_train": np.zeros((12, 3))}, "y_train has shape (12, 3)"),
        ({"X_train": np.full((12, 4), "x")}, "X_train must hold real numbers, not <U1"),
        ({"X_train": np.ones((12, 4)) * 1j}, "X_train must hold real numbers, not complex128"),
        ({"X_test": np.ones((2, 4))}, "has X_test alone"),
        ({"X_test": np.ones((2, 3)), "y_test": np.zeros(2)}, "X_train has 4 features a sample"),
        ({"X_test": np.ones((2, 4)), "y_test": np.zeros(3)}, "y_test has shape (3,)"),
        ({"X_test": np.full((2, 4), np.nan), "y_test": np.zeros(2)}, "X_test: feature 0 of"),
    ],
)
def test_npz_files_of_wrong_shapes(capsys, tmp_path, changes, message):
    path = tmp_path / "data.npz"
    np.savez(path, **{"X_train": np.ones((12, 4)), "y_train": np.arange(12) % 2, **changes})
    status, _, err = run(capsys, "train", path)
    assert status == 1 and message in err and err.count("\n") == 1


def test_bad_npz_files(capsys, tmp_path):
    path = tmp_path / "data.npz"
    np.savez(path, X=np.zeros((2, 2)))
    status, _, err = run(capsys, "train", path)
    assert status == 1 and "lacks the arrays X_train, y_train" in err
    with open(path, "wb") as file:
        np.save(file, np.zeros((2, 2)))
    status, _, err = run(capsys, "train", path)
    assert status == 1 and "is a single array" in err
    status, _, err = run(capsys, "estimate", path)
    assert status == 1 and "is a single array" in err
    path.write_bytes(b"PK\x03\x04")
    assert run(capsys, "train", path)[0] == 1


def test_help_names_the_defaults_of_the_classifier():
    parser = argparse.ArgumentParser()
    train.add_options(parser)
    helps = {action.dest: action.help for action in parser._actions}
    for name, default in MPSClassifier().get_params().items():
        if name in train.PASSED_ON and default is not None:
            shown = default if isinstance(default, str) else f"{default:g}"
            assert f"; by default {shown}" in helps[name], name


def test_the_first_line_of_a_csv_file(capsys, model, tmp_path):
    data, output = tmp_path / "data.csv", tmp_path / "model.npz"
    samples = [f"{i},{i % 7},{i % 5},{i % 3},{i % 3}" for i in range(40)]
    train_it = ("train", data, "--bond-dim", 2, "--epochs", 1, "--output", output)
    run_it = ("run", model, "--board", GOLDEN, "--data", data)
    for names, header, held_out in (("0,1,2,3,4", "auto", 8), ("0,1,2,3,1", "no", 9)):
        data.write_text("\n".join([names, *samples]))
        for command in (train_it, run_it):
            status, out, _ = run(capsys, *command, "--header", header)
            assert status == 0 and re.search(rf"samples +{held_out}\n", out)
    data.write_text("\n".join(["0,1,2,3,4", *samples, "1,2,3,4,4", "1,2,3,4,4"]))
    for command in (train_it, run_it):
        status, _, err = run(capsys, *command)
        assert status == 1 and "say which: --header yes or --header no" in err
        status, _, err = run(
            capsys,
            command[0],
            *["iris" if a == data else a for a in command[1:]],
            "--header",
            "yes",
        )
        assert status == 1 and "header 'yes' is for .csv files, not for 'iris'" in err


def test_held_out_samples_with_other_labels(capsys, tmp_path):
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    X, y = np.random.default_rng(1).random((12, 3)), np.arange(12) % 2
    command = ("train", data, "--bond-dim", 2, "--epochs", 1, "--output", output)
    np.savez(data, X_train=X, y_train=y, X_test=X, y_test=y + 1)
    status, out, err = run(capsys, *command)
    assert status == 1 and not out and not output.exists() and err.count("\n") == 1
    assert "the classes to predict are 0, 1, the labels are 1, 2; rename or remove 2, or" in err
    accuracies = []
    for labels in (y, y * 1.0, y.astype(str)):
        np.savez(data, X_train=X, y_train=y, X_test=X, y_test=labels)
        status, out, _ = run(capsys, *command)
        accuracies.append(re.findall(r"accuracy, \w+ +([\d.]+%)", out))
    assert len(accuracies[0]) == 2 and accuracies == [accuracies[0]] * 3


@pytest.mark.parametrize(
    ("shape", "classes", "options", "message"),
    [
        ((40, 1025), 2, (), "features of a sample: 1025 needed, the device holds 1024; select"),
        ((140, 2), 65, (), "classes: 65 needed, the device holds 64; join"),
        (
            (40, 784),
            2,
            ("--board", "icebreaker", "--bond-dim", 32, "--estimator", "mps"),
            "with weights of 4 bits: 100539 needed, the device holds 16383; train with a smaller",
        ),
    ],
)
def test_what_cannot_fit_is_refused_before_training(
    capsys, monkeypatch, tmp_path, shape, classes, options, message
):
    monkeypatch.setattr(MPSClassifier, "fit", lambda *_: pytest.fail("it was trained"))
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    X, y = np.random.default_rng(0).random(shape), np.arange(shape[0]) % classes
    np.savez(data, X_train=X, y_train=y, X_test=X, y_test=y)
    status, _, err = run(capsys, "train", data, *options, "--output", output)
    assert status == 1 and message in err
    assert not output.exists()
