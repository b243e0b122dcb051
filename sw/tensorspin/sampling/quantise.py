"""Ising models of floats as integers that fit an annealer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.annealer.problem import IsingProblem, offset_rows
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError

TOLERANCE = 1e-6
"""Relative: how far from integers scaled coefficients may be that count as exact. That is what
single precision leaves."""

MOST_MULTIPLES = 1024
"""Of the least coefficient that are tried as integers at most."""

MAGNITUDES = (1e-140, 1e140)
"""Of a model's greatest coefficient: the squares of all, and their sums, are then floats."""

BISECTIONS = 12
"""Steps in which the greatest scale that fits is found: to 1 part in 4,000 of the first guess."""


@dataclass(frozen=True, eq=False)
class Quantised:
    """A problem on the device's scale.

    Attributes
    ----------
    problem : IsingProblem
        Its spins are the model's times `start`.
    start : ndarray of int8, shape (n,)
        State of the model for which the problem's spins +1 stand.
    scale : float
        Units of the device in one of the model.
    coupling_error, linear_error : float
        Greatest difference of a coefficient from the model's, in units of the model.
    energy_error : float
        No state's energy differs by more from the model's, in units of the model.
    relative_error : float
        The root mean square of that difference over all states, divided by that of the energy
        (without the constant): 0 if all coefficients are exact.
    """

    problem: IsingProblem
    start: np.ndarray
    scale: float
    coupling_error: float
    linear_error: float
    energy_error: float
    relative_error: float


def quantise(
    linear: np.ndarray,
    couplings: np.ndarray,
    size: AnnealerSize,
    start: np.ndarray | None = None,
) -> Quantised:
    """Scale and round a model.

    If all coefficients are multiples of a number so that they fit as integers, the least such
    integers are taken: exact, with the smallest fields. Otherwise the integers are as great as the
    widths of couplings and fields allow, and the scale is that at which they are nearest to the
    model, by least squares.

    Parameters
    ----------
    linear : ndarray of float, shape (n,)
    couplings : ndarray of float, shape (n, n)
        Symmetric, zero on the diagonal.
    size : AnnealerSize
    start : ndarray of int8, shape (n,), optional
        The state for which the problem's spins +1 are to stand; by default all +1.

    Returns
    -------
    Quantised

    Raises
    ------
    ValueError
        If a coefficient is not finite, or the greatest not within `MAGNITUDES`.
    CapacityError
        If there are more variables than spins, or local fields would not fit unless all couplings
        were rounded to zero.
    """
    if len(linear) > size.spins:
        raise CapacityError(
            "variables",
            len(linear),
            size.spins,
            "solve it in parts, with tensorspin.DecomposingSampler",
        )
    if not (np.all(np.isfinite(linear)) and np.all(np.isfinite(couplings))):
        raise ValueError("all coefficients of a model must be finite")
    _check_magnitude(linear, couplings)
    start = np.ones(len(linear), np.int8) if start is None else start
    linear, couplings = start * linear, couplings * np.outer(start, start)
    upper = np.triu(couplings, 1)
    limit = _scale_limit(linear, couplings, size)
    scale = _exact_scale(np.concatenate([linear, upper[upper != 0]]), limit)
    problem = None if scale is None else _rounded(linear, couplings, scale, size)
    if problem is None:
        problem = _greatest_problem(linear, couplings, limit, size)
        scale = _nearest_scale(linear, couplings, problem)
    coupling_errors = np.abs(np.triu(problem.couplings, 1) / scale - upper)
    linear_errors = np.abs(problem.linear / scale - linear)
    power = np.sum(upper**2) + np.sum(linear**2)
    lost = np.sum(coupling_errors**2) + np.sum(linear_errors**2)
    return Quantised(
        problem,
        start,
        scale,
        float(coupling_errors.max()),
        float(linear_errors.max()),
        float(coupling_errors.sum() + linear_errors.sum()),
        float(np.sqrt(lost / power)) if power > 0 else 0.0,
    )


def _check_magnitude(linear, couplings) -> None:
    greatest = max(np.abs(linear).max(), np.abs(couplings).max())
    least, most = MAGNITUDES
    if greatest > 0 and not least <= greatest <= most:
        raise ValueError(
            f"the greatest coefficient is {greatest:g}; it must be {least:g} to {most:g}: multiply "
            f"the model by a number"
        )


def _scale_limit(linear, couplings, size: AnnealerSize) -> float:
    """The scale at which the first coupling or field reaches its limit, before rounding."""
    greatest = np.abs(couplings).max()
    field = (np.abs(linear) + np.abs(couplings).sum(axis=1)).max()
    limits = [
        limit / value
        for value, limit in ((greatest, size.coupling.maximum), (field, size.field.maximum))
        if value > 0
    ]
    return min(limits, default=1.0)


def _exact_scale(values: np.ndarray, limit: float) -> float | None:
    """The least scale, up to a limit, at which all values are integers; None if there is none."""
    # What counts as zero at any scale is left out, such as the rest of a sum that should be zero.
    values = np.unique(np.abs(values[np.abs(values) * limit > TOLERANCE]))
    if not len(values):
        return 1.0
    least = values[0]
    for multiple in range(1, int(min(limit * least * (1 + TOLERANCE), MOST_MULTIPLES)) + 1):
        scaled = values * (multiple / least)
        if np.all(np.abs(scaled - np.rint(scaled)) <= TOLERANCE * np.maximum(scaled, 1)):
            return float(multiple / least)
    return None


def _rounded(linear, couplings, scale: float, size: AnnealerSize) -> IsingProblem | None:
    """The problem at a scale, or None if it does not fit."""
    integers = [np.rint(values * scale).astype(np.int64) for values in (couplings, linear)]
    try:
        return IsingProblem(size, *integers)
    except ValueError:  # what fits is the problem's own knowledge
        return None


def _greatest_problem(linear, couplings, limit, size) -> IsingProblem:
    """Bisect for the greatest scale at which a problem fits."""
    fits, fails = 0.0, 2.0 * limit  # so that the limit itself is tried first
    best = None
    for _ in range(BISECTIONS):
        scale = (fits + fails) / 2
        problem = _rounded(linear, couplings, scale, size)
        if problem is None:
            fails = scale
        else:
            fits, best = scale, problem
    if best is None or (np.any(couplings) and not np.any(best.couplings)):
        raise _too_large(linear, couplings, size)
    return best


def _nearest_scale(linear, couplings, problem: IsingProblem) -> float:
    """The scale at which a problem's energies differ least from a model's, over all states."""
    power = np.sum(np.triu(problem.couplings, 1) ** 2) + np.sum(problem.linear**2)
    common = np.sum(np.triu(problem.couplings * couplings, 1)) + problem.linear @ linear
    return float(power / common)


def _too_large(linear, couplings, size) -> CapacityError:
    """Why a problem does not fit though its couplings are at most 1."""
    least = 1 / np.abs(couplings).max()
    fields = (np.abs(linear) + np.abs(couplings).sum(axis=1)) * least
    if (greatest := int(np.ceil(fields.max()))) > size.field.maximum:
        return CapacityError(
            "local field in units of the greatest coupling",
            greatest,
            size.field.maximum,
            "take a board with wider fields, or make linear terms and degrees smaller",
        )
    start = np.rint((linear + couplings.sum(axis=1)) * least).astype(np.int64)
    return CapacityError(
        "rows for the fields of the state in which the device begins",
        len(offset_rows(start, size)),
        size.offset_rows + size.spins - len(linear),
        "take a board with wider couplings or more spins, or make linear terms and degrees smaller",
    )
