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
