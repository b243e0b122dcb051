"""Bit-exact model of the contractor, vectorised over samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.contractor.program import Node, OperandKind
from ...contract.contractor.results import Results
from ...contract.fixed import ACCUMULATOR, EXPONENT, MANTISSA, round_shift, saturate
from .cycles import cycle_count

BATCH = 1024
"""Samples contracted at once: bounds the memory that the products take."""


def contract(
    nodes: Sequence[Node],
    weights: Sequence[np.ndarray],
    table: np.ndarray,
    levels: np.ndarray,
    lanes: int,
) -> Results:
    """Contract samples as the gateware does.

    Parameters
    ----------
    nodes : sequence of Node
    weights : sequence of ndarray of int8, shape (outputs, left.size, right.size)
    table : ndarray of int16, shape (components, 256)
        Feature table.
    levels : ndarray of uint8, shape (n, features)
    lanes : int
        Multiply-accumulators; matters for the cycles only.

    Returns
    -------
    Results
    """
    levels = np.asarray(levels, dtype=np.uint8)
    factors = [w.reshape(w.shape[0], -1).T.astype(np.float64) for w in weights]
    batches = [
        _contract_batch(nodes, factors, table, levels[first : first + BATCH])
        for first in range(0, max(len(levels), 1), BATCH)
    ]
    scores = np.concatenate([batch[0] for batch in batches]).astype(np.int16)
    return Results(
        scores,
        np.concatenate([batch[1] for batch in batches]).astype(np.uint16),
        np.argmax(scores, axis=1),
        np.full(len(levels), cycle_count(nodes, lanes), dtype=np.int64),
    )


def _contract_batch(nodes, factors, table, levels) -> tuple[np.ndarray, np.ndarray]:
    samples = len(levels)
    vectors: dict[int, np.ndarray] = {}
    exponents: dict[int, np.ndarray] = {}
    none = np.zeros(samples, dtype=np.int64)

    def fetch(operand):
        if operand.kind is OperandKind.FEATURE:
            return table[: operand.size, levels[:, operand.index]].T.astype(np.int64), none
        return vectors[operand.index], exponents[operand.index]

    for node, factor in zip(nodes, factors):
        left, left_exponent = fetch(node.left)
        right, right_exponent = fetch(node.right)
        products = saturate(
            round_shift(left[:, :, None] * right[:, None, :], MANTISSA.f_bits), MANTISSA
        )
        # Exact: every partial sum is an integer far below 2**53.
        accumulators = (products.reshape(samples, node.elements) @ factor).astype(np.int64)
        mantissas, shift = normalise(accumulators)
        exponent = (left_exponent + right_exponent + shift) & EXPONENT.maximum
        if node.last:
            return mantissas, exponent
        vectors[node.destination], exponents[node.destination] = mantissas, exponent
    raise ValueError("the program has no last node")


def normalise(accumulators: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each row one exponent (block floating point).

    Parameters
    ----------
    accumulators : ndarray of int64, shape (n, outputs)
        Within `ACCUMULATOR`.

    Returns
    -------
    mantissas : ndarray of int64, shape (n, outputs)
        Within `MANTISSA`; the greatest of a row uses the full range.
    shift : ndarray of int64, shape (n,)
        Left shift of the accumulators before their upper half was kept, 0..31.
    """
    # As in the gateware: -2**31 needs as many bits as 2**31 - 1.
    magnitude = np.bitwise_or.reduce(accumulators ^ (accumulators >> 63), axis=1)
    _, bit_length = np.frexp(magnitude.astype(np.float64))
    shift = (ACCUMULATOR.width - 1) - bit_length.astype(np.int64)
    mantissas = round_shift(accumulators << shift[:, None], ACCUMULATOR.width - MANTISSA.width)
    return saturate(mantissas, MANTISSA), shift
