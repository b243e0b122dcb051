"""The contractor of a golden device: its memories, its model, and the samples that it is sent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.contractor.engine import contractor_spaces
from ...contract.contractor.image import ProgramOverrunError, read_image
from ...contract.contractor.memory import LEVELS, MemorySpace
from ...contract.contractor.size import ContractorSize
from ...contract.wire import packets
from ...contract.wire.packets import PacketType, Status
from ..engine import GoldenEngine, LateReply, Reply
from .contraction import GoldenContractor


class DeviceContractor(GoldenEngine):
    """What requests do to a contractor.

    Samples of RUN requests wait until something needs their results, and are then contracted in one
    call, since the golden model is vectorised.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the engine.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> contractor = DeviceContractor(find_board("icebreaker").require_contractor())
    >>> contractor.execute(PacketType.RUN, packets.OFFSET.pack(0) + b"level", cycle=0)
    (<Status.NO_MODEL: 4>, b'')
    """

    overtaking = frozenset({PacketType.FEATURES, PacketType.RUN})

    def __init__(self, size: ContractorSize) -> None:
        self.size = size
        self.groups = size.groups
        self.memories: dict[int, bytearray] = {
            space: bytearray(1 << found.bits) for space, found in contractor_spaces(size).items()
        }
        self._active = False
        self._digest = 0
        self._model_features = 0
        self._sample = bytearray()
        self._samples = 0
        self._busy_cycles = 0
        self._waiting: list[bytes] = []
        # The program as read from the memories; None if they have changed since.
        self._program: GoldenContractor | None = None

    def execute(self, kind: PacketType, payload: bytes, cycle: float) -> Reply | None:
        """Execute ACTIVATE, FEATURES or RUN; the results of a RUN come from `finish`."""
        if kind is PacketType.ACTIVATE:
            return self._activate(payload), b""
        status = self._take_levels(payload, last=kind is PacketType.RUN)
        if kind is PacketType.RUN and status is Status.OK:
            self._waiting.append(bytes(self._sample))
            self._sample.clear()
            return None
        return status, b""

    def write(self, space: int, address: int, data: bytes) -> None:
        """Execute a WRITE: whatever it changes, the model is not whole any more."""
        self._active = False
        self._program = None
        super().write(space, address, data)

    def greet(self) -> None:
        """Forget the sample begun; the model outlives a session."""
        self._sample.clear()

    def status(self, cycle: float) -> dict[str, int]:
        """Give the model's fields, and the counters of samples and cycles."""
        return {
            "active": self._active,
            "digest": self._digest,
            "samples": self._samples % (1 << 32),
            "busy_cycles": self._busy_cycles % (1 << 32),
        }

    def finish(self) -> Sequence[LateReply]:
        """Contract all samples that wait."""
        samples, self._waiting = self._waiting, []
        if not samples:
            return ()
        size = self.size
        try:
            if self._program is None:
                table = np.frombuffer(bytes(self.memories[MemorySpace.TABLE]), dtype="<i2")
                nodes, weights = read_image(bytes(self.memories[MemorySpace.PROGRAM]), size.lanes)
                table = table.reshape(size.components, LEVELS)
                self._program = GoldenContractor(nodes, weights, table, size.lanes)
        except ProgramOverrunError:
            return [LateReply(Status.PROGRAM_OVERRUN, b"", 0)] * len(samples)
        levels = np.frombuffer(b"".join(samples), dtype=np.uint8)
        results = self._program.run(levels.reshape(len(samples), -1))
        scores = results.scores.astype("<i2")
        replies = []
        for index in range(len(samples)):
            cycles = int(results.cycles[index])
            result = packets.RESULT.pack(
                int(results.exponents[index]), int(results.classes[index]), cycles
            )
            replies.append(LateReply(Status.OK, scores[index].tobytes() + result, cycles))
        self._samples += len(samples)
        # Groups work side by side: each takes one of `groups` consecutive samples.
        self._busy_cycles += int(results.cycles[:: size.groups].sum())
        return replies

    def _activate(self, payload: bytes) -> Status:
        if len(payload) != packets.ACTIVATE.size:
            return Status.BAD_LENGTH
        features, digest = packets.ACTIVATE.unpack(payload)
        if not 1 <= features <= self.size.features:
            return Status.BAD_FEATURE_COUNT
        self._active, self._digest, self._model_features = True, digest, features
        return Status.OK

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
            return Status.NO_MODEL
        if offset not in (0, len(self._sample)) or end > self.size.features:
            return Status.BAD_OFFSET
        if last and end != self._model_features:
            return Status.BAD_FEATURE_COUNT
        return Status.OK
