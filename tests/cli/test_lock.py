"""The command ``tensorspin lock``."""

from __future__ import annotations

import shutil

import pytest

from tensorspin import NetworkProgram
from tests.support.command_line import GOLDEN, document, run


@pytest.fixture
def key(tmp_path, capsys):
    path = tmp_path / "boards.key"
    status, out, _ = run(capsys, "lock", "--new-key", path, "--version", 2)
    assert status == 0 and "Whoever has this file can approve programs" in out
    return path


def test_a_program_is_locked_and_runs_on_locked_boards_and_others(capsys, model, key, tmp_path):
    locked = tmp_path / "locked.npz"
    told = document(
        capsys, "lock", model, "--key", key, "--version", 2, "--output", locked, "--json"
    )
    assert told["version"] == 2 and len(told["key"]) == 8
    url = f"golden://icebreaker?lock={key}"
    for board in (url, GOLDEN):
        status, _, err = run(capsys, "run", locked, "--board", board, "--data", "iris")
        assert status == 0, err
    status, _, err = run(capsys, "run", model, "--board", url, "--data", "iris")
    assert status == 1 and "is locked: it runs only programs that were locked with its key" in err
    status, out, _ = run(capsys, "info", url)
    assert status == 0 and "lock" in out


def test_without_an_output_the_program_itself_is_locked(capsys, model, key, tmp_path):
    path = tmp_path / "model.npz"
    shutil.copy(model, path)
    assert run(capsys, "lock", path, "--key", key, "--version", 3, "--lanes", 8, 16)[0] == 0
    lock = NetworkProgram.load(path).lock
    assert lock.version == 3 and {lanes for lanes, *_ in lock.tags} == {8, 16}


def test_a_signature_that_locking_drops_is_told(capsys, model, key, tmp_path):
    path, owner = tmp_path / "model.npz", tmp_path / "owner.key"
    shutil.copy(model, path)
    assert run(capsys, "sign", "--new-key", owner)[0] == 0
    assert run(capsys, "sign", path, "--key", owner)[0] == 0
    status, out, _ = run(capsys, "lock", path, "--key", key, "--version", 2)
    assert status == 0 and f"{path} was signed by SHA256:" in out
    status, out, _ = run(capsys, "lock", path, "--key", key, "--version", 3)
    assert status == 0 and "was signed" not in out


def test_wrong_uses_are_refused(capsys, model, key, tmp_path):
    for words, told in (
        (("--key", key, "--version", 2), "MODEL must be given"),
        ((model, "--key", key), "--version must be given"),
        ((model, "--new-key", tmp_path / "x"), "--new-key makes a key alone"),
        (("--new-key", key), "a key is never replaced"),
        (("--new-key", tmp_path / "y", "--version", -1), "minimum must be 1 to"),
        ((model, "--key", key, "--version", 1), "version must be 2 or more"),
        ((model, "--key", model, "--version", 2), "must be readable by its owner|three lines"),
        ((model, "--key", key, "--version", 2, "--lanes", 9), "powers of two, 8 or more, not 9"),
        ((key, "--key", key, "--version", 2), "is no program that tensorspin train has written"),
    ):
        status, _, err = run(capsys, "lock", *words)
        assert status == 1 and any(part in err for part in told.split("|")), (words, err)
