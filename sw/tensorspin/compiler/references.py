"""Give each vector of a network a reference: a positive entry that is about as long as the vector.

A contractor gives every vector an exponent of its own, and its nodes multiply and never add two
vectors. The scores of two networks can therefore be added only if each comes with a number in the
same vector that they can be compared with. That number has to be positive for all samples, whether
or not the training data have such samples.

So each vector gets one more entry, its *reference*. A node computes it as a product: of the
references of its operands, and of a sum of the components of its features with weights that are
positive wherever a feature may lie. The weights are fitted, node by node, so that the reference
follows the length of the vector. It does so within a factor of two or three for most samples,
which the nodes of `tensorspin.compiler.ensemble` then improve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..contract.contractor.program import Node, Operand, OperandKind
from ..contract.fixed import NARROW_WEIGHT
from .nodes import FloatNode
from .quantise import NARROW_INTEGER

NARROW_REFERENCE = 4
"""Least integer of the largest weight of a reference in a node of 4 bits, of 7. With less the four
values that weights may have would be too coarse."""

LEAST_SHARE = 0.25
"""Least weight of a reference, as a share of the largest of the same node. Such a weight stays
above zero when it is rounded to 4 bits, and a feature that has never been seen at one of its ends
changes a reference by no more than a factor of four."""


@dataclass(frozen=True)
class _Vectors:
    """An operand for all samples.

    `vectors` have shape (n_samples, size). `references`, of shape (n_samples,), belong to vectors
    of length 1; `parts`, of shape (n_samples, n_parts), are what a reference may be summed from.
    """

    vectors: np.ndarray
    references: np.ndarray
    parts: np.ndarray


def with_references(
    nodes: Sequence[FloatNode],
    table: np.ndarray,
    levels: np.ndarray,
    bits: Sequence[int] | None = None,
) -> list[FloatNode]:
    """Add the reference to each vector of a network, as its last entry.

    Parameters
    ----------
    nodes : sequence of FloatNode
        The network, in the order of execution.
    table : ndarray of float64 of shape (256, components)
        The feature table that the nodes read.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        Samples to fit to: some hundred of those that the network was trained with.
    bits : None or sequence of int
        Bits of each node's weights; None: 8. The weights of a node of 4 bits must be rounded, and
        its reference gets weights that are multiples of the same step, so that nothing more is
        rounded later. The last node must have 8 bits: a reference of 4 bits follows the length up
        to a constant factor only, which the next node of 8 bits makes up for.

    Returns
    -------
    list of FloatNode
        The same nodes with one more output each, and one more entry of each operand that is the
        result of a node. The other outputs stay the same.

    Raises
    ------
    ValueError
        If no combination of the table's components is positive for all levels.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.compiler import chain_nodes
    >>> from tensorspin.compiler.references import with_references
    >>> rng = np.random.default_rng(0)
    >>> cores = [rng.random(shape) for shape in [(1, 2, 3), (3, 2, 3), (3, 2, 1)]]
    >>> nodes = chain_nodes(cores, rng.random((4, 3, 3)), 2, site_features=[0, 1, 2])
    >>> ramp = np.linspace(0, 1, 256)
    >>> table = np.stack([1 - ramp, ramp], axis=1)
    >>> more = with_references(nodes, table, rng.integers(0, 256, (50, 3)))
    >>> [(node.weights.shape, other.weights.shape) for node, other in zip(nodes, more)]
    [((3, 2, 2), (4, 2, 2)), ((4, 3, 2), (5, 4, 2))]
    """
    basis = positive_basis(table)
    vectors: dict[int, _Vectors] = {}
    n_samples = len(levels)

    def fetched(operand: Operand) -> _Vectors:
        if operand.kind is OperandKind.VECTOR:
            return vectors[operand.index]
        features = table[levels[:, operand.index], : operand.size]
        return _Vectors(features, np.ones(n_samples), features @ basis)

    result = []
    for index, item in enumerate(nodes):
        left, right = fetched(item.node.left), fetched(item.node.right)
        outputs = np.einsum(
            "kab,na,nb->nk", item.weights, left.vectors, right.vectors, optimize=True
        )
        norms = np.linalg.norm(outputs, axis=1)
        known = norms > 0  # a vector of zeros needs no reference
        norms = np.where(known, norms, 1)
        parts = left.parts[:, :, None] * right.parts[:, None, :]
        parts = parts * (left.references * right.references / norms)[:, None, None]
        block, references = _fitted(parts, known)
        if bits is not None and bits[index] == NARROW_WEIGHT.width:
            block = _narrowed(block, item.weights)
            references = parts.reshape(n_samples, -1) @ block.ravel()
        node, weights = _grown(item, block, basis)
        result.append(FloatNode(node, weights, item.name))
        vectors[node.destination] = _Vectors(
            outputs / norms[:, None], references, np.ones((n_samples, 1))
        )
    return result


def positive_basis(table: np.ndarray) -> np.ndarray:
    """Find combinations of a table's components that are positive for all levels.

    Parameters
    ----------
    table : ndarray of float64 of shape (256, components)
        A feature table.

    Returns
    -------
    ndarray of float64 of shape (components, n)
        Weights of `n` combinations, none of which is negative at any level, and whose sum is
        positive at all of them: the components themselves, or one combination that is about
        constant.

    Raises
    ------
    ValueError
        If there are none.
    """
    if np.all(table >= 0) and np.all(table.sum(axis=1) > LEAST_SHARE * table.max()):
        return np.eye(table.shape[1])
    constant = np.linalg.lstsq(table, np.ones(len(table)), rcond=None)[0]
    if np.min(table @ constant) < LEAST_SHARE:
        raise ValueError(
            "this feature map can't be used in an ensemble of several networks on a board: no "
            "combination of its components is positive for all values; choose another map, such "
            'as "bernstein"'
        )
    return constant[:, None]


def _fitted(parts: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the weights with which parts sum to about 1 for each sample, in their geometric mean.

    Parts have shape (n_samples, left, right). Returns the weights (left, right), all positive, and
    the sums (n_samples,).
    """
    from scipy.optimize import nnls  # imported here, as nothing but ensembles needs it

    columns = parts.reshape(len(parts), -1)
    weights = np.ones(columns.shape[1])
    if columns.shape[1] > 1 and known.any():
        try:
            weights = nnls(columns[known], np.ones(int(known.sum())))[0]
        except RuntimeError:  # it has not converged: equal weights are positive, too
            pass
    weights = np.maximum(weights, LEAST_SHARE * weights.max())
    sums = columns @ weights
    centre = np.exp(np.mean(np.log(sums[known]))) if known.any() else 1.0
    return (weights / centre).reshape(parts.shape[1:]), sums / centre


def _narrowed(block: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Give a reference weights that are multiples of the step of a node of 4 bits."""
    most = np.abs(weights).max()
    # The largest weight need not be the largest integer. Of several steps any will do.
    found = next((n for n in range(NARROW_INTEGER, 1, -1) if _are_multiples(weights, most / n)), 1)
    step = (most or block.max()) / found
    # One weight of the node must be the largest integer, so that the compiler finds this step.
    least = NARROW_REFERENCE if found == NARROW_INTEGER else NARROW_INTEGER
    largest = np.clip(block.max() / step, least, NARROW_INTEGER)
    integers = np.rint(block / block.max() * largest)
    return step * np.clip(integers, 1, NARROW_INTEGER)


def _are_multiples(weights: np.ndarray, step: float) -> bool:
    shares = weights / (step or 1)
    return bool(np.allclose(shares, np.rint(shares), rtol=0, atol=1e-6))


def _grown(item: FloatNode, block: np.ndarray, basis: np.ndarray) -> tuple[Node, np.ndarray]:
    """Return a node with its reference, whose weights are `block` in terms of the basis."""
    operands, places = [], []
    for axis, operand in enumerate((item.node.left, item.node.right)):
        if operand.kind is OperandKind.FEATURE:
            block = np.moveaxis(np.tensordot(basis, block, axes=(1, axis)), 0, axis)
            places.append(slice(None))
        else:
            operand = replace(operand, size=operand.size + 1)
            places.append(slice(-1, None))
        operands.append(operand)
    outputs, left, right = item.weights.shape
    weights = np.zeros((outputs + 1, operands[0].size, operands[1].size))
    weights[:-1, :left, :right] = item.weights
    weights[-1, places[0], places[1]] = block
    left_operand, right_operand = operands
    return (
        replace(item.node, left=left_operand, right=right_operand, outputs=outputs + 1),
        weights,
    )
