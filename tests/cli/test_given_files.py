"""Commands that are given the file of another command say which one takes it."""

from __future__ import annotations

import dimod
import numpy as np
import pytest

from tensorspin.cli.given_files import kind_of_file, other_command
from tests.support.command_line import GOLDEN, run

ANNEALER = "golden://ulx3s_25f_annealer"
PROGRAM = "it is a program: tensorspin estimate "
SAMPLES = "it holds samples: tensorspin train "
MODEL = "if it is an Ising or QUBO model, tensorspin estimate "


@pytest.fixture
def files(model, tmp_path):
    """One file of each kind, by its name."""
    table, ring, notes = tmp_path / "table.csv", tmp_path / "ring", tmp_path / "notes.zip"
    table.write_text("size,kind\n1,a\n2,b\n")
    ring.write_text("3 3\n1 2 1\n2 3 1\n1 3 -1\n")
    samples, constrained = tmp_path / "samples.npz", tmp_path / "model.cqm"
    np.savez(samples, X=np.eye(4), y=np.arange(4) % 2)
    np.savez(notes.with_suffix(".npz"), notes=np.arange(3))
    notes.with_suffix(".npz").rename(notes)
    quadratic = dimod.ConstrainedQuadraticModel()
    quadratic.set_objective(dimod.BinaryQuadraticModel({"a": 1}, {}, "BINARY"))
    with quadratic.to_file() as file:
        constrained.write_bytes(file.read())
    found = (table, ring, notes, samples, constrained)
    return {"program": model, **{path.name: path for path in found}}


def test_kinds(files, tmp_path):
    kinds = {name: kind_of_file(path) for name, path in files.items()}
    assert kinds == {
        "program": "program",
        "table.csv": "table",
        "ring": "model",
        "notes.zip": "archive",
        "samples.npz": "samples",
        "model.cqm": "model",
    }
    assert kind_of_file(tmp_path) is kind_of_file(tmp_path / "nothing") is None
    assert other_command(files["notes.zip"]) is other_command(tmp_path) is None


@pytest.mark.parametrize(
    ("command", "name", "told"),
    [
        (("estimate",), "table.csv", SAMPLES),
        (("estimate",), "samples.npz", SAMPLES),
        (("run", "--data", "iris", "--board", GOLDEN), "ring", MODEL),
        (("run", "--data", "iris", "--board", GOLDEN), "table.csv", SAMPLES),
        (("predict", "--data", "iris", "--board", GOLDEN), "samples.npz", SAMPLES),
        (("predict", "--data", "iris", "--board", GOLDEN), "model.cqm", MODEL),
        (("export", "--board", "icebreaker_spi", "--format", "c"), "ring", MODEL),
        (("anneal", "--board", ANNEALER), "program", PROGRAM),
        (("anneal", "--board", ANNEALER), "samples.npz", SAMPLES),
        (("train",), "program", PROGRAM),
        (("train", "iris", "--test"), "program", PROGRAM),
    ],
)
def test_the_other_command_is_named(capsys, files, command, name, told):
    # What is refused stands last where it belongs to the option before it.
    status, _, err = run(capsys, *command, files[name])
    assert status == 1 and f"{told}{files[name]} " in err


def test_what_is_no_file(capsys, tmp_path):
    for given, message in (
        (GOLDEN, f"{GOLDEN} is a board, which tensorspin info describes"),
        ("icebreaker", "no such file; did you mean --board icebreaker?"),
        (tmp_path / "nothing", "nothing: there is no such file"),
    ):
        status, _, err = run(capsys, "estimate", given)
        assert status == 1 and message in err
    status, _, err = run(capsys, "run", tmp_path / "nothing", "--data", "iris")
    assert status == 1 and "there is no such file; tensorspin train writes programs" in err


def test_boards_with_the_engine_are_named(capsys, files):
    status, _, err = run(capsys, "estimate", files["ring"])
    assert status == 1 and "no annealer, which minimises models; boards that have one: " in err
    assert "ulx3s_25f_annealer" in err and "icebreaker," not in err
    status, _, err = run(capsys, "estimate", files["program"], "--board", "ulx3s_25f_annealer")
    assert status == 1 and "boards that have one: icebreaker, " in err


def test_a_table_that_is_a_model_is_estimated(capsys, tmp_path):
    path = tmp_path / "model.csv"
    path.write_text("3 2\n1 2 1\n2 3 -1\n")
    assert run(capsys, "estimate", path, "--board", "ulx3s_25f_annealer")[0] == 0
