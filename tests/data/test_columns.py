"""Which columns of a table are features, the target, or left out."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.data import DataError


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


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


@pytest.mark.parametrize("form", ["{},{:.3f},{}\n", "{:.2e},{:.5e},{:.5e}\n"])
@pytest.mark.parametrize("head", ["", "Class,a,b\n"])
def test_a_class_in_the_first_column_is_noticed(read, caplog, head, form):
    """As in wine.data of the UCI repository, whose last column holds hundreds of integers."""
    rng = np.random.default_rng(0)
    rows = [(i % 3 + 1, rng.random(), rng.integers(300, 1700)) for i in range(60)]
    samples = read(head + "".join(form.format(*row) for row in rows), task="classes")
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


def test_a_constant_last_column_holds_no_classes(read, caplog):
    """As the pixels at the edge of images, in files that have the class first."""
    samples = read("1,5,0\n2,6,0\n1,7,0\n2,8,0\n", task="classes")
    assert samples.y.tolist() == [1, 2, 1, 2] and "is constant" in warnings_of(caplog)[0]


def test_two_columns_that_may_hold_classes_are_told(read, caplog):
    caplog.set_level("INFO")
    samples = read("1,5.5,0\n2,6,0\n1,7,1\n2,8,1\n", task="classes")
    assert samples.y.tolist() == [0, 0, 1, 1]
    assert "if the class is in column 0, the first, use --target 0" in caplog.text


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


@pytest.mark.parametrize("head", ["", "a,b,kind,\n"])
@pytest.mark.parametrize("task", [None, "classes"])
def test_separators_at_the_ends_of_lines_make_no_column(read, caplog, head, task):
    with caplog.at_level("INFO"):
        samples = read(f"{head}1,2,x,\n3,4,y,\n", task=task)
    assert samples.X.tolist() == [[1, 2], [3, 4]] and samples.y.tolist() == ["x", "y"]
    (record,) = [each for each in caplog.records if "neither name nor values" in each.getMessage()]
    assert "column 3, the last has" in record.getMessage()
    # Without a line of names it could also be the class, so that it is worth a warning.
    assert record.levelname == ("INFO" if head else "WARNING")


def test_a_last_column_with_a_name_or_a_value_is_no_end_of_line(read):
    with pytest.raises(DataError, match="line 2: the label is empty"):
        read("a,b,kind\n1,2,\n3,4,\n")
    with pytest.raises(DataError, match="line 1: the label is empty"):
        read("1,2,\n3,4,x\n")
    with pytest.raises(DataError, match="line 1: the label is empty"):
        read("1,2,\n3,4,\n", target="2")


def test_a_message_names_the_column_where_features_are_not_the_first(read):
    place = r"feature 1 of sample 1 \(line 3, column 2 'b', the last\) is ''"
    with pytest.raises(DataError, match=place):
        read("kind,a,b\nx,1,2\ny,3,\n", target="kind")


@pytest.mark.parametrize("name", ["label", "species", "kind"])
def test_words_first_are_the_class_unless_the_last_column_is_called_so(read, name):
    text = f"colour,size,{name}\n" + "".join(f"{'rgb'[i % 3]},{i},{i % 2}\n" for i in range(12))
    if name == "kind":
        assert read(text, task="classes").target == "column 0 'colour', the first"
    else:
        with pytest.raises(DataError, match="'r', not a number; .* else --drop 0"):
            read(text, task="classes")
    assert read(text, task="classes", drop=("colour",)).y.tolist() == [0, 1] * 6


def test_words_first_that_all_differ_are_names_of_the_samples(read):
    text = "name,size,kind\n" + "".join(f"u{i},{i},{i % 2}\n" for i in range(12))
    with pytest.raises(DataError, match="'u0', not a number; .* else --drop 0"):
        read(text, task="classes")


def test_y_beside_x_and_others_is_a_coordinate(read, caplog):
    rows = "".join(f"{i % 5},{i % 4},{i % 2}\n" for i in range(20))
    assert read("x,y,group\n" + rows, task="classes").target == "column 2 'group', the last"
    assert read("a,y,group\n" + rows, task="classes").target == "column 1 'y'"
    assert read("y,x\n1,2\n3,4\n", task="numbers").target == "column 0 'y', the first"


CODES = "size,code,kind\n1.5,7,a\n2.5,9,b\n"


@pytest.mark.parametrize("said", ["code", "1", 1, "code,size"])
def test_categorical_columns_are_text(read, said):
    samples = read(CODES, categorical=(said,))
    assert samples.X[:, 1].tolist() == ["7", "9"] and samples.y.tolist() == ["a", "b"]
    assert samples.categorical == ((0, 1) if said == "code,size" else (1,))
    assert read(CODES).X.tolist() == [[1.5, 7], [2.5, 9]] and read(CODES).categorical == ()


def test_categorical_columns_are_numbered_among_the_features(read):
    samples = read(CODES, categorical=("2",), drop=("0",), target="code", words=True)
    assert samples.X.tolist() == [["a"], ["b"]] and samples.categorical == (0,)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"categorical": ("cod",)}, "no column called 'cod'; it has size, code, kind"),
        ({"categorical": ("code",), "drop": ("1",)}, "names column 1 'code', which is left out"),
        (
            {"categorical": ("code",), "target": "code"},
            "names column 1 'code', which is the target",
        ),
        (
            {"categorical": ("code", "kind")},
            "names column 2 'kind', the last, which would be the target: choose another with "
            "--target",
        ),
    ],
)
def test_columns_that_can_not_be_categorical(read, said, message):
    with pytest.raises(DataError) as caught:
        read(CODES, words=True, **said)
    assert message in str(caught.value)


def test_a_categorical_column_is_no_target_by_what_it_holds(read):
    rows = "".join(f"{region},{size}\n" for region, size in zip("aabbab", (0, 1, 0, 1, 1, 1)))
    assert read(f"region,y2\n{rows}", words=True, task="classes").y.tolist() == list("aabbab")
    said = {"categorical": ("region",), "words": True, "task": "classes"}
    assert read(f"region,y2\n{rows}", **said).y.tolist() == [0, 1, 0, 1, 1, 1]
    last = "".join(f"{k % 2},{k}\n" for k in range(4))
    samples = read(f"class,region\n{last}", categorical=("region",), task="classes")
    assert samples.y.tolist() == [0, 1, 0, 1], "the name tells the target"
    detected = read(f"size,region\n{last}", categorical=("region",), task="outliers")
    assert detected.X.shape == (4, 2) and len(detected.y) == 0


def test_a_categorical_column_that_numbers_the_rows_stays(read):
    text = ",size,kind\n" + "".join(f"{k},{k / 2},{'ab'[k % 2]}\n" for k in range(6))
    assert read(text).X.shape == (6, 1)
    assert read(text, categorical=("0",)).X[:, 0].tolist() == list("012345")


def test_a_missing_category(read):
    with pytest.raises(DataError, match=r"column 1 'code'\) is '', not a category; fill it in"):
        read("size,code,kind\n1,,a\n2,7,b\n", categorical=("code",), words=True)
    samples = read("size,code,kind\n1,,a\n2,7,b\n", categorical=("code",), missing=True)
    assert samples.X[:, 1].tolist() == [None, "7"]
