"""The node program: what a tensor network is to the contractor.

A loop-free tensor network is a list of bilinear nodes in an order in which operands come before
their use:

    out[k] = sum over a, b of  W[k, a, b] * left[a] * right[b]

An operand is a vector slot (the result of an earlier node) or a feature (a row of the feature
table, chosen by the level of that feature).

In memory the program is a sequence of words of `lanes` bytes that is read once, strictly in order,
so that it needs no addresses of its own. A node is a header word followed by weight words; the
weight of output ``block * lanes + lane`` at ``(a, b)`` stands in byte `lane` of its weight word
``(block * A + a) * B + b``. A narrow node has weights of 4 bits: a word serves two elements, the
first in the lower half of each byte, and each block begins with a new word. Each header stands one
node early, before the weights of the node before it,

    header 0, header 1, weights 0, header 2, weights 1, ..., weights n - 1

because operands are fetched several cycles before the weights that they meet: with this order
neither waits for the other, and no weight needs a register to wait in.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..fixed import ACCUMULATOR, MANTISSA

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
"""Name and width of the header's fields, from bit 0 on. The three sizes are stored minus one."""

HEADER_BITS = 64
HEADER_BYTES = HEADER_BITS // 8
MIN_LANES = HEADER_BYTES
"""A header is one word."""

MAX_OPERAND = 64
MAX_OUTPUTS = 64
MAX_FEATURES = 1024
"""Limits of the header's fields; a device may hold less (`ContractorSize`)."""

WEIGHT_SUM_LIMIT = ACCUMULATOR.maximum // (1 << (MANTISSA.width - 1))
"""Greatest sum of abs(W[k, a, b]) over a, b for one k: then no input can overflow an accumulator.
A product of two mantissas is at most 2**15 in magnitude."""


class OperandKind(enum.IntEnum):
    """Where an operand comes from."""

    VECTOR = 0
    FEATURE = 1


@dataclass(frozen=True)
class Operand:
    """Left or right side of a node.

    Attributes
    ----------
    kind : OperandKind
    index : int
        Vector slot, or index of the feature in the sample.
    size : int
        Number of entries, 1..`MAX_OPERAND`.
    """

    kind: OperandKind
    index: int
    size: int


@dataclass(frozen=True)
class Node:
    """One bilinear node.

    Attributes
    ----------
    left, right : Operand
    outputs : int
        Entries of the result, 1..`MAX_OUTPUTS`.
    destination : int
        Vector slot of the result; meaningless in the last node.
    wait : bool
        An operand is the result of the node just before: start only when that is complete. A node
        always waits for the one before that.
    last : bool
        The result is the scores, and the program ends.
    narrow : bool
        The weights are stored in `tensorspin.contract.fixed.NARROW_WEIGHT`: all are multiples of
        `NARROW_STEP`. This changes the memory that they take, and nothing else.
    """

    left: Operand
    right: Operand
    outputs: int
    destination: int
    wait: bool
    last: bool
    narrow: bool = False

    @property
    def elements(self) -> int:
        """Products per output, ``left.size * right.size``."""
        return self.left.size * self.right.size

    @property
    def multiply_accumulates(self) -> int:
        """Multiplications of a weight that the node needs."""
        return self.outputs * self.elements

    def blocks(self, lanes: int) -> list[int]:
        """Outputs computed in each pass over the products."""
        return [min(lanes, self.outputs - first) for first in range(0, self.outputs, lanes)]

    def words(self, lanes: int) -> int:
        """Words of the program memory: header and weights."""
        return 1 + len(self.blocks(lanes)) * self.block_words

    @property
    def block_words(self) -> int:
        """Words of weights that a block reads."""
        return -(-self.elements // 2) if self.narrow else self.elements

    def pack(self) -> bytes:
        """The header, `HEADER_BYTES` bytes, little-endian.

        Raises
        ------
        ValueError
            If a value does not fit its field.
        """
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
        return header.to_bytes(HEADER_BYTES, "little")

    @classmethod
    def unpack(cls, header: bytes) -> Node:
        """Inverse of `pack`."""
        bits = int.from_bytes(header[:HEADER_BYTES], "little")
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
            bool(values["narrow"]),
        )
