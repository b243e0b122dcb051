"""Solves instances on golden models of annealers: states and cycles are the gateware's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from ...contract.annealer.size import AnnealerSize
from ...contract.annealer.thresholds import MAX_SAMPLES
from ...contract.device.boards import BOARDS, BoardSpec
from ...driver.board import Board
from ...driver.transports.golden import GoldenTransport
from ...errors import CapacityError
from ...sampling import BoardSampler
from ...sampling.binary_model import quantise_model
from ...sampling.quantise import TOLERANCE, Quantised
from ...sampling.schedules import default_beta_range
from .instances import Instance


@dataclass(frozen=True)
class Solved:
    """Reads of one schedule.

    Attributes
    ----------
    values : ndarray of float, shape (reads,)
        Objective of each read's best state.
    read_seconds : float
        Time of the device for a read, all replicas busy.
    transfer_seconds : float
        All else that a read takes, the problem already on the device; modelled: the rate of the
        line, frames back to back.
    upload_seconds : float
        What the first run takes more, to upload the problem and the schedule; modelled.
    """

    values: np.ndarray
    read_seconds: float
    transfer_seconds: float
    upload_seconds: float


def annealer_rows() -> list[BoardSpec]:
    """Rows of the board table that have an annealer."""
    return [row for row in BOARDS.values() if row.annealer is not None]


def fitted(instance: Instance, size: AnnealerSize) -> Quantised:
    """The instance on an annealer's scale.

    Raises
    ------
    CapacityError
        If it does not fit.
    """
    return quantise_model(instance.model.bqm, list(instance.model.bqm.variables), size)


def obstacle(instance: Instance, size: AnnealerSize) -> str | None:
    """Why an instance does not fit exactly; None if it does."""
    if instance.variables > size.spins:
        return f"{instance.variables} variables"
    try:
        error = fitted(instance, size).relative_error
    except CapacityError as refused:
        return refused.what
    return f"quantisation error {error:.1%}" if error > TOLERANCE else None


def beta_range(instance: Instance, size: AnnealerSize) -> tuple[float, float]:
    """The inverse temperatures, in units of the model."""
    if instance.betas is not None:
        return instance.betas
    quantised = fitted(instance, size)
    first, last = default_beta_range(quantised.problem)
    return first * quantised.scale, last * quantised.scale


def exact_row(row: BoardSpec, instance: Instance) -> tuple[BoardSpec, float]:
    """A row rebuilt for an instance: with as many spins, and bits for its weights, up to 8.

    No such bitstream need exist; its clock is the row's.

    Parameters
    ----------
    row : BoardSpec
    instance : Instance

    Returns
    -------
    (BoardSpec, float)
        The row, and the relative quantisation error that is left.
    """
    found = None
    for bits in row.annealer.coupling_widths:
        size = replace(
            row.annealer,
            spins=row.annealer.spins_for(instance.variables),
            coupling_bits=bits,
            field_bits=bits + 8,
            strides=row.annealer.strides[:1] * (bits + 6),
            offset_rows=4 * instance.variables,
        )
        try:
            found = size, fitted(instance, size).relative_error
        except CapacityError as error:
            refused = error
            continue
        if found[1] <= TOLERANCE:
            break
    if found is None:
        raise refused
    return replace(row, annealer=found[0]), found[1]


def method_row(row: BoardSpec, method: str) -> BoardSpec:
    """A row with what a method needs, if its kind of annealer can be built so.

    Only parallel tempering is added, with the longest strides that the generators allow. No such
    bitstream need exist; its clock is the row's.

    Parameters
    ----------
    row : BoardSpec
    method : str
        One of `tensorspin.sampling.methods.METHODS`.
    """
    size = row.annealer
    if method != "tempering" or size.tempering or size.window:
        return row
    stride = (MAX_SAMPLES - 1) // (size.threshold_bits + size.ring)
    strides = (min(stride, size.spins),) * size.threshold_bits
    return replace(row, annealer=replace(size, strides=strides, tempering=1))


@contextmanager
def opened(row: BoardSpec) -> Iterator[BoardSampler]:
    """A sampler on the golden model of a row, which need not be in the table."""
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
    """Anneal an instance `reads` times.

    Parameters
    ----------
    sampler : BoardSampler
    instance : Instance
    betas : (float, float)
        First and last inverse temperature.
    sweeps, reads : int
    schedule, method : str
        As for `BoardSampler.sample`.
    seed : int
    """
    replicas = sampler.properties["annealer"]["replicas"]
    runs = max(2, -(-reads // replicas))
    options = {
        "num_sweeps": sweeps,
        "beta_range": betas,
        "beta_schedule_type": schedule,
        "method": method,
        "states": "best",
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
