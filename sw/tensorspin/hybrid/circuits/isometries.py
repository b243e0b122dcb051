"""From the bilinear nodes of a network to isometries, the form in which it is a quantum circuit.

A network of one output is a tree of bilinear nodes: features are its leaves, and the last node is
the root. QR decompositions from the leaves upwards make the tensor of every node but the root an
isometry: a map from the bond above to the two bonds below that keeps lengths. What is left over is
carried into the node above, and at the root into a tensor of norm 1. The network then is a recipe
for a quantum state: prepare the state of the root, then let each isometry turn a bond into two
(Schoen et al. 2005, arXiv:quant-ph/0501096, for chains).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...compiler.nodes import FloatNode
from ...contract.contractor.program import OperandKind


@dataclass(frozen=True)
class Feature:
    """An operand that is the vector of a feature.

    Parameters
    ----------
    index : int
        Number of the feature.
    """

    index: int


@dataclass(frozen=True)
class Result:
    """An operand that is the result of an earlier node.

    Parameters
    ----------
    index : int
        Number of that node.
    """

    index: int


@dataclass(frozen=True)
class Branching:
    """A node of the tree: where one bond becomes two.

    Parameters
    ----------
    tensor : ndarray of float64 of shape (above, left, right)
        Its entries.
    left, right : Feature or Result
        What the two lower bonds lead to.
    """

    tensor: np.ndarray
    left: Feature | Result
    right: Feature | Result


def tree_of(nodes: Sequence[FloatNode]) -> list[Branching]:
    """Follow the operands of bilinear nodes to the nodes that they come from.

    Parameters
    ----------
    nodes : sequence of FloatNode
        A network in the order of execution.

    Returns
    -------
    list of Branching
        The same nodes; the last one is the root.

    Raises
    ------
    ValueError
        If a result is used twice or never: the network is no tree.
    """
    written: dict[int, int] = {}
    tree: list[Branching] = []
    for place, item in enumerate(nodes):
        operands: list[Feature | Result] = []
        for operand in (item.node.left, item.node.right):
            if operand.kind is OperandKind.FEATURE:
                operands.append(Feature(operand.index))
            elif operand.index in written:
                operands.append(Result(written.pop(operand.index)))
            else:
                raise ValueError(
                    f"{item.name}: a circuit needs a network in which each result is used once; "
                    f"that of slot {operand.index} is not there, or is used twice"
                )
        tree.append(Branching(np.asarray(item.weights, dtype=float), *operands))
        written[item.node.destination] = place
    if list(written.values()) != [len(nodes) - 1]:
        raise ValueError("a circuit needs a network in which each result is used, but some are not")
    return tree


def with_components(tree: Sequence[Branching], matrix: np.ndarray) -> list[Branching]:
    """Write the leaves of a tree in other components of the feature vectors.

    Parameters
    ----------
    tree : sequence of Branching
        A tree whose leaves take vectors ``v``.
    matrix : ndarray of float64 of shape (old, new)
        The old components are ``v = matrix @ w``, where ``w`` are the new ones.

    Returns
    -------
    list of Branching
        The tree whose leaves take vectors ``w``.
    """
    result = []
    for node in tree:
        tensor = node.tensor
        if isinstance(node.left, Feature):
            tensor = np.einsum("olr,lp->opr", tensor, matrix)
        if isinstance(node.right, Feature):
            tensor = tensor @ matrix
        result.append(Branching(tensor, node.left, node.right))
    return result


def isometric(tree: Sequence[Branching]) -> tuple[list[Branching], float]:
    """Bring a tree to the form in which each tensor but the root is an isometry.

    Parameters
    ----------
    tree : sequence of Branching
        A tree, children before parents.

    Returns
    -------
    tree : list of Branching
        The same function but for a factor. Of each tensor but the root ``sum over l, r of
        tensor[a, l, r] * tensor[b, l, r]`` is 1 for a = b, else 0; that of the root has norm 1.
    log_norm : float
        Natural logarithm of the factor, the norm of the whole network.

    Raises
    ------
    ValueError
        If the network is zero or not finite.
    """
    carries: list[np.ndarray] = []
    result: list[Branching] = []
    log_norm = 0.0
    for place, node in enumerate(tree):
        tensor = node.tensor
        if isinstance(node.left, Result):
            tensor = np.einsum("olr,kl->okr", tensor, carries[node.left.index])
        if isinstance(node.right, Result):
            tensor = np.einsum("olr,kr->olk", tensor, carries[node.right.index])
        norm = np.linalg.norm(tensor)
        if not np.isfinite(norm) or norm == 0:
            raise ValueError(f"the network has norm {norm} and is no quantum state")
        tensor, log_norm = tensor / norm, log_norm + float(np.log(norm))
        if place < len(tree) - 1:
            above, left, right = tensor.shape
            basis, carry = np.linalg.qr(tensor.reshape(above, left * right).T)
            tensor = basis.T.reshape(-1, left, right)
            # A square isometry is a rotation if its determinant is 1: it then takes fewer gates.
            # Its rows are in the order of qubits, of which those of the left bond come first.
            rows = tensor.transpose(2, 1, 0).reshape(left * right, -1)
            if rows.shape[0] == rows.shape[1] and np.linalg.det(rows) < 0:
                tensor[0], carry[0] = -tensor[0], -carry[0]
            carries.append(carry)
        result.append(Branching(tensor, node.left, node.right))
    return result, log_norm


def leaves(tree: Sequence[Branching]) -> list[int]:
    """List the features of the leaves from left to right.

    Parameters
    ----------
    tree : sequence of Branching
        The tree.

    Returns
    -------
    list of int
        The feature that each leaf reads.
    """
    found: list[int] = []
    pending: list[Feature | Result] = [Result(len(tree) - 1)]
    while pending:
        child = pending.pop()
        if isinstance(child, Feature):
            found.append(child.index)
        else:
            pending += [tree[child.index].right, tree[child.index].left]
    return found


def mirrored(tree: Sequence[Branching]) -> list[Branching]:
    """Put the leaves of a chain in the order of its sites.

    Both halves of a chain are written from their outer ends, so the sites of the right half would
    come in reversed order.

    Parameters
    ----------
    tree : sequence of Branching
        A tree.

    Returns
    -------
    list of Branching
        The same tree; on the right of the root the sides of each node with a leaf are swapped.
    """
    result = list(tree)
    pending = [tree[-1].right]
    while pending:
        child = pending.pop()
        if isinstance(child, Result):
            node = tree[child.index]
            pending += [node.left, node.right]
            if isinstance(node.right, Feature):
                tensor = node.tensor.transpose(0, 2, 1)
                result[child.index] = Branching(tensor, node.right, node.left)
    return result


def compacted(tree: Sequence[Branching]) -> list[Branching]:
    """Give the features that a tree reads new numbers: from 0, in their order.

    Parameters
    ----------
    tree : sequence of Branching
        A tree that may leave out features.

    Returns
    -------
    list of Branching
        The tree with the new numbers.
    """
    numbers = {feature: number for number, feature in enumerate(sorted(set(leaves(tree))))}

    def renumbered(child: Feature | Result) -> Feature | Result:
        return Feature(numbers[child.index]) if isinstance(child, Feature) else child

    return [Branching(node.tensor, renumbered(node.left), renumbered(node.right)) for node in tree]


def contract(tree: Sequence[Branching], vectors: np.ndarray) -> np.ndarray:
    """Contract a tree with the vectors of samples.

    Parameters
    ----------
    tree : sequence of Branching
        A tree.
    vectors : ndarray of float64 of shape (n_samples, n_features, components)
        The vector of each feature.

    Returns
    -------
    ndarray of float64 of shape (n_samples, n_outputs)
        The outputs of each sample.
    """
    results: dict[int, np.ndarray] = {}

    def taken(child: Feature | Result) -> np.ndarray:
        if isinstance(child, Feature):
            return vectors[:, child.index]
        return results.pop(child.index)

    for place, node in enumerate(tree):
        half = np.tensordot(taken(node.left), node.tensor, axes=((1,), (1,)))  # (n, above, right)
        results[place] = np.einsum("nor,nr->no", half, taken(node.right))
    return results[len(tree) - 1]


def sequential(tree: Sequence[Branching]) -> list[Branching]:
    """Hang a chain up at its left end, so that its sites come one after the other.

    Parameters
    ----------
    tree : sequence of Branching
        A chain: each node but the root has a leaf.

    Returns
    -------
    list of Branching
        The same chain, the root of which has the first site as its left leaf.

    Raises
    ------
    ValueError
        If the tree is no chain.
    """
    root = tree[-1]
    left = _arm(tree, root.left, root.tensor.shape[1], on_the_left=True)
    right = _arm(tree, root.right, root.tensor.shape[2], on_the_left=False)
    feature, core = left[-1]
    left[-1] = feature, np.tensordot(core, root.tensor[0], axes=1)
    cores = left + [(feature, core.transpose(2, 1, 0)) for feature, core in reversed(right)]
    # The last two sites are one node, each site before them another.
    (last, end), (feature, core) = cores[-1], cores[-2]
    merged = np.tensordot(core, end[:, :, 0], axes=1)
    nodes = [Branching(merged, Feature(feature), Feature(last))]
    for feature, core in reversed(cores[:-2]):
        nodes.append(Branching(core, Feature(feature), Result(len(nodes) - 1)))
    return nodes


def _arm(
    tree: Sequence[Branching], child: Feature | Result, size: int, on_the_left: bool
) -> list[tuple[int, np.ndarray]]:
    """Return the sites on one side of the root, each with its core, the outermost first.

    Cores have the shape (outer bond, components, inner bond); `size` is the innermost bond.
    """
    cores: list[tuple[int, np.ndarray]] = []
    while isinstance(child, Result):
        node = tree[child.index]
        tensor, inner, outer = node.tensor.transpose(1, 2, 0), node.right, node.left
        if not isinstance(inner, Feature) or (isinstance(outer, Feature) and not on_the_left):
            tensor, inner, outer = node.tensor.transpose(2, 1, 0), node.left, node.right
        if not isinstance(inner, Feature):
            raise ValueError(
                "qubits can be used again in the circuit of a chain only, and this network is "
                "another tree; take reuse_qubits=False"
            )
        cores.append((inner.index, tensor))
        child, size = outer, len(tensor)
    cores.append((child.index, np.eye(size)[None]))
    return cores[::-1]
