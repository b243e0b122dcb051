"""What the host can ask of a device.

Each request is a unit that may be asked again with the same effect: the driver repeats it when a
reply is lost, without knowing whether the device has executed it.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TypeVar

from ...contract.annealer.image import POINTER_BYTES, AnnealerSpace
from ...contract.contractor.memory import MANTISSA_BYTES
from ...contract.contractor.rows import Mode
from ...contract.wire.frames import MAX_PAYLOAD
from ...contract.wire.packets import (
    MEMORY,
    OFFSET,
    READ_COUNT,
    RESULT,
    SINGLE,
    STATUS,
    PacketType,
    Status,
    pack_memory,
)

SCORE_BYTES = MANTISSA_BYTES
"""Bytes of a score in the reply to a RUN: a score is a mantissa of 16 bits."""

MAX_DATA = MAX_PAYLOAD - MEMORY.size
"""Bytes of data that one WRITE or READ moves at most. The reply to a READ, which carries no
address, could hold three bytes more; one limit for both directions keeps the callers simple."""

Part = tuple[PacketType, bytes]
"""Type and payload of one packet."""

RequestT = TypeVar("RequestT", bound="Request")
"""The kind of request that an exchange was given, and so also gives back with the replies."""


class Request:
    """One or more packets that are repeated together; the reply to the last one answers them all.

    Attributes
    ----------
    reply_bytes : int
        Bytes of the last reply's payload, with the status, from which time-outs are computed.
    fixed_reply : bool
        Whether a reply of another length than `reply_bytes` is an error. If not, whoever asks
        checks what comes back.
    seconds : float
        Time in seconds that the device computes before it replies.
    most_seconds : float
        Time in seconds that it computes at most, even if its memory holds something else than was
        written; 0 if that makes no difference.
    divisible : bool
        Whether `parts` or `split` heed their limit, at least for long data.
    data_bytes : int
        Bytes of data that the request moves to or from the device, without headers.
    repeat_on : frozenset of Status
        Refusals that can only come from trouble on the line. The driver repeats a request that is
        refused with one of them; any other refusal is an error.
    """

    reply_bytes: int = 1
    fixed_reply: bool = True
    seconds: float = 0.0
    most_seconds: float = 0.0
    divisible: bool = True
    data_bytes: int = 0
    repeat_on: frozenset[Status] = frozenset()

    def parts(self, limit: int) -> list[Part]:
        """Cut the request into packets.

        Parameters
        ----------
        limit : int
            Bytes of data that a packet should carry at most. What can't be cut is longer.

        Returns
        -------
        list of (PacketType, bytes)
            Type and payload of each packet, in the order in which they are sent.
        """
        raise NotImplementedError

    def split(self: RequestT, limit: int) -> Sequence[RequestT]:
        """Find smaller requests that together do the same.

        Parameters
        ----------
        limit : int
            Bytes of data that each of them may move.

        Returns
        -------
        sequence of Request
            Requests of the same class as this one; only itself if it can't be split.
        """
        return [self]


class Simple(Request):
    """A request of one packet, which can't be cut.

    Parameters
    ----------
    kind : PacketType
        Type of the packet.
    payload : bytes
        Its payload.
    reply_bytes : int
        Bytes of the reply's payload.
    seconds : float
        Time in seconds that the device computes before it replies.
    """

    divisible = False
    fixed_reply = False

    def __init__(
        self, kind: PacketType, payload: bytes = b"", reply_bytes: int = 1, seconds: float = 0.0
    ) -> None:
        self.kind = kind
        self.payload = payload
        self.reply_bytes = reply_bytes
        self.seconds = seconds

    def parts(self, limit: int) -> list[Part]:
        """Return the one packet, whatever the limit."""
        return [(self.kind, self.payload)]

    def __str__(self) -> str:
        return self.kind.name


class AskStatus(Simple):
    """Ask for the device's status."""

    data_bytes = STATUS.size

    def __init__(self) -> None:
        super().__init__(PacketType.STATUS, reply_bytes=1 + STATUS.size)


class Write(Request):
    """Write bytes into a memory. The device's program is inactive after a WRITE to the contractor.

    Parameters
    ----------
    space : MemorySpace or AnnealerSpace
        The memory.
    address : int
        Address of the first byte.
    data : bytes
        1 to `MAX_DATA` bytes.
    """

    def __init__(self, space: enum.IntEnum, address: int, data: bytes) -> None:
        self.space = space
        self.address = address
        self.data = data
        self.data_bytes = len(data)

    def parts(self, limit: int) -> list[Part]:
        """Return one packet; `split` has seen to its length."""
        return [(PacketType.WRITE, pack_memory(self.space, self.address) + self.data)]

    def split(self, limit: int) -> Sequence[Write]:
        """Return WRITEs of consecutive pieces of the data."""
        return [
            Write(self.space, self.address + first, self.data[first : first + limit])
            for first in range(0, len(self.data), limit)
        ]

    def __str__(self) -> str:
        return f"WRITE {self.space.name} at {self.address} ({len(self.data)} bytes)"


class Script(Request):
    """Write single bytes of the annealer's couplings, through `AnnealerSpace.SPARSE`.

    Parameters
    ----------
    entries : sequence of (int, int)
        Address and new value of each byte. Addresses rise, from one entry to the next by 255 at
        most.
    """

    def __init__(self, entries: Sequence[tuple[int, int]]) -> None:
        self.entries = entries
        self.data_bytes = len(entries)

    def parts(self, limit: int) -> list[Part]:
        """Return one packet: the first address, then bytes and moves of the address."""
        place = self.entries[0][0]
        script = bytearray(place.to_bytes(POINTER_BYTES, "little"))
        for address, byte in self.entries:
            if address != place:
                script.append(address - place)
                place = address
            script.append(byte)
        return [(PacketType.WRITE, pack_memory(AnnealerSpace.SPARSE, 0) + script)]

    def split(self, limit: int) -> Sequence[Script]:
        """Return scripts of consecutive runs of the entries."""
        # An entry takes two bytes, its move and its value; the first one needs no move.
        count = max(1, (limit - POINTER_BYTES + 1) // 2)
        return [
            Script(self.entries[first : first + count])
            for first in range(0, len(self.entries), count)
        ]

    def __str__(self) -> str:
        return f"WRITE of {len(self.entries)} bytes in COUPLINGS from {self.entries[0][0]} on"


class Read(Request):
    """Read bytes from a memory.

    Parameters
    ----------
    space : MemorySpace or AnnealerSpace
        The memory.
    address : int
        Address of the first byte.
    count : int
        Bytes to read, 1 to `MAX_DATA`.
    """

    def __init__(self, space: enum.IntEnum, address: int, count: int) -> None:
        self.space = space
        self.address = address
        self.count = self.data_bytes = count
        self.reply_bytes = 1 + count

    def parts(self, limit: int) -> list[Part]:
        """Return one packet; `split` has seen to the length of its reply."""
        payload = pack_memory(self.space, self.address) + READ_COUNT.pack(self.count)
        return [(PacketType.READ, payload)]

    def split(self, limit: int) -> Sequence[Read]:
        """Return READs of consecutive pieces."""
        return [
            Read(self.space, self.address + first, min(limit, self.count - first))
            for first in range(0, self.count, limit)
        ]

    def __str__(self) -> str:
        return f"READ {self.space.name} at {self.address} ({self.count} bytes)"


class RunSample(Request):
    """Contract one sample.

    Parameters
    ----------
    index : int
        Position of the sample in the caller's array, to file the reply under.
    levels : bytes
        The sample: one level, 0 to 255, for each feature.
    outputs : int
        Scores in the reply.
    seconds : float
        Time in seconds that the device takes for one contraction.
    mode : Mode, default=Mode.THROUGHPUT
        What the device's groups do. `Mode.SINGLE` is for devices that have it.
    most_seconds : float, default=0.0
        Time in seconds that one takes at most, whatever the program memory holds.
    """

    # The device executes the parts of a sample one after the other, or none of them. Only if it was
    # reset between two parts, or took an old HELLO for a new one, does it see a part out of place.
    repeat_on = frozenset({Status.BAD_OFFSET})

    def __init__(
        self,
        index: int,
        levels: bytes,
        outputs: int,
        seconds: float,
        mode: Mode = Mode.THROUGHPUT,
        most_seconds: float = 0.0,
    ) -> None:
        self.index = index
        self.mode = mode
        self.levels = levels
        self.data_bytes = len(levels)
        self.reply_bytes = 1 + SCORE_BYTES * outputs + RESULT.size
        self.seconds = seconds
        self.most_seconds = most_seconds

    def parts(self, limit: int) -> list[Part]:
        """Return FEATURES packets, then the RUN with the last levels."""
        starts = range(0, len(self.levels), limit)
        parts = [
            (PacketType.FEATURES, OFFSET.pack(first) + self.levels[first : first + limit])
            for first in starts
        ]
        flag = SINGLE if self.mode is Mode.SINGLE else 0
        head = OFFSET.pack(starts[-1] | flag)
        parts[-1] = (PacketType.RUN, head + parts[-1][1][len(head) :])
        return parts

    def __str__(self) -> str:
        return f"RUN of sample {self.index}"


class UnfinishedSample(Request):
    """The first part of a sample that is never run, to measure the line with.

    Parameters
    ----------
    features : int
        Number of levels in that part.
    """

    def __init__(self, features: int) -> None:
        self.data_bytes = features

    def parts(self, limit: int) -> list[Part]:
        """Return one packet, of fewer levels if the limit is lower."""
        self.data_bytes = min(self.data_bytes, limit)
        return [(PacketType.FEATURES, OFFSET.pack(0) + bytes(self.data_bytes))]

    def __str__(self) -> str:
        return f"FEATURES of {self.data_bytes} levels"
