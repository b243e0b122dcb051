"""The breaker opens at a rate of failures, not at a few in a row."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.hybrid.breaker import LONGEST_PAUSE, Breaker
from tests.support.virtual_time import VirtualClock


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock=clock)


def ask(breaker, good) -> bool:
    """Make a call if it is allowed; return whether it was."""
    permit = breaker.permit()
    if permit is None:
        return False
    (breaker.succeeded if good else breaker.failed)(permit)
    return True


def test_five_failures_in_a_row_open_it_and_four_do_not(breaker):
    assert [ask(breaker, False) for _ in range(6)] == [True] * 5 + [False]
    assert breaker.state == "open"
    assert breaker.words == "5 of the last 5 requests failed"


def test_after_a_long_good_time_an_outage_is_noticed_as_well(breaker):
    for _ in range(100):
        ask(breaker, True)
    assert [ask(breaker, False) for _ in range(9)] == [True] * 8 + [False]


@pytest.mark.parametrize("seed", range(20))
def test_a_remote_that_fails_at_random_in_30_percent_keeps_most_of_its_calls(clock, seed):
    good = np.random.default_rng(seed).random(200) >= 0.3
    breaker = Breaker(clock=clock)
    answered = 0
    for each in good:
        answered += ask(breaker, each) and each
        clock.now += 0.02
    assert answered >= 0.6 * 200


@pytest.mark.parametrize("seed", range(5))
def test_a_remote_that_fails_in_90_percent_is_left_alone(clock, seed):
    rng = np.random.default_rng(seed)
    breaker = Breaker(clock=clock)
    asked = 0
    for _ in range(1000):
        asked += ask(breaker, rng.random() >= 0.9)
        clock.now += 0.01
    assert asked < 100


def test_after_a_time_one_probe_is_let_through_at_a_time(breaker, clock):
    for _ in range(5):
        ask(breaker, False)
    clock.now += 0.99
    assert breaker.permit() is None
    clock.now += 0.01
    assert breaker.state == "half-open"
    probe = breaker.permit()
    assert probe.probe
    assert breaker.permit() is None
    breaker.failed(probe)
    assert breaker.state == "open"
    clock.now += 1
    assert ask(breaker, True)
    assert breaker.state == "closed"
    # What was before the outage counts no more.
    assert [ask(breaker, False) for _ in range(4)] == [True] * 4
    assert breaker.state == "closed"


def test_a_probe_that_is_not_made_leaves_room_for_another(breaker, clock):
    for _ in range(5):
        ask(breaker, False)
    clock.now += 1
    breaker.unused(breaker.permit())
    assert breaker.permit() is not None


def test_calls_from_before_the_opening_do_not_decide_for_the_probe(breaker, clock):
    early, late = breaker.permit(), breaker.permit()
    for _ in range(5):
        ask(breaker, False)
    clock.now += 1
    probe = breaker.permit()
    breaker.succeeded(early)
    assert breaker.state == "open"  # the probe is under way
    breaker.failed(late)
    assert breaker.permit() is None
    breaker.succeeded(probe)
    assert breaker.state == "closed"


def test_a_remote_that_asks_for_a_pause_gets_it(breaker, clock):
    breaker.failed(breaker.permit(), pause=30.0)
    clock.now += 29.9
    assert breaker.permit() is None
    clock.now += 0.1
    assert breaker.permit().probe


def test_a_pause_ends(breaker, clock):
    breaker.failed(breaker.permit(), pause=1e9)
    clock.now += LONGEST_PAUSE
    assert breaker.permit() is not None
