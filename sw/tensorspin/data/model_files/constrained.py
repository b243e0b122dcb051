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
from math import lcm
from pathlib import Path

import dimod
import numpy as np

from ..cqm_files import read_cqm
from ..errors import DataError
from ..limits import MOST_VARIABLES
from .model import Constraints, Model
from .text import all_lines

MOST_INTEGER = 1_000_000
"""Largest upper bound of an integer variable. The square of the bound is a coefficient of the
model without constraints, so a board's few bits hold nothing of the others long before."""

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
    integral, fractional = _integral(cqm.spin_to_binary(inplace=False))
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
        constraints=Constraints(cqm, inverter, labels, lagrange_multiplier),
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
        low, high = cqm.lower_bound(label), cqm.upper_bound(label)
        if low != 0 or high > MOST_INTEGER:
            raise DataError(
                f"{path}: the integer {label!r} is {low:g} to {high:g}; integers must begin at 0 "
                f"and end at {MOST_INTEGER} at most"
            )
    for label, comparison in cqm.constraints.items():
        if not comparison.lhs.is_linear():
            raise DataError(f"{path}: the constraint {label!r} is quadratic; it must be linear")
        values = [*comparison.lhs.linear.values(), comparison.lhs.offset, comparison.rhs]
        if not np.all(np.isfinite(values)):
            raise DataError(f"{path}: the constraint {label!r} has a number that is not finite")


def _integral(
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
