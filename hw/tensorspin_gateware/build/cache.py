"""Keys of builds, and the folders in which builds are kept.

A bitstream takes minutes and a simulator up to a minute, so both are built again only if something
that they depend on has changed. A key is a digest of all that a build depends on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import tensorspin.contract
from tensorspin.contract.device.boards import BoardSpec

if TYPE_CHECKING:  # a cached simulator starts without Amaranth, which takes a second to import
    from amaranth.build.run import BuildPlan

BUILD_BYTES = 8
"""Length in bytes of the digest by which a device identifies its build, `DeviceDescription.build`:
long enough that no two builds that anybody makes agree by chance."""

_TOOLING = ("build/", "simulation/")
"""Folders of the gateware package, as paths from its root, with modules that run tools, keep
records, or simulate: no netlist depends on them, except for `_DESIGN`."""

_DESIGN = {"build/top.py"}
"""Modules in the folders of `_TOOLING` that netlists do depend on."""

_SOURCES = (".py", ".v")
"""Suffixes of the files from which a netlist is made: Amaranth's and Verilog's."""


def build_digest(board: BoardSpec) -> bytes:
    """Compute a digest of the sources from which a board's netlist is elaborated.

    The digest covers the modules of the gateware package that describe hardware, the whole
    contract, and the board's row. It takes milliseconds, since nothing is elaborated, and it may
    change although the netlist stays the same, for instance with a comment.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.

    Returns
    -------
    bytes
        `BUILD_BYTES` bytes.
    """
    digest = hashlib.sha256(repr(board).encode())
    gateware = Path(__file__).parents[1]
    contract = Path(tensorspin.contract.__file__).parent
    for root in (gateware, contract):
        for source in sorted(path for path in root.rglob("*") if path.suffix in _SOURCES):
            # Paths begin at the package's root, so that a copy elsewhere has the same digest.
            name = source.relative_to(root).as_posix()
            if root == gateware and name.startswith(_TOOLING) and name not in _DESIGN:
                continue
            digest.update(f"{name}\n".encode())
            digest.update(hashlib.sha256(source.read_bytes()).digest())
    return digest.digest()[:BUILD_BYTES]


def design_digest(plan: BuildPlan) -> bytes:
    """Compute a digest of an elaborated design: netlist, pins and options of the tools.

    Two designs with the same digest behave the same. The versions of the tools are not covered,
    because a netlist means the same whichever version places it.

    Parameters
    ----------
    plan : amaranth.build.run.BuildPlan
        What `tensorspin_gateware.build.top.prepare` returned.

    Returns
    -------
    bytes
        `BUILD_BYTES` bytes.
    """
    digest = hashlib.sha256()
    for name, content in sorted(plan.files.items()):
        data = content.encode() if isinstance(content, str) else content
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.digest()[:BUILD_BYTES]


def text_digest(*parts: object) -> str:
    """Make a name for a file whose content depends on nothing but these values.

    Parameters
    ----------
    *parts : object
        Values with a stable text, such as strings and dictionaries of strings.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def path(name: str) -> Path:
    """Find the folder in which builds of one kind are kept.

    Parameters
    ----------
    name : str
        Name of a board, or ``"simulator"``.

    Returns
    -------
    Path
        ``build/name`` in a checkout, and a folder in the user's cache for an installed package. It
        need not exist.
    """
    # An installed package may stand in a folder of somebody else's project, whose file of this name
    # says nothing about us: only a checkout has the package in its folder ``hw``.
    source, checkout = Path(__file__).parents[2:4]
    if source.name == "hw" and (checkout / "pyproject.toml").exists():
        return checkout / "build" / name
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "tensorspin" / name


def directory(name: str) -> Path:
    """Create the folder of `path` if it does not exist.

    Parameters
    ----------
    name : str
        Name of a board, or ``"simulator"``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OSError
        If it cannot be made; the message says how to choose another.
    """
    folder = path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"cannot make {folder}, where builds are kept ({error.strerror}); set XDG_CACHE_HOME "
            f"to a folder that can be written to, unless this is a checkout"
        ) from error
    return folder


@contextlib.contextmanager
def locked(folder: Path, progress: Callable[[str], None] = lambda line: None) -> Iterator[None]:
    """Let one process at a time build in a folder.

    The operating system releases the lock when the process ends, however it ends, so a build that
    was killed blocks nobody.

    Parameters
    ----------
    folder : Path
        An existing folder; a file ``lock`` is created in it.
    progress : callable, optional
        Takes one line of text if another process holds the lock and this one waits.
    """
    # Imported late, as Windows lacks it: `toolchain.require_posix` refuses builds there.
    import fcntl

    with open(folder / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"{folder.name}: another process builds here, waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that other processes see complete or not at all.

    Parameters
    ----------
    path : Path
        Where the file appears, in place of an older one.
    content : bytes
        The file's content.
    """
    # Renaming within a folder is atomic; the process id keeps two writers apart.
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)
