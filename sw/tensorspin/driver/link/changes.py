"""What to write so that a memory holds something else, in few bytes.

Contents of memories are arrays of int16, a byte each, or `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.annealer.image import AnnealerSpace
from ...contract.wire.packets import FRAME_OVERHEAD, MEMORY
from .requests import MAX_DATA, Request, Script, Write

UNKNOWN = -1
"""A byte that may be anything."""

_PACKET_BYTES = FRAME_OVERHEAD + MEMORY.size
"""What a WRITE costs beside its data."""

_MAX_MOVE = 0xFF
"""A script's address moves on by so many bytes at most."""


def dense_changes(space: AnnealerSpace, held: np.ndarray, wanted: np.ndarray) -> list[Request]:
    """WRITEs of the bytes that differ.

    Parameters
    ----------
    space : AnnealerSpace
    held, wanted : ndarray of int16, shape (n,)
        Content now, and then.
    """
    places = np.flatnonzero(held != wanted)
    if not len(places):
        return []
    # Bytes in between that do not differ travel too, where a packet of its own would cost more.
    cuts = np.flatnonzero(np.diff(places) > _PACKET_BYTES) + 1
    requests: list[Request] = []
    for part in np.split(places, cuts):
        end = int(part[-1]) + 1
        for first in range(int(part[0]), end, MAX_DATA):
            data = wanted[first : min(first + MAX_DATA, end)].astype(np.uint8).tobytes()
            requests.append(Write(space, first, data))
    return requests


def coupling_changes(held: np.ndarray, wanted: np.ndarray) -> list[Request]:
    """As `dense_changes` for `AnnealerSpace.COUPLINGS`, or scripts if these are shorter."""
    dense = dense_changes(AnnealerSpace.COUPLINGS, held, wanted)
    places = np.flatnonzero(held != wanted)
    # Each byte of a script comes with a move.
    if 2 * len(places) >= line_bytes(dense):
        return dense
    scripts = coupling_scripts(held, wanted)
    return min(dense, scripts, key=line_bytes)


def line_bytes(requests: Sequence[Request]) -> int:
    """Bytes of the requests on the line."""
    return sum(
        len(payload) + FRAME_OVERHEAD
        for request in requests
        for _, payload in request.parts(MAX_DATA)
    )


def coupling_scripts(held: np.ndarray, wanted: np.ndarray) -> list[Request]:
    """As `coupling_changes`, always by scripts."""
    places = np.flatnonzero(held != wanted)
    requests: list[Request] = []
    entries: list[tuple[int, int]] = []
    for place in places.tolist():
        if entries:
            between = range(entries[-1][0] + _MAX_MOVE, place, _MAX_MOVE)
            # A byte on the way costs two, its own and a move.
            if 2 * len(between) > _PACKET_BYTES:
                requests += Script(entries).split(MAX_DATA)
                entries = []
            else:
                entries += [(address, int(wanted[address])) for address in between]
        entries.append((place, int(wanted[place])))
    return requests + list(Script(entries).split(MAX_DATA))
