"""What a pool is made of, and how it ends."""

from __future__ import annotations

import copy
import pickle
import threading

import numpy as np
import pytest

from tensorspin import BoardPool
from tensorspin.errors import TransportError

from ..support.pooled_boards import Place, plug_in

BOARD = "golden://icebreaker"


@pytest.mark.parametrize(
    ("urls", "error", "message"),
    [
        (BOARD, TypeError, "must be a list of URLs, not one"),
        ([], ValueError, "at least one board"),
        ([3], TypeError, "urls must be strings"),
        (["golden://icebraker"], TransportError, "icebreaker"),
        (["/dev/ttyUSB1", "/dev/../dev/ttyUSB1"], ValueError, "each board once"),
        (["spi:///dev/a?speed=1e6", "spi:///dev/a"], ValueError, "each board once"),
        (["https://box:8443/a", "https://box:8443/a/"], ValueError, "each board once"),
    ],
)
def test_addresses_are_refused_before_anything_is_opened(urls, error, message):
    with pytest.raises(error, match=message):
        BoardPool(urls)


def test_other_arguments_are_refused_before_anything_is_opened():
    with pytest.raises(ValueError, match="token is for boards of a server"):
        BoardPool([BOARD], token="tsp_x")
    with pytest.raises(ValueError, match="timeout must be more than 0"):
        BoardPool([BOARD], timeout=0)
    BoardPool([BOARD, "https://box:8443/a"], token="tsp_x", queue_timeout=3)


def test_what_is_for_servers_is_not_given_to_other_boards(trained, monkeypatch):
    asked = {}
    place = Place("/dev/ttyX")

    def opened(url, **options):
        asked[url] = options
        return place.open()

    monkeypatch.setattr("tensorspin.driver.board.Board.open", opened)
    with BoardPool(["/dev/ttyX", "https://box/a"], token="tsp_x", timeout=1.5) as pool:
        list(pool._backend.descriptions())
    assert asked["/dev/ttyX"] == {"timeout": 1.5}
    assert asked["https://box/a"] == {"timeout": 1.5, "token": "tsp_x"}


def test_a_pool_can_be_copied_and_pickled(trained):
    program, X = trained
    pool = BoardPool([BOARD] * 2, annealer="ulx3s_25f_both", timeout=3.0)
    assert copy.deepcopy(pool) is pool
    with pickle.loads(pickle.dumps(pool)) as other, pool:
        assert (other.urls, other._timeout) == (pool.urls, 3.0)
        np.testing.assert_array_equal(other.predict(program, X), pool.predict(program, X))


def test_a_token_is_not_pickled():
    with pytest.raises(TypeError, match="TENSORSPIN_TOKEN"):
        pickle.dumps(BoardPool(["https://box/a"], token="tsp_x"))


def test_a_closed_pool_opens_again(trained, monkeypatch):
    place = Place("a")
    pool = BoardPool(plug_in(monkeypatch, place))
    pool.predict(*trained)
    pool.close()
    assert pool.statistics()[0].state == "closed" and threading.active_count() == _threads()
    pool.close()
    pool.predict(*trained)
    assert place.opened == 2
    pool.close()


def _threads():
    """Threads that are no board's."""
    return sum(not each.name.startswith("board ") for each in threading.enumerate())


def test_closing_waits_for_calls_of_other_threads(trained, monkeypatch):
    place = Place("a")
    pool = BoardPool(plug_in(monkeypatch, place))
    pool.predict(*trained)
    place.holding.clear()
    found = []
    caller = threading.Thread(target=lambda: found.append(pool.predict(*trained)))
    caller.start()
    while not pool._crew._calls:
        pass
    closer = threading.Thread(target=pool.close)
    closer.start()
    place.holding.set()
    closer.join()
    caller.join()
    assert len(found[0]) == len(trained[1])


def test_threads_share_a_pool(trained):
    program, X = trained
    with BoardPool([BOARD] * 2) as pool:
        expected = pool.predict(program, X)
        found = [None] * 6

        def ask(number):
            found[number] = pool.predict(program, X)

        threads = [threading.Thread(target=ask, args=[number]) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for each in found:
        np.testing.assert_array_equal(each, expected)


def test_statistics_and_repr_tell_of_each_board(trained):
    program, X = trained
    with BoardPool([BOARD] * 2) as pool:
        assert len(pool) == 2 and "golden://icebreaker (closed)" in repr(pool)
        pool.predict(program, X)
        found = pool.statistics()
        assert sum(each.samples for each in found) == len(X)
        assert {each.board for each in found} == {"icebreaker"}
        assert all(each.seconds > 0 for each in found if each.pieces)
