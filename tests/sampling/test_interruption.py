"""Samplers stop when they are told to, or when the energy is low enough, also in a long run."""

from __future__ import annotations

import time

import dimod
import dimod.testing
import numpy as np
import pytest

from tensorspin.sampling import BoardSampler, DecomposingSampler

from ..support.annealer_boards import SIZE, golden_board

LONG = 4_000_000
"""Sweeps for which the golden board would compute for hours."""

RING = dimod.BinaryQuadraticModel({}, {(i, (i + 1) % 20): 1.0 for i in range(20)}, 0.0, "SPIN")


class Asked:
    """Returns True from the given question on."""

    def __init__(self, patience=1):
        self.count, self.patience = 0, patience

    def __call__(self):
        self.count += 1
        return self.count >= self.patience


@pytest.fixture
def board():
    return golden_board()


@pytest.fixture
def sampler(board):
    return BoardSampler(board)


def test_a_long_run_is_asked_and_stopped(sampler):
    asked = Asked(3)
    found = sampler.sample(RING, num_sweeps=LONG, num_reads=30, seed=1, interrupt_function=asked)
    assert asked.count == 3
    assert len(found) == SIZE.replicas and found.info["interrupted"] and not found.info["cycles"]
    dimod.testing.assert_sampleset_energies(found, RING)
    again = sampler.sample(RING, num_sweeps=20, seed=1)
    assert len(again) == SIZE.replicas and not again.info["interrupted"]


@pytest.fixture
def eager(monkeypatch):
    """Every run is asked, however short."""
    monkeypatch.setattr("tensorspin.driver.interruption.ASK_SECONDS", 0.0)


def test_reads_of_earlier_runs_are_kept(sampler, board, eager):
    whole = sampler.sample(RING, num_sweeps=20, num_reads=30, seed=1)
    stopped = sampler.sample(
        RING,
        num_sweeps=20,
        num_reads=30,
        seed=1,
        interrupt_function=lambda: len(board.runs) == 5,  # three, and this call's second
    )
    assert len(stopped) == SIZE.replicas and stopped.info["interrupted"]
    np.testing.assert_array_equal(stopped.record.sample, whole.record.sample[: SIZE.replicas])


def test_what_is_asked_changes_no_bit(sampler, eager):
    asked = Asked(10**9)
    plain = sampler.sample(RING, num_sweeps=20, num_reads=30, seed=1)
    found = sampler.sample(RING, num_sweeps=20, num_reads=30, seed=1, interrupt_function=asked)
    assert asked.count > 3
    np.testing.assert_array_equal(plain.record.sample, found.record.sample)


def test_binary_variables_and_given_states(sampler):
    bqm = RING.change_vartype("BINARY", inplace=False)
    states = np.tile([0, 1], 10)
    found = sampler.sample(
        bqm,
        num_sweeps=LONG,
        initial_states=(states, range(20)),
        interrupt_function=Asked(),
    )
    assert len(found) == 1 and found.first.energy == -20.0


def test_no_run_begins_after_the_threshold(sampler, board):
    found = sampler.sample(RING, num_sweeps=100, num_reads=90, seed=1, energy_threshold=-20.0)
    runs = len(board.runs)
    assert found.first.energy == -20.0 and runs < 9 and len(found) == runs * SIZE.replicas
    assert found.record.energy[: -SIZE.replicas].min(initial=0.0) > -20.0
    binary = RING.change_vartype("BINARY", inplace=False)
    same = sampler.sample(binary, num_sweeps=100, num_reads=90, seed=1, energy_threshold=-20.0)
    np.testing.assert_array_equal(same.record.energy, found.record.energy)


@pytest.mark.parametrize("threshold", ["low", True, float("nan"), 1j])
def test_thresholds_that_are_no_numbers(sampler, threshold):
    for each in (sampler, DecomposingSampler(sampler)):
        with pytest.raises((TypeError, ValueError), match="energy_threshold must be"):
            each.sample(RING, energy_threshold=threshold)


def test_parts_are_stopped_within_a_run(sampler):
    bqm = dimod.generators.ran_r(1, 60, seed=1)
    asked = Asked(2)
    found = DecomposingSampler(sampler).sample(
        bqm, num_reads=3, num_sweeps=LONG, seed=1, interrupt_function=asked
    )
    assert len(found) == 1 and found.info["parts"] == 1 and asked.count == 2
    assert found.info["interrupted"]
    dimod.testing.assert_sampleset_energies(found, bqm)


def test_parts_end_at_the_threshold(sampler):
    bqm = dimod.generators.ran_r(1, 40, seed=1)
    parts = DecomposingSampler(sampler)
    whole = parts.sample(bqm, num_reads=2, num_sweeps=4, max_passes=2, seed=1)
    threshold = whole.info["energies"][0][0]
    found = parts.sample(
        bqm, num_reads=2, num_sweeps=4, max_passes=2, seed=1, energy_threshold=threshold
    )
    assert len(found) == 1 and found.info["parts"] < whole.info["parts"]
    assert not found.info["interrupted"]
    assert found.first.energy <= threshold
    assert found.info["energies"][0][-1] == pytest.approx(found.first.energy)


def test_a_child_that_cannot_be_interrupted():
    bqm = dimod.generators.ran_r(1, 12, seed=1)
    parts = DecomposingSampler(dimod.ExactSolver(), size=6)
    assert len(parts.sample(bqm, seed=1, interrupt_function=Asked())) == 1


def test_a_time_limit_in_seconds_of_the_users_clock(sampler):
    until = time.monotonic() + 0.3
    found = sampler.sample(
        RING, num_sweeps=LONG, seed=1, interrupt_function=lambda: time.monotonic() > until
    )
    assert found.info["interrupted"] and time.monotonic() > until
