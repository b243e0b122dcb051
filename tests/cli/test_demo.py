"""The command ``tensorspin demo``."""

from __future__ import annotations

import re

from tensorspin.cli import demo
from tests.support.command_line import GOLDEN, document, run


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


def test_demo_as_json(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "QUICK", demo.Effort(bond_dim=2, epochs=2, images=5))
    words = ("demo", "--quick", "--board", GOLDEN, "--output", tmp_path)
    _, text, err = run(capsys, *words)
    assert "trained in" in err and text.startswith("Accuracy on 5 held-out images")
    found = document(capsys, *words, "--json")
    assert f"golden model  {found['accuracy']['golden_model']:8.2%}" in text
    assert f" {found['cycles_per_image']:.0f}  (counted by the board)" in text
    assert f"{found['multiplier_utilisation']:.1%}" in text
    assert found["promised_cycles"] == found["cycles_per_image"] and found["images"] == 5
    assert not any(found["differences"].values()) and found["figure"].endswith("demo.png")
