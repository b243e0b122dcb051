"""Tags of programs for locked boards, and files of keys."""

from __future__ import annotations

import json
import os
import pickle
import stat

import numpy as np
import pytest

from tensorspin.compiler import NetworkProgram, ProgramFileError
from tensorspin.compiler.locking import (
    lock_program,
    new_lock_key,
    program_header,
    read_lock_key,
)
from tensorspin.compiler.program_lock import ProgramLock
from tensorspin.contract.contractor.chaskey import chaskey12
from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.wire.packets import SIGNED
from tests.support.loaded_programs import chain_program

PROGRAM = chain_program(5)
KEY = LockKey(bytes(range(16)), minimum=2)


def test_a_tag_is_that_of_what_lies_in_the_memories():
    locked = lock_program(PROGRAM, KEY, 3, lanes=(8, 16))
    assert [tag[:2] for tag in locked.lock.tags] == [(8, 0), (8, 1), (16, 0), (16, 1)]
    for lanes, signed, tag in locked.lock.tags:
        header = program_header(PROGRAM, lanes, signed, 3)
        assert header.features == 5 | SIGNED * signed and header.version == 3
        assert header.digest == PROGRAM.digest(lanes, signed) and header.components == 2
        image = PROGRAM.image(lanes, signed)
        image += bytes(16 * header.blocks - len(image))
        message = header.pack() + image + PROGRAM.table_bytes()
        assert tag == locked.lock.tag(lanes, signed) == chaskey12(KEY.key, message)
    assert locked.lock.tag(24, False) is None
    assert PROGRAM.lock is None


def test_a_file_keeps_the_tags_and_older_readers_pass_over_them(tmp_path):
    locked = lock_program(PROGRAM, KEY, 2)
    path = tmp_path / "model.npz"
    locked.save(path)
    assert NetworkProgram.load(path).lock == locked.lock
    with np.load(path) as archive:
        metadata = json.loads(str(archive["metadata"]))
    assert metadata["version"] == 6  # no reader refuses it that reads the program without tags
    assert KEY.key.hex() not in json.dumps(metadata)
    PROGRAM.save(path)
    assert NetworkProgram.load(path).lock is None


@pytest.mark.parametrize(
    "entry",
    [
        7,
        {},
        {"version": 1},
        {"version": 1, "tags": [{}]},
        {"version": "1", "tags": [{"lanes": 8, "signed": False, "tag": "00" * 16}]},
        {"version": 1, "tags": [{"lanes": 8, "signed": 0, "tag": "00" * 16}]},
        {"version": 1, "tags": [{"lanes": 8, "signed": False, "tag": "0g" * 16}]},
        {"version": 1, "tags": [{"lanes": 8, "signed": False, "tag": "00"}]},
        {"version": 0, "tags": []},
    ],
)
def test_damaged_tags_are_no_sound_program(entry, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="lock is|version must|a tag must"):
        ProgramLock.from_entry(entry)
    path = tmp_path / "model.npz"
    monkeypatch.setattr(ProgramLock, "entry", lambda self: entry)
    lock_program(PROGRAM, KEY, 2).save(path)
    with pytest.raises(ProgramFileError, match="is no sound program file"):
        NetworkProgram.load(path)


def test_a_pickle_of_an_earlier_version_is_not_locked():
    state = PROGRAM.__getstate__()
    del state["lock"]
    older = NetworkProgram.__new__(NetworkProgram)
    older.__setstate__(state)
    assert older.lock is None
    locked = lock_program(PROGRAM, KEY, 2)
    assert pickle.loads(pickle.dumps(locked)).lock == locked.lock


def test_versions_that_no_board_takes_are_refused():
    with pytest.raises(ValueError, match="version must be 2 or more, the least that boards"):
        lock_program(PROGRAM, KEY, 1)
    with pytest.raises(ValueError, match="version must be 1 to 4294967295, not 0"):
        lock_program(PROGRAM, KEY, 0)


def test_a_key_comes_back_from_its_file(tmp_path):
    path = tmp_path / "boards.key"
    key = new_lock_key(path, minimum=3)
    assert read_lock_key(path) == key and key.minimum == 3
    assert key.key != new_lock_key(tmp_path / "other.key").key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text(path.read_text().replace("version 3", "version 12").replace("\n", "\r\n"))
    assert read_lock_key(path) == LockKey(key.key, 12)
    with pytest.raises(FileExistsError, match="exists, and a key is never replaced"):
        new_lock_key(path)


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such permissions")
def test_a_key_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "boards.key"
    new_lock_key(path)
    path.chmod(0o640)
    with pytest.raises(PermissionError, match="readable by its owner alone"):
        read_lock_key(path)


@pytest.mark.parametrize(
    "text", ["", "key 00\n", "tensorspin-lock-key 2\nkey x\n", "\xff\xfe", "minimum-version 0"]
)
def test_what_is_no_key_is_refused(tmp_path, text):
    path = tmp_path / "boards.key"
    new_lock_key(path)
    good = path.read_text()
    for content in (text, good + text + "\nmore", good.replace("minimum-version 1", text)):
        path.write_text(content)
        with pytest.raises(ValueError, match="must hold the three lines of a lock's key"):
            read_lock_key(path)
    with pytest.raises(FileNotFoundError, match="tensorspin lock --new-key makes keys"):
        read_lock_key(tmp_path / "missing")
