"""Ising problems and schedules as the annealer takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .size import SWEEPS, AnnealerSize, Exchange, Moving
from .thresholds import digit_probabilities


@dataclass(frozen=True, eq=False)
class IsingProblem:
    """Integer couplings and linear terms that fit an annealer.

    Attributes
    ----------
    size : AnnealerSize
    couplings : ndarray of int64, shape (n, n)
        Symmetric, zero on the diagonal.
    linear : ndarray of int64, shape (n,)

    Raises
    ------
    ValueError
        If a shape, a coupling, or a field that may arise does not fit.
    """

    size: AnnealerSize
    couplings: np.ndarray
    linear: np.ndarray

    def __post_init__(self) -> None:
        couplings = _integers(self.couplings, "couplings")
        linear = _integers(self.linear, "linear terms")
        object.__setattr__(self, "couplings", couplings)
        object.__setattr__(self, "linear", linear)
        size = self.size
        if linear.ndim != 1 or couplings.shape != (len(linear), len(linear)):
            raise ValueError(
                f"{linear.shape} linear terms do not belong to {couplings.shape} couplings"
            )
        if not 1 <= len(linear) <= size.spins:
            raise ValueError(f"a problem must have 1 to {size.spins} variables, not {len(linear)}")
        if np.any(couplings != couplings.T) or np.any(np.diag(couplings)):
            raise ValueError("couplings must be symmetric, with zeros on the diagonal")
        if (greatest := int(np.abs(couplings).max())) > size.coupling.maximum:
            raise ValueError(
                f"a coupling of {greatest} is greater than {size.coupling.maximum}, the limit "
                f"of {size.coupling_bits} bits"
            )
        bound = np.abs(linear) + np.abs(couplings).sum(axis=1)
        if (greatest := int(bound.max())) > size.field.maximum:
            raise ValueError(
                f"a local field may reach {greatest}, more than {size.field.maximum}, the limit "
                f"of {size.field_bits} bits"
            )
        if self.offset_rows > (most := size.offset_rows + self.first):
            raise ValueError(
                f"the fields' start needs {self.offset_rows} offset rows, the device has {most} "
                f"beside {self.variables} variables"
            )

    @property
    def variables(self) -> int:
        """n."""
        return len(self.linear)

    @property
    def first(self) -> int:
        """Spin of variable 0: the variables are the last spins."""
        return self.size.spins - self.variables

    @property
    def turn(self) -> int:
        """Cycles of a turn."""
        return self.size.turn(self.first)

    @property
    def start_fields(self) -> np.ndarray:
        """Local fields of the start, at which all spins are +1; int64, shape (n,)."""
        return self.linear + self.couplings.sum(axis=1)

    def energy(self, states: np.ndarray) -> np.ndarray:
        """Energies of states, int64.

        Parameters
        ----------
        states : array_like of int, shape (..., n)
            +1 and -1.
        """
        states = np.asarray(states, dtype=np.int64)
        return states @ self.linear + ((states @ self.couplings) * states).sum(axis=-1) // 2

    def initial_states(self, states: np.ndarray | None = None) -> np.ndarray:
        """States with which the replicas begin, checked; int8, shape (replicas, n).

        Parameters
        ----------
        states : array_like of int, shape (replicas, n), optional
            +1 and -1. Without them all spins are +1.

        Raises
        ------
        ValueError
            If the shape or a value does not fit.
        """
        shape = (self.size.replicas, self.variables)
        if states is None:
            return np.ones(shape, dtype=np.int8)
        states = np.asarray(states)
        if states.shape != shape:
            raise ValueError(f"initial states must have the shape {shape}, not {states.shape}")
        if not np.all(np.isin(states, (-1, 1))):
            raise ValueError("initial states must be +1 and -1")
        return states.astype(np.int8)

    def fill_rounds(self, initial: bool = False) -> int:
        """Rounds before the first comparison, with initial states or without."""
        return self.size.fill_rounds(self.offset_rows + (self.variables if initial else 0))

    def rows(self) -> np.ndarray:
        """Content of the coupling memory, as far as it is used.

        Row i has the couplings of spin i. The offset rows (`AnnealerSize.offset_places`) give the
        fields' start: the lowest bits of the first are the fields' lowest bits, which no flip
        changes; twice the others are added.

        Returns
        -------
        ndarray of int64, shape (rows, spins)
            At least as many rows as there are spins.
        """
        size, first = self.size, self.first
        rows = np.zeros((size.rows(self.offset_rows), size.spins), dtype=np.int64)
        rows[first : size.spins, first:] = self.couplings
        rows[size.offset_places(self.offset_rows), first:] = self._offset_rows
        return rows

    @property
    def offset_rows(self) -> int:
        """Rows in use that make up the fields' start."""
        return len(self._offset_rows)

    @cached_property
    def _offset_rows(self) -> np.ndarray:
        return offset_rows(self.start_fields, self.size)


def offset_rows(fields: np.ndarray, size: AnnealerSize) -> np.ndarray:
    """Rows that make up fields: their lowest bits, and others of which twice the sum is added.

    Parameters
    ----------
    fields : ndarray of int64, shape (n,)
    size : AnnealerSize

    Returns
    -------
    ndarray of int64, shape (1 or more, n)
    """
    limit = size.coupling.maximum
    rest = fields >> 1
    rows = [fields & 1]
    while np.any(rest):
        rows.append(np.clip(rest, -limit, limit))
        rest = rest - rows[-1]
    return np.array(rows)


@dataclass(frozen=True)
class Step:
    """Sweeps at one temperature.

    Attributes
    ----------
    probabilities : tuple of int
        Of the thresholds' bits, lowest first, in the format
        `tensorspin.contract.annealer.size.PROBABILITY`.
    sweeps : int
        1 or more.
    ring : int, default=0
        Probability with which the ring holds a spin, in the format
        `tensorspin.contract.annealer.size.RING`.
    moving : Moving, default=Moving.ALL
        Replicas that do the sweeps.
    exchange : Exchange, default=Exchange.NONE
        What replicas exchange after the sweeps; if they do, they have the temperatures of their
        ranks, and `probabilities` are not used.

    Raises
    ------
    ValueError
        If there is a ring in a step in which neighbours move at the same time.
    """

    probabilities: tuple[int, ...]
    sweeps: int
    ring: int = 0
    moving: Moving = Moving.ALL
    exchange: Exchange = Exchange.NONE

    def __post_init__(self) -> None:
        if self.ring and self.moving is Moving.ALL:
            raise ValueError("on a ring, neighbouring replicas must not move in the same step")


def schedule(temperatures: Sequence[float], sweeps: int, size: AnnealerSize) -> list[Step]:
    """A step of `sweeps` sweeps at each temperature.

    Raises
    ------
    ValueError
        If there are no temperatures or too many, a temperature is not positive or too high, or the
        number of sweeps does not fit.
    """
    if not 1 <= len(temperatures) <= size.steps:
        raise ValueError(f"a schedule must have 1 to {size.steps} steps, not {len(temperatures)}")
    if not 1 <= sweeps <= SWEEPS.maximum:
        raise ValueError(f"a step must have 1 to {SWEEPS.maximum} sweeps, not {sweeps}")
    return [
        Step(tuple(int(p) for p in digit_probabilities(temperature, size)), sweeps)
        for temperature in temperatures
    ]


def _integers(values, what: str) -> np.ndarray:
    values = np.asarray(values)
    whole = values.dtype.kind in "iub" or (
        values.dtype.kind == "f" and np.all(np.isfinite(values)) and np.all(values % 1 == 0)
    )
    if not whole:
        raise ValueError(f"{what} must be integers")
    return values.astype(np.int64)
