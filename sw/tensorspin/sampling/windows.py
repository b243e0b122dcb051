"""Refine a state in windows: a few variables at a time, rescaled to the full range of a device.

A device rounds a whole model to few bits. The variables that could still lower the energy of a good
state need only be exact among each other: all others stay as they are, and fields that no change in
the window can outweigh are clipped. What is left uses the device's full range. A window is taken
over if it lowers the energy in the model as given, so its rounding does no harm.

Which variables are in a window decides most. The chooser follows *ejection chains*: a cheap flip,
then the cheapest flip after it, and so on, as a tour is changed by moving one city and then its
neighbours (`tensorspin.sampling.chains`). `Chains.chain_states`, the chooser without any annealing,
is the control to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import dimod
import numpy as np

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.problem import IsingProblem
from ..contract.annealer.results import AnnealResults
from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError, InterruptedRunError
from .chains import SIGNIFICANT, Chains
from .methods import plan
from .quantise import quantise
from .refine import refine_states
from .rounding import KEPT_SUMS, NEAREST
from .schedules import default_beta_range, least_beta

WINDOW = 16
"""Variables of a window, or half of the model's if these are fewer."""

PACKED = 4
"""Greatest number of windows in one run; they have no variable in common."""

SWEEPS = 48
"""Sweeps of a run."""

STEPS = 16
"""Steps of its schedule."""

HOTTER, COLDER = 4.0, 16.0
"""Factors by which the first temperature is higher, and the last lower, than by default: small
windows freeze late, and a cold end costs next to nothing."""

KINDS = ("chain", "chain", "chain", "strong", "random")
"""How the windows are chosen, one after the other: by ejection chains, along strong couplings from
a random variable, or at random. A mixture leaves no part of the model out."""

CLIPPED = 2.0
"""Fields are clipped to this multiple of the greatest sum of couplings in the window."""

DEFAULT_WINDOWS = 24
"""Number of windows in which a sampler refines its best read by default, where rounding changes a
model so much that it warns."""

Run = Callable[[AnnealJob], AnnealResults]
"""Runs a job on a device."""

Results = TypeVar("Results", bound=AnnealResults)
"""What a run returns, with or without the times of a board."""


def unless_interrupted(
    run: Callable[[AnnealJob], Results], interrupt_function: Callable[[], bool] | None
) -> Callable[[AnnealJob], Results]:
    """Ask before each run whether it is wanted.

    Runs of windows are short: they may be over before a board asks for the first time.

    Parameters
    ----------
    run : callable
        Runs a job on a device.
    interrupt_function : callable or None
        Returns True if no further run is wanted.

    Returns
    -------
    callable
        The same as `run`, but it raises `InterruptedRunError` if the run is not wanted.
    """

    def asked(job: AnnealJob) -> Results:
        if interrupt_function is not None and interrupt_function():
            raise InterruptedRunError("the windows were interrupted")
        return run(job)

    return asked


def refined_in_windows(
    bqm: dimod.BinaryQuadraticModel,
    found: dimod.SampleSet,
    run: Run,
    size: AnnealerSize,
    windows: int,
    seed: int,
) -> dimod.SampleSet:
    """Refine the best read by chains of flips, then in windows, and by descent after that.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    found : dimod.SampleSet
        The reads.
    run : callable
        Runs a job on a device; it may raise `InterruptedRunError`, which ends the search.
    size : AnnealerSize
        Size of the device.
    windows : int
        Number of windows.
    seed : int
        Seed of the choice of windows and of the runs.

    Returns
    -------
    dimod.SampleSet
        The reads in the same order, the best replaced if the energy has fallen. Its ``info`` also
        has ``windows``, the number of windows that were annealed.
    """
    samples, variables = found.record.sample.copy(), list(found.variables)
    done = 0
    if windows and samples.size:
        best = int(found.record.energy.argmin())
        spins = bqm.vartype is dimod.SPIN
        state = samples[best] if spins else 2 * samples[best] - 1
        search = Windows(bqm, variables, state, seed)
        words = np.random.default_rng([seed, 1])
        search.chain_states(windows, WINDOW)
        tries = 0
        while done < windows and tries < windows:
            tries += 1
            try:
                packed = min(PACKED, windows - done)
                annealed = search.anneal(run, size, int(words.integers(2**63)), packed)
            except InterruptedRunError:
                break
            done += annealed
        if search.gained > 0:
            state = search.state.astype(np.int8)
            samples[best] = state if spins else (state + 1) // 2
            samples[best] = refine_states(bqm, variables, samples[best : best + 1])[0]
    found.info["windows"] = done
    if np.array_equal(samples, found.record.sample):
        return found
    return dimod.SampleSet.from_samples_bqm((samples, variables), bqm, info=found.info)


class Windows(Chains):
    """A state of a model of spins, which is refined window by window.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of any vartype.
    variables : sequence
        Its variables, in the order of the state.
    state : ndarray of int8 of shape (n,)
        State of +1 and -1 from which the search begins; it is copied.
    seed : int
        Seed of the choice of windows.

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
        super().__init__(bqm, variables, state, seed)
        self._strength = np.abs(self._couplings)
        self._chosen = 0

    def choose(self, kind: str, used: np.ndarray, count: int) -> np.ndarray:
        """Choose the variables of a window.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        used : ndarray of bool of shape (n,)
            Variables that must not be chosen.
        count : int
            Number of variables, at most as many as are left.

        Returns
        -------
        ndarray of int64 of shape (count,)
            The variables, in the order in which they were chosen.
        """
        free = np.flatnonzero(~used)
        if kind == "random":
            return self._rng.choice(free, count, replace=False)
        if kind == "chain":
            return self._chain(count, used)[0]
        return self._strong(used, free, count)

    def _strong(self, used: np.ndarray, free: np.ndarray, count: int) -> np.ndarray:
        """Grow a window from a random variable along the strongest couplings to it."""
        pull = np.where(used, -np.inf, 1e-12 * self._scale * self._rng.random(len(used)))
        window = np.empty(count, np.int64)
        spin = int(self._rng.choice(free))
        strength = self._strength
        for place in range(count):
            window[place] = spin
            pull[spin] = -np.inf
            part = slice(strength.indptr[spin], strength.indptr[spin + 1])
            pull[strength.indices[part]] += strength.data[part]
            spin = int(pull.argmax())
        return window

    def solve(
        self, count: int, solve: Callable[[np.ndarray, np.ndarray, np.ndarray], float]
    ) -> None:
        """Choose a window, and let something else than a device solve it.

        Parameters
        ----------
        count : int
            Number of variables.
        solve : callable
            Called with the window, the state and the fields, of which the last two are changed in
            place; returns by how much the energy has fallen.
        """
        kind = KINDS[self._chosen % len(KINDS)]
        self._chosen += 1
        count = min(count, len(self.state))
        window = self.choose(kind, np.zeros(len(self.state), bool), count)
        self.gained += solve(window, self.state, self._fields)

    def anneal(self, run: Run, size: AnnealerSize, seed: int, windows: int = PACKED) -> int:
        """Anneal some windows in one run, and take over what lowers the energy.

        Parameters
        ----------
        run : callable
            Runs a job on a device.
        size : AnnealerSize
            Size of the device.
        seed : int
            Seed of the run.
        windows : int, optional
            Greatest number of windows.

        Returns
        -------
        int
            Number of windows that were annealed: 0 if none fits the device.
        """
        total = len(self.state)
        count = max(1, min(WINDOW, (total + 1) // 2, size.spins))
        used = np.zeros(total, bool)
        chosen: list[np.ndarray] = []
        problem: IsingProblem | None = None
        for _ in range(windows):
            if total - int(used.sum()) < count or (len(chosen) + 1) * count > size.spins:
                break
            kind = KINDS[self._chosen % len(KINDS)]
            self._chosen += 1
            window = self.choose(kind, used, count)
            packed = self._packed(problem, window, size)
            if packed is None:
                continue
            problem = packed
            chosen.append(window)
            used[window] = True
        if problem is None:
            return 0
        found = run(self._job(problem, np.concatenate(chosen), size, seed))
        for place, window in enumerate(chosen):
            part = slice(place * count, (place + 1) * count)
            self._take(window, np.concatenate([found.states, found.best_states])[:, part])
        return len(chosen)

    def _packed(
        self, before: IsingProblem | None, window: np.ndarray, size: AnnealerSize
    ) -> IsingProblem | None:
        """Add a window to a problem; None if they do not fit together."""
        couplings = self._couplings[window][:, window].toarray()
        state = self.state[window]
        linear = self._fields[window] - couplings @ state
        bound = CLIPPED * max(np.abs(couplings).sum(axis=1).max(), SIGNIFICANT * self._scale)
        linear = np.clip(linear, -bound, bound)
        for rule in (KEPT_SUMS, NEAREST):
            try:
                own = quantise(
                    linear, couplings, size, rule=rule, anchor=state.astype(np.int8)
                ).problem
                return own if before is None else _joined(before, own, size)
            except (CapacityError, ValueError):  # what does not fit is left out
                continue
        return None

    def _job(
        self, problem: IsingProblem, window: np.ndarray, size: AnnealerSize, seed: int
    ) -> AnnealJob:
        """Make the run: half of the replicas begin in the present state."""
        hot, cold = default_beta_range(problem)
        betas = np.geomspace(max(hot / HOTTER, least_beta(size)), cold * COLDER, SWEEPS)
        steps, _ = plan("annealing", betas, 1, size, min(STEPS, size.steps))
        initial = self._rng.choice(np.array([-1, 1], np.int8), (size.replicas, len(window)))
        initial[::2] = self.state[window]
        return AnnealJob(problem, steps, seed=seed, initial_states=initial)

    def _take(self, window: np.ndarray, states: np.ndarray) -> None:
        """Take over the best state of a window, if the energy of the whole model falls."""
        couplings = self._couplings[window][:, window].toarray()
        changes = states - self.state[window]
        rises = changes @ self._fields[window] + ((changes @ couplings) * changes).sum(axis=1) / 2
        best = int(rises.argmin())
        if rises[best] < -SIGNIFICANT * self._scale:
            self._flip(window[changes[best] != 0], float(rises[best]))


def _joined(first: IsingProblem, second: IsingProblem, size: AnnealerSize) -> IsingProblem:
    """Make one problem of two that have nothing to do with each other."""
    place, total = first.variables, first.variables + second.variables
    couplings = np.zeros((total, total), np.int64)
    couplings[:place, :place], couplings[place:, place:] = first.couplings, second.couplings
    return IsingProblem(size, couplings, np.concatenate([first.linear, second.linear]))
