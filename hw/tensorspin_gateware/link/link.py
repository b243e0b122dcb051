"""Both directions of the line in one component."""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .packet import CountersSignature, PacketByte, RejectSignature
from .receiver import PacketReceiver
from .transmitter import PacketTransmitter


class Link(wiring.Component):
    """Bytes of the line to requests, and replies to bytes of the line.

    Resources: four 4 Kbit block RAMs for a buffer of 1024 bytes (iCE40).

    Parameters
    ----------
    receive_bytes : int
        Size of the receive buffer; a power of two.

    Ports
    -----
    rx : In(stream of 8)
        Always ready.
    tx : Out(stream of 8)
    requests : Out(stream of PacketByte)
        Packets to execute.
    replies : In(stream of PacketByte)
    reject : Out(RejectSignature)
    counters : Out(CountersSignature)
    """

    def __init__(self, receive_bytes: int):
        self._receiver = PacketReceiver(receive_bytes)
        self._transmitter = PacketTransmitter()
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "tx": Out(stream.Signature(8)),
                "requests": Out(stream.Signature(PacketByte)),
                "replies": In(stream.Signature(PacketByte)),
                "reject": Out(RejectSignature()),
                "counters": Out(CountersSignature()),
            }
        )

    def elaborate(self, platform):
        m = Module()

        m.submodules.receiver = receiver = self._receiver
        m.submodules.transmitter = transmitter = self._transmitter
        for outer, inner in (
            (self.rx, receiver.rx),
            (self.requests, receiver.requests),
            (self.reject, receiver.reject),
            (self.counters, receiver.counters),
            (self.tx, transmitter.tx),
            (self.replies, transmitter.replies),
        ):
            wiring.connect(m, wiring.flipped(outer), inner)

        return m
