"""Locked contractors: they run only what somebody with their key has approved.

A bitstream with `ContractorSize.lock` holds a `LockKey`. Its ACTIVATE is longer,
`LOCKED_ACTIVATE`: the first `HEADER.size` bytes, a `Header`, say what is in the memories, and a tag
follows. The device computes Chaskey-12 (`tensorspin.contract.contractor.chaskey`) over the header,
as it has come, and over the memories, as they stand:

=================  =========================================================================
part of message    bytes
=================  =========================================================================
header             `HEADER`: one block of Chaskey
program            the first `Header.blocks` blocks of `MemorySpace.PROGRAM`
feature table      the first `Header.components` components of `MemorySpace.TABLE`
=================  =========================================================================

The model becomes active if the tag is that of this message and the version is not less than
`LockKey.minimum`. If not, the device answers `Status.DENIED`, has no active model, and both
memories hold zeros: whoever has a tag, but not all of the program that it belongs to, cannot find
the rest by trying. All 16 bytes are compared whatever the first ones were, so the time that the
check takes says nothing of the tag: `check_cycles` gives it.

The memories are read when a model is activated, and not as they are written. So a WRITE may be
repeated or come in any order, as on any other device. A WRITE to them after that makes the model
inactive again, so what runs is what was checked. READs of both memories are refused.

There is no nonce: a tag is valid for good, on all devices with the key, until the minimum version
of a device is raised above its version.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from .chaskey import BLOCK_BYTES, chaskey12, times_two
from .memory import LEVELS, MANTISSA_BYTES, MemorySpace
from .size import ContractorSize

HEADER = struct.Struct("<HIHII")
"""Fields of a `Header`. The first two are `tensorspin.contract.wire.packets.ACTIVATE`, the payload
of any other device's ACTIVATE."""

LOCKED_ACTIVATE = struct.Struct(f"<{HEADER.size}s{BLOCK_BYTES}s")
"""Payload of a locked device's ACTIVATE: header and tag."""

COMPONENT_BYTES = LEVELS * MANTISSA_BYTES
"""Bytes of the feature table for each component."""

MAX_VERSION = (1 << 32) - 1
"""Greatest version of a program. The least is 1."""

KEY_RECORD = struct.Struct(f"<{BLOCK_BYTES}s{BLOCK_BYTES}sI")
"""What a device holds of a `LockKey`: the key, the key of the last block, and the greatest version
that is refused."""


class Header(NamedTuple):
    """The fields of `HEADER`: what the memories hold, and for whom.

    Parameters
    ----------
    features : int
        Number of features of the model, to which `tensorspin.contract.wire.packets.SIGNED` may be
        added.
    digest : int
        The digest of the model, which STATUS gives back.
    components : int
        Components of the feature table that belong to the model, modulo those that there are.
    blocks : int
        Blocks of the program memory that belong to the model, modulo those that there are.
    version : int
        The program's version, 1 to `MAX_VERSION`, which its owner counts up.

    Examples
    --------
    >>> Header.unpack(Header(64, 0x1234, 2, 2040, version=3).pack()).version
    3
    """

    features: int
    digest: int
    components: int
    blocks: int
    version: int

    def pack(self) -> bytes:
        """Make the block with which the message, and the payload of ACTIVATE, begins.

        Returns
        -------
        bytes
            `HEADER.size` bytes.
        """
        return HEADER.pack(*self)

    @classmethod
    def unpack(cls, block: bytes) -> Header:
        """Read a packed header.

        Parameters
        ----------
        block : bytes
            `HEADER.size` bytes.

        Returns
        -------
        Header
            The fields.
        """
        return cls(*HEADER.unpack(block))


@dataclass(frozen=True)
class LockKey:
    """What opens a locked device: a secret key, and which versions the device refuses.

    Parameters
    ----------
    key : bytes
        `BLOCK_BYTES` secret bytes.
    minimum : int, default=1
        Least version of a program that the device takes, 1 to `MAX_VERSION`.

    Raises
    ------
    ValueError
        If the key has another length, or the version is out of range.

    Examples
    --------
    >>> LockKey(bytes(range(16)), minimum=2)
    LockKey(minimum=2)
    """

    key: bytes = field(repr=False)
    minimum: int = 1

    def __post_init__(self) -> None:
        if len(self.key) != BLOCK_BYTES:
            raise ValueError(f"key must have {BLOCK_BYTES} bytes, not {len(self.key)}")
        check_version(self.minimum, "minimum")

    def tag(self, header: Header, program: bytes, table: bytes) -> bytes:
        """Compute the tag that lets a device with this key activate a model.

        Parameters
        ----------
        header : Header
            It names the blocks and components that follow.
        program : bytes
            The program as it lies in its memory: a whole number of blocks.
        table : bytes
            The feature table as it lies in its memory: a whole number of components.

        Returns
        -------
        bytes
            `BLOCK_BYTES` bytes.
        """
        return chaskey12(self.key, header.pack() + program + table)

    @property
    def name(self) -> str:
        """Eight letters by which people tell keys apart, and which say nothing of the key.

        They are the tag of a block of zeros, which is no header: a model has a feature at least.
        """
        return chaskey12(self.key, bytes(BLOCK_BYTES))[:4].hex()

    def record(self) -> bytes:
        """Make what a device holds of the key.

        Returns
        -------
        bytes
            `KEY_RECORD.size` bytes.
        """
        return KEY_RECORD.pack(self.key, times_two(self.key), self.minimum - 1)


def check_version(version: int, name: str = "version") -> None:
    """Refuse what is no version of a program.

    Parameters
    ----------
    version : int
        The version.
    name : str
        What the number is called, for the message.

    Raises
    ------
    ValueError
        If it is less than 1 or more than `MAX_VERSION`.
    """
    if not 1 <= version <= MAX_VERSION:
        raise ValueError(f"{name} must be 1 to {MAX_VERSION}, not {version}")


def covered(memory: bytes, count: int, unit: int) -> bytes:
    """Give the part of a memory that is in the message.

    Parameters
    ----------
    memory : bytes
        The whole memory.
    count : int
        Units that a header names. A device keeps no more bits than it needs: modulo the number of
        units that there are, the count says how many, and 0 says all.
    unit : int
        Bytes of a unit: `BLOCK_BYTES` or `COMPONENT_BYTES`.

    Returns
    -------
    bytes
        The memory's beginning.

    Examples
    --------
    >>> [len(covered(bytes(64), count, 16)) for count in (1, 4, 5)]
    [16, 64, 16]
    """
    return memory[: (count % (len(memory) // unit) or len(memory) // unit) * unit]


def whole_blocks(image: bytes) -> bytes:
    """Fill the last block of a program up with zeros.

    Parameters
    ----------
    image : bytes
        Content of the program memory from address 0 on.

    Returns
    -------
    bytes
        The same with up to 15 zeros behind it.

    Examples
    --------
    >>> len(whole_blocks(bytes(24)))
    32
    """
    return image + bytes(-len(image) % BLOCK_BYTES)


BYTE_CYCLES = 9
"""Clock cycles from one byte that a device's check takes to the next."""

PERMUTATION_CYCLES = 973
"""Clock cycles from the last byte of a block until bytes are asked for again."""

KEY_CYCLES = 16 * BYTE_CYCLES
"""Clock cycles in which a key is added."""


def check_cycles(size: ContractorSize, header: Header, granted: bool) -> int:
    """Count the clock cycles of a check.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the contractor.
    header : Header
        What is activated.
    granted : bool
        Whether it becomes active. If not, the memories are cleared, a byte a cycle.

    Returns
    -------
    int
        Cycles from the last byte of the header to the first of the tag, and from the last of the
        tag to the verdict, if no byte has to be waited for.
    """
    spaces = {space: size.space_bytes(space) for space in MemorySpace}
    blocks = sum(
        len(covered(bytes(spaces[space]), count, unit)) // BLOCK_BYTES
        for space, count, unit in (
            (MemorySpace.PROGRAM, header.blocks, BLOCK_BYTES),
            (MemorySpace.TABLE, header.components, COMPONENT_BYTES),
        )
    )
    cycles = PERMUTATION_CYCLES + blocks * (BLOCK_BYTES * BYTE_CYCLES + PERMUTATION_CYCLES)
    cycles += 2 * KEY_CYCLES + BYTE_CYCLES
    return cycles if granted else cycles + 1 + sum(spaces.values())
