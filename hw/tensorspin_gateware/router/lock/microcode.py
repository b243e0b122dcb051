"""Two rounds of Chaskey's permutation as operations on bytes, and the memory that holds them.

The state's 16 bytes and 4 free ones lie in a memory that gives a byte and takes one in a cycle. An
operation reads a byte and, in the same cycle, may write one that is made of the bytes that were
read last: their sum, or two of them rotated and a third one added modulo 2. Rotations by whole
bytes cost nothing, as they only change where a byte is said to lie; after two rounds each byte lies
where it lay before.

Behind the operations the same memory holds the key, which is put into bitstreams that have been
placed and routed already (`content`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tensorspin.contract.contractor.chaskey import BLOCK_BYTES, ROUNDS
from tensorspin.contract.contractor.lock import KEY_RECORD

PASSES = ROUNDS // 2
"""How often the operations are carried out for one permutation."""

DEPTH = 256
"""Words of the memory, of 16 bits each: one block RAM of an iCE40."""

KEY = 0xE0
"""Address of the key: in the low byte of each word a byte of it. In the high byte stands the
complement of the greatest version that is refused, at the places that the version has in the
header's block, and 0 at all others."""

LAST_KEY = 0xF0
"""Address of the key of the last block: in the low byte of each word a byte of it."""

SHIFTS = (0, 5, 7)
"""Bits by which a byte is rotated, beyond whole bytes."""


@dataclass(frozen=True)
class Operation:
    """What happens in a cycle.

    Parameters
    ----------
    read : int
        Address of the byte that is read.
    write : int or None
        Address of the byte that is written; None if none is.
    adds : bool
        Whether it is a sum, else a rotation.
    first : bool
        Whether the sum has no carry from the byte before.
    shift : int
        Index in `SHIFTS` of the rotation of the two bytes that were read before this one.
    last : bool
        Whether it is the last operation of a pass.
    """

    read: int = 0
    write: int | None = None
    adds: bool = False
    first: bool = False
    shift: int = 0
    last: bool = False

    def encode(self) -> int:
        """Make the word of the memory: `Fields` in `engine` takes it apart.

        Returns
        -------
        int
            16 bits.
        """
        return (
            self.read
            | (self.write or 0) << 5
            | (self.write is not None) << 10
            | self.adds << 11
            | self.first << 12
            | self.shift << 13
            | self.last << 15
        )


def operations() -> list[Operation]:
    """List the operations of two rounds.

    Returns
    -------
    list of Operation
        They are carried out one a cycle.
    """
    # Where the bytes of the four words lie, and which addresses are free.
    places = [[4 * word + byte for byte in range(4)] for word in range(4)]
    free = [16, 17, 18, 19]
    steps: list[Operation] = []

    def add(to: int, other: int) -> None:
        for byte in range(4):
            steps.append(Operation(read=places[to][byte]))
            steps.append(Operation(read=places[other][byte]))
            steps.append(Operation(write=places[to][byte], adds=True, first=byte == 0))

    def rotate(word: int, bits: int, other: int) -> None:
        """Rotate a word to the left, and add another modulo 2."""
        nonlocal free
        whole, rest = divmod(bits, 8)
        for byte in range(4):
            steps.append(Operation(read=places[word][(byte - whole - 1) % 4]))
            steps.append(Operation(read=places[word][(byte - whole) % 4]))
            steps.append(Operation(read=places[other][byte], shift=SHIFTS.index(rest)))
            steps.append(Operation(write=free[byte]))
        places[word], free = free, places[word]

    def swap(word: int) -> None:
        """Rotate a word by 16 bits."""
        places[word] = places[word][2:] + places[word][:2]

    for _ in range(ROUNDS // PASSES):
        for one, other, bits in ((0, 1, (5, 8)), (0, 3, (13, 7))):
            second = 3 if other == 1 else 1
            add(one, other)
            rotate(other, bits[0], one)
            if one == 0 and other == 1:
                swap(0)
            add(2, second)
            rotate(second, bits[1], 2)
        swap(2)
    assert places == [[4 * word + byte for byte in range(4)] for word in range(4)]
    assert free == [16, 17, 18, 19]
    return _overlapped(steps)


def _overlapped(steps: list[Operation]) -> list[Operation]:
    """Let each write take place while the next byte is read."""
    found: list[Operation] = []
    pending = Operation()
    for step in steps:
        if step.write is not None:
            pending = step
            continue
        found.append(replace(pending, read=step.read, shift=step.shift))
        pending = Operation()
    return [*found, replace(pending, last=True)]


OPERATIONS = operations()
"""The operations of two rounds."""

BEGIN = KEY - len(OPERATIONS)
"""Address of the first operation: the key follows on the last one."""

PASS_CYCLES = len(OPERATIONS) + 1
"""Clock cycles of a pass: one more than operations, as the first must be read."""


def content(record: bytes | None = None) -> list[int]:
    """Fill the memory.

    Parameters
    ----------
    record : bytes, optional
        The key as `tensorspin.contract.contractor.lock.LockKey.record` gives it. Without it the key
        is one that everybody knows, and all versions are refused, so that no program is taken.

    Returns
    -------
    list of int
        `DEPTH` words of 16 bits.
    """
    if record is None:
        record = bytes(range(2 * BLOCK_BYTES)) + b"\xff" * 4
    assert len(record) == KEY_RECORD.size
    key, last_key = record[:BLOCK_BYTES], record[BLOCK_BYTES : 2 * BLOCK_BYTES]
    newer = bytes(0xFF - byte for byte in record[2 * BLOCK_BYTES :]).rjust(BLOCK_BYTES, b"\0")
    words = [0] * BEGIN + [step.encode() for step in OPERATIONS]
    words += [low | high << 8 for low, high in zip(key, newer)]
    return words + list(last_key)
