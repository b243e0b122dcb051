"""Programs for locked boards: the tags that a program's file carries, and the file of the key.

`tensorspin.contract.contractor.lock` tells what a locked board checks. Running needs no key:
whoever has it computes the tags once, with `lock_program` or ``tensorspin lock``, and they go with
the program. A tag belongs to the program as it lies in a memory, so that there is one for each
number of lanes, and each for boards with and without signatures.

The file of a key is text: the secret in hexadecimal, and the least version that a board with this
key takes. Its owner raises that to shut old versions out of boards that are built anew::

    tensorspin-lock-key 1
    key 000102030405060708090a0b0c0d0e0f
    minimum-version 1
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..contract.contractor.chaskey import BLOCK_BYTES
from ..contract.contractor.lock import Header, LockKey, check_version, whole_blocks
from ..contract.device.boards import BOARDS
from ..contract.wire.packets import SIGNED
from ..files import check_private, check_readable
from .program_lock import ProgramLock

if TYPE_CHECKING:
    from .network_program import NetworkProgram

LANES = tuple(sorted({row.contractor.lanes for row in BOARDS.values() if row.contractor}))
"""Numbers of lanes for which a program is locked by default: those of all boards."""

_KEY_FILE = re.compile(
    r"tensorspin-lock-key 1\nkey ([0-9a-f]{32})\nminimum-version ([1-9][0-9]{0,9})\n?"
)

_MOST_KEY_BYTES = 1 << 12
"""Most bytes of the file of a key, which has less than a hundred."""


def program_header(program: NetworkProgram, lanes: int, signed: bool, version: int) -> Header:
    """Say what a locked board's memories hold with a program.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    lanes : int
        Lanes of the contractor.
    signed : bool
        Whether it checks signatures.
    version : int
        The program's version.

    Returns
    -------
    Header
        The fields with which ACTIVATE begins.
    """
    return Header(
        program.n_features | (SIGNED if signed else 0),
        program.digest(lanes, signed),
        len(program.table),
        len(whole_blocks(program.image(lanes, signed))) // BLOCK_BYTES,
        version,
    )


def lock_program(
    program: NetworkProgram, key: LockKey, version: int, lanes: Sequence[int] = LANES
) -> NetworkProgram:
    """Approve a program for all boards that have a key.

    Parameters
    ----------
    program : NetworkProgram
        The program. Older tags of it are left out.
    key : LockKey
        The key of the boards.
    version : int
        Version of the program, which its owner counts up: boards whose least version is greater
        refuse it.
    lanes : sequence of int
        Lanes of the boards' contractors.

    Returns
    -------
    NetworkProgram
        The same program with its tags, which `NetworkProgram.save` keeps.

    Raises
    ------
    ValueError
        If the version is out of range or less than the key's least one, which no board would take.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models import MPSRegressor
    >>> X = np.random.default_rng(0).random((50, 2))
    >>> program = MPSRegressor(2, epochs=1, random_state=0).fit(X, X[:, 0]).quantize()
    >>> lock_program(program, LockKey(bytes(16)), version=4).lock.version
    4
    """
    check_version(version)
    if version < key.minimum:
        raise ValueError(
            f"version must be {key.minimum} or more, the least that boards with this key take, not "
            f"{version}"
        )
    tags = []
    for count in lanes:
        for signed in (False, True):
            header = program_header(program, count, signed, version)
            image = whole_blocks(program.image(count, signed))
            tags.append((count, signed, key.tag(header, image, program.table_bytes())))
    return replace(program, lock=ProgramLock(version, tuple(tags)))


def new_lock_key(path: str | Path, minimum: int = 1) -> LockKey:
    """Make a key, and write it to a file that its owner alone may read.

    Parameters
    ----------
    path : str or Path
        The file, which must not exist.
    minimum : int, default=1
        Least version of a program that boards with this key take.

    Returns
    -------
    LockKey
        The key.

    Raises
    ------
    ValueError
        If the version is out of range.
    OSError
        If the file exists, or cannot be written.
    """
    key = LockKey(secrets.token_bytes(BLOCK_BYTES), minimum)
    text = f"tensorspin-lock-key 1\nkey {key.key.hex()}\nminimum-version {key.minimum}\n"
    try:
        # It never has other permissions, not even for a moment.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise FileExistsError(
            f"{path} exists, and a key is never replaced; name another file"
        ) from None
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    return key


def read_lock_key(path: str | Path) -> LockKey:
    """Read a key from its file.

    Parameters
    ----------
    path : str or Path
        File that `new_lock_key` has written; the least version in it may have been raised since.

    Returns
    -------
    LockKey
        The key.

    Raises
    ------
    ValueError
        If the file holds something else.
    OSError
        If it cannot be read, or others may read it.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(
            f"cannot read {path}: there is no such file; tensorspin lock --new-key makes keys"
        )
    check_readable(path)
    with open(path, "rb") as file:
        check_private(path, os.fstat(file.fileno()))
        content = file.read(_MOST_KEY_BYTES)
    found = _KEY_FILE.fullmatch(content.decode("ascii", "replace").replace("\r\n", "\n"))
    if not found:
        raise ValueError(
            f"{path} must hold the three lines of a lock's key, as tensorspin lock --new-key "
            f"writes them"
        )
    return LockKey(bytes.fromhex(found[1]), int(found[2]))
