"""A program checks the names of its columns as scikit-learn does."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import warnings

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from tensorspin import NetworkProgram
from tests.support.programs import small_program

pandas = pytest.importorskip("pandas")

NAMES = ("length", "width", "height", "weight")
X = np.random.default_rng(2).random((6, 4)) * 10
FRAME = pandas.DataFrame(X, columns=NAMES)
METHODS = ["levels", "encode", "predict", "run_golden"]


@pytest.fixture
def program():
    return small_program(feature_names=NAMES)


def refusal(call, X) -> str:
    with pytest.raises(ValueError) as caught:
        call(X)
    return str(caught.value)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("method", METHODS)
def test_the_same_names_pass_without_a_word(program, method):
    small = small_program()
    assert np.array_equal(program.levels(FRAME), small.levels(X))
    assert np.array_equal(program.predict(FRAME), small.predict(X))
    assert np.array_equal(program.run_golden(FRAME).scores, small.run_golden(X).scores)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "frame",
    [
        FRAME[[*NAMES[::-1]]],
        FRAME.drop(columns="width"),
        FRAME.assign(colour=1.0),
        FRAME.rename(columns={"width": "Width"}),
    ],
)
def test_other_names_are_refused_in_the_words_of_scikit_learn(program, method, frame):
    expected = refusal(StandardScaler().fit(FRAME).transform, frame)
    assert "feature names should match" in expected
    assert refusal(getattr(program, method), frame) == expected


@pytest.mark.parametrize("method", [each for each in METHODS if each != "encode"])
def test_an_array_where_names_are_known_warns(program, method):
    told = "X does not have valid feature names, but NetworkProgram was fitted with feature names"
    with pytest.warns(UserWarning, match=told):
        getattr(program, method)(X)
    with pytest.warns(UserWarning, match=told):
        # scikit-learn ignores names that are numbers.
        getattr(program, method)(pandas.DataFrame(X))


@pytest.mark.parametrize("method", METHODS)
def test_names_where_none_are_known_warn(method):
    told = "X has feature names, but NetworkProgram was fitted without feature names"
    with pytest.warns(UserWarning, match=told):
        getattr(small_program(), method)(FRAME)


@pytest.mark.filterwarnings("error")
def test_encode_takes_an_array_without_a_warning(program):
    assert np.array_equal(program.encode(X), small_program().levels(X))
    with pytest.raises(ValueError, match="shape"):
        program.encode(X[:, :3])


def test_copies_and_files_keep_the_names(program, tmp_path):
    program.save(tmp_path / "model.npz")
    for again in (
        NetworkProgram.load(tmp_path / "model.npz"),
        pickle.loads(pickle.dumps(program)),
        copy.deepcopy(program),
        dataclasses.replace(program, clip=True),
    ):
        assert again.feature_names == NAMES
        assert again.feature_names_in_.tolist() == [*NAMES] and again.n_features_in_ == 4
        with pytest.raises(ValueError, match="same order"):
            again.predict(FRAME[[*NAMES[::-1]]])


def test_names_are_no_part_of_what_a_device_holds(program):
    assert program.digest(8) == small_program().digest(8)
    assert not hasattr(small_program(), "feature_names_in_")


def test_pickles_from_before_there_were_names():
    state = small_program().__getstate__()
    del state["feature_names"]
    old = NetworkProgram.__new__(NetworkProgram)
    old.__setstate__(state)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(old.predict(X), small_program().predict(X))
