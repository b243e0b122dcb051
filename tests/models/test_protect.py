"""Programs with protected weights, of every estimator."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tensorspin
from tensorspin import (
    EnsembleClassifier,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    NetworkProgram,
    TTNClassifier,
)
from tensorspin.compiler.protect import protected
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tensorspin.export.model import ClientModel
from tensorspin.models import quantize

BOARD = find_board("protect/ulx3s_25f").require_contractor()
RNG = np.random.default_rng(0)
X = RNG.random((60, 4))
Y = (X[:, 0] + X[:, 1] > 1).astype(int)
ESTIMATORS = {
    "mps": lambda: MPSClassifier(4, epochs=3, random_state=0).fit(X, Y),
    "trained for 4 bits": lambda: MPSClassifier(4, epochs=3, weight_bits=4, random_state=0).fit(
        X, Y
    ),
    "ttn": lambda: TTNClassifier(4, epochs=3, random_state=0).fit(X, Y),
    "regressor": lambda: MPSRegressor(4, epochs=3, random_state=0).fit(X, X[:, 0]),
    "detector": lambda: MPSAnomalyDetector(4, epochs=3, random_state=0).fit(X),
    "ensemble": lambda: EnsembleClassifier(epochs=2, random_state=0).fit(X, Y),
    "for a board": lambda: MPSClassifier(4, epochs=3, board="icebreaker", random_state=0).fit(X, Y),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_protected_weights_are_those_of_4_bits(name, tmp_path):
    model = ESTIMATORS[name]()
    plain, safe = model.quantize(weight_bits=4), model.quantize(weight_bits=4, protect=True)
    assert safe.protected and not plain.protected
    for before, after in zip(plain.nodes, safe.nodes):
        assert after.protected == before.narrow and not after.narrow
    few = [node.narrow for node in plain.nodes]
    assert all(few) or (name == "ensemble" and sum(few) > len(few) / 2)
    assert safe.words(8) == model.quantize(weight_bits=8).words(8)
    golden, expected = safe.run_golden(X), plain.run_golden(X)
    np.testing.assert_array_equal(golden.scores, expected.scores)
    assert safe.cycles(8) == plain.cycles(8) + 1
    assert model.quantize(protect=True).digest(8) == safe.digest(8) != plain.digest(8)
    # ... and the file has them.
    safe.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    assert again.nodes == safe.nodes and again.digest(8) == safe.digest(8)
    safe.check(BOARD)
    with pytest.raises(CapacityError, match="nodes with protected weights: .*protect=True"):
        safe.check(find_board("ulx3s_25f").require_contractor())


def test_a_pipeline_and_its_file(tmp_path):
    model = make_pipeline(StandardScaler(), MPSClassifier(4, epochs=3, random_state=0)).fit(X, Y)
    program = quantize(model, protect=True)
    assert all(node.protected for node in program.nodes)
    tensorspin.save(model, tmp_path / "model.npz", weight_bits=4, protect=True)
    assert NetworkProgram.load(tmp_path / "model.npz").digest(8) == program.digest(8)
    with tensorspin.deploy(program, "golden://protect/ulx3s_25f") as on_board:
        np.testing.assert_array_equal(on_board.predict(X), program.predict(X))


@pytest.mark.parametrize("name", ["mps", "ensemble"])
@pytest.mark.parametrize(
    "given", [{"weight_bits": 8}, {"weight_bits": "auto", "board": "icebreaker"}, {"board": "x"}]
)
def test_weights_that_cannot_be_protected(name, given):
    model = ESTIMATORS[name]()
    with pytest.raises(
        ValueError, match="protect=True needs weights of 4 bits, .* not weight_bits"
    ):
        model.quantize(**given, protect=True)
    with pytest.raises(ValueError, match="protect=True needs weights of 4 bits"):
        quantize(model, **given, protect=True)


def test_programs_that_cannot_be_protected():
    program = ESTIMATORS["mps"]().quantize(weight_bits=8)
    with pytest.raises(ValueError, match="none has 4 bits; quantize with weight_bits=4"):
        protected(program)
    with pytest.raises(ValueError, match="the weights of a program are rounded already"):
        quantize(program, protect=True)


def test_drivers_for_microcontrollers_take_none():
    program = ESTIMATORS["mps"]().quantize(protect=True)
    with pytest.raises(ValueError, match="microcontrollers load no protected programs"):
        ClientModel(program, find_board("protect/ulx3s_25f"))
