"""Size of a contractor: the parameters with which its gateware is built."""

from __future__ import annotations

from dataclasses import dataclass, field

from .latency import PIPELINES, Pipeline
from .memory import LEVELS, MANTISSA_BYTES, MemorySpace, word_stride_bits
from .program import MAX_FEATURES, MAX_OPERAND, MAX_OUTPUTS, MAX_SLOTS

MAX_LANES = 256
"""Lanes that a contractor may have: four times as many as a node may have outputs, beyond which
further lanes would never work."""

MAX_GROUPS = 256
"""Groups that a contractor may have; no FPGA in sight has multipliers for more."""

MAX_SHARING_GROUPS = 64
"""Groups that can work on one sample: the words of more could not be brought to them in the cycles
that an element takes to meet its weight."""

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
        Words of the program memory that a program can have, a power of two.
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
    pipeline : int, default=0
        Number of its pipeline in `tensorspin.contract.contractor.latency.PIPELINES`. A device that
        does not say has pipeline 0.
    single_drain : int, default=0
        Whether all groups can also work on one sample together, `Mode.SINGLE`, and then the sums of
        how many lanes are joined, normalised and written in a cycle: a power of two that divides
        `lanes`. 0: the groups cannot.
    signature : int, default=0
        1: each run computes the signature of the words that it reads, and gives no scores if it is
        not the one that stands behind the program (`tensorspin.contract.contractor.signature`). A
        program then takes a word more. 0: no.
    table_parity : int, default=0
        1: each byte of the feature table is stored with a bit of parity, and a run that reads a
        byte with a wrong one gives no scores either, if its program is signed. Only with
        `signature`. 0: no.
    lock : int, default=0
        1: the contractor runs only what somebody with its key has approved, and lets nobody read
        its memories (`tensorspin.contract.contractor.lock`). 0: it runs anything.
    protected : int, default=0
        1: programs may be protected, so that changed bits of weights and headers are corrected on
        the way (`tensorspin.contract.contractor.protection`). 0: such programs are refused.
    resident : int, default=0
        1: program memory and feature table are there twice, as halves of one memory each, so that
        two programs are resident and the contractor goes from one to the other at once
        (`tensorspin.contract.contractor.resident`). `program_words` and `components` are those of
        a half, which is all that a program can use. 0: one program is resident.

    Raises
    ------
    ValueError
        If a number is out of its range, should be a power of two and is none, or does not fit
        another.

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
    pipeline: int = field(default=0, metadata={"optional": True})
    single_drain: int = field(default=0, metadata={"optional": True})
    signature: int = field(default=0, metadata={"optional": True})
    table_parity: int = field(default=0, metadata={"optional": True})
    lock: int = field(default=0, metadata={"optional": True})
    protected: int = field(default=0, metadata={"optional": True})
    resident: int = field(default=0, metadata={"optional": True})

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
        if not 0 <= self.pipeline < len(PIPELINES):
            raise ValueError(
                f"pipeline must be 0 to {len(PIPELINES) - 1}, not {self.pipeline}; a driver that "
                f"belongs to the bitstream may know more"
            )
        if self.signature not in (0, 1):
            raise ValueError(
                f"signature must be 0 or 1, not {self.signature}; a driver that belongs to the "
                f"bitstream may know more"
            )
        if self.table_parity not in (0, self.signature):
            raise ValueError(
                f"table_parity must be 0, or 1 where signature is 1, not {self.table_parity}"
            )
        if self.protected not in (0, 1):
            raise ValueError(
                f"protected must be 0 or 1, not {self.protected}; a driver that belongs to the "
                f"bitstream may know more"
            )
        if self.single_drain:
            self._check_single()
        if self.lock not in (0, 1):
            raise ValueError(
                f"lock must be 0 or 1, not {self.lock}; a driver that belongs to the bitstream may "
                f"know more"
            )
        if self.lock:
            self._check_lock()
        if self.resident not in (0, 1):
            raise ValueError(
                f"resident must be 0 or 1, not {self.resident}; a driver that belongs to the "
                f"bitstream may know more"
            )
        if self.resident:
            self._check_resident()

    @property
    def latencies(self) -> Pipeline:
        """Latencies of the pipeline."""
        return PIPELINES[self.pipeline]

    def _check_single(self) -> None:
        """Refuse a single mode that cannot be built."""
        drain = self.single_drain
        if not 2 <= self.groups <= MAX_SHARING_GROUPS:
            raise ValueError(
                f"groups that share a sample must be 2 to {MAX_SHARING_GROUPS}, not {self.groups}; "
                f"without single_drain, any number can work"
            )
        if self.pipeline:
            raise ValueError(
                f"pipeline must be 0 where groups share a sample, not {self.pipeline}: no gateware "
                f"has both"
            )
        if self.signature:
            raise ValueError(
                "signature must be 0 where groups share a sample: in single mode several words are "
                "read in a cycle, and the signature takes one at a time"
            )
        if self.protected:
            raise ValueError(
                "protected must be 0 where groups share a sample: no gateware has both"
            )
        most = min(self.lanes, self.slot_entries)
        if not 1 <= drain <= most or drain & (drain - 1) or self.lanes % drain:
            raise ValueError(
                f"single_drain must be 0 or a power of two up to {most} that divides the "
                f"{self.lanes} lanes, not {drain}"
            )
        if self.program_words < 2 * self.banks:
            raise ValueError(
                f"program_words must be at least {2 * self.banks} with {self.groups} groups that "
                f"share a sample, not {self.program_words}"
            )

    def _check_lock(self) -> None:
        """Refuse a contractor that cannot be locked: its check takes blocks of 16 bytes."""
        if self.lanes & (self.lanes - 1):
            raise ValueError(f"lanes must be a power of two where lock is 1, not {self.lanes}")
        least = max(2, 32 // self.lanes)
        if self.program_words < least:
            raise ValueError(
                f"program_words must be {least} or more where lock is 1, not {self.program_words}"
            )
        if self.components < 2:
            raise ValueError(f"components must be 2 or more where lock is 1, not {self.components}")
        if self.protected:
            raise ValueError("protected must be 0 where lock is 1: no gateware has both")

    def _check_resident(self) -> None:
        """Refuse what no gateware has together with two programs."""
        for name in ("single_drain", "protected", "lock"):
            if getattr(self, name):
                raise ValueError(f"{name} must be 0 where resident is 1: no gateware has both")

    @property
    def banks(self) -> int:
        """Memories that the program memory consists of: words that can be read in one cycle.

        Word w stands in row ``w // banks`` of bank ``w % banks``. With `single_drain` each group
        gets a word of its own; the number of banks is the next power of two.
        """
        return 1 << (self.groups - 1).bit_length() if self.single_drain else 1

    @property
    def multipliers(self) -> int:
        """Multiply-accumulators of all groups together."""
        return self.lanes * self.groups

    @property
    def model_words(self) -> int:
        """Words of the memory that a program may take: a signature needs one of its own."""
        return self.program_words - self.signature

    @property
    def program_bytes(self) -> int:
        """Bytes of weights and headers that fit."""
        return self.model_words * self.lanes

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
        halves = 1 + self.resident
        if space is MemorySpace.PROGRAM:
            return halves * self.program_words << word_stride_bits(self.lanes)
        return halves * self.components * LEVELS * MANTISSA_BYTES
