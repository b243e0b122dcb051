"""Random node programs that use every corner of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tensorspin.contract.contractor.image import program_image
from tensorspin.contract.contractor.memory import LEVELS
from tensorspin.contract.contractor.program import (
    MAX_OUTPUTS,
    WEIGHT_SUM_LIMIT,
    Node,
    Operand,
    OperandKind,
    is_protected,
)
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import MANTISSA, NARROW_STEP, WEIGHT


@dataclass(frozen=True)
class RandomProgram:
    """A program and its feature table.

    Attributes
    ----------
    nodes : list of Node
    weights : list of ndarray of int8 of shape (outputs, left.size, right.size)
    table : ndarray of int16 of shape (components, 256)
    features : int
        Features that a sample must have.
    """

    nodes: list[Node]
    weights: list[np.ndarray]
    table: np.ndarray
    features: int

    def image(self, lanes: int) -> bytes:
        """Bytes of the program memory."""
        return program_image(self.nodes, self.weights, lanes)

    def table_bytes(self) -> bytes:
        """Bytes of the feature table."""
        return self.table.astype("<i2").tobytes()

    @property
    def protected(self) -> bool:
        """Whether changed bits are corrected."""
        return is_protected(self.nodes)

    def as_protected(self) -> RandomProgram:
        """Give the same program with its narrow nodes protected; the same one if it has none."""
        nodes = [
            replace(node, narrow=False, protected=True) if node.narrow else node
            for node in self.nodes
        ]
        return replace(self, nodes=nodes)


def _limit_sum(weights: np.ndarray) -> np.ndarray:
    """Set weights to zero, from the end on, until the accumulators cannot overflow."""
    flat = weights.reshape(len(weights), -1)
    keep = np.cumsum(np.abs(flat.astype(np.int64)), axis=1) <= WEIGHT_SUM_LIMIT
    return np.where(keep, flat, 0).astype(np.int8).reshape(weights.shape)


def random_weights(
    rng: np.random.Generator, shape: tuple[int, int, int], narrow: bool = False
) -> np.ndarray:
    """Draw weights of one of several kinds: full range, small, extreme, sparse, zero."""
    character = rng.integers(6)
    if character == 0:
        weights = rng.choice([WEIGHT.minimum, WEIGHT.maximum], size=shape)
    elif character == 1:
        weights = rng.integers(-2, 3, size=shape)
    elif character == 2:
        weights = rng.integers(-100, 101, size=shape) * (rng.random(shape) < 0.1)
    elif character == 3 and rng.random() < 0.3:
        weights = np.zeros(shape)
    elif character == 4:
        weights = np.full(shape, rng.choice([WEIGHT.minimum, WEIGHT.maximum]))
    else:
        weights = rng.integers(WEIGHT.minimum, WEIGHT.maximum + 1, size=shape)
    if narrow:
        weights = weights // NARROW_STEP * NARROW_STEP
    return _limit_sum(weights.astype(np.int8))


def random_table(rng: np.random.Generator, size: ContractorSize) -> np.ndarray:
    """Draw a feature table with the extreme mantissas, and those about zero, among its entries."""
    shape = (size.components, LEVELS)
    table = rng.integers(MANTISSA.minimum, MANTISSA.maximum + 1, size=shape)
    corners = rng.choice([MANTISSA.minimum, MANTISSA.maximum, 0, 1, -1], size=shape)
    return np.where(rng.random(shape) < 0.3, corners, table).astype(np.int16)


def random_program(
    rng: np.random.Generator,
    size: ContractorSize,
    most_nodes: int = 12,
    outputs: Sequence[int] = (),
    components: int | None = None,
) -> RandomProgram:
    """Draw a sequence of nodes that read only what was written: chains, trees, and neither.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all choices.
    size : ContractorSize
        Size of the device, which the program fits.
    most_nodes : int
        Nodes at most.
    outputs : sequence of int
        Numbers of outputs that nodes may have; by default any that fits.
    components : int, optional
        Components of a feature at most; by default those of the device.
    """
    features = int(rng.integers(1, size.features + 1))
    count = int(rng.integers(1, most_nodes + 1))
    vectors: dict[int, int] = {}
    previous: int | None = None
    nodes, weights = [], []
    most_entries = int(rng.integers(1, size.slot_entries + 1))
    for number in range(count):
        last = number == count - 1
        operands = []
        for _ in range(2):
            slots = list(vectors)
            if slots and rng.random() < 0.6:
                slot = int(
                    previous if previous in vectors and rng.random() < 0.5 else rng.choice(slots)
                )
                operands.append(Operand(OperandKind.VECTOR, slot, vectors[slot]))
            else:
                feature = int(rng.integers(features))
                entries = int(rng.integers(1, (components or size.components) + 1))
                operands.append(Operand(OperandKind.FEATURE, feature, entries))
        left, right = operands
        if outputs:
            entries = int(rng.choice(outputs))
            entries = min(entries, MAX_OUTPUTS if last else size.slot_entries)
        else:
            entries = int(rng.integers(1, (MAX_OUTPUTS if last else most_entries) + 1))
        destination = int(rng.integers(size.slots))
        waits = any(
            operand.kind is OperandKind.VECTOR and operand.index == previous for operand in operands
        )
        # Some nodes wait without need: that must change the time and nothing else.
        wait = waits or bool(rng.random() < 0.1)
        narrow = bool(rng.random() < 0.4)
        nodes.append(Node(left, right, entries, destination, wait, last, narrow))
        weights.append(random_weights(rng, (entries, left.size, right.size), narrow))
        vectors[destination] = entries
        previous = destination
    return RandomProgram(nodes, weights, random_table(rng, size), features)


def short_program(rng: np.random.Generator, size: ContractorSize) -> RandomProgram:
    """Draw many nodes with few elements and outputs, so that they follow each other closely."""
    outputs = (1, 1, 1, 2, size.lanes - 1, size.lanes, size.lanes + 1, MAX_OUTPUTS)
    chosen = rng.choice(outputs, size=3).tolist()
    components = min(size.components, int(rng.integers(1, 3)))
    return random_program(rng, size, 30, outputs=chosen, components=components)


def exact_program(rng: np.random.Generator, size: ContractorSize, words: int) -> RandomProgram:
    """Draw a program that takes exactly so many words of the program memory, 2 at least."""
    nodes, weights = [], []
    while words:
        right = min(size.components, words - 1)
        if words - 1 - right == 1:
            right -= 1  # The last word alone would be a node without weights.
        words -= 1 + right
        operands = [Operand(OperandKind.FEATURE, 0, entries) for entries in (1, right)]
        nodes.append(Node(*operands, 3, 0, False, words == 0))
        weights.append(random_weights(rng, (3, 1, right)))
    return RandomProgram(nodes, weights, random_table(rng, size), 1)
