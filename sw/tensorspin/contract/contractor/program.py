"""The node program: the form in which the contractor takes a tensor network.

A loop-free tensor network is a list of bilinear nodes in an order in which operands come before
their use:

    out[k] = sum over a, b of  W[k, a, b] * left[a] * right[b]

An operand is a vector slot (the result of an earlier node) or a feature (a row of the feature
table, chosen by the level of that feature).

In memory the program is a sequence of words of `lanes` bytes, one for each multiply-accumulator
(lane) that works on a sample. The sequence is read once, strictly in order, so that it needs no
addresses of its own. A node is a header word followed by weight words. Each pass over the products,
a *block*, computes as many outputs as there are lanes: the weight of output ``block * lanes +
lane`` at ``(a, b)`` stands in byte `lane` of its weight word ``(block * A + a) * B + b``. A narrow
node has weights of 4 bits: a word serves two elements, the first in the lower half of each byte,
and each block begins with a new word. A protected node has weights of 4 bits, too, each with its
code in a byte of its own, so that changed bits are corrected (`protection`). A program that has any
is a protected program: its headers have codes, too, and no node of it is narrow.

Each header stands one node early, before the weights of the node before it,

    header 0, header 1, weights 0, header 2, weights 1, ..., weights n - 1

because operands are fetched several cycles before the weights that they meet: with this order
neither waits for the other, and no weight needs a register to wait in.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from ..fixed import ACCUMULATOR, MANTISSA
from .protection import PROTECTED_BIT, correct_header, protect_header

HEADER_FIELDS = (
    ("left_kind", 1),
    ("left_index", 11),
    ("right_kind", 1),
    ("right_index", 11),
    ("destination", 11),
    ("left_size", 6),
    ("right_size", 6),
    ("outputs", 6),
    ("wait", 1),
    ("last", 1),
    ("narrow", 1),
)
"""Name and width in bits of the header's fields, from bit 0 on. The three sizes are stored minus
one, since a size of 0 means nothing."""

HEADER_BITS = 64
"""Bits of a header: what the fields take, rounded up to whole bytes."""

HEADER_BYTES = HEADER_BITS // 8
"""Length of a header in bytes."""

MIN_LANES = HEADER_BYTES
"""Lanes that a contractor needs at least: a header must fit into one word, a byte for each lane."""

MAX_OPERAND = 64
"""Entries that an operand may have, as the header has 6 bits for its size. A device may hold fewer
(`ContractorSize`)."""

MAX_OUTPUTS = 64
"""Outputs that a node may have, as the header has 6 bits for them. A device may hold fewer."""

MAX_FEATURES = 1024
"""Features that a sample may have. A device may hold fewer."""

MAX_SLOTS = 1 << dict(HEADER_FIELDS)["destination"]
"""Vector slots that a header can name. A device may have fewer."""

WEIGHT_SUM_LIMIT = ACCUMULATOR.maximum // (1 << (MANTISSA.width - 1))
"""Greatest sum of ``abs(W[k, a, b])`` over all a and b that the weights of an output k may have. A
product of two mantissas is at most 2**15 in magnitude, so below this limit no input can overflow an
accumulator."""


class OperandKind(enum.IntEnum):
    """Where an operand of a node comes from."""

    VECTOR = 0
    """A vector slot, which holds the result of an earlier node."""
    FEATURE = 1
    """A row of the feature table, chosen by the level of a feature."""


@dataclass(frozen=True)
class Operand:
    """Left or right side of a node: a vector.

    Parameters
    ----------
    kind : OperandKind
        Where the vector comes from.
    index : int
        Vector slot, or index of the feature in the sample.
    size : int
        Number of entries, 1..`MAX_OPERAND`.

    Examples
    --------
    >>> from tensorspin.contract.contractor import Operand, OperandKind
    >>> Operand(OperandKind.FEATURE, index=3, size=2)
    Operand(kind=<OperandKind.FEATURE: 1>, index=3, size=2)
    """

    kind: OperandKind
    index: int
    size: int


@dataclass(frozen=True)
class Node:
    """One bilinear node of a program, without its weights.

    Parameters
    ----------
    left, right : Operand
        The two vectors that the node multiplies.
    outputs : int
        Entries of the result, 1..`MAX_OUTPUTS`.
    destination : int
        Vector slot of the result. In the last node it has no meaning.
    wait : bool
        Whether an operand is the result of the node just before, so that this node starts only when
        that result is complete. A node always waits for the node two before.
    last : bool
        Whether the result is the scores, and the program ends.
    narrow : bool
        Whether the weights are stored in 4 bits, as `tensorspin.contract.fixed.NARROW_WEIGHT`. Then
        all are multiples of `NARROW_STEP`, and take half of the memory; nothing else changes.
    protected : bool
        Whether the weights are stored in 4 bits and a code of 4 bits, a byte each
        (`tensorspin.contract.contractor.protection`). Then all are multiples of `NARROW_STEP`, and
        take as much memory as others.

    Examples
    --------
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> bond = Operand(OperandKind.VECTOR, index=0, size=16)
    >>> feature = Operand(OperandKind.FEATURE, index=5, size=2)
    >>> node = Node(bond, feature, outputs=10, destination=0, wait=True, last=False)
    >>> node.elements, node.blocks(lanes=8), node.words(lanes=8)
    (32, [8, 2], 65)
    >>> Node.unpack(node.pack()) == node
    True
    """

    left: Operand
    right: Operand
    outputs: int
    destination: int
    wait: bool
    last: bool
    narrow: bool = False
    protected: bool = False

    @property
    def few_bits(self) -> bool:
        """Whether weights have 4 bits, however they are stored."""
        return self.narrow or self.protected

    @property
    def elements(self) -> int:
        """Products that each output sums, ``left.size * right.size``."""
        return self.left.size * self.right.size

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications by a weight that the node needs."""
        return self.outputs * self.elements

    def blocks(self, lanes: int) -> list[int]:
        """Divide the outputs into blocks, the passes over the products.

        Parameters
        ----------
        lanes : int
            Multiply-accumulators that work on one sample.

        Returns
        -------
        list of int
            Outputs of each block.
        """
        return [min(lanes, self.outputs - first) for first in range(0, self.outputs, lanes)]

    def words(self, lanes: int) -> int:
        """Count the words of the program memory, for header and weights.

        Parameters
        ----------
        lanes : int
            Multiply-accumulators that work on one sample, and bytes of a word.

        Returns
        -------
        int
            Words.
        """
        return 1 + len(self.blocks(lanes)) * self.block_words

    @property
    def block_words(self) -> int:
        """Words of weights that a block reads."""
        return -(-self.elements // 2) if self.narrow else self.elements

    def pack(self, coded: bool = False) -> bytes:
        """Pack the header.

        Parameters
        ----------
        coded : bool, default=False
            Whether the node is one of a protected program, so that its header has a code.

        Returns
        -------
        bytes
            `HEADER_BYTES` bytes, little-endian.

        Raises
        ------
        ValueError
            If a value does not fit its field, or the node can't be one of such a program.
        """
        if self.protected and not coded:
            raise ValueError("a protected node is one of a protected program, with coded headers")
        if self.narrow and coded:
            raise ValueError("no node of a protected program is narrow: protect all of 4 bits")
        values = {
            "left_kind": self.left.kind,
            "left_index": self.left.index,
            "right_kind": self.right.kind,
            "right_index": self.right.index,
            "destination": self.destination,
            "left_size": self.left.size - 1,
            "right_size": self.right.size - 1,
            "outputs": self.outputs - 1,
            "wait": self.wait,
            "last": self.last,
            "narrow": self.narrow,
        }
        header = position = 0
        for name, width in HEADER_FIELDS:
            value = int(values[name])
            if not 0 <= value < 1 << width:
                raise ValueError(f"node header: {name} = {value} is outside 0..{(1 << width) - 1}")
            header |= value << position
            position += width
        if coded:
            header = protect_header(header | self.protected << PROTECTED_BIT)
        return header.to_bytes(HEADER_BYTES, "little")

    @classmethod
    def unpack(cls, header: bytes, coded: bool = False) -> Node:
        """Read a header: the inverse of `pack`.

        Parameters
        ----------
        header : bytes
            A header. Further bytes are ignored.
        coded : bool, default=False
            Whether it has a code, with which a changed bit is corrected.

        Returns
        -------
        Node
            The node.
        """
        bits = int.from_bytes(header[:HEADER_BYTES], "little")
        if coded:
            bits, _ = correct_header(bits)
        protected = bool(coded and bits >> PROTECTED_BIT & 1)
        values = {}
        for name, width in HEADER_FIELDS:
            values[name] = bits & ((1 << width) - 1)
            bits >>= width
        left, right = (
            Operand(
                OperandKind(values[f"{side}_kind"]),
                values[f"{side}_index"],
                values[f"{side}_size"] + 1,
            )
            for side in ("left", "right")
        )
        return cls(
            left,
            right,
            values["outputs"] + 1,
            values["destination"],
            bool(values["wait"]),
            bool(values["last"]),
            bool(values["narrow"]) and not coded,
            protected,
        )


def is_protected(nodes: Iterable[Node]) -> bool:
    """Tell whether a program is protected: whether any of its nodes is.

    Parameters
    ----------
    nodes : iterable of Node
        The program.

    Returns
    -------
    bool
        Whether its headers have codes, so that it needs a contractor with
        `ContractorSize.protected`.

    Examples
    --------
    >>> from tensorspin.contract.contractor import Node, Operand, OperandKind
    >>> feature = Operand(OperandKind.FEATURE, index=0, size=2)
    >>> is_protected([Node(feature, feature, 10, 0, False, True, protected=True)])
    True
    """
    return any(node.protected for node in nodes)
