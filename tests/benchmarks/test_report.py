"""Reports of the benchmarks: written whole, as UTF-8, and printed whatever the terminal shows."""

from __future__ import annotations

import io
import sys

import pytest

from tensorspin.benchmarks.common.report import Renderer

RENDERER = Renderer("speed", 1, lambda report: f"{report['value']} ± 1\n", lambda *_: [])


def test_tables_are_utf_8_and_a_narrow_terminal_shows_escapes(tmp_path, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert RENDERER.run(tmp_path, lambda keep: {"format": 1, "value": 5}) == 0
    assert (tmp_path / "speed.md").read_text(encoding="utf-8") == "5 ± 1\n"
    terminal.flush()
    assert b"5 \\xb1 1" in terminal.buffer.getvalue()
    assert RENDERER.run(tmp_path, None) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["speed.json", "speed.md"]


def test_a_report_that_can_not_be_written_leaves_the_last_one(tmp_path, capsys):
    def measure(keep):
        keep({"format": 1, "value": 5})
        return {"format": 1, "value": "half a pair: \ud800"}

    # JSON has escapes for it, the table has not.
    assert RENDERER.run(tmp_path, lambda keep: {"format": 1, "value": 4}) == 0
    assert RENDERER.run(tmp_path, measure) == 1
    assert (tmp_path / "speed.md").read_text(encoding="utf-8") == "4 ± 1\n"
    assert "surrogates not allowed" in capsys.readouterr().err


def test_what_can_not_be_replaced_is_found_before_anything_is_measured(tmp_path, capsys):
    (tmp_path / "speed.md").mkdir()
    assert RENDERER.run(tmp_path, lambda keep: pytest.fail("measured")) == 1
    assert "speed.md: it is a folder; name a file" in capsys.readouterr().err


def test_an_interrupted_report_is_the_last_that_was_kept(tmp_path):
    def measure(keep):
        keep({"format": 1, "value": 5})
        with pytest.raises(TypeError):
            keep({"format": 1, "value": object()})
        raise KeyboardInterrupt

    assert RENDERER.run(tmp_path, measure) == 130
    assert '"value": 5' in (tmp_path / "speed.json").read_text(encoding="utf-8")
