"""The pictures of the wiring show the pins of the table, and the checkout keeps the newest ones."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build.wiring import PICTURES, SIGNALS, draw, write

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_those_that_are_drawn_now(name, tmp_path):
    write(tmp_path)
    kept = (DOCS / name).read_text()
    assert kept == (tmp_path / name).read_text(), "run python -m tensorspin_gateware.build.wiring"


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_show_each_signal_with_its_pins(name):
    picture = PICTURES[name]
    root = ElementTree.fromstring(draw(picture))
    words = [element.text for element in root if element.tag.endswith("text")]
    row = HARDWARE[picture.board].spi
    for signal, (label, _) in SIGNALS.items():
        place = words.index(label)
        assert words[place + 1] == picture.pins[signal]
        assert words[place + 2] == picture.pin + getattr(row, signal)


def test_tables_of_the_documents_have_the_same_pins():
    text = (DOCS / "coprocessor.md").read_text()
    pico, pi = PICTURES["wiring_pico.svg"], PICTURES["wiring_raspberry_pi.svg"]
    for signal, (label, _) in SIGNALS.items():
        (row,) = re.findall(rf"\| {label} \|.*", text)
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[3] == getattr(HARDWARE[pico.board].spi, signal)
        assert cells[4] == pico.pins[signal]
        assert cells[5] == "GPIO " + getattr(HARDWARE[pi.board].spi, signal)
        assert cells[6] == pi.pins[signal]
