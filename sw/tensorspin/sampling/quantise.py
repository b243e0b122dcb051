"""Convert models of floats to the integers of an annealer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dimod
import numpy as np

from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError
from .gauge import balanced_state
from .rounding import (
    ANCHORED,
    CAPPED,
    KEPT_SUMS,
    NEAREST,
    Rounding,
    Rule,
    exact_scale,
    greatest_problem,
    problem_at,
    scale_limit,
)

ROUNDINGS = 8
"""Number of rounding errors of a product by which a coefficient may differ from that of the device
and still count as exact: it was divided by the unit, and the unit by another coefficient."""

MAGNITUDES = (1e-140, 1e140)
"""Bounds of the magnitude of a model's greatest coefficient. Within them the squares of
coefficients and their sums neither overflow nor vanish in double precision."""


RULES = {
    dimod.BINARY: (KEPT_SUMS, CAPPED, ANCHORED, NEAREST),
    dimod.SPIN: (NEAREST, CAPPED, KEPT_SUMS, ANCHORED),
}
"""Rules of rounding for models of binary variables, which mostly come from constraints, and for
models of spins. The first is the best where only one can be used; a read that is annealed several
times takes one after the other."""


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
    coupling_relative_error, linear_relative_error : float
        The same of the couplings' part of the energy, and of the linear terms' part. The part with
        the smaller coefficients may be lost though the error of the whole energy is small.
    zeroed : int
        Number of coefficients that are zero on the device but not in the model.
    coefficients : int
        Number of couplings and linear terms of the model, as a model of spins, that are not zero.
    """

    problem: IsingProblem
    start: np.ndarray
    scale: float
    coupling_error: float
    linear_error: float
    energy_error: float
    relative_error: float
    coupling_relative_error: float
    linear_relative_error: float
    zeroed: int
    coefficients: int

    @property
    def exact(self) -> bool:
        """Whether every coefficient is an integer of the device times one number.

        Rounding errors of the arithmetic in which the model was made are allowed for, no others.
        """
        return self.relative_error == 0

    @property
    def order_error(self) -> float:
        """Bound within which states can change their order, in units of the model.

        Of two states whose energies in the model differ by more, the lower one is the lower on the
        device, too.
        """
        return 0.0 if self.exact else 2 * self.energy_error

    @property
    def errors(self) -> dict[str, float]:
        """All errors of this class, and the two counts, by their names."""
        return {name: getattr(self, name) for name in ERRORS}


ERRORS = (
    "coupling_error",
    "linear_error",
    "energy_error",
    "order_error",
    "relative_error",
    "coupling_relative_error",
    "linear_relative_error",
    "zeroed",
    "coefficients",
)
"""Attributes of `Quantised` that tell what was lost, as samplers' ``info`` has them."""


def percent(error: float) -> str:
    """Write a relative error so that an error that is not zero never looks like none.

    Parameters
    ----------
    error : float
        A relative error, at least 0.

    Returns
    -------
    str
        The error in percent, with two decimals or, if it is smaller, two significant digits.

    Examples
    --------
    >>> percent(0.01234), percent(1.3e-6)
    ('1.23%', '0.00013%')
    """
    return f"{error:.2%}" if error >= 1e-4 or error == 0 else f"{100 * error:.2g}%"


def quantise_model(
    bqm: dimod.BinaryQuadraticModel,
    variables: Sequence,
    size: AnnealerSize,
    rule: Rule | None = None,
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
    rule : Rule, optional
        How to round; by default the first of `RULES` for the model's vartype. With a rule that
        keeps the fields of one state, that is the state in which all binary variables are 0.

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
    check_variables(len(variables), size)
    vectors: Any = bqm.spin.to_numpy_vectors(variable_order=variables)
    linear, (rows, columns, values), _ = vectors
    single = np.asarray(values).dtype == np.float32
    linear = np.asarray(linear, np.float64)
    couplings = np.zeros((len(linear), len(linear)))
    couplings[rows, columns] = values
    couplings = couplings + couplings.T
    rounding = float(np.finfo(np.float32 if single else np.float64).eps)
    rule = RULES[bqm.vartype][0] if rule is None else rule
    try:
        return quantise(linear, couplings, size, rounding=rounding, rule=rule)
    except CapacityError:
        return quantise(linear, couplings, size, balanced_state(couplings), rounding, rule)


def quantise(
    linear: np.ndarray,
    couplings: np.ndarray,
    size: AnnealerSize,
    start: np.ndarray | None = None,
    rounding: float = float(np.finfo(np.float64).eps),
    rule: Rule = NEAREST,
    anchor: np.ndarray | None = None,
) -> Quantised:
    """Scale and round the coefficients of a model of spins.

    If all coefficients are multiples of one number, and these multiples fit the device, the least
    such integers are taken: they are exact and have the smallest fields. Otherwise the integers are
    as great as the widths of couplings and fields allow, and the scale is the one at which they are
    nearest to the model, by least squares. Linear terms follow the couplings: where rounding makes
    these greater or smaller on the whole, linear terms are scaled by the same ratio before they are
    rounded. Otherwise their balance would tip, on which the solution depends where a constraint
    says how many variables are chosen. Another `rule` keeps sums and fields instead.

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
    rounding : float, optional
        Relative rounding error of the arithmetic in which the model was made; by default that of
        double precision.
    rule : Rule, default=NEAREST
        How coefficients that are not exact are rounded.
    anchor : ndarray of int8 of shape (n,), optional
        The state of the model whose fields an anchored rule keeps; by default all -1.

    Returns
    -------
    Quantised
        The problem, and the errors of its coefficients.

    Raises
    ------
    ValueError
        If a coefficient is not finite, or the greatest not within `MAGNITUDES`.
    CapacityError
        If there are more variables than spins, if local fields fit only with most couplings
        rounded to zero, or if linear terms would be left without the couplings that outweigh them.
    """
    check_variables(len(linear), size)
    if not (np.all(np.isfinite(linear)) and np.all(np.isfinite(couplings))):
        raise ValueError("all coefficients of a model must be finite")
    _check_magnitude(linear, couplings)
    start = np.ones(len(linear), np.int8) if start is None else start
    anchor = -start if anchor is None else start * anchor
    linear, couplings = start * linear, couplings * np.outer(start, start)
    upper = np.triu(couplings, 1)
    limit = scale_limit(linear, couplings, size)
    scale = exact_scale(np.concatenate([linear, upper[upper != 0]]), limit)
    problem = None if scale is None else problem_at(Rounding(linear, couplings), scale, size)
    if scale is None or problem is None:
        by_rule = Rounding(linear, couplings, rule, anchor)
        problem = greatest_problem(linear, couplings, limit, size, by_rule)
        scale = _nearest_scale(linear, couplings, problem)
    coupling_errors = np.abs(np.triu(problem.couplings, 1) / scale - upper)
    linear_errors = np.abs(problem.linear / scale - linear)
    # A linear term may be a sum with one summand for each coupling, as after a conversion from bits
    # to spins, and has the rounding errors of such a sum.
    degrees = np.count_nonzero(couplings, axis=1)
    allowed = rounding * (ROUNDINGS + degrees) * (np.abs(linear) + np.abs(couplings).sum(axis=1))
    exact = np.all(coupling_errors <= ROUNDINGS * rounding * np.abs(upper)) and np.all(
        linear_errors <= allowed
    )
    present = np.abs(linear) > allowed  # what is left of a sum that should be zero is no term
    zeroed = np.count_nonzero(upper[problem.couplings == 0]) + np.count_nonzero(
        present & (problem.linear == 0)
    )
    errors, values = (coupling_errors, linear_errors), (upper, linear)
    lost = [0.0 if exact else float(np.sum(each**2)) for each in errors]
    power = [float(np.sum(each**2)) for each in values]
    return Quantised(
        problem,
        start,
        scale,
        coupling_error=float(coupling_errors.max()),
        linear_error=float(linear_errors.max()),
        energy_error=float(coupling_errors.sum() + linear_errors.sum()),
        relative_error=_ratio(sum(lost), sum(power)),
        coupling_relative_error=_ratio(lost[0], power[0]),
        linear_relative_error=_ratio(lost[1], power[1]),
        zeroed=int(zeroed),
        coefficients=int(np.count_nonzero(upper) + np.count_nonzero(present)),
    )


def _ratio(lost: float, power: float) -> float:
    """Divide what was lost by what there was; both are sums of squares."""
    return float(np.sqrt(lost / power)) if power > 0 else 0.0


def check_variables(variables: int, size: AnnealerSize) -> None:
    """Refuse more variables than spins.

    Parameters
    ----------
    variables : int
        Number of variables.
    size : AnnealerSize
        Size of the device.

    Raises
    ------
    CapacityError
        If there are more variables than spins.
    """
    if variables > size.spins:
        raise CapacityError(
            "variables",
            variables,
            size.spins,
            "solve it in parts, with tensorspin.DecomposingSampler",
        )


def _check_magnitude(linear, couplings) -> None:
    greatest = max(np.abs(linear).max(), np.abs(couplings).max())
    least, most = MAGNITUDES
    if greatest > 0 and not least <= greatest <= most:
        raise ValueError(
            f"the greatest coefficient is {greatest:g}; it must be {least:g} to {most:g}: multiply "
            f"the model by a number"
        )


def _nearest_scale(linear, couplings, problem: IsingProblem) -> float:
    """Find the scale at which the energies of problem and model differ least, over all states."""
    power = np.sum(np.triu(problem.couplings, 1) ** 2) + np.sum(problem.linear**2)
    common = np.sum(np.triu(problem.couplings * couplings, 1)) + problem.linear @ linear
    if common <= 0:
        # Low states of the problem would be high ones of the model, or any.
        sizes = np.abs(couplings[couplings != 0])
        raise CapacityError(
            "greatest coupling in units of the median one",
            int(np.ceil(sizes.max() / np.median(sizes))),
            problem.size.coupling.maximum,
            "take a board with wider couplings, make couplings more alike, or solve the model in "
            "parts, with tensorspin.DecomposingSampler",
        )
    return float(power / common)
