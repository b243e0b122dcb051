"""From mantissas and exponents to predictions, whatever the task."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.compiler.chain import chain_nodes
from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import (
    Classification,
    OutlierDetection,
    Regression,
    exact_scores,
    log_magnitudes,
)
from tensorspin.compiler.program_file import ProgramFileError
from tests.support.programs import edited, small_program


def single_output(task) -> NetworkProgram:
    """The small program with one score."""
    program = small_program()
    last = dataclasses.replace(program.nodes[-1], outputs=1)
    return small_program(
        nodes=(*program.nodes[:-1], last),
        weights=(*program.weights[:-1], program.weights[-1][:1]),
        task=task,
    )


@given(
    mantissa=st.integers(-32768, 32767),
    exponent=st.integers(0, 65535),
    log2_scale=st.floats(-100, 66000),
)
def test_scores_in_their_true_scale(mantissa, exponent, log2_scale):
    score = exact_scores([[mantissa]], [exponent], log2_scale)[0, 0]
    logarithm = log_magnitudes([[mantissa]], [exponent], log2_scale)[0, 0]
    assert np.isfinite(score) and np.isfinite(logarithm)
    assert np.sign(score) == np.sign(mantissa) or log2_scale - exponent < -1000
    if mantissa and abs(log2_scale - exponent) < 900:
        assert score == pytest.approx(mantissa * 2.0 ** (log2_scale - exponent), rel=1e-12)
        assert logarithm == pytest.approx(np.log(abs(score)), rel=1e-9, abs=1e-9)


def test_zero_is_less_than_any_other_amplitude():
    logarithms = log_magnitudes([[0], [1], [-1], [2]], [5] * 4, 3.0)[:, 0]
    assert logarithms[0] == pytest.approx(logarithms[1] - np.log(2))
    assert logarithms[1] == logarithms[2] < logarithms[3]


def test_predictions_of_each_task():
    mantissas, exponents = [[8], [-8], [0]], [3, 2, 0]
    regression = Regression(10.0, 2.0)
    assert regression.predict(mantissas, exponents, 1.0).tolist() == [14, 2, 10]
    detection = OutlierDetection(2 * np.log(3))
    assert detection.predict(mantissas, exponents, 1.0).tolist() == [-1, 1, -1]
    classification = Classification(np.array(["cat", "dog"]), 1.0)
    chosen = classification.predict([[1, 2], [3, 3], [2, 1]], exponents, 1.0)
    assert chosen.tolist() == ["dog", "cat", "cat"]


@pytest.mark.filterwarnings("error")
def test_huge_numbers_stay_finite():
    assert np.isfinite(Regression(1e308, 1e308).predict([[32767]], [0], 5000.0)).all()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Regression(np.nan, 1.0), "offset must be finite, not nan"),
        (Regression(0.0, np.inf), "factor must be finite, not inf"),
        (OutlierDetection(-np.inf), "offset must be finite, not -inf"),
    ],
)
def test_tasks_that_are_not_finite(task, message):
    with pytest.raises(ValueError, match=message):
        single_output(task)


def test_long_chains_keep_their_scale():
    """The largest entry of a feature table is not cut off; what remains is rounding."""
    core = np.array([1.0, 0.0, 0.0]).reshape(1, 3, 1)
    x = np.arange(256) / 255
    program = NetworkProgram.from_nodes(
        chain_nodes([core] * 784, np.ones((1, 1, 1)), 392, range(784)),
        np.stack([np.ones(256), x, x * x], axis=1),
        feature_minimum=np.zeros(784),
        feature_maximum=np.ones(784),
        clip=True,
        task=Regression(0.0, 1.0),
    )
    assert program.predict(np.full((1, 784), 0.3)) == pytest.approx(1, abs=0.015)


def test_only_classifiers_have_classes():
    with pytest.raises(TypeError, match="a program for Regression has no classes"):
        _ = single_output(Regression(0.0, 1.0)).classes


@pytest.mark.parametrize("task", [Regression(-2.5, 0.125), OutlierDetection(-321.5)])
def test_file_round_trip(tmp_path, task):
    program = single_output(task)
    path = tmp_path / "model.npz"
    program.save(path)
    loaded = NetworkProgram.load(path)
    assert loaded.task == task
    X = np.random.default_rng(1).random((20, 4)) * 10
    assert np.array_equal(loaded.predict(X), program.predict(X))


def drop(key):
    return lambda m, a: m["task"].pop(key)


def put(**entries):
    return lambda m, a: m["task"].update(entries)


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        (Regression(0.0, 1.0), put(kind="clustering"), "its task is 'clustering', not one of"),
        (Regression(0.0, 1.0), put(kind=["regression"]), "no sound program file"),
        (Regression(0.0, 1.0), put(offset=float("nan")), "offset must be finite"),
        (Regression(0.0, 1.0), put(factor="much"), "could not convert"),
        (Regression(0.0, 1.0), drop("factor"), "factor is missing"),
        (Regression(0.0, 1.0), put(kind="classification"), "classes is missing"),
        (OutlierDetection(0.0), drop("offset"), "offset is missing"),
        (OutlierDetection(0.0), put(offset=None), "no sound program file"),
        (OutlierDetection(0.0), lambda m, a: m.pop("task"), "task is missing"),
        (OutlierDetection(0.0), lambda m, a: m.update(task=3), "no sound program file"),
        (OutlierDetection(0.0), lambda m, a: m.update(version=1), "classes is missing"),
        (OutlierDetection(0.0), lambda m, a: m.update(version=0), "has version 0"),
        (OutlierDetection(0.0), lambda m, a: m.update(version="2"), "has version 2"),
    ],
)
def test_edited_tasks_are_refused(tmp_path, task, change, message):
    path = tmp_path / "model.npz"
    single_output(task).save(path)
    edited(path, change)
    with pytest.raises(ProgramFileError, match=message):
        NetworkProgram.load(path)


def test_a_task_for_another_number_of_scores_is_refused(tmp_path):
    path = tmp_path / "model.npz"
    small_program().save(path)
    edited(path, lambda m, a: m.update(task={"kind": "outlier detection", "offset": 0.0}))
    with pytest.raises(ProgramFileError, match="needs a network of one score, not of 2"):
        NetworkProgram.load(path)


def test_version_1_is_still_read(tmp_path):
    path = tmp_path / "model.npz"
    program = small_program()
    program.save(path)

    def downgrade(metadata, arrays):
        metadata.update(version=1, temperature=metadata.pop("task")["temperature"])

    edited(path, downgrade)
    loaded = NetworkProgram.load(path)
    assert loaded.task.temperature == 5.0
    assert loaded.classes.tolist() == program.classes.tolist()
    assert loaded.digest(8) == program.digest(8)
