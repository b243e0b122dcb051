"""Cells of tables as features: numbers, words, and what is missing."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tensorspin.data import DataError, Known, Reading
from tensorspin.data.csv_files import read_csv
from tensorspin.data.row_stream import open_rows


@pytest.fixture
def read(tmp_path):
    def read_text(text, known=None, **options):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return read_csv(path, Reading(**{"words": True, "task": "classes", **options}), known)

    return read_text


MIXED = "size,colour,class\n1.5,red,a\n2,green,b\n,?,a\n3,red,b\n"


def test_words_and_numbers(read):
    table = read(MIXED.replace(",?", "0,blue"))
    assert table.X.dtype == object and table.names == ("size", "colour")
    assert table.X.tolist() == [[1.5, "red"], [2, "green"], [0, "blue"], [3, "red"]]
    table = read("1,2,a\n3,4,b\n")
    assert table.X.dtype == np.float64


def test_missing_cells(read):
    table = read(MIXED, missing=True)
    assert table.X[2, 1] is None and np.isnan(table.X[2, 0])
    told = r"feature 0 of sample 2 \(line 4, column 0 'size', the first\) is '', not a number; fill"
    with pytest.raises(DataError, match=told + " it in, or use --missing level"):
        read(MIXED)
    with pytest.raises(DataError, match=r"column 1 'colour'\) is '\?', not a word; fill it in, or"):
        read(MIXED.replace("\n,?", "\n0,?"))
    words = ["", "NA", "nan", "NaN", "?", "N/A", "null"]
    text = "".join(f"{word},{word},{'ab'[row % 2]}\n" for row, word in enumerate(words))
    table = read(f"1,x,a\n{text}2,y,b\n", missing=True)
    assert np.isnan(table.X[1:-1, 0].astype(float)).all() and set(table.X[1:-1, 1]) == {None}
    assert np.isnan(read("1,2,a\n,5,b\n", missing=True).X[1, 0])


def test_infinities_are_refused(read):
    for text in ("1,inf,a\n2,3,b\n", "x,inf,a\ny,3,b\n"):
        for missing in (False, True):
            with pytest.raises(DataError, match="feature 1 of sample 0 is inf"):
                read(text, missing=missing, header="no")


def test_words_are_refused_where_they_are_not_wanted(read):
    with pytest.raises(DataError, match="is 'red', not a number; if it is the class, use --target"):
        read("a,b,c\n1,red,x\n2,green,y\n3,red,x\n", words=False)


def test_a_column_that_mixes_words_and_numbers(read):
    with pytest.raises(DataError, match=r"column 1 'b'\) is 'red', not a number; .*mixes.* '7'"):
        read("a,b,c\n1,red,x\n2,7,y\n3,blue,x\n")
    with pytest.raises(DataError, match="is '1O', not a number$"):
        read("a,b,c\n" + "1,7,x\n2,8,y\n" * 9 + "3,1O,x\n")
    with pytest.raises(DataError, match="thousands"):
        read('a,b,c\n1,"1.234,5",x\n2,"2.345,6",y\n3,"3.456,7",x\n')


def test_a_table_of_words_alone(read):
    rows = "".join(f"{'xob'[i % 3]},{'xob'[i * 2 % 3]},{'xo'[i % 2]}\n" for i in range(12))
    assert len(read(rows).X) == 12, "all words of the first line are there again below"
    table = read("left,right,class\n" + rows)
    assert len(table.X) == 12 and table.names == ("left", "right")
    assert table.X[1].tolist() == ["o", "b"]


def test_the_target_among_words(read, caplog):
    rows = "".join(f"{'xy'[i % 2]},{i},{'uv'[i % 3 > 1]},{i % 2}\n" for i in range(12))
    assert read("sex,age,deck,survived\n" + rows).target == "column 3 'survived', the last"
    first = "".join(f"{'xy'[i % 2]},{i},{i / 7}\n" for i in range(12))
    assert read("kind,age,length\n" + first).target == "column 0 'kind', the first"


def test_the_first_column_may_be_the_target_too(read, caplog):
    rows = "".join(f"{'xy'[i % 2]},{i},{'uv'[i % 3 > 1]}\n" for i in range(12))
    with caplog.at_level(logging.INFO):
        assert read(rows).target == "column 2, the last"
    assert "if the class is in column 0, the first, use --target 0" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.INFO):
        assert read("a,b,class\n" + rows).target == "column 2 'class', the last"
    assert "--target" not in caplog.text


def test_names_of_the_samples_are_told(read, caplog):
    with caplog.at_level(logging.WARNING):
        read("name,n,class\n" + "".join(f"w{i},{i},{'ab'[i % 2]}\n" for i in range(8)))
    assert "column 0 'name', the first holds another word in each row" in caplog.text


KNOWN = Known(2, classes=("a", "b"), words=frozenset({1}), gaps=frozenset({0, 1}))


def test_what_a_program_knows_decides(read, tmp_path):
    table = read("1,7,a\n,?,b\n2,x,a\n", known=KNOWN)
    assert table.X[0].tolist() == [1, "7"] and table.X[1, 1] is None and np.isnan(table.X[1, 0])
    strict = Known(2, classes=("a", "b"), words=frozenset({1}))
    with pytest.raises(DataError, match="is '', not a number; fill it in, or train with --missing"):
        read("1,7,a\n,u,b\n2,x,a\n", known=strict)


@pytest.mark.parametrize("text", ["a,1,x\nb,2,y\nb,,x\n", "1,x,a\n2,y,b\n,x,b\n"])
def test_the_target_is_where_words_leave_it(read, text):
    table = read(text, known=KNOWN)
    assert table.X[0].tolist() == [1, "x"] and table.y.tolist() == ["a", "b", "b"]


def test_streams_of_words(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("n,w\n1,x\n,7\n3,?\n")
    with open_rows(str(path), Reading(), KNOWN) as rows:
        (batch,) = rows
    assert batch.X.dtype == object
    assert batch.X[0].tolist() == [1, "x"] and batch.X[1, 1] == "7" and batch.X[2, 1] is None
    strict = Known(2, words=frozenset({1}))
    for text, told in (
        ("1,?\n", "is '\\?', not a word; fill it in"),
        ("x,x\n", "is 'x', not a nu"),
    ):
        path.write_text("n,w\n" + text)
        with open_rows(str(path), Reading(), strict) as rows:
            with pytest.raises(DataError, match=told):
                list(rows)
    np.save(tmp_path / "x.npy", [[1.0, np.nan]])
    with open_rows(str(tmp_path / "x.npy"), Reading(), Known(2, gaps=frozenset({1}))) as rows:
        assert np.isnan(next(iter(rows)).X[0, 1])
    with open_rows(str(tmp_path / "x.npy"), Reading(), Known(2, gaps=frozenset({0}))) as rows:
        with pytest.raises(DataError, match="feature 1 is nan"):
            list(rows)


CELLS = ["1", "-2.5", "1e3", "", "?", "NA", "nan", "inf", "red", "True", "1,5", "1.234,5", "0x1F"]
CELLS += ["7", "x y", "'q'", "#", "ß", "-", "1_0", "٣", "None", " 3 ", "1e999"]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_cells_are_read_or_refused(tmp_path, data):
    width = data.draw(st.integers(1, 4))
    palettes = [
        data.draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=3)) for _ in range(width)
    ]
    rows = data.draw(st.integers(1, 12))
    cells = [[data.draw(st.sampled_from(palette)) for palette in palettes] for _ in range(rows)]
    separator = data.draw(st.sampled_from([",", ";", "\t"]))
    head = data.draw(st.sampled_from(["", separator.join(f"n{k}" for k in range(width)) + "\n"]))
    quoted = [[f'"{cell}"' if separator in cell else cell for cell in row] for row in cells]
    path = tmp_path / "data.csv"
    path.write_text(head + "".join(separator.join(row) + "\n" for row in quoted))
    words, missing = data.draw(st.booleans()), data.draw(st.booleans())
    task = data.draw(st.sampled_from([None, "classes", "numbers", "outliers"]))
    reading = Reading(words=words, missing=missing, task=task)
    try:
        table = read_csv(path, reading)
    except DataError as error:
        assert str(path) in str(error)
        return
    for column in table.X.T:
        values = column.tolist()
        texts = [value for value in values if isinstance(value, str)]
        assert not texts or (words and all(isinstance(v, str) or v is None for v in values))
        assert missing or all(value is not None and value == value for value in values)
        assert not any(isinstance(value, float) and np.isinf(value) for value in values)
    # A program that was trained with these columns reads the same from the stream.
    places = frozenset(k for k, column in enumerate(table.X.T) if any(map(_is_text, column)))
    known = Known(
        table.X.shape[1],
        names=table.names,
        words=places,
        gaps=frozenset(range(table.X.shape[1])) if missing else frozenset(),
    )
    if table.names is None or len(set(table.names)) < len(table.names):
        return
    with open_rows(str(path), Reading(), known) as stream:
        found = np.concatenate([batch.X for batch in stream])
    assert [list(map(str, row)) for row in found] == [list(map(str, row)) for row in table.X]


def _is_text(value):
    return isinstance(value, str)
