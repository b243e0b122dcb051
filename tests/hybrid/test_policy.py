"""Only what the local answer leaves open is offloaded."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tensorspin.hybrid.policy import LeastCertain, chosen


def test_the_samples_nearest_to_the_threshold_are_offloaded():
    scores = np.array([0.5, 0.011, 0.009, 1e-6, 0.0, 0.1])
    assert (
        LeastCertain(2 / 6)(scores, np.full(6, 0.01)).tolist() == [False, True, True] + [False] * 3
    )


def test_sample_by_sample_the_share_is_kept_too():
    rng = np.random.default_rng(0)
    policy = LeastCertain(0.2)
    found = [policy(np.array([score]), np.array([0.01])) for score in rng.random(2000) ** 4]
    assert 0.15 < np.mean(found) < 0.25


def test_each_sample_has_its_own_threshold():
    scores, thresholds = np.array([0.5, 0.5]), np.array([0.49, 0.01])
    assert LeastCertain(0.5)(scores, thresholds).tolist() == [True, False]


@pytest.mark.parametrize("share", [0, -0.1, 1.1, np.nan])
def test_shares_that_are_none_are_refused(share):
    with pytest.raises(ValueError, match="more than 0 and at most 1"):
        LeastCertain(share)


@pytest.mark.parametrize("share", ["half", True, None])
def test_what_is_no_number_is_refused(share):
    with pytest.raises(TypeError, match="must be a number"):
        LeastCertain(share)


def test_without_a_policy_everything_is_offloaded():
    assert chosen(None, np.zeros(3), np.zeros(3)).all()


def test_a_policy_of_a_user_is_asked_with_copies():
    scores = np.array([0.1, 0.9])

    def greedy(values, thresholds):
        values[:] = 0
        return [True, False]

    assert chosen(greedy, scores, np.zeros(2)).tolist() == [True, False]
    assert scores.tolist() == [0.1, 0.9]


@pytest.mark.parametrize("answer", [True, [1, 0], [True], None])
def test_a_policy_that_returns_something_else_is_refused(answer):
    with pytest.raises(ValueError, match="one bool for each of 2 samples"):
        chosen(lambda scores, thresholds: answer, np.zeros(2), np.zeros(2))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_remembers_what_was_seen_and_learns_for_itself(copied):
    policy, far = LeastCertain(0.1), (np.array([0.9]), np.array([0.01]))
    policy(np.full(100, 0.011), np.full(100, 0.01))
    twin = copied(policy)
    assert twin.share == 0.1
    assert not twin(*far)[0] and LeastCertain(0.1)(*far)[0]  # as the first of its samples
    assert (len(twin._margins), len(policy._margins)) == (101, 100)
