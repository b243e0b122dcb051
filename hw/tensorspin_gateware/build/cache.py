"""What builds are keyed by, and where they are kept.

Bitstreams and simulators are expensive, so that both are built only if something has changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import tensorspin.contract
from tensorspin.contract.device.boards import BoardSpec

BUILD_BYTES = 8

_NOT_HARDWARE = {
    *("build/all.py", "build/cache.py", "build/programmer.py", "build/records.py"),
    *("build/report.py", "build/toolchain.py", "simulation/simulator.py"),
}
"""Modules of the gateware package on which no bit of a design depends, as paths from its root."""


_SOURCES = (".py", ".v")
"""Suffixes of what a netlist is made from."""


def build_digest(board: BoardSpec) -> bytes:
    """`BUILD_BYTES` bytes that tell one state of the sources from another.

    They cover gateware, contract and the board's row, and can be had without elaborating anything.
    """
    digest = hashlib.sha256(repr(board).encode())
    gateware = Path(__file__).parents[1]
    contract = Path(tensorspin.contract.__file__).parent
    for root in (gateware, contract):
        for source in sorted(path for path in root.rglob("*") if path.suffix in _SOURCES):
            name = source.relative_to(root).as_posix()
            if root == gateware and name in _NOT_HARDWARE:
                continue
            digest.update(f"{name}\n".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.digest()[:BUILD_BYTES]


def text_digest(*parts: object) -> str:
    """Name for a file that depends on nothing but these values."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def path(name: str) -> Path:
    """Where builds of one sort are kept.

    It is ``build/name`` in a checkout, else a folder in the user's cache.
    """
    checkout = Path(__file__).parents[3]
    if (checkout / "pyproject.toml").exists():
        return checkout / "build" / name
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "tensorspin" / name


def directory(name: str) -> Path:
    """The folder of `path`, created if need be."""
    folder = path(name)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def locked(folder: Path, progress: Callable[[str], None] = lambda line: None):
    """Let one process at a time build in a folder; the lock ends with the process.

    Parameters
    ----------
    folder : Path
    progress : callable, optional
        Told in a line if there is another process to wait for.
    """
    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{folder.name}: another process builds here, waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that other processes see complete or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
