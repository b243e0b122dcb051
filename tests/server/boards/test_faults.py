"""Clients that die, a server that dies or stops, a board that is unplugged, a full queue."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tensorspin import Board
from tensorspin.driver.bridge import Bridge
from tensorspin.errors import BoardBusyError, TransportError

from ...support.doubles import assert_answers
from ...support.loaded_programs import chain_program, golden_answers, random_levels
from ...support.servers import ROOT, RunningBoards

MINE = chain_program(seed=0)
LEVELS = random_levels(20)

HOLDER = """
import sys, time
from tensorspin import Board
board = Board.open(sys.argv[1])
with board.exclusive():
    board.status()
    print("has it", flush=True)
    time.sleep(600)
"""
"""A client that takes its turn and never ends it."""


@contextlib.contextmanager
def holder(url):
    """Such a client in a process of its own."""
    paths = os.pathsep.join([str(ROOT / "sw"), str(ROOT / "hw")])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "has it\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A server without TLS and tokens, with a small queue and short turns."""
    folder = tmp_path_factory.mktemp("plain")
    options = ("--queue", "2", "--idle", "3")
    running = RunningBoards(folder, *options, clear=True)
    running.board = f"{running.url}/icebreaker"
    yield running
    running.stop()


def answers(board):
    board.load(MINE)
    assert_answers(board.run(LEVELS), golden_answers(MINE, LEVELS))


def ended(plain, how):
    return plain.metric(f'tensorspin_board_turns_total{{board="icebreaker",end="{how}"}}')


def test_a_client_that_is_killed_gives_the_board_to_the_next(plain):
    before = ended(plain, "left")
    with Board.open(plain.board) as board, holder(plain.board) as process:
        thread = threading.Thread(target=answers, args=[board])
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        process.send_signal(signal.SIGKILL)
        thread.join(1.5)  # at once, and not when the turn has been idle for too long
        assert not thread.is_alive()
    assert ended(plain, "left") == before + 1


def test_a_client_that_hangs_loses_the_board_when_others_wait(plain):
    before = ended(plain, "idle")
    with holder(plain.board) as process, Board.open(plain.board) as board:
        process.send_signal(signal.SIGSTOP)
        answers(board)
    assert ended(plain, "idle") == before + 1


def test_who_has_lost_its_turn_is_told_why_and_has_nothing_wrong(plain):
    with Board.open(plain.board) as slow, Board.open(plain.board) as other:
        with pytest.raises(TransportError, match="ended after 3 s without a request"):
            with slow.exclusive():
                slow.load(MINE)
                answers(other)  # which waits until the turn is over
                slow.run(LEVELS)
        assert_answers(slow.run(LEVELS), golden_answers(MINE, LEVELS))


def test_a_full_queue_is_told_and_who_has_time_comes_back(plain):
    with Board.open(plain.board) as first, contextlib.ExitStack() as stack:
        others = [stack.enter_context(Board.open(plain.board)) for _ in range(4)]
        hurried = stack.enter_context(Board.open(plain.board, queue_timeout=0.01))
        done = []

        def use(board):
            answers(board)
            done.append(board)

        threads = [threading.Thread(target=use, args=[board]) for board in others]
        with first.exclusive():
            first.status()
            for thread in threads:
                thread.start()
            while plain.ask("GET", "/v1/boards/icebreaker")[2]["waiting"] < 2:
                time.sleep(0.01)
            with pytest.raises(BoardBusyError, match="2 clients wait for icebreaker already"):
                hurried.status()
        for thread in threads:
            thread.join(60)
        assert len(done) == 4
    assert plain.metric('tensorspin_board_refused_total{board="icebreaker"}') >= 1


def test_a_server_that_is_killed_is_told_and_clients_go_on_when_it_is_back(tmp_path):
    running = RunningBoards(tmp_path)
    board = Board.open(f"{running.url}/icebreaker", **running.arguments())
    try:
        answers(board)
        running.stop(signal.SIGKILL)
        with pytest.raises(TransportError, match="nobody listens at https://127.0.0.1"):
            board.run(LEVELS)
        running.start()
        assert_answers(board.run(LEVELS), golden_answers(MINE, LEVELS))
        with board.exclusive():
            board.status()
            running.stop(signal.SIGKILL)
            with pytest.raises(TransportError, match="lost the server of .*not done"):
                board.run(LEVELS)
            with pytest.raises(TransportError, match="in a new turn"):
                board.run(LEVELS)
        running.start()
        assert_answers(board.run(LEVELS), golden_answers(MINE, LEVELS))
    finally:
        board.close()
        running.stop()


def test_a_server_that_stops_lets_turns_end_and_refuses_those_that_wait(tmp_path):
    running = RunningBoards(tmp_path, clear=True)
    url = f"{running.url}/icebreaker"
    refused = []
    with Board.open(url) as first, Board.open(url) as second:

        def use():
            with pytest.raises(TransportError, match="being stopped") as caught:
                second.status()
            refused.append(caught)

        with first.exclusive():
            first.load(MINE)
            thread = threading.Thread(target=use)
            thread.start()
            while not running.ask("GET", "/v1/boards/icebreaker")[2]["waiting"]:
                time.sleep(0.01)
            running.process.send_signal(signal.SIGTERM)
            thread.join(30)
            assert refused
            assert_answers(first.run(LEVELS), golden_answers(MINE, LEVELS))
            assert running.process.poll() is None
        assert running.process.wait(30) == 0
        with pytest.raises(TransportError, match="nobody listens"):
            first.status()
    running.stop()


def test_a_second_signal_stops_at_once(tmp_path):
    running = RunningBoards(tmp_path, clear=True)
    with Board.open(f"{running.url}/icebreaker") as board, board.exclusive():
        board.status()
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert running.process.poll() is None
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(20) is not None
        with pytest.raises(TransportError, match="lost the server"):
            board.status()
    running.stop()


def bridge(port=0):
    """A golden board at a port, as another program's."""
    made = Bridge("golden://icebreaker", tcp=("127.0.0.1", port))
    thread = threading.Thread(target=made.serve)
    thread.start()

    def unplug():
        made.stop()
        thread.join()
        made.close()

    return made.url, unplug


def test_a_board_that_is_unplugged_is_told_and_used_again_when_it_is_back(tmp_path):
    url, unplug = bridge()
    running = RunningBoards(tmp_path, boards=(f"desk={url}",), clear=True)
    try:
        with Board.open(f"{running.url}/desk", timeout=20.0) as board:  # a loaded computer, too
            answers(board)
            unplug()
            with pytest.raises(TransportError, match="lost"):
                board.run(LEVELS)
            told = running.ask("GET", "/v1/boards")[2]["boards"][0]
            assert not told["up"] and "lost the board desk" in told["problem"]
            assert running.metric('tensorspin_board_up{board="desk"}') == 0
            with pytest.raises(TransportError, match="lost the board desk"):
                board.status()
            _, unplug = bridge(int(url.rpartition(":")[2]))
            while not running.ask("GET", "/v1/boards/desk")[2]["up"]:
                time.sleep(0.1)
            assert_answers(board.run(LEVELS), golden_answers(MINE, LEVELS))
    finally:
        running.stop()
        unplug()
