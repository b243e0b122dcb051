"""A reliable, pipelined exchange of requests and replies over a line that may lose bytes.

The rules are those of `tensorspin.contract.packets`. What this module adds to them:

- A number belongs to the bytes of one packet until half of all numbers have passed. A packet that
  is sent again has its old number and its old bytes, or a new number; so no reply, however late or
  repeated, is taken for that to another request.
- After a loss the session waits until the line is quiet before it sends again (go-back-N), so that
  what the device says next is about what was sent last.
- Requests whose replies got lost are asked again under new numbers, which `requests` allows.
- If the device expects a number that was never sent (it was restarted, say), or packets must be cut
  into smaller ones, a HELLO starts a new range of numbers.
- Where much is lost, packets and window shrink, and grow again when all goes well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from itertools import islice

from .contract import cobs, packets
from .contract.device import DeviceDescription
from .contract.packets import (
    PROTOCOL_VERSION,
    REJECT,
    REPLY,
    SEQUENCE_MODULUS,
    DeviceStatus,
    FrameSplitter,
    Packet,
    PacketType,
    Status,
)
from .errors import DeviceError, LinkError, ProtocolVersionError
from .requests import MAX_DATA, Request, Simple
from .transports.base import Transport

DEFAULT_TIMEOUT = 2.0
"""Seconds without progress, beyond what the requests themselves take, until a `LinkError`."""

_BITS_PER_BYTE = 10
_FRAME_BYTES = len(Packet(0, 0).frame())
_MAX_NUMBERED = SEQUENCE_MODULUS // 4
"""Packets under way at most. So numbers in use, those just used, and those that follow a HELLO
are three ranges apart from each other."""
_MIN_DATA = 16
"""Bytes of data to which a packet shrinks: below, headers are most of what is lost."""
_MIN_WINDOW = 256
"""Bytes of bodies to which the window shrinks; one packet may always be sent."""
_GROW_AFTER = 8
"""Replies in a row without a loss after which packets and window double: about one packet in eight
is lost when headers and losses cost the same."""
_MAX_TRIES = 64
"""Times that one packet is sent, or one request asked."""
_MARGIN = 0.05
"""Seconds added to the expected time of an answer: scheduling on the host."""
_UNKNOWN_BAUD = 115_200
"""Rate assumed for time-outs before the device has told its own."""


class CountLostError(LinkError):
    """A request was not repeated since the device may have been restarted."""


@dataclass
class LinkStatistics:
    """What happened on the line since the session began.

    Attributes
    ----------
    frames : int
        Requests' frames sent, all times counted.
    resent : int
        Those sent before, or asked again under a new number.
    replies : int
        Replies taken.
    damaged : int
        Frames from the device dropped because they were damaged.
    rejected : int
        REJECTs of the device: frames damaged or lost on the way to it.
    timeouts : int
        Times that an answer was waited for in vain.
    hellos : int
        HELLOs sent.
    """

    frames: int = 0
    resent: int = 0
    replies: int = 0
    damaged: int = 0
    rejected: int = 0
    timeouts: int = 0
    hellos: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{field.name} {getattr(self, field.name)}" for field in fields(self))


@dataclass
class _Numbered:
    """A packet with its number, until its reply has come or is known to be lost."""

    number: int
    kind: PacketType
    frame: bytes
    body_bytes: int
    data_bytes: int
    request: Request
    last: bool
    seconds: float
    tries: int = 0
    replied: bool = False  # of a part that isn't the last


class Session:
    """The host's end of the link.

    Parameters
    ----------
    transport : Transport
    timeout : float
        Seconds of the transport's clock without progress, beyond what the requests themselves
        take, after which the session gives up.

    Attributes
    ----------
    description : DeviceDescription or None
        The device's; None before `open`.
    statistics : LinkStatistics
    disturbances : int
        Grows whenever something has to be repeated. While it stays the same, the device was not
        restarted unseen.
    model_digest : int or None
        Digest that the device must still report when it has lost count of the packets.
    """

    def __init__(self, transport: Transport, timeout: float = DEFAULT_TIMEOUT) -> None:
        if not timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {timeout}")
        self.transport = transport
        self.timeout = timeout
        self.description: DeviceDescription | None = None
        self.statistics = LinkStatistics()
        self.disturbances = 0
        self.model_digest: int | None = None
        self._splitter = FrameSplitter()
        self._synchronised = False
        self._exchanging = False
        self._numbered: deque[_Numbered] = deque()
        self._sent = 0  # of `_numbered`, from the first on, since the last loss
        self._again: deque[Request] = deque()
        self._ready: deque[tuple[Request, bytes]] = deque()
        self._next_number = 0
        self._expected = 0  # by the device, as far as is known
        self._trouble = False
        self._data_limit = MAX_DATA
        self._window = 0
        self._without_loss = 0
        self._line_free_at = 0.0
        self._retry_at = 0.0
        self._progress_at = 0.0

    # Opening

    def open(self) -> DeviceDescription:
        """Greet the device.

        Raises
        ------
        LinkError
            If no Tensorspin device answers.
        ProtocolVersionError
            If one answers that speaks another version.
        """
        self._greet()
        return self.description

    def _greet(self) -> None:
        """HELLO until it is answered; then both sides agree on the next number."""
        self._synchronised = False
        deadline = self.transport.now() + self.timeout
        patience = _MARGIN + 2 * self.transport.latency
        heard = _Heard()
        number = (self._next_number + _MAX_NUMBERED) % SEQUENCE_MODULUS
        while True:
            self._drain(heard, self.transport.now() + self.timeout / 4)
            hello = Packet(PacketType.HELLO, number).frame()
            # The delimiter ends whatever part of a frame the device may hold.
            self._write(bytes([cobs.DELIMITER]) + hello)
            self.statistics.hellos += 1
            self._next_number = self._expected = (number + 1) % SEQUENCE_MODULUS
            reply = self._await_hello(number, heard, patience)
            if reply is not None:
                break
            if self.transport.now() >= deadline:
                raise self._no_answer(heard)
            # The reply to an earlier HELLO must not be taken for that to the latest.
            number = self._next_number
            patience = min(2 * patience, self.timeout / 4)
        self._accept_description(reply)
        self._trouble = False
        self._synchronised = True

    def _await_hello(self, number: int, heard: _Heard, patience: float) -> bytes | None:
        """Payload of the reply to this very HELLO, if it comes."""
        until = max(self.transport.now(), self._line_free_at) + patience
        while (remaining := until - self.transport.now()) > 0:
            data = self.transport.read(remaining)
            complete = self._feed(data)
            heard.count(data, complete)
            for packet in complete:
                if packet.type == PacketType.HELLO | REPLY and packet.sequence == number:
                    return packet.payload
            if data:
                # Unless more follows soon, HELLO or its reply was damaged.
                quiet = self._quiet_time() + self._transfer_time(cobs.MAX_BODY)
                until = min(until, self.transport.now() + quiet)
        return None

    def _accept_description(self, payload: bytes) -> None:
        url = self.transport.url
        status, packed = payload[:1], payload[1:]
        if len(packed) >= 2:
            protocol = int.from_bytes(packed[:2], "little")
            if protocol != PROTOCOL_VERSION:
                raise ProtocolVersionError(protocol, PROTOCOL_VERSION)
        try:
            if status != bytes([Status.OK]):
                raise ValueError(f"status {status.hex() or 'missing'}")
            description = DeviceDescription.unpack(packed)
        except ValueError as error:
            raise LinkError(
                f"the device at {url} describes itself in a way that this driver doesn't "
                f"understand ({error}); load the bitstream that belongs to this driver"
            ) from error
        if self.description is not None and description.build != self.description.build:
            raise DeviceError(
                f"the device at {url} was configured with another bitstream (build "
                f"{description.build.hex()} instead of {self.description.build.hex()}); open the "
                f"board again and load the program again",
                Status.NO_MODEL,
            )
        self.description = description
        self._window = min(self._window or description.receive_bytes, description.receive_bytes)

    def _no_answer(self, heard: _Heard) -> LinkError:
        url = self.transport.url
        if heard.replies:
            return LinkError(
                f"the Tensorspin device at {url} can't be understood: too much is lost on the line "
                f"({self.statistics}); check cable and baud rate"
            )
        if heard.strange_bytes:
            return LinkError(
                f"no Tensorspin device answers at {url} ({heard.strange_bytes} bytes of something "
                f"else received): wrong baud rate or bitstream?"
            )
        return LinkError(
            f"no Tensorspin device answers at {url} (nothing received in {self.timeout:g} s): is "
            f"the board powered, is its bitstream loaded, and is this its port? (FT2232 adapters "
            f"show two; on an iCEBreaker the second is the UART)"
        )

    # Exchanging

    def request(
        self,
        kind: PacketType,
        payload: bytes = b"",
        *,
        reply_bytes: int = 1,
        only_if_unbroken: bool = False,
    ) -> bytes:
        """Ask one thing and wait for the answer.

        Parameters
        ----------
        kind : PacketType
        payload : bytes
        reply_bytes : int
            Length of the reply's payload, for time-outs.
        only_if_unbroken : bool
            Give up with `CountLostError` if the device may have been restarted before it took this.

        Returns
        -------
        bytes
            Payload of the reply after the status.

        Raises
        ------
        DeviceError, LinkError, TransportError
            As `exchange`.
        """
        simple = Simple(kind, payload, reply_bytes)
        simple.only_if_unbroken = only_if_unbroken
        ((_, reply),) = self.exchange([simple])
        return reply

    def exchange(self, requests: Iterable[Request]) -> Iterator[tuple[Request, bytes]]:
        """Ask many things, as many at a time as the device can hold.

        Parameters
        ----------
        requests : iterable of Request
            Taken from as there is room for them. Their order is kept, except that a request whose
            reply got lost is asked again later; large ones may be split.

        Yields
        ------
        request : Request
            In the order of the replies; after a split, one of the pieces.
        reply : bytes
            Payload of the reply after the status.

        Raises
        ------
        DeviceError
            If the device refuses a request, or isn't the same any more.
        LinkError
            If there is no progress. The session greets the device again when it is next used.
        TransportError
            If the transport breaks.
        """
        if self._exchanging:
            raise RuntimeError("an exchange is under way; finish or close it first")
        self._exchanging = True
        source = iter(requests)
        finished = False
        try:
            if not self._synchronised:
                self._lost_count()
            self._progress()
            while self._step(source):
                if self._ready:
                    while self._ready:
                        yield self._ready.popleft()
                    self._progress()  # The time that the caller took doesn't count.
            finished = True
        finally:
            if not finished:
                # Replies may still be under way, and the next exchange must not see them.
                self._synchronised = False
            self._numbered.clear()
            self._again.clear()
            self._ready.clear()
            self._sent = 0
            self._exchanging = False

    def _step(self, source: Iterator[Request]) -> bool:
        """Send what may be sent and take what came; False when nothing is left to do."""
        if self._trouble:
            self._await_quiet()
            self._recover()
        self._number_requests(source)
        if self._numbered:
            self._send()
            self._receive()
        return bool(self._numbered or self._again or self._ready)

    def _number_requests(self, source: Iterator[Request]) -> None:
        """Number requests while there is room for them."""
        bodies = self._held_bytes(len(self._numbered))
        while bodies < self._window:
            request = self._again.popleft() if self._again else next(source, None)
            if request is None:
                return
            pieces = request.split(self._data_limit)
            if len(pieces) > 1:
                for piece in pieces:
                    piece.tries = request.tries
                self._again.extendleft(reversed(pieces))
                continue
            parts = request.parts(self._data_limit)
            if self._numbered and len(self._numbered) + len(parts) > _MAX_NUMBERED:
                self._again.appendleft(request)
                return
            for kind, payload in parts[:-1]:
                bodies += self._number(request, kind, payload, last=False)
            bodies += self._number(request, *parts[-1], last=True)

    def _number(self, request: Request, kind: PacketType, payload: bytes, last: bool) -> int:
        packet = Packet(kind, self._next_number, payload)
        frame = packet.frame()
        reply_bytes = _FRAME_BYTES + (request.reply_bytes if last else 1)
        seconds = self._transfer_time(len(frame) + reply_bytes)
        if last:
            seconds += request.seconds
        body_bytes = len(frame) - cobs.OVERHEAD
        self._numbered.append(
            _Numbered(
                packet.sequence, kind, frame, body_bytes, len(payload), request, last, seconds
            )
        )
        self._next_number = (self._next_number + 1) % SEQUENCE_MODULUS
        return body_bytes

    def _send(self) -> None:
        """Send numbered packets as far as the window allows."""
        frames = []
        held = self._held_bytes(self._sent)
        while self._sent < len(self._numbered):
            packet = self._numbered[self._sent]
            held += packet.body_bytes
            if self._sent and held > self._window:
                break
            if packet.tries >= _MAX_TRIES:
                raise self._stuck(f"a packet was sent {packet.tries} times in vain")
            self.statistics.resent += packet.tries > 0 or packet.request.tries > 0
            packet.tries += 1
            frames.append(packet.frame)
            self._sent += 1
        if frames:
            self.statistics.frames += len(frames)
            self._write(b"".join(frames))
            self._retry_at = self._overdue()

    def _held_bytes(self, count: int) -> int:
        """Bodies that the device holds at most, of the first packets."""
        first = islice(self._numbered, count)
        return sum(packet.body_bytes for packet in first if not packet.replied)

    def _receive(self) -> None:
        self._take(self.transport.read(max(0.0, self._retry_at - self.transport.now())))
        if self.transport.now() >= self._retry_at:  # Replies have prolonged it.
            self.statistics.timeouts += 1
            self._trouble = True

    def _await_quiet(self) -> None:
        """Let the device finish what it holds, and the line run empty."""
        while data := self._read_until_quiet():
            self._take(data)
            self._check_progress()
        self._check_progress()

    def _take(self, data: bytes) -> None:
        damaged, replies = self._splitter.damaged, self.statistics.replies
        for packet in self._feed(data):
            if packet.type == REJECT:
                self.statistics.rejected += 1
                self._expected = packet.sequence
                self._trouble = True
            else:
                self._take_reply(packet)
        if self.statistics.replies > replies:
            self._progress()
        if self._splitter.damaged > damaged:
            # Perhaps the last reply that was under way. If not, the next one prolongs this.
            self._without_loss = 0
            self._retry_at = min(self._retry_at, self.transport.now() + self._quiet_time())

    def _take_reply(self, packet: Packet) -> None:
        if not self._numbered:
            return
        index = (packet.sequence - self._numbered[0].number) % SEQUENCE_MODULUS
        if index >= len(self._numbered):
            return  # late or repeated
        answered = self._numbered[index]
        if not answered.tries or packet.type != answered.kind | REPLY:
            return
        self.statistics.replies += 1
        self._grow()
        if not answered.last:
            # It may overtake the reply to an earlier RUN, and the reply to the last part tells all.
            answered.replied = True
            return
        # All others come in order.
        self._replies_lost(index)
        self._forget(1)
        # A REJECT overtakes replies, so that what it said may be the newer.
        following = (packet.sequence + 1) % SEQUENCE_MODULUS
        if (self._expected - following) % SEQUENCE_MODULUS > len(self._numbered):
            self._expected = following
        self._answer(answered.request, packet.payload)

    def _answer(self, request: Request, payload: bytes) -> None:
        if not payload:
            raise LinkError(f"the device at {self.transport.url} sent a reply without status")
        if payload[0] in request.repeat_on:
            self._ask_again(request)
        elif payload[0] != Status.OK:
            raise _refusal(request, payload[0])
        else:
            self._ready.append((request, payload[1:]))

    # Losses

    def _recover(self) -> None:
        """On a quiet line, find out what the device has taken, and set up the rest again."""
        self._trouble = False
        self.disturbances += 1
        taken = (self._expected - self._next_number + len(self._numbered)) % SEQUENCE_MODULUS
        if taken > len(self._numbered):
            self._lost_count()
            return
        self._replies_lost(taken)
        if not self._numbered:
            return
        self._shrink()
        self._sent = 0
        for packet in self._numbered:
            packet.replied = False
        first = self._numbered[0]
        if first.tries >= 2 and first.data_bytes > 2 * self._data_limit:
            # Its bytes belong to its number; smaller packets need new numbers.
            self._start_numbers_anew()

    def _replies_lost(self, count: int) -> None:
        """The device took the first packets, and their replies are lost."""
        lost = [packet.request for packet in islice(self._numbered, count) if packet.last]
        self._forget(count)
        if lost:
            self._shrink()
        for request in lost:
            self._ask_again(request)

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._numbered.popleft()
        self._sent = max(0, self._sent - count)

    def _ask_again(self, request: Request) -> None:
        self.disturbances += 1
        self._count_try(request)
        self._again.append(request)

    def _count_try(self, request: Request) -> None:
        request.tries += 1
        if request.tries >= _MAX_TRIES:
            raise self._stuck(f"{request} was asked {request.tries} times in vain")

    def _start_numbers_anew(self) -> None:
        unanswered = [packet for packet in self._numbered if packet.last]
        self._forget(len(self._numbered))
        for packet in unanswered:
            if packet.request.only_if_unbroken:
                raise CountLostError(f"the device at {self.transport.url} was restarted")
            if packet.tries:
                self._count_try(packet.request)
        self._again.extendleft(packet.request for packet in reversed(unanswered))
        self._greet()
        self._progress()

    def _lost_count(self) -> None:
        """The device expects a number never sent. Was it restarted, is its model gone?"""
        self._start_numbers_anew()
        if self.model_digest is None:
            return
        # Ask before anything else is asked again.
        kept = self._again, self._ready
        self._again = deque([Simple(PacketType.STATUS, b"", 1 + packets.STATUS.size)])
        self._ready = deque()
        while not self._ready:
            self._step(iter(()))
        ((_, payload),) = self._ready
        self._again, self._ready = kept
        status = DeviceStatus.unpack(payload)
        if not status.active or status.digest != self.model_digest:
            raise _model_gone()

    def _shrink(self) -> None:
        self._without_loss = 0
        self._data_limit = max(_MIN_DATA, self._data_limit // 2)
        self._window = max(_MIN_WINDOW, self._window // 2)

    def _grow(self) -> None:
        self._without_loss += 1
        if self._without_loss >= _GROW_AFTER:
            self._without_loss = 0
            self._data_limit = min(MAX_DATA, 2 * self._data_limit)
            self._window = min(self.description.receive_bytes, 2 * self._window)

    # Bytes and times

    def _write(self, data: bytes) -> None:
        start = max(self._line_free_at, self.transport.now())
        self._line_free_at = start + self._transfer_time(len(data))
        self.transport.write(data)

    def _feed(self, data: bytes) -> list[Packet]:
        complete = self._splitter.feed(data)
        self.statistics.damaged = self._splitter.damaged
        return complete

    def _drain(self, heard: _Heard, until: float) -> None:
        """Drop what comes, until the line is quiet."""
        while data := self._read_until_quiet():
            heard.count(data, self._feed(data))
            if self.transport.now() >= until:
                break

    def _read_until_quiet(self) -> bytes:
        # What was written takes its time to leave.
        leaving = max(0.0, self._line_free_at - self.transport.now())
        return self.transport.read(leaving + self._quiet_time())

    def _transfer_time(self, count: int) -> float:
        baud = self.description.baud if self.description else _UNKNOWN_BAUD
        return count * _BITS_PER_BYTE / baud

    def _quiet_time(self) -> float:
        """Silence in seconds after which nothing more is to be expected."""
        longest = max((packet.request.seconds for packet in self._numbered), default=0.0)
        return self.transport.latency + longest

    def _work_time(self) -> float:
        """Seconds that the packets numbered take, there and back and on the device."""
        return sum(packet.seconds for packet in self._numbered)

    def _overdue(self) -> float:
        """When there should have been an answer."""
        return self.transport.now() + _MARGIN + 2 * self.transport.latency + 2 * self._work_time()

    def _progress(self) -> None:
        self._progress_at = self.transport.now()
        self._retry_at = self._overdue()

    def _check_progress(self) -> None:
        if self.transport.now() > self._progress_at + self.timeout + 2 * self._work_time():
            raise self._stuck(f"no progress for {self.timeout:g} s")

    def _stuck(self, what: str) -> LinkError:
        return LinkError(
            f"lost the device at {self.transport.url}: {what}; since opening: {self.statistics}. "
            f"Check cable and power, the baud rate ({self.description.baud}), and that the board "
            f"is still configured; then try again"
        )


class _Heard:
    """What came while a HELLO was not answered, for the message."""

    def __init__(self) -> None:
        self.replies = 0
        self.strange_bytes = 0

    def count(self, data: bytes, complete: list[Packet]) -> None:
        # Bit `REPLY` is missing in our own packets, which come back if TX meets RX.
        replies = sum(bool(packet.type & REPLY) for packet in complete)
        self.replies += replies
        if not replies:
            self.strange_bytes += len(data)


def _model_gone() -> DeviceError:
    return DeviceError(
        "the device has not the program any more: it was restarted, configured anew or loaded by "
        "somebody else; load the program again",
        Status.NO_MODEL,
    )


def _refusal(request: Request, status: int) -> DeviceError:
    if status == Status.NO_MODEL:
        return _model_gone()
    try:
        status = Status(status)
        name = status.name
    except ValueError:
        name = f"status {status}, which this driver doesn't know"
    return DeviceError(f"the device refused {request}: {name}", status)
