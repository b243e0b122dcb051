"""Models with constraints, as dimod's users write them."""

from __future__ import annotations

import itertools

import dimod
import numpy as np
import pytest

from tensorspin.errors import CapacityError
from tensorspin.sampling import BoardSampler, DecomposingSampler
from tensorspin.sampling.presolve import fixed_by_constraints

from ..support.annealer_boards import WIDE, golden_board

QUICK = {"num_sweeps": 100, "seed": 1}


@pytest.fixture
def sampler():
    return BoardSampler(golden_board(WIDE))


def knapsack(count=8, seed=1):
    rng = np.random.default_rng(seed)
    x = [dimod.Binary(f"x{place}") for place in range(count)]
    weights, values = rng.integers(1, 9, (2, count))
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(-sum(int(value) * each for value, each in zip(values, x)))
    cqm.add_constraint(
        sum(int(weight) * each for weight, each in zip(weights, x)) <= int(weights.sum() // 2),
        label="room",
    )
    return cqm


def optimum(cqm):
    """Try all states of binary variables."""
    labels = list(cqm.variables)
    states = np.array(list(itertools.product((0, 1), repeat=len(labels))))
    found = dimod.SampleSet.from_samples_cqm((states, labels), cqm)
    return found.record.energy[found.record.is_feasible].min()


@pytest.mark.parametrize("make", [lambda s: s, lambda s: DecomposingSampler(s, 8)])
def test_knapsack(sampler, make):
    cqm = knapsack()
    found = make(sampler).sample_cqm(cqm, **QUICK)
    assert set(found.variables) == set(cqm.variables)
    feasible = found.record[found.record.is_feasible]
    assert len(feasible) == found.info["feasible_reads"] > 0
    if isinstance(make(sampler), BoardSampler):
        assert feasible.energy.min() == optimum(cqm)
    objective = [cqm.objective.energy(sample) for sample in found.samples(sorted_by=None)]
    assert found.record.energy == pytest.approx(objective)


def test_penalties_are_raised_until_a_read_keeps_the_constraints(sampler):
    """The greatest coefficient, 1, is too small a penalty for all four variables to be wrong."""
    cqm = dimod.ConstrainedQuadraticModel()
    x = [dimod.Binary(place) for place in range(4)]
    cqm.set_objective(sum(-each for each in x) - sum(a * b for a, b in itertools.pairwise(x)))
    cqm.add_constraint(sum(x) == 1, label="one")
    found = sampler.sample_cqm(cqm, **QUICK)
    tried = found.info["lagrange_multipliers"]
    assert tried == [1.0, 4.0] and found.info["lagrange_multiplier"] == 4
    assert found.first.energy == -1 and found.first.is_feasible
    low = sampler.sample_cqm(cqm, lagrange_multiplier=0.1, **QUICK)
    assert low.info["lagrange_multipliers"] == [0.1] and not low.info["feasible_reads"]
    none = sampler.sample_cqm(cqm, max_raises=0, **QUICK)
    assert none.info["lagrange_multipliers"] == [1.0]


def test_integers_and_spins(sampler):
    cqm = dimod.ConstrainedQuadraticModel()
    i, s, b = dimod.Integer("i", upper_bound=5), dimod.Spin("s"), dimod.Binary("b")
    cqm.set_objective(-i + 2 * s - b)
    cqm.add_constraint(i + 2 * b <= 5, label="sum")
    found = sampler.sample_cqm(cqm, **QUICK)
    assert found.first.sample == {"i": 5, "s": -1, "b": 0} and found.first.energy == -7
    assert found.first.is_feasible


def test_same_seed_same_samples(sampler):
    first, second = (sampler.sample_cqm(knapsack(), **QUICK).record for _ in range(2))
    assert np.array_equal(first.sample, second.sample)


def test_variables_without_a_choice_are_fixed(sampler):
    a, b, c, d = dimod.Binaries("abcd")
    s = dimod.Spin("s")
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(a * b - c - d)
    cqm.add_constraint(a + b == 2)
    cqm.add_constraint(2 * c - a >= 0)
    cqm.add_constraint(s - a <= -2)
    cqm.add_constraint(5 * d + c <= 5)
    assert fixed_by_constraints(cqm) == {"a": 1, "b": 1, "c": 1, "s": -1, "d": 0}
    found = sampler.sample_cqm(cqm, num_reads=2, **QUICK)
    assert found.info["fixed"] == 5 and found.first.energy == 0 and len(found) == 2
    assert found.first.is_feasible and found.first.sample["s"] == -1
    cqm.add_constraint(c + d >= 2, label="both")
    with pytest.raises(ValueError, match="constraint 'both' cannot hold"):
        sampler.sample_cqm(cqm)


def test_presolve_keeps_every_feasible_state():
    rng = np.random.default_rng(3)
    for _ in range(20):
        cqm = dimod.ConstrainedQuadraticModel()
        x = [dimod.Binary(place) for place in range(5)]
        for _ in range(3):
            factors = rng.integers(-4, 5, 5)
            side = int(factors[factors > 0].sum()) - rng.integers(0, 3)
            cqm.add_constraint(
                sum(int(f) * each for f, each in zip(factors, x)) + 0 * x[0] >= int(side)
            )
        states = np.array(list(itertools.product((0, 1), repeat=5)))
        kept = dimod.SampleSet.from_samples_cqm((states, range(5)), cqm).record.is_feasible
        try:
            fixed = fixed_by_constraints(cqm)
        except ValueError:
            assert not kept.any()
            continue
        for label, value in fixed.items():
            assert np.all(states[kept, label] == value)


def real(cqm):
    cqm.add_variable("REAL", "r")


@pytest.mark.parametrize(
    "change, message",
    [
        (real, "variable 'r' is real; a device has binary variables only"),
        (
            lambda cqm: cqm.add_variable("INTEGER", "i", lower_bound=2),
            r"'i' is 2 to 9\.\S*; its bounds must differ by 1000000 at most",
        ),
        (
            lambda cqm: cqm.add_constraint(dimod.Binary("x0") * dimod.Binary("x1") <= 0, label="q"),
            "constraint 'q' must be linear, not quadratic",
        ),
    ],
)
def test_models_that_have_no_penalties(sampler, change, message):
    cqm = knapsack()
    change(cqm)
    with pytest.raises(ValueError, match=message):
        sampler.sample_cqm(cqm)


@pytest.mark.parametrize("low, high", [(-3, 4), (2, 9), (5, 5), (0, 1), (7, 8), (-0.5, 2.5)])
def test_integers_begin_anywhere(sampler, low, high):
    cqm = dimod.ConstrainedQuadraticModel()
    i, b = dimod.Integer("i", lower_bound=low, upper_bound=high), dimod.Binary("b")
    j = dimod.Integer("j", lower_bound=low, upper_bound=high)
    cqm.set_objective(i * i - 3 * i * b + 2 * i + b - j + i * j)
    cqm.add_constraint(2 * i + 3 * b >= 1 + 2 * low, label="least")
    found = sampler.sample_cqm(cqm, num_reads=8, **QUICK)
    values = range(int(np.ceil(low)), int(high) + 1)
    states = list(itertools.product(values, values, (0, 1)))
    every = dimod.SampleSet.from_samples_cqm((np.array(states), ["i", "j", "b"]), cqm)
    best = min(each.energy for each in every.data() if each.is_feasible)
    kept = found.filter(lambda each: each.is_feasible)
    assert kept.first.energy == pytest.approx(best)


def test_wrong_arguments(sampler):
    for wrong, error in ((-1, ValueError), (1.5, TypeError), ("a", TypeError)):
        for name in ("max_raises", "num_windows"):
            with pytest.raises(error, match=f"^{name} must be"):
                sampler.sample_cqm(knapsack(), **{name: wrong})
    with pytest.raises(TypeError, match="must be a dimod.ConstrainedQuadraticModel, not 3"):
        sampler.sample_cqm(3)
    for wrong in (0, -1.0, np.inf, "1"):
        with pytest.raises(ValueError, match="lagrange_multiplier must be more than 0"):
            sampler.sample_cqm(knapsack(), lagrange_multiplier=wrong)
    with pytest.raises(ValueError, match="initial_states can't be given"):
        sampler.sample_cqm(knapsack(), initial_states={})
    with pytest.raises(CapacityError, match="variables"):
        sampler.sample_cqm(knapsack(40), **QUICK)
