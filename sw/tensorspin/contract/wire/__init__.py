"""The bytes between host and device.

`packets` says what requests and replies there are, what their bytes mean, and by which rules they
are executed and repeated. `cobs` makes frames of them, so that a receiver finds the beginning of
the next packet after any fault on the line. `status` is what the reply to STATUS holds.
"""

from .packets import (
    PROTOCOL_VERSION,
    FrameSplitter,
    Packet,
    PacketType,
    RejectReason,
    Status,
)
from .status import DeviceStatus

__all__ = [
    "DeviceStatus",
    "FrameSplitter",
    "PROTOCOL_VERSION",
    "Packet",
    "PacketType",
    "RejectReason",
    "Status",
]
