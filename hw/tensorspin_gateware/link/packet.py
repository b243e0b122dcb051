"""How packets pass between the components of the gateware: as streams of bytes, without CRC."""

from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.wire.packets import SEQUENCE_MODULUS, RejectReason

SEQUENCE_BITS = (SEQUENCE_MODULUS - 1).bit_length()
COUNTER_BITS = 16
"""Width of the counters of rejected frames, as in
`tensorspin.contract.wire.packets.DeviceStatus`."""


class PacketByte(data.Struct):
    """One byte of a packet: type, sequence number, length, then the payload."""

    data: 8
    last: 1


class RejectSignature(wiring.Signature):
    """News of a frame that was not executed.

    Not a stream: `reason` and `expected` follow the newest frame until the cycle in which `taken`
    is asserted, because an older reject is of no use to the host once there is a newer one.

    Members
    -------
    pending : Out(1)
        A frame was rejected since the last `taken`.
    reason : Out(RejectReason)
        Why the newest of them was rejected.
    expected : Out(8)
        Sequence number expected next.
    taken : In(1)
        Strobe, only while `pending`.
    """

    def __init__(self):
        super().__init__(
            {
                "pending": Out(1),
                "reason": Out(range(max(RejectReason) + 1)),
                "expected": Out(SEQUENCE_BITS),
                "taken": In(1),
            }
        )


class CountersSignature(wiring.Signature):
    """Frames rejected since configuration, by reason; the counters wrap.

    Members
    -------
    damaged, out_of_sequence, overflows : Out(16)
    """

    def __init__(self):
        super().__init__(
            {
                "damaged": Out(COUNTER_BITS),
                "out_of_sequence": Out(COUNTER_BITS),
                "overflows": Out(COUNTER_BITS),
            }
        )
