"""The link: from bytes of the line to packets, and back.

============= ======================================================================================
module        job
============= ======================================================================================
`uart`        bytes on an asynchronous serial line
`spi`         bytes on a serial peripheral interface, whose clock is the host's
`cobs`        byte stuffing: where a frame begins and ends in a stream of bytes
`receiver`    frames to requests: checks, sequence numbers, the receive buffer
`transmitter` replies to frames
`packet`      how packets pass between components
`link`        both directions in one component
============= ======================================================================================

Frame formats and rules are those of `tensorspin.contract.wire`. Modules with components or
structures whose members are annotations do not import ``annotations`` from ``__future__``: Amaranth
evaluates these annotations when the class is created.
"""

from .cobs import COBSDecoder, COBSEncoder
from .link import Link
from .receiver import PacketReceiver
from .spi import SPITarget
from .transmitter import PacketTransmitter
from .uart import UARTReceiver, UARTTransmitter

__all__ = [
    "COBSDecoder",
    "COBSEncoder",
    "Link",
    "PacketReceiver",
    "PacketTransmitter",
    "SPITarget",
    "UARTReceiver",
    "UARTTransmitter",
]
