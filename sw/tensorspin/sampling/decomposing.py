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
from .parts import Latch, Work
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
        bqm = checked_model(bqm)
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
            work = Work(self, spins, variables, seed, child_parameters, info)
            work.progress = progress
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
        result = refined_set(bqm, variables, states, refine, info)
        for energies, energy in zip(info["energies"], result.record.energy):
            if energies and energy < energies[-1]:
                energies.append(float(energy))
        return result
