"""Which requests a device takes, which memory spaces it has, and what the host may do there.

The spaces of both engines are numbered in one row, so that a WRITE or READ tells by its space which
engine it means. In requests a space ends at a power of two: what an engine's memory does not fill
of it may be written without effect.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..annealer.image import AnnealerSpace, space_bytes
from ..annealer.size import AnnealerSize
from ..contractor.memory import MemorySpace
from ..contractor.size import ContractorSize
from ..wire.packets import PacketType

_CONTRACTORS = {PacketType.ACTIVATE, PacketType.FEATURES, PacketType.RUN}
_ANNEALERS = {PacketType.ANNEAL}


@dataclass(frozen=True)
class Space:
    """One memory space of a device.

    Attributes
    ----------
    bits : int
        Base-2 logarithm of the addresses that requests may name.
    readable, writable : bool
        By READ and WRITE.
    """

    bits: int
    readable: bool
    writable: bool


def device_requests(
    contractor: ContractorSize | None, annealer: AnnealerSize | None
) -> set[PacketType]:
    """Requests that a device takes; to all others it answers `Status.UNKNOWN_TYPE`."""
    requests = set(PacketType)
    if contractor is None:
        requests -= _CONTRACTORS
    if annealer is None:
        requests -= _ANNEALERS
    return requests


def is_annealers(space: int) -> bool:
    """A space belongs to the annealer."""
    return space >= min(AnnealerSpace)


def device_spaces(
    contractor: ContractorSize | None, annealer: AnnealerSize | None
) -> dict[int, Space]:
    """All spaces of a device, by number.

    `AnnealerSpace.RUN` is not among them: only an ANNEAL writes it.
    """
    spaces: dict[int, Space] = {}
    if contractor is not None:
        for space in MemorySpace:
            bits = (contractor.space_bytes(space) - 1).bit_length()
            spaces[space] = Space(bits, readable=True, writable=True)
    if annealer is not None:
        for space in AnnealerSpace:
            length = space_bytes(annealer, space)
            if length and space is not AnnealerSpace.RUN:
                readable = space is AnnealerSpace.RESULTS
                spaces[space] = Space(
                    (length - 1).bit_length(), readable=readable, writable=not readable
                )
    return spaces
