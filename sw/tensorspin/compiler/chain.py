"""Turn matrix product states into bilinear nodes.

A matrix product state is a chain of sites, one for each feature. Neighbours share a *bond*: a
vector that is passed on from the outer ends of the chain to the label tensor between two sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from ..contract.contractor.program import Node, Operand, OperandKind
from .nodes import FloatNode, with_waits

LEFT_SLOT, RIGHT_SLOT = 0, 1
"""Vector slots of the two half-chains. One for each is enough, since a node may overwrite its own
operand: its result is written after its last read."""


def chain_nodes(
    cores: Sequence[np.ndarray],
    label_tensor: np.ndarray,
    label_position: int,
    site_features: Sequence[int],
) -> list[FloatNode]:
    """Turn a matrix product state into nodes in the order of their execution.

    The outermost site of each half-chain has no bond vector to multiply with. It is merged with its
    neighbour into one node with two features (or into the label tensor, if the half-chain has no
    other site). The half-chains take turns, so that the engine need not wait for a node's result.

    Parameters
    ----------
    cores : sequence of ndarray of shape (left_bond, local_dim, right_bond)
        Tensor of each site; the outermost bonds are 1.
    label_tensor : ndarray of shape (classes, left_bond, right_bond)
        The tensor between the two half-chains, whose result is the scores.
    label_position : int
        Number of sites before the label tensor, 1 to ``len(cores) - 1``. They form the left
        half-chain.
    site_features : sequence of int
        The feature that each site reads.

    Returns
    -------
    list of FloatNode
        The nodes; the last one holds the label tensor.

    Raises
    ------
    ValueError
        If a half-chain is empty, or the bonds of neighbours differ.

    Examples
    --------
    A chain of four sites with bonds of 3 and the label tensor in the middle:

    >>> import numpy as np
    >>> from tensorspin.compiler import chain_nodes
    >>> shapes = [(1, 2, 3), (3, 2, 3), (3, 2, 3), (3, 2, 1)]
    >>> cores = [np.ones(shape) for shape in shapes]
    >>> nodes = chain_nodes(cores, np.ones((10, 3, 3)), 2, site_features=[0, 1, 2, 3])
    >>> [node.name for node in nodes]
    ['sites 0 and 1', 'sites 3 and 2', 'label']
    """
    n_sites = len(cores)
    if not 1 <= label_position <= n_sites - 1:
        raise ValueError(
            f"the label tensor must stand between two sites: position {label_position} is outside "
            f"1..{n_sites - 1}"
        )
    left_sites = list(range(label_position))
    right_sites = list(range(n_sites - 1, label_position - 1, -1))
    # Both half-chains are seen from their outer ends: cores of the right one are transposed, so
    # that each core is (outer bond, local_dim, inner bond).
    left_cores = [np.asarray(cores[site], dtype=np.float64) for site in left_sites]
    right_cores = [np.asarray(cores[site], dtype=np.float64).T for site in right_sites]
    left_bond = _check_bonds(left_sites, left_cores)
    right_bond = _check_bonds(right_sites, right_cores)
    if label_tensor.shape[1:] != (left_bond, right_bond):
        raise ValueError(
            f"the label tensor has bonds {label_tensor.shape[1:]}, its neighbours "
            f"{(left_bond, right_bond)}"
        )

    left = _half_chain(left_sites, left_cores, site_features, LEFT_SLOT)
    right = _half_chain(right_sites, right_cores, site_features, RIGHT_SLOT)
    label = np.asarray(label_tensor, dtype=np.float64)
    if not left:
        label = np.einsum("ac,kcb->kab", left_cores[0][0], label)
    if not right:
        label = np.einsum("bc,kac->kab", right_cores[0][0], label)
    left_operand, right_operand = (
        Operand(OperandKind.VECTOR, slot, size)
        if half
        else Operand(OperandKind.FEATURE, int(site_features[sites[0]]), size)
        for half, sites, slot, size in (
            (left, left_sites, LEFT_SLOT, label.shape[1]),
            (right, right_sites, RIGHT_SLOT, label.shape[2]),
        )
    )
    # The longer half-chain goes first. If it went second, and were longer by one node, its last two
    # nodes would follow each other, and the engine would wait.
    longer, shorter = (right, left) if len(right) > len(left) else (left, right)
    ordered = [node for pair in zip_longest(longer, shorter) for node in pair if node is not None]
    last = Node(left_operand, right_operand, len(label), 0, wait=False, last=True)
    ordered.append(FloatNode(last, label, "label"))
    waits = with_waits([item.node for item in ordered])
    return [FloatNode(node, item.weights, item.name) for node, item in zip(waits, ordered)]


def _check_bonds(sites: Sequence[int], cores: Sequence[np.ndarray]) -> int:
    """Check the bonds of a half-chain; return its innermost one."""
    bond = 1
    for site, core in zip(sites, cores):
        if core.ndim != 3 or core.shape[0] != bond:
            raise ValueError(
                f"site {site}: a core with an outer bond of {bond} is needed, not one of shape "
                f"{core.shape} (outer bond, local dimension, inner bond)"
            )
        bond = core.shape[2]
    return bond


def _half_chain(
    sites: Sequence[int], cores: Sequence[np.ndarray], site_features: Sequence[int], slot: int
) -> list[FloatNode]:
    """Return the nodes of a half-chain; none if the label tensor takes up its only site."""
    if len(sites) < 2:
        return []

    def feature(position: int) -> Operand:
        size = cores[position].shape[1]
        return Operand(OperandKind.FEATURE, int(site_features[sites[position]]), size)

    merged = np.einsum("ac,cbk->kab", cores[0][0], cores[1])
    nodes = [
        FloatNode(
            Node(feature(0), feature(1), len(merged), slot, wait=False, last=False),
            merged,
            f"sites {sites[0]} and {sites[1]}",
        )
    ]
    for position in range(2, len(sites)):
        weights = cores[position].transpose(2, 0, 1)
        outputs, bond, _ = weights.shape
        vector = Operand(OperandKind.VECTOR, slot, bond)
        node = Node(vector, feature(position), outputs, slot, wait=False, last=False)
        nodes.append(FloatNode(node, weights, f"site {sites[position]}"))
    return nodes
