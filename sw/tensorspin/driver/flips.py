"""Faults on purpose: bits of a device's memory are flipped, unknown to host and device."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..contract.wire.packets import PacketType
from ..errors import TensorspinError
from .link.requests import Read, Write
from .link.session import Session

Place = tuple[enum.IntEnum, int, int]
"""Memory, byte address in it, bit of that byte."""


def check_places(
    places: Sequence[Place],
    space_bytes: Callable[[enum.IntEnum], int],
    url: str,
    locked: bool = False,
) -> None:
    """Refuse places beyond the end of a memory, and any in a memory that cannot be read.

    Parameters
    ----------
    places : sequence of (enum.IntEnum, int, int)
        Memory, byte address and bit of each.
    space_bytes : callable
        Gives the number of byte addresses of a memory.
    url : str
        The board, for the message.
    locked : bool, default=False
        Whether the board is locked, so that nobody can read its memory.

    Raises
    ------
    ValueError
        If an address is beyond the end of its memory.
    TensorspinError
        If the board is locked.
    """
    if locked:
        raise TensorspinError(
            f"no bit can be flipped on {url}: it is locked, and its memory cannot be read"
        )
    for space, address, _ in places:
        size = space_bytes(space)
        if not 0 <= address < size:
            raise ValueError(
                f"address of {space.name} must be 0 to {size - 1} on {url}, not {address}"
            )


def flip_bits(
    session: Session,
    places: Sequence[Place],
    stored_at: Callable[[enum.IntEnum, int, int, int], int],
    activation: bytes,
    base: Callable[[enum.IntEnum], int],
) -> None:
    """Flip bits, and activate the program again as if nothing had been.

    Parameters
    ----------
    session : Session
        The session with the device.
    places : sequence of (enum.IntEnum, int, int)
        As for `check_places`.
    stored_at : callable
        Gives the address at which a byte is written, from memory, address, old and new value.
    activation : bytes
        Payload of the program's ACTIVATE.
    base : callable
        Gives the address of a memory at which the program begins; places count from there.

    Raises
    ------
    TensorspinError
        If the device is lost.
    """
    for space, address, bit in places:
        first = base(space)
        ((_, byte),) = session.exchange([Read(space, first + address, 1)])
        changed = byte[0] ^ 1 << bit
        place = first + stored_at(space, address, byte[0], changed)
        write = Write(space, place, bytes([changed]))
        # The device has no active program from here until it is activated again.
        digest, session.model_digest = session.model_digest, None
        for _ in session.exchange([write]):
            pass
        session.request(PacketType.ACTIVATE, activation)
        session.model_digest = digest


def flip_written(
    session: Session,
    held: Mapping[Any, np.ndarray],
    flipped: dict[tuple[Any, int], int],
    places: Sequence[Place],
) -> None:
    """Flip bits of memories that cannot be read, from what was written there; again undoes it.

    Parameters
    ----------
    session : Session
        The session with the device.
    held : mapping of enum.IntEnum to ndarray of int
        What was written to each memory, by byte; negative where nothing was.
    flipped : dict of (enum.IntEnum, int) to int
        For each byte the bits that are flipped already; it is changed.
    places : sequence of (enum.IntEnum, int, int)
        As for `check_places`.

    Raises
    ------
    ValueError
        If nothing was written to a byte.
    TensorspinError
        If the device is lost.
    """
    for space, address, _ in places:
        if held[space][address] < 0:
            raise ValueError(f"nothing was written to byte {address} of {space.name}")
    writes = []
    for space, address, bit in places:
        flipped[space, address] = flipped.get((space, address), 0) ^ 1 << bit
        byte = int(held[space][address]) ^ flipped[space, address]
        writes.append(Write(space, address, bytes([byte])))
    for _ in session.exchange(writes):
        pass
