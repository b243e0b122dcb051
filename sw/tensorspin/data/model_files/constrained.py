"""Models with constraints: dimod's constrained quadratic models (CQM), and LP files.

`dimod.cqm_to_bqm` makes a model without constraints of them: a state that breaks a constraint gets
a penalty, and inequalities and integers get variables of their own. Whether a state that is found
keeps the constraints is decided by the constraints themselves.
"""

from __future__ import annotations

import copy
import re
import warnings
from fractions import Fraction
from math import ceil, floor, lcm
from pathlib import Path

import dimod
import numpy as np

from ..cqm_files import read_cqm
from ..errors import DataError
from ..limits import MOST_VARIABLES
from .model import Constraints, Model
from .text import all_lines

MOST_INTEGER = 1_000_000
"""Largest difference of an integer variable's bounds. Its square is a coefficient of the model
without constraints, so a board's few bits hold nothing of the others long before."""

MOST_DENOMINATOR = 1000
"""Largest common denominator of an inequality's coefficients by which they are multiplied."""

_MAXIMISED = re.compile(r"^\s*max(imi[sz]e|imum)?\b", re.IGNORECASE | re.MULTILINE)
"""Beginning of an LP file's objective that is maximised."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Characters at which dimod's reader of LP files may look for the end of a word for ever."""

_LP_COMMENT = re.compile(r"\\.*")
"""Comment of an LP file."""


def read_constrained(
    path: Path, content: bytes, limit: int, lagrange_multiplier: float | None
) -> Model:
    """Read what dimod.ConstrainedQuadraticModel.to_file writes.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    content : bytes
        Its content.
    limit : int
        Most bytes that its compressed parts may expand to.
    lagrange_multiplier : float or None
        Weight of the penalties; None for dimod's choice.

    Returns
    -------
    Model
        The model.

    Raises
    ------
    DataError
        If it is something else, or damaged, or has variables or constraints that cannot be used.
    """
    return _model(path, read_cqm(path, content, limit), "cqm", False, lagrange_multiplier)


def read_lp(path: Path, text: str, lagrange_multiplier: float | None) -> Model:
    """Read an LP file, with linear constraints and a linear or quadratic objective.

    Parameters
    ----------
    path : Path
        The file, for messages and the model's name.
    text : str
        Its content.
    lagrange_multiplier : float or None
        Weight of the penalties; None for dimod's choice.

    Returns
    -------
    Model
        The model. An objective that is maximised is reported as it is.

    Raises
    ------
    DataError
        If the file does not have the format, or has variables or constraints that cannot be used.
    """
    for number, line in all_lines(text):
        if _CONTROLS.search(line):
            raise DataError(f"{path}: line {number} has a control character, which no LP file has")
    try:
        cqm = dimod.lp.loads(text)
    except Exception as error:
        # dimod's reader, which is compiled, raises exceptions without a base class in common.
        raise DataError(f"{path} is no LP file: {error}") from error
    if not cqm.variables:
        raise DataError(f"{path} is no LP file: it has no variables")
    # dimod changes the sign of an objective that is maximised, and does not tell.
    maximised = _MAXIMISED.search(_LP_COMMENT.sub("", text)) is not None
    return _model(path, cqm, "lp", maximised, lagrange_multiplier)


def _model(
    path: Path,
    cqm: dimod.ConstrainedQuadraticModel,
    file_format: str,
    maximised: bool,
    lagrange_multiplier: float | None,
) -> Model:
    """Make the model without constraints."""
    _check(path, cqm)
    notes = [f"{'greatest' if maximised else 'least'} objective, constraints as penalties"]
    soft = sum(comparison.lhs.is_soft() for comparison in cqm.constraints.values())
    if soft:
        notes.append(f"{soft} soft constraints are taken as hard")
    # dimod 0.12 cannot make a model without constraints of an objective with spins.
    moved, least = integers_from_zero(cqm)
    integral, fractional = integral_inequalities(moved.spin_to_binary(inplace=False))
    if fractional:
        notes.append(
            f"{fractional} inequalities have fractional coefficients, so their penalties are not "
            f"exact; whether they hold is"
        )
    try:
        with warnings.catch_warnings():
            # dimod warns of fractional coefficients, which a note says, and of constraints that
            # always hold, which need no penalty.
            warnings.simplefilter("ignore")
            bqm, inverter = dimod.cqm_to_bqm(integral, lagrange_multiplier)
    except (ValueError, RuntimeError, OverflowError) as error:
        raise DataError(f"{path} cannot be made a model without constraints: {error}") from error
    if bqm.num_variables > MOST_VARIABLES:
        raise DataError(
            f"{path} becomes a model of {bqm.num_variables} variables; {MOST_VARIABLES} are the "
            f"limit"
        )
    # dimod gives variables of inequalities random labels, by which reads would be ordered; numbers
    # make the same file give the same reads.
    labels = list(bqm.variables)
    bqm.relabel_variables({label: number for number, label in enumerate(labels)})
    return Model(
        path.name,
        bqm,
        "max objective" if maximised else "objective",
        file_format=file_format,
        reading="; ".join(notes),
        constraints=Constraints(cqm, inverter, labels, lagrange_multiplier, least),
    )


def _check(path: Path, cqm: dimod.ConstrainedQuadraticModel) -> None:
    """Refuse variables and constraints that have no model of binary variables."""
    objective = cqm.objective
    values = [*objective.linear.values(), *objective.quadratic.values(), objective.offset]
    if not np.all(np.isfinite(values)):
        raise DataError(f"{path}: the objective has a coefficient that is not finite")
    for label in cqm.variables:
        vartype = cqm.vartype(label)
        if vartype is dimod.REAL:
            raise DataError(f"{path}: the variable {label!r} is real; it must be binary or integer")
        if vartype is not dimod.INTEGER:
            continue
        if (wide := wide_integer(cqm, label)) is not None:
            raise DataError(f"{path}: {wide}")
    for label, comparison in cqm.constraints.items():
        if not comparison.lhs.is_linear():
            raise DataError(f"{path}: the constraint {label!r} is quadratic; it must be linear")
        values = [*comparison.lhs.linear.values(), comparison.lhs.offset, comparison.rhs]
        if not np.all(np.isfinite(values)):
            raise DataError(f"{path}: the constraint {label!r} has a number that is not finite")


def wide_integer(cqm: dimod.ConstrainedQuadraticModel, label) -> str | None:
    """Explain why an integer variable cannot be used, or return None."""
    low, high = cqm.lower_bound(label), cqm.upper_bound(label)
    if high - low <= MOST_INTEGER:
        return None
    return (
        f"the integer {label!r} is {low:g} to {high:g}; its bounds must differ by {MOST_INTEGER} "
        f"at most"
    )


def integers_from_zero(
    cqm: dimod.ConstrainedQuadraticModel,
) -> tuple[dimod.ConstrainedQuadraticModel, dict]:
    """Replace integers that dimod does not encode by their differences from their least values.

    dimod encodes integers from 0 to 2 or more. An integer with two values becomes a binary
    variable, and one with a single value a constant.

    Parameters
    ----------
    cqm : dimod.ConstrainedQuadraticModel
        A model with linear constraints.

    Returns
    -------
    cqm : dimod.ConstrainedQuadraticModel
        The model of the differences, with the same labels; all constraints are hard. It is the
        model itself if dimod encodes all of its integers.
    least : dict
        What to add to the integers of its samples, by their labels, where it may be other than 0.

    Examples
    --------
    >>> cqm = dimod.ConstrainedQuadraticModel()
    >>> i = dimod.Integer("i", lower_bound=3, upper_bound=7)
    >>> cqm.set_objective(i * i)
    >>> moved, least = integers_from_zero(cqm)
    >>> least, float(moved.upper_bound("i")), float(moved.objective.energy({"i": 1}))
    ({'i': 3}, 4.0, 16.0)
    """
    least = {}
    for label in cqm.variables:
        low, high = cqm.lower_bound(label), cqm.upper_bound(label)
        if cqm.vartype(label) is dimod.INTEGER and (low != 0 or high < 2):
            least[label] = ceil(low)
    if not least:
        return cqm, {}
    moved = dimod.ConstrainedQuadraticModel()
    moved.set_objective(_moved(cqm, cqm.objective, least))
    for label, item in cqm.constraints.items():
        moved.add_constraint_from_model(
            _moved(cqm, item.lhs, least), item.sense.value, rhs=item.rhs, label=label
        )
    return moved, least


def _moved(cqm: dimod.ConstrainedQuadraticModel, terms, least: dict) -> dimod.QuadraticModel:
    """Write an objective, or a side of a constraint, in the differences from the least values."""
    found = dimod.QuadraticModel()
    found.offset = terms.offset
    for label in terms.variables:
        low, bias = least.get(label, 0), terms.get_linear(label)
        most = floor(cqm.upper_bound(label)) - low
        if cqm.vartype(label) is not dimod.INTEGER:
            found.add_variable(cqm.vartype(label), label)
        elif most > 1:
            found.add_variable("INTEGER", label, upper_bound=most)
        elif most == 1:
            found.add_variable("BINARY", label)
        if most > 0:
            found.add_linear(label, bias)
        found.offset += bias * low
    left = set(found.variables)
    for (one, other), bias in terms.quadratic.items():
        first, second = least.get(one, 0), least.get(other, 0)
        if one == other and one in left and found.vartype(one) is dimod.BINARY:
            found.add_linear(one, bias)  # the square of 0 or 1 is itself
        elif one in left and other in left:
            found.add_quadratic(one, other, bias)
        for label, factor in ((one, second), (other, first)):
            if label in left:
                found.add_linear(label, bias * factor)
        found.offset += bias * first * second
    return found


def integral_inequalities(
    cqm: dimod.ConstrainedQuadraticModel,
) -> tuple[dimod.ConstrainedQuadraticModel, int]:
    """Multiply inequalities by the common denominator of their coefficients.

    dimod fills the gap between the sides of an inequality with integers, so that with coefficients
    of 0.5 no state, or the wrong ones, would be free of a penalty. Returns a model, and how many
    inequalities have no small denominator and stay as they are.
    """
    factors = {label: _denominator(item) for label, item in cqm.constraints.items()}
    fractional = sum(factor is None for factor in factors.values())
    made = copy.deepcopy(cqm)
    for label, factor in factors.items():
        if factor is None or factor == 1:
            continue
        item = cqm.constraints[label]
        terms: list[tuple] = [
            (name, _times(item.lhs.get_linear(name), factor)) for name in item.lhs.variables
        ]
        terms.append((_times(item.lhs.offset, factor),))
        made.remove_constraint(label)
        made.add_constraint_from_iterable(
            terms, item.sense.value, rhs=_times(item.rhs, factor), label=label
        )
    return made, fractional


def _times(value: float, factor: int) -> float:
    """Multiply, without the rounding errors of a decimal fraction."""
    return float(round(value * factor))


def _denominator(comparison) -> int | None:
    """Find the number that makes all coefficients of an inequality integers; None if it is large.

    An equation needs none, as dimod adds no variables to it.
    """
    lhs = comparison.lhs
    if comparison.sense is dimod.sym.Sense.Eq:
        return 1
    common = 1
    for value in [*lhs.linear.values(), lhs.offset, comparison.rhs]:
        fraction = Fraction(float(value)).limit_denominator(MOST_DENOMINATOR)
        if abs(float(fraction) - value) > 1e-12 * max(1.0, abs(value)):
            return None
        common = lcm(common, fraction.denominator)
    return common if common <= MOST_DENOMINATOR else None
