"""Solve a large model whose single flips are costly: ejection chains, then parts along them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dimod
import numpy as np
from scipy.sparse import csr_array

from ..contract.annealer.job import AnnealJob
from ..driver.annealer import BoardAnnealResults
from ..errors import InterruptedRunError
from .boards import BoardHolder, annealer_of
from .parts import Work
from .refine import refine_states
from .watch import Watch
from .windows import WINDOW, Windows, unless_interrupted

TRAVERSALS = ("bfs", "chains")
"""How the parts of a model are chosen: along its couplings, breadth first, as in dwave-hybrid; or
by ejection chains."""

MOVES = 80
"""Chains that are followed before the parts, for each variable of the model."""

MOST_MOVES = 200_000
"""Most chains of a read. With 2,209 variables, 80 for each, they take 4 seconds of a desktop."""

LOCKED = 0.25
"""Share of the median flip's cost that all but `CHEAP` of the flips must cost for chains to be
chosen. It is 0.3 and more for tours, assignments and portfolios, 0.1 to 0.2 for colourings, random
QUBO and max-cut problems."""

CHEAP = 0.05
"""Share of the flips that may cost less."""

DESCENTS = 8
"""Number of descents, from random states, at whose ends the flips are looked at."""


def locked(bqm: dimod.BinaryQuadraticModel, variables: Sequence, seed: int) -> bool:
    """Tell whether all single flips of a good state are costly, as constraints make them.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype. One of spins is never locked: constraints are written with binary
        variables.
    variables : sequence
        Its variables.
    seed : int
        Seed of the states from which descents begin.

    Returns
    -------
    bool
        Whether it is so where steepest descents end, in the mean.
    """
    if bqm.vartype is not dimod.BINARY or not bqm.num_interactions:
        return False
    states = np.random.default_rng(seed).integers(0, 2, (DESCENTS, len(variables)), np.int8)
    states = 2 * refine_states(bqm, variables, states) - 1
    vectors: Any = bqm.spin.to_numpy_vectors(variable_order=variables)
    linear, (rows, columns, values), _ = vectors
    half = csr_array((values, (rows, columns)), shape=(len(variables), len(variables)))
    costs = -2 * states * (linear + ((half + half.T) @ states.T).T)
    cheap, median = np.quantile(costs, [CHEAP, 0.5], axis=1)
    return bool(median.min() > 0 and np.mean(cheap / median) >= LOCKED)


def counted_run(
    child: BoardHolder,
    info: dict[str, Any],
    watch: Watch,
    interrupt_function: Callable[[], bool] | None,
) -> Callable[[AnnealJob], BoardAnnealResults]:
    """Make a function that runs jobs on a sampler's board, and counts their times.

    Parameters
    ----------
    child : BoardHolder
        The sampler.
    info : dict
        Where ``device_time``, ``transfer_time`` and ``interrupted`` are noted.
    watch : Watch
        Stands still while the board runs.
    interrupt_function : callable or None
        Asked before and during each run; if it returns True, the run raises `InterruptedRunError`.

    Returns
    -------
    callable
        Runs a job.
    """
    for name in ("device_time", "transfer_time"):
        info[name] = info.get(name, 0.0)
    asked = unless_interrupted(
        lambda job: child.run(job, [job], interrupt_function), interrupt_function
    )

    @watch.elsewhere
    def run(job: AnnealJob) -> BoardAnnealResults:
        try:
            results = asked(job)
        except InterruptedRunError:
            info["interrupted"] = True
            raise
        info["device_time"] += results.seconds
        info["transfer_time"] += results.transfer_seconds
        return results

    return run


class ChainedWork(Work):
    """Lowers states by ejection chains at a falling temperature, and then part by part.

    The parts are windows that a board anneals, several in a run, if the child has a board;
    otherwise the child samples them one by one. Parameters are those of `Work`.
    """

    def __init__(self, sampler, bqm, variables: Sequence, seed: int, parameters, info) -> None:
        super().__init__(sampler, bqm, variables, seed, parameters, info)
        # A board is not asked through the child's `sample`, which would refuse them.
        unknown = sorted(set(parameters) - set(self._child.parameters))
        if unknown and isinstance(self._child, BoardHolder):
            raise TypeError(f"the child's sample() must know all parameters, not {unknown[0]!r}")
        self._bqm, self._variables = bqm, variables
        self._size = max(1, min(WINDOW, self._size))

    @property
    def parts(self) -> int:
        """Number of parts of a pass."""
        return -(-len(self._variables) // self._size)

    def improve(self, state: np.ndarray, max_passes: int, patience: int) -> bool:
        """Lower the energy of a state; see `Work.improve`."""
        energies: list[float] = []
        self._info["energies"].append(energies)
        energies.append(self._energy(state))
        state[:] = refine_states(self._bqm, self._variables, state[None, :])[0]
        energies.append(self._energy(state))
        search = Windows(self._bqm, self._variables, state, int(self._rng.integers(2**31)))
        first, begun = energies[-1], self._info["parts"]
        if self.progress is not None:
            self.progress(begun, self.total)  # chains take a while, and are no parts
        wanted = search.anneal_chains(
            min(MOVES * len(state), MOST_MOVES), lambda gained: self._is_wanted(first - gained)
        )
        energies.append(first - search.gained)
        idle = 0
        for _ in range(max_passes if wanted else 0):
            before = search.gained
            wanted = self._pass(search, first)
            energies.append(first - search.gained)
            idle = 0 if search.gained > before else idle + 1
            if not wanted or idle == patience:
                break
        state[:] = search.state.astype(np.int8)
        energies[-1] = self._energy(state)
        self.total -= max_passes * self.parts - (self._info["parts"] - begun)
        return wanted and self._is_wanted(energies[-1])

    def _energy(self, state: np.ndarray) -> float:
        """Compute the energy of a state."""
        return float(self._bqm.energies((state[None, :], self._variables))[0])

    def _is_wanted(self, energy: float) -> bool:
        """Tell whether the work is to go on with a state of such an energy."""
        return not (self.stop is not None and self.stop()) and energy > self.threshold

    def _pass(self, search: Windows, first: float) -> bool:
        """Solve as many parts as have all variables together; return whether more are wanted."""
        done = 0
        while done < self.parts:
            try:
                solved = self._some(search)
            except InterruptedRunError:
                return False
            if not solved:
                break
            done += solved
            self._info["parts"] += solved
            self.total = max(self.total, self._info["parts"])
            if self.progress is not None:
                self.progress(self._info["parts"], self.total)
            if not self._is_wanted(first - search.gained):
                return False
        return True

    def _some(self, search: Windows) -> int:
        """Solve a part, or as many as a run of the board takes; return their number."""
        child = self._child
        if isinstance(child, BoardHolder):
            run = counted_run(child, self._info, self.watch, self.stop)
            return search.anneal(run, annealer_of(child.board), int(self._rng.integers(2**63)))
        search.solve(self._size, self._solve)
        return 1
