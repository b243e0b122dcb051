"""The device at packet level: bytes in, bytes out, by the rules of the contract's packets.

`tensorspin.contract.wire.packets` states the rules. Where several statuses would fit a request, the
reply has the first of this order: `Status.UNKNOWN_TYPE`, `BAD_LENGTH`, `BAD_ADDRESS`, `BUSY`,
`NO_MODEL`, `BAD_OFFSET`, `BAD_FEATURE_COUNT`, `PROGRAM_OVERRUN`. A refused WRITE or ACTIVATE
changes nothing, unless the status is `DENIED`; a refused FEATURES or RUN makes the device forget
the sample begun.

As with the gateware, three kinds of answer overtake results that are not ready yet: the reply to a
FEATURES, the refusal of a RUN, and a REJECT. All other requests wait for the results.

On a device whose contractor has several groups, the number of samples that are contracted together
depends on when they arrive. Here all samples of one call of `GoldenDevice.feed` are contracted
together. Only the counter `DeviceStatus.busy_cycles` can show the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..contract.contractor.lock import LockKey
from ..contract.device.boards import BoardSpec
from ..contract.device.capabilities import device_requests, device_spaces
from ..contract.device.engines import ENGINES
from ..contract.engine import EngineKind
from ..contract.wire import packets
from ..contract.wire.frames import (
    DELIMITER,
    MAX_PAYLOAD,
    SEQUENCE_MODULUS,
    FrameSplitter,
    Packet,
)
from ..contract.wire.packets import REJECT, REPLY, DeviceStatus, PacketType, RejectReason, Status
from .annealer.device import DeviceAnnealer
from .contractor.device import DeviceContractor
from .engine import GoldenEngine, Reply
from .spatial.device import DeviceSpatial

GOLDEN_BUILD = b"golden".ljust(8, b"\0")
"""Build digest that a golden device reports; no bitstream has it."""

GOLDEN_ENGINES: dict[int, Callable[[Any], GoldenEngine]] = {
    EngineKind.CONTRACTOR: DeviceContractor,
    EngineKind.ANNEALER: DeviceAnnealer,
    EngineKind.SPATIAL: DeviceSpatial,
}
"""The golden model of each engine, by `EngineKind`: called with the engine's size."""


@dataclass
class Answer:
    """One frame of the device.

    Parameters
    ----------
    received : int
        Number of bytes of the data given to `GoldenDevice.feed`, up to the end of the frame that
        is answered.
    cycles : int
        Clock cycles that the engine has spent on the request.
    frame : bytes
        The frame with its delimiter; empty until the result is known.
    shared : bool
        Whether all of the engine's groups were busy with the request.

    Examples
    --------
    >>> Answer(received=12).cycles
    0
    """

    received: int
    cycles: int = 0
    frame: bytes = b""
    shared: bool = False


class GoldenDevice:
    """A device made of Python and the golden engines.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    build : bytes
        8 bytes, the build digest that it reports.
    lock : LockKey, optional
        The key that a locked contractor has. Without one it activates nothing, as a bitstream that
        has been built and not been given its key.

    Raises
    ------
    ValueError
        If there is a key and the board has no locked contractor.

    Attributes
    ----------
    engines : dict of int to GoldenEngine
        The engines of the board, by `EngineKind`.
    cycle : float
        The device's clock in cycles. Whoever feeds the device may put it forward. Requests are
        executed in the cycle in which they have arrived; a run of the annealer ends when its cycles
        have passed.
    byte_cycles : float
        Clock cycles that one byte takes on the serial line, by which `feed` puts the clock forward.

    Examples
    --------
    >>> from tensorspin.contract.device.boards import find_board
    >>> device = GoldenDevice(find_board("icebreaker"))
    >>> (reply,) = FrameSplitter().feed(device.respond(Packet(PacketType.HELLO, 0).frame()))
    >>> Status(reply.payload[0]).name
    'OK'
    """

    def __init__(
        self, board: BoardSpec, build: bytes = GOLDEN_BUILD, lock: LockKey | None = None
    ) -> None:
        if lock is not None and (board.contractor is None or not board.contractor.lock):
            raise ValueError(f"board {board.name!r} has no locked contractor that takes a key")
        self.board = board
        self.build = build
        self.lock = lock
        self.cycle = 0.0
        # Exact where the line's rate divides the clock: `byte_seconds` is rounded.
        self.byte_cycles = board.line.bits_per_byte * board.clock_hz / board.baud
        self._requests = device_requests(board.engines)
        self._spaces = device_spaces(board.engines)
        self.restart()

    def restart(self) -> None:
        """Forget everything, as after configuration."""
        self.engines = {
            kind: GOLDEN_ENGINES[kind](size) for kind, size in self.board.engines.items()
        }
        contractor = self.engines.get(EngineKind.CONTRACTOR)
        if isinstance(contractor, DeviceContractor):
            contractor.key = self.lock
        self._owners: dict[int, GoldenEngine] = {
            space: engine for engine in self.engines.values() for space in engine.memories
        }
        self._splitter = FrameSplitter()
        self._greeted = False
        self._expected = 0
        self._rejected = dict.fromkeys(RejectReason, 0)
        self._waiting: dict[int, list[tuple[Answer, Packet]]] = {kind: [] for kind in self.engines}

    @property
    def memories(self) -> dict[int, bytearray]:
        """Contents of all engines' memory spaces, by number of the space and byte address."""
        return {space: engine.memories[space] for space, engine in self._owners.items()}

    def feed(self, data: bytes) -> list[Answer]:
        """Take bytes from the line and execute the requests that they complete.

        The data of one call counts as arriving at once: of the request bodies in it, no more than
        the board's `receive_bytes` are executed.

        Parameters
        ----------
        data : bytes
            Any part of the byte stream; it may end within a frame.

        Returns
        -------
        list of Answer
            One for each frame that was completed, in the order in which the device sends them.
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

    def work(self) -> None:
        """Let the engines compute up to the device's clock, while nothing arrives.

        They would do so anyway when the next request asks for the effect. Whoever waits can have
        the computing done in parts, and can leave off between them.
        """
        for engine in self.engines.values():
            engine.is_busy(self.cycle)

    def respond(self, data: bytes) -> bytes:
        """Take bytes from the line, and give the bytes that the device sends.

        Parameters
        ----------
        data : bytes
            As for `feed`.

        Returns
        -------
        bytes
            The frames of all answers, one after the other.
        """
        return b"".join(answer.frame for answer in self.feed(data))

    def _reject(self, received: int, reason: RejectReason) -> Answer:
        self._rejected[reason] += 1
        packet = Packet(REJECT, self._expected, bytes([reason]))
        return Answer(received, frame=packet.frame())

    def _execute(self, answers: list[Answer], received: int, request: Packet) -> None:
        kind = request.type
        owner = next((k for k in self.engines if kind in ENGINES[k].requests), None)
        if owner is None or kind not in self.engines[owner].overtaking:
            self._finish_runs(answers)
        reply: Reply | None
        cycles = 0
        if kind not in self._requests:
            reply = Status.UNKNOWN_TYPE, b""
        elif owner is not None:
            reply = self.engines[owner].execute(PacketType(kind), request.payload, self.cycle)
            if reply is None:
                self._waiting[owner].append((Answer(received), request))
                return
            cycles = self.engines[owner].spent
        else:
            handler = {
                PacketType.HELLO: self._hello,
                PacketType.STATUS: self._status,
                PacketType.WRITE: self._write,
                PacketType.READ: self._read,
            }[PacketType(kind)]
            reply = handler(request.payload)
        answers.append(Answer(received, cycles, frame=_reply(request, *reply)))

    def _hello(self, payload: bytes) -> Reply:
        if payload:
            return Status.BAD_LENGTH, b""
        for engine in self.engines.values():
            engine.greet()
        return Status.OK, self.board.description(self.build).pack()

    def _status(self, payload: bytes) -> Reply:
        if payload:
            return Status.BAD_LENGTH, b""
        fields: dict[str, Any] = {}
        corrupted = 0
        for engine in self.engines.values():
            fields |= engine.status(self.cycle)
            corrupted += fields.pop("corrupted", 0)
        counted = DeviceStatus(
            damaged=self._rejected[RejectReason.DAMAGED] % (1 << 16),
            out_of_sequence=self._rejected[RejectReason.SEQUENCE] % (1 << 16),
            overflows=self._rejected[RejectReason.OVERFLOW] % (1 << 16),
            corrupted=corrupted % (1 << 7),
            **fields,
        )
        return Status.OK, counted.pack()

    def _write(self, payload: bytes) -> Reply:
        data = payload[packets.MEMORY.size :]
        if not data:
            return Status.BAD_LENGTH, b""
        space, address = packets.unpack_memory(payload)
        status = self._check_address(space, address + len(data), "writable")
        if status is not Status.OK:
            return status, b""
        self._owners[space].write(space, address, data)
        return Status.OK, b""

    def _read(self, payload: bytes) -> Reply:
        if len(payload) != packets.MEMORY.size + packets.READ_COUNT.size:
            return Status.BAD_LENGTH, b""
        (count,) = packets.READ_COUNT.unpack_from(payload, packets.MEMORY.size)
        if not 1 <= count < MAX_PAYLOAD:  # The status byte goes along.
            return Status.BAD_LENGTH, b""
        space, address = packets.unpack_memory(payload)
        status = self._check_address(space, address + count, "readable")
        if status is not Status.OK:
            return status, b""
        if self._owners[space].corrupt:
            return Status.CORRUPT, b""
        return Status.OK, bytes(self._owners[space].memories[space][address : address + count])

    def _check_address(self, space: int, end: int, access: str) -> Status:
        """Check that bytes before `end` may be accessed; `access` is an attribute of `Space`."""
        found = self._spaces.get(space)
        if found is None or not getattr(found, access) or end > 1 << found.bits:
            return Status.BAD_ADDRESS
        if self._owners[space].is_busy(self.cycle):
            return Status.BUSY
        return Status.OK

    def _finish_runs(self, answers: list[Answer]) -> None:
        """Complete the answers that wait for results, in the order of their requests."""
        for kind, engine in self.engines.items():
            waiting, self._waiting[kind] = self._waiting[kind], []
            if not waiting:
                continue
            for (answer, request), late in zip(waiting, engine.finish(), strict=True):
                answer.cycles, answer.shared = late.cycles, late.shared
                answer.frame = _reply(request, late.status, late.payload)
                answers.append(answer)


def _reply(request: Packet, status: Status, payload: bytes) -> bytes:
    """Make the frame of a reply."""
    return Packet(request.type | REPLY, request.sequence, bytes([status]) + payload).frame()
