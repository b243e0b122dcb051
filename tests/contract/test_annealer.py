"""Sizes, problems and thresholds of the annealer."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tensorspin.contract.annealer.image import coupling_rows
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.segments import offset_places
from tensorspin.contract.annealer.size import MIN_REPLICAS, PROBABILITY, AnnealerSize, Moving
from tensorspin.contract.annealer.steps import (
    Step,
    check_step,
    digit_probabilities,
    highest_temperature,
    schedule,
)
from tensorspin.contract.annealer.thresholds import (
    _MAPS,
    GENERATOR_BITS,
    MAX_SAMPLES,
    generator_taps,
    generators,
)

SIZE = AnnealerSize(8, 3, 7, MIN_REPLICAS, (1,) * 6, 8, 4)


@pytest.mark.parametrize("temperature", [0.5, 1.7, 4.0, 0.99 * highest_temperature(SIZE)])
def test_thresholds_are_exponential(temperature):
    probabilities = digit_probabilities(temperature, SIZE) * 2.0**-PROBABILITY.f_bits
    distribution = np.zeros(1 << SIZE.threshold_bits)
    for digits in product((0, 1), repeat=SIZE.threshold_bits):
        value = sum(digit << place for place, digit in enumerate(digits))
        distribution[value] = np.prod(np.where(digits, probabilities, 1 - probabilities))
    accepted = distribution[::-1].cumsum()[::-1]
    expected = np.exp(-2 * np.arange(len(accepted)) / temperature)
    # A probability is off by half a unit at most, in each digit; so is the first that is missing.
    limit = (SIZE.threshold_bits + 1) * 2.0**-PROBABILITY.f_bits
    assert np.abs(accepted - expected).max() < limit


@pytest.mark.parametrize("index", range(len(_MAPS)))
def test_generators_have_the_longest_period(index):
    """The characteristic polynomial divides ``x**(2**p) - x`` and, p prime, has no factor else."""
    taps = generator_taps(index)
    states, state = [], 1
    for _ in range(2 * GENERATOR_BITS):
        states.append(state & 1)
        state = sum(_parity(state, row) << bit for bit, row in enumerate(taps))
    polynomial, degree = _berlekamp_massey(states)
    assert degree == GENERATOR_BITS
    power = 2
    for _ in range(GENERATOR_BITS):
        power = _remainder(int("0".join(f"{power:b}"), 2), polynomial)
    assert power == 2
    assert polynomial & 1 and _parity(polynomial, range(degree + 1))


def _parity(bits, places):
    return sum(bits >> place & 1 for place in places) & 1


def _berlekamp_massey(sequence):
    connection, before, degree, gap, history = 1, 1, 0, 1, 0
    for count, bit in enumerate(sequence):
        history = history << 1 | bit
        if _parity(connection & history, range(degree + 1)):
            saved = connection
            connection ^= before << gap
            if 2 * degree <= count:
                degree, before, gap = count + 1 - degree, saved, 0
        gap += 1
    return connection, degree


def _remainder(value, polynomial):
    while value.bit_length() >= polynomial.bit_length():
        value ^= polynomial << (value.bit_length() - polynomial.bit_length())
    return value


@pytest.mark.parametrize("offset_rows", [8, 1])
def test_rows_give_fields(offset_rows):
    """With one offset row, others are in those of the spins that the problem does not use."""
    size = replace(SIZE, offset_rows=offset_rows)
    rng = np.random.default_rng(2)
    couplings = np.triu(rng.integers(-3, 4, (5, 5)), 1)
    problem = IsingProblem(size, couplings + couplings.T, rng.integers(-9, 10, 5))
    assert problem.offset_rows > 1
    rows = coupling_rows(problem)
    assert len(rows) <= size.spins + size.offset_rows
    first, *others = rows[offset_places(size, problem.offset_rows), problem.first :]
    assert np.array_equal(first + 2 * np.sum(others, axis=0), problem.start_fields)
    assert np.array_equal(rows[problem.first : size.spins, problem.first :], problem.couplings)
    assert not rows[:, : problem.first].any()
    assert np.abs(rows).max() <= size.coupling.maximum


def zeros(variables):
    return np.zeros((variables, variables), dtype=int), np.zeros(variables, dtype=int)


def test_problems_that_do_not_fit():
    couplings, linear = zeros(2)
    for wrong, message in (
        (zeros(9), "1 to 8 variables, not 9"),
        (zeros(0), "1 to 8 variables, not 0"),
        ((couplings, zeros(3)[1]), r"\(3,\) linear terms do not belong to \(2, 2\) couplings"),
        ((couplings + np.eye(2, dtype=int), linear), "zeros on the diagonal"),
        ((np.array([[0, 1], [2, 0]]), linear), "must be symmetric"),
        ((np.array([[0, 4], [4, 0]]), linear), "a coupling of 4 is greater than 3"),
        ((couplings, linear + 64), "a local field may reach 64, more than 63"),
        ((zeros(8)[0], zeros(8)[1] + 62), "12 offset rows, the device has 8 beside 8 variables"),
        ((zeros(7)[0], zeros(7)[1] + 62), "12 offset rows, the device has 9 beside 7 variables"),
        ((couplings, np.array([0.5, 0])), "linear terms must be integers"),
        ((couplings, np.array([np.nan, 0])), "linear terms must be integers"),
    ):
        with pytest.raises(ValueError, match=message):
            IsingProblem(SIZE, *wrong)


@pytest.mark.parametrize("temperature", [0, -1.0, np.nan, np.inf])
def test_impossible_temperatures(temperature):
    with pytest.raises(ValueError, match="a temperature must be a positive number"):
        digit_probabilities(temperature, SIZE)


def test_schedules_that_do_not_fit():
    for arguments, message in (
        (([], 1), "1 to 4 steps, not 0"),
        (([1.0] * 5, 1), "1 to 4 steps, not 5"),
        (([1.0], 0), "1 to 65535 sweeps, not 0"),
        (([1.01 * highest_temperature(SIZE)], 1), "is above 10.*thresholds of 6 bits"),
    ):
        with pytest.raises(ValueError, match=message):
            schedule(*arguments, SIZE)


def test_sizes_out_of_range():
    for changes, message in (
        ({"replicas": 7}, f"replicas must be {MIN_REPLICAS} to 256, not 7"),
        ({"coupling_bits": 9}, "coupling_bits must be 2 to 8, not 9"),
        ({"strides": (1,) * 7}, "thresholds must have 1 to 6 bits, not 7"),
        ({"strides": (0, 1)}, "strides must be 1 to 8"),
        ({"spins": 1 << 14, "field_bits": 20}, "energies would have 35 bits, more than 32"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(SIZE, **changes)
    with pytest.raises(ValueError, match=f"may add up to {MAX_SAMPLES}, not 80"):
        generators(AnnealerSize(80, 3, 7, MIN_REPLICAS, (80,), 8, 4, ring=0))


def test_a_ring_of_an_odd_number_of_replicas_cannot_be_closed():
    step = Step((0,) * SIZE.threshold_bits, 1, ring=1, moving=Moving.EVEN)
    check_step(0, step, replace(SIZE, replicas=MIN_REPLICAS + MIN_REPLICAS % 2))
    odd = MIN_REPLICAS + 1 - MIN_REPLICAS % 2
    with pytest.raises(ValueError, match=f"an even number of them only, and it has {odd}: the"):
        check_step(0, step, replace(SIZE, replicas=odd))


WINDOWED = AnnealerSize(64, 4, 10, 8, (1,) * 7, 16, 4, ring=0, window=8)


def test_windows_that_cannot_be_built():
    for changes, message in (
        ({"window": 12}, "window must be 0 or a power of two from 8 on, not 12"),
        ({"window": 4}, "window must be 0 or a power of two from 8 on, not 4"),
        ({"spins": 76}, "a multiple of it of spins, at least 64, not 76"),
        ({"spins": 56}, "a multiple of it of spins, at least 64, not 56"),
        ({"coupling_bits": 3}, "couplings have 2, 4 or 8 bits, not 3"),
        ({"ring": 1}, "ring must be 0 with a window"),
        ({"tempering": 1}, "tempering must be 0 with a window"),
        ({"spins": 128, "window": 16}, "one divisor of it, at least 2, not"),
        ({"strides": (1, 2)}, "all strides must be one divisor of it, at least 1, not"),
        ({"replicas": 12}, "must be a multiple of 8, not 12"),
        ({"replicas": 2}, "replicas must be 3 to 256, not 2"),
    ):
        with pytest.raises(ValueError, match=message):
            replace(WINDOWED, **changes)


def test_a_turn_passes_over_the_windows_in_use():
    size = replace(WINDOWED, spins=96)
    assert [size.turn(96 - variables) for variables in (1, 64, 65, 72, 73, 96)] == [
        8, 8, 9, 9, 10, 12,
    ]  # fmt: skip
    assert replace(size, window=0, replicas=MIN_REPLICAS).turn(0) == 1
    assert [size.spins_for(variables) for variables in (1, 64, 65)] == [64, 64, 72]
