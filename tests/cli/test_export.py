"""The command ``tensorspin export``."""

from __future__ import annotations

import json

import pytest

from tensorspin.compiler import NetworkProgram
from tensorspin.contract.device.boards import find_board
from tensorspin.export import ClientModel, model_bytes, model_header
from tests.support.command_line import run


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
