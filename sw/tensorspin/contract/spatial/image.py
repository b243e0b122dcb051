"""The bytes of a spatial network: tables, weights, shifts, exponent.

They stand in the order in which the device loads them, when a model is activated:

1. the tables of all nodes that read features: `LEVELS` rows each, a row in as few bytes as its
   entries take, `value_bits` each, the first in the lowest bits;
2. the weights of all other nodes, a byte each, of which the lowest `weight_bits` count: for each
   output, for each entry of the left vector, those of the right vector's entries;
3. the shift of each node, a byte each;
4. the exponent of the scores, two bytes.

A node of two features has two tables: the left feature's vector, and for each output and each
entry of it the weights summed over the right feature's vector. A node of a vector and a feature has
the second one only.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..fixed import LEVEL
from .arithmetic import has_weights, n_terms
from .size import SpatialSize, TreeNode

LEVELS = 1 << LEVEL.width
"""Rows of a table, one for each value that a level can have."""

EXPONENT_BYTES = 2
"""Bytes of the exponent at the end of an image."""


class SpatialSpace(enum.IntEnum):
    """Number of the spatial engine's memory, as requests name it."""

    IMAGE = 10


@dataclass(frozen=True)
class Table:
    """One table of a node.

    Parameters
    ----------
    node : int
        Index of the node.
    feature : int
        The feature whose level selects the row.
    entries : int
        Numbers in a row.
    """

    node: int
    feature: int
    entries: int


def tables(size: SpatialSize) -> list[Table]:
    """List the tables of an engine, in the order of its image.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    list of Table
        The tables; of a node of two features the left one's vector comes first.

    Examples
    --------
    >>> size = SpatialSize.of_tree(2, [(0, 1, 3)], components=2)
    >>> [(table.feature, table.entries) for table in tables(size)]
    [(0, 2), (1, 6)]
    """
    found = []
    for index, node in enumerate(size.tree):
        if size.is_feature(node.left):
            found.append(Table(index, node.left, size.components))
        if size.is_feature(node.right):
            entries = node.outputs * size.child_size(node.left)
            found.append(Table(index, node.right, entries))
    return found


def row_bytes(size: SpatialSize, table: Table) -> int:
    """Count the bytes of a table's row."""
    return -(-table.entries * size.value_bits // 8)


def weight_counts(size: SpatialSize) -> list[int]:
    """Count the weights of each node; none of those that have tables."""
    return [
        node.outputs * n_terms(size, node) if has_weights(size, node) else 0 for node in size.tree
    ]


def tail_bytes(size: SpatialSize) -> int:
    """Count the bytes of shifts and exponent."""
    return len(size.nodes) + EXPONENT_BYTES


def image_bytes(size: SpatialSize) -> int:
    """Count the bytes of an image.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.

    Returns
    -------
    int
        Bytes that a network of that shape is loaded with.
    """
    rows = sum(row_bytes(size, table) for table in tables(size))
    return LEVELS * rows + sum(weight_counts(size)) + tail_bytes(size)


def space_bits(size: SpatialSize) -> int:
    """Give the width of an address in `SpatialSpace.IMAGE`."""
    return (image_bytes(size) - 1).bit_length()


@dataclass(frozen=True, eq=False)
class NetworkNumbers:
    """The numbers of an image.

    Parameters
    ----------
    tables : sequence of ndarray of int64 of shape (256, entries)
        The tables, in the order of the function `tables`.
    weights : mapping of int to ndarray of int64 of shape (outputs, left, right)
        The weights of each node that has some, by its index.
    shifts : sequence of int
        The loaded shift of each node.
    exponent : int
        The exponent of the scores, 0 to 65,535.
    """

    tables: Sequence[np.ndarray]
    weights: Mapping[int, np.ndarray]
    shifts: Sequence[int]
    exponent: int


def weight_shape(size: SpatialSize, node: TreeNode) -> tuple[int, int, int]:
    """Give the shape of a node's weights: outputs, left, right."""
    return node.outputs, size.child_size(node.left), size.child_size(node.right)


def pack_image(size: SpatialSize, parameters: NetworkNumbers) -> bytes:
    """Lay a network's numbers out for `SpatialSpace.IMAGE`.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    parameters : NetworkNumbers
        The numbers; each must fit its width.

    Returns
    -------
    bytes
        Content of the memory from address 0 on.
    """
    image = bytearray()
    for table, rows in zip(tables(size), parameters.tables, strict=True):
        # Bits of each entry, the lowest first.
        bits = rows[:, :, np.newaxis] >> np.arange(size.value_bits) & 1
        packed = np.packbits(bits.reshape(LEVELS, -1).astype(np.uint8), axis=1, bitorder="little")
        assert packed.shape == (LEVELS, row_bytes(size, table))
        image += packed.tobytes()
    for index in sorted(parameters.weights):
        image += parameters.weights[index].astype(np.int8).tobytes()
    image += bytes(parameters.shifts) + parameters.exponent.to_bytes(EXPONENT_BYTES, "little")
    return bytes(image)


def unpack_image(size: SpatialSize, image: bytes) -> NetworkNumbers:
    """Read an image: the inverse of `pack_image` for any bytes, as a device reads them.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    image : bytes
        At least so many bytes as the function `image_bytes` counts.

    Returns
    -------
    NetworkNumbers
        The numbers.
    """
    position = 0
    found_tables = []
    for table in tables(size):
        length = LEVELS * row_bytes(size, table)
        rows = np.frombuffer(image, np.uint8, length, position).reshape(LEVELS, -1)
        bits = np.unpackbits(rows, axis=1, bitorder="little")[:, : table.entries * size.value_bits]
        bits = bits.reshape(LEVELS, table.entries, size.value_bits)
        found_tables.append(_signed(bits.astype(np.int64), size.value_bits))
        position += length
    weights = {}
    for index, count in enumerate(weight_counts(size)):
        if count:
            numbers = np.frombuffer(image, np.uint8, count, position).astype(np.int64)
            digits = numbers[:, np.newaxis] >> np.arange(size.weight_bits) & 1
            shape = weight_shape(size, size.tree[index])
            weights[index] = _signed(digits, size.weight_bits).reshape(shape)
            position += count
    end = position + len(size.nodes)
    shifts = list(image[position:end])
    exponent = int.from_bytes(image[end : end + EXPONENT_BYTES], "little")
    return NetworkNumbers(found_tables, weights, shifts, exponent)


def _signed(bits: np.ndarray, width: int) -> np.ndarray:
    """Make signed numbers of bits, the lowest first along the last axis."""
    places = 1 << np.arange(width, dtype=np.int64)
    places[-1] = -places[-1]
    return bits @ places
