"""Ising problems as the annealer takes them: in integers that fit a device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .segments import most_offset_rows, variable_spins
from .size import AnnealerSize


@dataclass(frozen=True, eq=False)
class IsingProblem:
    """Integer couplings and linear terms that fit an annealer.

    Parameters
    ----------
    size : AnnealerSize
        Size of the device that the problem fits.
    couplings : ndarray of int64 of shape (n, n)
        Couplings J_ij: symmetric, zero on the diagonal.
    linear : ndarray of int64 of shape (n,)
        Linear terms h_i.

    Raises
    ------
    ValueError
        If a shape, a coupling, or a local field that may arise does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.annealer import AnnealerSize
    >>> size = AnnealerSize(spins=24, coupling_bits=4, field_bits=9, replicas=10,
    ...                     strides=(1,) * 6, offset_rows=16, steps=8)
    >>> problem = IsingProblem(size, np.array([[0, 2], [2, 0]]), np.array([1, -3]))
    >>> problem.energy([[1, 1], [1, -1]]).tolist()
    [0, 2]
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
        # A field is greatest in magnitude where all of its terms have the same sign.
        bound = np.abs(linear) + np.abs(couplings).sum(axis=1)
        if (greatest := int(bound.max())) > size.field.maximum:
            raise ValueError(
                f"a local field may reach {greatest}, more than {size.field.maximum}, the limit "
                f"of {size.field_bits} bits"
            )
        if self.offset_rows > (most := most_offset_rows(size, self.variables)):
            raise ValueError(
                f"the fields' start needs {self.offset_rows} offset rows, the device has {most} "
                f"beside {self.variables} variables"
            )

    @property
    def variables(self) -> int:
        """Number of variables, n."""
        return len(self.linear)

    @cached_property
    def spins(self) -> np.ndarray:
        """Spin of each variable, ascending: the last spins of each of the device's segments."""
        return variable_spins(self.size, self.variables)

    @property
    def first(self) -> int:
        """Spin that is variable 0."""
        return int(self.spins[0])

    @property
    def start_fields(self) -> np.ndarray:
        """Local fields of the state with all spins +1: ndarray of int64 of shape (n,)."""
        return self.linear + self.couplings.sum(axis=1)

    def energy(self, states: np.ndarray) -> np.ndarray:
        """Compute the energies of states.

        Parameters
        ----------
        states : array-like of int of shape (..., n)
            States of +1 and -1.

        Returns
        -------
        ndarray of int64 of shape (...)
            Energies in units of the couplings.
        """
        states = np.asarray(states, dtype=np.int64)
        return states @ self.linear + ((states @ self.couplings) * states).sum(axis=-1) // 2

    @property
    def offset_rows(self) -> int:
        """Number of offset rows, which make up the fields of the state with all spins +1."""
        return len(self.offsets)

    @cached_property
    def offsets(self) -> np.ndarray:
        """Entries of the offset rows: ndarray of int64 of shape (offset_rows, n)."""
        return split_fields(self.start_fields, self.size)


def split_fields(fields: np.ndarray, size: AnnealerSize) -> np.ndarray:
    """Split local fields into the offset rows that make them up.

    Every flip changes a field by an even number, so a device keeps the lowest bit of each field
    apart. The rest is halved and split into rows whose entries are as wide as a coupling.

    Parameters
    ----------
    fields : ndarray of int64 of shape (n,)
        Local fields.
    size : AnnealerSize
        Size of the device, which has the width of a coupling.

    Returns
    -------
    ndarray of int64 of shape (rows, n)
        One row with the lowest bits of the fields, then rows whose sum is the rest.
    """
    limit = size.coupling.maximum
    rest = fields >> 1
    rows = [fields & 1]
    while np.any(rest):
        rows.append(np.clip(rest, -limit, limit))
        rest = rest - rows[-1]
    return np.array(rows)


def _integers(values, what: str) -> np.ndarray:
    values = np.asarray(values)
    whole = values.dtype.kind in "iub" or (
        values.dtype.kind == "f" and np.all(np.isfinite(values)) and np.all(values % 1 == 0)
    )
    if not whole:
        raise ValueError(f"{what} must be integers")
    return values.astype(np.int64)
