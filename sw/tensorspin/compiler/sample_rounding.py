"""Round the weights of nodes to 4 bits so that the network stays right for given samples.

Rounding each tensor to the nearest of 15 values ignores what the tensor is multiplied with: the
vectors of real samples lie close to each other, and errors in their common direction add up from
node to node. Here the nodes are rounded one after the other, in the order of their execution. For
each, the step is searched for with which the results of the samples are best, and single weights
are changed to another value if the results gain by it. What the rounding of a node got wrong in a
linear way is put right by the nodes that read its result, before these are rounded in turn.
Networks are not trained anew, and need no labels.

The idea, to round layer by layer and to let later weights make up for earlier ones, is that of
post-training quantisation with calibration data (Nagel et al. 2020, arXiv:2004.10568; Frantar and
Alistarh 2022, arXiv:2208.11580).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..contract.contractor.program import WEIGHT_SUM_LIMIT, OperandKind
from ..contract.fixed import NARROW_WEIGHT
from .nodes import FloatNode
from .quantise import NARROW_INTEGER, NARROW_UNIT, weight_steps

STEPS = (1.0, 0.92, 0.85, 0.78, 0.7, 0.6, 0.5, 0.4)
"""Steps that are tried, as shares of the one at which the largest weight is the largest integer.
With a smaller step the largest weights are clipped, and all others rounded more finely."""

RIDGE = 0.01
"""Pull of the correction of a node's result towards none, relative to the result's mean square."""

PULL = 0.1
"""Pull of weights towards those in floating point, relative to the mean square of what they are
multiplied with: against what a few hundred samples do not tell."""

REFINED = 2
"""Number of steps, the best of all, with which single weights are changed, too."""

SWEEPS = 2
"""Times that each weight is looked at."""


def rounded_for_samples(
    nodes: Sequence[FloatNode],
    table: np.ndarray,
    levels: np.ndarray,
    bits: Sequence[int],
    scores_have_scale: bool,
    least_steps: Sequence[float] | None = None,
) -> list[FloatNode]:
    """Round the weights of narrow nodes, so that the results of samples change least.

    Parameters
    ----------
    nodes : sequence of FloatNode
        The network.
    table : ndarray of float64 of shape (256, components)
        Its feature table.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The levels of samples such as the network will meet; a few hundred are enough.
    bits : sequence of int
        Bits of each node's weights. Nodes of 8 bits are not rounded, but make up for what narrow
        nodes before them got wrong.
    scores_have_scale : bool
        Whether the scores themselves matter, as those of a regressor; if not, those of a sample
        count up to a positive factor.
    least_steps : None or sequence of float
        For each node the least step with which its weights may be rounded, if it is narrow. Larger
        weights, which other rows of a node will have, can then be rounded with the same step.

    Returns
    -------
    list of FloatNode
        The same nodes with other weights. Those of narrow nodes are multiples of a step, at most
        seven of them, so that `quantise_weights` changes nothing more.
    """
    read = np.asarray(table, dtype=np.float64)[levels]
    # By slot: what a result should be, what it is, what corrects it, and the logarithm of its size.
    results: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]] = {}
    rounded = []
    least_steps = [0.0] * len(nodes) if least_steps is None else least_steps
    for item, width, least_step in zip(nodes, bits, least_steps, strict=True):
        node, weights = item.node, np.asarray(item.weights, dtype=np.float64)
        corrected = weights
        right, found, size = [], [], np.zeros(len(levels))
        for axis, operand in ((1, node.left), (2, node.right)):
            if operand.kind is OperandKind.FEATURE:
                vectors = read[:, operand.index, : operand.size]
                right.append(vectors)
                found.append(vectors)
                continue
            true, actual, correction, log_size = results[operand.index]
            right.append(true)
            found.append(actual)
            size = size + log_size
            if correction is not None:
                turned = np.tensordot(corrected, correction, (axis, 0))
                corrected = np.moveaxis(turned, -1, axis)
        n_outputs = len(weights)
        wanted = _products(right) @ weights.reshape(n_outputs, -1).T
        products = _products(found)
        lengths = np.linalg.norm(wanted, axis=1)
        # A sample whose result is zero tells nothing.
        some = lengths > np.finfo(float).tiny
        factors = np.divide(1, lengths, out=np.zeros(len(lengths)), where=some)
        size = size + np.log(np.where(some, lengths, 1))
        if node.last and scores_have_scale:
            factors *= np.exp(size - size.max())
        wanted, products = wanted * factors[:, None], products * factors[:, None]
        if width != NARROW_WEIGHT.width:
            chosen, correction = corrected, None
            actual = products @ corrected.reshape(n_outputs, -1).T
        else:
            chosen, correction, actual = _best(corrected, products, wanted, node.last, least_step)
        results[node.destination] = wanted, actual, correction, size
        rounded.append(replace(item, weights=chosen))
    return rounded


def _products(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """Return the products of all entries of two vectors a sample: (n_samples, left * right)."""
    left, right = vectors
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def _best(
    weights: np.ndarray, products: np.ndarray, wanted: np.ndarray, last: bool, least_step: float
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Round the weights of a node with the step that suits the samples best.

    Returns
    -------
    rounded : ndarray of float64
        The weights.
    correction : None or ndarray of float64 of shape (outputs, outputs)
        What turns the node's result into the wanted one, as nearly as possible; None of the last
        node, whose weights are scaled instead.
    actual : ndarray of float64 of shape (n_samples, outputs)
        The result of the rounded node, not corrected.
    """
    n_outputs = len(weights)
    (coarsest,) = weight_steps(weights.reshape(1, n_outputs, -1), NARROW_WEIGHT.width)
    flat = weights.reshape(n_outputs, -1)
    problem = _LeastSquares(flat, products, wanted)
    tried = []
    for step in sorted({max(share * coarsest, least_step) for share in STEPS}, reverse=True):
        integers = _nearest(flat / step)
        tried.append((_Result.of(step * integers, products, wanted, last), step, integers))
    tried.sort(key=lambda each: each[0].error)
    found = [result for result, _, integers in tried if _is_safe(integers)]
    for _, step, integers in tried[:REFINED]:
        integers = problem.refined(integers, step)
        if _is_safe(integers):
            found.append(_Result.of(step * integers, products, wanted, last))
    # The coarsest step is always safe.
    best = min(found, key=lambda result: result.error)
    return best.weights.reshape(weights.shape), best.correction, best.actual


def _nearest(shares: np.ndarray) -> np.ndarray:
    """Round to the nearest integer that a weight of 4 bits can be."""
    return np.clip(np.rint(shares), -NARROW_INTEGER, NARROW_INTEGER)


def _is_safe(integers: np.ndarray) -> bool:
    """Tell whether an accumulator can't overflow, so that the compiler keeps the step."""
    most = WEIGHT_SUM_LIMIT // NARROW_UNIT - integers.shape[1] / 2
    return float(np.abs(integers).sum(axis=1).max()) <= most or not integers.any()


@dataclass(frozen=True)
class _Result:
    """Weights of a node, (outputs, products), what they give, and what corrects it."""

    weights: np.ndarray
    correction: np.ndarray | None
    actual: np.ndarray
    error: float

    @classmethod
    def of(cls, weights: np.ndarray, products: np.ndarray, wanted: np.ndarray, last: bool) -> Self:
        actual = products @ weights.T
        if last:
            squares = float(np.sum(actual**2))
            scale = float(np.sum(actual * wanted)) / squares if squares > 0 else 1.0
            scale = scale if scale > 0 else 1.0
            error = float(np.sum((scale * actual - wanted) ** 2))
            return cls(scale * weights, None, scale * actual, error)
        moments = actual.T @ actual
        pull = RIDGE * float(np.trace(moments)) / len(weights) or 1.0
        pulled = pull * np.eye(len(weights))
        correction = np.linalg.solve(moments + pulled, actual.T @ wanted + pulled)
        error = float(np.sum((actual @ correction - wanted) ** 2))
        return cls(weights, correction.T, actual, error)


class _LeastSquares:
    """The weights with which products of samples come nearest to what is wanted.

    Parameters
    ----------
    weights : ndarray of float64 of shape (outputs, products)
        The weights in floating point, to which a slight pull draws the others.
    products : ndarray of float64 of shape (n_samples, products)
        What the weights are multiplied with.
    wanted : ndarray of float64 of shape (n_samples, outputs)
        The sums that they should give.
    """

    def __init__(self, weights: np.ndarray, products: np.ndarray, wanted: np.ndarray) -> None:
        moments = products.T @ products
        pull = PULL * float(np.trace(moments)) / len(moments) or 1.0
        self.moments = moments + pull * np.eye(len(moments))
        self.slope = products.T @ wanted + pull * weights.T

    def refined(self, integers: np.ndarray, step: float) -> np.ndarray:
        """Change integers one column after the other, each to what is best beside all others."""
        integers = integers.copy()
        gradient = step * self.moments @ integers.T - self.slope
        curvatures = step * np.diag(self.moments)
        order = np.argsort(-curvatures)
        for _ in range(SWEEPS):
            for column in order:
                now = integers[:, column]
                better = _nearest(now - gradient[column] / curvatures[column])
                change = better - now
                if change.any():
                    gradient += np.outer(self.moments[:, column], step * change)
                    integers[:, column] = better
        return integers
