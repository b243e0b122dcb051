"""What a quantum processor's counts say of P0."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np


def share_of_zeros(counts: Any, n_bits: int) -> float | np.ndarray:
    """Compute the share of shots whose results are all 0.

    Parameters
    ----------
    counts : mapping, or BitArray
        How often each result came, as `BornCircuit.probability` takes it.
    n_bits : int
        Number of bits of a result.

    Returns
    -------
    float or ndarray of float64
        From 0 to 1.

    Raises
    ------
    ValueError
        If there are no shots, a count is negative or not finite, or a result has another number of
        bits.
    """
    counts = getattr(getattr(counts, "data", None), "outcome", counts)  # a sampler's whole answer
    if hasattr(counts, "num_bits") and hasattr(counts, "array"):
        return _share_of_array(counts, n_bits)
    if not isinstance(counts, Mapping):
        raise ValueError(
            f"counts must be a mapping from results to numbers, or a BitArray, not "
            f"{type(counts).__name__}"
        )
    total, zeros = 0.0, 0.0
    for result, count in counts.items():
        if not isinstance(count, Real) or not 0 <= float(count) < np.inf:
            raise ValueError(f"a count must be a number of at least 0, not {count!r} ({result!r})")
        total += float(count)
        zeros += float(count) * _is_zero(result, n_bits)
    if not total:
        raise ValueError("counts must have at least one shot, not none")
    return zeros / total


def _is_zero(result: Any, n_bits: int) -> bool:
    if isinstance(result, str) and result.startswith("0x"):
        try:
            result = int(result, 16)
        except ValueError:
            raise ValueError(f"a result must be a number, not {result!r}") from None
    if isinstance(result, Integral) and not isinstance(result, bool):
        if not 0 <= int(result) < 1 << n_bits:
            raise ValueError(f"a result must have {n_bits} bits, not be {result}")
        return result == 0
    bits = str(result).replace(" ", "")
    if len(bits) != n_bits or set(bits) - set("01"):
        raise ValueError(f"a result must be {n_bits} zeros and ones, not {result!r}")
    return "1" not in bits


def _share_of_array(counts: Any, n_bits: int) -> float | np.ndarray:
    if counts.num_bits != n_bits:
        raise ValueError(f"results must have {n_bits} bits, not {counts.num_bits}")
    if not counts.num_shots:
        raise ValueError("counts must have at least one shot, not none")
    zeros = ~np.asarray(counts.array).any(axis=-1)
    share = zeros.mean(axis=-1)
    return float(share) if share.ndim == 0 else share
