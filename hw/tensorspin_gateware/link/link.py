"""Both directions of the line in one component."""

from __future__ import annotations

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .packet import CountersSignature, PacketByte, RejectSignature
from .receiver import PacketReceiver
from .transmitter import PacketTransmitter


class Link(wiring.Component):
    """Turns bytes of the line into requests, and replies into bytes of the line.

    Parameters
    ----------
    receive_bytes : int
        Size of the receive buffer in bytes; a power of two.
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.

    Ports
    -----
    rx : In(stream of 8)
        Bytes from the host; always ready, since a serial line cannot wait.
    tx : Out(stream of 8)
        Bytes for the host.
    requests : Out(stream of PacketByte)
        Packets to execute: intact, in sequence, and each only once.
    replies : In(stream of PacketByte)
        Packets to send.
    reject : Out(RejectSignature)
        News of a frame that was not executed, about which the host must hear.
    counters : Out(CountersSignature)
        Numbers of such frames.

    Latency: that of `PacketReceiver`, and that of `PacketTransmitter`. Resources: four 4 Kbit block
    RAMs for a buffer of 1024 bytes (iCE40), and the LUTs of both.
    """

    def __init__(self, receive_bytes: int, staged: bool = False) -> None:
        self._receiver = PacketReceiver(receive_bytes, staged)
        self._transmitter = PacketTransmitter(staged)
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
