"""Read archives and compressed files up to a limit, whatever they claim to hold.

A compressed file of a megabyte can expand to a gigabyte, and one that somebody prepared does so on
purpose. What is not asked for is never expanded; what is asked for is measured before anything is
expanded, by the archive's directory, and again while it is expanded, as a directory can lie.

Content that is stored without compression has no limit here: it is as large as the file that the
user has on the disk.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""Readers of an array's header by version. Version 3 is only for fields with names beyond Latin-1,
which no file of ours has."""

_PART = 1 << 16
"""Bytes that are expanded at a time of a compressed file."""


def read_arrays(file: BinaryIO, names: Iterable[str], limit: int) -> dict[str, np.ndarray]:
    """Read arrays of an ``.npz`` archive that `numpy.savez` or `savez_compressed` wrote.

    Parameters
    ----------
    file : file object
        The archive, open to read bytes.
    names : iterable of str
        Arrays to read. Others in the archive are passed over.
    limit : int
        Most bytes that all compressed arrays of these names may expand to.

    Returns
    -------
    dict of str to ndarray
        The arrays that are there, by name.

    Raises
    ------
    ValueError
        If the file is a single array, has one name twice, or exceeds the limit; if an array holds
        Python objects, or is not what its header says.
    zipfile.BadZipFile
        If the file is no archive, or is damaged.
    """
    if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
        raise ValueError("it is a single array, not an archive as of numpy.savez")
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        wanted = {f"{name}.npy": name for name in names}
        members = [info for info in archive.infolist() if info.filename in wanted]
        if len({info.filename for info in members}) != len(members):
            raise ValueError("it holds several arrays of the same name")
        for info in members:
            # zipfile expands other methods of compression without a limit; numpy writes these two.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{info.filename} is compressed by a method that numpy never uses")
            if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
                raise ValueError(f"the archive's directory has two sizes of {info.filename}")
        expanded = sum(
            info.file_size for info in members if info.compress_type != zipfile.ZIP_STORED
        )
        if expanded > limit:
            raise ValueError(
                f"its arrays expand to {expanded} bytes, the limit is {limit}; if you trust the "
                f"file, save them without compression, by numpy.savez"
            )
        return {wanted[info.filename]: _array(archive, info) for info in members}


def read_at_most(file: BinaryIO, limit: int) -> bytes:
    """Read a compressed file that may expand only to a limit.

    Parameters
    ----------
    file : file object
        What `gzip.open` and its like return.
    limit : int
        Most bytes that the content may have.

    Returns
    -------
    bytes
        The content.

    Raises
    ------
    ValueError
        If the content is larger. No more than the limit was expanded to find out.
    """
    # Read in parts, as `file.read(limit)` would take memory for the limit, not for the content.
    content = bytearray()
    while len(content) <= limit and (part := file.read(min(_PART, limit + 1 - len(content)))):
        content += part
    if len(content) > limit:
        raise ValueError(
            f"it expands to more than {limit} bytes, the limit; if you trust the file, decompress "
            f"it first"
        )
    return bytes(content)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Read one array, checked to be as large as its header and the archive's directory say."""
    with archive.open(info) as member:
        # zipfile stops at the size that the directory gives, however much the data would make.
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise ValueError(f"{info.filename} has {len(content)} bytes, not {info.file_size}")
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version not in _HEADER_READERS:
        raise ValueError(f"{info.filename} has a header of version {version}, not 1 or 2")
    shape, _, dtype = _HEADER_READERS[version](stream)
    if dtype.hasobject:
        # They are stored as a pickle, which can run any code when it is loaded.
        raise ValueError(f"{info.filename} holds Python objects; save numbers or text")
    # numpy allocates what the header announces before it reads. Items of no bytes are refused,
    # as any number of them would fit.
    needed, there = math.prod(shape) * dtype.itemsize, len(content) - stream.tell()
    if needed != there or not dtype.itemsize:
        raise ValueError(f"{info.filename} announces {shape} of {dtype} and has {there} bytes")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)
