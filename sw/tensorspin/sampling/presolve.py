"""Fix the variables of a constrained model that its constraints leave no choice."""

from __future__ import annotations

import dimod
import numpy as np
from dimod.sym import Sense

TOLERANCE = 1e-9
"""Relative rounding error by which a sum may miss the side of a constraint."""


def fixed_by_constraints(cqm: dimod.ConstrainedQuadraticModel) -> dict:
    """Find the binary variables that have only one value with which all constraints can hold.

    Each linear constraint bounds a variable by the least and the greatest sum of all others. The
    search ends when no constraint fixes a further variable.

    Parameters
    ----------
    cqm : dimod.ConstrainedQuadraticModel
        A model with linear constraints, of binary variables, spins and integers.

    Returns
    -------
    dict
        Values of the binary variables and spins that are fixed, by their labels.

    Raises
    ------
    ValueError
        If a constraint cannot hold.

    Examples
    --------
    >>> a, b, c = dimod.Binaries("abc")
    >>> cqm = dimod.ConstrainedQuadraticModel()
    >>> _ = cqm.add_constraint(3 * a + b + c <= 2)
    >>> _ = cqm.add_constraint(b + c >= 2)
    >>> fixed_by_constraints(cqm) == {"a": 0, "b": 1, "c": 1}
    True
    """
    low = {label: float(cqm.lower_bound(label)) for label in cqm.variables}
    high = {label: float(cqm.upper_bound(label)) for label in cqm.variables}
    choices = (dimod.BINARY, dimod.SPIN)
    found: dict = {}
    changed = True
    while changed:
        changed = False
        for name, constraint in cqm.constraints.items():
            if constraint.lhs.is_soft():
                continue
            for label, value in _fixed(name, constraint, low, high):
                if cqm.vartype(label) in choices and label not in found:
                    found[label] = int(value)
                    low[label] = high[label] = value
                    changed = True
    return found


def _fixed(name, constraint, low: dict, high: dict) -> list[tuple]:
    """Find the variables of a constraint whose other bound would break it, and their values."""
    lhs = constraint.lhs
    labels = list(lhs.variables)
    factors = np.array([lhs.get_linear(label) for label in labels], dtype=np.float64)
    lows = factors * [low[label] for label in labels]
    highs = factors * [high[label] for label in labels]
    least, most = np.minimum(lows, highs), np.maximum(lows, highs)
    rest = constraint.rhs - lhs.offset
    slack = TOLERANCE * (np.abs(factors).sum() + abs(rest) + 1)
    too_great = constraint.sense in (Sense.Le, Sense.Eq)
    too_small = constraint.sense in (Sense.Ge, Sense.Eq)
    if (too_great and least.sum() > rest + slack) or (too_small and most.sum() < rest - slack):
        raise ValueError(f"the constraint {name!r} cannot hold, whatever the variables are")
    fixed = []
    for place, label in enumerate(labels):
        span = most[place] - least[place]
        if span == 0:
            continue
        at_high = too_small and most.sum() - span < rest - slack
        at_low = too_great and least.sum() + span > rest + slack
        if at_high or at_low:
            # The greater sum comes from the upper bound if the factor is positive.
            upper = at_high == (factors[place] > 0)
            fixed.append((label, high[label] if upper else low[label]))
    return fixed
