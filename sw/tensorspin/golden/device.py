"""The device at packet level: bytes in, bytes out, by the rules of
`tensorspin.contract.wire.packets`.

Where more than one status fits, the first of this order is the answer: `Status.UNKNOWN_TYPE`,
`BAD_LENGTH`, `BAD_ADDRESS`, `BUSY`, `NO_MODEL`, `BAD_OFFSET`, `BAD_FEATURE_COUNT`,
`PROGRAM_OVERRUN`. A refused WRITE or ACTIVATE changes nothing; a refused FEATURES or RUN forgets
the sample begun.

As with the gateware, the reply to a FEATURES, a refusal of a RUN and a REJECT overtake results that
are not ready yet; all other requests wait for the results.

On a device with groups the number of samples that are contracted together depends on when they
arrive; here those of one call of `GoldenDevice.feed` are. Nothing but `DeviceStatus.busy_cycles`
tells the difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..contract.annealer.image import AnnealerSpace, run_bytes
from ..contract.contractor.image import ProgramOverrunError, read_image
from ..contract.contractor.memory import LEVELS, MemorySpace
from ..contract.device.boards import BoardSpec
from ..contract.device.capabilities import device_requests, device_spaces, is_annealers
from ..contract.wire import packets
from ..contract.wire.cobs import DELIMITER
from ..contract.wire.packets import (
    BITS_PER_BYTE,
    REJECT,
    REPLY,
    SEQUENCE_MODULUS,
    DeviceStatus,
    FrameSplitter,
    Packet,
    PacketType,
    RejectReason,
    Status,
)
from .annealer.memories import DeviceAnnealer
from .contractor.contraction import contract

GOLDEN_BUILD = b"golden".ljust(8, b"\0")
"""Build digest of the model; no bitstream has it."""


@dataclass
class Answer:
    """One frame of the device.

    Attributes
    ----------
    received : int
        Bytes of the data given to `GoldenDevice.feed` up to the end of the frame answered.
    cycles : int
        Clock cycles of the engine spent on it.
    frame : bytes
    """

    received: int
    cycles: int = 0
    frame: bytes = b""


class GoldenDevice:
    """A device made of Python and the golden engines.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    build : bytes
        8 bytes, the build digest that it reports.

    Attributes
    ----------
    memories : dict of MemorySpace to bytearray
        The contractor's, by byte address. All zero at first, as after configuration.
    annealer : DeviceAnnealer or None
    cycle : float
        The device's clock, which whoever feeds it may put forward. Requests are executed in the
        cycle in which they have arrived; a run of the annealer ends when its cycles have passed.
    byte_cycles : float
        What a byte on the line puts it forward.
    """

    def __init__(self, board: BoardSpec, build: bytes = GOLDEN_BUILD) -> None:
        self.board = board
        self.build = build
        self.cycle = 0.0
        self.byte_cycles = BITS_PER_BYTE * board.clock_hz / board.baud
        self._requests = device_requests(board.contractor, board.annealer)
        self._spaces = device_spaces(board.contractor, board.annealer)
        self.restart()

    def restart(self) -> None:
        """Forget everything, as after configuration."""
        size = self.board.annealer
        self.annealer = None if size is None else DeviceAnnealer(size)
        self.memories = {
            MemorySpace(space): bytearray(1 << found.bits)
            for space, found in self._spaces.items()
            if not is_annealers(space)
        }
        self._splitter = FrameSplitter()
        self._greeted = False
        self._expected = 0
        self._rejected = dict.fromkeys(RejectReason, 0)
        self._active = False
        self._digest = 0
        self._model_features = 0
        self._sample = bytearray()
        self._samples = 0
        self._busy_cycles = 0
        self._runs: list[tuple[Answer, int, bytes]] = []
        self._program: tuple | None = None  # what `contract` needs, read from the memories

    def feed(self, data: bytes) -> list[Answer]:
        """Take bytes from the line and execute what they complete.

        The data of one call counts as arriving at once: of the request bodies in it, no more than
        the board's `receive_bytes` are executed.

        Returns
        -------
        list of Answer
            One for each frame, in order.
        """
        answers: list[Answer] = []
        held = position = 0
        while position < len(data):
            end = data.find(DELIMITER, position) + 1 or len(data)
            damaged = self._splitter.damaged
            complete = self._splitter.feed(data[position:end])
            self.cycle += (end - position) * self.byte_cycles
            position = end
            if self._splitter.damaged > damaged:
                answers.append(self._reject(position, RejectReason.DAMAGED))
            for packet in complete:
                hello = packet.type == PacketType.HELLO
                size = len(packet.body())
                if not (hello or self._greeted):
                    answers.append(self._reject(position, RejectReason.NO_SESSION))
                elif packet.sequence != self._expected and not hello:
                    answers.append(self._reject(position, RejectReason.SEQUENCE))
                elif held + size > self.board.receive_bytes:
                    answers.append(self._reject(position, RejectReason.OVERFLOW))
                else:
                    held += size
                    self._greeted = True
                    self._expected = (packet.sequence + 1) % SEQUENCE_MODULUS
                    self._execute(answers, position, packet)
        self._finish_runs(answers)
        return answers

    def respond(self, data: bytes) -> bytes:
        """The device's bytes in answer to `data`."""
        return b"".join(answer.frame for answer in self.feed(data))

    def _reject(self, received: int, reason: RejectReason) -> Answer:
        self._rejected[reason] += 1
        packet = Packet(REJECT, self._expected, bytes([reason]))
        return Answer(received, frame=packet.frame())

    def _execute(self, answers: list[Answer], received: int, request: Packet) -> None:
        if request.type not in self._requests:
            self._finish_runs(answers)
            status, payload = Status.UNKNOWN_TYPE, b""
        elif request.type == PacketType.RUN:
            status, payload = self._take_levels(request.payload, last=True), b""
            if status is Status.OK:
                self._runs.append((Answer(received), request.sequence, bytes(self._sample)))
                self._sample.clear()
                return
        elif request.type == PacketType.FEATURES:
            status, payload = self._take_levels(request.payload, last=False), b""
        else:
            self._finish_runs(answers)
            handler = {
                PacketType.HELLO: self._hello,
                PacketType.STATUS: self._status,
                PacketType.WRITE: self._write,
                PacketType.READ: self._read,
                PacketType.ACTIVATE: self._activate,
                PacketType.ANNEAL: self._anneal,
            }[PacketType(request.type)]
            status, payload = handler(request.payload)
        frame = _reply(request.type, request.sequence, status, payload)
        answers.append(Answer(received, frame=frame))

    def _hello(self, payload: bytes) -> tuple[Status, bytes]:
        if payload:
            return Status.BAD_LENGTH, b""
        self._sample.clear()
        if self.annealer is not None:
            self.annealer.stop()
        return Status.OK, self.board.description(self.build).pack()

    def _status(self, payload: bytes) -> tuple[Status, bytes]:
        if payload:
            return Status.BAD_LENGTH, b""
        counted_reasons = (RejectReason.DAMAGED, RejectReason.SEQUENCE, RejectReason.OVERFLOW)
        rejected = (self._rejected[reason] % (1 << 16) for reason in counted_reasons)
        counted = DeviceStatus(
            self._active,
            self._digest,
            *rejected,
            self._samples % (1 << 32),
            self._busy_cycles % (1 << 32),
            self._step or 0,
            self._step is not None,
            self.annealer is not None and self.annealer.cleared,
        )
        return Status.OK, counted.pack()

    def _write(self, payload: bytes) -> tuple[Status, bytes]:
        data = payload[packets.MEMORY.size :]
        if not data:
            return Status.BAD_LENGTH, b""
        space, address = packets.unpack_memory(payload)
        status = self._check_address(space, address + len(data), "writable")
        if status is not Status.OK:
            return status, b""
        if is_annealers(space):
            self.annealer.write(AnnealerSpace(space), address, data)
        else:
            self._active = False
            self._program = None
            self.memories[space][address : address + len(data)] = data
        return Status.OK, b""

    def _read(self, payload: bytes) -> tuple[Status, bytes]:
        if len(payload) != packets.MEMORY.size + packets.READ_COUNT.size:
            return Status.BAD_LENGTH, b""
        (count,) = packets.READ_COUNT.unpack_from(payload, packets.MEMORY.size)
        if not 1 <= count < packets.MAX_PAYLOAD:  # The status byte goes along.
            return Status.BAD_LENGTH, b""
        space, address = packets.unpack_memory(payload)
        status = self._check_address(space, address + count, "readable")
        if status is not Status.OK:
            return status, b""
        memory = (self.annealer.memories if is_annealers(space) else self.memories)[space]
        return Status.OK, bytes(memory[address : address + count])

    def _activate(self, payload: bytes) -> tuple[Status, bytes]:
        if len(payload) != packets.ACTIVATE.size:
            return Status.BAD_LENGTH, b""
        features, digest = packets.ACTIVATE.unpack(payload)
        if not 1 <= features <= self.board.contractor.features:
            return Status.BAD_FEATURE_COUNT, b""
        self._active, self._digest, self._model_features = True, digest, features
        return Status.OK, b""

    def _anneal(self, payload: bytes) -> tuple[Status, bytes]:
        if len(payload) != run_bytes(self.board.annealer):
            return Status.BAD_LENGTH, b""
        self.annealer.start(payload, self.cycle)
        return Status.OK, b""

    @property
    def _step(self) -> int | None:
        """Step of the annealer's run under way, if there is one."""
        return None if self.annealer is None else self.annealer.step(self.cycle)

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
        if offset not in (0, len(self._sample)) or end > self.board.contractor.features:
            return Status.BAD_OFFSET
        if last and end != self._model_features:
            return Status.BAD_FEATURE_COUNT
        return Status.OK

    def _check_address(self, space: int, end: int, access: str) -> Status:
        """Whether bytes before `end` may be accessed, as an attribute of `Space` says."""
        found = self._spaces.get(space)
        if found is None or not getattr(found, access) or end > 1 << found.bits:
            return Status.BAD_ADDRESS
        if is_annealers(space) and self._step is not None:
            return Status.BUSY
        return Status.OK

    def _finish_runs(self, answers: list[Answer]) -> None:
        """Contract the samples waiting, in one call, since the golden model is vectorised."""
        if not self._runs:
            return
        runs, self._runs = self._runs, []
        answers += [answer for answer, _, _ in runs]
        size = self.board.contractor
        try:
            if self._program is None:
                table = np.frombuffer(bytes(self.memories[MemorySpace.TABLE]), dtype="<i2")
                program = read_image(bytes(self.memories[MemorySpace.PROGRAM]), size.lanes)
                self._program = *program, table.reshape(size.components, LEVELS)
        except ProgramOverrunError:
            for answer, sequence, _ in runs:
                answer.frame = _reply(PacketType.RUN, sequence, Status.PROGRAM_OVERRUN, b"")
            return
        levels = np.frombuffer(b"".join(sample for _, _, sample in runs), dtype=np.uint8)
        results = contract(*self._program, levels.reshape(len(runs), -1), size.lanes)
        scores = results.scores.astype("<i2")
        for index, (answer, sequence, _) in enumerate(runs):
            answer.cycles = int(results.cycles[index])
            result = packets.RESULT.pack(
                int(results.exponents[index]), int(results.classes[index]), answer.cycles
            )
            payload = scores[index].tobytes() + result
            answer.frame = _reply(PacketType.RUN, sequence, Status.OK, payload)
        self._samples += len(runs)
        self._busy_cycles += int(results.cycles[:: size.groups].sum())


def _reply(kind: int, sequence: int, status: Status, payload: bytes) -> bytes:
    return Packet(kind | REPLY, sequence, bytes([status]) + payload).frame()
