"""Round trained tensors to the engine's number formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, cast

import numpy as np

from ..contract.contractor.program import WEIGHT_SUM_LIMIT, Node, OperandKind
from ..contract.fixed import MANTISSA, NARROW_STEP, NARROW_WEIGHT, WEIGHT
from .nodes import FloatNode

UNITS = {NARROW_WEIGHT.width: NARROW_STEP, WEIGHT.width: 1}
"""Bits of a stored weight, and the number of which the 8-bit integers that such weights stand for
are multiples: 16 for weights of 4 bits, as these are the upper halves of 8-bit weights."""


NARROW_UNIT = UNITS[NARROW_WEIGHT.width]
"""The unit of weights of 4 bits."""

NARROW_INTEGER = WEIGHT.maximum // NARROW_UNIT
"""The largest integer of a weight of 4 bits, in that unit: 7."""


def check_weight_bits(bits, name: str = "weight_bits", *others) -> None:
    """Refuse a number of bits that no node stores.

    Parameters
    ----------
    bits : object
        The value to check.
    name : str
        Name of the parameter, for the message.
    *others : object
        Values allowed beside the numbers of bits.

    Raises
    ------
    ValueError
        If the value is none of those.
    """
    # NumPy's integers are welcome; 8.0 and what has no hash are not.
    if isinstance(bits, (Integral, str, type(None))) and bits in (*UNITS, *others):
        return
    choices = ", ".join(repr(choice) for choice in (*sorted(UNITS), *others))
    raise ValueError(f"{name} must be one of {choices}, not {bits!r}")


def weight_steps(tensors: np.ndarray, bits: int = WEIGHT.width) -> np.ndarray:
    """Choose the step sizes with which nodes are rounded.

    A node's largest entry becomes the largest integer. The integers are symmetrical about zero: the
    least one of the format is not used.

    Parameters
    ----------
    tensors : ndarray of float of shape (nodes, outputs, elements)
        Weights of each node. Entries that are zero, such as padding, do not count.
    bits : int
        Bits of the stored weights, a key of `UNITS`.

    Returns
    -------
    ndarray of shape (nodes,)
        Step between two neighbouring weights, greater than 0, in the dtype of `tensors`.
    """
    unit = UNITS[bits]
    largest_integer = WEIGHT.maximum // unit
    magnitudes = np.abs(tensors)
    steps = magnitudes.max(axis=(1, 2)) / largest_integer
    elements = tensors.shape[2]
    # A node with many large entries gets a larger step, so that no sum of an output's magnitudes
    # exceeds the limit. Rounding can add half a step to each of them.
    most = WEIGHT_SUM_LIMIT // unit
    if elements * largest_integer > most:
        row_sums = magnitudes.sum(axis=2).max(axis=1)
        steps = np.maximum(steps, row_sums / (most - elements / 2))
    steps[steps == 0] = 1
    return steps


def quantise_weights(weights: np.ndarray, bits: int = WEIGHT.width) -> tuple[np.ndarray, float]:
    """Round a node's weights to integers that are proportional to them.

    The whole node has one step size. It need not be a power of two: a constant factor of a node
    only scales the scores, and the host accounts for that.

    Parameters
    ----------
    weights : ndarray of float of shape (outputs, left, right)
        The weights, all finite.
    bits : int
        Bits of the stored weights: 8, or 4 for a narrow node.

    Returns
    -------
    integers : ndarray of int8 of shape (outputs, left, right)
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
    """Round a feature table to mantissas.

    Parameters
    ----------
    table : ndarray of float of shape (256, components)
        The vector for each level, its entries within -1..1.

    Returns
    -------
    ndarray of int16 of shape (components, 256)
        The mantissas, one component after the other as in the device's memory.
    """
    return MANTISSA.from_float(table).astype(np.int16).T.copy()


def quantise_network(
    nodes: Sequence[FloatNode], table: np.ndarray, weight_bits: int | Sequence[int]
) -> dict[str, Any]:
    """Round a whole network.

    Parameters
    ----------
    nodes : sequence of FloatNode
        The operations with their weights as floats, in the order of their execution.
    table : array-like of float of shape (256, components)
        Feature table: the vector that the network reads for each level, its entries within -1..1.
    weight_bits : int or sequence of int
        Bits of the stored weights, 8 or 4: of all nodes, or of each.

    Returns
    -------
    dict of str to object
        The attributes of a `tensorspin.compiler.NetworkProgram` that hold the network: ``nodes``,
        ``weights``, ``names``, ``table`` and ``log2_scale``.
    """
    each = weight_bits if np.ndim(weight_bits) else [weight_bits] * len(nodes)
    bits = cast("Sequence[int]", each)
    quantised = [quantise_weights(item.weights, b) for item, b in zip(nodes, bits, strict=True)]
    stored = tuple(
        replace(item.node, narrow=b == NARROW_WEIGHT.width) for item, b in zip(nodes, bits)
    )
    table = np.asarray(table, dtype=np.float64)
    # The largest mantissa stands for a little less than 1. If entries of 1 were saturated, each of
    # hundreds of sites would shrink the scores, by percents in all. So the whole table is scaled
    # instead, and the scale is accounted for in log2_scale.
    table_scale = min(1.0, MANTISSA.maximum / 2**MANTISSA.f_bits / max(table.max(), 1e-300))
    return {
        "nodes": stored,
        "weights": tuple(integers for integers, _ in quantised),
        "names": tuple(item.name for item in nodes),
        "table": quantise_table(table * table_scale),
        "log2_scale": _log2_scale(stored, [step for _, step in quantised], table_scale),
    }


def _log2_scale(nodes: Sequence[Node], steps: Sequence[float], table_scale: float) -> float:
    """Find the constant factor between the scores' mantissas and the network's own scores.

    A mantissa m of a feature stands for ``m * 2**-15 / table_scale``. A node divides its products
    by 2**15, and its accumulators by 2**16 less the shift that the exponent counts.

    Returns
    -------
    float
        Base-2 logarithm of the factor.
    """
    feature = -float(MANTISSA.f_bits) - float(np.log2(table_scale))
    per_node = MANTISSA.f_bits + 16
    slots: dict[int, float] = {}
    scale = 0.0
    for node, step in zip(nodes, steps):
        left, right = (
            feature if operand.kind is OperandKind.FEATURE else slots[operand.index]
            for operand in (node.left, node.right)
        )
        scale = left + right + per_node + float(np.log2(step))
        slots[node.destination] = scale
    return scale
