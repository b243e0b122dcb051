"""Check every bit of the memories that a device lets the host read back."""

from __future__ import annotations

import enum
from collections.abc import Iterator

import numpy as np

from ...contract.contractor.memory import MemorySpace, word_stride_bits
from ...contract.contractor.size import ContractorSize
from ...contract.device.description import DeviceDescription
from ...contract.spatial.image import SpatialSpace, image_bytes
from ...progress import Progress
from ..board import Board
from ..link.requests import MAX_DATA, Read, Write
from .result import CheckResult, Verdict, judged

SEED = 2024
"""Seed of the pattern. Random bytes differ at each address, so that a stuck address line shows."""


def check_memories(board: Board, progress: Progress | None = None) -> CheckResult:
    """Write random bytes to the memories of programs and read them back, then their complement.

    Each bit is 0 once and 1 once, and a wrong address shows. The program on the device is lost.

    Parameters
    ----------
    board : Board
        An open board.
    progress : callable, optional
        Called with the number of bytes compared so far, and of all.

    Returns
    -------
    CheckResult
        Whether all bytes came back; the first one that did not, and the bits that are stuck.
    """
    memories = _memories(board.info)
    if not memories:
        return CheckResult(
            "memories",
            Verdict.SKIP,
            "this device lets no memory be read back; the engine's answers show them",
        )
    for driver in board._drivers.values():
        driver.forget_model()
    total = 2 * sum(map(len, memories.values()))
    done = 0
    faults: list[str] = []
    for space, used in memories.items():
        pattern = np.random.default_rng(SEED + space).bytes(len(used))
        written = np.frombuffer(pattern, dtype=np.uint8)
        differences = []
        for content in (written, ~written):
            board_content = _written_and_read(board, space, content)
            differences.append((board_content ^ content) * used)
            done += len(content)
            if progress is not None:
                progress(done, total)
        faults += _describe(space, differences)
    return judged(
        "memories",
        not faults,
        "; ".join(faults) or f"{total // 2} bytes, each bit as 0 and as 1",
        "load the bitstream again; if it stays, build it for a lower clock, and compare another "
        "board of this kind: a single stuck bit is a fault of the chip",
    )


def _written_and_read(board: Board, space: enum.IntEnum, content: np.ndarray) -> np.ndarray:
    """Write a whole memory and read it back: ndarray of uint8, as long as the content."""
    session = board._open_session
    pieces = range(0, len(content), MAX_DATA)
    writes = (Write(space, at, content[at : at + MAX_DATA].tobytes()) for at in pieces)
    for _ in session.exchange(writes):
        pass
    found = np.empty_like(content)
    reads = (Read(space, at, min(MAX_DATA, len(content) - at)) for at in pieces)
    for request, reply in session.exchange(reads):
        found[request.address : request.address + request.count] = np.frombuffer(reply, np.uint8)
    return found


def _memories(info: DeviceDescription) -> dict[enum.IntEnum, np.ndarray]:
    """List the memories that can be read back: for each address 1 if it has a byte, else 0."""
    if info.contractor is not None and info.contractor.lock:
        return {}
    if info.contractor is not None:
        return {space: _used(info.contractor, space) for space in MemorySpace}
    if info.spatial is not None:
        return {SpatialSpace.IMAGE: np.ones(image_bytes(info.spatial), dtype=np.uint8)}
    return {}


def _used(size: ContractorSize, space: MemorySpace) -> np.ndarray:
    """Tell which addresses have a byte: between words of the program some have none."""
    addresses = np.arange(size.space_bytes(space))
    if space is not MemorySpace.PROGRAM:
        return np.ones(len(addresses), dtype=np.uint8)
    return (addresses % (1 << word_stride_bits(size.lanes)) < size.lanes).astype(np.uint8)


def _describe(space: enum.IntEnum, differences: list[np.ndarray]) -> Iterator[str]:
    wrong = np.flatnonzero(differences[0] | differences[1])
    if not len(wrong):
        return
    first = int(wrong[0])
    bits = int(np.bitwise_or.reduce(differences[0][wrong] | differences[1][wrong]))
    yield (
        f"{space.name}: {len(wrong)} of {len(differences[0])} bytes came back wrong, the first at "
        f"address {first}; wrong bits {bits:#04x}"
    )
