"""Many clients at once get their own answers, in turn, also while others are killed."""

from __future__ import annotations

import pytest

from ...support.board_load import load
from ...support.servers import RunningBoards


def loaded(folder, clients, seconds, kill):
    server = RunningBoards(folder)
    try:
        told = load(server, clients, seconds, kill)
        left = server.metric('tensorspin_board_turns_total{board="icebreaker",end="left"}')
        waiting = server.metric("tensorspin_board_waiting")
    finally:
        server.stop()
    assert told["clients"] == clients and told["wrong"] == 0 and told["errors"] == []
    assert left == told["killed"] and waiting == 0
    return told


@pytest.mark.slow
def test_thirty_clients_at_once_while_others_are_killed_in_their_turns(tmp_path):
    told = loaded(tmp_path, clients=30, seconds=10.0, kill=True)
    assert told["fewest calls of a client"] >= 1 and told["killed"] >= 1


@pytest.mark.long
def test_two_hundred_clients_for_two_minutes(tmp_path):
    told = loaded(tmp_path, clients=200, seconds=120.0, kill=False)
    assert told["longest over share"] <= 3
    assert told["most memory, MB"] < 300
