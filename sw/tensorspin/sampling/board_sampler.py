"""A board's annealer as a dimod sampler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.scoped import Scoped

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.size import AnnealerSize
from ..driver.annealer import BoardAnnealResults
from ..progress import Progress
from .arguments import (
    check_reads,
    check_threshold,
    checked_count,
    checked_flips,
    checked_model,
    checked_seed,
    small_integers,
)
from .boards import BoardHolder, annealer_of
from .constrained import ConstrainedSampling
from .crossover import Crossover, unsuited
from .methods import METHODS, check_sweeps
from .precision import TOLERATED, warn_of_rounding
from .prepare import prepare_model
from .refine import DEFAULT_REFINE, REFINEMENTS, Descent, checked_refine, refined_set
from .restarts import Schedule, plan_anneals
from .runs import STATES, AnnealedReads, times
from .schedules import TYPES, count_sweeps
from .watch import Watch
from .windows import DEFAULT_WINDOWS, refined_in_windows, unless_interrupted


class BoardSampler(BoardHolder, ConstrainedSampling, dimod.Sampler, Initialized, Scoped):
    """Samples binary quadratic models on a board's annealer.

    Parameters and results are those of dwave-samplers' ``SimulatedAnnealingSampler``, so that one
    sampler can stand for the other. The order of visits and the rule of acceptance (Metropolis) are
    the device's, though: ``randomize_order`` and ``proposal_acceptance_criteria`` are ignored with
    a warning. Each read is the state of one *replica*, a copy of the model on the device. A run on
    the board gives as many reads as the device has replicas, in the time of one. Threads may share
    a sampler, and samplers an open board: each run has it to itself, and other threads wait.

    Parameters
    ----------
    board : Board or str
        An open board, which stays the caller's to close; or a URL as `Board.open` takes it. With a
        URL it is opened when it is first needed, and closed by `close` or at the end of a ``with``
        block; such a sampler can be copied and pickled.
    on_fault : {"raise", "reload"}, default="raise"
        What follows a `FaultError`: it is raised, or the job sent and run once more.

    Examples
    --------
    >>> import dimod
    >>> from tensorspin import BoardSampler
    >>> with BoardSampler("golden://ulx3s_25f_annealer") as sampler:
    ...     samples = sampler.sample_ising({"a": 0.5}, {("a", "b"): -1.0}, num_sweeps=50, seed=1)
    >>> float(samples.first.energy)
    -1.5
    """

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments of `sample`; for each, the properties that describe it."""
        return {
            "num_reads": ["annealer"],
            "num_sweeps": [],
            "num_sweeps_per_beta": [],
            "num_restarts": [],
            "beta_range": [],
            "beta_schedule_type": ["beta_schedule_options"],
            "beta_schedule": [],
            "initial_states": [],
            "initial_states_generator": [],
            "interrupt_function": [],
            "energy_threshold": [],
            "seed": [],
            "method": ["method_options"],
            "states": ["states_options"],
            "exact": [],
            "flips": ["annealer"],
            "refine": ["refine_options"],
            "num_windows": [],
            "progress": [],
        }

    @property
    def properties(self) -> dict[str, Any]:
        """Size and clock of the annealer, and the choices that `sample` offers."""
        info = self.board.info
        return {
            "board": info.board,
            "annealer": asdict(annealer_of(self.board)),
            "clock_hz": info.clock_hz,
            "beta_schedule_options": TYPES,
            "method_options": METHODS,
            "states_options": STATES,
            "refine_options": REFINEMENTS,
        }

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        num_sweeps: int | None = None,
        num_sweeps_per_beta: int = 1,
        num_restarts: int | None = None,
        beta_range: Sequence[float] | None = None,
        beta_schedule_type: str = "geometric",
        beta_schedule: Sequence[float] | np.ndarray | None = None,
        initial_states=None,
        initial_states_generator: Literal["none", "tile", "random"] = "random",
        interrupt_function: Callable[[], bool] | None = None,
        energy_threshold: float | None = None,
        seed: int | None = None,
        method: str = "annealing",
        states: str | None = None,
        exact: bool = False,
        flips: int | None = None,
        refine: str | None = DEFAULT_REFINE,
        num_windows: int | None = None,
        progress: Progress | None = None,
        **kwargs,
    ) -> dimod.SampleSet:
        """Sample from a binary quadratic model.

        The model's coefficients are scaled and rounded to what the device holds
        (`tensorspin.sampling.quantise`). If that is not exact, variables whose linear term
        outweighs all their couplings are decided on the host
        (`tensorspin.sampling.prepare`). The energies returned are those of the model itself.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            The model, of spins (+1, -1) or binary variables (0, 1), with labels of any kind.
        num_reads : int, optional
            Number of samples: by default as many as there are initial states, or as the device has
            replicas. More reads than replicas take several runs. There may be
            `tensorspin.sampling.arguments.MOST_READS` at most, fewer for many variables.
        num_sweeps : int, default=1000
            Number of visits of each spin in a read, in all its anneals together.
        num_sweeps_per_beta : int, default=1
            Number of sweeps at each inverse temperature.
        num_restarts : int, optional
            Number of anneals of a read, between which its sweeps are divided as evenly as possible;
            the state of lowest energy is the read. Each goes over the whole range of temperatures,
            begins in other random states unless `initial_states` are given, and rounds the
            coefficients by another rule if they are not exact (`restarts` tells how many by
            default, and which are one run).
        beta_range : (float, float), optional
            First and last inverse temperature, in units of the model. By default they are chosen
            for the quantised model (`tensorspin.sampling.schedules.default_beta_range`).
        beta_schedule_type : {"linear", "geometric", "custom"}, default="geometric"
            How the inverse temperature goes from the first to the last.
        beta_schedule : sequence of float, optional
            All inverse temperatures, for the type "custom". If these, or the sweeps, are more than
            the steps that the device has room for, neighbours are replaced with their mean.
        initial_states : samples-like, optional
            States in which the reads begin, in any form that `dimod.as_samples` takes.
        initial_states_generator : {"random", "tile", "none"}, default="random"
            How missing initial states are made, as `dimod.Initialized.parse_initial_states` says.
        interrupt_function : callable, optional
            Called between runs, and about ten times a second in a long run; if it returns True, the
            run is stopped and the reads so far are returned. If not even the first run is done,
            these are the initial states of its reads, refined like others.
        energy_threshold : float, optional
            No further run begins once a read, as it is returned, has this energy or a lower one.
        seed : int, 0 to 2**32 - 1, optional
            The same seed gives the same samples, on every kind of board of the same size.
        method : {"annealing", "crossover", "quantum", "tempering"}, default="annealing"
            "crossover" divides a read into many short anneals and crosses them: each component of
            the difference of two states is taken from its better side, and the lowest read has its
            parts from all replicas. On grids and planar graphs it is by far the fastest way to the
            ground state. Where the model's graph does not suit it
            (`tensorspin.sampling.crossover.conductance`), reads are annealed instead, and
            ``info["crossover"]`` says why. "quantum" is simulated quantum annealing: the replicas
            are slices of a model whose transverse field falls. With "tempering", replicas at
            different temperatures of the range exchange them. These two need a device that can do
            it; `tensorspin.sampling.methods.plan` describes what they make of the schedule.
        states : {"lower", "final", "best"}, optional
            What an anneal returns: "final" is its last state, "best" the one that had the lowest
            energy on the device, and "lower" whichever of these two has the lower energy in the
            model as given. By default "lower"; with ``exact=True`` "final", as only last states
            follow a distribution.
        exact : bool, default=False
            Whether no random number may serve two sweeps of a read, and no variable be decided on
            the host. Samples at a fixed temperature follow Boltzmann's distribution only then; it
            takes some more cycles. The states are raw, as with ``refine=None``.
        flips : int, optional
            Most flips of a turn: 1, or as many as the device can do at once, which is
            ``properties["annealer"]["flips"]``. Several flips at once, of spins that do not see
            each other flip, make a sweep take a part of the time, and their samples follow no
            distribution. By default as many as the device can do; 1 with ``exact=True`` and the
            methods "quantum" and "tempering".
        refine : {"descent", "tabu", None}, default="descent"
            What the host does with the board's states: steepest descent in the model as given, so
            that no flip of one variable lowers the energy of a read
            (`tensorspin.sampling.refine.refine_states`); a tabu search after it, for models of up
            to `tensorspin.sampling.tabu.MOST_TABU_VARIABLES` variables; or nothing. If it is not
            None, models of up to `tensorspin.sampling.enumeration.MOST_ENUMERATED` variables are
            enumerated, too, and the best read has the lowest energy of all states. Only None can be
            given together with ``exact=True``.
        num_windows : int, optional
            Number of windows of a few variables in which the best read is refined further, with
            the board (`tensorspin.sampling.windows`). By default
            `tensorspin.sampling.windows.DEFAULT_WINDOWS` if rounding changes the model so much that
            the sampler warns, `refine` is not None, and the model is not enumerated; else 0. It
            must be 0 with ``exact=True``.
        progress : callable, optional
            Called with the number of reads done, and of all reads.
        **kwargs
            Parameters of other samplers, ignored with a warning.

        Returns
        -------
        dimod.SampleSet
            The reads. Its ``info`` holds ``seed``, ``method`` (the one in use), ``crossover`` (a
            dict, if it was asked for: whether it is ``used``, and the ``reason`` if not), ``flips``
            (most flips of a turn), ``shared_sweeps`` (whether steps end without waiting),
            ``beta_schedule_type``, ``beta_range`` (first and last inverse temperature in use),
            ``num_sweeps``, ``num_restarts``, ``scale`` (units of the device in one of the model),
            ``quantization_error`` (the errors of `tensorspin.sampling.quantise.Quantised`, for the
            variables on the device, as the first anneal rounds them), ``decided`` (number of
            variables that were decided on the host), ``refine``, ``board_energies`` (of the model,
            for the board's own state of each read, in the order of the reads), ``interrupted``
            (whether reads, or anneals of them, are missing), ``cycles`` (of each run),
            ``device_time`` (seconds: cycles at the device's clock), ``transfer_time`` (seconds:
            everything else on the board's clock), ``host_time`` (seconds: what this computer has
            done before, between and after the runs), ``enumerated`` (whether the host has tried
            all states) and ``windows`` (number of windows that were annealed).

        Raises
        ------
        ValueError, TypeError
            If a parameter or a coefficient is not what it must be.
        CapacityError
            If the model does not fit the device.
        DeviceError, LinkError, TransportError
            If the board fails (see `on_fault`) or is lost.

        Warns
        -----
        PrecisionWarning
            If rounding changes the model much, with the width or the board that would do.
        """
        watch = Watch()
        self.remove_unknown_kwargs(**kwargs)
        bqm = checked_model(bqm)
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
        if states is not None and states not in STATES:
            raise ValueError(f"states must be None or one of {', '.join(STATES)}, not {states!r}")
        if interrupt_function is not None and not callable(interrupt_function):
            raise TypeError(f"interrupt_function must be callable, not {interrupt_function!r}")
        check_threshold(energy_threshold)
        refine = checked_refine(refine, exact, bqm.num_variables)
        seed = checked_seed(seed)
        check_reads(num_reads, bqm.num_variables)
        sweeps = count_sweeps(beta_schedule, num_sweeps, num_sweeps_per_beta)
        schedule = Schedule(
            method,
            beta_schedule_type,
            beta_range,
            beta_schedule,
            num_sweeps,
            num_sweeps_per_beta,
            num_restarts,
            exact,
        )
        schedule.check()
        if num_windows is not None:
            checked_count(num_windows, "num_windows", least=0)
            if exact and num_windows:
                raise ValueError(f"num_windows must be 0 with exact=True, not {num_windows}")
        size = annealer_of(self.board)
        schedule = replace(schedule, flips=checked_flips(flips, size, exact, method))

        initial = self._initial(
            bqm, size, num_reads, initial_states, initial_states_generator, seed
        )
        model = prepare_model(bqm, initial.variables, size, decide=not exact)
        if not exact:
            warn_of_rounding(model)
        quantised = model.quantised
        # Too many sweeps are refused before any schedule is made.
        refresh = size.exact_refresh(len(model.variables)) if exact else 0
        check_sweeps(sweeps, quantised.problem, refresh)
        crossed = method == "crossover"
        unsuitable = unsuited(model.rest) if crossed else None
        if unsuitable is not None:
            schedule = replace(schedule, method="annealing")
        # A run begins once, and keeps the last and the lowest state of all its anneals: they are
        # runs of their own where each is to begin or end in a state that counts.
        together = states != "final" and initial_states is None and energy_threshold is None
        anneals, betas = plan_anneals(schedule, model, size, together)

        descent = Descent(bqm, model.labels) if refine and energy_threshold is not None else None

        def valued(spins: np.ndarray) -> np.ndarray:
            return spins if bqm.vartype is dimod.SPIN else (spins + 1) // 2

        def energies(spins: np.ndarray) -> np.ndarray:
            return bqm.energies((valued(spins), model.labels))

        def reached(found: np.ndarray) -> bool:
            states = valued(found)
            if descent is not None:
                states = descent.refine(states)
            return bqm.energies((states, model.labels)).min() <= energy_threshold

        reads = AnnealedReads(
            anneals,
            model,
            initial,
            energies,
            seed=seed,
            kind=states or ("final" if exact else "lower"),
            given=initial_states is not None,
            crossover=Crossover(bqm, model.labels) if crossed and not unsuitable else None,
        )
        samples = reads.anneal(
            watch.elsewhere(lambda job, expected: self.run(job, expected, interrupt_function)),
            interrupt_function,
            None if energy_threshold is None else reached,
            progress,
        )
        runs = reads.runs
        info = {
            "seed": seed,
            "method": schedule.method,
            **({"crossover": {"used": not unsuitable, "reason": unsuitable}} if crossed else {}),
            **anneals[0].info,
            "beta_schedule_type": beta_schedule_type,
            "beta_range": (float(betas[0]), float(betas[-1])),
            "num_sweeps": max(sweeps, len(betas) * num_sweeps_per_beta),
            "num_restarts": sum(each.count for each in anneals),
            "scale": quantised.scale,
            "quantization_error": quantised.errors,
            "decided": len(model.decided),
            "interrupted": bool(model.variables) and reads.missing,
            "refine": refine,
            **times(runs),
        }
        found = refined_set(bqm, model.labels, valued(samples), refine, info)
        if num_windows is None:
            large = quantised.relative_error > TOLERATED and bool(runs)
            wanted = large and refine is not None and not found.info["enumerated"]
            plain = schedule.method == "annealing"
            num_windows = DEFAULT_WINDOWS if wanted and plain else 0
        stopped = info["interrupted"] or (
            energy_threshold is not None
            and len(found)
            and found.record.energy.min() <= energy_threshold
        )

        @watch.elsewhere
        def run(job: AnnealJob) -> BoardAnnealResults:
            runs.append(self.run(job, [job], interrupt_function))
            return runs[-1]

        asked = unless_interrupted(run, interrupt_function)
        found = refined_in_windows(bqm, found, asked, size, 0 if stopped else num_windows, seed)
        found.info.update(times(runs), host_time=watch.seconds)
        return found

    def _initial(
        self,
        bqm: dimod.BinaryQuadraticModel,
        size: AnnealerSize,
        num_reads: int | None,
        initial_states,
        generator: Literal["none", "tile", "random"],
        seed: int,
    ) -> dimod.SampleSet:
        """Return the initial states of all reads as spins."""
        if num_reads is None and initial_states is None:
            num_reads = size.replicas
        return self.parse_initial_states(
            bqm.change_vartype(dimod.SPIN, inplace=False),
            initial_states=small_integers(initial_states),
            initial_states_generator=generator,
            num_reads=num_reads,
            seed=seed,
            copy_always=True,
        ).initial_states
