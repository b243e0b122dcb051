"""The command ``tensorspin link-test``."""

from __future__ import annotations

import re

from tensorspin.cli import link_test
from tensorspin.driver import Board
from tensorspin.driver.link.line import LinkStatistics
from tensorspin.driver.link.measure import LinkReport
from tests.support.command_line import GOLDEN, run


def test_link_test(capsys):
    status, out, err = run(capsys, "link-test", GOLDEN, "--seconds", "0.2")
    assert status == 0
    assert re.search(r"round trip [\d.]+ ms, to the device [\d.]+ kB/s", out)
    assert "measuring" not in err


def test_progress_is_shown_if_it_takes_longer(capsys, monkeypatch):
    monkeypatch.setattr(link_test, "_BAR_DELAY", 0.0)
    status, out, err = run(capsys, "link-test", GOLDEN, "--seconds", "0.2")
    assert status == 0 and "measuring" not in out
    assert re.search(r"measuring: 100%", err)


def test_seconds_limit_the_time_of_a_simulation_too(capsys, monkeypatch):
    limits = []

    def measure(board, seconds, wall_seconds, progress):
        limits.append((seconds, wall_seconds))
        return LinkReport(0.001, 1e4, 2e4, "a line", LinkStatistics())

    monkeypatch.setattr(Board, "link_test", measure)
    assert "serial line: a line\n" in run(capsys, "link-test", GOLDEN)[1]
    assert run(capsys, "link-test", GOLDEN, "--seconds", "5")[0] == 0
    assert limits == [(2.0, 2.0), (5.0, 5.0)]
