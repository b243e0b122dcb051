"""Models of floats on the device's integers."""

from __future__ import annotations

import re

import dimod
import numpy as np
import pytest

from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.errors import CapacityError
from tensorspin.sampling.quantise import percent, quantise, quantise_model
from tensorspin.sampling.rounding import ANCHORED, CAPPED, KEPT_SUMS, NEAREST, Rounding, load_of

from ..support.annealer_boards import SIZE


def symmetric(rng, count, draw):
    upper = np.triu(draw((count, count)), 1)
    return upper + upper.T


@pytest.mark.parametrize("unit", [1.0, 0.25, 1 / 3, 1e-12, 1e12])
def test_multiples_of_a_unit_are_exact(unit):
    rng = np.random.default_rng(1)
    couplings = symmetric(rng, 10, lambda shape: rng.integers(-3, 4, shape))
    linear = rng.integers(-5, 6, 10)
    linear[0] = 1  # so that no greater unit exists
    found = quantise(linear * unit, couplings * unit, SIZE)
    assert np.array_equal(found.problem.couplings, couplings)
    assert np.array_equal(found.problem.linear, linear)
    assert found.scale == pytest.approx(1 / unit)
    assert found.energy_error == pytest.approx(0, abs=1e-9 * unit)
    assert found.relative_error == pytest.approx(0, abs=1e-9)


def test_multiples_of_no_coefficient_are_exact():
    found = quantise(np.array([2.0, 3.0]), np.array([[0, 5.0], [5.0, 0]]), SIZE)
    assert found.problem.linear.tolist() == [2, 3]
    assert found.problem.couplings[0, 1] == 5


def test_single_precision_is_exact():
    values = np.array([0.1, 0.3, -0.7], dtype=np.float32)
    found = quantise(
        np.zeros(3), symmetric(None, 3, lambda shape: values[:, None] * [1, 1, 1]), SIZE
    )
    assert np.abs(found.problem.couplings).max() == 3
    assert found.relative_error < 1e-6


def test_floats_use_the_range_and_report_their_error():
    rng = np.random.default_rng(2)
    couplings, linear = symmetric(rng, 12, rng.standard_normal), rng.standard_normal(12)
    found = quantise(linear, couplings, SIZE)
    problem = found.problem
    fields = (np.abs(problem.linear) + np.abs(problem.couplings).sum(axis=1)).max()
    assert (
        np.abs(problem.couplings).max() == SIZE.coupling.maximum
        or fields > 0.9 * SIZE.field.maximum
    )
    states = rng.choice([-1, 1], (4000, 12))
    exact = states @ linear + ((states @ couplings) * states).sum(axis=1) / 2
    errors = problem.energy(states) / found.scale - exact
    assert 0 < np.abs(errors).max() <= found.energy_error
    # The relative error is that over all states; these are some.
    assert found.relative_error == pytest.approx(np.std(errors) / np.std(exact), rel=0.1)
    # Half a unit before the scale was made the best, which no scale near it is better than.
    assert found.coupling_error <= 0.6 / found.scale
    for scale in found.scale * np.array([0.99, 1.01]):
        worse = np.std(problem.energy(states) / scale - exact)
        assert worse > np.std(errors) * 0.99


def test_a_wide_field_limits_the_scale():
    narrow = AnnealerSize(32, 8, 10, 10, (1,) * 8, 64, 8)
    rng = np.random.default_rng(3)
    couplings = symmetric(rng, 32, lambda shape: rng.uniform(-1, 1, shape))
    found = quantise(np.zeros(32), couplings, narrow)
    fields = np.abs(found.problem.couplings).sum(axis=1).max()
    assert 0.9 * narrow.field.maximum < fields <= narrow.field.maximum


def test_rests_of_sums_do_not_hide_the_unit():
    """A model of bits, converted to spins, has some where zeros should be."""
    couplings = symmetric(None, 3, lambda shape: np.array([[0, 0.1, -0.1]] * 3))
    exact = quantise(np.zeros(3), couplings, SIZE)
    found = quantise(np.array([1e-17, 0, -3e-18]), couplings, SIZE)
    assert np.array_equal(found.problem.couplings, exact.problem.couplings)
    assert found.scale == exact.scale == pytest.approx(10)
    assert found.relative_error == pytest.approx(0, abs=1e-9)


def test_scale_of_what_is_not_exact_is_the_nearest():
    """With two bits all of these become +-1, which stand for their mean."""
    narrow = AnnealerSize(32, 2, 9, 10, (1,) * 8, 32, 64)
    rng = np.random.default_rng(4)
    couplings = symmetric(
        rng, 20, lambda shape: rng.uniform(0.9, 1, shape) * rng.choice([-1, 1], shape)
    )
    found = quantise(np.zeros(20), couplings, narrow)
    assert 1 / found.scale == pytest.approx(np.abs(couplings[couplings != 0]).mean())


@pytest.mark.parametrize("unit", [1e300, 5e-324])
def test_coefficients_beyond_what_floats_can_sum(unit):
    with pytest.raises(
        ValueError, match=re.escape(f"greatest coefficient is {unit:g}; it must be 1e-140")
    ):
        quantise(np.array([unit, 0.0]), np.zeros((2, 2)), SIZE)


def test_zeros():
    found = quantise(np.zeros(2), np.zeros((2, 2)), SIZE)
    assert not found.problem.couplings.any() and found.relative_error == 0


def test_what_does_not_fit_is_told():
    with pytest.raises(CapacityError, match="variables: 33 needed, the device holds 32"):
        quantise(np.zeros(33), np.zeros((33, 33)), SIZE)
    with pytest.raises(ValueError, match="finite"):
        quantise(np.array([np.nan]), np.zeros((1, 1)), SIZE)
    linear = np.array([10_000.0, 0])
    with pytest.raises(CapacityError, match="local field .*: 10001 needed, the device holds 255"):
        quantise(linear, np.array([[0, 1.0], [1.0, 0]]), SIZE)


@pytest.mark.parametrize("number", [1, 3, 14])
@pytest.mark.parametrize("unit", [1.0, 0.97, np.pi])
@pytest.mark.parametrize("field_bits", [7, 9, 12])
def test_linear_terms_follow_the_rounding_of_couplings(number, unit, field_bits):
    """A number of variables is chosen; an extra coupling keeps the scale from fitting exactly."""
    size = AnnealerSize(32, 4, field_bits, 10, (1,) * (field_bits - 1), 64, 8)
    count = 28
    couplings = np.zeros((30, 30))
    couplings[:count, :count] = unit * (1 - np.eye(count))
    couplings[28, 29] = couplings[29, 28] = unit * 6.61
    linear = np.append(np.full(count, (count - 2 * number) * unit), [0, 0])
    try:
        found = quantise(linear, couplings, size)
    except CapacityError as error:
        assert "DecomposingSampler" in str(error) and field_bits < 9
        return
    problem = found.problem
    (coupling,) = np.unique(problem.couplings[:count, :count][~np.eye(count, dtype=bool)])
    (field,) = np.unique(problem.linear[:count])
    assert coupling > 0 and abs((count - field / coupling) / 2 - number) < 0.5
    assert not found.exact and found.relative_error > 0


def test_groups_of_which_one_is_chosen_stay_groups_of_which_one_is_chosen():
    """Penalties of two strengths, each rounded in its own way, on couplings of two bits."""
    narrow = AnnealerSize(64, 2, 9, 10, (1,) * 8, 64, 64)
    strengths, each = np.repeat([0.7, 1.0], 4), 6
    couplings = np.kron(np.diag(strengths), np.ones((each, each)))
    np.fill_diagonal(couplings, 0)
    linear = np.repeat(strengths, each) * (each - 2)
    found = quantise(linear, couplings, narrow)
    fields, degrees = found.problem.linear, found.problem.couplings.sum(axis=1)
    assert np.array_equal(fields, degrees / (each - 1) * (each - 2))
    assert found.linear_relative_error > 0.1 < found.coupling_relative_error


def test_weak_couplings_beside_a_strong_one_are_not_left_out_alone():
    couplings = np.zeros((30, 30))
    couplings[:28, :28] = 1 - np.eye(28)
    couplings[28, 29] = couplings[29, 28] = 100
    linear = np.append(np.full(28, 22.0), [0, 0])
    message = "units of the greatest one of most other .*: 100 needed, the device holds 7"
    with pytest.raises(CapacityError, match=message):
        quantise(linear, couplings, SIZE)


def test_fields_that_cost_most_couplings_are_refused():
    """The strong coupling fits; the weak ones would vanish for the sake of the fields."""
    size = AnnealerSize(32, 4, 5, 10, (1,) * 4, 64, 8)
    couplings = 1 - np.eye(30)
    couplings[0, 1] = couplings[1, 0] = 6
    with pytest.raises(CapacityError, match="units of the median coupling: 34 needed.* holds 15"):
        quantise(np.zeros(30), couplings, size)


def test_coefficients_that_vanish_are_counted_and_their_part_of_the_error_told():
    """The model of the file ``p qubo 0 3 2 2 / 0 0 5e-6 / 2 2 -2 / 0 1 -3e6 / 1 2 4``."""
    bqm = dimod.BinaryQuadraticModel({0: 5e-6, 2: -2.0}, {(0, 1): -3e6, (1, 2): 4.0}, "BINARY")
    found = quantise_model(bqm, [0, 1, 2], SIZE)
    assert not found.exact
    assert found.relative_error > 0 and found.coupling_relative_error > 0
    assert (found.zeroed, found.coefficients) == (1, 4)  # two fields, two couplings of spins
    weak = quantise(np.array([5e-6, 5.0]), np.array([[0, 1.0], [1.0, 0]]), SIZE)
    assert (weak.zeroed, weak.coefficients) == (1, 3)
    assert 0 < weak.linear_relative_error == pytest.approx(1e-6) and weak.coupling_error == 0
    assert not weak.exact


@pytest.mark.parametrize("error, exact", [(0, True), (1e-16, True), (1e-12, False), (1e-7, False)])
def test_exact_means_exact_but_for_the_rounding_of_floats(error, exact):
    linear = np.array([0.3, -0.5])
    coupling = 0.1 * (1 + error)
    found = quantise(linear, np.array([[0, coupling], [coupling, 0]]), SIZE)
    assert found.problem.linear.tolist() == [3, -5] and found.problem.couplings[0, 1] == 1
    assert found.exact == exact == (found.relative_error == 0)


def test_a_model_in_single_precision_is_exact_up_to_its_own_rounding():
    numbers = {"a": 0.3, "b": -0.7}, {"ab": 0.1}
    for dtype, exact in ((np.float32, True), (np.float64, True)):
        bqm = dimod.BinaryQuadraticModel(*numbers, "SPIN", dtype=dtype)
        assert quantise_model(bqm, ["a", "b"], SIZE).exact == exact
    mixed = dimod.BinaryQuadraticModel({"a": float(np.float32(0.3))}, {"ab": 0.1}, "SPIN")
    assert not quantise_model(mixed, ["a", "b"], SIZE).exact


def test_small_errors_are_not_shown_as_none():
    assert [percent(error) for error in (0.0, 0.25, 1e-4, 1.26e-6)] == [
        "0.00%",
        "25.00%",
        "0.01%",
        "0.00013%",
    ]


@pytest.mark.parametrize("rule", [CAPPED, KEPT_SUMS, ANCHORED])
def test_the_greatest_coupling_is_exact_and_never_rounded_down(rule):
    rng = np.random.default_rng(5)
    couplings = symmetric(rng, 20, lambda shape: rng.uniform(0.1, 1, shape))
    problem = quantise(np.zeros(20), couplings, SIZE, rule=rule).problem
    greatest = couplings == couplings.max()
    assert np.all(problem.couplings[greatest] == SIZE.coupling.maximum)
    scale = SIZE.coupling.maximum / couplings.max()
    assert np.all(np.abs(problem.couplings - scale * couplings) < 1)
    past = quantise(np.zeros(20), couplings, SIZE, rule=NEAREST).problem
    assert np.count_nonzero(past.couplings == 7) > np.count_nonzero(problem.couplings == 7)


@pytest.mark.parametrize("rule", [KEPT_SUMS, ANCHORED])
def test_the_state_of_all_bits_zero_has_the_fields_of_the_model(rule):
    """Whatever the reference state is, and however couplings are rounded."""
    narrow = AnnealerSize(32, 2, 9, 10, (1,) * 8, 32, 64)
    rng = np.random.default_rng(6)
    couplings = symmetric(rng, 30, lambda shape: rng.uniform(-0.4, 1, shape))
    linear = rng.uniform(-3, 3, 30)
    start = rng.choice(np.array([-1, 1], np.int8), 30)
    found = quantise(linear, couplings, narrow, start, rule=rule)
    zeros = -found.start
    fields = found.start * (found.problem.linear + found.problem.couplings @ zeros)
    scale = narrow.coupling.maximum / couplings.max()
    assert np.abs(fields - scale * (linear - couplings.sum(axis=1))).max() <= 0.5 + 1e-9


def test_models_of_bits_keep_weak_couplings_on_two_bits():
    """Weak couplings beside the greatest one are rounded up and down, instead of all away."""
    narrow = AnnealerSize(32, 2, 9, 10, (1,) * 8, 32, 64)
    bqm = dimod.BinaryQuadraticModel({}, {}, "BINARY")
    for place in range(20):
        for other in range(place):
            bqm.add_quadratic(place, other, 1.0)
    bqm.add_quadratic(18, 19, 2.0)
    sums = quantise_model(bqm, range(20), narrow).problem.couplings.sum(axis=1)
    assert np.abs(sums[:18] - 19 / 3).max() < 1
    others = quantise_model(bqm, range(20), narrow, CAPPED).problem.couplings
    assert not others[:18].any()


@pytest.mark.parametrize("rule", [NEAREST, CAPPED, KEPT_SUMS])
def test_few_scales_are_tried_and_the_greatest_that_fits_is_found(rule, monkeypatch):
    """Fields limit the scale here, and a rounding of many variables takes long."""
    narrow = AnnealerSize(64, 4, 7, 10, (1,) * 6, 64, 8)
    rng = np.random.default_rng(7)
    couplings = symmetric(rng, 40, lambda shape: rng.uniform(0.5, 1, shape))
    linear = rng.uniform(-5, 5, 40)
    tried = []
    at = Rounding.at
    monkeypatch.setattr(Rounding, "at", lambda self, scale: tried.append(scale) or at(self, scale))
    quantise(linear, couplings, narrow, rule=rule)
    assert len(tried) <= 5
    rounding = Rounding(linear, couplings, rule)
    fits = [scale for scale in tried if load_of(*at(rounding, scale), narrow) <= 1]
    assert load_of(*at(rounding, max(fits) * 1.01), narrow) > 1


@pytest.mark.parametrize("seed", range(3))
def test_what_the_load_lets_pass_is_what_a_problem_takes(seed):
    narrow = AnnealerSize(24, 3, 7, 10, (1,) * 6, 4, 8)
    rng = np.random.default_rng(seed)
    couplings = symmetric(rng, 20, lambda shape: rng.normal(size=shape))
    linear = rng.normal(size=20)
    taken = []
    for scale in np.geomspace(0.3, 4, 60):
        integers = np.rint(scale * couplings), np.rint(scale * linear)
        try:
            IsingProblem(narrow, *(each.astype(int) for each in integers))
            taken.append(True)
        except ValueError:
            taken.append(False)
        assert (load_of(*integers, narrow) <= 1) is taken[-1]
    assert 5 < sum(taken) < 55


def test_a_rounding_that_turns_the_model_over_is_refused():
    """Linear terms that make up for ten lost couplings have the other sign."""
    narrow = AnnealerSize(64, 2, 9, 10, (1,) * 8, 32, 64)
    couplings = np.zeros((12, 12))
    couplings[:10, :10] = 0.1 * (1 - np.eye(10))
    couplings[10, 11] = couplings[11, 10] = 1.0
    message = "greatest coupling in units of the median one: 10 needed, the device holds 1"
    linear = 0.2 * couplings.sum(axis=1)
    with pytest.raises(CapacityError, match=message):
        quantise(linear, couplings, narrow, rule=ANCHORED)
    assert quantise(linear, couplings, narrow, rule=KEPT_SUMS).scale > 0
