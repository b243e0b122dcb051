"""The bytes between host and device.

`frames` makes bytes of packets, so that a receiver finds the beginning of the next packet after any
fault on the line. `packets` says what requests and replies there are, what their bytes mean, and by
which rules they are executed and repeated.
"""

from .frames import FrameSplitter, Packet
from .packets import (
    PROTOCOL_VERSION,
    DeviceStatus,
    PacketType,
    RejectReason,
    Status,
)

__all__ = [
    "DeviceStatus",
    "FrameSplitter",
    "PROTOCOL_VERSION",
    "Packet",
    "PacketType",
    "RejectReason",
    "Status",
]
