"""Numbers say how they are known."""

from __future__ import annotations

import pytest

from tensorspin.feasibility.barriers import sources
from tensorspin.feasibility.barriers.figure import Barrier, Figure


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (3.3e-6, "s", "3.3 us"),
        (1200.0, "s", "1.2e+03 s"),
        (0, "s", "0 s"),
        (1270.0, "J", "1.27 kJ"),
        (0.981, "share", "98.1%"),
        (12345, "gates", "12,345 gates"),
        (2**60 - 2, "CNOTs", "1.15e+18 CNOTs"),
        (0.5, "", "0.5"),
        (float("inf"), "s", "inf s"),
        ("2.1", "", "2.1"),
        (None, "s", "not known"),
    ],
)
def test_people_read_numbers_with_their_units(value, unit, text):
    assert Figure(value, unit, "measured", "here").text == text


def test_a_number_without_kind_or_source_is_refused():
    with pytest.raises(ValueError, match="kind must be one of measured, simulated, .* not 'felt'"):
        Figure(1, "", "felt", "here")
    with pytest.raises(ValueError, match="needs a source"):
        Figure(1, "", "cited", "")


@pytest.mark.parametrize("value", [None, "2.1"])
def test_what_is_no_number_can_not_be_computed_with(value):
    with pytest.raises(TypeError, match="is no number"):
        _ = Figure(value, "", "measured", "here").number


@pytest.mark.parametrize(("load", "passed"), [(None, True), (1.0, True), (1.01, False)])
def test_a_barrier_is_passed_up_to_its_limit(load, passed):
    assert Barrier("noise", {}, "", load).passed is passed


def test_all_constants_have_sources():
    figures = [each for each in vars(sources).values() if isinstance(each, Figure)]
    figures += sources.BOARD_POWER.values()
    assert len(figures) > 10
    assert all(each.kind in ("cited", "modelled") for each in figures)
    assert all("assumed" in each.source for each in figures if each.kind == "modelled")
