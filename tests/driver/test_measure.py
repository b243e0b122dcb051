"""How long the link is measured: on the transport's clock and on the computer's."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from tensorspin.driver.link import measure
from tests.support.doubles import golden_board


def test_the_computers_clock_ends_a_measurement(monkeypatch):
    # Each look at the clock finds it a tenth of a second later, as with a slow simulation.
    looks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: 0.1 * next(looks))
    monkeypatch.setattr(measure, "time", clock)
    with golden_board() as board:
        report = board.link_test(measure.MOST_SECONDS, wall_seconds=8.0)
    # The round trips end before, after their number.
    assert 60 < next(looks) < 100
    assert report.to_device > 0 and report.from_device > 0


def test_the_transports_clock_ends_a_measurement(monkeypatch):
    monkeypatch.setattr(measure, "time", SimpleNamespace(monotonic=lambda: 0.0))
    with golden_board() as board:
        before = board._session.line.now()
        board.link_test(0.5, wall_seconds=1e-6)
        assert 0.3 < board._session.line.now() - before < 0.8


def test_progress_grows_to_100_percent():
    told = []
    with golden_board() as board:
        board.link_test(0.3, progress=lambda done, total: told.append((done, total)))
    done = [part for part, _ in told]
    assert done == sorted(done) and done[0] < 25 and done[-1] == 100
    assert {total for _, total in told} == {100}


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_limit_that_is_no_time(seconds):
    with (
        golden_board() as board,
        pytest.raises(ValueError, match="wall_seconds must be more than 0, not"),
    ):
        board.link_test(1.0, wall_seconds=seconds)
