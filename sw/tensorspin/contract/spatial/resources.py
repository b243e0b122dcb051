"""Multipliers that a shape needs, and those that a device has."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import CapacityError
from .arithmetic import has_weights, n_terms
from .size import SpatialSize, TreeNode


def data_products(size: SpatialSize) -> int:
    """Count the products of two numbers that change with each sample.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    int
        Products, which take hardware multipliers first.

    Examples
    --------
    >>> size = SpatialSize.of_tree(4, [(0, 1, 4), (2, 3, 4), (4, 5, 3)], components=2)
    >>> data_products(size), weight_products(size)
    (32, 48)
    """
    return sum(node_data_products(size, node) for node in size.tree)


def node_data_products(size: SpatialSize, node: TreeNode) -> int:
    """Count the products of data in one node."""
    return n_terms(size, node) * (1 if has_weights(size, node) else node.outputs)


def weight_products(size: SpatialSize) -> int:
    """Count the products with a weight that stays while a network is loaded.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    int
        Products, each of which takes a hardware multiplier or look-up tables.
    """
    return sum(node.outputs * n_terms(size, node) for node in size.tree if has_weights(size, node))


@dataclass(frozen=True)
class Part:
    """What an FPGA has.

    Parameters
    ----------
    multipliers : int
        Hardware multipliers of 18 x 18 bits.
    luts : int
        Look-up tables of four inputs.
    """

    multipliers: int
    luts: int


LUTS_A_PRODUCT = 21
"""Look-up tables of a product with a weight, for each bit of the weight and each twelve bits of the
value, as Yosys counts them; the adders that join products are included."""

OTHER_LUTS = 5000
"""Look-up tables of all the rest, about: link, router, narrowing, loading."""

FILLED = 0.8
"""Share of the look-up tables that can be used before no placement is found in a sensible time."""


def _luts(size: SpatialSize, bits: int) -> float:
    """Estimate the look-up tables of a product of a value with another factor of some bits."""
    return LUTS_A_PRODUCT * bits * size.value_bits / 12


def check_fits(size: SpatialSize, part: Part) -> None:
    """Refuse a shape that is too large for a part.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    part : Part
        The FPGA.

    Raises
    ------
    CapacityError
        With the number of multipliers that are needed, and of those that there are.
    """
    data, weights = data_products(size), weight_products(size)
    in_luts = max(0, data - part.multipliers)
    weights_in_luts = max(0, weights - max(0, part.multipliers - data))
    needed = in_luts * _luts(size, size.value_bits) + weights_in_luts * _luts(
        size, size.weight_bits
    )
    free = FILLED * part.luts - OTHER_LUTS
    if needed > free:
        each = needed / (in_luts + weights_in_luts)
        raise CapacityError(
            f"multipliers, {part.multipliers} of them hardware, with values of {size.value_bits} "
            f"and weights of {size.weight_bits} bits",
            data + weights,
            part.multipliers + int(free / each),
            "take a lower bond dimension, fewer features, components or repeats of features "
            "(--n-repeats), narrower numbers, or a larger FPGA",
        )
