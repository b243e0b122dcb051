"""The contractor of a golden device: its memories, its model, and the samples that it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

from ...contract.contractor.chaskey import BLOCK_BYTES
from ...contract.contractor.image import read_image
from ...contract.contractor.lock import (
    COMPONENT_BYTES,
    LOCKED_ACTIVATE,
    Header,
    LockKey,
    check_cycles,
    covered,
)
from ...contract.contractor.memory import LEVELS, MemorySpace
from ...contract.contractor.program import Node, OperandKind
from ...contract.contractor.resident import BOTH_OUTPUTS, half_base, half_bit, half_size
from ...contract.contractor.results import ContractorResults
from ...contract.contractor.rows import Mode
from ...contract.contractor.size import ContractorSize
from ...contract.device.engines import engine_of
from ...contract.wire import packets
from ...contract.wire.packets import BOTH, SECOND, STANDBY, SWAP, PacketType, Status
from ..engine import GoldenEngine, LateReply, Reply
from .both import joined
from .contraction import GoldenContractor
from .cycles import cycle_count
from .faulty import FaultyContractor, is_sound
from .single import busy_cycles, single_cycle_count, take_mode
from .walk import walk


class RunsSamples(Protocol):
    """A model that is loaded: it gives the scores of samples."""

    def run(self, levels: np.ndarray) -> ContractorResults:
        """Compute the scores, a row of levels a sample."""


_Read = tuple[tuple[int, bool, bool], RunsSamples | None, Status | None, Sequence[Node]]
"""How a model was activated, and what was read of its half of the memories then."""

_NOTHING: _Read = (0, False, False), None, None, ()


class DeviceContractor(GoldenEngine):
    """What requests do to a contractor, or to another engine that gives scores of samples.

    Samples of RUN requests wait until something needs their results, and are then contracted in one
    call, since the golden model is vectorised.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the engine. A subclass may be for another engine, with `features` and
        `groups`.

    Attributes
    ----------
    key : LockKey or None
        What opens a locked contractor; None if it has none, so that it activates nothing.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> contractor = DeviceContractor(find_board("icebreaker").require_contractor())
    >>> contractor.execute(PacketType.RUN, packets.OFFSET.pack(0) + b"level", cycle=0)
    (<Status.NO_MODEL: 4>, b'')
    """

    overtaking = frozenset({PacketType.FEATURES, PacketType.RUN})
    key: LockKey | None = None

    def __init__(self, size: Any) -> None:
        self.size = size
        self.groups = size.groups
        self.memories: dict[int, bytearray] = {
            space: bytearray(1 << found.bits)
            for space, found in engine_of(size).spaces(size).items()
        }
        self._active = False
        self._digest = 0
        self._model_features = 0
        self._sample = bytearray()
        self._samples = 0
        self._busy_cycles = 0
        self._waiting: list[bytes] = []
        # Modes of the samples that wait; and the program's nodes, for the cycles of single mode.
        self._modes: list[Mode] = []
        self._nodes: Sequence[Node] = ()
        self._shares = isinstance(size, ContractorSize) and size.single_drain > 0
        # The program as read from the memories; None if they have changed since, or if a run finds
        # no program in them, which `_fault` tells.
        self._program: RunsSamples | None = None
        self._fault: Status | None = None
        # Whether the model was activated as signed, and has become inactive since it was not.
        self._checks = isinstance(size, ContractorSize) and size.signature > 0
        self._signed = self._corrupt = False
        self._corrupted = 0
        # Whether changed bits of the program are corrected, as it was activated.
        self._corrects = isinstance(size, ContractorSize) and size.protected > 0
        self._protected = False
        # Bytes of the feature table that are stored with wrong parity, if it has any.
        table = size.space_bytes(MemorySpace.TABLE) if self._checks and size.table_parity else 0
        self._odd = np.zeros(table, dtype=bool)
        self._locked = isinstance(size, ContractorSize) and size.lock > 0
        # The half of the memories that runs use, whether the other one holds a whole model, and
        # what was read from that when runs used it last.
        self._halved = isinstance(size, ContractorSize) and size.resident > 0
        self._half, self._other = 0, False
        self._aside: _Read = _NOTHING
        self._both = False  # whether both halves contract each sample

    def execute(self, kind: PacketType, payload: bytes, cycle: float) -> Reply | None:
        """Execute ACTIVATE, FEATURES or RUN; the results of a RUN come from `finish`."""
        self.spent = 0
        if kind is PacketType.ACTIVATE:
            return self._activate(payload), b""
        mode = Mode.THROUGHPUT
        if kind is PacketType.RUN and self._shares:
            mode, payload = take_mode(payload)
        status = self._take_levels(payload, last=kind is PacketType.RUN)
        if kind is PacketType.RUN and status is Status.OK:
            self._waiting.append(bytes(self._sample))
            self._modes.append(mode)
            self._sample.clear()
            return None
        return status, b""

    def write(self, space: int, address: int, data: bytes) -> None:
        """Execute a WRITE: whatever it changes, the model is not whole any more."""
        halves = {self._half}
        if self._halved:
            bit = half_bit(self.size, MemorySpace(space))
            halves = {place >> bit & 1 for place in (address, address + len(data) - 1)}
        if self._half in halves or self._both:
            self._active = self._corrupt = False
            self._program = self._fault = None
        if 1 - self._half in halves:
            self._other, self._aside = False, _NOTHING
        if space == MemorySpace.TABLE and len(self._odd):
            # The memory is there twice, and what is written to its second half has wrong parity.
            for place, byte in enumerate(data, address):
                half, index = divmod(place, len(self._odd))
                self._odd[index] = half
                super().write(space, index, bytes([byte]))
                super().write(space, index + len(self._odd), bytes([byte]))
            return
        super().write(space, address, data)

    def greet(self) -> None:
        """Forget the sample begun; the model outlives a session."""
        self._sample.clear()

    def status(self, cycle: float) -> dict[str, int]:
        """Give the model's fields, and the counters of samples and cycles."""
        return {
            "active": self._active,
            "digest": self._digest,
            "corrupted": self._corrupted % (1 << 7),
            "half": self._half if self._active else 0,
            "samples": self._samples % (1 << 32),
            "busy_cycles": self._busy_cycles % (1 << 32),
        }

    def read_memories(self, n_features: int) -> RunsSamples | Status:
        """Make a model of what the memories hold.

        Parameters
        ----------
        n_features : int
            Features of a sample, as the model was activated.

        Returns
        -------
        RunsSamples or Status
            The model; or why a run gives no scores.
        """
        size = half_size(self.size)
        program = self._stored(MemorySpace.PROGRAM)
        protected = self._protected
        found = walk(program, size.lanes, protected)
        self._nodes = found.nodes
        if self._signed and not found.signed:
            return Status.CORRUPT
        if found.overrun or found.uncorrectable:
            checked = self._signed or protected
            return Status.CORRUPT if checked else Status.PROGRAM_OVERRUN
        table = np.frombuffer(self._stored(MemorySpace.TABLE), dtype="<i2")
        nodes, weights = read_image(program, size.lanes, protected)
        table = table.reshape(size.components, LEVELS)
        if is_sound(nodes, size, n_features):
            return GoldenContractor(nodes, weights, table, size.lanes, size.latencies, protected)
        return FaultyContractor(nodes, weights, table, size, protected)

    def _stored(self, space: MemorySpace) -> bytes:
        """Give what a memory holds, of the half that runs use."""
        first = half_base(self.size, space, self._half)
        return bytes(self.memories[space][first:][: half_size(self.size).space_bytes(space)])

    def finish(self) -> Sequence[LateReply]:
        """Contract all samples that wait."""
        samples, self._waiting = self._waiting, []
        modes, self._modes = self._modes, []
        if not samples:
            return ()
        levels = np.frombuffer(b"".join(samples), dtype=np.uint8).reshape(len(samples), -1)
        replies = self._pass(levels, modes)
        if self._both:
            with self._turned():
                replies = joined(replies, self._pass(levels, modes))
        self._samples += sum(reply.status is Status.OK for reply in replies)
        if any(reply.status is Status.CORRUPT for reply in replies):
            self._corrupted += self._active
            self._active, self._corrupt = False, True
            self._other &= not self._both
        return replies

    def _pass(self, levels: np.ndarray, modes: Sequence[Mode]) -> Sequence[LateReply]:
        """Contract samples with the program of the half that is in use."""
        if self._program is None and self._fault is None:
            found = self.read_memories(self._model_features)
            if isinstance(found, Status):
                self._fault = found
            else:
                self._program = found
        if self._program is None:
            assert self._fault is not None
            return self._refuse(self._fault, modes)
        if self._both and self._nodes[-1].outputs > BOTH_OUTPUTS:
            return self._refuse(Status.CORRUPT if self._signed else Status.PROGRAM_OVERRUN, modes)
        # From the first sample on that reads a wrong entry of the table, no run has scores. (The
        # gateware's groups run several samples at once: those of the same run have none either.)
        right = self._count_right(levels)
        before = self._contract(levels[:right], modes[:right])
        return [*before, *self._refuse(Status.CORRUPT, modes[right:])]

    def _count_right(self, levels: np.ndarray) -> int:
        """Count the samples before the first one that reads an entry with wrong parity."""
        if not self._signed or not self._odd.any():
            return len(levels)
        size = half_size(self.size)
        odd = self._odd[half_base(self.size, MemorySpace.TABLE, self._half) :]
        odd = odd[: size.space_bytes(MemorySpace.TABLE)]
        wrong = np.any(odd.reshape(size.components, LEVELS, -1), axis=2)
        found = np.zeros(len(levels), dtype=bool)
        for node in self._nodes:
            for operand in (node.left, node.right):
                if operand.kind is OperandKind.FEATURE:
                    found |= wrong[: operand.size, levels[:, operand.index]].any(axis=0)
        return int(found.argmax()) if found.any() else len(levels)

    def _contract(self, levels: np.ndarray, modes: Sequence[Mode]) -> Sequence[LateReply]:
        if not len(levels):
            return ()
        assert self._program is not None
        size = self.size
        results = self._program.run(levels)
        if Mode.SINGLE in modes:
            single_cycles = single_cycle_count(self._nodes, size)
            results.cycles[[mode is Mode.SINGLE for mode in modes]] = single_cycles
        scores = results.scores.astype("<i2")
        replies = []
        for index in range(len(levels)):
            cycles = int(results.cycles[index])
            result = packets.RESULT.pack(
                int(results.exponents[index]), int(results.classes[index]), cycles
            )
            shared = modes[index] is Mode.SINGLE
            replies.append(LateReply(Status.OK, scores[index].tobytes() + result, cycles, shared))
        self._busy_cycles += busy_cycles(results.cycles, modes, size.groups)
        return replies

    def _refuse(self, status: Status, modes: Sequence[Mode]) -> Sequence[LateReply]:
        """Answer samples of whose runs no scores come; the runs take their time all the same."""
        size = self.size
        cycles = np.array(
            [
                single_cycle_count(self._nodes, size)
                if mode is Mode.SINGLE
                else cycle_count(self._nodes, size.lanes, size.latencies, self._protected)
                for mode in modes
            ]
        )
        self._busy_cycles += busy_cycles(cycles, modes, size.groups)
        return [
            LateReply(status, b"", int(each), mode is Mode.SINGLE)
            for each, mode in zip(cycles, modes)
        ]

    def _activate(self, payload: bytes) -> Status:
        if len(payload) != (LOCKED_ACTIVATE if self._locked else packets.ACTIVATE).size:
            return Status.BAD_LENGTH
        features, digest = packets.ACTIVATE.unpack_from(payload)
        signed = self._checks and bool(features & packets.SIGNED)
        if signed:
            features ^= packets.SIGNED
        protected = self._corrects and bool(features & packets.PROTECTED)
        if protected:
            features ^= packets.PROTECTED
        half, stands_by, both = self._half, False, False
        if self._halved:
            half, flags = int(features & SECOND > 0), features & BOTH
            stands_by, both = flags == STANDBY, flags == BOTH
            whole = self._active, self._other
            if features & SWAP and not (all(whole) if both else whole[half != self._half]):
                return Status.NO_MODEL
            features &= ~(SECOND | STANDBY | SWAP)
        if not 1 <= features <= self.size.features:
            return Status.BAD_FEATURE_COUNT
        if half != self._half:
            if stands_by:
                self._other = True
                return Status.OK
            self._change_half()
        self._both = both
        if (features, signed, protected) != (self._model_features, self._signed, self._protected):
            # Its operands may now lie beyond the sample, its signature count, or its codes.
            self._program = self._fault = None
        self._active, self._digest, self._model_features = True, digest, features
        self._signed, self._protected, self._corrupt = signed, protected, False
        return self._unlock(payload) if self._locked else Status.OK

    def _change_half(self) -> None:
        """Let runs use the other half from now on."""
        told = self._model_features, self._signed, self._protected
        kept, self._aside = self._aside, (told, self._program, self._fault, self._nodes)
        told, self._program, self._fault, self._nodes = kept
        self._model_features, self._signed, self._protected = told
        self._half, self._other = 1 - self._half, self._active

    @contextmanager
    def _turned(self) -> Iterator[None]:
        """Use what the other half holds meanwhile, as if it had been activated likewise."""
        told = self._model_features, self._signed, self._protected
        ours = self._program, self._fault, self._nodes
        theirs = self._aside if self._aside[0] == told else _NOTHING
        _, self._program, self._fault, self._nodes = theirs
        self._half ^= 1
        yield
        self._half ^= 1
        self._aside = told, self._program, self._fault, self._nodes
        self._program, self._fault, self._nodes = ours

    def _unlock(self, payload: bytes) -> Status:
        """Check the tag of what the memories hold, and clear them if it is wrong."""
        block, tag = LOCKED_ACTIVATE.unpack(payload)
        header = Header.unpack(block)
        program = covered(bytes(self.memories[MemorySpace.PROGRAM]), header.blocks, BLOCK_BYTES)
        size: ContractorSize = self.size
        table = bytes(self.memories[MemorySpace.TABLE][: size.space_bytes(MemorySpace.TABLE)])
        table = covered(table, header.components, COMPONENT_BYTES)
        key = self.key
        granted = (
            key is not None
            and header.version >= key.minimum
            and key.tag(header, program, table) == tag
        )
        self.spent = check_cycles(size, header, granted)
        if granted:
            return Status.OK
        for memory in self.memories.values():
            memory[:] = bytes(len(memory))
        self._odd[:] = False
        self._active, self._program, self._fault = False, None, None
        return Status.DENIED

    def _take_levels(self, payload: bytes, last: bool) -> Status:
        """Append a part to the sample begun, or forget the sample and say why."""
        status = self._check_levels(payload, last)
        if status is not Status.OK:
            self._sample.clear()
            return status
        (offset,) = packets.OFFSET.unpack_from(payload)
        if offset == 0:
            self._sample.clear()
        self._sample += payload[packets.OFFSET.size :]
        return status

    def _check_levels(self, payload: bytes, last: bool) -> Status:
        if len(payload) <= packets.OFFSET.size:
            return Status.BAD_LENGTH
        (offset,) = packets.OFFSET.unpack_from(payload)
        end = offset + len(payload) - packets.OFFSET.size
        if last and not self._active:
            return Status.CORRUPT if self._corrupt else Status.NO_MODEL
        if offset not in (0, len(self._sample)) or end > self.size.features:
            return Status.BAD_OFFSET
        if last and end != self._model_features:
            return Status.BAD_FEATURE_COUNT
        return Status.OK
