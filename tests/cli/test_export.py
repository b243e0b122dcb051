"""The command ``tensorspin export``."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tensorspin import MPSClassifier
from tensorspin.compiler import NetworkProgram
from tensorspin.contract.device.boards import find_board
from tensorspin.export import ClientModel, model_bytes, model_header
from tests.support.command_line import run

CLIENTS = Path(__file__).parents[2] / "sw" / "clients"


def test_a_header_is_written(capsys, model, tmp_path):
    folder = tmp_path / "firmware" / "include"
    status, out, _ = run(
        *(capsys, "export", model, "--board", "icebreaker_spi", "--format", "c"),
        *("--output", folder),
    )
    assert status == 0 and str(folder / "model.h") in out
    expected = ClientModel(NetworkProgram.load(model), find_board("icebreaker_spi"))
    assert (folder / "model.h").read_text() == model_header(expected)


def test_a_file_for_micropython_is_written(capsys, model, tmp_path):
    status, out, _ = run(
        *(capsys, "export", model, "--board", "icepi_zero_spi", "--format", "micropython"),
        *("--output", tmp_path, "--name", "iris", "--json"),
    )
    assert status == 0
    expected = ClientModel(NetworkProgram.load(model), find_board("icepi_zero_spi"))
    assert (tmp_path / "iris.tspn").read_bytes() == model_bytes(expected)
    found = json.loads(out)
    assert found["digest"] == expected.digest
    assert found["cycles_per_sample"] == expected.cycles


def test_columns_of_categories_are_named(capsys, tmp_path):
    words = np.array([[1.0, "a"], [0.0, "b"], [3.0, "a"]], dtype=object)
    program = MPSClassifier(2, epochs=1, random_state=0).fit(words, [0, 1, 0]).quantize()
    program.save(tmp_path / "words.npz")
    status, out, _ = run(
        *(capsys, "export", tmp_path / "words.npz", "--board", "icebreaker_spi"),
        *("--format", "c", "--output", tmp_path),
    )
    assert status == 0 and "1: readings are places in the lists of names" in out
    header = (tmp_path / "model.h").read_text()
    assert 'model_categories_1[2] = {"' in header


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--board": "nonesuch"}, "no board is called 'nonesuch'"),
        ({"--board": "icebreaker_annealer"}, "icebreaker_annealer"),
        ({"--name": "2nd"}, "a name must be letters"),
        ({"--name": "../model"}, "a name must be letters"),
        ({"--name": "uint8_t"}, "is taken in C"),
    ],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_written(
    capsys, model, tmp_path, changes, message
):
    options = {"--board": "icebreaker_spi", "--format": "c", "--output": str(tmp_path / "new")}
    words = [word for option in (options | changes).items() for word in option]
    status, _, err = run(capsys, "export", model, *words)
    assert status == 1 and message in err
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_a_file_is_refused(capsys, model, tmp_path):
    (tmp_path / "file").write_text("kept")
    status, _, err = run(
        *(capsys, "export", model, "--board", "icebreaker_spi", "--format", "c"),
        *("--output", tmp_path / "file"),
    )
    assert status == 1 and "there is a file in its place; name a folder" in err
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("form", ["c", "micropython"])
def test_the_driver_is_written_beside_the_model(capsys, model, tmp_path, form):
    words = ["export", model, "--board", "icebreaker_spi", "--format", form, "--with-driver"]
    for _ in range(2):
        status, out, _ = run(capsys, *words, "--output", tmp_path / "new")
        assert status == 0 and str(tmp_path / "new" / "tensorspin") in out
    source = CLIENTS / form
    wanted = {
        path.relative_to(source): path.read_bytes()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    folder = tmp_path / "new" / "tensorspin"
    found = {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert found == wanted


def test_the_program_that_the_driver_s_readme_shows_is_compiled_with_what_is_written(
    capsys, model, tmp_path
):
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    words = ["export", model, "--board", "icebreaker_spi", "--format", "c", "--with-driver"]
    assert run(capsys, *words, "--output", tmp_path)[0] == 0
    text = (tmp_path / "tensorspin" / "README.md").read_text()
    program = text.partition("```c\n")[2].partition("```")[0]
    port = """
    static void transfer(void *context, uint8_t *bytes, size_t n)
    {
        (void)context;
        while (n--) *bytes++ = 0; /* nothing is at the wires */
    }
    static bool ready(void *context) { (void)context; return false; }
    static uint32_t micros(void *context) { static uint32_t us; (void)context; return us += 10; }
    """
    begin, port_text = program.partition("/* Three functions")[0], program.partition("/* Three")[2]
    more = "int main(void) { float readings[MODEL_COLUMNS] = {0}; (void)classify(readings); "
    more += "return begin() == TENSORSPIN_TIMEOUT ? 0 : 1; }\n"
    (tmp_path / "main.c").write_text(f"{begin}{port}/* Three{port_text}{more}")
    folder = tmp_path / "tensorspin"
    flags = (
        "-std=c99 -Os -ffunction-sections -Wl,--gc-sections -Wall -Wextra -Wpedantic -Wconversion"
    )
    subprocess.run(
        ["gcc", *flags.split(), "-Werror", f"-I{folder}", f"-I{tmp_path}"]
        + [str(tmp_path / "main.c"), *map(str, folder.glob("*.c")), "-o", str(tmp_path / "main")],
        check=True,
    )
    subprocess.run([str(tmp_path / "main")], check=True)


@pytest.mark.parametrize("board", ["icebreaker", "ulx3s_25f"])
def test_a_contractor_as_verilog(capsys, model, tmp_path, board):
    status, out, _ = run(
        *(capsys, "export", model, "--board", board, "--format", "verilog"),
        *("--output", tmp_path, "--name", "engine", "--json"),
    )
    assert status == 0
    found, program = json.loads(out), NetworkProgram.load(model)
    size = find_board(board).require_contractor()
    assert found["command"] == "export"
    image = program.image(size.lanes, signed=bool(size.signature))
    assert (tmp_path / "engine.program.bin").read_bytes() == image
    assert (tmp_path / "engine.table.bin").read_bytes() == program.table_bytes()
    assert found["cycles_per_sample"] == program.cycles(size.lanes, size.latencies)
    text = (tmp_path / "engine.v").read_text()
    assert "\nmodule engine(" in text and "results__payload" in text
    assert "// results : In(stream of RESULT_WORD)" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--name", "1st"], "must be an identifier, not '1st'"),
        (["--with-driver"], "--with-driver is for microcontrollers"),
        (["--board", "icebreaker_annealer"], "has no contractor"),
    ],
)
def test_verilog_that_is_refused(capsys, model, tmp_path, options, message):
    given = ["--board", "icebreaker", "--format", "verilog", "--output", tmp_path, *options]
    status, _, err = run(capsys, "export", model, *given)
    assert status != 0 and message in err
    assert not list(tmp_path.glob("*.v"))
