"""Turn a program into what a spatial engine of its shape is loaded with.

The numbers of a program become narrower, and the exponents that a contractor finds for each sample
become shifts that stay. All scales are powers of two, so that scores mean the same as those of a
contractor, with an exponent that is the same for all samples. A node's shift is the least with
which no sample is saturated that a search for the greatest sums has found.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..contract.contractor.program import Operand, OperandKind
from ..contract.fixed import EXPONENT, MANTISSA
from ..contract.spatial.arithmetic import SHIFTS, has_weights, least_shift, output_bits
from ..contract.spatial.image import LEVELS, NetworkNumbers, pack_image
from ..contract.spatial.size import SpatialSize, TreeNode
from ..errors import ShapeError, TensorspinError
from ..golden.spatial.contraction import GoldenSpatial, node_sums, node_vector

if TYPE_CHECKING:
    from .network_program import NetworkProgram

_TRAIN_A_TREE = "train one network, with TTNClassifier or tensorspin train --estimator ttn"

_STARTS = 8
"""Samples from which the search for a node's greatest sums begins."""

_SWEEPS = 2
"""How often each feature's level is chosen anew in that search."""


def spatial_size(
    program: NetworkProgram,
    *,
    value_bits: int = 16,
    weight_bits: int = 8,
    multipliers: int = 0,
) -> SpatialSize:
    """Give the size of a spatial engine for a program.

    Parameters
    ----------
    program : NetworkProgram
        A program whose nodes are a tree, such as that of a `TTNClassifier`.
    value_bits, weight_bits, multipliers : int
        As for `SpatialSize`.

    Returns
    -------
    SpatialSize
        The size, whose shape is that of the program.

    Raises
    ------
    ShapeError
        If the program's nodes are no tree, or the tree is larger than any engine's.
    """
    nodes = [(tree.node.left, tree.node.right, tree.node.outputs) for tree in _tree(program)]
    try:
        return SpatialSize.of_tree(
            program.n_features,
            nodes,
            components=len(program.table),
            value_bits=value_bits,
            weight_bits=weight_bits,
            multipliers=multipliers,
        )
    except ValueError as error:
        raise ShapeError(f"the program fits no spatial engine: {error}") from error


def check_shape(program: NetworkProgram, size: SpatialSize, owner: str) -> None:
    """Refuse a program of another shape than an engine's.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    size : SpatialSize
        Size of the engine.
    owner : str
        Who has the engine, for the message.

    Raises
    ------
    ShapeError
        With both shapes.
    """
    own = spatial_size(program)
    if own.shape != size.shape:
        raise ShapeError(
            f"{owner} runs networks of {size.shape_text} (bond dimensions behind each pair), not "
            f"the program's {own.shape_text}; build a bitstream of the program's shape with "
            f"tensorspin spatial, or load a program of the board's"
        )


@dataclass(frozen=True, eq=False)
class _Tensor:
    """A node of a program as a node of a tree.

    Parameters
    ----------
    node : TreeNode
        The node.
    weights : ndarray of int64 of shape (outputs, left, right)
        Its weights, with as many entries for a feature as the program's table has components.
    """

    node: TreeNode
    weights: np.ndarray


def _tree(program: NetworkProgram) -> list[_Tensor]:
    """Take a program's nodes as a tree: each vector that a node writes is read once."""
    components, n_features = len(program.table), program.n_features
    held: dict[int, int] = {}  # number of the vector in each slot that waits there
    tree = []
    for index, (node, weights) in enumerate(zip(program.nodes, program.weights)):
        name = program.names[index]
        left, right = (_child(operand, held, name) for operand in (node.left, node.right))
        padding = [
            (0, components - operand.size if operand.kind is OperandKind.FEATURE else 0)
            for operand in (node.left, node.right)
        ]
        tensor = np.pad(weights.astype(np.int64), [(0, 0), *padding])
        if left < n_features <= right:
            left, right, tensor = right, left, tensor.transpose(0, 2, 1)
        if node.destination in held:
            raise ShapeError(
                f"the program is no tree: node {name!r} overwrites a vector that no node has read; "
                f"{_TRAIN_A_TREE}"
            )
        held[node.destination] = n_features + index
        tree.append(_Tensor(TreeNode(left, right, node.outputs), tensor))
    if len(held) != 1:
        raise ShapeError(
            f"the program is no tree: it ends with {len(held)} vectors, not 1; {_TRAIN_A_TREE}"
        )
    return tree


def _child(operand: Operand, held: dict[int, int], name: str) -> int:
    """Give the number of what an operand reads, and forget the vector that it was."""
    if operand.kind is OperandKind.FEATURE:
        return operand.index
    if operand.index not in held:
        raise ShapeError(
            f"the program is no tree: node {name!r} reads a vector that another node has read "
            f"already, as in an ensemble; {_TRAIN_A_TREE}"
        )
    return held.pop(operand.index)


class SpatialProgram:
    """A program for a spatial engine of its shape.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    size : SpatialSize
        Size of the engine.

    Attributes
    ----------
    parameters : NetworkNumbers
        What the engine is loaded with.

    Raises
    ------
    ShapeError
        If the program has another shape.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.models import TTNClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> program = TTNClassifier(4, n_repeats=1, epochs=20, random_state=0).fit(X, y).quantize()
    >>> spatial = SpatialProgram(program, spatial_size(program, value_bits=12))
    >>> bool(np.mean(spatial.predict(X) == y) > 0.9)
    True
    """

    def __init__(self, program: NetworkProgram, size: SpatialSize) -> None:
        check_shape(program, size, "the engine")
        self.program = program
        self.size = size
        self.parameters = _Quantiser(program, size).parameters()

    @cached_property
    def image(self) -> bytes:
        """Content of the engine's memory."""
        return pack_image(self.size, self.parameters)

    @cached_property
    def digest(self) -> int:
        """CRC-32 of all that is uploaded."""
        return zlib.crc32(self.image + self.program.n_features.to_bytes(2, "little"))

    def predict(self, X) -> np.ndarray:
        """Predict with the golden model of the engine.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples, as `NetworkProgram.levels` takes them.

        Returns
        -------
        ndarray of shape (n_samples,)
            Predictions.
        """
        results = GoldenSpatial(self.size, self.parameters).run(self.program.levels(X))
        return self.program.interpret(results.scores, results.exponents)


class _Quantiser:
    """Chooses tables, weights and shifts, node after node."""

    def __init__(self, program: NetworkProgram, size: SpatialSize) -> None:
        self._size = size
        self._tree = _tree(program)
        self._features = program.table.T.astype(np.int64)  # of shape (256, components)

    def parameters(self) -> NetworkNumbers:
        """Give all numbers of the engine's image."""
        size = self._size
        tables: list[np.ndarray] = []
        weights: dict[int, np.ndarray] = {}
        shifts: list[int] = []
        # Vector entries are the program's, as integers of its own format, times two to this power.
        powers: list[int] = []
        for index, tensor in enumerate(self._tree):
            node = tensor.node
            if has_weights(size, node):
                weights[index], power = _scaled(tensor.weights, size.weight_bits)
                # The product of two vectors loses bits; so does the contractor's.
                power += sum(powers[child - size.inputs] for child in (node.left, node.right))
                power -= size.value_bits - 1
            else:
                rows = np.einsum("kab,lb->lka", tensor.weights, self._features)
                rows, power = _scaled(rows.reshape(LEVELS, -1), size.value_bits)
                if size.is_feature(node.left):
                    left, left_power = _scaled(self._features, size.value_bits)
                    tables.append(left)
                    power += left_power
                else:
                    power += powers[node.left - size.inputs]
                tables.append(rows)
            found = NetworkNumbers(tables, weights, shifts, 0)
            total = self._shift(found, index)
            shifts.append(total - least_shift(size, node))
            powers.append(power + _PROGRAM_SHIFT - total)
        # scores = mantissas * 2**-exponent, as those of a contractor
        exponent = powers[-1]
        if not EXPONENT.minimum <= exponent <= EXPONENT.maximum:
            raise TensorspinError(
                f"the scores would have the exponent {exponent}, not one of 16 bits"
            )
        return NetworkNumbers(tables, weights, shifts, exponent)

    def _shift(self, found: NetworkNumbers, index: int) -> int:
        """Give the shift of a node, all of whose children have theirs."""
        size, node = self._size, self._size.tree[index]
        greatest = _greatest_sum(size, found, index)
        needed = max(0, greatest.bit_length() - (output_bits(size, node) - 1))
        least = least_shift(size, node)
        return min(max(needed, least), least + SHIFTS - 1)


_PROGRAM_SHIFT = 2 * MANTISSA.f_bits + 1
"""Bits by which a contractor's products and sums are shifted in a node before it normalises them:
a product of two mantissas by 15, a sum by 16."""


def _scaled(numbers: np.ndarray, bits: int) -> tuple[np.ndarray, int]:
    """Scale integers by the power of two with which they fill a width, and give the power."""
    greatest = max(1, int(np.abs(numbers).max()))
    limit = (1 << (bits - 1)) - 1
    power = int(np.floor(np.log2(limit / greatest)))
    return np.clip(np.rint(np.ldexp(numbers.astype(float), power)), -limit, limit).astype(
        np.int64
    ), power


def _greatest_sum(size: SpatialSize, found: NetworkNumbers, index: int) -> int:
    """Search for the greatest magnitude of a node's sums that any sample can bring.

    The level of one feature after the other is chosen anew, from several samples on: the sum is
    linear in each feature's vector, and so such a search hardly ever stops short of the maximum.
    """
    features, nodes = _below(size, index)
    random = np.random.default_rng(index)
    levels = random.integers(0, LEVELS, (_STARTS, size.inputs))
    greatest = 0
    for _ in range(_SWEEPS):
        for feature in features:
            tried = np.repeat(levels, LEVELS, axis=0)
            tried[:, feature] = np.tile(np.arange(LEVELS), _STARTS)
            sums = np.abs(_sums_of(size, found, nodes, tried)).max(axis=1)
            sums = sums.reshape(_STARTS, LEVELS)
            levels[:, feature] = sums.argmax(axis=1)
            greatest = max(greatest, int(sums.max()))
    return greatest


def _sums_of(
    size: SpatialSize, found: NetworkNumbers, nodes: Sequence[int], levels: np.ndarray
) -> np.ndarray:
    """Compute the sums of the last of some nodes, which are all that it depends on."""
    vectors: list[np.ndarray] = [np.empty(0)] * len(size.nodes)
    for index in nodes[:-1]:
        sums = node_sums(size, found, index, vectors, levels)
        vectors[index] = node_vector(size, found, index, sums)
    return node_sums(size, found, nodes[-1], vectors, levels)


def _below(size: SpatialSize, root: int) -> tuple[list[int], list[int]]:
    """List the features and the nodes, in their order, that a node depends on; itself included."""
    features: set[int] = set()
    nodes: set[int] = set()
    waiting = [root]
    while waiting:
        index = waiting.pop()
        nodes.add(index)
        for child in (size.tree[index].left, size.tree[index].right):
            if size.is_feature(child):
                features.add(child)
            else:
                waiting.append(child - size.inputs)
    return sorted(features), sorted(nodes)
