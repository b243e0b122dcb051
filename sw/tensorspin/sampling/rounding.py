"""Find the integers of an annealer that are nearest to a model's coefficients, and fit.

All functions take linear terms, an array of shape (n,), and couplings, a symmetric array of shape
(n, n) with a zero diagonal. `tensorspin.sampling.quantise` tells what is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.annealer.problem import IsingProblem, split_fields
from ..contract.annealer.segments import most_offset_rows
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError
from .diffusion import diffuse

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

WHOLE = 0.999
"""Least scaled value of the median coupling, where fields limit the scale and sums of rows are
kept. With less, couplings that are equal become 1 for some pairs of variables and 0 for others."""

LOST = 2
"""Sum of a variable's couplings, in units of the device, from which on it counts as lost if all of
them are rounded to zero, but not the linear term, which they could outweigh in the model. A lower
sum is hardly more than the rounding error of one coupling."""

PRECISION = 1 / 200
"""Relative precision of the greatest scale that fits."""

TRIALS = 12
"""Most scales that are tried to find it; two or three are enough for most models."""


@dataclass(frozen=True)
class Rule:
    """How couplings and linear terms are rounded.

    Parameters
    ----------
    keeps_sums : bool
        Whether couplings are rounded so that each row keeps its sum
        (`tensorspin.sampling.diffusion`), instead of each to the nearest integer.
    anchored : bool
        Whether linear terms are chosen so that the fields of one state, the anchor, are those of
        the model but for their own rounding. Otherwise linear terms follow the couplings, as
        `Rounding` describes.
    capped : bool
        Whether the scale ends where the greatest coupling is exactly the greatest that the device
        holds. Beyond it the greatest couplings are all rounded down to that limit, on two bits by
        up to a third, whereas linear terms go on growing.
    """

    keeps_sums: bool
    anchored: bool
    capped: bool


NEAREST = Rule(keeps_sums=False, anchored=False, capped=False)
"""Every coupling to the nearest integer, at the greatest scale: the best for spin glasses."""

KEPT_SUMS = Rule(keeps_sums=True, anchored=True, capped=True)
"""Sums of rows and the fields of the anchor are kept: the best for constraints."""

CAPPED = Rule(keeps_sums=False, anchored=False, capped=True)
"""Every coupling to the nearest integer, and the greatest exactly."""

ANCHORED = Rule(keeps_sums=False, anchored=True, capped=True)
"""Every coupling to the nearest integer, and the fields of the anchor are kept."""


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

    Parameters
    ----------
    linear, couplings : ndarray of float64
        The model.
    rule : Rule, default=NEAREST
        How to round.
    anchor : ndarray of int8 of shape (n,), optional
        The state whose fields an anchored rule keeps; by default all -1.
    """

    def __init__(self, linear, couplings, rule: Rule = NEAREST, anchor=None) -> None:
        self._linear, self._couplings = linear, couplings
        self.rule = rule
        self._anchor = -np.ones(len(linear)) if anchor is None else anchor.astype(np.float64)
        self._greatest = np.abs(couplings).max()
        if self._greatest > 0:
            # Relative to the greatest, fourth powers of couplings neither overflow nor vanish.
            self._weights = (couplings / self._greatest) ** 2
            self._power = self._weights @ self._weights.sum(axis=1)

    def at(self, scale: float) -> tuple[np.ndarray, np.ndarray]:
        """Round the couplings and the linear terms at a scale: arrays of integers in float64."""
        if self.rule.keeps_sums:
            integers = diffuse(self._couplings, scale, self._anchor)
        else:
            integers = np.rint(self._couplings * scale)
        if self.rule.anchored:
            fields = self._linear + self._couplings @ self._anchor
            return integers, np.rint(scale * fields) - integers @ self._anchor
        return integers, np.rint(self._linear * self._followed(integers, scale))

    def _followed(self, integers, scale: float) -> np.ndarray:
        """Find the scale of each linear term."""
        scales = np.full(len(self._linear), scale)
        if self._greatest == 0:
            return scales
        common = self._weights @ (np.einsum("ij,ij->i", integers, self._couplings) / self._greatest)
        # Without couplings, or where all of them are rounded to zero, the scale is the model's.
        return np.divide(common, self._power * self._greatest, out=scales, where=common > 0)


def greatest_problem(linear, couplings, limit, size, rounding: Rounding) -> IsingProblem:
    """Find the problem at the greatest scale that fits and the rule allows."""
    least, first, most = 0.0, limit, 2.0 * limit
    greatest = np.abs(couplings).max()
    if rounding.rule.capped and greatest > 0:
        exact = size.coupling.maximum / greatest
        if exact < most:
            first = most = exact
        if rounding.rule.keeps_sums:
            least = min(WHOLE / _unit(couplings, size), exact)
            fields = np.abs(linear) + np.abs(couplings).sum(axis=1)
            if least < exact and fields.max() * least > size.field.maximum:
                raise _too_large(linear, couplings, size)
    found, best = _greatest_fitting(least, first, most, size, rounding)
    if not np.any(couplings):
        assert best is not None  # linear terms alone fit at a small scale
        return best
    possible = np.count_nonzero(np.abs(couplings) * _widest(couplings, size) > 0.5)
    if best is None or np.count_nonzero(best.couplings) < KEPT * possible:
        raise _too_large(linear, couplings, size)
    _check_balance(linear, couplings, found, best)
    return best


def load_of(couplings: np.ndarray, linear: np.ndarray, size: AnnealerSize) -> float:
    """Find the greatest share that integers take of what a device holds: they fit up to 1.

    Parameters
    ----------
    couplings : ndarray of float64 of shape (n, n)
        Integer couplings: symmetric, zero on the diagonal.
    linear : ndarray of float64 of shape (n,)
        Integer linear terms.
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    float
        The greatest of three shares: of the width of couplings, of the width of fields, and of the
        rows for the fields of the state in which the device begins.
    """
    widest = size.coupling.maximum
    fields = np.abs(linear) + np.abs(couplings).sum(axis=1)
    # The first row holds the lowest bits of the fields (`split_fields`), the others share the rest.
    start = np.abs(np.floor((linear + couplings.sum(axis=1)) / 2)).max()
    held = (most_offset_rows(size, len(linear)) - 1) * widest
    shares = [np.abs(couplings).max() / widest, fields.max() / size.field.maximum]
    if start > 0:
        shares.append(start / held if held > 0 else np.inf)
    return float(max(shares))


def problem_at(rounding: Rounding, scale: float, size: AnnealerSize) -> IsingProblem | None:
    """Round a model at a scale; None if the result does not fit."""
    integers = rounding.at(scale)
    return _problem(integers, size) if load_of(*integers, size) <= 1 else None


def _problem(integers: tuple[np.ndarray, np.ndarray], size: AnnealerSize) -> IsingProblem:
    """Make a problem of integers that fit."""
    couplings, linear = integers
    return IsingProblem(size, couplings.astype(np.int64), linear.astype(np.int64))


def _greatest_fitting(
    least: float, first: float, most: float, size: AnnealerSize, rounding: Rounding
) -> tuple[float, IsingProblem | None]:
    """Find the greatest scale from `least` to `most` at which a rounding fits.

    The search begins at `first`. The load grows about as the scale, so each trial tells where to
    look next: a little beyond, so that the greatest scale soon lies between two trials.
    """
    fits, fails, best = least, most, None
    scale, before, reach = first, None, PRECISION / 2
    for _ in range(TRIALS):
        integers = rounding.at(scale)
        load = load_of(*integers, size)
        fitted = load <= 1
        if fitted:
            fits, best = scale, integers
        elif scale <= least:
            break
        else:
            fails = scale
        close = fails - fits <= PRECISION * fails
        if close and best is not None:
            break
        reach = min(2 * reach, 0.5) if fitted is before else PRECISION / 2
        guess = scale / load * (1 + (reach if fitted else -reach)) if load > 0 else most
        if best is None:
            guess = least if close else max(guess, least)
        elif not fits < guess < fails:
            guess = (fits + fails) / 2
        scale, before = guess, fitted
    return fits, None if best is None else _problem(best, size)


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


def _unit(couplings, size) -> float:
    """Find the median of the couplings that the width of couplings alone would not lose."""
    sizes = np.abs(couplings[couplings != 0])
    return float(np.median(sizes[sizes * _widest(couplings, size) > 0.5]))


def _too_large(linear, couplings, size) -> CapacityError:
    """Explain why a model does not fit unless most of its couplings are rounded to zero."""
    unit = _unit(couplings, size)
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
        most_offset_rows(size, len(linear)),
        "take a board with wider couplings or more spins, make linear terms and degrees smaller, "
        "or solve it in parts, with tensorspin.DecomposingSampler",
    )
