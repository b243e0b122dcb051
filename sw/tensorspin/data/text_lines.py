"""Lines of a text file or of a stream, decoded as they arrive and within bounded memory."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from .errors import DataError

STANDARD_INPUT = "-"
"""Name that stands for standard input."""

_STDIN_NAME = "standard input"

MOST_LINE = 1 << 22
"""Most characters of a line: 4 Mi. A sample of 1,024 features takes some tens of thousands."""

_PIECE = 1 << 20
"""Most bytes to read at a time. A pipe gives less: what has arrived."""

_GZIP = b"\x1f\x8b"

_OTHERS = {
    b"PK\x03\x04": "a zip archive; if it is a .npz file or a spreadsheet, give it the suffix .npz, "
    "or save the table as CSV",
    b"\x93NUMPY": "a single array of NumPy; predict takes it if its suffix is .npy, train takes a "
    ".npz file of X_train and y_train",
    b"\xfd7zXZ\x00": "compressed by xz; decompress it first, or use gzip",
    b"BZh": "compressed by bzip2; decompress it first, or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; decompress it first, or use gzip",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}
"""What a file is whose first bytes tell that it is no text in UTF-8."""


class TextLines:
    """Iterates over lines, which end in a line feed whatever they ended in before.

    Parameters
    ----------
    file : BinaryIO
        Has ``read1``, which returns what there is without waiting for more.
    name : str
        The file, for messages.
    limit : int, optional
        Most bytes to read; more raise an error.

    Attributes
    ----------
    number : int
        Number of the line that was given last, counted from 1.
    """

    def __init__(self, file: BinaryIO, name: str, limit: int | None = None) -> None:
        self.number = 0
        self.name = name
        self._file = file
        self._left = self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._line_ends = io.IncrementalNewlineDecoder(None, translate=True)
        self._lines: deque[str] = deque()
        self._rest: list[str] = []  # parts of a line that has not ended yet
        self._failure: DataError | None = None
        self._ended = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while not self._lines:
            # The lines before a fault are given first: their answers are kept.
            if self._failure is not None:
                raise self._failure
            if self._ended:
                raise StopIteration
            self._fill()
        self.number += 1
        return self._lines.popleft()

    def look(self, most: int) -> list[str]:
        """Return the next lines without taking them.

        Parameters
        ----------
        most : int
            Most lines to return.

        Returns
        -------
        list of str
            The lines that have arrived. It waits for one that is not blank; there is none only
            if the text has ended, or has a fault.
        """
        while not any(line.strip() for line in self._lines):
            if self._ended or self._failure is not None:
                break
            self._fill()
        return list(islice(self._lines, most))

    @property
    def waiting(self) -> bool:
        """Whether the next line is there, so that asking for it does not wait."""
        return bool(self._lines)

    def _fill(self) -> None:
        try:
            data = self._file.read1(_PIECE)  # type: ignore[attr-defined]  # of buffered files
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self._fail(f"is damaged: {error}")
            return
        self._ended = not data
        if self._left is not None:
            self._left -= len(data)
            if self._left < 0:
                self._fail(
                    f"has more than {self._limit} bytes of text, the limit; if you trust it, save "
                    f"it as a file without compression"
                )
                return
        try:
            text = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            valid, wrong = error.object[: error.start], error.object[error.start]
            self._take(valid.decode("utf-8-sig"))
            self._fail(
                f"is not UTF-8: byte 0x{wrong:02x}; save it as UTF-8 (for a file of Windows: "
                f"iconv -f WINDOWS-1252 -t UTF-8)",
                at_line=True,
            )
            return
        self._take(text)
        if self._ended and self._rest:
            self._take("\n")

    def _take(self, text: str) -> None:
        if "\0" in text:
            text = text[: text.index("\0")]
            self._split(text)
            self._fail("holds zero bytes: it is no text, or UTF-16; save it as UTF-8", at_line=True)
            return
        self._split(text)

    def _split(self, text: str) -> None:
        text = self._line_ends.decode(text, final=self._ended)
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = "".join([*self._rest, lines[0]])
            self._rest = []
            self._lines.extend(line + "\n" for line in lines)
        if rest:
            self._rest.append(rest)
            if sum(map(len, self._rest)) > MOST_LINE:
                self._fail(f"is longer than {MOST_LINE} characters: is this a table?", at_line=True)

    def _fail(self, what: str, at_line: bool = False) -> None:
        line = f", line {self.number + len(self._lines) + 1}" if at_line else ""
        if self._failure is None:
            self._failure = DataError(f"{self.name}{line} {what}")


@contextmanager
def open_lines(source: str | Path, limit: int | None = None) -> Iterator[TextLines]:
    """Open a file or standard input as lines of text, compressed by gzip or not.

    Parameters
    ----------
    source : str or Path
        The file; `STANDARD_INPUT` for standard input.
    limit : int, optional
        Most bytes that a compressed file may expand to, or that are read from standard input.

    Yields
    ------
    TextLines
        Its lines.

    Raises
    ------
    DataError
        If the first bytes show that it is no text in UTF-8.
    OSError
        If the file cannot be opened.
    """
    if str(source) == STANDARD_INPUT:
        if sys.stdin is None:
            raise DataError("there is no standard input; name a file")
        # It is not closed, as it belongs to the process; in tests it may have no buffer of its own.
        stream: Any = sys.stdin.buffer
        buffered = stream if hasattr(stream, "peek") else io.BufferedReader(stream)
        yield _lines(buffered, _STDIN_NAME, limit)
        return
    with open(source, "rb") as file:
        yield _lines(file, str(source), limit)


def _lines(file: Any, name: str, limit: int | None) -> TextLines:
    head = file.peek(8)
    for mark, what in _OTHERS.items():
        if head.startswith(mark):
            raise DataError(f"{name} is {what}")
    if head.startswith(_GZIP):
        expanded: Any = gzip.GzipFile(fileobj=file)
        return TextLines(expanded, name, limit)
    return TextLines(file, name, limit if name == _STDIN_NAME else None)
