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
from ..contract.fixed import NARROW_WEIGHT
from .nodes import FloatNode, with_waits
from .references import with_references
from .sample_rounding import rounded_for_samples

NEWTON_STEPS = ((15, 2), (20, 1))
"""Most classes, and the number of nodes that improve the reference of each network for so many;
with more classes none does. A node for n classes has (n + 1)**3 weights. With two of them a
reference that is wrong by a factor of three makes the network count for 0.88 instead of 1, one that
is wrong by ten for 0.38; without, such networks count for a third, or for three times as much."""

NARROW_LARGEST = (6.5, 5.5, 4.5, 3.5)
"""Integers that the largest weight of a reference shall have in a node of 4 bits, of 7, each tried
if the one before does not do."""

MOST_DRIFT = 16
"""How many times as large as all other weights of the last node those of its reference may be, to
make up for references that are too small in the nodes before. More would leave the scores with too
few of the 8 bits."""

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
    members: Sequence[Member], levels: np.ndarray, bits: Sequence[int] | None = None
) -> tuple[list[FloatNode], np.ndarray]:
    """Join networks into one.

    Parameters
    ----------
    members : sequence of Member
        At least two networks for the same classes. All read the same features.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples to which references are fitted, and for which weights are rounded to 4 bits: some
        hundred of the training data.
    bits : None or sequence of int
        Bits of the weights of each node of the program; None: 8. Only nodes that `may_be_narrow`
        says may have 4.

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
    size = members[0].nodes[-1].node.outputs + 1
    steps = _newton_steps(size - 1)
    networks = []
    for number, (member, matrix) in enumerate(zip(members, matrices)):
        network, read = in_terms_of(member.nodes, matrix), table[:, : matrix.shape[1]]
        grown = with_references(network, read, levels)
        if bits is not None:
            own, bits = bits[: len(network)], bits[len(network) + steps + (number > 0) :]
            if NARROW_WEIGHT.width in own:
                grown = _narrowed(network, grown, read, levels, own)
        networks.append(grown)
    # The sum so far is kept where no network writes; what a network needs beside it is its own.
    inner = [item.node.destination for network in networks for item in network[:-1]]
    kept = 1 + max(inner, default=0)
    largest = max(member.weight for member in members)
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


def _narrowed(
    network: Sequence[FloatNode],
    grown: Sequence[FloatNode],
    table: np.ndarray,
    levels: np.ndarray,
    bits: Sequence[int],
) -> list[FloatNode]:
    """Return a network with references, both rounded to 4 bits in some nodes.

    `grown` is what it is without rounding. The vectors are rounded first, as references must stay
    positive, but with a step that suits both. If references turn out too small nevertheless, which
    adds up from node to node, larger steps are taken.
    """
    rows = np.array([np.abs(item.weights[-1]).max() for item in grown])
    result = list(grown)
    for largest in NARROW_LARGEST:
        steps = (rows / largest).tolist()
        rounded = rounded_for_samples(network, table, levels, bits, False, steps)
        result = with_references(rounded, table, levels, bits)
        *core, row = result[-1].weights
        if np.abs(row).max() <= MOST_DRIFT * np.abs(core).max():
            break
    return result


def may_be_narrow(members: Sequence[Member]) -> list[bool]:
    """Tell which nodes of a program of several networks may have weights of 4 bits.

    Those that give scores, improve references or add networks keep 8 bits. They are few, and errors
    of a reference count for all that is added.

    Parameters
    ----------
    members : sequence of Member
        The networks.

    Returns
    -------
    list of bool
        One for each of the nodes that `joint_nodes` returns.
    """
    steps = _newton_steps(members[0].nodes[-1].node.outputs)
    return [
        narrow
        for number, member in enumerate(members)
        for narrow in [True] * (len(member.nodes) - 1) + [False] * (1 + steps + (number > 0))
    ]


def _newton_steps(n_classes: int) -> int:
    return next((count for classes, count in NEWTON_STEPS if n_classes <= classes), 0)


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
