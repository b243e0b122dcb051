"""The annealer as a dimod sampler."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import dimod
import numpy as np
from dimod.core.initialized import Initialized
from dimod.core.scoped import Scoped

from ..driver.board import Board
from ..errors import TensorspinError
from ..progress import Progress
from .binary_model import check_model, quantise_model, small_integers
from .methods import METHODS, plan
from .quantise import Quantised
from .schedules import ROUNDING, TYPES, betas_of, default_beta_range, least_beta
from .seeds import checked_seed, run_seeds

if TYPE_CHECKING:
    from ..driver.annealer import BoardAnneal

STATES = ("final", "best")

ORDER = 0
"""Seed of the order in which a sweep visits the variables: always the same, so that a model need
not be uploaded again. Neighbours that are visited one after the other, as those on a grid or a
chain would be, relax slowly: what moves, moves along with the visits."""


class BoardSampler(dimod.Sampler, Initialized, Scoped):
    """Samples binary quadratic models on a board's annealer.

    Parameters and results are those of dwave-samplers' ``SimulatedAnnealingSampler``, so that one
    can stand for the other; but the order of visits and the rule of acceptance (Metropolis) are the
    device's, and ``randomize_order`` and ``proposal_acceptance_criteria`` are ignored with a
    warning. A read is a replica's; a run on the board gives as many reads as the
    device has replicas, at the price of one.

    Parameters
    ----------
    board : Board or str
        An open board, which stays the caller's; or a URL as `Board.open` takes it. With a URL the
        board is opened when it is first needed, and closed by `close` or at the end of a ``with``
        block; such a sampler can be copied and pickled.

    Examples
    --------
    >>> import dimod
    >>> from tensorspin import BoardSampler
    >>> with BoardSampler("golden://ulx3s_25f_annealer") as sampler:
    ...     samples = sampler.sample_ising({"a": 0.5}, {("a", "b"): -1.0}, num_sweeps=50, seed=1)
    >>> samples.first.energy
    -1.5
    """

    def __init__(self, board: Board | str) -> None:
        if not isinstance(board, (Board, str)):
            raise TypeError(f"board must be a Board or a URL, not {board!r}")
        self._url = board if isinstance(board, str) else None
        self._board = None if isinstance(board, str) else board

    def __getstate__(self) -> dict:
        state = self.__dict__.copy()
        if self._url is not None:
            state["_board"] = None
        return state

    @property
    def board(self) -> Board:
        """The board; opened if it is not yet.

        Raises
        ------
        TensorspinError
            If it can't be opened, or has no annealer.
        """
        if self._board is None:
            self._board = Board.open(self._url)
        if self._board.info.annealer is None:
            raise TensorspinError(
                f"the board {self._board.info.board} has no annealer in its bitstream"
            )
        return self._board

    @property
    def parameters(self) -> Mapping:
        """Keyword arguments of `sample`, and which properties tell about them."""
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
            "seed": [],
            "method": ["method_options"],
            "states": ["states_options"],
            "exact": [],
            "progress": [],
        }

    @property
    def properties(self) -> Mapping:
        """The annealer's size and clock, and what `sample` takes."""
        info = self.board.info
        return {
            "board": info.board,
            "annealer": asdict(info.annealer),
            "clock_hz": info.clock_hz,
            "beta_schedule_options": TYPES,
            "method_options": METHODS,
            "states_options": STATES,
        }

    def close(self) -> None:
        """Close the board if this sampler has opened it; it is opened again when needed."""
        if self._url is not None and self._board is not None:
            self._board.close()
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
        beta_schedule: Sequence[float] | None = None,
        initial_states=None,
        initial_states_generator: str = "random",
        interrupt_function: Callable[[], bool] | None = None,
        seed: int | None = None,
        method: str = "annealing",
        states: str = "final",
        exact: bool = False,
        progress: Progress | None = None,
        **kwargs,
    ) -> dimod.SampleSet:
        """Sample from a binary quadratic model.

        The model's coefficients are scaled and rounded to what the device holds
        (`tensorspin.sampling.quantise`); the energies returned are those of the model itself.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            Of any vartype, with any labels.
        num_reads : int, optional
            By default as many as there are initial states, or as the device has replicas. More
            than that take several runs.
        num_sweeps : int, default=1000
            Visits of each spin in a read.
        num_sweeps_per_beta : int, default=1
        beta_range : (float, float), optional
            First and last inverse temperature, in units of the model. By default from the
            quantised problem (`tensorspin.sampling.schedules.default_beta_range`).
        beta_schedule_type : {"linear", "geometric", "custom"}, default="geometric"
        beta_schedule : sequence of float, optional
            For the type "custom": all inverse temperatures. Where these, or `num_sweeps`, are more
            than the device's steps, neighbours are replaced with their mean.
        initial_states : samples-like, optional
        initial_states_generator : {"random", "tile", "none"}, default="random"
            Where the other initial states come from: `dimod.Initialized.parse_initial_states`.
        interrupt_function : callable, optional
            Called between runs; if it returns True, the reads so far are returned.
        seed : int, 0 to 2**32 - 1, optional
            The same seed gives the same samples, on every kind of board of the same size.
        method : {"annealing", "quantum", "tempering"}, default="annealing"
            "quantum": simulated quantum annealing, the replicas as slices of a model whose
            transverse field falls. "tempering": replicas at different temperatures of the range
            exchange them. On devices that can; `tensorspin.sampling.methods.plan` says what they
            make of the schedule.
        states : {"final", "best"}, default="final"
            What a read returns: its last state, or the one of lowest energy that it has met.
        exact : bool, default=False
            Never use a random number twice in a read, which takes some more cycles: for samples
            at a fixed temperature.
        progress : callable, optional
            Called with the reads done and to do.

        Returns
        -------
        dimod.SampleSet
            Its ``info`` holds ``seed``, ``scale`` (units of the device in one of the model),
            ``quantization_error`` (as attributes of `tensorspin.sampling.quantise.Quantised`),
            ``method``, ``beta_range`` (of the inverse temperatures in use),
            ``beta_schedule_type``, ``num_sweeps``, ``cycles`` (of each run), ``device_time`` and
            ``transfer_time`` (seconds: cycles over the clock, and all the rest on the board's
            clock).

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
        check_model(bqm)
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
        if states not in STATES:
            raise ValueError(f'states must be "final" or "best", not {states!r}')
        if interrupt_function is not None and not callable(interrupt_function):
            raise TypeError(f"interrupt_function must be callable, not {interrupt_function!r}")
        seed = checked_seed(seed)
        size = self.board.info.annealer
        if num_reads is None and initial_states is None:
            num_reads = size.replicas
        given = bqm
        bqm = bqm.change_vartype(dimod.SPIN, inplace=False)
        parsed = self.parse_initial_states(
            bqm,
            initial_states=small_integers(initial_states),
            initial_states_generator=initial_states_generator,
            num_reads=num_reads,
            seed=seed,
            copy_always=True,
        )
        order = np.random.default_rng(ORDER).permutation(len(bqm.variables))
        variables = [parsed.initial_states.variables[place] for place in order]
        initial = parsed.initial_states.record.sample[:, order]
        quantised = quantise_model(bqm, variables, size)
        betas = betas_of(
            beta_schedule_type,
            beta_range,
            beta_schedule,
            num_sweeps,
            num_sweeps_per_beta,
            tuple(quantised.scale * beta for beta in default_beta_range(quantised.problem)),
        )
        betas = _possible(betas, quantised.scale * least_beta(size))
        info = {
            "seed": seed,
            "method": method,
            "beta_schedule_type": beta_schedule_type,
            "beta_range": (float(betas[0]), float(betas[-1])),
            "num_sweeps": len(betas) * num_sweeps_per_beta,
        }
        steps, ladder = plan(method, betas / quantised.scale, num_sweeps_per_beta, size)
        if not variables:
            info.update(_run_info(quantised, []))
            return dimod.SampleSet.from_samples_bqm((initial, variables), given, info=info)
        refresh = size.exact_refresh(len(variables)) if exact else 0
        samples = np.empty(initial.shape, np.int8)
        done, runs = 0, []
        for run_seed in run_seeds(seed, -(-len(initial) // size.replicas)):
            if runs and interrupt_function is not None and interrupt_function():
                break
            run = self.board.anneal(
                quantised.problem,
                steps,
                run_seed,
                refresh=refresh,
                ladder=ladder,
                # Replicas without a read of their own begin like the others.
                initial_states=np.resize(
                    initial[done : done + size.replicas] * quantised.start,
                    (size.replicas, len(variables)),
                ),
            )
            found = quantised.start * (run.best_states if states == "best" else run.states)
            reads = min(size.replicas, len(initial) - done)
            samples[done : done + reads] = found[:reads]
            done += reads
            runs.append(run)
            if progress is not None:
                progress(done, len(initial))
        info.update(_run_info(quantised, runs))
        return _sample_set(samples[:done], variables, given, info)


def _possible(betas: np.ndarray, least: float) -> np.ndarray:
    """Inverse temperatures that the device has; its least is in units of the model."""
    below = betas < least * (1 - ROUNDING)
    if np.any(below):
        warnings.warn(
            f"{below.mean():.0%} of the schedule's inverse temperatures are raised to {least:g}, "
            f"the device's least for this model",
            stacklevel=3,
        )
    return np.maximum(betas, least)


def _run_info(quantised: Quantised, runs: list[BoardAnneal]) -> dict:
    return {
        "scale": quantised.scale,
        "quantization_error": {
            name: getattr(quantised, name)
            for name in ("coupling_error", "linear_error", "energy_error", "relative_error")
        },
        "cycles": [run.cycles for run in runs],
        "device_time": sum(run.seconds for run in runs),
        "transfer_time": sum(run.transfer_seconds for run in runs),
    }


def _sample_set(samples, variables, bqm: dimod.BinaryQuadraticModel, info: dict):
    """Energies are those of the user's model."""
    if bqm.vartype is dimod.BINARY:
        samples = (samples + 1) // 2
    return dimod.SampleSet.from_samples_bqm((samples, variables), bqm, info=info)
