"""Find the variables of a model whose values in all ground states are plain to see."""

from __future__ import annotations

from typing import Any

import dimod
import numpy as np
from scipy.sparse import csr_array

EPSILON = float(np.finfo(np.float64).eps)
"""Relative rounding error of double precision."""


def decided_variables(bqm: dimod.BinaryQuadraticModel) -> dict:
    """Find the variables whose linear term outweighs all their couplings together.

    Such a variable has the same value in every ground state, whatever its neighbours are; an
    isolated variable with a linear term is the simplest one. Once it has this value, its couplings
    are linear terms of its neighbours, of which some are then decided too. The search ends when no
    more variable is.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        A model of any vartype with finite coefficients.

    Returns
    -------
    dict
        Values of the variables that are decided, in the model's vartype, by their labels. A
        variable whose linear term only just equals its couplings is not among them.

    Examples
    --------
    >>> bqm = dimod.BinaryQuadraticModel({"a": 3.0, "b": 0.5}, {"ab": 1.0, "bc": 2.0}, "SPIN")
    >>> decided_variables(bqm)
    {'a': -1}
    """
    labels = list(bqm.variables)
    if not labels:
        return {}
    vectors: Any = bqm.to_numpy_vectors(variable_order=labels)
    linear, (rows, columns, values), _ = vectors
    linear = np.array(linear, np.float64)
    upper = csr_array(
        (np.asarray(values, np.float64), (rows, columns)), shape=(len(labels), len(labels))
    )
    couplings = csr_array(upper + upper.T)
    low, high = (-1, 1) if bqm.vartype is dimod.SPIN else (0, 1)
    left = np.arange(len(labels))
    found: dict = {}
    while len(left):
        # The energy of the high value, less that of the low one, lies between two sums, which are
        # reached where each neighbour that is not decided yet has the one or the other value.
        positive, negative = couplings.maximum(0).sum(axis=1), couplings.minimum(0).sum(axis=1)
        least = linear + low * positive + high * negative
        most = linear + low * negative + high * positive
        rounding = EPSILON * (np.diff(couplings.indptr) + 2)
        rounding *= np.abs(linear) + positive - negative
        values = np.where(least > rounding, low, high)
        decided = (least > rounding) | (most < -rounding)
        if not decided.any():
            break
        found.update(zip((labels[place] for place in left[decided]), values[decided].tolist()))
        linear = (linear + couplings[:, decided] @ values[decided])[~decided]
        couplings = couplings[~decided][:, ~decided]
        left = left[~decided]
    return found
