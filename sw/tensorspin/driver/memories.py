"""A contractor's memories as its driver fills and compares them, and the tag of a locked one."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable, Iterator

from ..compiler.locking import program_header
from ..compiler.network_program import NetworkProgram
from ..contract.contractor.lock import HEADER, Header, check_cycles
from ..contract.contractor.size import ContractorSize
from ..contract.wire.packets import PacketType, Status
from ..errors import DeviceError, LockedError
from .link.requests import MAX_DATA, Read, Write
from .link.session import Session, SessionLostError

_SESSIONS = 5
"""In how many sessions the driver tries to read one upload back and to activate it."""

Base = Callable[[enum.IntEnum], int]
"""Gives the address of a memory at which a program begins."""


def writes(images: dict[enum.IntEnum, bytes], base: Base) -> Iterator[Write]:
    """Cut what the memories should hold into WRITEs.

    Parameters
    ----------
    images : dict of enum.IntEnum to bytes
        Content of each memory.
    base : callable
        Gives the address of each at which the content begins.

    Yields
    ------
    Write
        WRITEs of `MAX_DATA` bytes at most.
    """
    for space, image in images.items():
        for first in range(0, len(image), MAX_DATA):
            yield Write(space, base(space) + first, image[first : first + MAX_DATA])


def _read_back(
    session: Session, images: dict[enum.IntEnum, bytes], base: Base, same_session: bool = False
) -> Iterator[tuple[enum.IntEnum, int, bytes, bytes]]:
    """Read what memories hold: memory, address in its image, what is there, and what should be."""
    reads = (
        Read(space, base(space) + first, min(MAX_DATA, len(image) - first))
        for space, image in images.items()
        for first in range(0, len(image), MAX_DATA)
    )
    for request, reply in session.exchange(reads, same_session=same_session):
        first = request.address - base(request.space)
        yield request.space, first, reply, images[request.space][first : first + request.count]


def holds(session: Session, images: dict[enum.IntEnum, bytes], base: Base) -> bool:
    """Read memories back in one session, and compare.

    Parameters
    ----------
    session : Session
        The session with the device.
    images : dict of enum.IntEnum to bytes
        What the memories should hold.
    base : callable
        Gives the address of each at which that begins.

    Returns
    -------
    bool
        Whether they do.

    Raises
    ------
    SessionLostError
        If the device may have been restarted meanwhile.
    TensorspinError
        If the device is lost.
    """
    found = _read_back(session, images, base, same_session=True)
    # All of it is read even if the beginning is wrong: what is asked ahead must be answered.
    return all([held == wanted for _, _, held, wanted in found])


def changed_bits(
    session: Session, images: dict[enum.IntEnum, bytes], base: Base
) -> list[tuple[enum.IntEnum, int, int]]:
    """Read memories back, and list the bits that are not as they should be.

    Parameters
    ----------
    session : Session
        The session with the device.
    images : dict of enum.IntEnum to bytes
        What the memories should hold.
    base : callable
        Gives the address of each at which that begins.

    Returns
    -------
    list of (enum.IntEnum, int, int)
        Memory, address in its image, and bit of that byte, in this order.

    Raises
    ------
    TensorspinError
        If the device is lost.
    """
    return sorted(
        (space, first + place, bit)
        for space, first, held, wanted in _read_back(session, images, base)
        for place, changed in enumerate(map(operator.xor, held, wanted))
        for bit in range(8)
        if changed >> bit & 1
    )


def locked_activation(program: NetworkProgram, size: ContractorSize, url: str) -> bytes:
    """Make the payload of a locked board's ACTIVATE.

    Parameters
    ----------
    program : NetworkProgram
        The program, which should carry its tags.
    size : ContractorSize
        Size of the locked contractor.
    url : str
        The board, for the message.

    Returns
    -------
    bytes
        Header and tag.

    Raises
    ------
    LockedError
        If the program has no tag for such a board.
    """
    signed = bool(size.signature)
    lock = program.lock
    tag = None if lock is None else lock.tag(size.lanes, signed)
    if lock is None or tag is None:
        what = f"tag for {size.lanes} lanes{' and a signature' if signed else ''}"
        raise LockedError(
            f"the board at {url} is locked: it runs only programs that were locked with its key, "
            f"and this one has no {what}; whoever has the key adds it with tensorspin lock MODEL "
            f"--key FILE --version N --lanes {size.lanes}"
        )
    return program_header(program, size.lanes, signed, lock.version).pack() + tag


def activate(session: Session, activation: bytes, locked: ContractorSize | None) -> None:
    """Activate what the memories hold, in the session that has filled them.

    Parameters
    ----------
    session : Session
        The session with the device.
    activation : bytes
        Payload of ACTIVATE.
    locked : ContractorSize or None
        Size of a locked contractor, which takes its time to check its memories.

    Raises
    ------
    LockedError
        If the contractor is locked and refuses the program.
    SessionLostError
        If the device may have been restarted meanwhile.
    TensorspinError
        If the device is lost.
    """
    if locked is None:
        session.request(PacketType.ACTIVATE, activation, same_session=True)
        return
    header = Header.unpack(activation[: HEADER.size])
    seconds = check_cycles(locked, header, granted=False) / session.description.clock_hz
    try:
        session.request(PacketType.ACTIVATE, activation, seconds=seconds, same_session=True)
    except DeviceError as error:
        if error.status != Status.DENIED:
            raise
        raise LockedError(
            f"the board at {session.line.url} is locked, and has refused the program, version "
            f"{header.version}: its tag was made with another key, the board takes only later "
            f"versions, or the program has changed since it was locked. The board has cleared its "
            f"memory"
        ) from None


def activate_upload(
    session: Session,
    activation: bytes,
    images: dict[enum.IntEnum, bytes],
    base: Base,
    check: bool,
    locked: ContractorSize | None,
) -> bool:
    """Make an upload active, unless something in it was lost.

    A restart of the device loses the upload, and can go unnoticed where the session greets the
    device anew. So either upload and activation happen in one session, or read-back and activation
    do. The two can't be pipelined: a WRITE that is asked again after the ACTIVATE would make the
    program inactive.

    Parameters
    ----------
    session : Session
        The session with the device.
    activation : bytes
        Payload of ACTIVATE.
    images : dict of enum.IntEnum to bytes
        What was uploaded.
    base : callable
        Gives the address of each memory at which that begins.
    check : bool
        Read the memories back first. A locked device is only believed that something was lost.
    locked : ContractorSize or None
        As for `activate`.

    Returns
    -------
    bool
        False if something was lost.

    Raises
    ------
    LockedError
        If the contractor is locked and refuses the program, and nothing can be lost.
    TensorspinError
        If the device is lost.
    """
    tries = 0
    while True:
        try:
            if check and locked is None and not holds(session, images, base):
                return False
            activate(session, activation, locked)
            return True
        except LockedError:
            if check:
                return False
            raise
        except SessionLostError:
            tries += 1
            if tries == _SESSIONS:
                raise
            session.open()
            check = True
