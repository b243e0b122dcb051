"""Samples from ``.csv`` files: names of columns, labels, and habits of programs that write them."""

import numpy as np
import pytest

from tensorspin.data import DataError, Reading, load_samples
from tensorspin.data.csv_files import read_csv


@pytest.fixture
def read(tmp_path):
    """Write text to a file and read its samples."""

    def read_text(text, header="auto"):
        path = tmp_path / "data.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        samples = load_samples(str(path), header=header)
        return samples.X.tolist(), samples.y.tolist()

    return read_text


@pytest.mark.parametrize(
    ("names", "samples"),
    [
        ("length,width,kind", "1,2,0\n3,4,1\n"),
        ("length,width,kind", "1,2,a\n3,4,b\n"),
        ('"length","width, in mm","kind"', "1,2,a\n3,4,b\n"),
        (",width,kind", "1,2,a\n3,4,b\n"),
        # A word above numbers: names such as wavelengths, or running integers.
        ("400,410,kind", "1,2,0\n3,4,1\n"),
        ("0,1,target", "1,2,0.5\n3,4,1.5\n"),
        ("id,1,kind", "1,2,0\n3,4,1\n"),
        # Running integers: above words, above other classes, and above decimal points.
        ("0,1,2", "1,2,a\n3,4,b\n"),
        ("1,2,3", "1,2,a\n3,4,b\n"),
        ("0,1,2", "1,2,0\n3,4,1\n5,6,0\n7,8,1\n"),
        ("0,1,2", "1.0,2,0\n3.5,4,2\n"),
        ("0,1,2", "1,2,0.5\n3,4,2.0\n"),
        ("0,1", "1e-3,0\n2e-3,1\n"),
    ],
)
def test_names_are_recognised(read, names, samples):
    expected = read(samples, header="no")
    assert read(f"{names}\n{samples}") == read(f"{names}\n{samples}", header="yes") == expected
    assert len(expected[1]) == len(samples.splitlines())


@pytest.mark.parametrize(
    "text",
    [
        "0,2,1\n1,2,0\n",
        "1,2,0\n1,2,3\n",
        "5,6,7\n1,2,7\n",
        "0.0,1.0,2.0\n1,2,2\n",
        "00,01,02\n1,2,03\n",
        "1,2,a\n3,4,b\n",
        "1,2,a\n3,4,5\n6,7,a\n",
    ],
)
def test_samples_are_not_taken_for_names(read, text):
    assert read(text) == read(text, header="no")
    assert len(read(text)[1]) == text.count("\n")


@pytest.mark.parametrize("text", ["0,1\n1,0\n0,0\n1,1\n", "1,2,3\n4,5,3\n", "0,1,2\n5,6,7\n"])
def test_a_first_line_that_may_be_either_is_refused(read, text):
    first = text.split()[0]
    with pytest.raises(DataError, match=rf"line 1 \({first}\) may hold .*: --header yes or --h"):
        read(text)
    assert len(read(text, "yes")[1]) + 1 == len(read(text, "no")[1]) == text.count("\n")


def test_a_long_first_line_is_shortened(read):
    line = ",".join(map(str, range(20)))
    with pytest.raises(DataError, match=r"line 1 \(0,1,2,3,\.\.\.,19\) may hold"):
        read(f"{line}\n{line}\n")


@pytest.mark.parametrize("form", ["{:.3f}", "{:.0f}"])
def test_numbered_columns_above_many_samples(read, form):
    """pandas writes a frame without names with numbers of columns; here of reals and integers."""
    X = np.random.default_rng(0).integers(0, 9, (12, 3))
    rows = [[*map(form.format, x), str(i % 3)] for i, x in enumerate(X)]
    text = "\n".join(",".join(row) for row in [["0", "1", "2", "3"], *rows])
    assert read(text) == (X.tolist(), [i % 3 for i in range(12)])


def test_names_and_samples_of_different_length(read):
    with pytest.raises(DataError, match="line 1 names 3 columns, the samples have 4"):
        read("length,width,kind\n1,5,6,a\n2,7,8,b\n")


def test_a_word_in_the_first_line_names_the_remedy(read):
    with pytest.raises(DataError, match=r"feature 1 of sample 0 is 'x', .*use --header yes"):
        read("1,x,a\n2,3,b\n")
    with pytest.raises(DataError, match="\\(line 2, column 1 'm'\\) is 'x', not a number$"):
        read("n,m,k\n1,x,a\n")


@pytest.mark.parametrize("label", ["", "  ", "?", "NaN", " nan", "NA", "n/a", "NULL", "#N/A", '""'])
@pytest.mark.parametrize("others", ["ab", "01", ("0.5", "1.5")])
def test_missing_labels(read, label, others):
    text = f"1,2,{others[0]}\n\n3,4,{others[1]}\n5,6,{label}\n"
    with pytest.raises(DataError, match=r"data\.csv, line 4: the label is .*remove the sample"):
        read(text)
    with pytest.raises(DataError, match=r"data\.csv, line 1: the label is"):
        read(f"1,2,{label}\n{text}")


def test_names_of_classes_that_look_like_gaps(read):
    assert read("1,2,none\n3,4,no\n")[1] == ["none", "no"]


def test_labels_are_stripped(read):
    text = '1,2, a\n1,2,a\n1,2,"a"\n1,2, "a" \n1,2,b c\n1,2,\tb c\n'
    assert read(text)[1] == ["a"] * 4 + ["b c"] * 2
    assert read("1,2, 7\n1,2,7 \n1,2,8\n")[1] == [7, 7, 8]


@pytest.mark.parametrize(
    ("first", "second"), [("007", "7"), ("7", "007"), ("-01", "-1"), ("00", "0"), ("+07", "7")]
)
def test_labels_that_differ_in_zeros(read, first, second):
    message = rf"line 4: the label {second} is the same number as {first} in line 2; write"
    with pytest.raises(DataError, match=message.replace("+", r"\+")):
        read(f"f,k\n1,{first}\n2,3\n1,{second}\n")


def test_labels_that_are_the_same_number(read):
    assert read("5,007\n5,008\n5,007\n")[1] == [7, 8, 7]
    assert read("5,+1\n5,-1\n5,1\n")[1] == [1, -1, 1]
    assert read("5,1.0\n5,2.0\n5,1\n")[1] == [1.0, 2.0, 1.0]
    assert read("5,0.5\n5,0.50\n5,.5\n")[1] == [0.5] * 3
    assert read("5,007\n5,7\n5,x\n")[1] == ["007", "7", "x"]


def test_numbers_that_only_python_reads(read):
    assert read("5,10\n5,1_0\n")[1] == ["10", "1_0"]
    assert read("5,3\n5,٣\n")[1] == ["3", "٣"]
    with pytest.raises(DataError, match="feature 0 of sample 1 is '1_000', not a number"):
        read("5,0\n1_000,1\n")


def test_labels_of_more_than_64_bits(read):
    assert read("5,9223372036854775807\n5,1\n")[1] == [2**63 - 1, 1]
    with pytest.raises(DataError, match="line 2: the label must be .* not 9223372036854775808"):
        read("5,1\n5,9223372036854775808\n")


def test_a_quotation_mark_that_is_never_closed(read):
    with pytest.raises(DataError, match=r"line 2: the label .* goes on in the next line; close"):
        read('1,2,a\n3,4,"b\n5,6,a\n7,8,b\n')


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", ["", "{e}", "{e}{e}", "{e}  {e}"])
def test_line_ends_marks_and_blank_lines(read, end, mark, last):
    text = end.join(['"0", 1 ,"two words"', "", "2,3,b"]) + last.format(e=end)
    assert read(mark + text.encode()) == ([[0, 1], [2, 3]], ["two words", "b"])


@pytest.mark.parametrize("names", ["a,b,c\n", "# a,b,c\n", ""])
def test_comments_above_a_table_are_skipped(tmp_path, names):
    path = tmp_path / "data.csv"
    path.write_text(f"# made by me; 2020\n\n# unit, volt\n{names}1,2,x\n3,4,y\n")
    table = read_csv(path)
    assert table.X.tolist() == [[1, 2], [3, 4]] and table.y.tolist() == ["x", "y"]
    assert table.names == (("a", "b") if names else None)
    path.write_text(f"# made by me\n{names}1,2,x\n3,,y\n")
    with pytest.raises(DataError, match="feature 1 of sample 1 .*is ''"):
        read_csv(path)


def test_classes_that_begin_like_a_comment_stay(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("#a,1\n#b,2\n#a,3\n")
    assert read_csv(path, Reading(task="classes")).y.tolist() == ["#a", "#b", "#a"]
