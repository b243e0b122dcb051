"""A pool of boards that servers share: a server that is killed loses nothing."""

from __future__ import annotations

import signal
import threading

import numpy as np
import pytest

import tensorspin
from tensorspin import BoardPool
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


def test_a_server_that_is_killed_loses_nothing(server):
    with tensorspin.deploy(PROGRAM, LOCAL) as one:
        expected = one.decision_function(X)
    urls = [f"{server.url}/icebreaker", LOCAL]
    access = {"token": server.token, "certificate": server.certificates.trusted}
    with BoardPool(urls, **access) as pool:
        np.testing.assert_array_equal(pool.decision_function(PROGRAM, X), expected)
        assert all(each.samples for each in pool.statistics())
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
        while pool.statistics()[0].samples == before:  # it is tried again, after a second or two
            pool.decision_function(PROGRAM, X)


def test_a_token_that_is_wrong_is_told(server):
    access = {"token": "tsp_wrong", "certificate": server.certificates.trusted}
    with BoardPool([f"{server.url}/icebreaker"], **access) as pool, pytest.warns(BoardLostWarning):
        with pytest.raises(PoolError, match="token"):
            pool.predict(PROGRAM, X)
