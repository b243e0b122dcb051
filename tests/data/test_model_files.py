"""Files of models, and of the best values known."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma

import dimod
import numpy as np
import pytest
from dimod.serialization import coo

from tensorspin.data.errors import DataError
from tensorspin.data.model_files import find_known_value, read_model

RUDY = "4 4\n1 2 3\n2 3 -1\n1 4 0\n4 3 2\n"
SPARSE = "3 4\n1 1 5\n1 2 -3\n2 3 4\n3 3 -2\n"
QUBO = "c a comment\np qubo 0 3 2 2\n0 0 5\n2 2 -2\n0 1 -3\n1 2 4\n"


def write(folder, name, content):
    path = folder / name
    path.write_text(content)
    return path


def states(count, values):
    return np.array(np.meshgrid(*[values] * count)).reshape(count, -1).T


def test_rudy_is_max_cut(tmp_path):
    model = read_model(write(tmp_path, "g", RUDY))
    assert model.maximised and model.bqm.num_variables == 4
    weights = {(1, 2): 3, (2, 3): -1, (1, 4): 0, (3, 4): 2}
    for state in states(4, [-1, 1]):
        cut = sum(w for (i, j), w in weights.items() if state[i - 1] != state[j - 1])
        assert model.value(model.bqm.energy((state, range(1, 5)))) == cut


@pytest.mark.parametrize(
    "name, content, factor, first", [("a.sparse", SPARSE, 2, 1), ("a.qubo", QUBO, 1, 0)]
)
def test_quadratic_forms_are_minimised(tmp_path, name, content, factor, first):
    model = read_model(write(tmp_path, name, content))
    assert not model.maximised
    for x in states(3, [0, 1]):
        value = 5 * x[0] - 2 * x[2] + factor * (-3 * x[0] * x[1] + 4 * x[1] * x[2])
        assert model.value(model.bqm.energy((x, range(first, first + 3)))) == value


def test_compressed(tmp_path):
    plain = read_model(write(tmp_path, "a.sparse", SPARSE))
    for suffix, pack in ((".gz", gzip.compress), (".xz", lzma.compress)):
        path = tmp_path / f"a.sparse{suffix}"
        path.write_bytes(pack(SPARSE.encode()))
        assert read_model(path).bqm == plain.bqm
    (tmp_path / "b.xz").write_bytes(lzma.compress(SPARSE.encode())[:-10])
    with pytest.raises(DataError, match="cannot read"):
        read_model(tmp_path / "b.xz")


@pytest.mark.parametrize("suffix, pack", [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_flipped_bits_of_an_archive(tmp_path, suffix, pack):
    packed = pack(SPARSE.encode() * 10)
    path = tmp_path / f"a.sparse{suffix}"
    for place in range(len(packed)):
        path.write_bytes(packed[:place] + bytes([packed[place] ^ 4]) + packed[place + 1 :])
        with contextlib.suppress(DataError):  # what only the name of the archive was, is read
            read_model(path)


def test_dimods_own(tmp_path):
    bqm = dimod.BinaryQuadraticModel({0: 1.0, 2: -2.5}, {(0, 2): 0.5}, 0.0, "BINARY")
    path = tmp_path / "model"
    path.write_bytes(bqm.to_file().read())
    assert read_model(path).bqm == bqm
    text = write(tmp_path, "model.txt", coo.dumps(bqm, vartype_header=True))
    assert read_model(text).bqm == bqm
    assert read_model(text).objective == "energy"


def test_numbers_that_dimods_own_reader_passes_over(tmp_path):
    content = "# vartype=spin\n0 0 -1e-2\n0 1 1e0\n1 0 2\n"
    expected = dimod.BinaryQuadraticModel({0: -0.01}, {(0, 1): 3.0}, 0.0, "SPIN")
    assert read_model(write(tmp_path, "model.txt", content)).bqm == expected


def test_other_models_of_dimod_are_refused(tmp_path):
    path = tmp_path / "model"
    path.write_bytes(b"DIMODBQM and nothing of the kind")
    with pytest.raises(DataError, match="no model of dimod"):
        read_model(path)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("g", "", "begin with the numbers"),
        ("g", "two 1\n", "line 1: 'two' is no count of variables"),
        ("g", "2 1\n1 2\n", "line 2 has 2 columns, not 3"),
        ("g", "2 1\n1 2 x\n", "could not convert"),
        ("g", "2 1\n1 2 nan\n", "not finite"),
        ("g", "2 2\n1 2 1\n", "announces 2 entries and has 1"),
        ("g", "2 1\n1 3 1\n", r"entry 1 names \[1.0, 3.0\]; variables are 1 to 2"),
        ("g", "2 1\n1 1.5 1\n", "variables are 1 to 2"),
        ("g", "2 1\n2 2 1\n", "entry 1 is a loop"),
        ("a.qubo", "2 1\n0 1 1\n", "must begin with: p qubo"),
        ("A.QUBO", "2 1\n0 1 1\n", "must begin with: p qubo"),
        ("a.txt", "# vartype=SPIN\n0 1\n", "2 columns, not 3"),
        ("a.txt", "# vartype=SPIN\n0.5 1 1\n", r"entry 1 names \[0.5, 1.0\]; variables are int"),
        ("a.txt", "# vartype=SPIN\n-1 1 1\n", r"entry 1 names \[-1.0, 1.0\]; variables are int"),
        ("a.txt", "# vartype=SPIN\n0 0 1\n1e50 1 1\n", "line 3: entry 2 names"),
        ("a.txt", "# vartype=FOO\n0 1 1\n", "must begin with # vartype=SPIN or"),
        ("g", "² 1\n1 2 1\n", "line 1: '²' is no count of variables"),
    ],
)
def test_wrong_files(tmp_path, name, content, message):
    with pytest.raises(DataError, match=message):
        read_model(write(tmp_path, name, content))


def test_wrong_arguments(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_model(tmp_path / "missing")
    with pytest.raises(DataError, match="format must be one of rudy"):
        read_model(tmp_path / "missing", "excel")
    with pytest.raises(DataError, match="vartype"):
        read_model(write(tmp_path, "a", "0 1 1\n"), "coo")


def test_known_values(tmp_path):
    folder = tmp_path / "gset"
    folder.mkdir()
    path = write(folder, "G0", RUDY)
    assert find_known_value(path) is None
    table = "file,n,m,objective,value,status\ngset/G0,4,4,max cut,5,proven optimum\n"
    write(tmp_path, "best_known.csv", table)
    found = find_known_value(path)
    assert (found.objective, found.value, found.status) == ("max cut", 5.0, "proven optimum")
    assert find_known_value("G0", tmp_path) == found
    assert find_known_value("G9", tmp_path) is None
    with pytest.raises(DataError, match="there is no best_known.csv"):
        find_known_value(path, folder)
    write(tmp_path, "best_known.csv", "name,value\nG0,5\n")
    with pytest.raises(DataError, match="must have the columns"):
        find_known_value(path)


def test_the_table_as_spreadsheets_save_it(tmp_path):
    line = "file,objective,value,status\nG\u00e4,max cut,5,proven optimum\n"
    table = tmp_path / "best_known.csv"
    table.write_text(line, encoding="utf-8-sig")
    found = find_known_value(tmp_path / "G\u00e4")
    assert found is not None and found.value == 5
    table.write_text(line, encoding="latin-1")
    with pytest.raises(DataError, match="best_known.csv is not UTF-8: .*; save it as UTF-8"):
        find_known_value(tmp_path / "G\u00e4")
