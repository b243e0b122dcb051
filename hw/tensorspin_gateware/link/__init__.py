"""From bytes of the line to packets and back."""

from .cobs import COBSDecoder, COBSEncoder
from .link import Link
from .receiver import PacketReceiver
from .transmitter import PacketTransmitter
from .uart import UARTReceiver, UARTTransmitter

__all__ = [
    "COBSDecoder",
    "COBSEncoder",
    "Link",
    "PacketReceiver",
    "PacketTransmitter",
    "UARTReceiver",
    "UARTTransmitter",
]
