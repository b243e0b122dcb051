"""The packets under way: their numbers, and how many bytes of them the line bears.

The window holds all packets that were numbered and not yet answered, oldest first. A number belongs
to the bytes of one packet until half of all numbers have passed: a packet that is sent again has
its old number and its old bytes, or a new number. So the reply to one request, however late or
repeated, is never taken for the reply to another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from ...contract.wire.frames import COBS_OVERHEAD, FRAME_OVERHEAD, SEQUENCE_MODULUS, Packet
from ...contract.wire.packets import REPLY, RejectReason
from .requests import MAX_DATA, Request

_MAX_NUMBERED = SEQUENCE_MODULUS // 4
"""Packets under way at most: a quarter of the numbers. Then the numbers in use, those used just
before, and those that a HELLO chooses are three ranges that do not touch."""

_MIN_DATA = 16
"""Bytes of data to which a packet shrinks at least. In smaller packets most of what is lost would
be headers."""

_MIN_BODIES = 256
"""Bytes of packet bodies to which the window shrinks at least. One packet may always be sent, even
if it is longer."""

_GROW_AFTER = 8
"""Replies in a row without a loss after which packets and window double. Sizes then settle where
about one packet in eight is lost, at which headers and losses cost about the same."""


class Pace:
    """Size of packets and window. A loss halves both, and a row of replies doubles both again.

    Attributes
    ----------
    data_limit : int
        Bytes of data in a packet.
    bodies : int
        Bytes of packet bodies that may be under way; 0 until the device has told how many it can
        hold.
    """

    def __init__(self) -> None:
        self.data_limit = MAX_DATA
        self.bodies = self._receive_bytes = 0
        self._without_loss = 0

    def adopt(self, receive_bytes: int) -> None:
        """Take over how many bytes of bodies the device can hold."""
        self._receive_bytes = receive_bytes
        self.bodies = min(self.bodies or receive_bytes, receive_bytes)

    def count_reply(self) -> None:
        """Count a reply; after enough of them in a row, grow."""
        self._without_loss += 1
        if self._without_loss >= _GROW_AFTER:
            self._without_loss = 0
            self.data_limit = min(MAX_DATA, 2 * self.data_limit)
            self.bodies = min(self._receive_bytes, 2 * self.bodies)

    def count_damage(self) -> None:
        """Put off growing after a damaged frame from the device, which may not have been a reply.

        Nothing shrinks yet: only if a reply turns out to be lost.
        """
        self._without_loss = 0

    def shrink(self) -> None:
        """Halve packets and window after a loss."""
        self._without_loss = 0
        self.data_limit = max(_MIN_DATA, self.data_limit // 2)
        self.bodies = max(_MIN_BODIES, self.bodies // 2)


@dataclass
class PendingRequest:
    """A request until it is answered.

    Parameters
    ----------
    request : Request
        What is asked.
    tries : int
        How often it was sent completely.
    """

    request: Request
    tries: int = 0


@dataclass
class NumberedPacket:
    """A packet with its number, until its reply has come or is known to be lost.

    Parameters
    ----------
    packet : Packet
        Type, number and payload.
    frame : bytes
        The packet as it goes over the line.
    pending : PendingRequest
        The request that the packet belongs to.
    last : bool
        Whether it is the last packet of its request: the one whose reply answers the request.
    tries : int
        How often the packet was sent.
    replied : bool
        Whether the reply to a packet that isn't the last has come.
    """

    packet: Packet
    frame: bytes
    pending: PendingRequest
    last: bool
    tries: int = 0
    replied: bool = False

    @property
    def held_bytes(self) -> int:
        """Bytes of the device's receive buffer that the packet takes."""
        return 0 if self.replied else len(self.frame) - COBS_OVERHEAD

    @property
    def line_bytes(self) -> int:
        """Bytes of the packet and its reply on the line."""
        reply_bytes = self.pending.request.reply_bytes if self.last else 1
        return len(self.frame) + FRAME_OVERHEAD + reply_bytes

    @property
    def seconds(self) -> float:
        """Seconds that the device computes before it answers this packet."""
        return self.pending.request.seconds if self.last else 0.0


class Window:
    """The packets under way, oldest first.

    Attributes
    ----------
    pace : Pace
        How large packets and window may be.
    next_number : int
        Sequence number of the next packet.
    """

    def __init__(self) -> None:
        self.pace = Pace()
        self.next_number = 0
        # The number that the device expects, as far as is known; None: it is in no session.
        self._expected: int | None = 0
        self._packets: deque[NumberedPacket] = deque()
        self._sent = 0  # how many packets, from the first on, were sent since the last loss

    def __len__(self) -> int:
        return len(self._packets)

    def __getitem__(self, index: int) -> NumberedPacket:
        return self._packets[index]

    # Numbers

    @property
    def distant_number(self) -> int:
        """A number far from those in use, for a HELLO whose reply can't be mistaken."""
        return (self.next_number + _MAX_NUMBERED) % SEQUENCE_MODULUS

    def start_after(self, number: int) -> None:
        """Forget all packets; from now on the device expects what follows `number`."""
        self._packets.clear()
        self._sent = 0
        self.next_number = self._expected = (number + 1) % SEQUENCE_MODULUS

    @property
    def taken(self) -> int | None:
        """How many packets, from the first on, the device has taken, by its last REJECT.

        None if the device expects a number that was never sent, or nothing but a HELLO.
        """
        if self._expected is None:
            return None
        count = (self._expected - self._first_number) % SEQUENCE_MODULUS
        return count if count <= len(self._packets) else None

    @property
    def _first_number(self) -> int:
        return (self.next_number - len(self._packets)) % SEQUENCE_MODULUS

    # Sending

    @property
    def has_room(self) -> bool:
        """Whether the window has room, so that one more request may be added."""
        return sum(packet.held_bytes for packet in self._packets) < self.pace.bodies

    def fill(self, waiting: deque[PendingRequest], source: Iterator[Request]) -> None:
        """Take requests as long as there is room, and number their packets.

        Parameters
        ----------
        waiting : deque of PendingRequest
            Requests to take first. What is taken from `source` and not yet numbered, such as the
            other pieces of a request that had to be split, stays here.
        source : iterator of Request
            Requests to take after those.
        """
        while self.has_room:
            if not waiting:
                request = next(source, None)
                if request is None:
                    return
                waiting.append(PendingRequest(request))
            pending = waiting.popleft()
            pieces = pending.request.split(self.pace.data_limit)
            if len(pieces) > 1:
                waiting.extendleft(PendingRequest(piece, pending.tries) for piece in pieces[::-1])
                continue
            parts = pending.request.parts(self.pace.data_limit)
            # A request with more packets than that is sent when nothing else is under way.
            if self._packets and len(self._packets) + len(parts) > _MAX_NUMBERED:
                waiting.appendleft(pending)
                return
            for index, (kind, payload) in enumerate(parts, start=1):
                packet = Packet(kind, self.next_number, payload)
                last = index == len(parts)
                self._packets.append(NumberedPacket(packet, packet.frame(), pending, last))
                self.next_number = (self.next_number + 1) % SEQUENCE_MODULUS

    def take_to_send(self) -> list[NumberedPacket]:
        """Take the packets that the device has room for; they count as sent.

        Returns
        -------
        list of NumberedPacket
            Packets in the order of their numbers; at least one, if any is not sent and none is
            under way.
        """
        packets = list(self._packets)
        first = self._sent
        held = sum(packet.held_bytes for packet in packets[:first])
        while self._sent < len(packets):
            held += packets[self._sent].held_bytes
            if self._sent and held > self.pace.bodies:
                break
            self._sent += 1
        return packets[first : self._sent]

    def send_again(self) -> None:
        """Count all packets as not sent."""
        self._sent = 0
        for packet in self._packets:
            packet.replied = False

    @property
    def oversized(self) -> bool:
        """Whether the first packet is lost again and again, and much larger than packets are now.

        Its bytes belong to its number, so smaller packets need new numbers.
        """
        first = self._packets[0]
        large = len(first.packet.payload) > 2 * self.pace.data_limit
        return large and first.tries >= 2 and first.pending.request.divisible

    # Receiving

    def take_reject(self, reject: Packet) -> None:
        """Note which number the device expects."""
        no_session = reject.payload == bytes([RejectReason.NO_SESSION])
        self._expected = None if no_session else reject.sequence

    def find(self, reply: Packet) -> int | None:
        """Find the packet that a reply belongs to.

        Returns
        -------
        int or None
            Index of the packet; None if the reply belongs to no packet under way.
        """
        index = (reply.sequence - self._first_number) % SEQUENCE_MODULUS
        if index >= len(self._packets):
            return None  # The reply is late or repeated.
        packet = self._packets[index]
        if not packet.tries or reply.type != packet.packet.type | REPLY:
            return None
        return index

    def drop(self, count: int) -> list[PendingRequest]:
        """Forget the first packets.

        Parameters
        ----------
        count : int
            How many packets to forget.

        Returns
        -------
        list of PendingRequest
            The requests whose last packets were among them.
        """
        packets = [self._packets.popleft() for _ in range(count)]
        self._sent = max(0, self._sent - count)
        if self.taken is None:
            # A REJECT overtakes replies: where there was one, it has told something newer.
            self._expected = self._first_number
        return [packet.pending for packet in packets if packet.last]

    # Times

    @property
    def line_bytes(self) -> int:
        """Bytes on the line, of all packets and their replies."""
        return sum(packet.line_bytes for packet in self._packets)

    @property
    def seconds(self) -> float:
        """Seconds that the device computes for all packets."""
        return sum(packet.seconds for packet in self._packets)

    @property
    def work(self) -> tuple[int, float]:
        """Bytes on the line and seconds of computing that all packets take."""
        return self.line_bytes, self.seconds

    @property
    def longest_silence(self) -> float:
        """Seconds that the device computes at most before the next reply."""
        return max((packet.seconds for packet in self._packets), default=0.0)

    @property
    def longest_fault(self) -> float:
        """Seconds that it computes at most before that reply if its memory is faulty."""
        return max((packet.pending.request.most_seconds for packet in self._packets), default=0.0)
