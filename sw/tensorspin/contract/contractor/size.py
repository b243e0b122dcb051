"""Size of a contractor: the parameters with which its gateware is built."""

from __future__ import annotations

from dataclasses import dataclass

from .memory import LEVELS, MANTISSA_BYTES, MemorySpace, word_stride_bits
from .program import MAX_FEATURES, MAX_OPERAND, MAX_OUTPUTS, MAX_SLOTS

MAX_LANES = 256
"""Lanes that a contractor may have: four times as many as a node may have outputs, beyond which
further lanes would never work."""

MAX_GROUPS = 256
"""Groups that a contractor may have; no FPGA in sight has multipliers for more."""

MAX_PROGRAM_WORDS = 1 << 20
"""Words that a program memory may have: their addresses, with at least 8 bytes to a word, fill half
of the address field of a WRITE."""


@dataclass(frozen=True)
class ContractorSize:
    """Parameters of a contractor.

    Parameters
    ----------
    lanes : int
        Multiply-accumulators of a group, each with its own byte of the program memory's words.
    program_words : int
        Words of the program memory, a power of two.
    features : int
        Features that a sample may have, a power of two.
    components : int
        Components of the feature table, a power of two: the most entries of the vector that a
        feature is mapped to.
    slots : int
        Vector slots, a power of two. A slot holds the result of a node until another node reads it.
    slot_entries : int
        Entries of a vector slot, a power of two: the greatest bond dimension, which is the length
        of the vectors that the network passes from node to node.
    groups : int
        Groups of lanes. Each group contracts a sample of its own, and all read the same weights in
        the same cycle. With groups a device keeps more multipliers busy than a bond has outputs.

    Raises
    ------
    ValueError
        If a number is out of its range, or should be a power of two and is none.

    Examples
    --------
    >>> from tensorspin.contract.contractor import ContractorSize, MemorySpace
    >>> size = ContractorSize(
    ...     lanes=8, program_words=4096, features=1024, components=4, slots=16, slot_entries=32
    ... )
    >>> size.program_bytes, size.space_bytes(MemorySpace.TABLE)
    (32768, 2048)
    """

    lanes: int
    program_words: int
    features: int
    components: int
    slots: int
    slot_entries: int
    groups: int = 1

    def __post_init__(self) -> None:
        for name, most, power in (
            ("lanes", MAX_LANES, False),
            ("program_words", MAX_PROGRAM_WORDS, True),
            ("features", MAX_FEATURES, True),
            ("components", MAX_OPERAND, True),
            ("slots", MAX_SLOTS, True),
            ("slot_entries", MAX_OUTPUTS, True),
            ("groups", MAX_GROUPS, False),
        ):
            value = getattr(self, name)
            if not 1 <= value <= most or (power and value & (value - 1)):
                what = "a power of two from 1" if power else "1"
                raise ValueError(f"{name} must be {what} to {most}, not {value}")

    @property
    def multipliers(self) -> int:
        """Multiply-accumulators of all groups together."""
        return self.lanes * self.groups

    @property
    def program_bytes(self) -> int:
        """Bytes of weights and headers that fit."""
        return self.program_words * self.lanes

    def space_bytes(self, space: MemorySpace) -> int:
        """Count the byte addresses of a memory space.

        Parameters
        ----------
        space : MemorySpace
            The memory.

        Returns
        -------
        int
            Byte addresses, with the unused ones between the words of the program memory.
        """
        if space is MemorySpace.PROGRAM:
            return self.program_words << word_stride_bits(self.lanes)
        return self.components * LEVELS * MANTISSA_BYTES
