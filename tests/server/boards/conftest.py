"""These tests need the extras ``serve`` and ``hybrid``, which `make test-hybrid` installs."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needed = ("fastapi", "websockets", "trustme")
collect_ignore_glob = [] if all(map(find_spec, needed)) else ["test_*.py"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a contractor, an annealer, and a board that has both, all golden models."""
    from ...support.servers import RunningBoards

    boards = ("golden://icebreaker", "golden://icebreaker_annealer", "golden://ulx3s_25f_both")
    running = RunningBoards(tmp_path_factory.mktemp("boards"), boards=boards)
    yield running
    running.stop()


@pytest.fixture
def opened(server):
    """Opens boards of the server by their names; they are closed at the end."""
    from tensorspin.driver.board import Board

    boards = []

    def open_board(name="icebreaker", **others):
        boards.append(Board.open(f"{server.url}/{name}", **server.arguments(**others)))
        return boards[-1]

    yield open_board
    for board in boards:
        board.close()
