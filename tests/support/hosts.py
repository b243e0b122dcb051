"""A host of a golden device, request by request."""

from __future__ import annotations

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.frames import FrameSplitter, Packet
from tensorspin.contract.wire.packets import (
    ACTIVATE,
    READ_COUNT,
    REPLY,
    DeviceStatus,
    PacketType,
    Status,
    pack_memory,
)

from .doubles import ROW
from .loaded_programs import chain_program

SIZE = ROW.contractor
PROGRAM = chain_program()


class Host:
    """Sends single packets, always with the next number."""

    def __init__(self, device):
        self.device = device
        self.greet()

    def greet(self):
        """Start a session whose first number is 0."""
        self.number = 255
        assert self.ask(PacketType.HELLO)[0] is Status.OK

    def packet(self, kind, payload=b""):
        packet = Packet(kind, self.number, payload)
        self.number = (self.number + 1) % 256
        return packet

    def send(self, *packets):
        """Replies to packets that arrive together."""
        replies = FrameSplitter().feed(
            self.device.respond(b"".join(packet.frame() for packet in packets))
        )
        return replies

    def ask(self, kind, payload=b""):
        """Status and the rest of the reply."""
        packet = self.packet(kind, payload)
        (reply,) = self.send(packet)
        assert (reply.type, reply.sequence) == (kind | REPLY, packet.sequence)
        return Status(reply.payload[0]), reply.payload[1:]

    def write(self, space, address, data):
        payload = pack_memory(space, address) + data
        return self.ask(PacketType.WRITE, payload)[0]

    def read(self, space, address, count):
        payload = pack_memory(space, address) + READ_COUNT.pack(count)
        return self.ask(PacketType.READ, payload)

    def status(self):
        return DeviceStatus.unpack(self.ask(PacketType.STATUS)[1])

    def load(self, program=PROGRAM, features=None):
        images = (program.image(SIZE.lanes), program.table_bytes())
        for space, image in zip(MemorySpace, images):
            for first in range(0, len(image), 200):
                assert self.write(space, first, image[first : first + 200]) is Status.OK
        payload = ACTIVATE.pack(features or program.n_features, 0x12345678)
        assert self.ask(PacketType.ACTIVATE, payload) == (Status.OK, b"")
