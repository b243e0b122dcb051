"""Bit-exact model of the contractor, vectorised over samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.contractor.latency import SHORT, Pipeline
from ...contract.contractor.program import Node, Operand, OperandKind
from ...contract.contractor.results import ContractorResults
from ...contract.fixed import ACCUMULATOR, EXPONENT, MANTISSA, round_shift, saturate
from .cycles import cycle_count

BATCH = 1024
"""Samples contracted at once at most. It bounds the memory that the products take: some hundred
megabytes for the widest node."""

State = dict[int, tuple[np.ndarray, np.ndarray]]
"""Contents of the vector slots by their number: mantissas and exponents of each sample."""


class GoldenContractor:
    """A contractor that holds a program, in NumPy.

    What does not depend on the samples is computed once.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    weights : sequence of ndarray of int8 of shape (outputs, left.size, right.size)
        Weight tensor of each node.
    table : ndarray of int16 of shape (components, 256)
        Feature table: the mantissas of each component for each level.
    lanes : int
        Multiply-accumulators that work on one sample. Only the cycles depend on them.
    pipeline : Pipeline, default=SHORT
        Latencies of the contractor, `ContractorSize.latencies`. Only the cycles depend on them.
    protected : bool, optional
        Whether it runs as a protected program; by default, whether any of its nodes is. Only the
        cycles depend on it.

    Attributes
    ----------
    cycles : int
        Clock cycles that each sample takes.

    Examples
    --------
    A node that adds the products of equal components, and two samples of two features:

    >>> import numpy as np
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> from tensorspin.golden.contractor import GoldenContractor
    >>> first, second = (Operand(OperandKind.FEATURE, index, size=2) for index in (0, 1))
    >>> node = Node(first, second, outputs=1, destination=0, wait=False, last=True)
    >>> weights = np.array([[[1, 0], [0, 1]]], dtype=np.int8)
    >>> table = np.stack([np.arange(256) * 128, np.arange(255, -1, -1) * 128]).astype(np.int16)
    >>> contractor = GoldenContractor([node], [weights], table, lanes=8)
    >>> results = contractor.run(np.array([[255, 255], [255, 128]], dtype=np.uint8))
    >>> (results.scores * 2.0 ** -results.exponents[:, np.newaxis].astype(int)).tolist()
    [[0.49609375], [0.2490234375]]
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        weights: Sequence[np.ndarray],
        table: np.ndarray,
        lanes: int,
        pipeline: Pipeline = SHORT,
        protected: bool | None = None,
    ) -> None:
        self.cycles = cycle_count(nodes, lanes, pipeline, protected)
        self._nodes = nodes
        self._factors = [w.reshape(w.shape[0], -1).T.astype(np.float64) for w in weights]
        self._table = table

    def run(self, levels: np.ndarray) -> ContractorResults:
        """Contract samples as the gateware does.

        Parameters
        ----------
        levels : ndarray of uint8 of shape (n_samples, n_features)
            One level for each feature.

        Returns
        -------
        ContractorResults
            Scores, exponents, classes and cycles of each sample.
        """
        levels = np.asarray(levels, dtype=np.uint8)
        batches = [
            self._contract_batch(levels[first : first + BATCH])
            for first in range(0, max(len(levels), 1), BATCH)
        ]
        scores = np.concatenate([batch[0] for batch in batches]).astype(np.int16)
        return ContractorResults(
            scores,
            np.concatenate([batch[1] for batch in batches]).astype(np.uint16),
            np.argmax(scores, axis=1),
            np.full(len(levels), self.cycles, dtype=np.int64),
        )

    def _contract_batch(self, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mantissas and the exponents of the scores, both int64."""
        samples = len(levels)
        state: State = {}
        for node, factor in zip(self._nodes, self._factors):
            left, left_exponent = self._fetch(node.left, levels, state)
            right, right_exponent = self._fetch(node.right, levels, state)
            products = saturate(
                round_shift(left[:, :, None] * right[:, None, :], MANTISSA.f_bits), MANTISSA
            )
            # Floats, because NumPy multiplies their matrices much faster than those of integers.
            # The result is exact: every partial sum is an integer far below 2**53.
            sums = (products.reshape(samples, len(factor)) @ factor).astype(np.int64)
            accumulators = sums.astype(np.int32).astype(np.int64)  # only faulty weights overflow
            mantissas, shift = normalise(accumulators)
            exponent = (left_exponent + right_exponent + shift) & EXPONENT.maximum
            if node.last:
                return mantissas, exponent
            self._store(node, mantissas, exponent, state)
        raise ValueError("the program has no last node")

    def _fetch(
        self, operand: Operand, levels: np.ndarray, state: State
    ) -> tuple[np.ndarray, np.ndarray]:
        """Read an operand of each sample: mantissas and exponents, both int64."""
        if operand.kind is OperandKind.FEATURE:
            rows = self._table[: operand.size, levels[:, operand.index]]
            return rows.T.astype(np.int64), np.zeros(len(levels), dtype=np.int64)
        return state[operand.index]

    def _store(self, node: Node, mantissas: np.ndarray, exponent: np.ndarray, state: State) -> None:
        """Write the result of a node to its slot."""
        state[node.destination] = mantissas, exponent


def contract(
    nodes: Sequence[Node],
    weights: Sequence[np.ndarray],
    table: np.ndarray,
    levels: np.ndarray,
    lanes: int,
    pipeline: Pipeline = SHORT,
) -> ContractorResults:
    """Contract samples with a program that is used once; see `GoldenContractor`.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    weights : sequence of ndarray of int8 of shape (outputs, left.size, right.size)
        Weight tensor of each node.
    table : ndarray of int16 of shape (components, 256)
        Feature table: the mantissas of each component for each level.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        One level for each feature of each sample.
    lanes : int
        Multiply-accumulators that work on one sample. Only the cycles depend on them.
    pipeline : Pipeline, default=SHORT
        Latencies of the contractor. Only the cycles depend on them.

    Returns
    -------
    ContractorResults
        Scores, exponents, classes and cycles of each sample.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> from tensorspin.golden.contractor import contract
    >>> feature = Operand(OperandKind.FEATURE, index=0, size=1)
    >>> node = Node(feature, feature, outputs=2, destination=0, wait=False, last=True)
    >>> weights = np.array([[[1]], [[2]]], dtype=np.int8)
    >>> table = np.full((1, 256), 16384, dtype=np.int16)
    >>> levels = np.zeros((1, 1), dtype=np.uint8)
    >>> contract([node], [weights], table, levels, lanes=8).classes.tolist()
    [1]
    """
    return GoldenContractor(nodes, weights, table, lanes, pipeline).run(levels)


def normalise(accumulators: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each row one exponent (block floating point).

    Parameters
    ----------
    accumulators : ndarray of int64 of shape (n_samples, outputs)
        Sums of a node, within `ACCUMULATOR`.

    Returns
    -------
    mantissas : ndarray of int64 of shape (n_samples, outputs)
        The sums within `MANTISSA`; the greatest of a row uses the full range.
    shift : ndarray of int64 of shape (n_samples,)
        Bits, 0 to 31, by which the accumulators were shifted left before their upper half was kept.
    """
    # As in the gateware, a negative sum counts as its ones' complement. So -2**31 needs as many
    # bits as 2**31 - 1, and one shift serves both.
    magnitude = np.bitwise_or.reduce(accumulators ^ (accumulators >> 63), axis=1)
    _, bit_length = np.frexp(magnitude.astype(np.float64))
    shift = (ACCUMULATOR.width - 1) - bit_length.astype(np.int64)
    mantissas = round_shift(accumulators << shift[:, None], ACCUMULATOR.width - MANTISSA.width)
    return saturate(mantissas, MANTISSA), shift
