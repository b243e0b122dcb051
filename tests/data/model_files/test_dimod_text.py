"""What dimod writes as text."""

from __future__ import annotations

import json

import dimod
import pytest

from tensorspin.data import DataError, read_model

BQM = dimod.BinaryQuadraticModel(
    {"a": 1.0, ("b", 1): -2.5, 3: 0.0}, {("a", ("b", 1)): 0.5, (3, "a"): 2.0}, 1.25, "SPIN"
)


def write(folder, document):
    path = folder / "model.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_dimods_json(tmp_path):
    found = read_model(write(tmp_path, BQM.to_serializable()))
    assert found.bqm == BQM and found.objective == "energy"


def test_the_greatest_energy(tmp_path):
    model = read_model(write(tmp_path, BQM.to_serializable()), maximise=True)
    assert model.objective == "max energy" and "greatest energy" in model.reading
    state = {"a": 1, ("b", 1): -1, 3: 1}
    assert model.value(model.bqm.energy(state)) == BQM.energy(state)


def test_json_that_is_something_else(tmp_path):
    good = BQM.to_serializable()
    for change, message in (
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[1, 2]", "no BinaryQuadraticModel in dimod's JSON"),
        ({"type": "SampleSet"}, "no BinaryQuadraticModel in dimod's JSON"),
        ({"type": "BinaryQuadraticModel"}, "no model of dimod"),
        (good | {"quadratic_head": [0, 2**31 - 2]}, "names a variable that there is not"),
        (good | {"quadratic_head": [0, -1]}, "names a variable that there is not"),
        (good | {"quadratic_head": [0]}, "no model of dimod"),
        (good | {"linear_biases": [1.0]}, "1 linear biases of 3 variables"),
        (good | {"variable_type": "INTEGER"}, "no model of dimod"),
        (good | {"use_bytes": True}, "use_bytes=False"),
    ):
        with pytest.raises(DataError, match=message):
            read_model(write(tmp_path, change))


def test_coordinates_without_the_kind_of_variables(tmp_path):
    path = tmp_path / "model.coo"
    path.write_text("0 0 1.0\n0 1 1.0\n")
    with pytest.raises(DataError, match="must begin with # vartype=SPIN .* vartype_header=True"):
        read_model(path)
