"""Cross states with each other: each component of their difference is taken from its better side.

The variables in which two states differ fall into connected components of the model's graph. No
coupling joins two of these components, so each of them changes the energy by itself. The child that
takes the better side of every component is the best of 2^k combinations if there are k components,
and never worse than its parents. On grids and planar graphs, short anneals differ in many small
components, and some of them crossed into one state are better than a long anneal.

On other graphs two good states differ in hardly more than one component, or in components that are
as good on either side. `conductance` tells such graphs from the others.

The idea is known as partition crossover (D. Whitley, D. Hains and A. Howe, "Tunneling between
optima: partition crossover for the traveling salesman problem", GECCO 2009; R. Tinós, D. Whitley
and F. Chicano, "Partition crossover for pseudo-Boolean optimization", FOGA 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dimod
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

ROOTS = 16
"""Number of variables around which `conductance` looks."""

BALL = 0.25
"""Share of the model's variables that are taken around each of them."""

SEED = 0
"""Seed of their choice. It is fixed, so that the model's graph alone decides."""

MOST_CONDUCTANCE = 0.23
"""Greatest conductance with which crossing pays. At equal sweeps it gains much up to 0.1, as tori,
planar graphs and king's graphs of 800 spins have it, and little at 0.2 (Chimera graphs). From 0.24
on (cubic lattices of 1,000 spins, random graphs with 3 and more neighbours, G14) one long anneal is
better than crossed short ones."""


class Crossover:
    """Crosses states of one model.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Labels of its variables, in the order of states.

    Examples
    --------
    >>> bqm = dimod.BinaryQuadraticModel({}, {(i, i + 1): -1.0 for i in range(5)}, "SPIN")
    >>> first, second = np.array([[1, 1, 1, 1, -1, 1]]), np.array([[-1, 1, 1, 1, 1, 1]])
    >>> Crossover(bqm, range(6)).cross(first, second).tolist()
    [[1, 1, 1, 1, 1, 1]]
    """

    def __init__(self, bqm: dimod.BinaryQuadraticModel, variables: Sequence) -> None:
        rows, columns, values, linear = _graph(bqm.spin, variables)
        half = csr_array((values, (rows, columns)), shape=(len(linear), len(linear)))
        self._rows, self._columns, self._linear = rows, columns, linear
        self._couplings = csr_array(half + half.T)
        self._turnable = not linear.any()

    def cross(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Cross pairs of states.

        Parameters
        ----------
        first, second : ndarray of int8 of shape (n_pairs, n_variables)
            States of +1 and -1. They are not changed.

        Returns
        -------
        ndarray of int8 of shape (n_pairs, n_variables)
            For each pair a state that is not above the lower of both; the first or the second
            itself if nothing is gained.
        """
        if self._turnable:
            # States that are turned over as a whole have the same energy: take what is nearer.
            overlap = np.einsum("ij,ij->i", first, second, dtype=np.int64)
            second = np.where(overlap < 0, -1, 1).astype(np.int8)[:, None] * second
        fields = self._fields(first), self._fields(second)
        differ = first != second
        # No neighbour outside of a component differs, so the two fields of a variable together
        # give exactly what turning the whole component changes.
        rises = -(first * (fields[0] + fields[1]))[differ]
        component = self._components(differ, len(rises))
        lower = np.bincount(component, rises) < 0
        taken = np.zeros_like(differ)
        taken[differ] = lower[component]
        child = np.where(taken, second, first)
        # Sums of floats may be wrong in the last bits, so the parents are among the candidates.
        candidates = np.stack([child, first, second])
        energies = [self._energies(child, self._fields(child))]
        energies += [self._energies(*pair) for pair in zip((first, second), fields)]
        return candidates[np.argmin(energies, axis=0), np.arange(len(child))]

    def joined(self, states: np.ndarray) -> np.ndarray:
        """Cross states with each other, pair after pair, until one is left.

        Parameters
        ----------
        states : ndarray of int8 of shape (n_states, n_variables)
            At least one state of +1 and -1.

        Returns
        -------
        ndarray of int8 of shape (n_variables,)
            A state that is not above the lowest of all.
        """
        while len(states) > 1:
            half = len(states) // 2
            crossed = self.cross(states[:half], states[half : 2 * half])
            states = np.concatenate([crossed, states[2 * half :]])
        return states[0]

    def _fields(self, states: np.ndarray) -> np.ndarray:
        """Compute the local field of each variable in each state."""
        return self._linear + (self._couplings @ states.T).T

    def _energies(self, states: np.ndarray, fields: np.ndarray) -> np.ndarray:
        """Compute twice the energies of states, without the model's constant, from their fields."""
        return np.einsum("ij,ij->i", states, self._linear + fields)

    def _components(self, differ: np.ndarray, count: int) -> np.ndarray:
        """Find the component of each variable that differs, in the order of the pairs.

        Pairs are put side by side into one graph, so that one search finds the components of all.
        """
        number = np.cumsum(differ.ravel()) - 1
        pairs, edges = np.nonzero(differ[:, self._rows] & differ[:, self._columns])
        place = pairs * differ.shape[1]
        ends = number[place + self._rows[edges]], number[place + self._columns[edges]]
        graph = coo_array((np.ones(len(pairs), np.int8), ends), shape=(count, count))
        return connected_components(graph, directed=False)[1]


def conductance(bqm: dimod.BinaryQuadraticModel) -> float:
    """Tell how well parts of a model's graph are connected to the rest of it.

    A part is the `BALL` of all variables that are nearest to a random one, in steps along
    couplings. Its conductance is the number of couplings that leave it, divided by the number of
    all ends of couplings in it.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        A model of any vartype.

    Returns
    -------
    float
        The mean over `ROOTS` parts: near 0 if the graph falls into pieces, and 3/4 in a large model
        where all pairs are coupled.

    Examples
    --------
    >>> ring = dimod.BinaryQuadraticModel({}, {(i, (i + 1) % 40): 1.0 for i in range(40)}, "SPIN")
    >>> conductance(ring)
    0.1
    """
    rows, columns, _, linear = _graph(bqm, list(bqm.variables))
    count = len(linear)
    if not len(rows):
        return 0.0
    whole = np.concatenate([rows, columns]), np.concatenate([columns, rows])
    graph = csr_array((np.ones(2 * len(rows), np.int8), whole), shape=(count, count))
    degrees = np.diff(graph.indptr)
    most = max(1, int(BALL * count))
    found = []
    for root in np.random.default_rng(SEED).choice(np.flatnonzero(degrees), ROOTS):
        inside = np.zeros(count, bool)
        inside[breadth_first_order(graph, root, return_predecessors=False)[:most]] = True
        leaving = np.count_nonzero(inside[rows] != inside[columns])
        found.append(leaving / degrees[inside].sum())
    return float(np.mean(found))


def unsuited(bqm: dimod.BinaryQuadraticModel) -> str | None:
    """Say why crossing states of a model would not pay; None if it does.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        A model of any vartype.

    Returns
    -------
    str or None
        The reason.
    """
    found = conductance(bqm)
    if found <= MOST_CONDUCTANCE:
        return None
    return (
        f"the graph's conductance is {found:.2f}, more than {MOST_CONDUCTANCE}: states of "
        f"short anneals would differ in hardly more than one component"
    )


def _graph(bqm: dimod.BinaryQuadraticModel, variables: Sequence) -> tuple[np.ndarray, ...]:
    """Give rows, columns and values of the couplings that are not zero, and the linear terms."""
    vectors: Any = bqm.to_numpy_vectors(variable_order=variables)
    linear, (rows, columns, values), _ = vectors
    coupled = np.asarray(values) != 0
    return (
        np.asarray(rows, np.int64)[coupled],
        np.asarray(columns, np.int64)[coupled],
        np.asarray(values, np.float64)[coupled],
        np.asarray(linear, np.float64),
    )
