"""Choose the nodes whose weights are stored in 4 bits, so that a network fits a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..contract.contractor.size import ContractorSize
from ..contract.fixed import NARROW_WEIGHT, WEIGHT
from ..errors import CapacityError
from .capacity import program_words
from .nodes import FloatNode
from .quantise import quantise_weights


def mixed_bits(
    nodes: Sequence[FloatNode], size: ContractorSize, may_be_narrow: Sequence[bool] | None = None
) -> list[int]:
    """Choose the bits of each node's weights: 8 where the device has room for them, else 4.

    Nodes become narrow one after the other until the program fits. The first are those whose
    rounding to 4 bits costs least for each word of memory saved; the cost is the squared error
    relative to the node's squared weights. If the device holds the program in 8 bits, no node
    becomes narrow.

    Parameters
    ----------
    nodes : sequence of FloatNode
        The network.
    size : ContractorSize
        Size of the device's contractor.
    may_be_narrow : None or sequence of bool
        Whether each node may have 4 bits; None: all may.

    Returns
    -------
    list of int
        4 or 8 for each node.

    Raises
    ------
    CapacityError
        If the program does not fit even with 4 bits for all nodes that may have them.
    """
    bits = [WEIGHT.width] * len(nodes)
    excess = program_words([item.node for item in nodes], size.lanes) - size.model_words
    saved = [
        item.node.words(size.lanes) - replace(item.node, narrow=True).words(size.lanes)
        for item in nodes
    ]
    costs = [narrowing_error(item.weights) / max(words, 1) for item, words in zip(nodes, saved)]
    for index in np.argsort(costs, kind="stable"):
        if excess <= 0:
            return bits
        if saved[index] and (may_be_narrow is None or may_be_narrow[index]):
            bits[index] = NARROW_WEIGHT.width
            excess -= saved[index]
    if excess > 0:
        raise CapacityError(
            f"words of program memory ({size.lanes} bytes each) with weights of "
            f"{NARROW_WEIGHT.width} bits",
            size.model_words + excess,
            size.model_words,
            "train with a smaller bond_dim or n_repeats, or fewer features",
        )
    return bits


def narrowing_error(weights: np.ndarray) -> float:
    """Return the squared error of rounding a node to 4 bits, relative to its squared weights."""
    integers, step = quantise_weights(weights, NARROW_WEIGHT.width)
    squares = float(np.sum(weights**2))
    return float(np.sum((integers * step - weights) ** 2)) / squares if squares > 0 else 0.0
