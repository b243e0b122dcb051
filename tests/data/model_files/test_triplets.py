"""Lists of numbered entries, as their collections write them."""

from __future__ import annotations

import itertools

import pytest

from tensorspin.data import DataError, read_model

MATRIX = {(1, 1): 5.0, (1, 2): -6.0, (2, 2): 3.0, (2, 3): -1.0, (3, 3): 1.0}
ENTRIES = "3 5\n" + "".join(f"{i} {j} {q:g}\n" for (i, j), q in MATRIX.items())


def write(folder, name, content):
    path = folder / name
    path.write_text(content)
    return path


def values(model):
    """Value of the file's objective for every state of three binary variables."""
    labels = list(model.bqm.variables)
    states = list(itertools.product([0, 1], repeat=3))
    return [float(model.value(model.bqm.energy(dict(zip(labels, x))))) for x in states]


def expected(factor, offset=0.0):
    return [
        offset
        + sum(q * x[i - 1] * x[j - 1] * (1 if i == j else factor) for (i, j), q in MATRIX.items())
        for x in itertools.product([0, 1], repeat=3)
    ]


@pytest.mark.parametrize("name, factor", [("a.sparse", 2), ("a.qs", 2), ("a.bq", 1)])
def test_entries_off_the_diagonal(tmp_path, name, factor):
    assert values(read_model(write(tmp_path, name, ENTRIES))) == expected(factor)


def test_mqlib_maximises_the_same_form(tmp_path):
    """The example of MQLib's manual, whose best value is 6."""
    path = write(tmp_path, "sample.txt", "# a comment\n" + ENTRIES)
    model = read_model(path, "sparse", maximise=True)
    assert (model.objective, model.maximised) == ("max x'Qx", True)
    assert "max x'Qx" in model.reading and "min" not in model.reading
    assert values(model) == expected(2) and max(values(model)) == 6.0
    lowest = min(itertools.product([0, 1], repeat=3), key=lambda x: energy(model, x))
    assert lowest == (1, 0, 1)
    assert model.energy(6.0) == energy(model, lowest)


def energy(model, x):
    return float(model.bqm.energy(dict(zip(model.bqm.variables, x))))


def test_a_cut_is_maximised_as_it_is(tmp_path):
    path = write(tmp_path, "a.txt", "2 1\n1 2 1\n")
    with pytest.raises(DataError, match="read as a graph.*leave out maximise, or choose"):
        read_model(path, maximise=True)


@pytest.mark.parametrize("mark", ["#", "c"])
def test_the_constant_term_of_qoblib(tmp_path, mark):
    text = f"{mark} ObjectiveOffset 7.5\n{mark} Vars Non-zeros\n{ENTRIES}"
    model = read_model(write(tmp_path, "a.qs", text))
    assert values(model) == expected(2, 7.5)
    assert "7.5" in model.reading
    with pytest.raises(DataError, match="line 1: 'much' is no offset"):
        read_model(write(tmp_path, "a.qs", f"# ObjectiveOffset much\n{ENTRIES}"))


def test_comments_may_stand_anywhere(tmp_path):
    plain = read_model(write(tmp_path, "a.sparse", ENTRIES))
    lines = ENTRIES.splitlines()
    text = "\n".join(["#", "# by hand", "", lines[0], "#mid", *lines[1:3], *lines[3:], "# end"])
    assert read_model(write(tmp_path, "b.sparse", text + " ")).bqm == plain.bqm
    text = ENTRIES.replace("1 1 5", "1 1 5 # the first")
    assert read_model(write(tmp_path, "b.sparse", text)).bqm == plain.bqm


def test_c_directly_before_text(tmp_path):
    path = write(tmp_path, "a.qubo", "cMade by hand\nc\np qubo 0 2 1 1\ncdiagonal\n0 0 1\n0 1 1\n")
    assert read_model(path).bqm.num_interactions == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.mc", "# one\n\n2 1\n# four\n1 2 x\n", "line 5: could not convert 'x'"),
        ("a.mc", "2 1\n1 2 1_0\n", "line 2: could not convert '1_0'"),
        ("a.mc", "2 1\n1 \u0662 1\n", "line 2: could not convert '\u0662'"),
        ("a.mc", "# one\n2 1\n1 2 1 1\n", "line 3 has 4 columns, not 3"),
        ("a.mc", "# one\n2 1\n#\n1 3 1\n", "line 4: entry 1 names"),
        ("a.mc", "# one\n2 1\n#\n1 2 inf\n", "line 4 holds a number that is not finite"),
        ("a.mc", "# one\n2 x\n", "line 2: 'x' is no count of entries"),
        ("a.mc", "# one\n1 2 1\n", "line 2 must begin with the numbers.*not '1 2 1'"),
        ("a.mc", "0 1 1\n1 2 1\n", "line 1 must begin with"),
        ("a.mc", "-3 1\n1 2 1\n", "'-3' is no count"),
        ("a.bq", f"{10**40} 1\n1 2 1\n", "a number of 41 digits"),
        ("a.bq", "2 1\n0 1 1\n", "variables are 1 to 2"),
        ("a.qubo", "c\np qubo 0 2 1 1\n0 0 1\n1 2 1\n", "line 4: entry 2 names"),
        ("a.qubo", "MAXIMIZE\n2.0\n0 0 1\n", "must begin with: p qubo"),
        ("a.sparse", "2 2\n1 2 1\n2 1 1\n", "line 3: both .1, 2. and .2, 1. are.*choose.*bq"),
    ],
)
def test_errors_name_the_line(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read_model(write(tmp_path, name, content))


def test_both_halves_of_a_matrix_that_is_given_whole(tmp_path):
    half = read_model(write(tmp_path, "a.sparse", "2 2\n1 1 3\n1 2 -2\n"))
    whole = read_model(write(tmp_path, "a.bq", "2 3\n1 1 3\n1 2 -2\n2 1 -2\n"))
    assert half.bqm == whole.bqm


def test_edges_that_stand_twice_are_added_and_told(tmp_path):
    model = read_model(write(tmp_path, "a.mc", "2 2\n1 2 1\n2 1 3\n"))
    assert model.value(model.bqm.energy({1: 1, 2: -1})) == 4.0
    assert "1 edges stand more than once, and their weights are added" in model.reading
