"""A pool of boards that servers share: a server that is killed loses nothing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

import tensorspin
from tensorspin import BoardPool
from tensorspin.driver.pool import member
from tensorspin.driver.pool.work import SampleWork
from tensorspin.errors import BoardLostWarning, PoolError

from ...support.loaded_programs import chain_program
from ...support.servers import RunningBoards

PROGRAM = chain_program()
X = np.random.default_rng(0).random((4000, 8))
LOCAL = "golden://icebreaker"


@pytest.fixture
def server(tmp_path):
    running = RunningBoards(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def patient(monkeypatch):
    """Let a piece take 10 ms on every board: the golden one would else do all before others begin.

    A board that has failed is tried again twice a second.
    """
    monkeypatch.setattr(member, "LONGEST_PAUSE", 0.5)
    do = SampleWork.do

    def slowly(*arguments):
        time.sleep(0.01)
        return do(*arguments)

    monkeypatch.setattr(SampleWork, "do", slowly)


def predict_until(pool: BoardPool, reached: Callable[[], bool], expected: np.ndarray) -> None:
    """Let a pool do the samples again and again, at most 100 times, until something is reached."""
    for _ in range(100):
        np.testing.assert_array_equal(pool.decision_function(PROGRAM, X), expected)
        if reached():
            return
    raise AssertionError(f"never reached: {pool.statistics()}")


def test_a_server_that_is_killed_loses_nothing(server, patient):
    with tensorspin.deploy(PROGRAM, LOCAL) as one:
        expected = one.decision_function(X)
    urls = [f"{server.url}/icebreaker", LOCAL]
    access = {"token": server.token, "certificate": server.certificates.trusted}
    with BoardPool(urls, **access) as pool:
        predict_until(pool, lambda: all(each.samples for each in pool.statistics()), expected)
        timer = threading.Timer(0.05, server.stop, [signal.SIGKILL])
        timer.start()
        with pytest.warns(BoardLostWarning, match=urls[0]):
            for _ in range(10):
                np.testing.assert_array_equal(pool.decision_function(PROGRAM, X), expected)
        timer.join()
        server.start()
        before = pool.statistics()[0].samples
        with BoardPool(urls[:1], **access) as alone:
            np.testing.assert_array_equal(alone.decision_function(PROGRAM, X[:50]), expected[:50])
        # It is tried again.
        predict_until(pool, lambda: pool.statistics()[0].samples > before, expected)


def test_a_token_that_is_wrong_is_told(server):
    access = {"token": "tsp_wrong", "certificate": server.certificates.trusted}
    with BoardPool([f"{server.url}/icebreaker"], **access) as pool, pytest.warns(BoardLostWarning):
        with pytest.raises(PoolError, match="token"):
            pool.predict(PROGRAM, X)
