"""Many clients at one board: ``python -m tests.support.board_load``.

The clients load programs of their own, ask all at once, and compare each answer with the golden
model's. With ``--kill`` other clients are killed in the middle of their turns, which hold the board
for as long as that takes. Prints how long clients have waited beside their fair share, and the
memory of the server.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import statistics
import tempfile
import threading
import time
from pathlib import Path

from tensorspin import Board
from tensorspin.errors import TensorspinError
from tensorspin.server.tokens import add_token

from .doubles import assert_answers
from .loaded_programs import chain_program, golden_answers, random_levels
from .servers import RunningBoards

PROCESSES = 8
"""Processes that the clients are in: one alone would be busier than the server."""

PAUSE = 3.0
"""Seconds between two clients that are killed."""

PROGRAMS = 4
SAMPLES = 4


def one_client(url, arguments, seconds, place, barrier, outcomes):
    """Ask until the time is over: (seconds of each call, wrong answers, errors)."""
    program = chain_program(seed=place % PROGRAMS)
    levels = random_levels(SAMPLES, seed=place)
    expected = golden_answers(program, levels)
    waits, wrong, errors = [], 0, []
    try:
        with Board.open(url, **arguments) as board:
            board.load(program)
            barrier.wait()
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                begins = time.monotonic()
                found = board.run(levels)
                waits.append(time.monotonic() - begins)
                try:
                    assert_answers(found, expected)
                except AssertionError:
                    wrong += 1
    except (TensorspinError, threading.BrokenBarrierError) as error:
        errors.append(str(error))
        barrier.abort()  # nobody waits for a client that could not begin
    outcomes.append((waits, wrong, errors))


def several_clients(url, clients, seconds, barrier, queue):
    """Several clients, each on a thread of its own; they begin when all boards are open."""
    outcomes = []
    threads = [
        threading.Thread(target=one_client, args=(url, said, seconds, place, barrier, outcomes))
        for place, said in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(outcomes)


def victim(url, arguments, has_it):
    """Take a turn, and never end it."""
    with Board.open(url, **arguments) as board, board.exclusive():
        board.load(chain_program(seed=9))
        has_it.set()
        time.sleep(600)


def kill_some(context, url, arguments, seconds):
    """Kill clients in the middle of a turn, one after the other; give how many."""
    ends, killed = time.monotonic() + seconds, 0
    while time.monotonic() < ends - PAUSE:
        has_it = context.Event()
        process = context.Process(target=victim, args=(url, arguments, has_it))
        process.start()
        killed += has_it.wait(60)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        time.sleep(PAUSE)
    return killed


def load(server, clients, seconds, kill=False):
    """Let clients, each with its own token, ask all at once; tell of it."""
    url = f"{server.url}/icebreaker"
    arguments = []
    for place in range(clients):
        token, _ = add_token(server.token_file, f"client-{place}-{time.time_ns()}", None)
        arguments.append((place, server.arguments(token=token, queue_timeout=120.0)))
    context = multiprocessing.get_context("spawn")
    queue, barrier = context.Queue(), context.Barrier(clients)
    processes = [
        context.Process(
            target=several_clients,
            args=(url, arguments[number::PROCESSES], seconds, barrier, queue),
        )
        for number in range(min(PROCESSES, clients))
    ]
    for process in processes:
        process.start()
    peak, done, killed = [], threading.Event(), [0]

    def watch():
        while not done.wait(1.0):
            peak.append(server.metric("process_resident_memory_bytes") / 1e6)

    watcher = threading.Thread(target=watch)
    watcher.start()
    if kill:
        killed[0] = kill_some(context, url, server.arguments(), seconds)
    outcomes = [outcome for _ in processes for outcome in queue.get()]
    for process in processes:
        process.join()
    done.set()
    watcher.join()
    return {**_told(outcomes, seconds), "killed": killed[0], "most memory, MB": round(max(peak), 1)}


def _told(outcomes, seconds):
    calls = [wait for waits, *_ in outcomes for wait in waits]
    # In one round each client has one turn: the time for a round is the fair share of a wait.
    share = seconds * len(outcomes) / max(1, len(calls))
    return {
        "clients": len(outcomes),
        "calls": len(calls),
        "fewest calls of a client": min(len(waits) for waits, *_ in outcomes),
        "wrong": sum(wrong for _, wrong, _ in outcomes),
        "errors": sorted({error for *_, errors in outcomes for error in errors}),
        "fair share, s": round(share, 3),
        "mean wait, s": round(statistics.fmean(calls or [0.0]), 3),
        "longest wait, s": round(max(calls, default=0.0), 3),
        "longest over share": round(max(calls, default=0.0) / share, 2),
    }


def main():
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--board", default="golden://icebreaker")
    parser.add_argument("--kill", action="store_true", help="kill other clients in their turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = RunningBoards(Path(folder), boards=(options.board,))
        try:
            told = {"memory before, MB": server.metric("process_resident_memory_bytes") / 1e6}
            told |= load(server, options.clients, options.seconds, options.kill)
            told["turns that ended because the client left"] = server.metric(
                'tensorspin_board_turns_total{board="icebreaker",end="left"}'
            )
        finally:
            server.stop()
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
