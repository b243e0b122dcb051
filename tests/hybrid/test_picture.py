"""The picture of docs/hybrid.md is the one that the circuit's layout gives."""

from pathlib import Path

from tensorspin.hybrid.circuits.picture import FILE, draw

DOCS = Path(__file__).parents[2] / "docs"


def test_the_picture_in_the_docs_is_up_to_date():
    assert (DOCS / FILE).read_text() == draw()


def test_the_picture_shows_each_gate_once():
    picture = draw()
    assert picture.count("2 CNOTs") == 4 and picture.count("1 CNOT<") == 1
    assert all(f"RY(x{feature})" in picture for feature in range(6))
    assert picture.count("0 ?") == 6
