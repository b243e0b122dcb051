"""Ejection chains: several flips at once, each the cheapest after those before.

Where constraints hold, a flip of a single variable breaks some, and the flips that mend them come
after it: a tour is changed by moving one city, then the one whose place it took, and so on. A chain
follows the cheapest flips from some variable on, and its beginning that raises the energy least, or
lowers it most, is one move. Chains choose the windows that a device anneals
(`tensorspin.sampling.windows`). Moves by themselves, accepted by Metropolis' rule at a falling
temperature, are what to compare these with.

The idea is F. Glover's ("Ejection chains, reference structures and alternating path methods for
traveling salesman problems", Discrete Applied Mathematics 65, 1996).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dimod
import numpy as np
from scipy.sparse import csr_array

CHEAPEST = 3
"""Number of cheapest flips among which a chain chooses at random, where it is to be a window."""

MOVE = 8
"""Flips of a chain that is to be a move. Two cities of a tour change their places by four."""

CLOSED = 0.5
"""A move ends where each further flip costs more than this share of the first one: what the first
flip broke is mended."""

DRAWN = 8
"""Variables that are drawn for a move, which begins with the flip of the one that costs least."""

TRIED = 100
"""Moves that are tried to find the first temperature."""

WARMEST = 0.7
"""First temperature, in units of the median rise of the moves of a state."""

COLDEST = 0.05
"""Last temperature, in units of the first one."""

SIGNIFICANT = 1e-12
"""Relative energy by which a state must be lower to be taken over."""

ASKED = 200
"""Moves between two questions whether the search is still wanted: some hundredths of a second."""


class Chains:
    """A state of a model of spins, which is changed by ejection chains.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Its variables, in the order of the state.
    state : ndarray of int8 of shape (n,)
        State of +1 and -1 from which the search begins; it is copied.
    seed : int
        Seed of all choices.

    Attributes
    ----------
    state : ndarray of float64 of shape (n,)
        The present state, of +1 and -1.
    gained : float
        By how much the energy has fallen, in units of the model.
    """

    def __init__(
        self, bqm: dimod.BinaryQuadraticModel, variables: Sequence, state: np.ndarray, seed: int
    ) -> None:
        vectors: Any = bqm.spin.to_numpy_vectors(variable_order=variables)
        linear, (rows, columns, values), _ = vectors
        count = len(variables)
        half = csr_array((np.asarray(values, float), (rows, columns)), shape=(count, count))
        self._couplings = csr_array(half + half.T)
        self._linear = np.asarray(linear, float)
        self.state = np.array(state, float)
        self._fields = self._linear + self._couplings @ self.state
        self._rng = np.random.default_rng(seed)
        self._scale = float(np.abs(self._linear).sum() + np.abs(self._couplings.data).sum())
        self.gained = 0.0

    @property
    def costs(self) -> np.ndarray:
        """What each single flip adds to the energy: an array of float64 of shape (n,)."""
        return -2 * self.state * self._fields

    def _chain(self, count: int, used: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Follow a chain; return its variables, and the rise of the energy after each.

        Each flip is one of the cheapest, at random; it is one of more at first.
        """
        costs = self.costs
        if used is not None:
            costs[used] = np.inf
        window, rises = np.empty(count, np.int64), np.empty(count)
        rise = 0.0
        for place in range(count):
            spin = self._one_of_the_cheapest(costs, CHEAPEST if place else 4 * CHEAPEST)
            rise += costs[spin]
            window[place], rises[place] = spin, rise
            self._flip_costs(costs, spin)
        return window, rises

    def _flip_costs(self, costs: np.ndarray, spin: int) -> None:
        """Change what flips cost by one of them, which is not made again."""
        matrix, state = self._couplings, self.state
        row = slice(matrix.indptr[spin], matrix.indptr[spin + 1])
        neighbours = matrix.indices[row]
        # What was flipped, or is used, has infinite costs, which no flip changes. No neighbour of a
        # spin was flipped before unless its costs are infinite, so its state is the present one.
        costs[neighbours] += (4 * state[spin]) * matrix.data[row] * state[neighbours]
        costs[spin] = np.inf

    def _one_of_the_cheapest(self, costs: np.ndarray, among: int) -> int:
        """Choose one of so many cheapest flips."""
        most = min(among, len(costs)) - 1
        cheapest = np.argpartition(costs, most)[: most + 1] if most else np.array([0])
        return int(self._rng.choice(cheapest[np.isfinite(costs[cheapest])]))

    def chain_states(self, chains: int, count: int) -> None:
        """Follow chains of cheap flips, and take over the beginning of each that lowers most.

        Parameters
        ----------
        chains : int
            Number of chains.
        count : int
            Length of a chain.
        """
        for _ in range(chains):
            window, rises = self._chain(min(count, len(self.state)))
            best = int(rises.argmin())
            if rises[best] < -SIGNIFICANT * self._scale:
                self._flip(window[: best + 1], float(rises[best]))

    def _move(self) -> tuple[list[int], float]:
        """Follow a chain; return the flips of its best beginning, and their rise."""
        costs = self.costs
        drawn = self._rng.integers(len(costs), size=DRAWN)
        spin = int(drawn[costs[drawn].argmin()])
        closed = CLOSED * max(costs[spin], 0)
        flips, rise, length, lowest = [spin], float(costs[spin]), 1, float(costs[spin])
        while len(flips) < min(MOVE, len(costs)):
            self._flip_costs(costs, spin)
            spin = int(costs.argmin())
            if costs[spin] > closed:
                break
            flips.append(spin)
            rise += float(costs[spin])
            if rise < lowest:
                length, lowest = len(flips), rise
        return flips[:length], lowest

    def anneal_chains(self, moves: int, wanted: Callable[[float], bool] | None = None) -> bool:
        """Accept chains by Metropolis' rule at a falling temperature; keep the lowest state.

        The temperature falls geometrically, over a range that follows from the present state.

        Parameters
        ----------
        moves : int
            Number of chains.
        wanted : callable, optional
            Called every `ASKED` chains with the energy gained so far; the search ends if it returns
            False.

        Returns
        -------
        bool
            Whether all chains were followed.
        """
        tried = np.array([self._move()[1] for _ in range(TRIED)])
        first = WARMEST * np.median(tried[tried > 0]) if np.any(tried > 0) else 0.0
        before, lowest, gained, start = self.state.copy(), self.state.copy(), 0.0, self.gained
        done = True
        for number in range(moves):
            if number % ASKED == 0 and wanted is not None and not wanted(start + gained):
                done = False
                break
            temperature = first * COLDEST ** (number / moves)
            flips, rise = self._move()
            # Multiplied rather than divided, as the temperature may be zero.
            if rise <= temperature * self._rng.exponential():
                self._flip(flips, rise)
            if self.gained - start > gained + SIGNIFICANT * self._scale:
                gained, lowest = self.gained - start, self.state.copy()
        self._go_to(lowest, before, start)
        return done

    def _go_to(self, state: np.ndarray, before: np.ndarray, gained: float) -> None:
        """Take a state, and compute fields and gain anew: many small changes add up errors."""
        fields = [self._linear + self._couplings @ each for each in (before, state)]
        energies = [(self._linear + own) @ each / 2 for own, each in zip(fields, (before, state))]
        self.state, self._fields = state, fields[1]
        self.gained = gained + float(energies[0] - energies[1])

    def _flip(self, spins: Sequence[int] | np.ndarray, rise: float) -> None:
        """Flip spins, by which the energy rises so much."""
        matrix = self._couplings
        for spin in spins:
            row = slice(matrix.indptr[spin], matrix.indptr[spin + 1])
            self._fields[matrix.indices[row]] -= 2 * self.state[spin] * matrix.data[row]
            self.state[spin] = -self.state[spin]
        self.gained -= rise
