"""What can be asked of a device, each as a unit that may be asked again with the same effect."""

from __future__ import annotations

from collections.abc import Sequence

from ...contract.annealer.image import POINTER_BYTES, AnnealerSpace
from ...contract.contractor.memory import MANTISSA_BYTES, MemorySpace
from ...contract.wire.packets import (
    MAX_PAYLOAD,
    MEMORY,
    OFFSET,
    READ_COUNT,
    RESULT,
    PacketType,
    Status,
    pack_memory,
)

SCORE_BYTES = MANTISSA_BYTES
"""A score is a mantissa."""

MAX_DATA = MAX_PAYLOAD - MEMORY.size
"""Bytes that a WRITE or READ moves at most. (A READ's reply could hold three more.)"""

Part = tuple[PacketType, bytes]
"""Type and payload of one packet."""


class Request:
    """One or more packets, repeated together, answered by the reply to the last.

    Attributes
    ----------
    reply_bytes : int
        Payload of the last reply, for time-outs.
    seconds : float
        Time that the device computes before it replies.
    divisible : bool
        Whether `parts` or `split` heed their limit, at least for long data.
    repeat_on : frozenset of Status
        Refusals that can only come from trouble on the line, so that the request is repeated.
    """

    reply_bytes = 1
    seconds = 0.0
    divisible = True
    repeat_on: frozenset[Status] = frozenset()

    def parts(self, limit: int) -> list[Part]:
        """The packets, none with more than `limit` bytes of data where they can be cut."""
        raise NotImplementedError

    def split(self, limit: int) -> Sequence[Request]:
        """Requests that do the same, none moving more than `limit` bytes."""
        return [self]


class Simple(Request):
    """A request of one packet that can't be cut."""

    divisible = False

    def __init__(self, kind: PacketType, payload: bytes = b"", reply_bytes: int = 1) -> None:
        self.kind = kind
        self.payload = payload
        self.reply_bytes = reply_bytes

    def parts(self, limit: int) -> list[Part]:
        return [(self.kind, self.payload)]

    def __str__(self) -> str:
        return self.kind.name


class Write(Request):
    """Write bytes into a memory; if it is the contractor's, the model is no longer active.

    Parameters
    ----------
    space : MemorySpace or AnnealerSpace
    address : int
        Of the first byte.
    data : bytes
        1 to `MAX_DATA` bytes.
    """

    def __init__(self, space: MemorySpace | AnnealerSpace, address: int, data: bytes) -> None:
        self.space = space
        self.address = address
        self.data = data

    def parts(self, limit: int) -> list[Part]:
        return [(PacketType.WRITE, pack_memory(self.space, self.address) + self.data)]

    def split(self, limit: int) -> Sequence[Request]:
        return [
            Write(self.space, self.address + first, self.data[first : first + limit])
            for first in range(0, len(self.data), limit)
        ]

    def __str__(self) -> str:
        return f"WRITE {self.space.name} at {self.address} ({len(self.data)} bytes)"


class Script(Request):
    """Write single bytes of the annealer's couplings, by `AnnealerSpace.SPARSE`.

    Parameters
    ----------
    entries : sequence of (int, int)
        Address and byte; addresses rise, by 255 at most.
    """

    def __init__(self, entries: Sequence[tuple[int, int]]) -> None:
        self.entries = entries

    def parts(self, limit: int) -> list[Part]:
        place = self.entries[0][0]
        script = bytearray(place.to_bytes(POINTER_BYTES, "little"))
        for address, byte in self.entries:
            if address != place:
                script.append(address - place)
                place = address
            script.append(byte)
        return [(PacketType.WRITE, pack_memory(AnnealerSpace.SPARSE, 0) + script)]

    def split(self, limit: int) -> Sequence[Request]:
        # The first entry needs no move.
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
    address : int
        Of the first byte.
    count : int
        1 to `MAX_DATA`.
    """

    def __init__(self, space: MemorySpace | AnnealerSpace, address: int, count: int) -> None:
        self.space = space
        self.address = address
        self.count = count
        self.reply_bytes = 1 + count

    def parts(self, limit: int) -> list[Part]:
        payload = pack_memory(self.space, self.address) + READ_COUNT.pack(self.count)
        return [(PacketType.READ, payload)]

    def split(self, limit: int) -> Sequence[Request]:
        return [
            Read(self.space, self.address + first, min(limit, self.count - first))
            for first in range(0, self.count, limit)
        ]

    def __str__(self) -> str:
        return f"READ {self.space.name} at {self.address} ({self.count} bytes)"


class Run(Request):
    """Contract one sample.

    Parameters
    ----------
    index : int
        Which sample of the caller's this is.
    levels : bytes
        One level a feature.
    outputs : int
        Scores in the reply.
    seconds : float
        Time of one contraction.
    """

    # The parts of a sample are executed one after the other or not at all, unless the device was
    # reset, or took an old HELLO for a new one, between two of them.
    repeat_on = frozenset({Status.BAD_OFFSET})

    def __init__(self, index: int, levels: bytes, outputs: int, seconds: float) -> None:
        self.index = index
        self.levels = levels
        self.reply_bytes = 1 + SCORE_BYTES * outputs + RESULT.size
        self.seconds = seconds

    def parts(self, limit: int) -> list[Part]:
        starts = range(0, len(self.levels), limit)
        parts = [
            (PacketType.FEATURES, OFFSET.pack(first) + self.levels[first : first + limit])
            for first in starts
        ]
        parts[-1] = (PacketType.RUN, parts[-1][1])
        return parts

    def __str__(self) -> str:
        return f"RUN of sample {self.index}"
