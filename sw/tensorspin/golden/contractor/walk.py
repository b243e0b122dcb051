"""What a run of the contractor reads of its program memory, whatever that holds.

A run always ends. Each node takes a header and at least one word of weights, and a header that is
read past the end of the memory counts as the last one. So there are at most half as many nodes as
words, and two more, and none of them takes more than a bounded number of cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ...contract.contractor.memory import word_stride_bits
from ...contract.contractor.program import HEADER_BYTES, Node
from ...contract.contractor.protection import correct_header
from ...contract.contractor.signature import stored_signature, used
from ...contract.signature import fold, signature


@dataclass(frozen=True, eq=False)
class Walk:
    """The words that a run reads, in their order.

    Parameters
    ----------
    nodes : list of Node
        The nodes that the run takes the headers for. The last one ends the run, although its header
        may say otherwise.
    words : ndarray of uint8 of shape (program_words, lanes)
        The program memory.
    taken : int
        Words that are read, from the first one on. Behind the last word of the memory comes the
        first one again.
    protected : bool, default=False
        Whether it was read as a protected program.
    uncorrectable : bool, default=False
        Whether a header was read in which more bits have changed than can be corrected.

    Examples
    --------
    A memory of zeros has only headers that are not the last ones, and nodes of one weight:

    >>> found = walk(bytes(16 * 8), lanes=8)
    >>> len(found.nodes), found.taken, found.overrun
    (10, 20, True)
    """

    nodes: list[Node]
    words: np.ndarray
    taken: int
    protected: bool = False
    uncorrectable: bool = False

    @property
    def overrun(self) -> bool:
        """Whether a word past the end of the memory was read."""
        return self.taken > len(self.words)

    @property
    def signed(self) -> bool:
        """Whether the signature of the words that were read stands behind them."""
        order = np.arange(self.taken + 1) % len(self.words)
        read = self.words[order[:-1]]
        if self.protected:
            read = used(read, self.nodes)
        expected = stored_signature(self.words[order[-1]], self.protected)
        return expected == signature(fold(read).tolist())


def walk(memory: bytes, lanes: int, protected: bool = False) -> Walk:
    """Follow the headers in a program memory.

    Parameters
    ----------
    memory : bytes
        All bytes of `MemorySpace.PROGRAM`.
    lanes : int
        Multiply-accumulators that work on one sample.
    protected : bool, default=False
        Whether it is read as a protected program, in which changed bits are corrected.

    Returns
    -------
    Walk
        What a run reads.
    """
    stride = 1 << word_stride_bits(lanes)
    words = np.frombuffer(memory, dtype=np.uint8).reshape(-1, stride)[:, :lanes]
    position = 0
    uncorrectable = False

    def take_header() -> Node:
        nonlocal position, uncorrectable
        header = words[position % len(words), :HEADER_BYTES].tobytes()
        if protected:
            _, known = correct_header(int.from_bytes(header, "little"))
            uncorrectable |= not known
        node = Node.unpack(header, protected)
        position += 1
        return replace(node, last=True) if position > len(words) else node

    nodes = [take_header()]
    if not nodes[0].last:
        nodes.append(take_header())
    done = 0
    while True:
        node = nodes[done]
        position += node.words(lanes) - 1
        done += 1
        if node.last:
            return Walk(nodes, words, position, protected, uncorrectable)
        if not nodes[-1].last:
            nodes.append(take_header())
