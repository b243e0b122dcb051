"""Separators and decimal marks of tables of text, as programs and countries write them."""

from __future__ import annotations

import pytest

from tensorspin.data import DataError, Reading
from tensorspin.data.reading import Numbers, recognise_separator

ROWS = [(1.5, 2.25, "a"), (3.0, 4.5, "b"), (0.5, 6.0, "a"), (7.5, 8.0, "b")]


def table(separator, decimal=".", head=None, quoted=False):
    lines = [] if head is None else [separator.join(head)]
    for *numbers, label in ROWS:
        cells = [str(number).replace(".", decimal) for number in numbers] + [label]
        lines.append(separator.join(f'"{cell}"' if quoted else cell for cell in cells))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("head", [None, ("length", "width", "kind")])
@pytest.mark.parametrize(
    ("separator", "decimal", "quoted"),
    [
        (",", ".", False),
        (", ", ".", False),
        (";", ".", False),
        (";", ",", False),
        ("; ", ",", False),
        ("\t", ".", False),
        ("\t", ",", False),
        (" ", ".", False),
        ("   ", ",", False),
        ("|", ".", False),
        (",", ",", True),
        (";", ",", True),
        (",", ".", True),
    ],
)
def test_separators_and_decimal_marks(read, separator, decimal, quoted, head):
    samples = read(table(separator, decimal, head, quoted))
    assert samples.X.tolist() == [list(row[:2]) for row in ROWS]
    assert samples.y.tolist() == [row[2] for row in ROWS]
    assert samples.feature_names == (None if head is None else head[:2])


@pytest.mark.parametrize(
    ("word", "character"), [("semicolon", ";"), (";", ";"), ("tab", "\t"), ("\\t", "\t")]
)
def test_a_separator_that_is_given(read, word, character):
    assert read(table(character), separator=word).X.shape == (4, 2)
    assert recognise_separator(table(character).splitlines()) == character


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("1,5;a;b", ";"),
        ("1,5;a", ";"),
        ("1.234,5;2;a", ";"),
        ("12 cm,3,a", ","),
        ("a b c d,1", ","),
        ("2020-01-01 12:00,1.5,2.5", ","),
        ("1,5 2,5 a", " "),
        ("a;b,1", ","),
        ("5", ","),
        ("", ","),
    ],
)
def test_separators_of_a_single_line(line, separator):
    assert recognise_separator([line]) == separator


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=; "])
def test_the_separator_that_excel_writes(read, line):
    samples = read(f"{line}\r\n" + table(";", ",", ("length", "width", "kind")))
    assert samples.X.tolist() == [list(row[:2]) for row in ROWS]
    with pytest.raises(DataError, match="line 4: the label is empty"):
        read(f"{line}\n1;2;a\n1;2;b\n1;2;\n")


def test_names_that_numpy_writes_as_a_comment(read):
    samples = read("# length,width,kind\n1,2,0\n3,4,1\n")
    assert samples.feature_names == ("length", "width")


def test_spaces_and_separators_within_quotation_marks(read):
    samples = read('"a;b", "c, d" ,"kind"\n1.5,2,"x, y"\n2.5,3,"z;w"\n')
    assert samples.feature_names == ("a;b", "c, d") and samples.y.tolist() == ["x, y", "z;w"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,5;2.5;a\n", "feature 1 of sample 0 is '2.5', not a number; other numbers have decimal"),
        ("1.5;2,5;a\n", "feature 1 of sample 0 is '2,5', not a number; other numbers have decimal"),
        ('"1,234","2,345",a\n', "not a number; if the comma is a decimal mark, use --decimal ,"),
        ("1.234,5;2;a\n", "is '1.234,5', not a number; write numbers without separators of thous"),
        ("1;2,5\n2;1.5\n3;4,5\n", "line 2: the target is 1.5; other numbers have decimal commas"),
    ],
)
def test_marks_that_are_mixed_or_unclear(read, text, message):
    with pytest.raises(DataError) as caught:
        read(text, header="no")
    assert message in str(caught.value)


def test_a_decimal_mark_that_is_given(read):
    assert read('"1,234","2,345",a\n1,2,b\n', decimal=",").X[0].tolist() == [1.234, 2.345]
    with pytest.raises(DataError, match="is '1,5', not a number"):
        read("1,5;2;a\n2;3;b\n", decimal=".")
    numbers = Numbers(None, ";")
    assert [numbers.read(cell) for cell in ("1", "-,5", "1e3", "2,5e-1")] == [1, -0.5, 1000, 0.25]


@pytest.mark.parametrize(
    "said",
    [
        {"header": "maybe"},
        {"separator": "ab"},
        {"separator": "x"},
        {"separator": '"'},
        {"decimal": ";"},
        {"separator": ",", "decimal": ","},
        {"task": "magic"},
    ],
)
def test_values_that_nothing_can_be_read_with(said):
    with pytest.raises(ValueError, match="must be|can't both"):
        Reading(**said)


@pytest.mark.parametrize("name", ["data.tsv", "data.txt", "iris.data", "data", "data.csv.gz"])
def test_tables_of_any_name(read, name):
    import gzip

    text = table("\t").encode()
    samples = read(gzip.compress(text) if name.endswith("gz") else text, name)
    assert samples.X.shape == (4, 2) and samples.name == name.partition(".")[0]


def test_the_name_says_nothing_of_compression(read):
    import gzip

    assert read(gzip.compress(table(",").encode())).X.shape == (4, 2)
