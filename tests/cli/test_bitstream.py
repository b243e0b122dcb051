"""`tensorspin bitstream` builds and hands over, and says what is missing."""

import sys
from pathlib import Path

import pytest

from tensorspin.cli.main import main
from tensorspin_gateware.build import bitstream
from tensorspin_gateware.build.parts import PartBudget
from tensorspin_gateware.build.report import BuildReport
from tests.support.command_line import document, run


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """What the build is asked for, which gives a report of made-up numbers."""
    asked = []
    report = BuildReport({"LUTs": (120, 5280)}, 40.0, 30.0)

    def build(board, progress, locked=False):
        progress(f"{board}: elaborating ...")
        (tmp_path / "icebreaker.bin").write_bytes(b"bits")
        return tmp_path / "icebreaker.bin", report

    def check_request(*options):
        asked.append(options)

    monkeypatch.setattr(bitstream, "check_request", check_request)
    monkeypatch.setattr(bitstream, "build", build)
    monkeypatch.setattr(
        bitstream,
        "build_record",
        lambda path: bitstream.BuildRecord("", "", "0123", 1, {}, 1.0, "", {}),
    )
    parts = PartBudget({"contractor": 80, "link": 30}, 10, 5280)
    monkeypatch.setattr(bitstream, "budget", lambda path, report: parts)
    return asked


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ((), ("icebreaker", False, None)),
        (("--output", "there"), ("icebreaker", False, Path("there"))),
    ],
)
def test_a_bitstream_is_built_and_handed_over(asked, monkeypatch, tmp_path, capsys, words, wanted):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    status, out, err = run(capsys, "bitstream", "icebreaker", *words)
    path = tmp_path / (wanted[2] or "") / "icebreaker.bin"
    assert status == 0 and asked == [wanted]
    assert "LUTs" in out and "link                              30   0.6%" in out
    assert out.splitlines()[-1] == f"bitstream  {path}"
    assert err.splitlines()[0] == "icebreaker: elaborating ..." and path.read_bytes() == b"bits"


def test_the_document_has_the_numbers(asked, tmp_path, capsys):
    assert document(capsys, "bitstream", "icebreaker", "--json") == {
        "command": "bitstream",
        "board": "icebreaker",
        "build": "0123",
        "resources": {"LUTs": {"used": 120, "available": 5280}},
        "cells_by_part": {"contractor": 80, "link": 30},
        "greatest_clock_hz": 40e6,
        "clock_hz": 30e6,
        "path": str(tmp_path / "icebreaker.bin"),
    }


def test_what_is_too_slow_is_not_handed_over(asked, monkeypatch, tmp_path, capsys):
    slow = BuildReport({}, 29.0, 30.0)
    monkeypatch.setattr(
        bitstream, "build", lambda *_, **options: (tmp_path / "icebreaker.bin", slow)
    )
    status, out, err = run(capsys, "bitstream", "icebreaker", "--output", str(tmp_path))
    assert status == 1 and "NOT MET" in out
    assert "icebreaker: too slow, 29.0 MHz for a clock of 30.0 MHz and 5% more" in err


def test_without_the_gateware_the_command_says_what_to_install(monkeypatch, capsys):
    monkeypatch.delattr("tensorspin_gateware.build.bitstream")
    monkeypatch.setitem(sys.modules, "tensorspin_gateware.build.bitstream", None)
    assert main(["bitstream", "icebreaker"]) == 1
    error = capsys.readouterr().err
    assert "pip install '.[gateware]'" in error and "pip install 'WHEEL[gateware]'" in error
    assert error.count("\n") == 1
