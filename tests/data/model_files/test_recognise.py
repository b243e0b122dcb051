"""Formats of model files are recognised by content and suffix, and guesses are told."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma

import dimod
import pytest

from tensorspin.data import DataError, read_model

TRIANGLE = "3 3\n1 2 -2\n2 3 4\n1 3 1\n"
BQM = dimod.BinaryQuadraticModel({"a": 1.0, "b": -2.5}, {("a", "b"): 0.5}, 1.0, "BINARY")


def write(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("name", "content", "file_format", "objective"),
    [
        ("a.mc", "# Bonn\n#\n" + TRIANGLE, "rudy", "max cut"),
        ("a.rud.xz", TRIANGLE, "rudy", "max cut"),
        ("a.bq", TRIANGLE, "bq", "min x'Qx"),
        ("A.BQ", TRIANGLE, "bq", "min x'Qx"),
        ("a.sparse", TRIANGLE, "sparse", "min x'Qx"),
        ("a.qs.gz", TRIANGLE, "qs", "min x'Qx"),
        ("a.txt", "# ObjectiveOffset 7\n# Vars Non-zeros\n" + TRIANGLE, "qs", "min x'Qx"),
        ("a.txt", "p qubo 0 2 1 1\n0 0 1\n0 1 1\n", "qubo", "min x'Qx"),
        ("a.txt", "c a graph\np edge 2 1\ne 1 2\n", "dimacs", "max cut"),
        ("a.mc", "p col 2 1\ne 1 2\n", "dimacs", "max cut"),
        ("a", "%%MatrixMarket matrix coordinate real general\n1 1 1\n1 1 2\n", "mtx", "min x'Qx"),
        ("a", "# a comment\n# vartype=SPIN\n0 1 1\n", "coo", "energy"),
        ("a", json.dumps(BQM.to_serializable(), indent=1), "json", "energy"),
        ("a", BQM.to_file().read(), "dimod", "energy"),
        ("a", "\\ a comment\nMinimize\n obj: a\nBinary\n a\nEnd\n", "lp", "objective"),
    ],
)
def test_formats(tmp_path, name, content, file_format, objective):
    model = read_model(write(tmp_path, name, content))
    assert (model.file_format, model.objective) == (file_format, objective)
    assert model.reading and "does not say so" not in model.reading


def test_a_list_of_numbers_alone_is_a_guess_that_is_told(tmp_path):
    model = read_model(write(tmp_path, "a.txt", TRIANGLE))
    assert model.objective == "max cut"
    assert "does not say so: for min x'Qx choose --format sparse, bq or qs" in model.reading
    known = read_model(write(tmp_path, "a.txt", TRIANGLE), "rudy")
    assert "does not say so" not in known.reading


def test_a_list_with_a_diagonal_is_not_guessed(tmp_path):
    path = write(tmp_path, "a.txt", "# one\n2 2\n1 2 1\n2 2 1\n")
    with pytest.raises(DataError, match="line 4: entry 2 is a loop.*choose a format: sparse"):
        read_model(path)


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_byte_order_marks_and_ends_of_lines(tmp_path, mark, ends):
    for name, text in (
        ("a.sparse", TRIANGLE),
        ("a.qubo", "p qubo 0 2 1 1\n0 0 1\n0 1 1\n"),
        ("a.coo", "# vartype=SPIN\n0 1 1\n"),
        ("a.json", json.dumps(BQM.to_serializable())),
    ):
        plain = read_model(write(tmp_path, name, text))
        marked = read_model(write(tmp_path, name, text.replace("\n", ends).encode(mark)))
        assert marked.bqm == plain.bqm


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
@pytest.mark.parametrize("name", ["a.sparse", "a.sparse.gz", "a.sparse.xz"])
def test_compression_is_told_by_the_content(tmp_path, pack, name):
    plain = read_model(write(tmp_path, "plain.sparse", TRIANGLE))
    assert read_model(write(tmp_path, name, pack(TRIANGLE.encode()))).bqm == plain.bqm
    assert read_model(write(tmp_path, name, TRIANGLE)).bqm == plain.bqm  # unpacked, name kept


def test_archives_that_are_not_read(tmp_path):
    for content, message in (
        (gzip.compress(lzma.compress(TRIANGLE.encode()), mtime=0), "compressed twice"),
        (b"PK\x03\x04 and so on", "it is a zip archive; unpack it first"),
        (b"\x28\xb5\x2f\xfd and so on", "Zstandard"),
        (b"\xff\xfe\x00", "is no text"),
        (b"\x80\x81", "is no text"),
        (b"DIMODDQM\x01", "no binary quadratic model that dimod has written"),
    ):
        with pytest.raises(DataError, match=message):
            read_model(write(tmp_path, "a.mc", content))


def test_suffixes_that_promise_more_than_the_content_holds(tmp_path):
    for name in ("a.bqm", "a.cqm", "a.mtx", "a.col", "a.json", "a.lp", "a.coo", "a.qubo"):
        with pytest.raises(DataError):
            read_model(write(tmp_path, name, TRIANGLE))
        with pytest.raises(DataError):
            read_model(write(tmp_path, name, ""))
