"""Size of a contractor: the parameters with which its gateware is built."""

from __future__ import annotations

from dataclasses import dataclass

from .memory import LEVELS, MANTISSA_BYTES, MemorySpace, word_stride_bits


@dataclass(frozen=True)
class ContractorSize:
    """Parameters of the contractor.

    Attributes
    ----------
    lanes : int
        Multiply-accumulators of a group, each with its own byte of the program memory's words.
    program_words : int
        Words of the program memory; a power of two.
    features : int
        Features of a sample at most; a power of two.
    components : int
        Components of the feature table (local dimension at most); a power of two.
    slots : int
        Vector slots; a power of two.
    slot_entries : int
        Entries of a vector slot: the greatest bond dimension; a power of two.
    groups : int
        Samples contracted in step, each by lanes of its own, which all read the same weights. So a
        device keeps more multipliers busy than a bond has outputs.
    """

    lanes: int
    program_words: int
    features: int
    components: int
    slots: int
    slot_entries: int
    groups: int = 1

    @property
    def multipliers(self) -> int:
        """Multiply-accumulators in all."""
        return self.lanes * self.groups

    @property
    def program_bytes(self) -> int:
        """Weights and headers that fit, in bytes."""
        return self.program_words * self.lanes

    def space_bytes(self, space: MemorySpace) -> int:
        """Size of a memory space in byte addresses."""
        if space is MemorySpace.PROGRAM:
            return self.program_words << word_stride_bits(self.lanes)
        return self.components * LEVELS * MANTISSA_BYTES
