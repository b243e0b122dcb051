"""Find the ground state of a small model by computing the energies of all its states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dimod
import numpy as np

MOST_ENUMERATED = 20
"""Greatest number of variables of a model that is enumerated: about a million states, whose
energies take 8 MB and a few milliseconds."""


def ground_state(bqm: dimod.BinaryQuadraticModel, variables: Sequence) -> np.ndarray:
    """Find a state of lowest energy of a model of up to `MOST_ENUMERATED` variables.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Labels of its variables, in the order of the result.

    Returns
    -------
    ndarray of int8 of shape (n,)
        A state in the values of the model's vartype; always the same, if there are several.

    Raises
    ------
    ValueError
        If there are more variables.

    Examples
    --------
    >>> bqm = dimod.BinaryQuadraticModel({"a": 0.5}, {"ab": -1.0}, "SPIN")
    >>> ground_state(bqm, ["a", "b"]).tolist()
    [-1, -1]
    """
    count = len(variables)
    if count > MOST_ENUMERATED:
        raise ValueError(f"a model of up to {MOST_ENUMERATED} variables is enumerated, not {count}")
    values = np.array((-1, 1) if bqm.vartype is dimod.SPIN else (0, 1), np.int8)
    vectors: Any = bqm.to_numpy_vectors(variable_order=variables)
    linear, (rows, columns, biases), _ = vectors
    couplings = np.zeros((count, count))
    couplings[rows, columns] = biases
    couplings += couplings.T
    # All states of one half of the variables meet all states of the other half.
    half = count // 2
    first, second = _states(half, values), _states(count - half, values)
    energies = np.add.outer(
        _energies(first, linear[:half], couplings[:half, :half]),
        _energies(second, linear[half:], couplings[half:, half:]),
    )
    energies += first @ couplings[:half, half:] @ second.T
    row, column = np.unravel_index(energies.argmin(), energies.shape)
    return np.concatenate([first[row], second[column]])


def _states(count: int, values: np.ndarray) -> np.ndarray:
    """List all states of some variables."""
    bits = np.arange(1 << count)[:, None] >> np.arange(count) & 1
    return values[bits]


def _energies(states: np.ndarray, linear, couplings) -> np.ndarray:
    """Compute the energies of states of some variables, without the others."""
    return states @ linear + ((states @ couplings) * states).sum(axis=1) / 2
