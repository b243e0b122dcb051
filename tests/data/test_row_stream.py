"""Samples one after the other, as a program that was trained before needs them."""

from __future__ import annotations

import io

import numpy as np
import pytest

from tensorspin.data import DataError, Known, Reading
from tensorspin.data.row_stream import open_rows

NAMED = Known(2, ("length", "width"), ("a", "b"))
NAMELESS = Known(2, None, ("a", "b"))
NUMBERED = Known(2, None, ("1", "2"))
REGRESSOR = Known(2)


def rows_of(path, known, **said):
    with open_rows(str(path), Reading(**said), known) as stream:
        batches = list(stream)
    assert [batch.first for batch in batches] == [
        sum(len(before.X) for before in batches[:place]) for place in range(len(batches))
    ]
    return [row for batch in batches for row in batch.X.tolist()]


@pytest.fixture
def read(tmp_path):
    def read_text(text, known, **said):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return rows_of(path, known, **said)

    return read_text


EXPECTED = [[1.5, 2], [3.5, 4]]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("1.5,2\n3.5,4\n", NAMELESS),
        ("1.5,2\n3.5,4\n", NAMED),
        ("1.5,2,a\n3.5,4,b\n", NAMELESS),
        ("1,5;2;a\n3,5;4;b\n", NAMELESS),
        ("a,1.5,2\nb,3.5,4\n", NAMELESS),
        ("1.5,2,\n3.5,4,\n", NAMELESS),
        ("1.5,2,a,\n3.5,4,b,\n", NAMELESS),
        ("x,y,kind,\n1.5,2,a,\n3.5,4,b,\n", NAMELESS),
        ("1,5;2\n3,5;4\n", NAMELESS),
        ("1,5;2,0\n3,5;4,0\n", NAMELESS),
        ("1,5;2,0;a;\n3,5;4,0;b;\n", NAMELESS),
        ('"1,5";"2,0";"a";\n"3,5";"4,0";"b";\n', NAMELESS),
        (";kind;x;y\n0;a;1,5;2,0\n1;b;3,5;4,0\n", NAMELESS),
        ("1.5,2,1\n3.5,4,2\n", NUMBERED),
        ("1,1.5,2\n2,3.5,4\n", NUMBERED),
        ("1.5,2,7\n3.5,4,8\n", REGRESSOR),
        ("length,width\n1.5,2\n3.5,4\n", NAMED),
        ("width,length\n2,1.5\n4,3.5\n", NAMED),
        ("kind,width,note,length\na,2,x,1.5\nb,4,y,3.5\n", NAMED),
        ("x,y\n1.5,2\n3.5,4\n", NAMELESS),
        (",x,y\n0,1.5,2\n1,3.5,4\n", NAMELESS),
        (",x,y,kind\n0,1.5,2,a\n1,3.5,4,b\n", NAMELESS),
        ("0,1,2\n1.5,2,a\n3.5,4,b\n", NAMELESS),
        ("\n1.5,2\n\n3.5,4\n\n", NAMELESS),
        ("# length,width\n1.5,2\n3.5,4\n", NAMED),
        ("# by me\n\n# today\nlength,width\n1.5,2\n3.5,4\n", NAMED),
        ("# by me, too, today\n# width,length\n2,1.5\n4,3.5\n", NAMED),
        ("#\n1,5;2,0;a\n3,5;4,0;b\n", NAMELESS),
        ("sep=;\nlength;width\n1,5;2\n3,5;4\n", NAMED),
        ("sep=;\n1,5;2\n3,5;4\n", NAMELESS),
    ],
)
def test_features_are_found(read, text, known):
    assert read(text, known) == EXPECTED


def test_a_single_row_has_an_index_too(read):
    assert read(",kind,x,y\n0,a,1.5,2\n", NAMELESS) == EXPECTED[:1]


@pytest.mark.parametrize(
    ("text", "target", "told"),
    [
        ("1,1.5,1\n2,2.5,1\n1,3.5,1\n", 0, True),  # the last is constant, as a pixel may be
        ("1,1.5,1\n1,2.5,2\n1,3.5,1\n", 2, False),
        ("1,1.5,1\n2,2.5,2\n1,3.5,1\n", 2, True),
        ("1,1.5,2\n", 2, True),
        ("1,1.5,2.0\n", 0, True),
        ("1,1.5,1.0\n1,2.5,2.0\n", 2, False),
        ("digit,a,b\n1,1.5,1\n2,2.5,2\n", 2, True),
        ("Class,a,b\n1,1.5,1\n2,2.5,2\n", 0, False),
        ("a,target,b\n1,1,1\n2,2,2\n", 1, False),
        ("id,a,b\n1,1.5,1\n2,2.5,2\n", 0, True),
    ],
)
def test_a_target_of_numbers_among_numbers(read, caplog, text, target, told):
    rows = [line.split(",") for line in text.splitlines() if line[0].isdigit()]
    expected = [[float(c) for place, c in enumerate(row) if place != target] for row in rows]
    assert read(text, NUMBERED) == expected
    assert ("choose another with --target" in caplog.text) == told


def test_a_target_that_is_doubtful_is_told(read, caplog):
    assert len(read("".join(f"{i},1.5,2\n" for i in range(6)), REGRESSOR)) == 6
    assert "column 2, the last is taken for the target; choose another with" in caplog.text
    caplog.clear()
    assert read("".join(f"{i},1.5,2\n" for i in range(6)), REGRESSOR, drop=("0",))[0] == [1.5, 2]
    assert not caplog.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("7,1.5,2,x\n8,3.5,4,y\n", {"drop": ("0", "3")}),
        ("7,1.5,2\n8,3.5,4\n", {"target": "0"}),
        ("1.5,7,2\n3.5,8,4\n", {"drop": ("1",)}),
    ],
)
def test_columns_that_the_user_chooses(read, text, said):
    assert read(text, NUMBERED, **said) == EXPECTED


@pytest.mark.parametrize(
    ("text", "known", "message"),
    [
        ("length,size\n1,2\n", NAMED, "lacks columns of the program: width; it has length, size"),
        ("length,length,width\n1,2,3\n", NAMED, "several columns called 'length'"),
        ("5,2,3,4\n", NAMELESS, "has 4 columns; the program needs 2"),
        ("1\n", NAMELESS, "has 1 columns; the program needs 2"),
        ("8.5,2,7\n9.5,3,8\n", NUMBERED, "neither the first nor the last holds its classes"),
        ("0,1\n5,6\n", NAMELESS, "--header yes or --header no"),
        ("0,1,label\n", NAMELESS, "--header yes or --header no"),
    ],
)
def test_tables_that_do_not_suit(read, text, known, message):
    with pytest.raises(DataError) as caught:
        read(text, known)
    assert message in str(caught.value)


def test_a_feature_is_not_left_out(read):
    with pytest.raises(DataError, match="--drop leaves out 'width', a feature of the program"):
        read("length,note,width\n1,x,2\n", NAMED, drop=("note", "width"))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("1,x,a", "data.csv, line 4: column 1 'width' is 'x', not a number"),
        ("1,,a", "line 4: column 1 'width' is '', not a number; fill it in or remove the line"),
        ("1,nan,a", "line 4: column 1 'width' is 'nan', not a finite number; fill it in"),
        ("1,2", "line 4: it has 2 columns, not 3"),
        ('1,2,"a\n' + "x" * 140_000, "line 4: field larger than field limit"),
    ],
)
@pytest.mark.parametrize("filling", [0, 100])
def test_rows_before_a_bad_one_are_given(tmp_path, bad, message, filling):
    path = tmp_path / "data.csv"
    tail = "5,6,b\n" * filling
    path.write_text(f"length,width,kind\n1,2,a\n\n{bad}\n{tail}")
    seen = []
    with pytest.raises(DataError) as caught, open_rows(str(path), Reading(), NAMED) as stream:
        for batch in stream:
            seen += batch.X.tolist()
    assert message in str(caught.value) and seen == [[1, 2]]


def test_batches_are_as_large_as_allowed(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("".join(f"{i}.5,0\n" for i in range(10)))
    with open_rows(str(path), Reading(), NAMELESS) as stream:
        stream.most = 4
        assert [len(batch.X) for batch in stream] == [4, 4, 2]


@pytest.mark.parametrize("text", ["", "\n\n", "length,width\n"])
def test_no_rows(read, text):
    assert read(text, NAMED) == []


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"1.5,2\n3.5,4\n")))
    assert rows_of("-", NAMELESS) == EXPECTED


@pytest.mark.parametrize(
    "arrays",
    [
        {"X": EXPECTED},
        {"arr_0": EXPECTED, "y_train": [1, 2]},
        {"X_train": EXPECTED[:1], "X_test": EXPECTED[1:], "y_train": ["a"]},
        {"X_test": EXPECTED},
    ],
)
def test_archives(tmp_path, arrays):
    np.savez(tmp_path / "data.npz", **arrays)
    assert rows_of(tmp_path / "data.npz", NAMED) == EXPECTED
    with pytest.raises(ValueError, match="separator ';' is for .csv files"):
        rows_of(tmp_path / "data.npz", NAMED, separator=";")


def test_single_arrays_and_names(tmp_path):
    np.save(tmp_path / "data.npy", EXPECTED)
    assert rows_of(tmp_path / "data.npy", NAMED) == EXPECTED
    assert len(rows_of("iris", Known(4))) == 150
    np.save(tmp_path / "empty.npy", np.zeros((0, 2)))
    assert rows_of(tmp_path / "empty.npy", NAMED) == []
    np.save(tmp_path / "bad.npy", [[1, 2], [3, np.nan]])
    with pytest.raises(DataError, match="bad.npy, row 1: feature 1 is nan"):
        rows_of(tmp_path / "bad.npy", NAMED)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"Z": EXPECTED}, "none of the arrays X, X_train"),
        ({"X": [1.0, 2.0]}, "must hold real numbers in rows"),
        ({"X": [["a", "b"]]}, "must hold real numbers in rows"),
        ({"X": [[1.0, 2.0, 3.0]]}, "has 3 features a sample; the program needs 2"),
        ({"X_train": [[1, 2]], "X_test": [[1]]}, "different numbers of features"),
    ],
)
def test_archives_that_do_not_suit(tmp_path, arrays, message):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(DataError, match=message):
        rows_of(tmp_path / "data.npz", NAMED)


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.npz", "nothing"])
def test_files_that_are_not_there(name):
    with pytest.raises(DataError, match=name):
        rows_of(name, NAMED)
