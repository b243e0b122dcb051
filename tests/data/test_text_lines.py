"""Text that is decoded as it arrives, within bounded memory."""

from __future__ import annotations

import gzip
import io

import pytest

from tensorspin.data import DataError
from tensorspin.data import text_lines as module
from tensorspin.data.text_lines import TextLines, open_lines


class Pieces(io.RawIOBase):
    """A stream that gives one piece at each read, like a pipe."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)

    def read1(self, size=-1):
        return self.pieces.pop(0) if self.pieces else b""


def lines_of(*pieces, **limits):
    return TextLines(Pieces(*pieces), "data", **limits)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_lines_whatever_the_pieces(end, mark, size):
    text = mark + "größe".encode() + end + end + b"2" + end + b"3"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    lines = lines_of(*pieces)
    assert list(lines) == ["größe\n", "\n", "2\n", "3\n"] and lines.number == 4


def test_what_waits_is_known():
    lines = lines_of(b"1\n2\n3", b"4\n")
    assert not lines.waiting and next(lines) == "1\n" and lines.waiting
    assert next(lines) == "2\n" and not lines.waiting
    assert next(lines) == "34\n"


def test_looking_takes_nothing():
    lines = lines_of(b"\n \n", b"1\n2\n3\n")
    assert lines.look(4) == ["\n", " \n", "1\n", "2\n"] and lines.number == 0
    assert len(list(lines)) == 5 and lines.look(1) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (b"x\xfcy\n", r"data, line 3 is not UTF-8: byte 0xfc; save it as UTF-8 .*iconv"),
        (b"3\0\n", "data, line 3 holds zero bytes"),
        (b"9" * 101, "data, line 3 is longer than 100 characters"),
    ],
)
def test_lines_before_a_fault_are_given(bad, message, monkeypatch):
    monkeypatch.setattr(module, "MOST_LINE", 100)
    lines = lines_of(b"1\n2\n" + bad)
    assert [next(lines), next(lines)] == ["1\n", "2\n"]
    for _ in range(2):
        with pytest.raises(DataError, match=message):
            next(lines)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2,a\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"\x93NUMPY\x01\0v\0{", "is a single array of NumPy; predict takes it"),
        ("1,2,a\n".encode("utf-16-le"), "line 1 holds zero bytes: it is no text, or UTF-16"),
        (b"PK\x03\x04...", "is a zip archive"),
        (b"\xfd7zXZ\x00...", "compressed by xz; decompress it first"),
        (gzip.compress(b"1,2,a\n" * 100, mtime=0)[:-9], "is damaged"),
    ],
)
def test_files_that_are_no_text(tmp_path, content, message):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        with open_lines(path) as lines:
            list(lines)


def test_compressed_files_expand_to_a_limit(tmp_path):
    path = tmp_path / "bomb.csv"
    path.write_bytes(gzip.compress(b"1,2,a\n" * 1_000_000))
    with open_lines(path, limit=6_000_000) as lines:
        assert sum(1 for _ in lines) == 1_000_000
    with pytest.raises(DataError, match="more than 5999999 bytes of text, the limit; if you tr"):
        with open_lines(path, limit=5_999_999) as lines:
            list(lines)


def test_standard_input_has_a_limit_and_files_have_none(tmp_path, monkeypatch):
    text = b"1,2,a\n" * 100
    for limit in (None, 600, 599):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
        with open_lines("-", limit) as lines:
            if limit == 599:
                with pytest.raises(DataError, match="standard input has more than 599 bytes"):
                    list(lines)
            else:
                assert len(list(lines)) == 100
    (tmp_path / "data.csv").write_bytes(text)
    with open_lines(tmp_path / "data.csv", limit=10) as lines:
        assert len(list(lines)) == 100
