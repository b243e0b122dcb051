"""Matrices in the MatrixMarket format."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.io import mmwrite
from scipy.sparse import coo_array

from tensorspin.data import DataError, read_model

SYMMETRIC = np.array([[1, -2, 0], [-2, 0, 3], [0, 3, -4]])
GENERAL = np.array([[1.5, -2, 0], [0, 0, 3], [1, 0.25, -4]])


def write(folder, content):
    path = folder / "matrix.mtx"
    path.write_text(content)
    return path


@pytest.mark.parametrize("layout", [np.asarray, coo_array])
@pytest.mark.parametrize(
    ("matrix", "symmetry"),
    [(SYMMETRIC, "symmetric"), (SYMMETRIC, "general"), (GENERAL, "general")],
)
def test_each_entry_of_the_whole_matrix_counts_once(tmp_path, layout, matrix, symmetry):
    path = tmp_path / "matrix.mtx"
    mmwrite(path, layout(matrix), comment="by hand\nand more", symmetry=symmetry)
    model = read_model(path)
    assert model.objective == "min x'Qx" and "--format mtx-cut" in model.reading
    for x in itertools.product([0, 1], repeat=3):
        state = dict(zip(model.bqm.variables, x))
        assert model.bqm.energy(state) == np.array(x) @ matrix @ np.array(x)


@pytest.mark.parametrize("whole", [True, False])
def test_a_pattern_is_a_graph(tmp_path, whole):
    kind, edges = ("general", "1 2\n2 1\n2 3\n3 2\n") if whole else ("symmetric", "2 1\n3 2\n")
    size = edges.count("\n")
    path = write(
        tmp_path, f"%%MatrixMarket matrix coordinate pattern {kind}\n%\n3 3 {size}\n{edges}"
    )
    model = read_model(path)
    assert model.objective == "max cut" and "--format mtx-qubo" in model.reading
    assert model.value(model.bqm.energy({1: 1, 2: -1, 3: 1})) == 2.0
    assert read_model(path, "mtx-qubo").objective == "min x'Qx"


def test_a_symmetric_matrix_may_be_given_by_either_half(tmp_path):
    banner = "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 1 3\n"
    lower = read_model(write(tmp_path, f"{banner}2 1 -2\n"))
    assert read_model(write(tmp_path, f"{banner}1 2 -2\n")).bqm == lower.bqm
    assert lower.bqm.get_quadratic(1, 2) == -4.0


def test_weights_of_a_graph_are_asked_for(tmp_path):
    path = write(tmp_path, "%%MatrixMarket matrix coordinate integer symmetric\n2 2 1\n2 1 -3\n")
    model = read_model(path, "mtx-cut")
    assert model.value(model.bqm.energy({1: 1, 2: -1})) == -3.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n", "'complex' must be"),
        ("%%MatrixMarket matrix coordinate real hermitian\n1 1 1\n1 1 1\n", "'hermitian' must be"),
        ("%%MatrixMarket matrix array real general\n%\n1 2\n1\n1\n", "1 x 2 is no model"),
        ("%%MatrixMarket matrix array real general\n9999 9999\n1\n", "announces 99980001 entries"),
        ("%%MatrixMarket matrix array real symmetric\n2 2\n1\n1\n", "announces 3 entries"),
        ("%%MatrixMarket matrix coordinate real general\n1 1 9999999999\n", "announces 9999999999"),
        ("%%MatrixMarket matrix coordinate real general\n9999999 9999999 0\n", "are the limit"),
        ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 3 1\n", "line 3: entry 1 names"),
        (
            "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 x\n",
            "line 3: could not convert 'x'",
        ),
        ("%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 nan\n", "not finite"),
        ("%%MatrixMarket matrix array pattern general\n1 1\n1\n", "an array has no pattern"),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n2 2 2\n1 2 1\n2 1 1\n",
            "line 4 lists an entry again",
        ),
        ("%%MatrixMarket matrix\n", "line 1 must be"),
        ("%%MatrixMarket matrix array real general\n", "must hold rows, columns"),
        ("%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2\n", None),
        (
            "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n2 2\n",
            "line 3: entry 1 is a loop",
        ),
        ("%%MatrixMarket matrix coordinate pattern general\n3 3 2\n1 2\n3 1\n", "not symmetric"),
    ],
)
def test_headers_are_checked_before_memory_is_allocated(tmp_path, content, message):
    if message is None:
        assert read_model(write(tmp_path, content)).weight == 1.0
        return
    with pytest.raises(DataError, match=message):
        read_model(write(tmp_path, content))
