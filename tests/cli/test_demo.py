"""The command ``tensorspin demo``."""

from __future__ import annotations

import re

from tests.support.command_line import GOLDEN, run


def test_quick_demo_on_the_golden_board(capsys, tmp_path):
    status, out, _ = run(capsys, "demo", "--quick", "--board", GOLDEN, "--output", tmp_path)
    assert status == 0
    assert "agree on every bit of all 600 scores" in out
    assert re.search(r"multiplier utilisation +\d+\.\d%", out)
    assert (tmp_path / "demo.png").stat().st_size > 10_000
    assert (tmp_path / "digits.npz").exists()


def test_what_can_not_be_written_is_found_before_the_training(capsys, tmp_path, monkeypatch):
    monkeypatch.delattr("tensorspin.cli.demo._train")
    (tmp_path / "digits.npz").mkdir()
    status, out, err = run(capsys, "demo", "--quick", "--board", GOLDEN, "--output", tmp_path)
    assert status == 1 and not out
    assert "digits.npz: it is a folder; name a file" in err
