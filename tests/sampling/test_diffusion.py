"""Couplings rounded so that the sums of rows are kept."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.sampling.diffusion import diffuse


def symmetric(seed, count, low=-1.0):
    upper = np.triu(np.random.default_rng(seed).uniform(low, 1, (count, count)), 1)
    return upper + upper.T


@pytest.mark.parametrize("low", [-1.0, 0.0])
@pytest.mark.parametrize("scale", [0.8, 3.3])
def test_sums_are_kept_and_each_coupling_is_a_neighbour(low, scale):
    couplings = symmetric(1, 40, low)
    anchor = np.random.default_rng(2).choice([-1, 1], 40)
    found = diffuse(couplings, scale, anchor)
    assert np.array_equal(found, found.T) and not found.diagonal().any()
    assert np.all(np.abs(found - scale * couplings) < 1)
    errors = (found - scale * couplings) @ anchor
    nearest = (np.rint(scale * couplings) - scale * couplings) @ anchor
    assert np.abs(errors).max() < 1 < np.abs(nearest).max()


def test_integers_stay():
    couplings = np.rint(3 * symmetric(3, 20))
    assert np.array_equal(diffuse(couplings, 1.0, np.ones(20)), couplings)


def test_equal_couplings_are_divided():
    """All to the nearest would be none at all."""
    couplings = 0.3 * (1 - np.eye(31))
    found = diffuse(couplings, 1.0, -np.ones(31))
    assert set(np.unique(found)) == {0, 1} and np.all(np.abs(found.sum(axis=1) - 9) <= 1)


@pytest.mark.parametrize("seed", range(4))
def test_no_single_move_is_left_that_lowers_the_errors(seed):
    couplings = symmetric(seed, 16, -0.4)
    found = diffuse(couplings, 1.7, np.ones(16))
    errors = found - 1.7 * couplings

    def squares(errors):
        return np.sum(errors.sum(axis=1) ** 2) + np.sum(np.triu(errors) ** 2)

    for row, column in zip(*np.triu_indices(16, 1)):
        moved = errors.copy()
        moved[row, column] = moved[column, row] = errors[row, column] - np.sign(errors[row, column])
        assert squares(moved) > squares(errors) - 1e-9
