"""The timeline of `make demo-mcu`, of a sample whose times are known."""

from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pytest

from ..support.mcu_timeline import ENGINE, MEANING, Timeline, draw

US = 1e-6


def chip(*more):
    """A microcontroller that has run two samples: the second from 100 us to 130 us."""
    wires = [
        ("CS#", 102, 102, 0),
        ("COPI", 103, 104, 0x07),
        ("CIPO", 103, 104, 0),
        ("COPI", 104, 105, 0x80),
        ("CIPO", 104, 105, 0),
        ("CS#", 106, 106, 1),
        ("IRQ", 110, 110, 0),
        *more,
    ]
    return SimpleNamespace(
        marks=[(1, 0.0, 0), (0, 50 * US, 0), (1, 100 * US, 0), (0, 130 * US, 0)],
        wires=[(kind, begin * US, end * US, value) for kind, begin, end, value in wires],
    )


ANSWER = (
    ("IRQ", 120, 120, 1),
    ("CS#", 121, 121, 0),
    ("COPI", 122, 123, 0),
    ("CIPO", 122, 123, 9),
    ("CS#", 124, 124, 1),
)


def test_lines_tell_what_happens_in_its_order():
    assert Timeline.of(chip(*ANSWER), 1, 12.5 * US).lines() == [
        "     0.0 us  the call",
        "     2.0 us  CS# low for 2 bytes: the sample goes out",
        "     6.0 us  CS# high",
        "     7.5 us  the engine begins, by its 12.5 us",
        "    20.0 us  IRQ: bytes wait",
        "    21.0 us  CS# low for 1 bytes: the answer comes in",
        "    24.0 us  CS# high",
        "    30.0 us  the result",
    ]


def test_without_an_interrupt_nothing_tells_of_the_engine():
    found = Timeline.of(chip(), 1, 12.5 * US)
    assert found.raised is None and found.computing is None
    assert [line.split("  ")[-1] for line in found.lines()][-2:] == ["CS# high", "the result"]


@pytest.mark.parametrize("more", [ANSWER, ()])
def test_the_picture_has_bars_and_bits(tmp_path, more):
    path = tmp_path / "wires.png"
    draw(Timeline.of(chip(*more), 1, 12.5 * US), "One digit", path)
    pixels = (matplotlib.image.imread(path)[:, :, :3] * 255).round().astype(int)
    shown = {f"#{r:02x}{g:02x}{b:02x}" for r, g, b in np.unique(pixels.reshape(-1, 3), axis=0)}
    assert MEANING in shown and (ENGINE in shown) is bool(more)
