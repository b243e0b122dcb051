"""Solve models larger than a sampler takes, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from ..errors import CapacityError
from ..progress import Progress
from .arguments import (
    check_model,
    check_reads,
    check_threshold,
    checked_count,
    checked_seed,
    small_integers,
)
from .refine import DEFAULT_REFINE, REFINEMENTS, checked_refine, refine_states, refined_set

DEFAULT_PASSES = 20
"""Greatest number of passes of a read."""

DEFAULT_PATIENCE = 2
"""Number of passes in a row without a lower energy after which a read ends."""


class DecomposingSampler(dimod.ComposedSampler, Initialized):
    """Lowers the energy of a model by solving parts of it, with the other variables fixed.

    A *pass* puts the variables in an order in which neighbours are near each other (breadth first,
    from a random variable) and cuts the order into parts, which the child sampler solves one after
    the other. The best state of a part is taken if the model's energy does not rise. Without
    initial states, variables have no influence on the others until they are solved for the first
    time. A read ends when several passes in a row have lowered nothing. If a part does not fit the
    child, because its fixed surroundings act on it with too strong fields, it is halved, and so are
    all later parts.

    qbsolv solves large models with fixed surroundings too (M. Booth, S. P. Reinhardt and A. Roy,
    "Partitioning optimization problems for hybrid classical/quantum execution", 2017); it chooses
    its parts by what flips of single variables cost.

    Parameters
    ----------
    child : dimod.Sampler
        Sampler of the parts.
    size : int, optional
        Number of variables of a part. By default the spins of the child, if it is a `BoardSampler`.

    Raises
    ------
    TypeError
        If the child is not a sampler, or `size` not an integer.
    ValueError
        If `size` is not given and not known from the child's properties, or if it is less than 1 or
        more than the child's spins.

    Examples
    --------
    >>> import dimod
    >>> from tensorspin import BoardSampler, DecomposingSampler
    >>> bqm = dimod.generators.ran_r(1, 300, seed=1)
    >>> with DecomposingSampler(BoardSampler("golden://ulx3s_25f_annealer"), 100) as sampler:
    ...     samples = sampler.sample(bqm, seed=1, max_passes=1, num_sweeps=20)
    >>> len(samples.first.sample)
    300
    """

    def __init__(self, child: dimod.Sampler, size: int | None = None) -> None:
        if not isinstance(child, dimod.Sampler):
            raise TypeError(f"child must be a dimod.Sampler, not {child!r}")
        spins = child.properties.get("annealer", {}).get("spins")
        if size is None:
            size = spins
        if size is None:
            raise ValueError("size must be given, the variables of a part: the child tells no size")
        checked_count(size, "size")
        if spins is not None and size > spins:
            raise ValueError(f"size must be at most {spins}, the child's spins, not {size}")
        self._child = child
        self.size = size

    @property
    def children(self) -> list[dimod.Sampler]:
        """The child, which solves the parts, as the only entry."""
        return [self._child]

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments of the child and of `sample`."""
        own = ("num_reads", "max_passes", "patience", "seed", "progress")
        ends = ("interrupt_function", "energy_threshold")
        states = ("initial_states", "initial_states_generator")
        return {
            **self.child.parameters,
            **{name: [] for name in own + ends + states},
            "refine": ["refine_options"],
        }

    @property
    def properties(self) -> dict[str, Any]:
        """Number of variables of a part, and the properties of the child."""
        return {
            "size": self.size,
            "child_properties": dict(self.child.properties),
            "refine_options": REFINEMENTS,
        }

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        max_passes: int = DEFAULT_PASSES,
        patience: int = DEFAULT_PATIENCE,
        seed: int | None = None,
        initial_states=None,
        initial_states_generator: Literal["none", "tile", "random"] = "random",
        interrupt_function: Callable[[], bool] | None = None,
        energy_threshold: float | None = None,
        refine: str | None = DEFAULT_REFINE,
        progress: Progress | None = None,
        **child_parameters,
    ) -> dimod.SampleSet:
        """Sample from a model, one read after the other.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            The model, of spins (+1, -1) or binary variables (0, 1), with labels of any kind.
        num_reads : int, optional
            Number of times that the whole model is solved: by default as many as there are initial
            states, or 1.
        max_passes : int, default=20
            Greatest number of passes of a read.
        patience : int, default=2
            Number of passes in a row without a lower energy after which a read ends.
        seed : int, optional
            Seed of the choice of parts, and of the child's calls if the child takes a seed.
        initial_states : samples-like, optional
            States in which the reads begin, in any form that `dimod.as_samples` takes.
        initial_states_generator : {"random", "tile", "none"}, default="random"
            How missing initial states are made, as `dimod.Initialized.parse_initial_states` says.
        interrupt_function : callable, optional
            Called after each part, and by the child while it works on a part if it takes such a
            function; if it returns True, the states so far are returned.
        energy_threshold : float, optional
            The work ends once a state of the whole model has this energy, or a lower one.
        refine : {"descent", None}, default="descent"
            What is done with the states at the end, and by the child with those of each part if it
            has this parameter: steepest descent in the whole model, so that no flip of one variable
            lowers the energy of a read; or nothing. ``exact=True``, passed on to the child, implies
            None.
        progress : callable, optional
            Called with the number of parts solved, and of parts to solve if no read ends early.
        **child_parameters
            Further keyword arguments, for the child's ``sample``.

        Returns
        -------
        dimod.SampleSet
            The reads. Its ``info`` holds ``seed``, ``refine``, ``parts`` (number of parts solved),
            ``interrupted`` (whether the user's function has ended the work), ``energies`` (a list
            for each read: the energy of its initial state, if one was given, that after each pass,
            and that after the descent at the end if it is lower) and ``board_energies`` (energy of
            each read before this descent). If the child has them in its own ``info``, it also holds
            ``method``, ``quantization_error`` as `BoardSampler.sample` (the greatest errors of all
            parts, and the sums of the counts), ``relative_error`` of that, ``device_time`` and
            ``transfer_time`` in seconds.

        Raises
        ------
        TypeError, ValueError
            If the model or a parameter is not what it must be.
        CapacityError
            If not even one variable fits the child.
        """
        check_model(bqm)
        checked_count(max_passes, "max_passes")
        checked_count(patience, "patience")
        check_threshold(energy_threshold)
        refine = checked_refine(refine, bool(child_parameters.get("exact", False)))
        seed = checked_seed(seed)
        check_reads(num_reads, bqm.num_variables)
        spins = bqm.change_vartype(dimod.SPIN, inplace=False)
        parsed = self.parse_initial_states(
            spins,
            initial_states=small_integers(initial_states),
            initial_states_generator=initial_states_generator,
            num_reads=num_reads,
            seed=seed,
            copy_always=True,
        )
        variables = parsed.initial_states.variables
        states = np.array(parsed.initial_states.record.sample, dtype=np.int8)
        random = states.copy()
        if initial_states is None:
            states[:] = 0  # not solved yet, and without influence until then
        if "states" in self.child.parameters:
            child_parameters.setdefault("states", "best")  # only the best read of a part is used
        if "refine" in self.child.parameters:
            child_parameters["refine"] = refine
        info: dict[str, Any] = {
            "seed": seed,
            "refine": refine,
            "parts": 0,
            "interrupted": False,
            "energies": [],
        }
        if len(variables):
            work = _Work(self, spins, variables, seed, child_parameters, info)
            work.progress = progress
            if interrupt_function is not None:
                work.stop = _Latch(interrupt_function)
                if "interrupt_function" in self.child.parameters:
                    child_parameters["interrupt_function"] = work.stop
            if energy_threshold is not None:
                work.threshold = energy_threshold
            work.total = len(states) * max_passes * work.parts
            reads = 0
            for read in range(len(states)):
                reads += 1
                if not work.improve(states[read], max_passes, patience):
                    states[read] = np.where(states[read], states[read], random[read])
                    break
                if energy_threshold is not None and refine is not None:
                    refined = refine_states(spins, variables, states[read : read + 1])
                    if spins.energies((refined, variables))[0] <= energy_threshold:
                        break
            states = states[:reads]
            info["interrupted"] = work.stop is not None and work.stop.stopped
        if bqm.vartype is dimod.BINARY:
            states = (states + 1) // 2
        result = refined_set(bqm, variables, states, refine, info)
        for energies, energy in zip(info["energies"], result.record.energy):
            if energies and energy < energies[-1]:
                energies.append(float(energy))
        return result


class _Latch:
    """A user's function that says when to stop. Once True it stays so, wherever it is asked."""

    def __init__(self, function: Callable[[], bool]) -> None:
        self._function = function
        self.stopped = False

    def __call__(self) -> bool:
        self.stopped = self.stopped or bool(self._function())
        return self.stopped


class _Work:
    """A model as arrays, with the settings and counters that all of its reads share."""

    def __init__(self, sampler, bqm, variables: Sequence, seed: int, parameters, info) -> None:
        linear, (rows, columns, values), self._offset = bqm.to_numpy_vectors(
            variable_order=variables
        )
        count = len(variables)
        half = csr_array((np.asarray(values, float), (rows, columns)), shape=(count, count))
        self._couplings = csr_array(half + half.T)
        self._linear = np.asarray(linear, float)
        self._child = sampler.child
        self._size = min(sampler.size, count)
        self._rng = np.random.default_rng(seed)
        self._parameters = parameters
        self._info = info
        self.total = 0
        self.stop: _Latch | None = None
        self.threshold = -np.inf
        self.progress: Progress | None = None

    @property
    def parts(self) -> int:
        """Number of parts of a pass."""
        return -(-len(self._linear) // self._size)

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

    def _order(self) -> np.ndarray:
        """Put the variables in an order in which neighbours are near each other."""
        count = len(self._linear)
        shuffled = self._rng.permutation(count)
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
        found = self._child.sample(bqm, **parameters)
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
        for name in ("device_time", "transfer_time"):
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
