"""A remote is asked if it is worth it, and nothing of its faults comes through."""

from __future__ import annotations

import pytest

from tensorspin.hybrid.deadline import Deadline
from tensorspin.hybrid.offload import ImplausibleError, Offload, words_of
from tests.support.virtual_time import VirtualCalls, VirtualClock


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def offload(clock):
    return Offload(2, clock, VirtualCalls(2, clock))


def ask(offload, clock, work, check=lambda answer: answer, seconds=1.0):
    return offload.ask(work).outcome(Deadline(seconds, clock), check)


def fail(call):
    raise OSError("no route to host")


def test_answers_come_through_as_they_were_checked(offload, clock):
    outcome = ask(offload, clock, lambda call: 6, lambda answer: answer * 7)
    assert (outcome.reason, outcome.answer) == ("answered", 42)


def test_errors_are_told_and_not_raised(offload, clock):
    outcome = ask(offload, clock, fail)
    assert (outcome.reason, outcome.detail) == ("failed", "OSError: no route to host")
    assert outcome.answer is None


def test_a_time_out_of_the_sampler_is_late(offload, clock):
    def work(call):
        raise TimeoutError("300 ms are over")

    assert ask(offload, clock, work).reason == "late"


def test_whatever_a_check_raises_the_answer_is_refused(offload, clock):
    def refuse(answer):
        raise ImplausibleError("three shots are missing")

    outcome = ask(offload, clock, lambda call: None, refuse)
    assert (outcome.reason, outcome.detail) == ("implausible", "three shots are missing")
    outcome = ask(offload, clock, lambda call: None, lambda answer: answer.data)
    assert outcome.reason == "implausible"
    assert outcome.detail.startswith("AttributeError: ")


def test_an_answer_that_is_refused_where_it_is_waited_for_is_implausible(offload, clock):
    def work(call):
        raise ImplausibleError("three shots are missing")

    outcome = ask(offload, clock, work)
    assert (outcome.reason, outcome.detail) == ("implausible", "three shots are missing")


def test_an_error_that_can_not_be_looked_into_is_told_all_the_same(offload, clock):
    class Strange(Exception):
        @property
        def retry_after(self):
            raise RuntimeError("not yet")

    def work(call):
        raise Strange("of another library")

    outcome = ask(offload, clock, work)
    assert (outcome.reason, outcome.detail) == ("failed", "Strange: of another library")


def test_a_remote_that_fails_is_left_alone_and_the_log_says_so_once(offload, clock, caplog):
    with caplog.at_level("WARNING"):
        reasons = [ask(offload, clock, fail).reason for _ in range(10)]
    assert reasons == ["failed"] * 5 + ["breaker"] * 5
    assert [record.getMessage() for record in caplog.records] == [
        "the remote is left alone and probed now and then: 5 of the last 5 requests failed; "
        "the last one: OSError: no route to host"
    ]
    clock.now += 1
    assert ask(offload, clock, lambda call: 1).reason == "answered"


def test_when_it_is_busy_the_probe_is_kept(offload, clock):
    for _ in range(3):
        ask(offload, clock, fail)
    for _ in range(2):
        assert ask(offload, clock, lambda call: clock.sleep(100)).reason == "late"
    assert ask(offload, clock, fail).reason == "breaker"
    clock.now += 2
    assert ask(offload, clock, fail).reason == "busy"
    clock.now += 100
    assert ask(offload, clock, lambda call: 1).reason == "answered"


def test_ctrl_c_ends_the_call_and_counts_for_nothing(offload, clock):
    def interrupted(seconds):
        raise KeyboardInterrupt

    request = offload.ask(lambda call: None)
    request._call.wait = interrupted
    with pytest.raises(KeyboardInterrupt):
        request.outcome(Deadline(1.0, clock), lambda answer: answer)
    assert request._call.abandoned
    assert offload.breaker.words == "0 of the last 0 requests failed"


def test_an_answer_that_took_longer_than_the_deadline_is_late_even_if_it_is_there(offload, clock):
    request = offload.ask(lambda call: clock.sleep(1.5))
    deadline = Deadline(1.0, clock)
    clock.now += 2  # a virtual board was computed meanwhile
    assert request.outcome(deadline, lambda answer: answer).reason == "late"


class Rude(Exception):
    def __str__(self):
        raise ValueError


def test_words_of_any_error_are_short():
    assert words_of(Rude()) == "Rude"
    assert len(words_of(ValueError("x" * 10_000))) == 300
