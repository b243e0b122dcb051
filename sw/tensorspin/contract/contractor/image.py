"""The node program as the bytes of the program memory, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..fixed import NARROW_STEP
from .memory import word_stride_bits
from .program import HEADER_BYTES, Node, is_protected
from .protection import CODED_WEIGHTS, DECODED_WEIGHTS


class ProgramOverrunError(ValueError):
    """A program runs past the end of its memory: it has no last node there."""


def weight_words(node: Node, weights: np.ndarray, lanes: int) -> np.ndarray:
    """Put the weights of a node into the order in which they are read.

    Parameters
    ----------
    node : Node
        The node.
    weights : ndarray of int8 of shape (outputs, left.size, right.size)
        Its weights.
    lanes : int
        Multiply-accumulators that work on one sample, and bytes of a word.

    Returns
    -------
    ndarray of uint8 of shape (words, lanes)
        Words of the program memory. Lanes beyond the last output are 0.

    Raises
    ------
    ValueError
        If the node is narrow or protected, and a weight has more than its upper half set.
    """
    blocks = len(node.blocks(lanes))
    # In a narrow node two elements share a word; an odd number leaves half a word empty.
    padded = np.zeros((blocks * lanes, node.elements + node.elements % 2), dtype=np.int8)
    padded[: node.outputs, : node.elements] = weights.reshape(node.outputs, node.elements)
    ordered = padded.reshape(blocks, lanes, -1).transpose(0, 2, 1)
    if not node.few_bits:
        return ordered[:, : node.elements].reshape(-1, lanes).view(np.uint8)
    surplus = ordered % NARROW_STEP
    if surplus.any():
        offender = ordered[surplus != 0][0]
        kind = "narrow" if node.narrow else "protected"
        raise ValueError(f"weight {offender} of a {kind} node is no multiple of {NARROW_STEP}")
    upper_halves = ordered.view(np.uint8)
    if node.protected:
        coded: np.ndarray = CODED_WEIGHTS[upper_halves // NARROW_STEP]
        return coded[:, : node.elements].reshape(-1, lanes)
    return (upper_halves[:, 0::2] // NARROW_STEP | upper_halves[:, 1::2]).reshape(-1, lanes)


def _unpack_weights(node: Node, words: np.ndarray) -> np.ndarray:
    """Read the weights of a node from its words: the inverse of `weight_words`."""
    blocks, lanes = len(node.blocks(words.shape[1])), words.shape[1]
    if node.narrow:
        words = np.stack([words * NARROW_STEP, words - words % NARROW_STEP], axis=1)
    elif node.protected:
        words = DECODED_WEIGHTS[words].view(np.uint8)
    ordered = words.reshape(blocks, -1, lanes)[:, : node.elements].view(np.int8)
    flat = ordered.transpose(0, 2, 1).reshape(blocks * lanes, node.elements)[: node.outputs]
    return flat.reshape(node.outputs, node.left.size, node.right.size)


def program_image(nodes: Sequence[Node], weights: Sequence[np.ndarray], lanes: int) -> bytes:
    """Lay a program out for the program memory.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    weights : sequence of ndarray of int8 of shape (outputs, left.size, right.size)
        Weights of each node.
    lanes : int
        Multiply-accumulators that work on one sample.

    Returns
    -------
    bytes
        Content of `MemorySpace.PROGRAM` from address 0 on: a whole number of words, with the unused
        addresses between them.
    """
    headers = np.zeros((len(nodes), lanes), dtype=np.uint8)
    coded = is_protected(nodes)
    for row, node in zip(headers, nodes):
        row[:HEADER_BYTES] = np.frombuffer(node.pack(coded), dtype=np.uint8)
    # Each header stands one node early; see `program`.
    parts = [headers[:2]]
    for index, (node, weight) in enumerate(zip(nodes, weights)):
        parts.append(weight_words(node, weight, lanes))
        parts.append(headers[index + 2 : index + 3])
    words = np.concatenate(parts)
    image = np.zeros((len(words), 1 << word_stride_bits(lanes)), dtype=np.uint8)
    image[:, :lanes] = words
    return image.tobytes()


def read_image(
    image: bytes, lanes: int, protected: bool = False
) -> tuple[list[Node], list[np.ndarray]]:
    """Read a program back from the bytes of the program memory.

    Parameters
    ----------
    image : bytes
        Content of `MemorySpace.PROGRAM` from address 0 on. Bytes after the last node are ignored.
    lanes : int
        Multiply-accumulators that work on one sample.
    protected : bool, default=False
        Whether it is a protected program, in which changed bits are corrected.

    Returns
    -------
    nodes : list of Node
        The program.
    weights : list of ndarray of int8 of shape (outputs, left.size, right.size)
        Weights of each node.

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
        return Node.unpack(take(1)[0, :HEADER_BYTES].tobytes(), protected)

    nodes = [take_header()]
    weights: list[np.ndarray] = []
    if not nodes[0].last:
        nodes.append(take_header())
    while True:
        node = nodes[len(weights)]
        weights.append(_unpack_weights(node, take(node.words(lanes) - 1)))
        if node.last:
            return nodes, weights
        if not nodes[-1].last:
            nodes.append(take_header())
