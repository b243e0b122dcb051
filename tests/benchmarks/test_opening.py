"""Boards are opened in turn, and what cannot be opened is refused before anything is measured."""

import threading
from types import SimpleNamespace

import pytest

from tensorspin.benchmarks.contractor import opening
from tensorspin.benchmarks.contractor.opening import Boards
from tensorspin.driver.board import Board
from tensorspin.driver.transports import parse_virtual
from tensorspin.errors import TensorspinError

GOLDEN = "golden://icebreaker"
SIMULATED = [f"sim://{name}" for name in ("icebreaker", "ulx3s_25f", "ulx3s_45f")]
PATIENCE = 60
"""Seconds after which a thread that is waited for would be taken for one that never comes."""


class Compiler:
    """Stands in for simulators: each takes until it is released."""

    def __init__(self):
        self.released = {url: threading.Event() for url in SIMULATED}
        self.opened, self.closed = [], []

    def open(self, url):
        if url == GOLDEN:
            return Board.open(url)
        assert self.released[url].wait(PATIENCE)
        self.opened.append(url)
        return SimulatedBoard(url, self.closed)


class SimulatedBoard:
    def __init__(self, url, closed):
        self.url, self._closed = url, closed

    def close(self):
        self._closed.append(self.url)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


@pytest.fixture
def compiler(monkeypatch):
    compiler = Compiler()
    monkeypatch.setattr(opening, "Board", SimpleNamespace(open=compiler.open))
    monkeypatch.setattr(opening, "check_virtual", lambda url: parse_virtual(url)[1])
    return compiler


def test_a_board_is_there_while_others_are_compiled(compiler):
    with Boards([GOLDEN, *SIMULATED, GOLDEN]) as boards:
        turn = boards.in_turn()
        assert next(turn)[0] == GOLDEN and compiler.opened == []
        for place, url in enumerate(SIMULATED):
            compiler.released[url].set()
            found, board = next(turn)
            assert found == board.url == url
            assert compiler.opened == SIMULATED[: place + 1] and compiler.closed == []
        assert list(turn) == []
    assert sorted(compiler.closed) == sorted(SIMULATED)


def test_what_was_begun_is_closed_if_a_measurement_fails(compiler):
    for released in compiler.released.values():
        released.set()
    with pytest.raises(ZeroDivisionError), Boards(SIMULATED) as boards:
        for _ in boards.in_turn():
            raise ZeroDivisionError
    # Some may not have been begun.
    assert compiler.closed and sorted(compiler.closed) == sorted(compiler.opened)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sim://nonesuch", "no board is called 'nonesuch'"),
        ("golden://nonesuch", "no board is called 'nonesuch'"),
        ("sim://ulx3s_25f_annealer", "no contractor"),
        ("golden://ulx3s_25f_annealer", "no contractor"),
        ("/dev/ttyNOTHING", "there is no port /dev/ttyNOTHING"),
    ],
)
def test_boards_that_cannot_be_measured_are_refused_at_once(url, message):
    with pytest.raises((TensorspinError, ValueError), match=message):
        Boards([GOLDEN, url])


def test_a_missing_tool_is_told_at_once(monkeypatch):
    toolchain = pytest.importorskip("tensorspin_gateware.build.toolchain")
    find = toolchain._find
    monkeypatch.setattr(toolchain, "_find", lambda tool: None if tool == "perl" else find(tool))
    with pytest.raises(TensorspinError, match="cannot open sim://icebreaker: perl was not found"):
        Boards([GOLDEN, "sim://icebreaker"])
