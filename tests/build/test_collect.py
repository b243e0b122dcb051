"""What `make dist` collects: good bitstreams, and checksums of everything."""

import dataclasses
import hashlib
import subprocess
from pathlib import Path

import pytest

from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import cache, collect
from tensorspin_gateware.build.record_files import read_records

RECORDS = read_records(Path(__file__).parents[2] / "docs")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Bitstreams of three boards; the second is damaged, and the third has no record."""
    names = ("icebreaker", "ulx3s_25f", "icestick_x")
    monkeypatch.setitem(HARDWARE, "icestick_x", HARDWARE["icebreaker"])
    monkeypatch.setattr(cache, "path", lambda name: tmp_path / "build" / name)
    builds = {"icebreaker": RECORDS["icebreaker"].build, "ulx3s_25f": None, "icestick_x": "0" * 16}
    monkeypatch.setattr(collect, "last_build", builds.__getitem__)
    for name in names:
        folder = cache.directory(name)
        (folder / f"{name}{HARDWARE[name].suffix}").write_bytes(name.encode())
    folder = tmp_path / "dist"
    folder.mkdir()
    (folder / "tensorspin.whl").write_bytes(b"wheel")
    return folder


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_good_bitstreams_are_collected_with_checksums(built):
    lines = []
    copied = collect.collect(built, RECORDS, lines.append)
    names = {"bitstreams/icebreaker.bin", "bitstreams/icestick_x.bin"}
    assert {str(path.relative_to(built)) for path in copied} == names
    assert files(built) == names | {"tensorspin.whl", "SHA256SUMS"}
    assert [line for line in lines if "left out" in line] == [
        "ulx3s_25f: left out, damaged or too slow; build it again"
    ]
    sums = (built / "SHA256SUMS").read_text().splitlines()
    assert f"{hashlib.sha256(b'wheel').hexdigest()}  tensorspin.whl" in sums
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=built)
    assert done.returncode == 0 and len(sums) == 3


def test_a_bitstream_of_other_sources_is_left_out(built):
    lines = []
    other = {**RECORDS, "icebreaker": dataclasses.replace(RECORDS["icebreaker"], build="f" * 16)}
    assert [path.name for path in collect.collect(built, other, lines.append)] == ["icestick_x.bin"]
    assert f"its build is {RECORDS['icebreaker'].build}, not {'f' * 16}" in " ".join(lines)


def test_the_command_collects_again(built, capsys):
    for _ in range(2):
        assert collect.main([str(built)]) == 0
        assert "2 bitstreams, checksums in SHA256SUMS" in capsys.readouterr().out
    assert len((built / "SHA256SUMS").read_text().splitlines()) == 3


@pytest.mark.parametrize("words", [[], ["none"], ["a", "b"]])
def test_wrong_arguments_are_refused(words, capsys):
    assert collect.main(words) == 2
    assert "usage" in capsys.readouterr().err
