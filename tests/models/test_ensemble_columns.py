"""Missing values and columns of words in an ensemble: one table of categories for all networks."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tensorspin
from tensorspin import EnsembleClassifier, MPSClassifier, NetworkProgram, TTNClassifier
from tensorspin.errors import CapacityWarning

from ..support.pipelines import GOLDEN

LARGE = "golden://ulx3s_85f"


def table(n=80, gaps=True):
    rng = np.random.default_rng(0)
    words = rng.choice(["red", "green", "blue", "rare"], n, p=[0.4, 0.3, 0.28, 0.02])
    frame = pd.DataFrame({"size": rng.lognormal(size=n), "colour": words, "b": rng.random(n)})
    y = np.where(words == "green", "yes", "no")
    if gaps:
        frame.loc[::7, "size"] = np.nan
        frame.loc[::9, "colour"] = None
    return frame, y


def ensemble(**options):
    return EnsembleClassifier(bond_dim=3, epochs=2, random_state=0, **options)


@cache
def fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ensemble(missing="level", keep="all").fit(*table())


def test_host_program_and_board_agree(tmp_path):
    frame, _ = table()
    model = fitted()
    program = model.quantize()
    assert program.missing and program.columns_of_words == [1]
    levels = program.levels(frame)
    columns = np.arange(3) if program.columns is None else program.columns.features
    assert set(columns.tolist()) == {0, 1, 2} and len(columns) > 3, "scales differ"
    np.testing.assert_array_equal(levels == 255, frame.isna().to_numpy()[:, columns])
    # Words have the same evenly spaced levels in all networks, those of rare words, too.
    for feature in np.flatnonzero(columns == 1):
        assert set(levels[:, feature].tolist()) <= {0, 85, 169, 254, 255}
    program.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.levels(frame), levels)
    assert np.mean(program.predict(frame) == model.predict(frame)) > 0.9
    with model.deploy(LARGE) as on_board:
        np.testing.assert_array_equal(on_board.predict(frame), program.predict(frame))


def test_on_a_small_board():
    frame, _ = table()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some networks may be left out
        with fitted().deploy(GOLDEN) as on_board:
            np.testing.assert_array_equal(on_board.predict(frame), on_board.program.predict(frame))
    assert on_board.program.missing and on_board.program.columns_of_words == [1]


@pytest.mark.parametrize("members", [[MPSClassifier(2, epochs=1)], None])
def test_functions_of_the_package_do_what_the_methods_do(tmp_path, members):
    frame, y = table()
    model = fitted()
    if members is not None:  # all networks have one scale, so that no column is copied
        model = ensemble(members=members, missing="level").fit(frame, y)
    tensorspin.save(model, tmp_path / "model.npz")
    saved = NetworkProgram.load(tmp_path / "model.npz")
    assert saved.feature_names == ("size", "colour", "b") and saved.columns_of_words == [1]
    with tensorspin.deploy(model, LARGE) as on_board, model.deploy(LARGE) as the_same:
        np.testing.assert_array_equal(on_board.predict(frame), the_same.predict(frame))
        np.testing.assert_array_equal(on_board.predict(frame), saved.predict(frame))


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_board_that_is_too_small_gets_what_it_holds(wrapped):
    X = np.random.default_rng(0).random((40, 6))
    members = [MPSClassifier(31, epochs=1, feature_map="bernstein", n_repeats=4)] * 3
    model = EnsembleClassifier(members, keep="all", random_state=0)
    model = (make_pipeline(StandardScaler(), model) if wrapped else model).fit(X, X[:, 0] > 0.5)
    with pytest.warns(CapacityWarning, match="left out so that the program fits the board"):
        on_board = tensorspin.deploy(model, GOLDEN)
    with on_board:
        np.testing.assert_array_equal(on_board.predict(X), on_board.program.predict(X))


def test_words_are_ordered_once_for_all_samples():
    model = fitted()
    assert sorted(model.categories_[1]) == ["blue", "green", "rare", "red"]
    assert model.categories_[1][-1] == "green"
    assert all(member.missing == "level" for member in model.members_)


def test_members_of_a_user():
    frame, y = table()
    members = [MPSClassifier(2, epochs=1, scaling="quantile"), TTNClassifier(2, epochs=1)]
    model = ensemble(members=members, missing="level", keep="all").fit(frame, y)
    program = model.quantize()
    np.testing.assert_array_equal(program.levels(frame)[:, :3] == 255, frame.isna().to_numpy())
    assert model.predict_proba(frame).shape == (80, 2)


def test_what_is_refused():
    frame, y = table()
    with pytest.raises(ValueError, match=r"column 1 \('colour'\) of sample 0 is missing"):
        ensemble().fit(frame, y)
    with pytest.raises(ValueError, match=r"NaN: feature 0 \('size'\) of sample 0"):
        ensemble().fit(frame[["size", "b"]], y)
    whole, y = table(gaps=False)
    model = ensemble(members=[MPSClassifier(2, epochs=1)]).fit(whole, y)
    with pytest.raises(ValueError, match=r"column 1 \('colour'\) of sample 0 is 'pink'"):
        model.predict(whole.assign(colour="pink"))
    with pytest.raises(ValueError, match='missing must be "refuse" or "level", not None'):
        ensemble(missing=None).fit(whole, y)
    model.check_capacity(whole, y, board="icebreaker")
