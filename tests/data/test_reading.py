"""Separators, decimal marks and columns of tables of text, as programs and countries write them."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.data import DataError, Reading, load_samples
from tensorspin.data.reading import Numbers, find_column, recognise_separator

ROWS = [(1.5, 2.25, "a"), (3.0, 4.5, "b"), (0.5, 6.0, "a"), (7.5, 8.0, "b")]


@pytest.fixture
def read(tmp_path):
    """Write text to a file and read its samples."""

    def read_text(text, name="data.csv", **said):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_samples(str(path), reading=Reading(**said))

    return read_text


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


@pytest.mark.parametrize("target", ["kind", "1", 1, "-2"])
def test_a_target_by_name_or_number(read, target):
    samples = read("length,kind,width\n1,a,2\n3,b,4\n", target=target)
    assert samples.X.tolist() == [[1, 2], [3, 4]] and samples.y.tolist() == ["a", "b"]
    assert samples.target == "column 1 'kind'" and samples.feature_names == ("length", "width")


def test_columns_that_are_left_out(read):
    samples = read("id,length,note,kind\n7,1,x y,a\n9,3,z,b\n", drop=("id", "2"))
    assert samples.X.tolist() == [[1], [3]] and samples.feature_names == ("length",)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"target": "size"}, "no column called 'size'; it has length, kind, width"),
        ({"target": "7"}, "has columns 0 to 2, not 7"),
        ({"drop": ("kind",), "target": "kind"}, "--target kind is left out by --drop"),
        ({"drop": ("0", "2")}, "has no features beside the target"),
        ({"target": "none"}, "only --estimator anomaly learns without a target"),
    ],
)
def test_columns_that_are_not_there(read, said, message):
    with pytest.raises(DataError) as caught:
        read("length,kind,width\n1,a,2\n3,b,4\n", **said)
    assert message in str(caught.value)


def test_columns_of_the_same_name():
    assert find_column("b", ["a", "b"], 2, "x") == 1
    with pytest.raises(DataError, match="2 columns called 'a'; use a number"):
        find_column("a", ["a", "a"], 2, "x")


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("head", ["", "Class,a,b\n"])
def test_a_class_in_the_first_column_is_noticed(read, caplog, head):
    """As in wine.data of the UCI repository, whose last column holds hundreds of integers."""
    rng = np.random.default_rng(0)
    rows = [(i % 3 + 1, rng.random(), rng.integers(300, 1700)) for i in range(60)]
    samples = read(head + "".join(f"{y},{a:.3f},{b}\n" for y, a, b in rows), task="classes")
    assert samples.y.tolist() == [row[0] for row in rows] and samples.X.shape == (60, 2)
    (warning,) = warnings_of(caplog)
    assert "the target is column 0" in warning and "choose another with --target" in warning
    caplog.clear()
    last = read("".join(f"{y},{a:.3f},{b}\n" for y, a, b in rows), task="numbers")
    assert last.y.tolist() == [row[2] for row in rows] and not warnings_of(caplog)


def test_words_in_the_first_column_are_the_class(read, caplog):
    samples = read("a,1.5,2\nb,2.5,3\n", task="classes")
    assert samples.y.tolist() == ["a", "b"] and "it holds words" in warnings_of(caplog)[0]
    assert read("a,1\nb,2\na,3\n", task="classes").y.tolist() == ["a", "b", "a"]


def test_the_last_column_is_the_class_as_ever(read, caplog):
    samples = read("0,1.5,0\n1,2.5,1\n0,3.5,1\n1,4.5,0\n", task="classes")
    assert samples.y.tolist() == [0, 1, 1, 0] and not warnings_of(caplog)
    assert samples.target == "column 2, the last"


@pytest.mark.parametrize("index", [range(6), range(1, 7), (40, 3, 17, 8, 9, 1)])
def test_an_index_without_a_name_is_left_out(read, caplog, index):
    caplog.set_level("INFO")
    rows = "".join(f"{i},{i}.5,{'ab'[i % 2]}\n" for i in index)
    samples = read(f",length,kind\n{rows}")
    assert samples.X.tolist() == [[i + 0.5] for i in index]
    assert "column 0 has no name and numbers the rows; it is left out" in caplog.text
    assert read(f",length,kind\n{rows}", target="kind").feature_names == ("length",)
    named = read(f"n,length,kind\n{rows}")
    assert named.X.shape == (6, 2)


def test_numbered_columns_beside_an_index(read):
    """What pandas writes of DataFrame(X) with a column of classes."""
    text = ",0,1,2\n" + "".join(f"{i},{i}.5,{i * i},{i % 2}\n" for i in range(6))
    samples = read(text)
    assert samples.X.shape == (6, 2) and samples.y.tolist() == [0, 1] * 3
    assert samples.feature_names == ("0", "1")


def test_row_names_of_r(read):
    text = '"length" "kind"\n' + "".join(f'"{i + 1}" {i}.5 "{"ab"[i % 2]}"\n' for i in range(6))
    samples = read(text)
    assert samples.X[:, 0].tolist() == [i + 0.5 for i in range(6)]


def test_what_looks_like_an_index_is_told(read, caplog):
    rows = "".join(f"{i},{i % 4},{i % 2}\n" for i in range(12))
    for head in ("", "Id,length,kind\n"):
        caplog.clear()
        assert read(head + rows).X.shape == (12, 2)
        assert "leave it out with --drop 0" in warnings_of(caplog)[0]


def test_numbers_that_no_row_shares_are_told(read, caplog):
    """As in wdbc.data of the UCI repository, whose first column numbers patients."""
    rows = "".join(f"{84230 + 7 * i},{'MB'[i % 2]},{i % 4}.5\n" for i in range(30))
    assert read(rows, target="1").X.shape == (30, 2)
    assert "leave it out with --drop 0" in caplog.text
    with pytest.raises(DataError, match="feature 1 .* is 'M', .*use --target 1, else --drop 1"):
        read(rows)


def test_a_word_in_a_feature_names_the_remedy(read):
    with pytest.raises(DataError, match="feature 0 .*use --target 0, else --drop 0"):
        read("colour,size,kind\nred,1,a\nblue,2,b\n")


@pytest.mark.parametrize(
    ("text", "said", "labels"),
    [
        ("1.5,2\n3.5,4\n", {}, []),
        ("1.5,2,ok\n3.5,4,bad\n", {}, ["ok", "bad"]),
        ("a,b,label\n1.5,2,7\n3.5,4,8\n", {}, [7, 8]),
        ("1.5,2,0\n3.5,4,1\n", {}, [0, 1]),
        ("1.5,2,1\n3.5,4,-1\n", {}, [1, -1]),
        ("1.5,2,0\n3.5,4,1\n", {"target": "none"}, []),
        ("1.5\n3.5\n", {}, []),
    ],
)
def test_tables_for_detectors_may_have_no_target(read, text, said, labels):
    samples = read(text, task="outliers", **said)
    assert samples.y.tolist() == labels and len(samples.X) == 2
