"""How packets pass between the components of the gateware: as streams of bytes, without CRC."""

from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.wire.frames import SEQUENCE_MODULUS
from tensorspin.contract.wire.packets import RejectReason

SEQUENCE_BITS = (SEQUENCE_MODULUS - 1).bit_length()
"""Width of a sequence number, in bits."""

COUNTER_BITS = 16
"""Width of the counters of rejected frames, as in
`tensorspin.contract.wire.packets.DeviceStatus`."""


class PacketByte(data.Struct):
    """One byte of a packet, which has type, sequence number and length, and then the payload.

    Members
    -------
    data : 8
        The byte.
    last : 1
        It is the packet's last byte.
    """

    data: 8
    last: 1


class RejectSignature(wiring.Signature):
    """News of a frame that was not executed.

    This is not a stream: `reason` and `expected` are those of the newest such frame, up to the
    cycle of `taken`, because an older reject is of no use to the host once there is a newer one.

    Members
    -------
    pending : Out(1)
        A frame was rejected since the last `taken`.
    reason : Out(RejectReason)
        Why the newest of these frames was rejected.
    expected : Out(8)
        The sequence number that the device expects next.
    taken : In(1)
        Strobe, only while `pending`: a REJECT with these values is being sent to the host.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "pending": Out(1),
                "reason": Out(range(max(RejectReason) + 1)),
                "expected": Out(SEQUENCE_BITS),
                "taken": In(1),
            }
        )


class CountersSignature(wiring.Signature):
    """Numbers of frames that were rejected since the device was configured, by reason.

    Members
    -------
    damaged : Out(16)
        Frames whose bytes, length or CRC were wrong.
    out_of_sequence : Out(16)
        Frames with another sequence number than the expected one.
    overflows : Out(16)
        Frames for which the receive buffer had no room.

    After 65535 follows 0.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "damaged": Out(COUNTER_BITS),
                "out_of_sequence": Out(COUNTER_BITS),
                "overflows": Out(COUNTER_BITS),
            }
        )
