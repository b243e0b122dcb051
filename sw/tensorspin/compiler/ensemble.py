"""Join several classifiers into one program whose scores are the sum of theirs.

The scores s of a network count up to a positive factor, and what is added is ``s / ||s||``, times a
weight. Each vector carries a reference (`tensorspin.compiler.references`), so the scores of a
network come with a positive number e that is roughly ``||s||``. A node that reads the vector (s, e)
twice improves it, as Newton's method improves a square root::

    s' = 2 e s,    e' = e**2 + ||s||**2

so that ``s' / e'`` is ``s / ||s||`` times ``2 t / (1 + t**2)`` with ``t = e / ||s||``: a factor
near 1 that never exceeds 1. Another node adds the vectors (s, e) and (r, f) of two networks with
the weights A and B::

    A f s + B e r,    e f

which has the direction of ``A s / e + B r / f``. Both are bilinear with a few weights other than
zero, so a contractor needs nothing new, and the result is a program like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract.contractor.program import Node, Operand, OperandKind
from .nodes import FloatNode, with_waits
from .references import with_references

NEWTON_STEPS = ((15, 2), (20, 1))
"""Most classes, and the number of nodes that improve the reference of each network for so many;
with more classes none does. A node for n classes has (n + 1)**3 weights. With two of them a
reference that is wrong by a factor of three makes the network count for 0.88 instead of 1, one that
is wrong by ten for 0.38; without, such networks count for a third, or for three times as much."""

JOINT_ROUNDING = 1e-9
"""Largest error with which a component counts as a combination of others."""


@dataclass(frozen=True)
class Member:
    """A network of an ensemble.

    Parameters
    ----------
    nodes : sequence of FloatNode
        The network; its last node gives one score for each class.
    table : ndarray of float64 of shape (256, components)
        The feature table that its nodes read.
    weight : float
        Factor of its normalised scores in the sum, above 0.
    """

    nodes: Sequence[FloatNode]
    table: np.ndarray
    weight: float


def joint_nodes(
    members: Sequence[Member], levels: np.ndarray
) -> tuple[list[FloatNode], np.ndarray]:
    """Join networks into one.

    Parameters
    ----------
    members : sequence of Member
        At least two networks for the same classes. All read the same features.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples to which references are fitted: some hundred of the training data.

    Returns
    -------
    nodes : list of FloatNode
        The program: one network after the other, and nodes that add their scores.
    table : ndarray of float64 of shape (256, components)
        The feature table that it reads.

    Raises
    ------
    ValueError
        If no combination of a feature map's components is positive for all levels.

    Examples
    --------
    Two networks of one node each; the second one alone tells the classes apart:

    >>> import numpy as np
    >>> from tensorspin.compiler import FloatNode
    >>> from tensorspin.compiler.ensemble import Member, joint_nodes
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> first, second = (Operand(OperandKind.FEATURE, index, size=2) for index in (0, 1))
    >>> node = Node(first, second, outputs=2, destination=0, wait=False, last=True)
    >>> ramp = np.linspace(0, 1, 256)
    >>> table = np.stack([1 - ramp, ramp], axis=1)
    >>> networks = [np.ones((2, 2, 2)), np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])]
    >>> members = [Member([FloatNode(node, each, "label")], table, 1.0) for each in networks]
    >>> nodes, table = joint_nodes(members, np.array([[0, 255], [0, 0], [255, 9]], np.uint8))
    >>> [item.name for item in nodes][-2:]
    ['network 1: reference', 'sum of 2 networks']
    """
    table, matrices = joint_table([member.table for member in members])
    networks = [
        in_terms_of(with_references(member.nodes, member.table, levels), matrix)
        for member, matrix in zip(members, matrices)
    ]
    size = networks[0][-1].node.outputs
    # The sum so far is kept where no network writes; what a network needs beside it is its own.
    inner = [item.node.destination for network in networks for item in network[:-1]]
    kept = 1 + max(inner, default=0)
    largest = max(member.weight for member in members)
    steps = next((count for classes, count in NEWTON_STEPS if size <= classes + 1), 0)
    nodes: list[FloatNode] = []
    for number, (member, network) in enumerate(zip(members, networks)):
        name = f"network {number}"
        slot = kept if number == 0 else 0
        nodes += [replace(item, name=f"{name}: {item.name}") for item in network]
        final = replace(network[-1].node, destination=slot, last=False)
        nodes[-1] = replace(nodes[-1], node=final)
        scores = Operand(OperandKind.VECTOR, slot, size)
        improve = Node(scores, scores, size, slot, wait=False, last=False)
        nodes += [FloatNode(improve, _newton(size), f"{name}: reference")] * steps
        if number:
            last = number == len(members) - 1
            before = members[0].weight if number == 1 else largest
            weights = _sum(size, before, member.weight, largest)[: size - last]
            node = Node(
                Operand(OperandKind.VECTOR, kept, size), scores, len(weights), kept, False, last
            )
            nodes.append(FloatNode(node, weights, f"sum of {number + 1} networks"))
    waits = with_waits([item.node for item in nodes])
    return [replace(item, node=node) for node, item in zip(waits, nodes)], table


def _newton(size: int) -> np.ndarray:
    """Return the weights of a node that improves a reference, the last of `size` entries."""
    weights = np.zeros((size, size, size))
    scores = np.arange(size - 1)
    weights[scores, scores, -1] = 2
    every = np.arange(size)
    weights[-1, every, every] = 1
    return weights


def _sum(size: int, left: float, right: float, reference: float) -> np.ndarray:
    """Return the weights of a node that adds two vectors with references.

    What is added are the scores of `left` and `right` divided by their references, times these
    factors; the result's reference is `reference` times as large as that of such a sum, so that
    scores and reference have about the same size.
    """
    weights = np.zeros((size, size, size))
    scores = np.arange(size - 1)
    weights[scores, scores, -1] = left
    weights[scores, -1, scores] = right
    weights[-1, -1, -1] = reference
    return weights


def joint_table(tables: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Find one feature table that serves several networks.

    A node reads the first components of a table, as many as it wants. So the components of the
    smallest table come first; of the others only those are added that are no combination of what
    is there. A linear map and cubic Bernstein polynomials thus need four components together, and
    the nodes of the linear map still read two.

    Parameters
    ----------
    tables : sequence of ndarray of float64 of shape (256, components)
        The tables of the networks.

    Returns
    -------
    table : ndarray of float64 of shape (256, n)
        The joint table.
    matrices : list of ndarray of float64 of shape (components, m)
        For each network what its own components are in terms of the first m joint ones:
        ``tables[i]`` is ``table[:, :m] @ matrices[i].T``.
    """
    joint = np.zeros((len(tables[0]), 0))
    matrices = [np.zeros((0, 0))] * len(tables)
    for index in sorted(range(len(tables)), key=lambda index: tables[index].shape[1]):
        for component in tables[index].T:
            error = component - joint @ _combination(joint, component)
            if np.abs(error).max() > JOINT_ROUNDING:
                joint = np.column_stack([joint, component])
        found = _combination(joint, tables[index])
        found[np.abs(found) < JOINT_ROUNDING] = 0
        # Components at the end that this network does not need, cost it nothing.
        needed = 1 + np.flatnonzero(found.any(axis=1)).max()
        matrices[index] = found[:needed].T
    return joint, matrices


def _combination(joint: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Return the weights of a joint table's components, by least squares."""
    return np.linalg.lstsq(joint, components, rcond=None)[0]


def in_terms_of(nodes: Sequence[FloatNode], matrix: np.ndarray) -> list[FloatNode]:
    """Let nodes read the components of another feature table.

    Parameters
    ----------
    nodes : sequence of FloatNode
        A network.
    matrix : ndarray of float64 of shape (components, m)
        What each component that the nodes read is in terms of those of the other table.

    Returns
    -------
    list of FloatNode
        The same network, whose features have `m` components.
    """
    result = []
    for item in nodes:
        node, weights = item.node, item.weights
        if node.left.kind is OperandKind.FEATURE:
            weights = np.einsum("kab,ac->kcb", weights, matrix[: node.left.size])
        if node.right.kind is OperandKind.FEATURE:
            weights = np.einsum("kab,bc->kac", weights, matrix[: node.right.size])
        node = replace(
            node,
            left=replace(node.left, size=weights.shape[1]),
            right=replace(node.right, size=weights.shape[2]),
        )
        result.append(FloatNode(node, weights, item.name))
    return result
