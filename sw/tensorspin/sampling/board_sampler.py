"""A board's annealer as a dimod sampler."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.scoped import Scoped

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.size import AnnealerSize
from ..driver.annealer import BoardAnnealResults
from ..driver.board import Board
from ..errors import TensorspinError
from ..progress import Progress
from .arguments import (
    check_reads,
    check_threshold,
    checked_model,
    checked_seed,
    small_integers,
)
from .methods import METHODS, check_sweeps, plan
from .prepare import prepare_model
from .refine import DEFAULT_REFINE, REFINEMENTS, Descent, checked_refine, refined_set
from .runs import anneal_reads
from .schedules import TYPES, betas_of, count_sweeps, default_beta_range, possible_betas

STATES = ("final", "best")
"""Which state of a replica is a read: its last state, or the one of lowest energy."""


class BoardSampler(dimod.Sampler, Initialized, Scoped):
    """Samples binary quadratic models on a board's annealer.

    Parameters and results are those of dwave-samplers' ``SimulatedAnnealingSampler``, so that one
    sampler can stand for the other. The order of visits and the rule of acceptance (Metropolis) are
    the device's, though: ``randomize_order`` and ``proposal_acceptance_criteria`` are ignored with
    a warning. Each read is the state of one *replica*, a copy of the model on the device. A run on
    the board gives as many reads as the device has replicas, in the time of one.

    Threads may share a sampler, and samplers may share an open board: each run has the board to
    itself, and other threads wait until it is done.

    Parameters
    ----------
    board : Board or str
        An open board, which stays the caller's to close; or a URL as `Board.open` takes it. With a
        URL the board is opened when it is first needed, and closed by `close` or at the end of a
        ``with`` block; such a sampler can be copied and pickled.

    Examples
    --------
    >>> import dimod
    >>> from tensorspin import BoardSampler
    >>> with BoardSampler("golden://ulx3s_25f_annealer") as sampler:
    ...     samples = sampler.sample_ising({"a": 0.5}, {("a", "b"): -1.0}, num_sweeps=50, seed=1)
    >>> float(samples.first.energy)
    -1.5
    """

    def __init__(self, board: Board | str) -> None:
        if not isinstance(board, (Board, str)):
            raise TypeError(f"board must be a Board or a URL, not {board!r}")
        self._url = board if isinstance(board, str) else None
        self._board = None if isinstance(board, str) else board
        self._opening = threading.RLock()

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        del state["_opening"]  # a lock belongs to its process, and each copy opens its own board
        if self._url is not None:
            state["_board"] = None
        return state

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._opening = threading.RLock()

    @property
    def board(self) -> Board:
        """The board, which is opened if it is not open yet; of several threads only one opens it.

        Raises
        ------
        TensorspinError
            If the board can't be opened, or has no annealer.
        """
        board = self._board
        if board is None:
            assert self._url is not None  # without a URL a board was given, and is never dropped
            with self._opening:
                board = self._board
                if board is None:
                    board = self._board = Board.open(self._url)
        _annealer_of(board)
        return board

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments of `sample`; for each, the properties that describe it."""
        return {
            "num_reads": ["annealer"],
            "num_sweeps": [],
            "num_sweeps_per_beta": [],
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
            "refine": ["refine_options"],
            "progress": [],
        }

    @property
    def properties(self) -> dict[str, Any]:
        """Size and clock of the annealer, and the choices that `sample` offers."""
        info = self.board.info
        return {
            "board": info.board,
            "annealer": asdict(_annealer_of(self.board)),
            "clock_hz": info.clock_hz,
            "beta_schedule_options": TYPES,
            "method_options": METHODS,
            "states_options": STATES,
            "refine_options": REFINEMENTS,
        }

    def close(self) -> None:
        """Close the board if this sampler has opened it. It is opened again when it is needed.

        A run of another thread is waited for.
        """
        with self._opening:
            board = self._board
            if self._url is not None and board is not None:
                with board.exclusive():
                    board.close()
                    self._board = None

    def sample(
        self,
        bqm: dimod.BinaryQuadraticModel,
        *,
        num_reads: int | None = None,
        num_sweeps: int | None = None,
        num_sweeps_per_beta: int = 1,
        beta_range: Sequence[float] | None = None,
        beta_schedule_type: str = "geometric",
        beta_schedule: Sequence[float] | np.ndarray | None = None,
        initial_states=None,
        initial_states_generator: Literal["none", "tile", "random"] = "random",
        interrupt_function: Callable[[], bool] | None = None,
        energy_threshold: float | None = None,
        seed: int | None = None,
        method: str = "annealing",
        states: str = "final",
        exact: bool = False,
        refine: str | None = DEFAULT_REFINE,
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
            Number of visits of each spin in a read.
        num_sweeps_per_beta : int, default=1
            Number of sweeps at each inverse temperature.
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
        method : {"annealing", "quantum", "tempering"}, default="annealing"
            "quantum" is simulated quantum annealing: the replicas are slices of a model whose
            transverse field falls. With "tempering", replicas at different temperatures of the
            range exchange them. Both need a device that can do it;
            `tensorspin.sampling.methods.plan` describes what they make of the schedule.
        states : {"final", "best"}, default="final"
            What a read returns: its last state, or the state of lowest energy that it has met.
        exact : bool, default=False
            Whether no random number may serve two sweeps of a read, and no variable be decided on
            the host. Samples at a fixed temperature follow Boltzmann's distribution only then; it
            takes some more cycles. The states are raw, as with ``refine=None``.
        refine : {"descent", None}, default="descent"
            What is done with the board's states: steepest descent in the model as given, so that no
            flip of one variable lowers the energy of a read
            (`tensorspin.sampling.refine.refine_states`); or nothing. It can't be given together
            with ``exact=True``.
        progress : callable, optional
            Called with the number of reads done, and of all reads.
        **kwargs
            Parameters of other samplers, ignored with a warning.

        Returns
        -------
        dimod.SampleSet
            The reads. Its ``info`` holds ``seed``, ``method``, ``beta_schedule_type``,
            ``beta_range`` (the first and the last inverse temperature in use), ``num_sweeps``,
            ``scale`` (number of units of the device in one unit of the model),
            ``quantization_error`` (the errors of `tensorspin.sampling.quantise.Quantised`, for the
            variables on the device), ``decided`` (number of variables that were decided on the
            host), ``refine``, ``board_energies`` (of the model, for the board's own state of each
            read, in the order of the reads), ``interrupted`` (whether reads are missing, or were
            not annealed), ``cycles`` (of each run), ``device_time`` (seconds: cycles at the
            device's clock) and ``transfer_time`` (seconds: everything else on the board's clock).

        Raises
        ------
        ValueError, TypeError
            If a parameter or a coefficient is not what it must be.
        CapacityError
            If the model does not fit the device.
        DeviceError, LinkError, TransportError
            If the board fails or is lost.
        """
        self.remove_unknown_kwargs(**kwargs)
        bqm = checked_model(bqm)
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
        if states not in STATES:
            raise ValueError(f'states must be "final" or "best", not {states!r}')
        if interrupt_function is not None and not callable(interrupt_function):
            raise TypeError(f"interrupt_function must be callable, not {interrupt_function!r}")
        check_threshold(energy_threshold)
        refine = checked_refine(refine, exact)
        seed = checked_seed(seed)
        check_reads(num_reads, bqm.num_variables)
        sweeps = count_sweeps(beta_schedule, num_sweeps, num_sweeps_per_beta)
        size = _annealer_of(self.board)

        initial = self._initial(
            bqm, size, num_reads, initial_states, initial_states_generator, seed
        )
        model = prepare_model(bqm, initial.variables, size, decide=not exact)
        scale, problem = model.quantised.scale, model.quantised.problem
        refresh = size.exact_refresh(len(model.variables)) if exact else 0
        check_sweeps(sweeps, problem, refresh)
        betas = betas_of(
            beta_schedule_type,
            beta_range,
            beta_schedule,
            num_sweeps,
            num_sweeps_per_beta,
            default_beta_range(problem, scale),
        )
        if model.variables:
            betas = possible_betas(betas, scale, size)
        steps, ladder = plan(method, betas / scale, num_sweeps_per_beta, size)
        job = AnnealJob(problem, steps, refresh=refresh, ladder=ladder)

        descent = Descent(bqm, model.labels) if refine and energy_threshold is not None else None

        def reached(found: np.ndarray) -> bool:
            states = found if bqm.vartype is dimod.SPIN else (found + 1) // 2
            if descent is not None:
                states = descent.refine(states)
            return bqm.energies((states, model.labels)).min() <= energy_threshold

        samples, runs = anneal_reads(
            lambda job, expected: self._run(job, expected, interrupt_function),
            job,
            model,
            initial,
            seed=seed,
            kind=states,
            interrupt_function=interrupt_function,
            reached=None if energy_threshold is None else reached,
            progress=progress,
        )
        info = {
            "seed": seed,
            "method": method,
            "beta_schedule_type": beta_schedule_type,
            "beta_range": (float(betas[0]), float(betas[-1])),
            "num_sweeps": len(betas) * num_sweeps_per_beta,
            "scale": scale,
            "quantization_error": model.quantised.errors,
            "decided": len(model.decided),
            "interrupted": len(samples) < len(initial) or bool(model.variables and not runs),
            "refine": refine,
            "cycles": [run.cycles for run in runs],
            "device_time": sum(run.seconds for run in runs),
            "transfer_time": sum(run.transfer_seconds for run in runs),
        }
        if bqm.vartype is dimod.BINARY:
            samples = (samples + 1) // 2
        return refined_set(bqm, model.labels, samples, refine, info)

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

    def _run(
        self,
        job: AnnealJob,
        expected: Sequence[AnnealJob],
        interrupt_function: Callable[[], bool] | None,
    ) -> BoardAnnealResults:
        """Run a job on the board, which is opened anew if another thread has closed it."""
        while True:
            board = self.board
            with board.exclusive():
                if board is self._board:
                    return board.anneal_job(
                        job, expected=expected, interrupt_function=interrupt_function
                    )


def _annealer_of(board: Board) -> AnnealerSize:
    """Return the size of a board's annealer, or raise an error if the board has none."""
    size = board.info.annealer
    if size is None:
        raise TensorspinError(f"the board {board.info.board} has no annealer in its bitstream")
    return size
