"""Solve models larger than a sampler takes, part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized

from ..progress import Progress
from .arguments import (
    check_reads,
    check_threshold,
    checked_count,
    checked_model,
    checked_seed,
    small_integers,
)
from .boards import BoardHolder, annealer_of
from .chain_parts import TRAVERSALS, ChainedWork, counted_run, locked
from .constrained import ConstrainedSampling
from .parts import Latch, Work
from .precision import warn_of_error
from .refine import DEFAULT_REFINE, REFINEMENTS, checked_refine, refine_states, refined_set
from .watch import Watch
from .windows import refined_in_windows

DEFAULT_PASSES = 20
"""Greatest number of passes of a read."""

DEFAULT_PATIENCE = 2
"""Number of passes in a row without a lower energy after which a read ends."""


class DecomposingSampler(ConstrainedSampling, dimod.ComposedSampler, Initialized):
    """Lowers the energy of a model by solving parts of it, with the other variables fixed.

    A *pass* puts the variables in an order in which neighbours are near each other (breadth first,
    from a random variable) and cuts the order into parts, which the child sampler solves one after
    the other. The best state of a part is taken if the model's energy does not rise. Without
    initial states, variables have no influence on the others until they are solved for the first
    time. Variables without couplings are in no part, as their best value is known. A read ends when
    several passes in a row have lowered nothing. If a part does not fit the child, because its
    fixed surroundings act on it with too strong fields, it is halved, and so are all later parts.

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
        own = ("num_reads", "max_passes", "patience", "seed", "num_windows", "progress")
        ends = ("interrupt_function", "energy_threshold")
        states = ("initial_states", "initial_states_generator")
        return {
            **self.child.parameters,
            **{name: [] for name in own + ends + states},
            "traversal": ["traversal_options"],
            "refine": ["refine_options"],
        }

    @property
    def properties(self) -> dict[str, Any]:
        """Number of variables of a part, and the properties of the child."""
        return {
            "size": self.size,
            "child_properties": dict(self.child.properties),
            "traversal_options": TRAVERSALS,
            "refine_options": REFINEMENTS,
        }

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        max_passes: int = DEFAULT_PASSES,
        patience: int = DEFAULT_PATIENCE,
        traversal: Literal["bfs", "chains"] | None = None,
        seed: int | None = None,
        initial_states=None,
        initial_states_generator: Literal["none", "tile", "random"] = "random",
        interrupt_function: Callable[[], bool] | None = None,
        energy_threshold: float | None = None,
        refine: str | None = DEFAULT_REFINE,
        num_windows: int = 0,
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
        traversal : {"bfs", "chains"}, optional
            How parts are chosen: "bfs" along couplings, as the class describes; "chains" by
            ejection chains (`tensorspin.sampling.chains`), which first lower the whole state on
            this computer. Parts are then windows of a few variables, several of which the board of
            a `BoardSampler` anneals in one run, by a schedule of their own, whatever the child's
            other parameters are. By default "chains" for models of binary variables that need
            several parts, and in which every flip of a good state is costly, as constraints make
            it (`tensorspin.sampling.chain_parts.locked`); else "bfs".
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
        refine : {"descent", "tabu", None}, default="descent"
            What is done with the states at the end, and by the child with those of each part if it
            has this parameter: steepest descent in the whole model, so that no flip of one variable
            lowers the energy of a read; a tabu search after it, which only the whole model gets;
            or nothing. Models of few variables are enumerated unless it is None. ``exact=True``,
            passed on to the child, implies None.
        num_windows : int, default=0
            Number of windows of a few variables in which the best read of the whole model is
            refined at the end, if the child is a `BoardSampler`: its board anneals them
            (`tensorspin.sampling.windows`), several in one run. It must be 0 with ``exact=True``.
        progress : callable, optional
            Called with the number of parts solved, and of parts to solve if no read ends early.
        **child_parameters
            Further keyword arguments, for the child's ``sample``.

        Returns
        -------
        dimod.SampleSet
            The reads. Its ``info`` holds ``seed``, ``refine``, ``traversal`` (how parts were
            chosen), ``parts`` (number of parts solved), ``interrupted`` (whether the user's
            function has ended the work), ``energies`` (a list for each read: the energy of its
            initial state, if one was given or parts were chosen by chains, in this case that after
            a descent and that after the chains, that after each pass, and that after the descent at
            the end if it is lower) and ``board_energies`` (energy of each read before this
            descent). If the child has them in its own ``info``, it also holds ``method``,
            ``quantization_error`` as `BoardSampler.sample` (the greatest errors of all parts, and
            the sums of the counts), ``relative_error`` of that, ``device_time`` and
            ``transfer_time`` in seconds. ``host_time`` (seconds of this computer) and
            ``enumerated`` are as `BoardSampler.sample` has them; so is ``windows``, if there were
            any.

        Raises
        ------
        TypeError, ValueError
            If the model or a parameter is not what it must be.
        CapacityError
            If not even one variable fits the child.

        Warns
        -----
        PrecisionWarning
            If the child has changed a part much by rounding.
        """
        watch = Watch()
        bqm = checked_model(bqm)
        checked_count(max_passes, "max_passes")
        checked_count(patience, "patience")
        check_threshold(energy_threshold)
        exact = bool(child_parameters.get("exact", False))
        refine = checked_refine(refine, exact, bqm.num_variables)
        self._check_windows(num_windows, exact)
        _check_traversal(traversal, exact)
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
        if traversal is None:
            whole = len(variables) <= self.size
            traversal = "bfs" if exact or whole or not locked(bqm, variables, seed) else "chains"
        if initial_states is None and traversal == "bfs":
            states[:] = 0  # not solved yet, and without influence until then
        if "num_windows" in self.child.parameters:
            child_parameters["num_windows"] = 0  # those of the whole model follow at the end
        if "refine" in self.child.parameters:
            child_parameters["refine"] = refine and "descent"
        info: dict[str, Any] = {
            "seed": seed,
            "refine": refine,
            "parts": 0,
            "traversal": traversal,
            "interrupted": False,
            "energies": [],
        }
        if len(variables):
            work_on = Work if traversal == "bfs" else ChainedWork
            work = work_on(self, spins, variables, seed, child_parameters, info)
            work.progress, work.watch = progress, watch
            if interrupt_function is not None:
                work.stop = Latch(interrupt_function)
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
        warn_of_error(info.get("relative_error", 0.0))
        result = refined_set(bqm, variables, states, refine, info)
        ended = info["interrupted"] or (
            energy_threshold is not None and result.record.energy.min() <= energy_threshold
        )
        if num_windows and not ended:
            result = self._refined_in_windows(
                bqm, result, num_windows, seed, interrupt_function, watch
            )
        result.info["host_time"] = watch.seconds + info.get("host_time", 0.0)
        for energies, energy in zip(info["energies"], result.record.energy):
            if energies and energy < energies[-1]:
                energies.append(float(energy))
        return result

    def _check_windows(self, num_windows: int, exact: bool) -> None:
        """Refuse windows that cannot be annealed."""
        checked_count(num_windows, "num_windows", least=0)
        if num_windows and exact:
            raise ValueError(f"num_windows must be 0 with exact=True, not {num_windows}")
        if num_windows and not isinstance(self.child, BoardHolder):
            raise ValueError(
                f"num_windows must be 0 with a child that has no board, not {num_windows}"
            )

    def _refined_in_windows(
        self,
        bqm: dimod.BinaryQuadraticModel,
        found: dimod.SampleSet,
        windows: int,
        seed: int,
        interrupt_function: Callable[[], bool] | None,
        watch: Watch,
    ) -> dimod.SampleSet:
        """Refine the best read of the whole model in windows, on the child's board."""
        child = self.child
        assert isinstance(child, BoardHolder)  # `_check_windows` has refused others
        info: dict[str, Any] = {"interrupted": False}
        run = counted_run(child, info, watch, interrupt_function)
        size = annealer_of(child.board)
        refined = refined_in_windows(bqm, found, run, size, windows, seed)
        for name in ("device_time", "transfer_time"):
            refined.info[name] = refined.info.get(name, 0.0) + info[name]
        refined.info["interrupted"] = info["interrupted"]
        return refined


def _check_traversal(traversal: str | None, exact: bool) -> None:
    """Refuse a way to choose parts that is none, or that exact samples do not follow."""
    if traversal is not None and traversal not in TRAVERSALS:
        names = ", ".join(TRAVERSALS)
        raise ValueError(f"traversal must be None or one of {names}, not {traversal!r}")
    if exact and traversal == "chains":
        raise ValueError(
            'traversal="chains" can\'t be given with exact=True: states that chains change follow '
            "no distribution"
        )
