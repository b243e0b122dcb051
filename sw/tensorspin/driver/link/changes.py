"""Find the requests that change what a memory of the annealer holds, in few bytes.

The content of a memory is an array of int16 with one entry for each byte: its value, or `UNKNOWN`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.annealer.image import AnnealerSpace
from ...contract.wire.frames import FRAME_OVERHEAD
from ...contract.wire.packets import MEMORY
from .requests import MAX_DATA, Request, Script, Write

UNKNOWN = -1
"""Stands for a byte of which the host doesn't know what the device holds. It differs from every
value, so that the byte is written."""

_PACKET_BYTES = FRAME_OVERHEAD + MEMORY.size
"""Bytes that a WRITE costs on the line beside its data."""

_MAX_MOVE = 0xFF
"""Bytes by which a script moves its address on at most: a move is stored in one byte."""


def dense_changes(space: AnnealerSpace, held: np.ndarray, wanted: np.ndarray) -> list[Request]:
    """Find WRITEs of the bytes that differ.

    Parameters
    ----------
    space : AnnealerSpace
        The memory.
    held, wanted : ndarray of int16 of shape (n,)
        Content of the memory now, and afterwards.

    Returns
    -------
    list of Request
        The WRITEs; none if nothing differs.
    """
    places = np.flatnonzero(held != wanted)
    if not len(places):
        return []
    # Equal bytes between two that differ travel too, where another packet would cost more.
    cuts = np.flatnonzero(np.diff(places) > _PACKET_BYTES) + 1
    requests: list[Request] = []
    for part in np.split(places, cuts):
        end = int(part[-1]) + 1
        for first in range(int(part[0]), end, MAX_DATA):
            data = wanted[first : min(first + MAX_DATA, end)].astype(np.uint8).tobytes()
            requests.append(Write(space, first, data))
    return requests


def coupling_changes(held: np.ndarray, wanted: np.ndarray) -> list[Request]:
    """Find the shorter of WRITEs and scripts that change `AnnealerSpace.COUPLINGS`.

    Parameters
    ----------
    held, wanted : ndarray of int16 of shape (n,)
        Content of the memory now, and afterwards.

    Returns
    -------
    list of Request
        The WRITEs of `dense_changes`, or the scripts of `coupling_scripts`.
    """
    dense = dense_changes(AnnealerSpace.COUPLINGS, held, wanted)
    places = np.flatnonzero(held != wanted)
    # In a script each byte comes with a move, so it takes at least two bytes for each place.
    if 2 * len(places) >= line_bytes(dense):
        return dense
    scripts = coupling_scripts(held, wanted)
    return min(dense, scripts, key=line_bytes)


def line_bytes(requests: Sequence[Request]) -> int:
    """Count the bytes that requests take on the line, without their replies."""
    return sum(
        len(payload) + FRAME_OVERHEAD
        for request in requests
        for _, payload in request.parts(MAX_DATA)
    )


def coupling_scripts(held: np.ndarray, wanted: np.ndarray) -> list[Request]:
    """Find scripts that change `AnnealerSpace.COUPLINGS`, even where WRITEs would be shorter.

    Parameters
    ----------
    held, wanted : ndarray of int16 of shape (n,)
        Content of the memory now, and afterwards; they differ somewhere.

    Returns
    -------
    list of Request
        The scripts.
    """
    places = np.flatnonzero(held != wanted)
    requests: list[Request] = []
    entries: list[tuple[int, int]] = []
    for place in places.tolist():
        if entries:
            between = range(entries[-1][0] + _MAX_MOVE, place, _MAX_MOVE)
            # A gap too wide for one move is crossed by writing bytes that stay as they are. Each
            # costs two bytes, its move and its value; from some width on, a new packet is shorter.
            if 2 * len(between) > _PACKET_BYTES:
                requests += Script(entries).split(MAX_DATA)
                entries = []
            else:
                entries += [(address, int(wanted[address])) for address in between]
        entries.append((place, int(wanted[place])))
    return requests + list(Script(entries).split(MAX_DATA))
