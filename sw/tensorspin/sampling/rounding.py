"""Find the integers of an annealer that are nearest to a model's coefficients, and fit.

All functions take linear terms, an array of shape (n,), and couplings, a symmetric array of shape
(n, n) with a zero diagonal. `tensorspin.sampling.quantise` tells what is lost.
"""

from __future__ import annotations

import numpy as np

from ..contract.annealer.problem import IsingProblem, split_fields
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError

TOLERANCE = 1e-6
"""Relative distance from an integer up to which a scaled coefficient is taken for this integer in
the search of a common unit: about the rounding error of a coefficient in single precision. Whether
the result is exact is decided afterwards, by `ROUNDINGS`."""

MOST_MULTIPLES = 1024
"""Largest integer that is tried for the smallest coefficient, in search of a common unit."""

KEPT = 0.5
"""Least share of the couplings that must be left, of those that would be left if only the width of
couplings limited the scale; and least share of the variables that must be left with a coupling, or
without a linear term. A model that loses more is refused: another one would be solved."""

LOST = 2
"""Sum of a variable's couplings, in units of the device, from which on it counts as lost if all of
them are rounded to zero, but not the linear term, which they could outweigh in the model. A lower
sum is hardly more than the rounding error of one coupling."""

BISECTIONS = 12
"""Steps of the search for the greatest scale that fits, which finds it to 1 part in 4,000."""


def scale_limit(linear, couplings, size: AnnealerSize) -> float:
    """Find the scale at which the first coupling or field reaches its limit, before rounding."""
    greatest = np.abs(couplings).max()
    field = (np.abs(linear) + np.abs(couplings).sum(axis=1)).max()
    limits = [
        limit / value
        for value, limit in ((greatest, size.coupling.maximum), (field, size.field.maximum))
        if value > 0
    ]
    return min(limits, default=1.0)


def exact_scale(values: np.ndarray, limit: float) -> float | None:
    """Find the least scale, up to a limit, at which all values are integers, or return None."""
    # Values that round to zero at any scale that fits are left out, for example the rounding error
    # of a sum that should be zero: they would hide the unit of the others.
    values = np.unique(np.abs(values[np.abs(values) * limit > TOLERANCE]))
    if not len(values):
        return 1.0
    least = values[0]
    for multiple in range(1, int(min(limit * least * (1 + TOLERANCE), MOST_MULTIPLES)) + 1):
        scaled = values * (multiple / least)
        if np.all(np.abs(scaled - np.rint(scaled)) <= TOLERANCE * np.maximum(scaled, 1)):
            return float(multiple / least)
    return None


class Rounding:
    """Rounds a model at any scale.

    Linear terms are scaled as rounding has scaled the couplings around them. The scale of a
    variable's linear term is the one at which the couplings of its neighbours are nearest to the
    integers, by least squares. With the neighbours, the errors of single couplings mostly cancel
    each other, whereas those that all couplings of a constraint share remain.
    """

    def __init__(self, linear, couplings) -> None:
        self._linear, self._couplings = linear, couplings
        self._greatest = np.abs(couplings).max()
        if self._greatest > 0:
            # Relative to the greatest, fourth powers of couplings neither overflow nor vanish.
            self._weights = (couplings / self._greatest) ** 2
            self._power = self._weights @ self._weights.sum(axis=1)

    def at(self, scale: float, size: AnnealerSize) -> IsingProblem | None:
        """Round the model at a scale; None if the result does not fit."""
        integers = np.rint(self._couplings * scale)
        terms = np.rint(self._linear * self._followed(integers, scale))
        try:
            return IsingProblem(size, integers.astype(np.int64), terms.astype(np.int64))
        except ValueError:  # only the problem itself knows what fits
            return None

    def _followed(self, integers, scale: float) -> np.ndarray:
        """Find the scale of each linear term."""
        scales = np.full(len(self._linear), scale)
        if self._greatest == 0:
            return scales
        common = self._weights @ (np.einsum("ij,ij->i", integers, self._couplings) / self._greatest)
        # Without couplings, or where all of them are rounded to zero, the scale is the model's.
        return np.divide(common, self._power * self._greatest, out=scales, where=common > 0)


def greatest_problem(linear, couplings, limit, size) -> IsingProblem:
    """Find the problem at the greatest scale that fits, by bisection."""
    fits, fails = 0.0, 2.0 * limit  # the limit itself is tried first: it is half of the sum
    best, rounding = None, Rounding(linear, couplings)
    for _ in range(BISECTIONS):
        scale = (fits + fails) / 2
        problem = rounding.at(scale, size)
        if problem is None:
            fails = scale
        else:
            fits, best = scale, problem
    if not np.any(couplings):
        assert best is not None  # linear terms alone fit at a small scale
        return best
    possible = np.count_nonzero(np.abs(couplings) * _widest(couplings, size) > 0.5)
    if best is None or np.count_nonzero(best.couplings) < KEPT * possible:
        raise _too_large(linear, couplings, size)
    _check_balance(linear, couplings, fits, best)
    return best


def _widest(couplings, size: AnnealerSize) -> float:
    """Find the greatest scale for couplings alone: the greatest is rounded down to its limit."""
    return (size.coupling.maximum + 0.5) / np.abs(couplings).max()


def _check_balance(linear, couplings, scale: float, problem: IsingProblem) -> None:
    """Refuse a problem where most linear terms have lost the couplings that outweigh them."""
    sums = np.abs(couplings).sum(axis=1)
    lost = (
        ~problem.couplings.any(axis=1)
        & (problem.linear != 0)
        & (np.abs(linear) <= sums)
        & (scale * sums >= LOST)
    )
    if np.count_nonzero(lost) > (1 - KEPT) * np.count_nonzero(sums):
        ratio = np.abs(couplings).max() / np.abs(couplings[lost]).max()
        raise CapacityError(
            "greatest coupling in units of the greatest one of most other variables, whose linear "
            "terms would be left alone",
            int(np.ceil(ratio)),
            problem.size.coupling.maximum,
            "take a board with wider couplings, make couplings more alike, or solve it in parts, "
            "with tensorspin.DecomposingSampler",
        )


def _too_large(linear, couplings, size) -> CapacityError:
    """Explain why a model does not fit unless most of its couplings are rounded to zero."""
    sizes = np.abs(couplings[couplings != 0])
    unit = float(np.median(sizes[sizes * _widest(couplings, size) > 0.5]))
    fields = (np.abs(linear) + np.abs(couplings).sum(axis=1)) / unit
    if (greatest := int(np.ceil(fields.max()))) > size.field.maximum:
        return CapacityError(
            "local field in units of the median coupling",
            greatest,
            size.field.maximum,
            "take a board with wider fields, make linear terms and degrees smaller, or solve it in "
            "parts, with tensorspin.DecomposingSampler",
        )
    start = np.rint((linear + couplings.sum(axis=1)) / unit).astype(np.int64)
    return CapacityError(
        "rows for the fields of the state in which the device begins",
        len(split_fields(start, size)),
        size.offset_rows + size.spins - len(linear),
        "take a board with wider couplings or more spins, make linear terms and degrees smaller, "
        "or solve it in parts, with tensorspin.DecomposingSampler",
    )
