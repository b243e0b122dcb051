"""The command ``tensorspin estimate``."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tensorspin.cli.main import main
from tensorspin.compiler import NetworkProgram
from tensorspin.contract.device.boards import BOARDS, find_board
from tests.support.command_line import run


def test_estimate(capsys, model):
    status, out, _ = run(capsys, "estimate", model)
    assert status == 0
    assert re.search(r"words of program memory \(8 bytes each\) +\d+ of +16383 +fits", out)
    assert re.search(r"cycles per sample +\d+", out)
    assert "modelled" in out


def test_estimate_tells_what_a_sample_takes_that_is_alone(capsys, model, sharing):
    found = {}
    for board in ("icebreaker", sharing.name):
        status, out, _ = run(capsys, "--json", "estimate", model, "--board", board)
        assert status == 0
        found[board] = json.loads(out)
    assert found["icebreaker"]["single_cycles"] is None
    assert found["icebreaker"]["alone_seconds"] == found["icebreaker"]["seconds"]
    alone = found[sharing.name]["single_cycles"]
    assert alone == NetworkProgram.load(model).single_cycles(sharing.require_contractor())
    assert found[sharing.name]["alone_seconds"] == pytest.approx(alone / sharing.clock_hz)
    _, out, _ = run(capsys, "estimate", model, "--board", sharing.name)
    assert re.search(rf"cycles of a sample alone, on all groups +{alone}\n", out)


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
    words = ("--estimator", "mps", "--bond-dim", "32", "--epochs", "1")
    assert main(["train", str(data), *words, "--output", str(output)]) == 0
    capsys.readouterr()
    status, out, _ = run(capsys, "estimate", output)
    assert status == 1
    assert "DOES NOT FIT: store the weights in 4 bits, or train with a smaller bond_dim" in out
    command = ("train", data, *words, "--output", output)
    # Half of it is still too large for the board.
    status, _, err = run(capsys, *command, "--board", "icebreaker")
    assert status == 1 and "with weights of 4 bits: " in err
    run(capsys, *command, "--weight-bits", "4")
    status, out, _ = run(capsys, "estimate", output)
    assert (
        status == 1
        and "DOES NOT FIT: train with a smaller bond_dim or n_repeats, or fewer features" in out
    )


def test_estimate_of_a_file_that_is_missing(capsys, tmp_path):
    status, _, err = run(capsys, "estimate", tmp_path / "model.txt")
    assert status == 1 and "model.txt: there is no such file" in err


def test_estimate_for_an_unknown_board(capsys, model):
    status, _, err = run(capsys, "estimate", model, "--board", "nonesuch")
    assert status == 1 and re.search("known: .*icebreaker", err)


@pytest.mark.parametrize(
    ("board", "methods"),
    [
        ("ulx3s_25f_both", "annealing, quantum (simulated quantum annealing), tempering (parallel"),
        ("ulx3s_25f_annealer", "annealing, quantum (simulated quantum annealing)\n"),
        ("icebreaker_annealer", "annealing\n"),
    ],
)
def test_estimate_names_the_methods_of_an_annealer(capsys, board, methods):
    status, out, _ = run(capsys, "estimate", "--board", board)
    assert status == 0 and re.search(rf"methods +{re.escape(methods)}", out)
