"""Rounding of trained tensors to the engine's number formats."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from ..contract.contractor.program import WEIGHT_SUM_LIMIT
from ..contract.fixed import MANTISSA, NARROW_STEP, NARROW_WEIGHT, WEIGHT

UNITS = {NARROW_WEIGHT.width: NARROW_STEP, WEIGHT.width: 1}
"""Bits of a node's stored weights -> what its integers are multiples of."""


def check_weight_bits(bits, name: str = "weight_bits", *others) -> None:
    """Refuse a number of bits that no node stores.

    Parameters
    ----------
    bits : object
    name : str
        Of the parameter, for the message.
    *others : object
        Values allowed beside the numbers of bits.

    Raises
    ------
    ValueError
    """
    # NumPy's integers are welcome; 8.0 and what has no hash are not.
    if isinstance(bits, (Integral, str, type(None))) and bits in (*UNITS, *others):
        return
    choices = ", ".join(repr(choice) for choice in (*sorted(UNITS), *others))
    raise ValueError(f"{name} must be one of {choices}, got {bits!r}")


def weight_steps(tensors: np.ndarray, bits: int = WEIGHT.width) -> np.ndarray:
    """Step sizes with which nodes are rounded: the largest entry becomes the largest integer.

    Symmetrical: the least integer of the format is not used.

    Parameters
    ----------
    tensors : ndarray of float, shape (nodes, outputs, elements)
        Entries that are zero, such as padding, do not count.
    bits : int
        A key of `UNITS`.

    Returns
    -------
    ndarray, shape (nodes,), of the dtype of `tensors`
        Step between two neighbouring weights, greater than 0.
    """
    unit = UNITS[bits]
    largest_integer = WEIGHT.maximum // unit
    magnitudes = np.abs(tensors)
    steps = magnitudes.max(axis=(1, 2)) / largest_integer
    elements = tensors.shape[2]
    # Rounding can add half a step to each magnitude of the sum.
    most = WEIGHT_SUM_LIMIT // unit
    if elements * largest_integer > most:
        row_sums = magnitudes.sum(axis=2).max(axis=1)
        steps = np.maximum(steps, row_sums / (most - elements / 2))
    steps[steps == 0] = 1
    return steps


def quantise_weights(weights: np.ndarray, bits: int = WEIGHT.width) -> tuple[np.ndarray, float]:
    """Integers that are proportional to a node's weights, as nearly as so many bits allow.

    One step size for the whole node. It need not be a power of two: a constant factor of a node
    only scales the scores, which the host accounts for.

    Parameters
    ----------
    weights : ndarray of float, shape (outputs, left, right)
        Finite.
    bits : int
        8, or 4 for a narrow node.

    Returns
    -------
    integers : ndarray of int8, same shape
        Multiples of `UNITS[bits]`. No row's absolute values sum to more than `WEIGHT_SUM_LIMIT`, so
        that no input can overflow an accumulator.
    step : float
        ``integers * step`` approximates `weights`.

    Raises
    ------
    ValueError
        If a weight is NaN or infinite, or `bits` is no key of `UNITS`.
    """
    check_weight_bits(bits, "bits")
    weights = np.asarray(weights, dtype=np.float64)
    if not np.all(np.isfinite(weights)):
        raise ValueError("weights must be finite")
    (step,) = weight_steps(weights.reshape(1, len(weights), -1), bits)
    unit = UNITS[bits]
    return (np.rint(weights / step) * unit).astype(np.int8), float(step / unit)


def quantise_table(table: np.ndarray) -> np.ndarray:
    """Feature table in mantissas.

    Parameters
    ----------
    table : ndarray of float, shape (256, components)
        Within -1..1.

    Returns
    -------
    ndarray of int16, shape (components, 256)
    """
    return MANTISSA.from_float(table).astype(np.int16).T.copy()
