"""Check whether a program is sound, and whether a device holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..contract.contractor.memory import LEVELS
from ..contract.contractor.program import (
    MAX_FEATURES,
    MAX_OPERAND,
    MAX_OUTPUTS,
    WEIGHT_SUM_LIMIT,
    Node,
    OperandKind,
)
from ..contract.contractor.size import ContractorSize
from ..contract.fixed import NARROW_STEP
from ..errors import CapacityError


def check_table(table: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Refuse a feature table, or limits of the features, that no device could use.

    Parameters
    ----------
    table : ndarray of int16 of shape (components, 256)
        Feature table.
    low, high : ndarray of float64 of shape (n_features,)
        The values that levels 0 and 255 stand for.

    Raises
    ------
    ValueError
        If a shape or type is wrong, or the limits are not finite or not in order.
    """
    if table.ndim != 2 or table.shape[1] != LEVELS or table.dtype != np.int16:
        raise ValueError(
            f"a feature table of int16 and shape (components, {LEVELS}) is needed, not of "
            f"{table.dtype} and shape {table.shape}"
        )
    for name, limits in (("feature_minimum", low), ("feature_maximum", high)):
        # A date can be finite and in order, too, but no level follows from it.
        if limits.dtype.kind not in "iuf":
            raise ValueError(f"{name} must hold real numbers, not {limits.dtype}")
    if low.shape != high.shape or low.ndim != 1:
        raise ValueError(
            f"feature_minimum and feature_maximum have shapes {low.shape} and {high.shape}; "
            f"one number per feature is needed in both"
        )
    low, high = low.astype(np.float64), high.astype(np.float64)  # what is beyond becomes infinite
    if not np.all(np.isfinite(low) & np.isfinite(high) & (low <= high)):
        raise ValueError("feature_minimum and feature_maximum must be finite and in order")


def check_names(names: tuple[str, ...], columns: int) -> None:
    """Refuse names that are not those of columns.

    Parameters
    ----------
    names : tuple of str
        The names.
    columns : int
        Number of columns that they are for.

    Raises
    ------
    ValueError
        If a name is no text, or there are more or fewer names than columns.
    """
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"feature_names must be a tuple of texts, not {names!r}")
    if len(names) != columns:
        raise ValueError(f"feature_names has {len(names)} names, the samples {columns} columns")


def check_sound(
    nodes: Sequence[Node],
    weights: Sequence[np.ndarray],
    names: Sequence[str],
    n_features: int,
    components: int,
) -> None:
    """Refuse a program that no device could run as meant.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    weights : sequence of ndarray of int8 of shape (outputs, left.size, right.size)
        Weights of each node.
    names : sequence of str
        Name of each node, for messages.
    n_features : int
        Number of features of a sample.
    components : int
        Components of the feature table: entries of the vector that a feature is mapped to.

    Raises
    ------
    ValueError
        If a node is wrong; the message names it.
    CapacityError
        If something is larger than any device holds.
    """
    if not len(nodes) == len(weights) == len(names) or not nodes:
        raise ValueError(
            f"a program needs as many weight tensors and names as nodes and at least one, not "
            f"{len(nodes)} nodes, {len(weights)} tensors and {len(names)} names"
        )
    if not 1 <= n_features <= MAX_FEATURES:
        raise CapacityError("features of a sample", n_features, MAX_FEATURES)
    if any(node.protected for node in nodes) and any(node.narrow for node in nodes):
        raise ValueError(
            "no node of a protected program is narrow: protect all nodes with weights of 4 bits"
        )
    vectors: dict[int, int] = {}  # entries of the vector in each slot that was written
    previous = None
    for position, (node, tensor, name) in enumerate(zip(nodes, weights, names)):
        for side in ("left", "right"):
            operand = getattr(node, side)
            place = f"node {name!r}, {side} operand"
            if not 1 <= operand.size <= MAX_OPERAND:
                raise CapacityError(f"{place}: entries", operand.size, MAX_OPERAND)
            if operand.kind is OperandKind.FEATURE:
                if not 0 <= operand.index < n_features:
                    raise ValueError(
                        f"{place}: feature {operand.index} is outside 0..{n_features - 1}"
                    )
                if operand.size > components:
                    raise ValueError(
                        f"{place}: {operand.size} components are read, the feature table has "
                        f"{components}"
                    )
            elif operand.index not in vectors:
                raise ValueError(f"{place}: slot {operand.index} is read before it is written")
            elif vectors[operand.index] != operand.size:
                raise ValueError(
                    f"{place}: {operand.size} entries are read, slot {operand.index} holds "
                    f"{vectors[operand.index]}"
                )
            elif operand.index == previous and not node.wait:
                raise ValueError(f"{place}: is the result of the node before, which needs `wait`")
        if not 1 <= node.outputs <= MAX_OUTPUTS:
            raise CapacityError(f"node {name!r}: outputs", node.outputs, MAX_OUTPUTS)
        shape = (node.outputs, node.left.size, node.right.size)
        if tensor.shape != shape or tensor.dtype != np.int8:
            raise ValueError(
                f"node {name!r}: weights of int8 and shape {shape} are needed, not of "
                f"{tensor.dtype} and shape {tensor.shape}"
            )
        if node.few_bits and np.any(tensor % NARROW_STEP):
            kind = "narrow" if node.narrow else "protected"
            raise ValueError(
                f"node {name!r}: weight {tensor[tensor % NARROW_STEP != 0][0]} of a {kind} node is "
                f"no multiple of {NARROW_STEP}"
            )
        largest = int(np.abs(tensor.astype(np.int64)).sum(axis=(1, 2)).max())
        if largest > WEIGHT_SUM_LIMIT:
            raise ValueError(
                f"node {name!r}: the magnitudes of an output's weights sum to {largest}, more than "
                f"{WEIGHT_SUM_LIMIT}: an accumulator could overflow"
            )
        if node.last != (position == len(nodes) - 1):
            raise ValueError(f"node {name!r}: only the last node, and it must, ends the program")
        vectors[node.destination] = node.outputs
        previous = node.destination


@dataclass(frozen=True)
class Demand:
    """One quantity of which a device has only so much.

    Parameters
    ----------
    what : str
        The quantity, with its unit.
    needed : int
        How much of it the program needs.
    limit : int
        How much of it the device has.
    advice : str
        What to do if that is too little.
    """

    what: str
    needed: int
    limit: int
    advice: str

    @property
    def fits(self) -> bool:
        """Whether the device has enough."""
        return self.needed <= self.limit


def demands(
    nodes: Sequence[Node],
    names: Sequence[str],
    n_features: int,
    components: int,
    size: ContractorSize,
) -> list[Demand]:
    """Compare what a program needs with what a device has.

    Parameters
    ----------
    nodes : sequence of Node
        A sound program; see `check_sound`.
    names : sequence of str
        Name of each node, for the advice.
    n_features : int
        Number of features of a sample.
    components : int
        Components of the feature table.
    size : ContractorSize
        Size of the device's contractor.

    Returns
    -------
    list of Demand
        One for each quantity of which a device has only so much.
    """
    # The last node writes its scores to no slot, so they may be wider than a slot.
    inner = [(node, name) for node, name in zip(nodes, names) if not node.last]
    widest, widest_name = max(((node.outputs, name) for node, name in inner), default=(1, ""))
    slots, farthest_name = max(
        ((node.destination + 1, name) for node, name in inner), default=(1, "")
    )
    protected = sum(node.protected for node in nodes)
    corrects = Demand(
        "nodes with protected weights",
        protected,
        0,
        "the board's bitstream corrects no changed bits: quantize without protect=True (train "
        "without --protect), or use one that does, such as protect/ulx3s_25f",
    )
    return [
        *([corrects] if protected and not size.protected else []),
        Demand(
            "features of a sample",
            n_features,
            size.features,
            "select features, or pool them",
        ),
        Demand(
            f"components of the feature map{' (half of the table)' * size.resident}",
            components,
            size.components,
            f"choose a feature map with fewer components, such as local_dim={size.components}"
            + ", or a board that holds one program at a time" * size.resident,
        ),
        Demand(
            "bond dimension",
            widest,
            size.slot_entries,
            f"train with a smaller bond_dim: node {widest_name!r} has {widest} outputs",
        ),
        Demand(
            "vector slots",
            slots,
            size.slots,
            f"choose another tree, or another order of the features: node {farthest_name!r} "
            f"writes slot {slots - 1}",
        ),
        Demand(
            f"words of {'half of the ' * size.resident}program memory ({size.lanes} bytes each)",
            program_words(nodes, size.lanes),
            size.model_words,
            _fewer_bits(nodes) + "train with a smaller bond_dim or n_repeats, or fewer features",
        ),
    ]


def _fewer_bits(nodes: Sequence[Node]) -> str:
    """Return the advice to store weights in less memory, if they can be."""
    if all(node.narrow for node in nodes):
        return ""
    if any(node.protected for node in nodes):
        return "protect no weights, which then take half of the memory, or "
    return "store the weights in 4 bits, or "


def program_words(nodes: Sequence[Node], lanes: int) -> int:
    """Count the words of program memory, `lanes` bytes each, that nodes take."""
    return sum(node.words(lanes) for node in nodes)
