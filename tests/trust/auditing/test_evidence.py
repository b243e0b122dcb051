"""The whole audit, for each task."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.driver.board import Board
from tensorspin.models import MPSAnomalyDetector, MPSClassifier
from tensorspin.trust import AuditReport, Settings, audit
from tensorspin.trust.auditing import evidence

from ...support import audited
from ...support.selection import slow_but

LITTLE = Settings(
    eps_linf=(0.02, 0.1),
    eps_l2=(0.1,),
    steps=4,
    restarts=1,
    queries=15,
    attack_samples=25,
    flips=(1, 100),
    trials=2,
    fault_samples=20,
    faults=12,
    upset_rate=1e-6,
)


@pytest.mark.parametrize("name", slow_but(["classifier", "detector"], audited.ALL))
def test_an_audit_has_all_that_applies_and_is_the_same_twice(name):
    program, X, y = audited.ALL[name]()
    found = audit(program, X, y, settings=LITTLE).document
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found == audit(program, X, y, settings=LITTLE).document
    classes = name in ("classifier", "words")
    assert found["calibration"]["applies"] == classes
    assert found["robustness"]["applies"] and len(found["robustness"]["attacks"]) == 3
    assert found["out_of_distribution"]["applies"] == (name != "regressor")
    assert found["faults"]["applies"] and len(found["faults"]["over_time"]) == 4
    assert found["accuracy"]["device"].keys() == found["accuracy"]["float"].keys()
    assert found["accuracy"]["agreement"]["value"] > 0.9
    assert found["model"]["digest"] == f"{program.digest(8):08x}"
    assert found["data"]["samples"] == len(X)
    assert found["settings"]["seed"] == 0 and "numpy" in found["versions"]
    assert found["board"]["kind"].startswith("golden model")
    assert "compliant" not in AuditReport(found).markdown()
    assert f"## {'Calibration'}" in AuditReport(found).markdown()


def test_accuracy_is_that_of_board_and_of_what_was_trained():
    X, y = load_iris(return_X_y=True)
    model = MPSClassifier(4, epochs=15, random_state=0).fit(X[::2], y[::2])
    nothing = Settings(attack_samples=0, faults=0)
    found = audit(model, X[1::2], y[1::2], settings=nothing).document
    assert found["accuracy"]["float_is"] == "the trained estimator on the host"
    assert found["accuracy"]["float"]["accuracy"]["value"] == model.score(X[1::2], y[1::2])
    program = model.quantize()
    right = np.mean(program.predict(X[1::2]) == y[1::2])
    assert found["accuracy"]["device"]["accuracy"]["value"] == right
    assert not found["robustness"]["applies"] and not found["faults"]["applies"]
    alone = audit(program, X[1::2], y[1::2], settings=nothing).document
    assert "network as it was trained is not in the file" in alone["accuracy"]["float_is"]


def test_a_board_that_is_open_stays_so_and_holds_the_program():
    program, X, y = audited.classifier()
    with Board.open("golden://icebreaker") as board:
        audit(program, X, y, board=board, settings=LITTLE)
        np.testing.assert_array_equal(
            board.run(program.levels(X)).scores, program.run_golden(X).scores
        )
        assert board.program is not None


def test_a_guard_and_samples_of_another_kind():
    program, X, y = audited.classifier()
    from tensorspin.models import MPSAnomalyDetector

    train, _ = load_iris(return_X_y=True)
    guard = MPSAnomalyDetector(4, epochs=20, random_state=0).fit(train[::2]).quantize()
    settings = Settings(eps_linf=(0.1,), eps_l2=(), steps=3, queries=5, attack_samples=20, faults=0)
    odd = X[:, ::-1] * 2
    found = audit(program, X, y, settings=settings, guard=guard, X_unusual=odd).document
    kinds = {each["kind"]: each["scores"] for each in found["out_of_distribution"]["kinds"]}
    assert kinds["samples given"]["guard"]["auroc"] > 0.95
    assert kinds["uniform noise"]["guard"]["auroc"] > 0.8
    assert set(kinds["attack, L-infinity 0.1"]) == {"confidence", "guard", "both"}
    with pytest.raises(ValueError, match="guard must be the program of an anomaly detector"):
        audit(program, X, y, settings=settings, guard=program)


def test_what_does_not_suit_is_refused_before_anything_runs(monkeypatch):
    program, X, y = audited.classifier()
    monkeypatch.setattr(evidence, "Board", None)
    for arguments, message in (
        ((program, X[:1], y[:1]), "at least two samples, not 1"),
        ((program, X, y[:-1]), "y must have a value for each of the 75 samples, not 74"),
        ((program, X, y + 5), "none of the program's classes"),
        ((program, X[:, :2], y), "4"),
    ):
        with pytest.raises(ValueError, match=message):
            audit(*arguments)
    with pytest.raises(ValueError, match="fields are .*, not 'purpose'"):
        audit(program, X, y, fields={"purpose": "?"})


def test_samples_without_labels_are_taken_for_inliers():
    program, X, _ = audited.detector()
    found = audit(program, X[:40], None, settings=Settings(attack_samples=0, faults=0))
    assert "samples have no labels: all are taken for inliers" in found.warnings
    assert found.document["accuracy"]["device"]["outliers found"] is None


@pytest.mark.parametrize("shared", [True, False])
def test_a_guard_is_on_the_board_of_the_model_if_that_holds_two(shared):
    X, y = load_iris(return_X_y=True)
    options = {"local_dim": 2, "epochs": 3, "random_state": 0}
    scale = {"feature_range": (0, 8)} if shared else {}
    program = MPSClassifier(4, feature_range=(0, 8), **options).fit(X[::2], y[::2]).quantize()
    guard = MPSAnomalyDetector(4, **options, **scale).fit(X[::2]).quantize()
    nothing = Settings(attack_samples=0, faults=0)
    resident = "golden://resident/icebreaker"
    report = audit(program, X[1::2], y[1::2], board=resident, guard=guard, settings=nothing)
    found = report.document["guard"]
    assert found["applies"] and found["sent_once"] == shared
    assert found["agreement"]["value"] == 1
    assert f"sent {'once for both' if shared else 'for each'}" in report.markdown()
    if shared:
        report = audit(program, X[1::2], y[1::2], guard=guard, settings=nothing)
        assert "together: the board (icebreaker) holds one program" in report.markdown()
        wide = MPSAnomalyDetector(4, epochs=1, random_state=0).fit(X[::2]).quantize()
        report = audit(program, X[1::2], y[1::2], board=resident, guard=wide, settings=nothing)
        assert "4 needed, the device holds 2" in report.document["guard"]["why"]
    else:
        report = audit(program, X[1::2], y[1::2], board=resident, settings=nothing)
        assert report.document["guard"] == {"applies": False, "why": "no guard was given"}
