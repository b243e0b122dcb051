"""Scores of a program as a smooth function of the samples, and their gradient.

What a board computes is a step function: a value is rounded to a level, and vectors are rounded to
16 bits. Its gradient is zero or does not exist. So the steps are taken for samples of a smooth
function, which is differentiated instead:

- A value's level is not rounded: it is a number from 0 to 255, and rises linearly within a piece of
  the scale. Beyond the ends of the scale, where values are clipped, it is constant.
- Between levels, the feature vector is interpolated by cubics (Catmull and Rom), so that it has the
  table's entries at the levels and a continuous derivative.
- Nodes are contracted in float64 with the weights of the program, which are those of the board.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..contract.contractor.program import Node, Operand, OperandKind
from ..contract.fixed import ACCUMULATOR, MANTISSA

_NODE_SHIFT = MANTISSA.f_bits + ACCUMULATOR.width - MANTISSA.width
"""A node's value is the sum of its products of mantissas, times 2 to minus this."""

_BATCH_NUMBERS = 1 << 21
"""Most numbers of the largest intermediate array, 16 MiB: samples are computed in batches."""

Weights = Callable[[np.ndarray, slice], np.ndarray]
"""Gives weights of scores, from the scores of some samples and the places of these."""


class Scale(NamedTuple):
    """How values of one feature become numbers of levels: by straight lines between points.

    Parameters
    ----------
    values, levels : ndarray of float64 of shape (n_points,)
        The points, in rising order. Beyond the first and the last, the level is constant.
    least, greatest : int
        Least and greatest level that any value has.
    """

    values: np.ndarray
    levels: np.ndarray
    least: int
    greatest: int

    def at(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return levels as numbers, and their derivative by the value.

        Parameters
        ----------
        x : ndarray of float64 of shape (n_samples,)
            Values, without NaN.

        Returns
        -------
        levels, slopes : ndarray of float64 of shape (n_samples,)
            Numbers from `least` to `greatest`, and how fast they rise: 0 beyond the ends, and at
            an end as within.
        """
        values, levels = self.values, self.levels
        pieces = np.flatnonzero(values[1:] > values[:-1])
        if not len(pieces):
            return np.full(len(x), float(self.least)), np.zeros(len(x))
        begin, end = values[pieces], values[pieces + 1]
        # Halved, as the difference of two large numbers of opposite sign can overflow.
        rise = (levels[pieces + 1] - levels[pieces]) / 2 / (end / 2 - begin / 2)
        inside = np.clip(x, values[0], values[-1])
        piece = np.maximum(np.searchsorted(begin, inside, side="right") - 1, 0)
        found = levels[pieces][piece] + rise[piece] * (inside - begin[piece])
        return np.clip(found, self.least, self.greatest), np.where(inside == x, rise[piece], 0.0)


def scale_of_boundaries(boundaries: np.ndarray) -> Scale:
    """Draw straight lines through the boundaries of levels, which lie half way between two.

    Parameters
    ----------
    boundaries : ndarray of float of shape (255,)
        Entry k is the least value with a level above k; infinite if there is none.

    Returns
    -------
    Scale
        Where several levels begin at one value, the line goes through the middle of the step. A
        scale of a single step is constant, and its slope is 0.
    """
    least = int(np.sum(boundaries == -np.inf))
    greatest = int(np.sum(boundaries < np.inf))
    finite = np.asarray(boundaries[least:greatest], dtype=np.float64)
    values, first, counts = np.unique(finite, return_index=True, return_counts=True)
    levels = least + first + counts / 2
    if len(values) < 2:
        return Scale(values, levels, least, greatest)
    # The lines at the ends go on to the least and the greatest level.
    below = values[0] - (levels[0] - least) * (values[1] - values[0]) / (levels[1] - levels[0])
    above = values[-1] + (greatest - levels[-1]) * (values[-1] - values[-2]) / (
        levels[-1] - levels[-2]
    )
    return Scale(
        np.concatenate([[below], values, [above]]),
        np.concatenate([[least], levels, [greatest]]),
        least,
        greatest,
    )


def interpolated(
    table: np.ndarray, levels: np.ndarray, least: int, greatest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate the feature table between its levels.

    Parameters
    ----------
    table : ndarray of int16 of shape (components, 256)
        The feature table.
    levels : ndarray of float64 of shape (n_samples,)
        Levels as numbers from `least` to `greatest`.
    least, greatest : int
        Levels that values have; others, such as that of missing values, are not looked at.

    Returns
    -------
    vectors, derivatives : ndarray of float64 of shape (n_samples, components)
        Mantissas, and their derivatives by the level.
    """
    entries = table.astype(np.float64)
    if least == greatest:
        vector = entries[:, least]
        return np.tile(vector, (len(levels), 1)), np.zeros((len(levels), len(vector)))
    slopes = np.zeros_like(entries)
    slopes[:, least : greatest + 1] = np.gradient(entries[:, least : greatest + 1], axis=1)
    begin = np.clip(np.floor(levels).astype(np.int64), least, greatest - 1)
    t = levels - begin
    low, high = entries[:, begin], entries[:, begin + 1]
    low_slope, high_slope = slopes[:, begin], slopes[:, begin + 1]
    rise = high - low
    # Hermite's cubic: entries and slopes of both ends.
    square, cube = low_slope + high_slope - 2 * rise, 3 * rise - 2 * low_slope - high_slope
    vectors = low + t * (low_slope + t * (cube + t * square))
    derivatives = low_slope + t * (2 * cube + 3 * t * square)
    return vectors.T, derivatives.T


def feature_vectors(
    table: np.ndarray, levels: np.ndarray, slopes: np.ndarray, scales: Sequence[Scale]
) -> tuple[np.ndarray, np.ndarray]:
    """Look features up in a table, between its levels too.

    Parameters
    ----------
    table : ndarray of int16 of shape (components, 256)
        The feature table.
    levels, slopes : ndarray of float64 of shape (n_samples, n_features)
        Levels as numbers, and their derivatives by the values.
    scales : sequence of Scale
        The scale of each feature. A level beyond it is that of a missing value, and whole.

    Returns
    -------
    vectors, derivatives : ndarray of float64 of shape (n_samples, n_features, components)
        Mantissas, and their derivatives by the values.
    """
    shape = *levels.shape, len(table)
    vectors, derivatives = np.empty(shape), np.empty(shape)
    for feature, scale in enumerate(scales):
        column = levels[:, feature]
        inside = np.clip(column, scale.least, scale.greatest)
        found, by_level = interpolated(table, inside, scale.least, scale.greatest)
        beyond = (inside != column)[:, None]
        vectors[:, feature] = np.where(beyond, table[:, column.astype(np.int64)].T, found)
        derivatives[:, feature] = by_level * slopes[:, feature, None]
    return vectors, derivatives


def contract_with_gradient(
    nodes: Sequence[Node],
    weights: Sequence[np.ndarray],
    vectors: np.ndarray,
    derivatives: np.ndarray,
    log2_scale: float,
    weighted_by: Weights | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Contract a program in float64, and differentiate its scores by the features' levels.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    weights : sequence of ndarray of int8 of shape (outputs, left.size, right.size)
        Weight tensor of each node.
    vectors, derivatives : ndarray of float64 of shape (n_samples, n_features, components)
        The vector of each feature, and its derivative.
    log2_scale : float
        Base-2 logarithm of the unit of the scores.
    weighted_by : callable, optional
        Takes the scores of some samples and a slice that says which, and returns weights of the
        scores' shape. A single sum of scores is then differentiated for each sample, which takes
        less time than all scores do.

    Returns
    -------
    scores : ndarray of float64 of shape (n_samples, n_outputs)
        The scores.
    gradient : ndarray of float64 of shape (n_samples, n_outputs or 1, n_features)
        Their derivatives, or that of the weighted sum. What float64 cannot hold is its greatest
        number.
    """
    samples, features, _ = vectors.shape
    outputs = nodes[-1].outputs
    sums = outputs if weighted_by is None else 1
    largest = max(node.elements for node in nodes) * sums
    step = max(1, _BATCH_NUMBERS // largest)
    scores = np.empty((samples, outputs))
    gradient = np.zeros((samples, sums, features))
    factors = [w.reshape(len(w), -1).astype(np.float64) for w in weights]
    for first in range(0, samples, step):
        rows = slice(first, first + step)
        batch = _Contraction(nodes, factors, vectors[rows], log2_scale)
        scores[rows] = batch.scores()
        directions = np.broadcast_to(np.eye(outputs), (len(scores[rows]), outputs, outputs))
        if weighted_by is not None:
            directions = weighted_by(scores[rows], rows)[:, None, :]
        batch.differentiate(directions, derivatives[rows], gradient[rows])
    return scores, gradient


class _Contraction:
    """A batch of samples on its way through the nodes; numbers have exponents of their own.

    Products of hundreds of vectors leave the range of float64 long before the scores do.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        factors: Sequence[np.ndarray],
        vectors: np.ndarray,
        log2_scale: float,
    ) -> None:
        self._nodes, self._factors, self._vectors = nodes, factors, vectors
        self._whole = int(np.floor(log2_scale))
        self._rest = 2.0 ** (log2_scale - self._whole)
        self._values: list[tuple[np.ndarray, np.ndarray]] = []
        # The node that made each operand that is a vector: slots are used again and again.
        self._makers: list[tuple[int, int]] = []
        slots: dict[int, int] = {}
        for index, (node, factor) in enumerate(zip(nodes, factors)):
            makers = tuple(slots.get(side.index, -1) for side in (node.left, node.right))
            self._makers.append((makers[0], makers[1]))
            left, left_exponent = self._fetch(node.left, makers[0])
            right, right_exponent = self._fetch(node.right, makers[1])
            products = left[:, :, None] * right[:, None, :]
            value, exponent = _normalised(products.reshape(len(left), -1) @ factor.T)
            exponent += left_exponent + right_exponent - _NODE_SHIFT
            self._values.append((value, exponent))
            slots[node.destination] = index

    def _fetch(self, operand: Operand, maker: int) -> tuple[np.ndarray, np.ndarray]:
        if operand.kind is OperandKind.FEATURE:
            vectors = self._vectors[:, operand.index, : operand.size]
            return vectors, np.zeros(len(vectors), dtype=np.int64)
        return self._values[maker]

    def scores(self) -> np.ndarray:
        """Give the scores: ndarray of float64 of shape (n_samples, n_outputs)."""
        value, exponent = self._values[-1]
        return self._scaled(value, exponent[:, None])

    def differentiate(
        self, directions: np.ndarray, derivatives: np.ndarray, gradient: np.ndarray
    ) -> None:
        """Add the derivatives by each feature to a gradient of zeros, from the last node back.

        Parameters
        ----------
        directions : ndarray of float64 of shape (n_samples, n_sums, n_outputs)
            The sums of scores that are differentiated, each by the weights of the scores.
        derivatives : ndarray of float64 of shape (n_samples, n_features, components)
            Derivative of each feature's vector.
        gradient : ndarray of float64 of shape (n_samples, n_sums, n_features)
            Where the derivatives are added.
        """
        samples, outputs = directions.shape[:2]
        # The derivative of each sum by each entry of a node's value, and its exponents.
        adjoints: dict[int, tuple[np.ndarray, np.ndarray]] = {
            len(self._nodes) - 1: (directions, np.zeros((samples, outputs), dtype=np.int64))
        }
        for index in reversed(range(len(self._nodes))):
            if index not in adjoints:
                continue  # nothing reads it
            node, (adjoint, exponent) = self._nodes[index], adjoints.pop(index)
            bilinear = (adjoint @ self._factors[index]).reshape(
                samples, outputs, node.left.size, node.right.size
            )
            operands = (node.left, node.right)
            fetched = [self._fetch(*each) for each in zip(operands, self._makers[index])]
            for side in (0, 1):
                other, other_exponent = fetched[1 - side]
                sums = "soab,sb->soa" if side == 0 else "soab,sa->sob"
                found, shift = _normalised(np.einsum(sums, bilinear, other))
                shift += exponent + other_exponent[:, None] - _NODE_SHIFT
                operand, maker = operands[side], self._makers[index][side]
                if operand.kind is OperandKind.FEATURE:
                    by = derivatives[:, operand.index, : operand.size]
                    added = np.einsum("soa,sa->so", found, by)
                    gradient[:, :, operand.index] += self._scaled(added, shift)
                else:
                    adjoints[maker] = _sum(adjoints.get(maker), (found, shift))

    def _scaled(self, values: np.ndarray, exponents: np.ndarray) -> np.ndarray:
        # Far beyond these limits, where ldexp's own integers end, all is 0 or too large anyway.
        shift = np.clip(exponents + self._whole, -5000, 5000)
        with np.errstate(over="ignore"):
            return np.nan_to_num(np.ldexp(values * self._rest, shift))


def _normalised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scale the last axis so that its greatest magnitude is 0.5 to 1; return the exponents too."""
    _, exponents = np.frexp(np.abs(values).max(axis=-1))
    exponents = exponents.astype(np.int64)
    return np.ldexp(values, -exponents[..., None]), exponents


def _sum(
    one: tuple[np.ndarray, np.ndarray] | None, other: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Add two arrays with exponents; the first may be missing."""
    if one is None:
        return other
    exponents = np.maximum(one[1], other[1])
    parts = [
        np.ldexp(values, np.maximum(own - exponents, -5000)[..., None])
        for values, own in (one, other)
    ]
    return parts[0] + parts[1], exponents
