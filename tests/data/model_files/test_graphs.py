"""Graphs of the DIMACS challenges."""

from __future__ import annotations

import pytest

from tensorspin.data import DataError, read_model


def write(folder, content):
    path = folder / "graph.col"
    path.write_text(content)
    return path


def test_the_cut_of_a_graph(tmp_path):
    model = read_model(write(tmp_path, "cA graph\nc\np edge 3 2\ne 1 2\ne 2 3\n"))
    assert model.objective == "max cut" and "states no problem" in model.reading
    assert model.value(model.bqm.energy({1: 1, 2: -1, 3: 1})) == 2.0


def test_an_edge_in_both_directions_is_one_edge(tmp_path):
    """Graphs for colouring list each edge twice, and announce either number."""
    edges = "e 1 2\ne 2 1\ne 2 3\ne 3 2\n"
    single = read_model(write(tmp_path, "p edge 3 2\ne 1 2\ne 2 3\n"))
    for announced in (2, 4):
        model = read_model(write(tmp_path, f"p col 3 {announced}\n{edges}"))
        assert model.bqm == single.bqm and model.weight == 2.0
        assert "2 edges stand twice, and count once" in model.reading


def test_weights(tmp_path):
    model = read_model(write(tmp_path, "p edge 2 1\ne 1 2 2.5\n"))
    assert model.value(model.bqm.energy({1: 1, 2: -1})) == 2.5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("c\np edge 2\ne 1 2\n", "line 2 must be: p edge nodes edges, not 'p edge 2'"),
        ("c\np edge 2 1\nn 1 2\n", "line 3 begins with 'n'"),
        ("p edge 2 1\ne 1 3\n", "line 2: entry 1 names"),
        ("p edge 2 1\ne 1 1\n", "line 2: entry 1 is a loop"),
        ("p edge 2 5\ne 1 2\n", "announces 5 edges and has 1"),
        ("p edge 2 2\ne 1 2 1\ne 2 1 3\n", "line 3 lists an edge again, with other weight"),
        ("p edge 9999999999 1\ne 1 2\n", "announces 9999999999 variables; 1000000 are the limit"),
    ],
)
def test_wrong_files(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_model(write(tmp_path, content))
