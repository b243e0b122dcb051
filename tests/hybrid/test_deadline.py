"""Threads that nobody waits for; these tests assert the order of events, no times."""

from __future__ import annotations

import threading

import pytest

from tensorspin.hybrid.checks import checked_deadline
from tensorspin.hybrid.deadline import Calls, Deadline
from tests.support.virtual_time import VirtualClock

LONG = 30.0
"""Seconds that no test takes unless it fails."""


def test_time_is_counted_once_for_all_parts():
    clock = VirtualClock()
    deadline = Deadline(1.0, clock)
    clock.now += 0.5
    assert deadline.left() == pytest.approx(0.49)
    assert deadline.used() == 0.5
    clock.now += 0.5
    assert deadline.left() == 0


def test_a_short_deadline_keeps_a_tenth_in_reserve():
    assert Deadline(0.01, VirtualClock()).left() == pytest.approx(0.009)


@pytest.mark.parametrize("seconds", [0, 0.0009, -1, float("nan"), float("inf"), 3601])
def test_deadlines_that_are_none_are_refused(seconds):
    with pytest.raises(ValueError, match="deadline must be 0.001 to 3600 seconds"):
        checked_deadline(seconds)


@pytest.mark.parametrize("seconds", ["1", None, True])
def test_what_is_no_number_is_refused(seconds):
    with pytest.raises(TypeError, match="deadline must be a number"):
        checked_deadline(seconds)


def test_answers_and_errors_come_back():
    calls = Calls(2, "test")
    good, bad = calls.start(lambda call: 42), calls.start(lambda call: 1 / 0)
    assert good.wait(LONG) and bad.wait(LONG)
    assert good.answer() == 42
    with pytest.raises(ZeroDivisionError):
        bad.answer()


def test_even_the_exit_of_a_sampler_stays_in_its_thread():
    calls = Calls(1, "test")
    call = calls.start(lambda call: exit(1))
    assert call.wait(LONG)
    with pytest.raises(SystemExit):
        call.answer()


def test_calls_that_hang_keep_their_places():
    calls, go_on = Calls(2, "test"), threading.Event()
    hanging = [calls.start(lambda call: go_on.wait(LONG)) for _ in range(2)]
    assert not hanging[0].wait(0)
    assert calls.start(lambda call: None) is None
    go_on.set()
    assert all(call.wait(LONG) for call in hanging)
    again = calls.start(lambda call: "again", wait=LONG)
    assert again.wait(LONG) and again.answer() == "again"


def test_late_answers_are_counted_and_logged(caplog):
    calls, go_on = Calls(1, "remote"), threading.Event()
    call = calls.start(lambda call: go_on.wait(LONG))
    call.abandon()
    call.abandon()
    assert calls.late == 0
    with caplog.at_level("INFO"):
        go_on.set()
        assert calls.start(lambda call: None, wait=LONG)  # the place is free once it is counted
    assert calls.late == 1
    assert "too late, and is not used" in caplog.text


def test_an_answer_between_waiting_and_giving_up_is_late_too():
    calls = Calls(1, "test")
    call = calls.start(lambda call: None)
    assert call.wait(LONG)
    call.abandon()
    assert calls.late == 1


def test_abandoned_work_is_cancelled_in_the_background_even_if_that_hangs():
    calls, go_on, cancelling = Calls(1, "test"), threading.Event(), threading.Event()

    def cancel():
        cancelling.set()
        go_on.wait(LONG)
        raise OSError("the server is gone")

    ready = threading.Event()

    def work(call):
        call.cancel_with(cancel)
        ready.set()
        go_on.wait(LONG)

    call = calls.start(work)
    assert ready.wait(LONG)
    call.abandon()
    assert cancelling.wait(LONG)
    assert calls.start(lambda call: None) is None  # both threads count as one call
    go_on.set()
    assert calls.start(lambda call: None, wait=LONG) is not None


def test_work_that_is_submitted_after_it_was_given_up_is_cancelled_too():
    calls, go_on, cancelled = Calls(1, "test"), threading.Event(), threading.Event()

    def work(call):
        go_on.wait(LONG)
        call.cancel_with(cancelled.set)

    calls.start(work).abandon()
    go_on.set()
    assert cancelled.wait(LONG)


def test_without_threads_nothing_is_asked(monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    calls = Calls(1, "test")
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert calls.start(lambda call: None) is None
    assert calls.start(lambda call: 1).wait(LONG)
