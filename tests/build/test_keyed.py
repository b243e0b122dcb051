"""A locked bitstream is given its key after place and route."""

from __future__ import annotations

import json
import random
import stat

import pytest

from tensorspin.compiler.locking import new_lock_key
from tensorspin.contract.contractor.lock import LockKey
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.locked import lock_board
from tensorspin_gateware.build import bitstream, cache, keyed
from tensorspin_gateware.build.report import BuildReport
from tensorspin_gateware.build.top import BuildError
from tensorspin_gateware.router.lock import LockCheck, microcode
from tests.support.command_line import run
from tests.support.synthesis import TOP, synthesise

KEY = LockKey(bytes(range(50, 66)), minimum=0x01020304)


def design(*contents: list[int]) -> str:
    """A placed design with block RAMs."""
    rams = "".join(
        f".ram_data 6 {2 * row + 1}\n{keyed._rows(words)}\n" for row, words in enumerate(contents)
    )
    return f".comment placed\n.device 5k\n.logic_tile 1 1\n0101\n\n{rams}.sym 4 name\n"


def test_the_key_is_put_where_the_known_one_was_and_nowhere_else():
    rng = random.Random(0)
    others = [[rng.getrandbits(16) for _ in range(256)] for _ in range(2)]
    placed = design(others[0], microcode.content(), others[1])
    with_key = keyed.replace_key(placed, KEY)
    assert with_key == design(others[0], microcode.content(KEY.record()), others[1])
    # Words of 16 bits, 16 in a line, the last one of a line first. Bits 0, 1, 2, 3, ... of a word
    # stand at 0, 8, 4, 12, ...
    lines = with_key.split(".ram_data 6 3\n")[1].splitlines()
    first, second = KEY.record()[16:18]
    assert (first, second) == (100, 102)
    assert lines[15][-8:] == "05500450"  # bits 1, 2, 5, 6 and 2, 5, 6
    assert KEY.key.hex() not in placed


@pytest.mark.parametrize("count", [0, 2])
def test_a_design_without_the_microcode_or_with_two_is_refused(count):
    with pytest.raises(BuildError, match=f"has {count} block RAMs with the microcode of a lock"):
        keyed.replace_key(design(*[microcode.content()] * count), KEY)
    with pytest.raises(BuildError, match="has 0 block RAMs"):
        keyed.replace_key(design(microcode.content(KEY.record())), KEY)


def test_without_a_key_no_version_is_new_enough():
    words = microcode.content()
    assert [words[microcode.KEY + place] >> 8 for place in range(16)] == [0] * 16
    assert len(words) == microcode.DEPTH and max(words) < 1 << 16


def test_boards_that_cannot_be_locked_are_refused():
    keyed.check_lockable("icebreaker")
    for name, message in (
        ("icebreaker_annealer", "has no contractor, which alone can be locked"),
        ("ulx3s_25f", "keys are put into the block RAM of iCE40 alone so far"),
        ("nothing", "no board is called"),
    ):
        with pytest.raises(ValueError, match=message):
            keyed.check_lockable(name)


def test_a_design_that_breaks_the_rule_is_refused_with_its_numbers():
    for used, fits in ((4752, True), (4753, False)):
        report = BuildReport({"logic cells (LUTs)": (used, 5280)}, 50.0, 45.0)
        if fits:
            keyed.check_room("icebreaker", report)
        else:
            with pytest.raises(BuildError, match=r"takes 4753 of 5280 logic cells, 90.0%; .* 90%"):
                keyed.check_room("icebreaker", report)


def test_the_bitstream_with_the_key_is_its_owners_alone(monkeypatch, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "top.asc").write_text(design(microcode.content()))
    (tmp_path / "out").mkdir()
    packed = []

    def pack(command, name, folder, progress):
        packed.append(((folder / "top.asc").read_text(), stat.S_IMODE(folder.stat().st_mode)))
        assert stat.S_IMODE((folder / "top.asc").stat().st_mode) == 0o600
        (folder / "top.bin").write_bytes(b"bits")

    monkeypatch.setattr(keyed, "packing_commands", lambda folder: [["icepack"]])
    monkeypatch.setattr(keyed, "run_stage", pack)
    for output in (None, tmp_path / "out"):
        for _ in range(2):
            path = keyed.put_key(tmp_path / "x.bin", "icebreaker", KEY, output, lambda line: None)
            assert path == (output or tmp_path) / "icebreaker-keyed.bin"
            assert path.read_bytes() == b"bits" and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(packed) == {(design(microcode.content(KEY.record())), 0o700)}
    # Nothing of the key stays in the build's own folder.
    assert (work / "top.asc").read_text() == design(microcode.content())


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
        ("ulx3s_25f", key, "iCE40 alone so far"),
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
    assert "icebreaker with a lock takes 4900 of 5280 logic cells, 92.8%" in err


@pytest.mark.slow
def test_synthesis_lays_the_key_out_so(tmp_path):
    """As nextpnr finds it: the initial content of a block RAM."""
    size = lock_board(find_board("icebreaker")).require_contractor()
    text = synthesise(LockCheck(size), "icebreaker", tmp_path, "write_json")
    cells = json.loads(text)["modules"][TOP]["cells"].values()
    rams = [cell["parameters"] for cell in cells if cell["type"].startswith("SB_RAM40")]
    rows = [
        [f"{int(ram[f'INIT_{row:X}'].replace('x', '0'), 2):064x}" for row in range(16)]
        for ram in rams
    ]
    assert rows.count(keyed._rows(microcode.content()).splitlines()) == 1
