"""Write files whole: what is under a name is the old content or the new one, never a part of it.

New content goes into a temporary file of the same folder, which then takes the name of the old one
in a single step of the operating system. A program that fails, is interrupted or finds the disk
full leaves the old file as it was, and two writers of one name can't mix their content: the later
one wins. Text is UTF-8 whatever the locale, so that a file means the same on every machine.

Only regular files are replaced. A device, a pipe or a socket is refused, because a process with the
rights of root would otherwise put a file in the place of ``/dev/null``. A symbolic link stays a
link; the file that it points to is replaced. Nothing but a regular file is read, either, except for
a pipe that a shell has opened: a device has no end.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

_logger = logging.getLogger(__name__)

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)
"""Kinds of what a name can stand for besides a regular file, with the word that messages use."""

MOST_PIPE_BYTES = 1 << 28
"""Most bytes that are read from a pipe: 256 MiB. A pipe has no length, and so perhaps no end."""


def check_writable(path: str | Path) -> Path:
    """Refuse a file that cannot be written, before the work that fills it.

    Parameters
    ----------
    path : str or Path
        File to be written, which may exist.

    Returns
    -------
    Path
        The file that will be replaced or made: `path`, or where it points to if it is a symbolic
        link.

    Raises
    ------
    OSError
        If the path is a folder, a device, a pipe or a socket, if its folder is missing, or if
        permission is denied.
    """
    try:
        # The name itself is asked, as the link /dev/stdout leads to a pipe that has no other name.
        status = _status(Path(path))
        target = Path(os.path.realpath(path))
        if status is None and not target.parent.is_dir():
            raise OSError(f"there is no folder {target.parent}")
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error
    if status is not None and not stat.S_ISREG(status.st_mode):
        kind = next((word for is_, word in _KINDS if is_(status.st_mode)), "no regular file")
        raise OSError(f"cannot write {path}: it is {kind}; name a file")
    # The folder counts even if the file exists, as a file of another name is made there first.
    denied = [
        place
        for place in (target.parent, *([] if status is None else [target]))
        if not os.access(place, os.W_OK)
    ]
    if denied:
        raise OSError(f"cannot write {path}: permission denied for {denied[0]}")
    return target


def make_folder(path: str | Path) -> Path:
    """Make a folder, and those that it is in, unless it exists.

    Parameters
    ----------
    path : str or Path
        The folder.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OSError
        If there is a file in its place, or permission is denied.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(Path(folder) / "new" / "results").is_dir()
    True
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OSError(
            f"cannot make the folder {path}: there is a file in its place; name a folder"
        ) from error
    except OSError as error:
        raise OSError(f"cannot make the folder {path}: {error.strerror or error}") from error
    return Path(path)


def check_readable(path: str | Path) -> None:
    """Refuse to read what is no regular file, before it is opened.

    A device such as ``/dev/zero`` has no end, and opening a named pipe waits for somebody who
    writes to it. A file that is missing is left to whoever opens it.

    Parameters
    ----------
    path : str or Path
        File to be read.

    Raises
    ------
    OSError
        If the path is a device, a pipe, a socket or a folder.
    """
    status = _status(Path(path))
    if status is not None and not stat.S_ISREG(status.st_mode):
        kind = next((word for is_, word in _KINDS if is_(status.st_mode)), "no regular file")
        raise OSError(errno.EINVAL, f"it is {kind}; name a file", str(path))


def check_private(path: str | Path, status: os.stat_result) -> None:
    """Refuse a file with a secret that others may read or write, or that is somebody else's.

    Parameters
    ----------
    path : str or Path
        The file, for messages.
    status : os.stat_result
        What the operating system knows of it: best of the open file, which nobody can exchange.

    Raises
    ------
    PermissionError
        If its group or others have any permission, or it belongs to another user than that of this
        process or root. Systems without such permissions refuse nothing.
    """
    if os.name != "posix":
        return
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(
            f"{path} must be readable by its owner alone, and has the permissions "
            f"{stat.S_IMODE(status.st_mode):04o}; chmod 600 {path}"
        )
    if status.st_uid not in (0, os.geteuid()):
        raise PermissionError(
            f"{path} must belong to the user of this process ({os.geteuid()}) or to root, not to "
            f"user {status.st_uid}"
        )


@contextmanager
def readable_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to read bytes; or a pipe that somebody has opened for this process.

    Such a pipe is ``/dev/stdin``, or what a shell puts in the place of ``<(command)``. It is read
    to its end, which must come within `MOST_PIPE_BYTES`.

    Parameters
    ----------
    path : str or Path
        File to read.

    Yields
    ------
    file object
        The content, which can be read from any position.

    Raises
    ------
    OSError
        If the file can't be opened, if `check_readable` refuses it, or if a pipe has no end.
    """
    status = _status(Path(path))
    # Where a pipe has no name in any folder, its path leads to a descriptor of this process.
    piped = status is not None and stat.S_ISFIFO(status.st_mode)
    if piped and os.path.realpath(path).startswith(("/proc/", "/dev/fd/")):
        with open(path, "rb") as pipe:
            content = pipe.read(MOST_PIPE_BYTES + 1)
        if len(content) > MOST_PIPE_BYTES:
            message = f"it is a pipe with more than {MOST_PIPE_BYTES} bytes; name a file"
            raise OSError(errno.EFBIG, message, str(path))
        yield io.BytesIO(content)
        return
    check_readable(path)
    with open(path, "rb") as file:
        yield file


@contextmanager
def binary_file(path: str | Path) -> Iterator[BinaryIO]:
    """Write a file of bytes, which takes its name only once everything is written.

    A new file has the permissions that the process gives to new files (its umask); a file that is
    replaced passes its own on.

    Parameters
    ----------
    path : str or Path
        File to write.

    Yields
    ------
    file object
        The temporary file, open to write bytes. If the block raises, it is removed.

    Raises
    ------
    OSError
        If `check_writable` refuses the file, or writing fails.
    """
    target = check_writable(path)
    # The name does not contain the target's, which may be as long as the file system allows.
    partial = target.with_name(f".tensorspin-{secrets.token_hex(8)}.partial")
    try:
        with open(partial, "xb") as file:
            yield file
        old = _status(target)
        if old is not None and old.st_mode != partial.stat().st_mode:
            partial.chmod(stat.S_IMODE(old.st_mode))
        partial.replace(target)
        _logger.debug("%s is written", target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def text_file(path: str | Path) -> Iterator[TextIO]:
    """Write a file of text as UTF-8, which takes its name only once everything is written.

    Parameters
    ----------
    path : str or Path
        File to write.

    Yields
    ------
    file object
        The temporary file, open to write text. Line ends are written as they are, as the module
        `csv` wants it.

    Raises
    ------
    OSError
        If `check_writable` refuses the file, or writing fails.
    UnicodeEncodeError
        If the text holds half of a surrogate pair, which UTF-8 has no form for.
    """
    with binary_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        yield text
        text.detach()  # which flushes; `file` is closed by its own block


def _status(path: Path) -> os.stat_result | None:
    """Return what the operating system knows of a file, or None if there is none."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
