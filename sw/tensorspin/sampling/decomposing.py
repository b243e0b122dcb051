"""Models larger than a sampler takes, solved part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from ..errors import CapacityError
from ..progress import Progress
from .binary_model import check_model, small_integers
from .schedules import checked_count
from .seeds import checked_seed

DEFAULT_PASSES = 20
DEFAULT_PATIENCE = 2


class DecomposingSampler(dimod.ComposedSampler, Initialized):
    """Lowers the energy of a model by solving parts of it, with the other variables fixed.

    A pass puts the variables in an order of neighbours (breadth first, from a random one) and
    solves one window of it after the other with the child sampler. The part's best state is taken
    if the model's energy does not rise. Without initial states, variables have no influence on the
    others until they are solved for the first time. Passes end when several in a row have lowered
    nothing. A part that does not fit the child, for its fixed surroundings are too strong, is
    halved, and so are all later parts.

    With such fixed surroundings qbsolv solves large models too (M. Booth, S. P. Reinhardt and
    A. Roy, "Partitioning optimization problems for hybrid classical/quantum execution", 2017); it
    chooses its parts by what flips of single variables cost.

    Parameters
    ----------
    child : dimod.Sampler
    size : int, optional
        Variables of a part. By default the spins of the child, if it is a `BoardSampler`.

    Raises
    ------
    TypeError
        If the child is no sampler, or `size` no integer.
    ValueError
        If `size` is not given and the child does not tell, or it is less than 1 or more than the
        child's spins.

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
        """The sampler of the parts."""
        return [self._child]

    @property
    def parameters(self) -> Mapping:
        """Those of the child, and those of `sample`."""
        own = ("num_reads", "max_passes", "patience", "seed", "interrupt_function", "progress")
        states = ("initial_states", "initial_states_generator")
        return {**self.child.parameters, **{name: [] for name in own + states}}

    @property
    def properties(self) -> Mapping:
        """The part's size and the child's properties."""
        return {"size": self.size, "child_properties": dict(self.child.properties)}

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        max_passes: int = DEFAULT_PASSES,
        patience: int = DEFAULT_PATIENCE,
        seed: int | None = None,
        initial_states=None,
        initial_states_generator: str = "random",
        interrupt_function: Callable[[], bool] | None = None,
        progress: Progress | None = None,
        **child_parameters,
    ) -> dimod.SampleSet:
        """Sample, a read after the other.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
        num_reads : int, optional
            Times that all is solved; by default as many as there are initial states, or 1.
        max_passes, patience : int
            A read ends after so many passes, or so many without a lower energy.
        seed : int, optional
            Of the parts, and of the child's calls if it takes one.
        initial_states, initial_states_generator
            As for `dimod.Initialized.parse_initial_states`.
        interrupt_function : callable, optional
            Called after each part; if it returns True, the states so far are returned.
        progress : callable, optional
            Called with the parts solved, and to solve if no read ends early.
        **child_parameters
            For the child.

        Returns
        -------
        dimod.SampleSet
            Its ``info`` holds ``seed``, ``parts`` (solved), ``energies`` (of each read, a list:
            of its initial state if there are any, and after each pass), and, if the child tells,
            ``method``, ``relative_error`` (the greatest of all parts, as in ``info`` of
            `BoardSampler.sample`), ``device_time`` and ``transfer_time`` in seconds.

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
        seed = checked_seed(seed)
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
            child_parameters.setdefault("states", "best")  # only the best is looked at
        info = {"seed": seed, "parts": 0, "energies": []}
        if len(variables):
            work = _Work(self, spins, variables, seed, child_parameters, info)
            work.stop, work.progress = interrupt_function, progress
            work.total = len(states) * max_passes * work.parts
            reads = 0
            for read in range(len(states)):
                reads += 1
                if not work.improve(states[read], max_passes, patience):
                    states[read] = np.where(states[read], states[read], random[read])
                    break
            states = states[:reads]
        if bqm.vartype is dimod.BINARY:
            states = (states + 1) // 2
        return dimod.SampleSet.from_samples_bqm((states, variables), bqm, info=info)


class _Work:
    """The model as arrays, and what its reads have in common."""

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
        self.stop: Callable[[], bool] | None = None
        self.progress: Progress | None = None

    @property
    def parts(self) -> int:
        """In a pass."""
        return -(-len(self._linear) // self._size)

    def improve(self, state: np.ndarray, max_passes: int, patience: int) -> bool:
        """Lower the energy of a state, in place; False if interrupted."""
        fields = self._linear + self._couplings @ state
        energy = self._offset + (self._linear + fields) @ state / 2
        energies = [float(energy)] if state.all() else []
        self._info["energies"].append(energies)
        begun = self._info["parts"]
        idle = 0
        for _ in range(max_passes):
            lowered = 0.0
            # The last part is as large as the others, with variables of the first.
            left = np.resize(self._order(), self.parts * self._size)
            while len(left):
                window, left = left[: self._size], left[self._size :]
                try:
                    lowered += self._solve(window, state, fields)
                except CapacityError:
                    if self._size == 1:
                        raise
                    left = np.concatenate([window, left])
                    self._size = -(-self._size // 2)
                    self.total += self.total - self._info["parts"]
                    continue
                self._info["parts"] += 1
                self.total = max(self.total, self._info["parts"])
                if self.progress is not None:
                    self.progress(self._info["parts"], self.total)
                if self.stop is not None and self.stop():
                    if state.all():
                        energies.append(float(energy - lowered))
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
        """All variables, neighbours near each other."""
        shuffled = self._rng.permutation(len(self._linear))
        graph = self._couplings[shuffled][:, shuffled]
        left = np.ones(len(shuffled), dtype=bool)
        order = []
        while left.any():
            first = int(left.argmax())
            reached = breadth_first_order(graph, first, directed=False, return_predecessors=False)
            order.append(reached)
            left[reached] = False
        return shuffled[np.concatenate(order)]

    def _solve(self, window: np.ndarray, state: np.ndarray, fields: np.ndarray) -> float:
        """Solve a part; returns by how much the energy has fallen."""
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
        # Exact also where the child rounds: the energies are compared with the model's own numbers.
        rise = change @ linear + (after @ (couplings @ after) - before @ (couplings @ before)) / 2
        if before.all() and (rise > 0 or not change.any()):
            return 0.0
        state[window] = after
        fields += self._couplings[:, window] @ change
        return -float(rise)

    def _note(self, told: dict) -> None:
        """What the child tells of a part."""
        for name in ("device_time", "transfer_time"):
            if name in told:
                self._info[name] = self._info.get(name, 0.0) + told[name]
        if "quantization_error" in told:
            error = told["quantization_error"]["relative_error"]
            self._info["relative_error"] = max(self._info.get("relative_error", 0.0), error)
        if "method" in told:
            self._info["method"] = told["method"]
