"""Program files that older versions of the package wrote are read, and predict what they did."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tensorspin import NetworkProgram
from tensorspin.compiler import ProgramFileError
from tensorspin.compiler.program_file import VERSION

FILES = Path(__file__).parent / "files"
EXPECTED = json.loads((FILES / "expected.json").read_text())
"""What was predicted with each file when it was written. Cycles are left out: the engine has become
faster since."""


def samples_of(name):
    """The samples that a file predicts: its own, such as words, or else those of all files."""
    own = EXPECTED["files"][name].get("samples")
    return np.array(EXPECTED["samples"]) if own is None else np.array(own, dtype=object)


def test_there_are_files_of_every_version():
    names = sorted(path.name for path in FILES.glob("*.npz"))
    assert names == sorted(EXPECTED["files"])
    assert {name.split("_")[1] for name in names} == {str(k) for k in range(1, VERSION + 1)}


UNNAMED = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


@UNNAMED
@pytest.mark.parametrize("name", EXPECTED["files"])
def test_an_old_file_predicts_what_it_did(name):
    expected = EXPECTED["files"][name]
    program = NetworkProgram.load(FILES / name)
    assert program.digest(8) == expected["digest"]
    assert program.clip == expected["clip"]
    X = samples_of(name)
    results = program.run_golden(X)
    assert results.scores.tolist() == expected["scores"]
    assert results.exponents.tolist() == expected["exponents"]
    predictions = program.predict(X)
    if predictions.dtype.kind == "f":
        np.testing.assert_allclose(predictions, expected["predictions"], rtol=1e-12)
    else:
        assert predictions.tolist() == expected["predictions"]
    assert len(set(predictions.tolist())) > 1, "predictions that are all the same tell little"


@UNNAMED
@pytest.mark.parametrize("name", EXPECTED["files"])
def test_an_old_file_is_written_anew_as_the_latest_version_that_it_needs(name, tmp_path):
    program = NetworkProgram.load(FILES / name)
    program.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as archive:
        metadata = json.loads(str(archive["metadata"]))
    assert metadata["version"] == (VERSION if program.protected else VERSION - 1)
    assert all(("protected" in node) == node.get("protected", False) for node in metadata["nodes"])
    again = NetworkProgram.load(tmp_path / "model.npz")
    assert again.digest(8) == program.digest(8)
    assert again.feature_names == program.feature_names
    X = samples_of(name)
    assert again.predict(X).tolist() == program.predict(X).tolist()
    np.testing.assert_array_equal(again.levels(X), program.levels(X))


def test_names_of_features_in_files():
    named, unnamed, old = (
        NetworkProgram.load(FILES / f"version_{kind}.npz")
        for kind in ("4_classification_str", "4_classification_int", "3_classification_str")
    )
    assert named.feature_names == ("Länge", "width (cm)", 'a,"b"', "")
    assert unnamed.feature_names is None and old.feature_names is None


def test_a_file_of_a_later_version_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "model.npz"
    with np.load(FILES / f"version_{VERSION}_classification_protected.npz") as archive:
        arrays = dict(archive)
    metadata = json.loads(str(arrays["metadata"]))
    arrays["metadata"] = np.array(json.dumps({**metadata, "version": VERSION + 1}))
    np.savez(path, **arrays)
    told = f"version {VERSION + 1}, this package reads versions 1 to {VERSION}.*newer package"
    with pytest.raises(ProgramFileError, match=told):
        NetworkProgram.load(path)
