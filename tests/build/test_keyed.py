"""A locked bitstream is given its key after place and route."""

from __future__ import annotations

import stat

import pytest

from tensorspin.compiler.locking import new_lock_key
from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.locked import lock_board
from tensorspin_gateware.boards import hardware_of
from tensorspin_gateware.build import bitstream, cache, keyed
from tensorspin_gateware.build.placed_memory import PLACED
from tensorspin_gateware.build.report import BuildReport
from tensorspin_gateware.build.top import BuildError
from tensorspin_gateware.router.lock import microcode
from tests.support.command_line import run
from tests.support.placed import design

KEY = LockKey(bytes(range(50, 66)), minimum=0x01020304)


@pytest.mark.parametrize("family", PLACED)
def test_the_key_is_put_where_the_known_one_was(family):
    placed = design(family, [7] * microcode.DEPTH, microcode.content())
    with_key = keyed.replace_key(placed, family, KEY)
    assert with_key == design(family, [7] * microcode.DEPTH, microcode.content(KEY.record()))
    assert KEY.key.hex() not in placed
    with pytest.raises(BuildError, match="has 0 block RAMs"):
        keyed.replace_key(with_key, family, KEY)


def test_without_a_key_no_version_is_new_enough():
    words = microcode.content()
    assert [words[microcode.KEY + place] >> 8 for place in range(16)] == [0] * 16
    assert len(words) == microcode.DEPTH and max(words) < 1 << 16


def test_boards_that_cannot_be_locked_are_refused():
    keyed.check_lockable("icebreaker")
    keyed.check_lockable("ulx3s_25f")
    for name, message in (
        ("icebreaker_annealer", "has no contractor, which alone can be locked"),
        ("protect/ulx3s_25f", "protected must be 0 where lock is 1"),
        ("nothing", "no board is called"),
    ):
        with pytest.raises(ValueError, match=message):
            keyed.check_lockable(name)


def test_a_design_that_breaks_the_rule_is_refused_with_its_numbers():
    for used, fits in ((4857, True), (4858, False)):
        report = BuildReport({"logic cells (LUTs)": (used, 5280)}, 50.0, 45.0)
        if fits:
            keyed.check_room("icebreaker", report)
        else:
            with pytest.raises(BuildError, match=r"4858 of 5280 look-up tables, 92.0%; .* 92%"):
                keyed.check_room("icebreaker", report)


@pytest.mark.parametrize(
    ("board", "file", "suffix"),
    [("icebreaker", "top.asc", ".bin"), ("ulx3s_25f", "top.config", ".bit")],
)
def test_the_bitstream_with_the_key_is_its_owners_alone(monkeypatch, tmp_path, board, file, suffix):
    family = hardware_of(find_board(board)).family
    work = tmp_path / "work"
    work.mkdir()
    (work / file).write_text(design(family, microcode.content()))
    (tmp_path / "out").mkdir()
    packed = []

    def pack(command, name, folder, progress):
        packed.append(((folder / file).read_text(), stat.S_IMODE(folder.stat().st_mode)))
        assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600
        (folder / f"top{suffix}").write_bytes(b"bits")

    monkeypatch.setattr(keyed, "packing_commands", lambda folder: [["packer"]])
    monkeypatch.setattr(keyed, "run_stage", pack)
    given = tmp_path / f"x{suffix}"
    for output in (None, tmp_path / "out"):
        for _ in range(2):
            path = keyed.put_key(given, board, KEY, output, lambda line: None)
            assert path == (output or tmp_path) / f"{board}-keyed{suffix}"
            assert path.read_bytes() == b"bits" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(packed) == {(design(family, microcode.content(KEY.record())), 0o700)}
    # Nothing of the key stays in the build's own folder.
    assert (work / file).read_text() == design(family, microcode.content())


def test_neither_digest_nor_folder_depends_on_the_key():
    row = find_board("icebreaker")
    locked = lock_board(row)
    assert locked.folder == "icebreaker-locked" and row.folder == "icebreaker"
    assert cache.build_digest(locked) != cache.build_digest(row)
    assert locked == lock_board(row, "") and "key_file=''" in repr(locked)


def test_the_command_refuses_before_it_builds(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(bitstream, "build", None)  # which is not called
    key = tmp_path / "boards.key"
    new_lock_key(key)
    for name, path, message in (
        ("icebreaker_annealer", key, "has no contractor, which alone can be locked"),
        ("icebreaker", tmp_path / "none", "there is no such file"),
    ):
        status, _, err = run(capsys, "bitstream", name, "--lock", path)
        assert status == 1 and message in err


def test_the_command_refuses_what_is_too_large(monkeypatch, capsys, tmp_path):
    key = tmp_path / "boards.key"
    new_lock_key(key)
    asked = []

    def build(board, progress, locked):
        asked.append(locked)
        return tmp_path / "icebreaker-locked.bin", BuildReport(
            {"logic cells (LUTs)": (4900, 5280)}, 50.0, 45.0
        )

    monkeypatch.setattr(bitstream, "build", build)
    monkeypatch.setattr(bitstream, "budget", lambda path, report: None)
    record = bitstream.BuildRecord("", "", "0123", 1, {}, 1.0, "", {})
    monkeypatch.setattr(bitstream, "build_record", lambda path: record)
    status, _, err = run(capsys, "bitstream", "icebreaker", "--lock", key)
    assert status == 1 and asked == [True]
    assert "icebreaker with a lock takes 4900 of 5280 look-up tables, 92.8%" in err
