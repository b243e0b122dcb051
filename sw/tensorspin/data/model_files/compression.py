"""Content of files that may be compressed, which their first bytes tell, whatever the name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...archives import read_at_most
from ...files import readable_file
from ..errors import DataError

SUFFIXES = (".xz", ".gz", ".bz2")
"""Suffixes of compressed files, which stand behind that of the format: ``model.qubo.gz``."""

_OPENERS: dict[bytes, Callable[..., Any]] = {
    b"\xfd7zXZ\0": lzma.open,
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
}
"""What opens a compressed file, by its first bytes."""

_OTHERS = {b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "Zstandard", b"7z\xbc\xaf": "7-Zip"}
"""Archives that are not read, by their first bytes."""


def read_content(path: Path, limit: int) -> bytes:
    """Read a file and expand it if it is compressed.

    Parameters
    ----------
    path : Path
        The file.
    limit : int
        Most bytes that a compressed file may expand to.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged or expands to more.
    """
    try:
        with readable_file(path) as source:
            content = source.read()
        opener = _opener(content)
        if opener is not None:
            with opener(io.BytesIO(content), "rb") as file:
                content = read_at_most(file, limit)
            if _opener(content) is not None:
                raise ValueError("it is compressed twice; decompress it once")
    except (OSError, EOFError, ValueError, MemoryError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}") from error
    for prefix, kind in _OTHERS.items():
        if content.startswith(prefix):
            raise DataError(f"cannot read {path}: it is a {kind} archive; unpack it first")
    return content


def _opener(content: bytes) -> Callable[..., Any] | None:
    """Find what opens a compressed file."""
    for prefix, opener in _OPENERS.items():
        if content.startswith(prefix):
            return opener
    return None
