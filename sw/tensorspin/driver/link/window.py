"""Numbers, the packets under way, and how many bytes of them the line bears.

A number belongs to the bytes of one packet until half of all numbers have passed. A packet that is
sent again has its old number and its old bytes, or a new number; so no reply, however late or
repeated, is taken for that to another request.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ...contract.wire import cobs
from ...contract.wire.packets import FRAME_OVERHEAD, REPLY, SEQUENCE_MODULUS, Packet, RejectReason
from .requests import MAX_DATA, Request

_MAX_NUMBERED = SEQUENCE_MODULUS // 4
"""Packets under way at most. So numbers in use, those just used, and those that follow a HELLO
are three ranges apart from each other."""
_MIN_DATA = 16
"""Bytes of data to which a packet shrinks: below, headers are most of what is lost."""
_MIN_BODIES = 256
"""Bytes of bodies to which the window shrinks; one packet may always be sent."""
_GROW_AFTER = 8
"""Replies in a row without a loss after which packets and window double: about one packet in eight
is lost when headers and losses cost the same."""


class Pace:
    """Size of packets and window: halved by a loss, doubled again when all goes well.

    Attributes
    ----------
    data_limit : int
        Bytes of data in a packet.
    bodies : int
        Bytes of bodies under way; 0 until the device has told what it can hold.
    """

    def __init__(self) -> None:
        self.data_limit = MAX_DATA
        self.bodies = self._receive_bytes = 0
        self._without_loss = 0

    def adopt(self, receive_bytes: int) -> None:
        """The device can hold so many bytes of bodies."""
        self._receive_bytes = receive_bytes
        self.bodies = min(self.bodies or receive_bytes, receive_bytes)

    def count_reply(self) -> None:
        """A reply came; perhaps grow."""
        self._without_loss += 1
        if self._without_loss >= _GROW_AFTER:
            self._without_loss = 0
            self.data_limit = min(MAX_DATA, 2 * self.data_limit)
            self.bodies = min(self._receive_bytes, 2 * self.bodies)

    def count_damage(self) -> None:
        """A frame from the device was damaged: don't grow. The reply may still not be lost."""
        self._without_loss = 0

    def shrink(self) -> None:
        """Something was lost."""
        self._without_loss = 0
        self.data_limit = max(_MIN_DATA, self.data_limit // 2)
        self.bodies = max(_MIN_BODIES, self.bodies // 2)


@dataclass
class PendingRequest:
    """A request until it is answered.

    Attributes
    ----------
    request : Request
    tries : int
        Times that it was sent completely.
    """

    request: Request
    tries: int = 0


@dataclass
class NumberedPacket:
    """A packet with its number, until its reply has come or is known to be lost.

    Attributes
    ----------
    packet : Packet
    frame : bytes
    pending : PendingRequest
        What it belongs to.
    last : bool
        It is the last of its request.
    tries : int
        Times that it was sent.
    replied : bool
        The reply to one that isn't the last has come.
    """

    packet: Packet
    frame: bytes
    pending: PendingRequest
    last: bool
    tries: int = 0
    replied: bool = False

    @property
    def held_bytes(self) -> int:
        """What it takes of the device's receive buffer."""
        return 0 if self.replied else len(self.frame) - cobs.OVERHEAD

    @property
    def line_bytes(self) -> int:
        """Bytes on the line, of packet and reply."""
        reply_bytes = self.pending.request.reply_bytes if self.last else 1
        return len(self.frame) + FRAME_OVERHEAD + reply_bytes

    @property
    def seconds(self) -> float:
        """Time that the device computes."""
        return self.pending.request.seconds if self.last else 0.0


class Window:
    """The packets under way, oldest first.

    Attributes
    ----------
    pace : Pace
    next_number : int
        That of the next packet.
    """

    def __init__(self) -> None:
        self.pace = Pace()
        self.next_number = 0
        self._expected: int | None = 0  # by the device, as far as is known; None: no session
        self._packets: deque[NumberedPacket] = deque()
        self._sent = 0  # packets, from the first on, sent since the last loss

    def __len__(self) -> int:
        return len(self._packets)

    def __getitem__(self, index: int) -> NumberedPacket:
        return self._packets[index]

    # Numbers

    @property
    def distant_number(self) -> int:
        """A number far from those in use."""
        return (self.next_number + _MAX_NUMBERED) % SEQUENCE_MODULUS

    def start_after(self, number: int) -> None:
        """Nothing is under way any more, and the device expects what follows `number`."""
        self._packets.clear()
        self._sent = 0
        self.next_number = self._expected = (number + 1) % SEQUENCE_MODULUS

    @property
    def taken(self) -> int | None:
        """How many packets the device has taken by its last REJECT.

        None if it expects a number that was never sent, or nothing but a HELLO.
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
        """One more request may be added."""
        return sum(packet.held_bytes for packet in self._packets) < self.pace.bodies

    def add(self, pending: PendingRequest) -> bool:
        """Number the packets of a request; False, and nothing done, if numbers don't suffice."""
        parts = pending.request.parts(self.pace.data_limit)
        if self._packets and len(self._packets) + len(parts) > _MAX_NUMBERED:
            return False
        for index, (kind, payload) in enumerate(parts, start=1):
            packet = Packet(kind, self.next_number, payload)
            last = index == len(parts)
            self._packets.append(NumberedPacket(packet, packet.frame(), pending, last))
            self.next_number = (self.next_number + 1) % SEQUENCE_MODULUS
        return True

    def take_to_send(self) -> list[NumberedPacket]:
        """Packets that the device has room for; they count as sent."""
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
        """All packets are to be sent again."""
        self._sent = 0
        for packet in self._packets:
            packet.replied = False

    @property
    def oversized(self) -> bool:
        """The first packet is lost again and again, and much larger than packets are by now.

        Its bytes belong to its number, so that smaller packets need new numbers.
        """
        first = self._packets[0]
        large = len(first.packet.payload) > 2 * self.pace.data_limit
        return large and first.tries >= 2 and first.pending.request.divisible

    # Receiving

    def take_reject(self, reject: Packet) -> None:
        """Note what the device expects."""
        no_session = reject.payload == bytes([RejectReason.NO_SESSION])
        self._expected = None if no_session else reject.sequence

    def find(self, reply: Packet) -> int | None:
        """Index of the packet that a reply belongs to; None if it is nobody's."""
        index = (reply.sequence - self._first_number) % SEQUENCE_MODULUS
        if index >= len(self._packets):
            return None  # late or repeated
        packet = self._packets[index]
        if not packet.tries or reply.type != packet.packet.type | REPLY:
            return None
        return index

    def drop(self, count: int) -> list[PendingRequest]:
        """Forget the first packets; the requests that end with them."""
        packets = [self._packets.popleft() for _ in range(count)]
        self._sent = max(0, self._sent - count)
        if self.taken is None:
            # Else a REJECT, which overtakes replies, has told something newer.
            self._expected = self._first_number
        return [packet.pending for packet in packets if packet.last]

    # Times

    @property
    def line_bytes(self) -> int:
        """Bytes on the line, of all packets and their replies."""
        return sum(packet.line_bytes for packet in self._packets)

    @property
    def seconds(self) -> float:
        """Time that the device computes for all packets."""
        return sum(packet.seconds for packet in self._packets)

    @property
    def longest_silence(self) -> float:
        """Time that the device computes at most before the next reply."""
        return max((packet.seconds for packet in self._packets), default=0.0)
