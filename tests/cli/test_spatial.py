"""`tensorspin spatial` describes an engine, which other commands then open by its name."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tensorspin import TTNClassifier
from tensorspin.cli.main import main
from tensorspin.compiler import NetworkProgram
from tensorspin.compiler.spatial import SpatialProgram
from tensorspin.contract.device.boards import find_board
from tests.support.command_line import document, run


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A program file: a tree for iris."""
    path = tmp_path_factory.mktemp("trees") / "my tree.npz"
    options = ["--estimator", "ttn", "--bond-dim", "4", "--n-repeats", "1", "--epochs", "20"]
    assert main(["train", "iris", *options, "--output", str(path)]) == 0
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "tensorspin" / "spatial"


def test_an_engine_is_described_and_used(capsys, tree, folder):
    status, out, _ = run(capsys, "spatial", tree, "--name", "iris")
    assert status == 0 and str(folder / "iris.json") in out
    assert "14; another sample can begin in each" in out
    assert find_board("spatial/iris").size.value_bits == 16
    status, out, _ = run(capsys, "run", tree, "--board", "golden://spatial/iris", "--data", "iris")
    assert status == 0 and "cycles per sample     14" in out and " ns at " in out
    status, out, _ = run(capsys, "info", "golden://spatial/iris")
    assert status == 0 and "((0 1)4 (2 3)4)3" in out and "values of 16 bits" in out


def test_the_name_is_that_of_the_file(capsys, tree, folder):
    assert run(capsys, "spatial", tree)[0] == 0
    assert json.loads((folder / "my-tree.json").read_text())["name"] == "my-tree"


def test_widths_are_chosen_by_data(capsys, tree, folder):
    found = document(capsys, "spatial", tree, "--name", "iris", "--data", "iris", "--json")
    assert found["command"] == "spatial"
    assert found["quality"]["engine"] >= found["quality"]["program"] - 0.05
    size = find_board("spatial/iris").size
    assert (found["value_bits"], found["weight_bits"]) == (size.value_bits, size.weight_bits)
    assert size.value_bits < 16
    found = document(
        *(capsys, "spatial", tree, "--name", "wide", "--data", "iris"),
        *("--value-bits", "15", "--weight-bits", "7", "--clock", "80", "--json"),
    )
    assert (found["value_bits"], found["weight_bits"]) == (15, 7)
    assert find_board("spatial/wide").clock_hz == 80_000_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--board", "icebreaker"], "there is no spatial engine for board 'icebreaker'"),
        (["--board", "arty"], "no board is called 'arty'"),
        (["--name", "a/b"], "must be 1 to 16 letters"),
        (["--value-bits", "30"], "value_bits must be 8 to 18, not 30"),
        (["--weight-bits", "1"], "weight_bits must be 3 to 8, not 1"),
        (["--clock", "nan"], "--clock must be above 0, not nan"),
        (["--data", "digits"], "the classes to predict are 0, 1, 2"),
    ],
)
def test_what_is_refused(capsys, tree, folder, options, message):
    status, _, err = run(capsys, "spatial", tree, "--name", "iris", *options)
    assert status == 1 and message in err
    assert not (folder / "iris.json").exists()


def test_a_shape_that_is_too_large_is_refused(capsys, tmp_path, folder):
    data = np.random.default_rng(0).random((40, 8))
    model = TTNClassifier(16, n_repeats=1, epochs=1, random_state=0).fit(data, np.arange(40) % 4)
    model.quantize().save(tmp_path / "large.npz")
    status, _, err = run(capsys, "spatial", tmp_path / "large.npz")
    assert status == 1 and "multipliers, 156 of them hardware" in err and "1856 needed" in err
    assert not (folder / "large.json").exists()


def test_an_ensemble_is_refused(capsys, model):
    status, _, err = run(capsys, "spatial", model)
    assert status == 1 and "the program is no tree" in err and "--estimator ttn" in err


def test_an_engine_as_verilog(capsys, tree, tmp_path):
    assert run(capsys, "spatial", tree, "--name", "iris")[0] == 0
    found = document(
        *(capsys, "export", tree, "--board", "spatial/iris", "--format", "verilog"),
        *("--output", tmp_path, "--name", "iris_core", "--json"),
    )
    program, size = NetworkProgram.load(tree), find_board("spatial/iris").size
    assert (tmp_path / "iris_core.bin").read_bytes() == SpatialProgram(program, size).image
    text = (tmp_path / "iris_core.v").read_text()
    assert "\nmodule iris_core(" in text and "m_axis_tready" in text
    assert "// s_axis_tdata : In(8 * inputs)" in text and "// Parameters" not in text
    assert found["cycles_per_sample"] == 14
