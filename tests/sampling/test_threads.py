"""Samplers of several threads on one board."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Condition, Event

import dimod
import numpy as np
import pytest

from tensorspin.driver.annealer import AnnealerDriver
from tensorspin.driver.board import Board
from tensorspin.errors import TransportError
from tensorspin.sampling import BoardSampler, DecomposingSampler

from ..support.annealer_boards import URL, golden_board

SWEEPS = {"num_sweeps": 10, "refine": None}
MODELS = [dimod.generators.ran_r(1, 12, seed=seed) for seed in range(3)]


@pytest.fixture
def pausing(monkeypatch):
    """Pause between upload and run until another thread has uploaded, if any does."""
    uploads, uploaded, upload = [0], Condition(), AnnealerDriver._upload

    def upload_and_pause(driver, *arguments, **options):
        upload(driver, *arguments, **options)
        with uploaded:
            uploads[0] += 1
            before = uploads[0]
            uploaded.notify_all()
            uploaded.wait_for(lambda: uploads[0] > before, timeout=0.1)

    monkeypatch.setattr(AnnealerDriver, "_upload", upload_and_pause)


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.record.sample, other.record.sample)
        assert np.array_equal(one.record.energy, other.record.energy)


def test_a_pool_of_threads_over_one_sampler(pausing):
    sampler = BoardSampler(golden_board())
    expected = [sampler.sample(bqm, seed=4, num_reads=15, **SWEEPS) for bqm in MODELS]
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda bqm: sampler.sample(bqm, seed=4, num_reads=15, **SWEEPS), MODELS)
        assert_same(found, expected)


def test_samplers_of_one_board(pausing):
    board = golden_board()
    expected = [BoardSampler(board).sample(bqm, seed=4, **SWEEPS) for bqm in MODELS]
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda bqm: BoardSampler(board).sample(bqm, seed=4, **SWEEPS), MODELS)
        assert_same(found, expected)


def test_parallel_branches_as_of_dwave_hybrid(pausing):
    # Its RacingBranches run each branch in a thread; some decompose, some take the model at once.
    board = BoardSampler(golden_board())
    branches = [DecomposingSampler(board, 8), DecomposingSampler(board, 6), board]

    def solve(branch):
        passes = {} if branch is board else {"max_passes": 1}
        return branch.sample(MODELS[0], seed=2, **passes, **SWEEPS)

    expected = [solve(branch) for branch in branches]
    with ThreadPoolExecutor(3) as pool:
        assert_same(pool.map(solve, branches), expected)


def test_four_threads_open_a_url_once(monkeypatch):
    opened, golden_open = [], Board.open

    def open_slowly(url):
        opened.append(url)
        time.sleep(0.1)
        return golden_open(url)

    monkeypatch.setattr(Board, "open", open_slowly)
    with BoardSampler(URL) as sampler, ThreadPoolExecutor(4) as pool:
        boards = list(pool.map(lambda _: sampler.board, range(4)))
    assert opened == [URL]
    assert len(set(map(id, boards))) == 1


def test_a_board_that_does_not_open_leaves_no_lock():
    sampler = BoardSampler("/dev/none")
    with ThreadPoolExecutor(1) as pool:
        for submit in (lambda f: f(), lambda f: pool.submit(f).result(timeout=10)):
            with pytest.raises(TransportError, match="/dev/none"):
                submit(lambda: sampler.board)


def test_closing_waits_for_a_run_of_another_thread(monkeypatch):
    uploaded, go, upload = Event(), Event(), AnnealerDriver._upload

    def upload_and_wait(driver, *arguments, **options):
        upload(driver, *arguments, **options)
        uploaded.set()
        assert go.wait(10)

    with BoardSampler(URL) as sampler, ThreadPoolExecutor(2) as pool:
        expected = sampler.sample(MODELS[0], seed=1, **SWEEPS)
        monkeypatch.setattr(AnnealerDriver, "_upload", upload_and_wait)
        found = pool.submit(sampler.sample, MODELS[0], seed=1, **SWEEPS)
        assert uploaded.wait(10)
        closing = pool.submit(sampler.close)
        # Without a lock the board is closed at once, in the middle of the run.
        assert not wait([closing], timeout=0.2).done
        go.set()
        assert_same([found.result()], [expected])
        closing.result()
