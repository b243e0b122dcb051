"""The node program as the bytes of the program memory, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .memory import word_stride_bits
from .program import HEADER_BYTES, Node


class ProgramOverrunError(ValueError):
    """A program runs past the end of its memory."""


def weight_words(node: Node, weights: np.ndarray, lanes: int) -> np.ndarray:
    """Weights of a node in the order in which they are read.

    Parameters
    ----------
    node : Node
    weights : ndarray of int8, shape (outputs, left.size, right.size)
    lanes : int

    Returns
    -------
    ndarray of int8, shape (words, lanes)
        Lanes beyond the last output are 0.
    """
    blocks = len(node.blocks(lanes))
    padded = np.zeros((blocks * lanes, node.elements), dtype=np.int8)
    padded[: node.outputs] = weights.reshape(node.outputs, node.elements)
    return padded.reshape(blocks, lanes, node.elements).transpose(0, 2, 1).reshape(-1, lanes)


def program_image(nodes: Sequence[Node], weights: Sequence[np.ndarray], lanes: int) -> bytes:
    """Bytes of `MemorySpace.PROGRAM` from address 0 on.

    Parameters
    ----------
    nodes : sequence of Node
    weights : sequence of ndarray of int8, shape (outputs, left.size, right.size)
    lanes : int

    Returns
    -------
    bytes
        A whole number of words at their stride.
    """
    headers = np.zeros((len(nodes), lanes), dtype=np.uint8)
    for row, node in zip(headers, nodes):
        row[:HEADER_BYTES] = np.frombuffer(node.pack(), dtype=np.uint8)
    parts = [headers[:2]]
    for index, (node, weight) in enumerate(zip(nodes, weights)):
        parts.append(weight_words(node, weight, lanes).view(np.uint8))
        parts.append(headers[index + 2 : index + 3])
    words = np.concatenate(parts)
    image = np.zeros((len(words), 1 << word_stride_bits(lanes)), dtype=np.uint8)
    image[:, :lanes] = words
    return image.tobytes()


def read_image(image: bytes, lanes: int) -> tuple[list[Node], list[np.ndarray]]:
    """Inverse of `program_image`; bytes after the last node are ignored.

    Raises
    ------
    ProgramOverrunError
        If the image ends before the program does.
    """
    stride = 1 << word_stride_bits(lanes)
    words = np.frombuffer(image, dtype=np.uint8)[: len(image) // stride * stride]
    words = words.reshape(-1, stride)[:, :lanes]
    position = 0

    def take(count: int) -> np.ndarray:
        nonlocal position
        if position + count > len(words):
            raise ProgramOverrunError(
                f"the program needs more than the {len(words)} words of its memory"
            )
        position += count
        return words[position - count : position]

    def take_header() -> Node:
        return Node.unpack(take(1)[0, :HEADER_BYTES].tobytes())

    nodes = [take_header()]
    weights = []
    if not nodes[0].last:
        nodes.append(take_header())
    while True:
        node = nodes[len(weights)]
        blocks = len(node.blocks(lanes))
        block = take(blocks * node.elements).view(np.int8).reshape(blocks, node.elements, lanes)
        flat = block.transpose(0, 2, 1).reshape(blocks * lanes, node.elements)[: node.outputs]
        weights.append(flat.reshape(node.outputs, node.left.size, node.right.size))
        if node.last:
            return nodes, weights
        if not nodes[-1].last:
            nodes.append(take_header())
