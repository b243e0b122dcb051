"""A biased processor is found soon, and a good one is not accused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import binom

from tensorspin.hybrid.drift import RUN_LENGTH, TOLERANCE, DriftMonitor, implausible

SHOTS = 200


def stream(rng, count, n_qubits, noise=0.0):
    """Exact probabilities as detectors have them, inliers and outliers, and noisy answers."""
    inliers = rng.random(count) < 0.6
    exact = np.where(inliers, rng.uniform(0.35, 0.55, count), rng.uniform(0, 0.02, count))
    biased = exact + noise * (2.0**-n_qubits - exact)
    return rng.binomial(SHOTS, biased), np.full(count, SHOTS), exact


@pytest.mark.parametrize("n_qubits", [4, 6, 8])
def test_depolarisation_of_30_percent_is_found_within_20_samples(n_qubits):
    rng = np.random.default_rng(n_qubits)
    found = []
    for _ in range(50):
        monitor = DriftMonitor(n_qubits)
        monitor.add(*stream(rng, 20, n_qubits, noise=0.3))
        found.append(monitor.reason is not None)
    assert np.mean(found) >= 0.95


def test_it_is_found_as_soon_after_a_long_good_time():
    rng = np.random.default_rng(0)
    monitor = DriftMonitor(6)
    monitor.add(*stream(rng, 2000, 6))
    assert monitor.reason is None
    monitor.add(*stream(rng, 20, 6, noise=0.3))
    assert monitor.reason.startswith("all zeros in ")


@pytest.mark.parametrize("noise", [0.0, 0.03, TOLERANCE])
def test_a_processor_within_the_tolerance_is_not_accused(noise):
    rng = np.random.default_rng(1)
    monitor = DriftMonitor(4)
    monitor.add(*stream(rng, 4000, 4, noise))
    assert monitor.reason is None


@pytest.mark.parametrize("exact", [1e-5, 1e-3, 0.5, 0.999])
def test_the_mean_time_to_a_false_alarm_is_as_long_as_was_said(exact):
    # At each sample the expected likelihood ratio is at most 1 for all that is allowed: this is
    # what the limit of Shiryaev and Roberts rests on. It is computed exactly, over all outcomes.
    monitor = DriftMonitor(8)
    zeros = np.arange(SHOTS + 1)
    gains = monitor._gains(zeros, np.full(len(zeros), SHOTS), np.full(len(zeros), exact))
    distance = TOLERANCE * abs(exact - 2.0**-8)
    for allowed in np.linspace(max(0, exact - distance), min(1, exact + distance), 7):
        terms = gains + binom.logpmf(zeros, SHOTS, allowed)
        assert np.all(logsumexp(terms, axis=1) <= 1e-9)


def test_a_short_run_length_gives_false_alarms_as_rarely_as_it_says():
    rng = np.random.default_rng(2)
    alarms, count, run_length = 0, 4000, 40.0
    monitor = DriftMonitor(4, run_length=run_length)
    for sample in zip(*stream(rng, count, 4, TOLERANCE)):
        monitor.add(*(np.array([value]) for value in sample))
        if monitor.reason is not None:
            alarms += 1
            monitor.reset()
    assert 0 < alarms <= count / run_length
    assert RUN_LENGTH >= 1e5


def test_a_batch_is_tested_as_its_samples_one_by_one():
    rng = np.random.default_rng(6)
    together, single = DriftMonitor(6), DriftMonitor(6)
    zeros, shots, exact = stream(rng, 60, 6, noise=0.2)
    for part in (slice(0, 25), slice(25, 60)):
        together.add(zeros[part], shots[part], exact[part])
    for place in range(60):
        single.add(zeros[[place]], shots[[place]], exact[[place]])
    assert together.reason == single.reason is not None


def test_random_answers_are_found_at_once():
    rng = np.random.default_rng(3)
    monitor = DriftMonitor(8)
    _, shots, exact = stream(rng, 10, 8)
    monitor.add(rng.integers(0, SHOTS + 1, 10), shots, exact)
    assert monitor.reason is not None


def test_answers_for_other_samples_are_found():
    rng = np.random.default_rng(4)
    monitor = DriftMonitor(8)
    zeros, shots, exact = stream(rng, 20, 8)
    monitor.add(np.roll(zeros, 1), shots, exact)
    assert monitor.reason is not None


def test_after_a_reset_a_processor_is_trusted_again():
    monitor = DriftMonitor(4)
    monitor.add(np.full(5, SHOTS), np.full(5, SHOTS), np.full(5, 0.1))
    assert monitor.reason is not None
    monitor.reset()
    assert monitor.reason is None


def test_single_answers_that_can_not_be_are_refused_and_noisy_ones_are_not():
    rng = np.random.default_rng(5)
    zeros, shots, exact = stream(rng, 5000, 6)
    assert not implausible(zeros, shots, exact, 2.0**-6).any()
    zeros, shots, exact = stream(rng, 5000, 6, noise=0.5)
    assert not implausible(zeros, shots, exact, 2.0**-6).any()
    inliers = exact > 0.3
    assert implausible(np.zeros_like(shots), shots, exact, 2.0**-6)[inliers].all()
    assert implausible(shots, shots, exact, 2.0**-6).all()


def test_one_zero_where_none_is_expected_is_no_alarm():
    monitor = DriftMonitor(8)
    monitor.add(np.ones(3, int), np.full(3, SHOTS), np.full(3, 5e-5))
    assert monitor.reason is None


def test_a_single_answer_for_another_sample_is_not_the_processors_fault():
    rng = np.random.default_rng(7)
    monitor = DriftMonitor(8)
    for _ in range(30):
        monitor.add(*stream(rng, 20, 8))
        monitor.add(np.array([0]), np.array([SHOTS]), np.array([0.5]))
    assert monitor.reason is None
