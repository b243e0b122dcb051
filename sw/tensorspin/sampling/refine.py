"""Bring the states that a sampler found to local minima of the user's own model.

A device holds rounded coefficients, and a read may end in the middle of a fluctuation. A state is
*1-opt* if no flip of a single variable lowers its energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dimod
import numpy as np
from scipy.sparse import csr_array

from .enumeration import MOST_ENUMERATED, ground_state
from .tabu import check_tabu, tabu_states

REFINEMENTS = ("descent", "tabu", None)
"""What samplers take as ``refine``: steepest descent, tabu search after it, or nothing."""

DIGITS = 50
"""Bits of the integers in which the descent computes. With the sign and the factor of a flip, sums
of such integers are exact in the 53 bits of double precision, so a descent always ends."""

EPSILON = float(np.finfo(np.float64).eps)
"""Relative rounding error of double precision."""

CHUNK = 1 << 22
"""Greatest number of values of all states that are checked at once, which bounds the memory."""

DENSE = 1 / 8
"""Share of the pairs that must be coupled for couplings to be kept as a full matrix."""

SPARSE_VARIABLES = 4096
"""Number of variables from which on a sparse model's descent keeps its flips in a search tree."""


class _Default(str):
    """The value "descent" of a user who has not chosen it."""


DEFAULT_REFINE: str = _Default("descent")
"""Default of ``refine``: equal to "descent", but ``exact=True`` overrides it."""


def checked_refine(refine, exact: bool = False, variables: int = 0) -> str | None:
    """Check a user's ``refine``, and say what follows from it.

    Parameters
    ----------
    refine : str or None
        The argument, or `DEFAULT_REFINE`.
    exact : bool, default=False
        Whether states are wanted as the device draws them.
    variables : int, default=0
        Number of variables of the model.

    Returns
    -------
    str or None
        One of `REFINEMENTS`; None if `exact` is true.

    Raises
    ------
    ValueError
        If the argument is something else, contradicts `exact`, or would take more memory than is
        stated for so many variables.
    """
    if not (refine is None or (isinstance(refine, str) and refine in REFINEMENTS)):
        raise ValueError(f'refine must be "descent", "tabu" or None, not {refine!r}')
    if refine == "tabu":
        check_tabu(variables)
    if not exact or refine is None:
        return None if refine is None else str(refine)
    if isinstance(refine, _Default):
        return None
    raise ValueError(
        f"exact=True asks for states as the device draws them, and refine={refine!r} would change "
        f"them; give one"
    )


def refine_states(
    bqm: dimod.BinaryQuadraticModel, variables: Sequence, states: np.ndarray
) -> np.ndarray:
    """Lower the energy of each state by steepest descent, until it is 1-opt.

    The descent is that of dwave-samplers' ``SteepestDescentSolver``, with coefficients rounded to
    `DIGITS` bits of the greatest field. Flips that lower the energy by less than this rounding are
    then found with the model's own coefficients. An energy difference counts as zero if the
    rounding errors of its sum in double precision may be as large; with integers that are not so
    great that their sums are rounded, no flip at all lowers the energy.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Labels of the model's variables, in the order of the columns.
    states : ndarray of int8 of shape (n_states, n_variables)
        States in the values of the model's vartype. They are not changed.

    Returns
    -------
    ndarray of int8 of shape (n_states, n_variables)
        The states after the descent, in the same order.

    Examples
    --------
    >>> bqm = dimod.BinaryQuadraticModel({"a": 0.5}, {"ab": -1.0}, "SPIN")
    >>> refine_states(bqm, ["a", "b"], np.array([[1, -1], [1, 1]], np.int8)).tolist()
    [[-1, -1], [1, 1]]
    """
    return Descent(bqm, variables).refine(states)


def refined_set(
    bqm: dimod.BinaryQuadraticModel,
    variables: Sequence,
    states: np.ndarray,
    refine: str | None,
    info: dict[str, Any],
) -> dimod.SampleSet:
    """Make a sampler's result, after refinement.

    If anything is refined, models of up to `MOST_ENUMERATED` variables are also enumerated: if no
    read has the lowest energy of all states, the best read is replaced with a state that has it.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model.
    variables : sequence
        Labels of the model's variables, in the order of the columns.
    states : ndarray of int8 of shape (n_states, n_variables)
        The states that were found, in the values of the model's vartype.
    refine : str or None
        One of `REFINEMENTS`.
    info : dict
        What the result tells beside the states. ``board_energies`` is added, the list of the
        energies before refinement, and ``enumerated``, whether all states of the model were tried.

    Returns
    -------
    dimod.SampleSet
        A read for each state, in their order, with energies of the model.
    """
    found = dimod.SampleSet.from_samples_bqm((states, variables), bqm, info=info)
    found.info["board_energies"] = found.record.energy.tolist()
    found.info["enumerated"] = False
    if refine is None or not len(states):
        return found
    refined = refine_states(bqm, variables, states)
    small = 0 < len(variables) <= MOST_ENUMERATED
    if refine == "tabu" and not small:
        # A tabu search ends anywhere; its best state is 1-opt but for the rounding of floats.
        refined = tabu_states(bqm, variables, refined, info.get("seed", 0))
        refined = refine_states(bqm, variables, refined)
    if small:
        found.info["enumerated"] = True
        energies = bqm.energies((refined, variables))
        best = int(energies.argmin())
        ground = ground_state(bqm, variables)
        if bqm.energies((ground[None, :], variables))[0] < energies[best]:
            refined[best] = ground
            refined[best] = refine_states(bqm, variables, refined[best : best + 1])[0]
    return dimod.SampleSet.from_samples_bqm((refined, variables), bqm, info=found.info)


class Descent:
    """`refine_states` for one model and many calls.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Labels of the model's variables, in the order of the columns.
    """

    def __init__(self, bqm: dimod.BinaryQuadraticModel, variables: Sequence) -> None:
        if not len(variables):
            return
        vectors: Any = bqm.to_numpy_vectors(variable_order=variables)
        linear, (rows, columns, values), _ = vectors
        count = len(variables)
        self._pairs = np.asarray(rows), np.asarray(columns), np.asarray(values, np.float64)
        self._linear = np.asarray(linear, np.float64)
        self._spin = bqm.vartype is dimod.SPIN
        half = csr_array((self._pairs[2], (rows, columns)), shape=(count, count))
        self._couplings = csr_array(half + half.T)
        degrees = np.diff(self._couplings.indptr)
        self._sparse = count >= SPARSE_VARIABLES and degrees.mean() * 100 < count
        bound = np.abs(self._linear) + np.abs(self._couplings).sum(axis=1)
        self._rounding = 2 * EPSILON * (degrees + 2) * bound
        self._exponent = self._find_exponent(degrees)
        dense = self._couplings.nnz > DENSE * count**2
        self._matrix = self._couplings.toarray() if dense else self._couplings

    def _find_exponent(self, degrees: np.ndarray) -> int:
        """Find the power of two that turns all fields to integers of `DIGITS` bits at most."""
        greatest = max(np.abs(self._linear).max(), np.abs(self._pairs[2]).max(initial=0))
        return DIGITS - int(np.frexp(greatest)[1]) - int(degrees.max() + 1).bit_length()

    def refine(self, states: np.ndarray) -> np.ndarray:
        """Lower the energy of each state until it is 1-opt.

        Parameters
        ----------
        states : ndarray of int8 of shape (n_states, n_variables)
            States in the values of the model's vartype. They are not changed.

        Returns
        -------
        ndarray of int8 of shape (n_states, n_variables)
            The states after the descent, in the same order.
        """
        states = np.array(states, np.int8)
        if not states.size:
            return states
        for part in np.array_split(states, min(len(states), -(-states.size // CHUNK))):
            pending = self._improvable(part)
            if len(pending):
                found = self._descend(part[pending])
                self._polish(found)
                part[pending] = found
        return states

    def _descend(self, states: np.ndarray) -> np.ndarray:
        """Return the states after a descent in integers."""
        from dwave.samplers import SteepestDescentSolver  # it takes some time to import

        linear = np.rint(np.ldexp(self._linear, self._exponent))
        rows, columns, values = self._pairs
        quadratic = rows, columns, np.rint(np.ldexp(values, self._exponent))
        order = range(len(linear))
        bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
            linear,
            quadratic,
            0.0,
            dimod.SPIN if self._spin else dimod.BINARY,
            variable_order=order,
        )
        if not self._spin:
            states = 2 * states - 1  # states of ones alone would be taken for spins or for bits
        bqm.change_vartype(dimod.SPIN)
        found = SteepestDescentSolver().sample(
            bqm,
            initial_states=(states, list(order)),
            initial_states_generator="none",
            large_sparse_opt=bool(self._sparse),
        )
        places = np.argsort(np.asarray(found.variables, dtype=int))
        best = found.record.sample[:, places]
        return best if self._spin else (best + 1) // 2

    def _changes(self, states: np.ndarray) -> np.ndarray:
        """Compute what each flip adds to the energy; 0 where it may be rounding that lowers it."""
        chosen = states.astype(np.float64)
        fields = self._linear + (self._matrix @ chosen.T).T
        change = (-2 * chosen if self._spin else 1 - 2 * chosen) * fields
        return np.where(np.abs(change) > self._rounding, change, 0.0)

    def _improvable(self, states: np.ndarray) -> np.ndarray:
        """Return the numbers of the states that are not 1-opt."""
        return np.flatnonzero((self._changes(states) < 0).any(axis=1))

    def _polish(self, states: np.ndarray) -> None:
        """Flip what still lowers the energy with the model's own coefficients, in place."""
        pending = np.arange(len(states))
        while len(pending):
            change = self._changes(states[pending])
            lower = change < 0
            left = np.flatnonzero(lower.any(axis=1))
            for row in left:
                # Variables that are not coupled to each other may be flipped together.
                found = np.flatnonzero(lower[row])
                found = found[np.argsort(change[row][found], kind="stable")]
                coupled = self._couplings[found][:, found]
                alone = np.diff(coupled.indptr) == 0
                alone[0] = True
                flipped = found[alone]
                values = states[pending[row], flipped]
                states[pending[row], flipped] = -values if self._spin else 1 - values
            pending = pending[left]
