"""Solve instances on the golden models of boards.

States and clock cycles of a golden model are exactly the gateware's, so that no board is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...contract.annealer.size import AnnealerSize
from ...contract.annealer.thresholds import MAX_SAMPLES
from ...contract.device.boards import BOARDS, BoardSpec
from ...driver.board import Board
from ...driver.transports.golden import GoldenTransport
from ...errors import CapacityError
from ...sampling import BoardSampler
from ...sampling.quantise import Quantised, percent, quantise_model
from ...sampling.schedules import default_beta_range
from .instances import Instance


@dataclass(frozen=True)
class Solved:
    """Reads (solutions) that were made with one schedule, and the time of each.

    The device anneals several replicas (copies of the problem) at the same time; each gives a read.

    Parameters
    ----------
    values : ndarray of float64 of shape (reads,)
        Objective of each read's best state.
    read_seconds : float
        Time of a run on the device divided by the number of replicas.
    transfer_seconds : float
        All other time that a read takes if the problem is already on the device. It is modelled:
        the rate of the serial line, with frames back to back.
    upload_seconds : float
        Additional time of the first run, to upload the problem and the schedule; modelled likewise.
    """

    values: np.ndarray
    read_seconds: float
    transfer_seconds: float
    upload_seconds: float


def annealer_rows() -> list[BoardSpec]:
    """List the rows of the board table that have an annealer."""
    return [row for row in BOARDS.values() if row.annealer is not None]


def fitted(instance: Instance, size: AnnealerSize) -> Quantised:
    """Scale and round an instance to the integers that an annealer holds.

    Parameters
    ----------
    instance : Instance
        The instance.
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    Quantised
        The problem in integers, its scale, and the error of the rounding.

    Raises
    ------
    CapacityError
        If the instance does not fit.
    """
    return quantise_model(instance.model.bqm, list(instance.model.bqm.variables), size)


def obstacle(instance: Instance, size: AnnealerSize) -> str | None:
    """Say why an instance does not fit an annealer exactly; None if it does."""
    if instance.variables > size.spins:
        return f"{instance.variables} variables"
    try:
        error = fitted(instance, size).relative_error
    except CapacityError as refused:
        return refused.what
    return f"quantisation error {percent(error)}" if error else None


def beta_range(instance: Instance, size: AnnealerSize) -> tuple[float, float]:
    """Return first and last inverse temperature for an instance, in units of the model."""
    if instance.betas is not None:
        return instance.betas
    # The default range follows from the quantised problem; the scale brings it back to the model.
    quantised = fitted(instance, size)
    first, last = default_beta_range(quantised.problem)
    return first * quantised.scale, last * quantised.scale


def exact_row(row: BoardSpec, instance: Instance) -> tuple[BoardSpec, float]:
    """Change the size of a board's annealer so that an instance fits as exactly as possible.

    The annealer gets as many spins as the instance has variables, and bits for its weights, up to
    8. A bitstream of that size need not exist; the clock stays the board's.

    Parameters
    ----------
    row : BoardSpec
        Row of the board table.
    instance : Instance
        The instance that is to fit.

    Returns
    -------
    row : BoardSpec
        The row with the changed size.
    error : float
        Relative quantisation error that is left.

    Raises
    ------
    CapacityError
        If the instance fits with no number of bits.
    """
    built, found = row.require_annealer(), None
    for bits in built.coupling_widths:
        size = replace(
            built,
            spins=built.spins_for(instance.variables),
            coupling_bits=bits,
            # A field is a sum of couplings, and a random threshold is compared with it, so both
            # get bits with the couplings: the threshold has one for each stride. Offset rows make
            # up the linear terms; four for each variable are plenty.
            field_bits=bits + 8,
            strides=built.strides[:1] * (bits + 6),
            offset_rows=4 * instance.variables,
        )
        try:
            found = size, fitted(instance, size).relative_error
        except CapacityError as error:
            refused = error
            continue
        if found[1] == 0:
            break
    if found is None:
        raise refused
    return replace(row, engines=row.engines.with_sizes(found[0])), found[1]


def method_row(row: BoardSpec, method: str) -> BoardSpec:
    """Add to a board's annealer what a method needs, if annealers of its kind can be built so.

    Only parallel tempering is added. Its strides (the number of spins by which random bits move on
    between two uses) are the longest that the random generators allow. A bitstream of that size
    need not exist; the clock stays the board's.

    Parameters
    ----------
    row : BoardSpec
        Row of the board table.
    method : str
        One of `tensorspin.sampling.methods.METHODS`.

    Returns
    -------
    BoardSpec
        The row with the changed size, or the row itself if nothing is added.
    """
    size = row.require_annealer()
    if method != "tempering" or size.tempering or size.window:
        return row
    stride = (MAX_SAMPLES - 1) // (size.threshold_bits + size.ring)
    strides = (min(stride, size.spins),) * size.threshold_bits
    size = replace(size, strides=strides, tempering=1)
    return replace(row, engines=row.engines.with_sizes(size))


@contextmanager
def opened(row: BoardSpec) -> Iterator[BoardSampler]:
    """Open a sampler on the golden model of a row, which need not be in the board table."""
    with Board.over(GoldenTransport(row)) as board:
        yield BoardSampler(board)


def solve(
    sampler: BoardSampler,
    instance: Instance,
    betas: tuple[float, float],
    sweeps: int,
    reads: int,
    schedule: str = "geometric",
    method: str = "annealing",
    seed: int = 0,
) -> Solved:
    """Anneal an instance at least `reads` times, without any refinement of the states.

    Parameters
    ----------
    sampler : BoardSampler
        An open sampler.
    instance : Instance
        The instance.
    betas : tuple of (float, float)
        First and last inverse temperature, in units of the model.
    sweeps : int
        Sweeps (visits of every spin) per read.
    reads : int
        Number of reads; at least as many as the device has replicas are made.
    schedule : str
        How the inverse temperature grows, as `BoardSampler.sample` takes it.
    method : str
        One of `tensorspin.sampling.methods.METHODS`.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Solved
        The reads and their times.
    """
    replicas = sampler.properties["annealer"]["replicas"]
    # The first run uploads the problem and the others do not; the difference is the upload's time.
    runs = max(2, -(-reads // replicas))
    options: dict[str, Any] = {
        "num_sweeps": sweeps,
        "beta_range": betas,
        "beta_schedule_type": schedule,
        "method": method,
        "states": "best",
        "num_restarts": 1,  # times are those of one anneal
        "refine": None,  # others' samplers return raw states, too
    }
    bqm = instance.model.bqm
    first = sampler.sample(bqm, seed=2 * seed, num_reads=replicas, **options)
    others = sampler.sample(bqm, seed=2 * seed + 1, num_reads=(runs - 1) * replicas, **options)
    energies = np.concatenate([first.record.energy, others.record.energy])
    device = first.info["device_time"] + others.info["device_time"]
    transfer = others.info["transfer_time"] / (runs - 1)
    return Solved(
        instance.model.value(energies)[: max(reads, replicas)],
        device / len(energies),
        transfer / replicas,
        first.info["transfer_time"] - transfer,
    )
