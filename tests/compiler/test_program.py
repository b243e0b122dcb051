"""Programs refuse what is wrong, with the number and the limit, and survive files."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification, OutlierDetection, Regression
from tensorspin.compiler.program_file import ProgramFileError
from tensorspin.compiler.quantise import quantise_table, quantise_weights
from tensorspin.contract.contractor.program import WEIGHT_SUM_LIMIT, Operand, OperandKind
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError
from tests.support.programs import edited, small_program

SIZE = find_board("icebreaker").contractor


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 4), st.integers(1, 40), st.integers(1, 40)),
    st.floats(-20, 20),
)
def test_quantised_weights_are_near_and_safe(seed, shape, log2_scale):
    weights = np.random.default_rng(seed).normal(size=shape) * 2**log2_scale
    integers, step = quantise_weights(weights)
    assert np.abs(integers * step - weights).max() <= step / 2 * (1 + 1e-9)
    assert np.abs(integers.astype(int)).sum(axis=(1, 2)).max() <= WEIGHT_SUM_LIMIT


def test_many_equal_weights_give_way_to_the_accumulator():
    integers, step = quantise_weights(np.ones((1, 64, 64)))
    assert integers.max() == WEIGHT_SUM_LIMIT // 64**2
    assert integers.max() * step == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("limit", [np.arange(4), np.arange(4, dtype=">f4"), np.arange(4.0)])
def test_limits_are_kept_as_float64(limit):
    program = small_program(feature_minimum=limit)
    assert program.feature_minimum.dtype == np.float64
    assert program.feature_minimum.tolist() == [0, 1, 2, 3]


def test_zero_and_infinite_weights():
    integers, step = quantise_weights(np.zeros((1, 2, 2)))
    assert not integers.any() and step == 1
    with pytest.raises(ValueError, match="finite"):
        quantise_weights(np.array([[[np.nan]]]))


def test_quantised_table():
    table = quantise_table(np.array([[1.0, 0.0], [0.5, -1.0]]))
    assert table.tolist() == [[32767, 16384], [0, -32768]]


def nodes_with(index, **changes):
    nodes = list(small_program().nodes)
    nodes[index] = dataclasses.replace(nodes[index], **changes)
    return {"nodes": tuple(nodes)}


def weights_with(index, tensor):
    weights = list(small_program().weights)
    weights[index] = tensor
    return {"weights": tuple(weights)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            nodes_with(2, left=Operand(OperandKind.VECTOR, 5, 3)),
            "'label', left operand: slot 5 is read before it is written",
        ),
        (
            nodes_with(2, right=Operand(OperandKind.VECTOR, 1, 4)),
            "'label', right operand: 4 entries are read, slot 1 holds 3",
        ),
        (nodes_with(2, wait=False), "is the result of the node before, which needs `wait`"),
        (
            nodes_with(0, left=Operand(OperandKind.FEATURE, 4, 2)),
            "'sites 0 and 1', left operand: feature 4 is outside 0..3",
        ),
        (
            nodes_with(0, left=Operand(OperandKind.FEATURE, 0, 3)),
            "3 components are read, the feature table has 2",
        ),
        (nodes_with(0, outputs=65), "outputs: 65 needed, the device holds 64"),
        (nodes_with(0, last=True), "only the last node, and it must, ends the program"),
        (nodes_with(2, last=False), "only the last node, and it must, ends the program"),
        (weights_with(0, np.zeros((3, 2, 3), np.int8)), r"shape \(3, 2, 2\) are needed"),
        (weights_with(0, np.zeros((3, 2, 2))), "not of float64"),
        ({"nodes": ()}, "not 0 nodes"),
        ({"table": np.zeros((2, 255), np.int16)}, r"shape \(2, 255\)"),
        ({"feature_minimum": np.full(4, np.nan)}, "must be finite and in order"),
        ({"feature_minimum": np.full(4, 11.0)}, "must be finite and in order"),
        ({"feature_minimum": np.zeros(3)}, "one number per feature"),
        ({"task": Classification(np.array(["cat"]), 5.0)}, "2 scores need as many classes"),
        ({"task": Classification(np.arange(2), np.nan)}, "temperature must be finite, not nan"),
        ({"task": Regression(0.0, 1.0)}, "a regression needs a network of one score, not of 2"),
        ({"task": OutlierDetection(0.0)}, "outlier detection needs a network of one score"),
        ({"feature_names": ("a", "b", "c")}, "feature_names has 3 names, the samples 4 columns"),
        ({"feature_names": ("a", "b", "c", 4)}, "must be a tuple of texts, not .* 4"),
        ({"feature_names": "abcd"}, "must be a tuple of texts, not 'abcd'"),
        ({"log2_scale": np.inf}, "log2_scale must be finite, not inf"),
        ({"log2_scale": 1j}, "log2_scale must be a real number, not 1j"),
        ({"clip": "no"}, "clip must be True or False, not 'no'"),
        ({"feature_minimum": np.zeros(4, "M8[D]")}, r"feature_minimum must hold real .*datetime64"),
        ({"feature_maximum": np.full(4, 9 + 1j)}, "feature_maximum must hold real .*complex128"),
        ({"feature_minimum": np.full(4, "0")}, "feature_minimum must hold real numbers, not <U1"),
        ({"feature_maximum": np.full(4, True)}, "feature_maximum must hold real numbers, not bool"),
        ({"task": Classification(np.arange(2), -1.0)}, "temperature must be above 0, not -1.0"),
        ({"task": Classification(np.arange(2), 0.0)}, "temperature must be above 0, not 0.0"),
        ({"task": Classification(np.arange(2), 1j)}, "temperature must be a real number, not 1j"),
        ({"task": Classification(np.arange(2), True)}, "temperature must be a real number"),
    ],
)
def test_unsound_programs_are_refused(changes, message):
    with pytest.raises((ValueError, CapacityError), match=message):
        small_program(**changes)


def test_overflowing_weights_are_refused():
    operand = Operand(OperandKind.FEATURE, 0, 32)
    nodes = nodes_with(0, left=operand, right=operand)
    weights = weights_with(0, np.full((3, 32, 32), 127, np.int8))
    table = {"table": np.zeros((32, 256), np.int16)}
    with pytest.raises(ValueError, match=f"sum to {127 * 32 * 32}, more than {WEIGHT_SUM_LIMIT}"):
        small_program(**nodes, **weights, **table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": 2}, "features of a sample: 4 needed, the device holds 2"),
        ({"components": 1}, "components of the feature map: 2 needed, the device holds 1"),
        (
            {"slot_entries": 2},
            "bond dimension: 3 needed, the device holds 2.*'sites 3 and 2' has 3 outputs",
        ),
        ({"slots": 1}, "vector slots: 2 needed, the device holds 1.*'sites 3 and 2' writes slot 1"),
        ({"program_words": 16}, "8 bytes each.*: 20 needed, the device holds 15"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    program = small_program()
    program.check(SIZE)
    with pytest.raises(CapacityError, match=message):
        program.check(dataclasses.replace(SIZE, **changes))


def test_levels():
    program = small_program()
    assert program.levels([[0, 10, 5, 2.5]]).tolist() == [[0, 255, 128, 64]]
    clipping = small_program(clip=True)
    assert clipping.levels([[-1e300, 1e300, 11, -1]]).tolist() == [[0, 255, 255, 0]]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1, 2, 3]], r"shape \(1, 3\); this program needs \(n, 4\)"),
        ([1, 2, 3, 4], r"shape \(4,\)"),
        ([[1, 2, 3, 4j]], "X must hold real numbers, not complex128"),
        (np.full((1, 4), "2026-01-01", "M8[D]"), "X must hold real numbers, not datetime64"),
        ([[1, 2, np.nan, 4]], "feature 2 of sample 0 is nan"),
        ([[1, 2, 3, 4], [1, np.inf, 3, 4]], "feature 1 of sample 1 is inf"),
        ([[1, 2, 3, 10.5]], "feature 3 of sample 0 is 10.5.* 0 to 10"),
    ],
)
def test_bad_samples_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        small_program().levels(X)


def test_digest_tells_programs_apart():
    program = small_program()
    assert program.digest(8) == small_program().digest(8)
    weights = [tensor.copy() for tensor in program.weights]
    weights[1][0, 0, 0] += 1
    assert small_program(weights=tuple(weights)).digest(8) != program.digest(8)
    assert small_program(table=program.table + np.int16(1)).digest(8) != program.digest(8)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (np.array(["cat", "cat"]), "class 'cat' is there twice"),
        (np.array([1.0, 1.0]), "class '1.0' is there twice"),
        (np.array([1, True], dtype=object), "class 'True' is there twice"),
        (np.array([1.0, np.nan]), "class nan stands for a missing value"),
        (np.array([np.nan, "dog"], dtype=object), "class nan stands for a missing value"),
        (np.array([None, "dog"], dtype=object), "class None stands for a missing value"),
        (np.array(["2026-01-01", "NaT"], "M8[ns]"), "class NaT stands for a missing value"),
        (np.zeros(2, [("name", "U3"), ("id", "i4")]), "must be numbers, text or dates, not "),
        (np.array([1, 2j]), "must be numbers, text or dates, not complex128"),
        (np.array([{"a": 1}, "dog"], dtype=object), "must be numbers, text or dates, not {'a': 1}"),
        (["cat", "dog", "cow"], "2 scores need as many classes, not "),
    ],
)
def test_classes_that_are_none(classes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        small_program(task=Classification(classes, 5.0))


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["cat", "dog"]),
        np.array(["2026-01-01", "2026-01-02"], "M8[D]"),
        np.array([3, 7]),
        np.array([0.5, 1.5]),
        np.array([False, True]),
        np.array(["cat", "dog"], dtype=object),
    ],
)
def test_file_round_trip(tmp_path, classes):
    program = small_program(task=Classification(classes, 5.0))
    program.save(tmp_path / "model.npz")
    loaded = NetworkProgram.load(tmp_path / "model.npz")
    assert loaded.digest(8) == program.digest(8)
    assert loaded.classes.tolist() == classes.tolist()
    assert loaded.task.temperature == 5.0
    for name in ("nodes", "names", "clip", "log2_scale"):
        assert getattr(loaded, name) == getattr(program, name)
    X = np.random.default_rng(1).random((20, 4)) * 10
    assert np.array_equal(loaded.predict(X), program.predict(X))
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_mixed_classes_can_not_be_saved(tmp_path):
    program = small_program(task=Classification(np.array(["cat", 1], dtype=object), 5.0))
    with pytest.raises(ValueError, match="mixed types"):
        program.save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


def test_any_damage_of_a_file_is_found(tmp_path):
    path = tmp_path / "model.npz"
    program = small_program()
    program.save(path)
    content = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            # Some bytes of an archive mean nothing, such as dates.
            assert NetworkProgram.load(path).digest(8) == program.digest(8)
        except ProgramFileError as error:
            assert str(path) in str(error)
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(ProgramFileError):
            NetworkProgram.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m, a: m.update(version=9), "version 9, this package reads versions 1 to 7"),
        (lambda m, a: m.update(format="other"), "its format is 'other'"),
        (lambda m, a: m["nodes"].pop(), "weights, it has"),
        (lambda m, a: m["nodes"][2].update(wait=False), "needs `wait`"),
        (lambda m, a: m["nodes"][0]["left"].update(index=99), "feature 99 is outside"),
        (lambda m, a: m["nodes"][0]["left"].update(kind=7), "7 is not a valid OperandKind"),
        (lambda m, a: m["nodes"][0]["left"].update(index=0.9), "0.9 should be an integer"),
        (lambda m, a: m["nodes"][0].update(outputs="3"), "'3' should be an integer"),
        (lambda m, a: m["nodes"][0].update(wait="false"), "'false' should be true or false"),
        (lambda m, a: m.update(clip="false"), "clip must be True or False, not 'false'"),
        (lambda m, a: m.update(names=[1, 2, 3]), "1 should be text"),
        (lambda m, a: m.update(feature_names="abcd"), "feature_names is 'abcd', not a list"),
        (lambda m, a: m.update(feature_names=[0, 1, 2, 3]), "0 should be text"),
        (lambda m, a: m.update(feature_names=["a"]), "has 1 names, the samples 4 columns"),
        (lambda m, a: m["task"].update(temperature=-5.0), "temperature must be above 0, not -5.0"),
        (lambda m, a: a.update(feature_minimum=np.zeros(4, "M8[s]")), "real numbers, not datetime"),
        (lambda m, a: a.update(feature_maximum=np.full(4, 10j)), "real numbers, not complex128"),
        (lambda m, a: a.update(classes=np.array(["a", "a"])), "class 'a' is there twice"),
        (lambda m, a: a.update(classes=np.array([np.nan, 1])), "class nan stands for a missing"),
        (lambda m, a: a.update(classes=np.zeros(2, "i4,i4")), "numbers, text or dates, not "),
        (lambda m, a: a.pop("table"), "table is missing"),
        (lambda m, a: a.update(weights=a["weights"][1:]), "weights, it has 41"),
    ],
)
def test_edited_files_are_refused(tmp_path, change, message):
    path = tmp_path / "model.npz"
    small_program().save(path)
    edited(path, change)
    with pytest.raises(ProgramFileError, match=message):
        NetworkProgram.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ProgramFileError, match=re.escape(str(path))):
        NetworkProgram.load(path)


def test_pickles_are_never_read(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, metadata=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ProgramFileError, match="Python objects"):
        NetworkProgram.load(path)


def test_a_missing_file_is_no_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        NetworkProgram.load(tmp_path / "model.npz")
