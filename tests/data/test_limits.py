"""Limits of models in files, which are checked before memory is taken."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import dimod
import pytest

from tensorspin.data.errors import DataError
from tensorspin.data.limits import MOST_ISOLATED, MOST_VARIABLES, check_variables
from tensorspin.data.model_files import read_model

BOMBS = {
    "g": "999999 1\n1 2 1\n",
    "a.sparse": "999999 1\n1 2 1\n",
    "a.qubo": "p qubo 0 999999 0 1\n0 1 1\n",
    "h": f"{10**23} 1\n1 2 1\n",
    "i": "999999 999999\n1 2 1\n",
    "b.qubo": f"p qubo 0 4 {10**12} {10**12}\n0 1 1\n",
}
"""Small files that announce large models."""


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_announces_more_than_it_holds_takes_no_memory(tmp_path, name, packed):
    content = BOMBS[name].encode()
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"announces \d+ (variables|entries)"):
        read_model(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_the_error_names_the_number_and_the_limit():
    with pytest.raises(DataError, match=f"m announces 1000001 variables; {MOST_VARIABLES} are"):
        check_variables("m", MOST_VARIABLES + 1, 10**9)
    with pytest.raises(DataError, match=f"m announces 999999 variables.*{MOST_ISOLATED} more are"):
        check_variables("m", 999_999, 1)


def test_up_to_the_limits_a_model_is_taken():
    check_variables("m", MOST_ISOLATED, 0)
    check_variables("m", MOST_ISOLATED + 2, 1)
    check_variables("m", MOST_VARIABLES, MOST_VARIABLES)
    with pytest.raises(DataError):
        check_variables("m", MOST_ISOLATED + 3, 1)


def test_variables_that_no_entry_names_are_kept(tmp_path):
    path = tmp_path / "g"
    path.write_text("5 1\n1 2 1\n")
    assert read_model(path).bqm.num_variables == 5


@pytest.mark.parametrize("name", ["num_variables", "num_interactions"])
def test_counts_of_dimods_json_that_its_lists_contradict(tmp_path, name):
    document = dimod.BinaryQuadraticModel.from_ising({}, {"ab": 1.0}).to_serializable()
    path = tmp_path / "m.json"
    path.write_text(json.dumps(document))
    assert read_model(path).bqm.num_variables == 2
    path.write_text(json.dumps(document | {name: 2 * 10**9}))
    with pytest.raises(DataError, match=f"{name} is 2000000000, but the file has"):
        read_model(path)
