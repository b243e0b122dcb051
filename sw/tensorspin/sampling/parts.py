"""The parts that a large model is cut into, and how one after the other is solved."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dimod
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from ..errors import CapacityError, PrecisionWarning
from ..progress import Progress
from .watch import Watch


class Latch:
    """A user's function that says when to stop. Once True it stays so, wherever it is asked."""

    def __init__(self, function: Callable[[], bool]) -> None:
        self._function = function
        self.stopped = False

    def __call__(self) -> bool:
        """Ask the function, unless it has said so before."""
        self.stopped = self.stopped or bool(self._function())
        return self.stopped


class Work:
    """A model as arrays, with the settings and counters that all of its reads share.

    Parameters
    ----------
    sampler : DecomposingSampler
        Its child solves the parts, of at most `sampler.size` variables. Variables without couplings
        are in no part: their best value is known, unless the child is asked to be exact.
    bqm : dimod.BinaryQuadraticModel
        Model of spins.
    variables : sequence
        The model's variables, in the order of states.
    seed : int
        Seed of the order of the parts, and of the child's own seeds.
    parameters : dict
        Parameters for the child's `sample`.
    info : dict
        Where what happened is noted, as `DecomposingSampler.sample` describes it.
    """

    def __init__(self, sampler, bqm, variables: Sequence, seed: int, parameters, info) -> None:
        linear, (rows, columns, values), self._offset = bqm.to_numpy_vectors(
            variable_order=variables
        )
        count = len(variables)
        half = csr_array((np.asarray(values, float), (rows, columns)), shape=(count, count))
        self._couplings = csr_array(half + half.T)
        self._linear = np.asarray(linear, float)
        coupled = np.abs(self._couplings).sum(axis=1) > 0
        if parameters.get("exact", False):
            coupled[:] = True
        elif not coupled.any():
            coupled[0] = True  # the child solves something, and tells how
        self._solved, self._alone = np.flatnonzero(coupled), np.flatnonzero(~coupled)
        self._child = sampler.child
        self._size = min(sampler.size, len(self._solved))
        self._rng = np.random.default_rng(seed)
        self._parameters = parameters
        self._info = info
        self.total = 0
        self.stop: Latch | None = None
        self.threshold = -np.inf
        self.progress: Progress | None = None
        self.watch = Watch()

    @property
    def parts(self) -> int:
        """Number of parts of a pass."""
        return -(-len(self._solved) // self._size)

    def improve(self, state: np.ndarray, max_passes: int, patience: int) -> bool:
        """Lower the energy of a state by some passes.

        Parameters
        ----------
        state : ndarray of int8 of shape (n,)
            State of +1 and -1, or 0 for variables that were not solved yet; changed in place.
        max_passes, patience : int
            When a read ends, as for `DecomposingSampler.sample`.

        Returns
        -------
        bool
            False if no further read is wanted: the user has interrupted this one, or the energy is
            low enough.
        """
        fields = self._linear + self._couplings @ state
        energy = self._offset + (self._linear + fields) @ state / 2
        # Before all variables are solved (a 0 stands for one that is not), no energy is reported.
        energies = [float(energy)] if state.all() else []
        self._info["energies"].append(energies)
        energy += self._decide(state)
        begun = self._info["parts"]
        idle = 0
        for _ in range(max_passes):
            lowered = 0.0
            # The last part is filled up with variables of the first, so that all are equally large.
            left = np.resize(self._order(), self.parts * self._size)
            while len(left):
                window, left = left[: self._size], left[self._size :]
                try:
                    lowered += self._solve(window, state, fields)
                except CapacityError:
                    if self._size == 1:
                        raise
                    # Halve this part and all later ones; each then counts twice in the total.
                    left = np.concatenate([window, left])
                    self._size = -(-self._size // 2)
                    self.total += self.total - self._info["parts"]
                    continue
                self._info["parts"] += 1
                self.total = max(self.total, self._info["parts"])
                if self.progress is not None:
                    self.progress(self._info["parts"], self.total)
                stopped = self.stop is not None and self.stop()
                if state.all() and (stopped or energy - lowered <= self.threshold):
                    energies.append(float(energy - lowered))
                    return False
                if stopped:
                    return False
            energy -= lowered
            energies.append(float(energy))
            idle = 0 if lowered > 0 else idle + 1
            if idle == patience or self.parts == 1:
                break
        skipped = max_passes * self.parts - (self._info["parts"] - begun)
        self.total -= skipped
        return True

    def _decide(self, state: np.ndarray) -> float:
        """Give variables without couplings their best value; return by how much energy rises."""
        before, linear = state[self._alone], self._linear[self._alone]
        after = -np.sign(linear).astype(np.int8)
        after = np.where(after, after, before)
        free = np.flatnonzero(after == 0)
        if len(free):
            after[free] = self._rng.choice(np.array([-1, 1], np.int8), len(free))
        state[self._alone] = after
        return float(linear @ (after - before))

    def _order(self) -> np.ndarray:
        """Put the variables to solve in an order in which neighbours are near each other."""
        count = len(self._solved)
        shuffled = self._solved[self._rng.permutation(count)]
        graph = self._couplings[shuffled][:, shuffled]
        _, component = connected_components(graph, directed=False)
        _, firsts, component = np.unique(component, return_index=True, return_inverse=True)
        # One search finds all components: it begins at a further node, which leads to the first
        # variable of each. (A search for each component would take memory for all variables.)
        ends = np.append(graph.indptr, graph.nnz + len(firsts))
        targets = np.concatenate([graph.indices, firsts])
        whole = csr_array((np.ones(len(targets)), targets, ends), shape=(count + 1, count + 1))
        order = breadth_first_order(whole, count, return_predecessors=False)[1:]
        place = np.argsort(firsts)  # components in the order of their first variables
        rank = np.empty_like(place)
        rank[place] = np.arange(len(place))
        return shuffled[order[np.argsort(rank[component[order]], kind="stable")]]

    def _solve(self, window: np.ndarray, state: np.ndarray, fields: np.ndarray) -> float:
        """Solve a part; return by how much the model's energy has fallen."""
        couplings = self._couplings[window][:, window]
        before = state[window].astype(float)
        linear = fields[window] - couplings @ before
        upper = couplings.tocoo()
        chosen = upper.row < upper.col
        bqm = dimod.BinaryQuadraticModel.from_numpy_vectors(
            linear,
            (upper.row[chosen], upper.col[chosen], upper.data[chosen]),
            0.0,
            dimod.SPIN,
            variable_order=range(len(window)),
        )
        parameters = dict(self._parameters)
        if "seed" in self._child.parameters:
            parameters["seed"] = int(self._rng.integers(2**31))
        with warnings.catch_warnings():
            # `DecomposingSampler` warns once, of the greatest error of all parts.
            warnings.simplefilter("ignore", PrecisionWarning)
            found = self.watch.elsewhere(self._child.sample)(bqm, **parameters)
        self._note(found.info)
        best = found.record.sample[found.record.energy.argmin()]
        after = np.empty(len(window))
        after[np.asarray(found.variables, dtype=int)] = best
        change = after - before
        # The energies are computed with the model's own numbers, as the child may have rounded.
        rise = change @ linear + (after @ (couplings @ after) - before @ (couplings @ before)) / 2
        # A part that is solved for the first time is taken in any case.
        if before.all() and (rise > 0 or not change.any()):
            return 0.0
        state[window] = after
        fields += self._couplings[window].T @ change  # couplings are symmetric
        return -float(rise)

    def _note(self, told: Mapping[str, Any]) -> None:
        """Note what the child's ``info`` says of a part."""
        for name in ("device_time", "transfer_time", "host_time"):
            if name in told:
                self._info[name] = self._info.get(name, 0.0) + told[name]
        if "quantization_error" in told:
            error = told["quantization_error"]
            total = self._info.setdefault("quantization_error", dict.fromkeys(error, 0))
            for name, value in error.items():
                known = total[name]
                total[name] = known + value if isinstance(value, int) else max(known, value)
            self._info["relative_error"] = total["relative_error"]
        if "method" in told:
            self._info["method"] = told["method"]
