"""Convert models of floats to the integers of an annealer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dimod
import numpy as np

from ..contract.annealer.problem import IsingProblem, split_fields
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError
from .gauge import balanced_state

TOLERANCE = 1e-6
"""Relative distance from an integer up to which a scaled coefficient counts as exact: about the
rounding error of a coefficient in single precision."""

MOST_MULTIPLES = 1024
"""Largest integer that is tried for the smallest coefficient, in search of a common unit."""

MAGNITUDES = (1e-140, 1e140)
"""Bounds of the magnitude of a model's greatest coefficient. Within them the squares of
coefficients and their sums neither overflow nor vanish in double precision."""

BISECTIONS = 12
"""Steps of the search for the greatest scale that fits, which finds it to 1 part in 4,000."""


@dataclass(frozen=True, eq=False)
class Quantised:
    """A model in the integers of a device, and what was lost by rounding.

    Parameters
    ----------
    problem : IsingProblem
        The model in integers. Its spins are the model's spins times `start`.
    start : ndarray of int8 of shape (n,)
        The reference state: the state of the model that the problem's state of all +1 stands for.
    scale : float
        Number of units of the device in one unit of the model.
    coupling_error, linear_error : float
        Greatest difference of a coupling, or of a linear term, from that of the model, in units of
        the model.
    energy_error : float
        Bound of the difference of any state's energy from that in the model, in units of the model.
    relative_error : float
        Root mean square of the energy's difference over all states, divided by the root mean square
        of the energy itself (without the constant): 0 if all coefficients are exact.
    """

    problem: IsingProblem
    start: np.ndarray
    scale: float
    coupling_error: float
    linear_error: float
    energy_error: float
    relative_error: float

    @property
    def errors(self) -> dict[str, float]:
        """The four errors of this class, by their names."""
        names = ("coupling_error", "linear_error", "energy_error", "relative_error")
        return {name: getattr(self, name) for name in names}


def quantise_model(
    bqm: dimod.BinaryQuadraticModel, variables: Sequence, size: AnnealerSize
) -> Quantised:
    """Convert a binary quadratic model to the integers of a device.

    The device begins with all spins +1. If the fields of that state do not fit, another state of
    the model is chosen as reference (`tensorspin.sampling.gauge`).

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        A model of any vartype with finite coefficients. For one without variables a problem of one
        spin without a field is made.
    variables : sequence
        Labels of the model's variables, in the order of the problem's variables.
    size : AnnealerSize
        Size of the device.

    Returns
    -------
    Quantised
        The problem, and the errors of its coefficients.

    Raises
    ------
    ValueError
        If a coefficient is not finite, or the greatest not within `MAGNITUDES`.
    CapacityError
        If the model does not fit with the other reference state either.
    """
    if not len(variables):
        return quantise(np.zeros(1), np.zeros((1, 1)), size)
    vectors: Any = bqm.spin.to_numpy_vectors(variable_order=variables)
    linear, (rows, columns, values), _ = vectors
    linear = np.asarray(linear, np.float64)
    couplings = np.zeros((len(linear), len(linear)))
    couplings[rows, columns] = values
    couplings = couplings + couplings.T
    try:
        return quantise(linear, couplings, size)
    except CapacityError:
        if len(linear) > size.spins:
            raise
        return quantise(linear, couplings, size, balanced_state(couplings))


def quantise(
    linear: np.ndarray,
    couplings: np.ndarray,
    size: AnnealerSize,
    start: np.ndarray | None = None,
) -> Quantised:
    """Scale and round the coefficients of a model of spins.

    If all coefficients are multiples of one number, and these multiples fit the device, the least
    such integers are taken: they are exact and have the smallest fields. Otherwise the integers are
    as great as the widths of couplings and fields allow, and the scale is the one at which they are
    nearest to the model, by least squares.

    Parameters
    ----------
    linear : ndarray of float64 of shape (n,)
        Linear terms.
    couplings : ndarray of float64 of shape (n, n)
        Couplings: symmetric, zero on the diagonal.
    size : AnnealerSize
        Size of the device.
    start : ndarray of int8 of shape (n,), optional
        The reference state, which the problem's state of all +1 stands for; by default all +1.

    Returns
    -------
    Quantised
        The problem, and the errors of its coefficients.

    Raises
    ------
    ValueError
        If a coefficient is not finite, or the greatest not within `MAGNITUDES`.
    CapacityError
        If there are more variables than spins, or if local fields fit only with all couplings
        rounded to zero.
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
    if scale is None or problem is None:
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
    """Find the scale at which the first coupling or field reaches its limit, before rounding."""
    greatest = np.abs(couplings).max()
    field = (np.abs(linear) + np.abs(couplings).sum(axis=1)).max()
    limits = [
        limit / value
        for value, limit in ((greatest, size.coupling.maximum), (field, size.field.maximum))
        if value > 0
    ]
    return min(limits, default=1.0)


def _exact_scale(values: np.ndarray, limit: float) -> float | None:
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


def _rounded(linear, couplings, scale: float, size: AnnealerSize) -> IsingProblem | None:
    """Round the model at a scale; None if the result does not fit."""
    integers = [np.rint(values * scale).astype(np.int64) for values in (couplings, linear)]
    try:
        return IsingProblem(size, *integers)
    except ValueError:  # only the problem itself knows what fits
        return None


def _greatest_problem(linear, couplings, limit, size) -> IsingProblem:
    """Find the problem at the greatest scale that fits, by bisection."""
    fits, fails = 0.0, 2.0 * limit  # the limit itself is tried first: it is half of the sum
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
    """Find the scale at which the energies of problem and model differ least, over all states."""
    power = np.sum(np.triu(problem.couplings, 1) ** 2) + np.sum(problem.linear**2)
    common = np.sum(np.triu(problem.couplings * couplings, 1)) + problem.linear @ linear
    return float(power / common)


def _too_large(linear, couplings, size) -> CapacityError:
    """Explain why a model does not fit even if its couplings are rounded to 1 at most."""
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
        len(split_fields(start, size)),
        size.offset_rows + size.spins - len(linear),
        "take a board with wider couplings or more spins, or make linear terms and degrees smaller",
    )
