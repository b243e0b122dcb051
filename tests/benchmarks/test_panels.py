"""Colours tell boards from each other, and from the host."""

import colorsys

import pytest

from tensorspin.benchmarks.common.panels import HOST_COLOURS, alike, board_colours


@pytest.mark.parametrize("count", [0, 1, 5, 8, 9, 30])
def test_each_board_has_a_colour_that_is_no_grey(count):
    names = [f"board {place}" for place in range(count)]
    colours = board_colours([*names, *names])
    assert list(colours) == names and len(set(colours.values())) == count
    for colour in colours.values():
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        assert colorsys.rgb_to_hsv(*parts)[1] > 0.3, f"{colour} is nearly grey"
    assert not set(HOST_COLOURS) & set(colours.values())


def test_rows_that_show_the_same_are_together():
    rows = [{"a": 1, "b": 1}, {"a": 2, "b": 2}, {"a": 1, "b": 3}]
    assert alike(rows, lambda row: row["a"]) == [[rows[0], rows[2]], [rows[1]]]
