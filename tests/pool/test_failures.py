"""Boards that die, hang or lie: their work is done by others, or nothing is returned."""

from __future__ import annotations

import _thread
import threading
import time
import warnings

import dimod
import numpy as np
import pytest

import tensorspin
from tensorspin import BoardPool, BoardSampler, DecomposingSampler
from tensorspin.driver.pool import calls
from tensorspin.driver.pool.idle import IdleBoards
from tensorspin.driver.pool.member import Member
from tensorspin.errors import BoardLostWarning, PoolError

from ..support.doubles import GarbageDevice, SilentDevice
from ..support.pooled_boards import ANNEALER, LyingDevice, Place, plug_in

PROBLEM = dimod.generators.ran_r(1, 12, seed=3)


def _until(holds):
    """Wait until something holds, half a minute at most."""
    ends = time.monotonic() + 30
    while not holds() and time.monotonic() < ends:
        time.sleep(0.01)


@pytest.fixture
def expected(trained):
    program, X = trained
    with tensorspin.deploy(program, "golden://icebreaker") as one:
        return one.predict_proba(X)


@pytest.mark.parametrize("writes", [1, 2, 5, 20])
def test_a_cable_that_is_pulled_loses_nothing(trained, expected, monkeypatch, long_pauses, writes):
    program, X = trained
    good, bad = Place("good"), Place("bad")
    with BoardPool(plug_in(monkeypatch, good, bad)) as pool:
        bad.cut_after(writes)
        good.waits_for_the_cut_of(bad)
        with pytest.warns(BoardLostWarning, match="bad.*its work goes to the other boards"):
            found = pool.predict_proba(program, X)
        np.testing.assert_array_equal(found, expected)
        states = {each.url: each for each in pool.statistics()}
        assert states["bad"].failures == 2 and "no such port" in states["bad"].error
        assert states["good"].samples + states["bad"].samples == len(X)


def test_samples_of_a_board_that_dies_are_those_of_one_board(monkeypatch):
    options = {"num_reads": 200, "num_sweeps": 20, "seed": 3}
    with BoardSampler(f"golden://{ANNEALER}") as one:
        expected = one.sample(PROBLEM, **options)
    places = [Place(name, ANNEALER) for name in ("a", "b", "c")]
    with BoardPool(plug_in(monkeypatch, *places)) as pool:
        places[0].cut_after(30)
        for place in places[1:]:
            place.waits_for_the_cut_of(places[0])
        with pytest.warns(BoardLostWarning):
            found = pool.sample(PROBLEM, **options)
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)


def test_a_decomposed_model_survives_a_board(monkeypatch):
    bqm = dimod.generators.ran_r(1, 40, seed=2)
    options = {"seed": 5, "num_sweeps": 64, "max_passes": 2}
    with BoardSampler(f"golden://{ANNEALER}") as one:
        expected = DecomposingSampler(one, 15).sample(bqm, **options)
    places = [Place(name, ANNEALER) for name in ("a", "b")]
    with BoardPool(plug_in(monkeypatch, *places)) as pool:
        sampler = DecomposingSampler(pool, 15)
        places[0].cut_after(5)
        places[1].waits_for_the_cut_of(places[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoardLostWarning)
            found = sampler.sample(bqm, **options)
        assert not places[0].plugged
    np.testing.assert_array_equal(found.record.sample, expected.record.sample)


def test_when_all_boards_die_each_reason_is_told_and_nothing_returned(trained, monkeypatch):
    program, X = trained
    places = [Place(name) for name in ("a", "b")]
    with BoardPool(plug_in(monkeypatch, *places)) as pool:
        for place in places:
            place.cut_after(8)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoardLostWarning)
            with pytest.raises(PoolError, match="nothing is returned") as failure:
                pool.predict(program, X)
            for place in places:
                assert f"{place.url}: cannot open {place.url}: no such port" in str(failure.value)
            assert set(failure.value.reasons) == {"a", "b"}
            places[1].repair()  # and the next call finds it, however long it was to be left alone
            assert len(pool.predict(program, X)) == len(X)


def test_boards_that_were_never_there_are_told(trained, monkeypatch):
    place = Place("a")
    place.plugged = False
    with BoardPool(plug_in(monkeypatch, place)) as pool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoardLostWarning)
            with pytest.raises(PoolError, match="a: cannot open a"):
                pool.predict(*trained)
            with pytest.raises(PoolError, match="a: cannot open a"):
                pool.sample(PROBLEM)


def test_a_board_that_is_not_there_holds_up_one_call_alone(monkeypatch, long_pauses):
    gone, there = Place("gone"), Place("there", ANNEALER)
    gone.plugged = False
    with BoardPool(plug_in(monkeypatch, gone, there)) as pool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BoardLostWarning)
            for seed in range(3):
                pool.sample(PROBLEM, num_reads=2, num_sweeps=5, seed=seed)
        assert gone.opened == 1


def test_a_board_that_is_back_works_again(trained, expected, monkeypatch, no_pauses):
    program, X = trained
    good, bad = Place("good"), Place("bad")
    with BoardPool(plug_in(monkeypatch, good, bad)) as pool:
        bad.cut_after(3)
        good.waits_for_the_cut_of(bad)
        with pytest.warns(BoardLostWarning):
            pool.predict(program, X)
        before = pool.statistics()[1].pieces
        bad.repair()
        good.cut_after(0)
        bad.waits_for_the_cut_of(good)
        with pytest.warns(BoardLostWarning, match="good"):
            found = pool.predict_proba(program, X)
        np.testing.assert_array_equal(found, expected)
        assert pool.statistics()[1].pieces > before and pool.statistics()[1].state != "failed"


def test_a_board_is_tried_again_whose_pause_ended_between_two_calls(
    trained, monkeypatch, no_pauses
):
    program, X = trained
    good, bad = Place("good"), Place("bad")
    with BoardPool(plug_in(monkeypatch, good, bad)) as pool:
        bad.cut_after(3)
        good.waits_for_the_cut_of(bad)
        with pytest.warns(BoardLostWarning, match="bad"):
            pool.predict(program, X)
        time.sleep(0.5)
        bad.repair()
        before = bad.opened

        def opened():
            pool.predict(program, X[:1])  # one piece: nothing but the call itself wakes boards
            return bad.opened > before

        _until(opened)
        assert bad.opened > before


@pytest.mark.parametrize("device", [SilentDevice, GarbageDevice])
def test_a_device_that_is_none_is_left_out(trained, expected, monkeypatch, device):
    program, X = trained
    urls = plug_in(monkeypatch, Place("good"), Place("bad", device=device))
    with BoardPool(urls) as pool, pytest.warns(BoardLostWarning, match="bad"):
        np.testing.assert_array_equal(pool.predict_proba(program, X), expected)


@pytest.mark.parametrize("on_fault", ["raise", "reload"])
def test_answers_of_a_board_with_a_fault_are_not_taken(trained, expected, monkeypatch, on_fault):
    program, X = trained
    good = Place("good")
    urls = plug_in(monkeypatch, good, Place("bad", device=LyingDevice))
    with BoardPool(urls) as pool:
        good.before_write = lambda: _until(lambda: pool.statistics()[1].failures)
        tested = pool.deploy(program, on_fault=on_fault)
        with pytest.warns(BoardLostWarning, match="self-test are wrong"):
            np.testing.assert_array_equal(tested.predict_proba(X), expected)
        assert pool.statistics()[1].samples == 0


def test_a_board_that_hangs_does_not_hold_up_a_call(trained, expected, monkeypatch):
    monkeypatch.setattr(calls, "_LEAST_SLOW", 0.01)
    program, X = trained
    good, slow = Place("good"), Place("slow")
    with BoardPool(plug_in(monkeypatch, good, slow)) as pool:
        pool.predict(program, X)
        slow.holding.clear()
        np.testing.assert_array_equal(pool.predict_proba(program, X), expected)
        slow.holding.set()
        np.testing.assert_array_equal(pool.predict_proba(program, X), expected)


@pytest.mark.parametrize("hanging", [0, 1])
def test_the_only_sample_of_a_call_does_not_wait_for_a_board_that_hangs(
    trained, expected, monkeypatch, hanging
):
    monkeypatch.setattr(calls, "_LEAST_SLOW", 0.01)
    program, X = trained
    places = [Place("a"), Place("b")]
    with BoardPool(plug_in(monkeypatch, *places)) as pool:
        pool.predict(program, X)
        time.sleep(0.5)  # both sleep
        before = pool.statistics()[1 - hanging].pieces
        places[hanging].holding.clear()
        for _ in range(2):  # a board that has worked is the last to be given work
            np.testing.assert_array_equal(pool.predict_proba(program, X[:1]), expected[:1])
        assert pool.statistics()[1 - hanging].pieces == before + 2
        places[hanging].holding.set()


def test_ctrl_c_ends_a_call_and_the_pool_goes_on(trained, expected, monkeypatch):
    program, X = trained
    place = Place("a")
    with BoardPool(plug_in(monkeypatch, place)) as pool:
        pool.predict(program, X)
        place.holding.clear()
        timer = threading.Timer(0.2, _thread.interrupt_main)
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            pool.predict(program, X)
        place.holding.set()
        np.testing.assert_array_equal(pool.predict_proba(program, X), expected)


def test_an_error_of_the_work_itself_is_the_callers(trained, monkeypatch):
    program, X = trained
    place = Place("a")

    def fault():
        raise ZeroDivisionError("a fault of the library")

    with BoardPool(plug_in(monkeypatch, place)) as pool:
        pool.predict(program, X)
        place.before_write = fault
        with pytest.raises(ZeroDivisionError, match="a fault of the library"):
            pool.predict(program, X)
        place.before_write = None
        assert len(pool.predict(program, X)) == len(X)


def test_no_more_boards_wake_than_there_are_pieces():
    """A thousand threads that wake for each piece would hinder the ones that have work."""
    lock = threading.Lock()
    members = [Member(f"board {number}", None) for number in range(50)]
    for member in members:
        member.wake = threading.Condition(lock)
    idle, woken = IdleBoards(members), []

    def sleep(member):
        with lock:
            idle.sleep(member, time.monotonic(), look=False)
            woken.append(member)

    threads = [threading.Thread(target=sleep, args=[member]) for member in members]
    for thread in threads:
        thread.start()
    _until(lambda: len(idle) == 50)
    with lock:
        idle.wake(lambda member: member is not members[0], 3)
        idle.wake(count=2)  # others, though those before have not run yet
    _until(lambda: len(woken) == 5)
    assert len(idle) == 45
    with lock:
        idle.wake()
    for thread in threads:
        thread.join(30)
    assert set(woken) == set(members) and len(woken) == 50
