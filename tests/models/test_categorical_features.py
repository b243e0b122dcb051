"""The parameter `categorical_features`: columns whose numbers are names."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tensorspin import EnsembleClassifier, MPSClassifier, MPSRegressor, NetworkProgram
from tensorspin.models import quantize

from ..support.estimators import ESTIMATORS, quick

GOLDEN = "golden://icebreaker"
RNG = np.random.default_rng(2)
CODES = np.array([7, 3, 12, 5])[RNG.integers(0, 4, 80)]
SIZES = RNG.normal(size=80)
X = np.column_stack([SIZES, CODES])
Y = np.isin(CODES, [3, 12]).astype(int)  # 3, 5, 7, 12: no threshold tells them apart
FRAME = pd.DataFrame({"size": SIZES, "code": CODES})
AS_BROUGHT = {
    "floats": X,
    "float32": X.astype(np.float32),
    "list": X.tolist(),
    "objects": X.astype(object),
    "texts": np.column_stack([SIZES.astype(str), CODES.astype(str)]),
    "frame": FRAME,
    "nullable": FRAME.astype({"code": "Int64"}),
    "category": FRAME.astype({"code": "category"}),
}


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("brought", AS_BROUGHT)
def test_codes_have_levels_however_they_are_brought(brought, tmp_path):
    samples = AS_BROUGHT[brought]
    model = quick(MPSClassifier, categorical_features=[1]).fit(samples, Y)
    numbers, codes = model.categories_
    assert numbers is None and sorted(codes) == [3, 5, 7, 12]
    assert {*codes[:2]} in ({3, 12}, {5, 7}), "codes of one class have neighbouring levels"
    program = model.quantize()
    levels = [85 * codes.tolist().index(code) for code in CODES]
    program.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    for other in AS_BROUGHT.values():
        assert again.levels(other)[:, 1].tolist() == levels
        np.testing.assert_array_equal(model.predict(other), model.predict(samples))
    with model.deploy(GOLDEN) as on_board:
        np.testing.assert_array_equal(on_board.predict(samples), program.predict(samples))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_every_estimator(kind):
    gaps = X.copy()
    gaps[3, 1] = np.nan
    model = quick(kind, missing="level", categorical_features=[1]).fit(gaps, Y)
    levels = model.quantize().levels(gaps)[:, 1]
    assert set(levels.tolist()) == {0, 85, 169, 254, 255} and levels[3] == 255
    later = np.array([[0.0, 99.0]])
    assert model.quantize().levels(later)[0, 1] == 255, "what is unknown is missing"
    assert clone(model).get_params()["categorical_features"] == [1]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_ensembles_and_their_members():
    codes = {"categorical_features": [0]}  # of the ensemble's columns, not of its members
    members = [MPSClassifier(bond_dim=2, epochs=2, **codes), MPSClassifier(bond_dim=4, epochs=2)]
    model = EnsembleClassifier(members, keep="all", categorical_features=["code"], random_state=0)
    program = model.fit(FRAME, Y).quantize()
    np.testing.assert_array_equal(program.levels(FRAME), program.levels(FRAME.to_numpy()))
    assert model.categories_[0] is None and len(model.categories_[1]) == 4
    assert len({tuple(row) for row in program.levels(FRAME.assign(size=0.0)).tolist()}) == 4


def test_names_masks_and_numbers_are_the_same():
    fitted = [
        quick(MPSClassifier, categorical_features=given).fit(FRAME, Y)
        for given in ([1], ["code"], [False, True], np.array([False, True]), pd.Index(["code"]))
    ]
    for model in fitted:
        np.testing.assert_array_equal(model.scores(FRAME), fitted[0].scores(FRAME))
    plain = [quick(MPSClassifier, categorical_features=each).fit(X, Y) for each in (None, [])]
    assert all(model.categories_ == [None, None] for model in plain)


def test_words_beside_codes_are_names():
    mixed = FRAME.astype({"code": str})
    mixed.loc[mixed["code"] == "7", "code"] = "7a"
    with pytest.raises(ValueError, match=r"column 1 \('code'\) mixes words such as '7a'"):
        quick(MPSClassifier).fit(mixed, Y)
    model = quick(MPSClassifier, categorical_features=["code"]).fit(mixed, Y)
    assert sorted(model.categories_[1]) == ["12", "3", "5", "7a"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([2], "must name columns 0 to 1 of X, not 2"),
        ([-1], "must name columns 0 to 1 of X, not -1"),
        ([1.0], "must be a list of numbers or names"),
        ("code", "must be a list of numbers or names"),
        (["cod"], "names 'cod', no column of X, which has ['size', 'code']"),
        ([True], "is a mask of 1 columns, X has 2"),
    ],
)
def test_refused_by_name(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        quick(MPSClassifier, categorical_features=given).fit(FRAME, Y)


def test_refused_without_names():
    with pytest.raises(ValueError, match="names 'code', no column of X, which has no names"):
        quick(MPSClassifier, categorical_features=["code"]).fit(X, Y)


def test_values_that_can_be_no_category():
    many = FRAME.assign(code=np.arange(80) * 4.5)
    many = pd.concat([many, many + 0.1, many + 0.2, many + 0.3])
    with pytest.raises(ValueError, match=r"column 1 \('code'\) has 320 categories"):
        quick(MPSRegressor, categorical_features=["code"]).fit(many, np.tile(Y, 4))
    with pytest.raises(ValueError, match="column 1 has an infinity; a category must be finite"):
        quick(MPSClassifier, categorical_features=[1]).fit(np.where(X == 7, np.inf, X), Y)
    model = quick(MPSClassifier, categorical_features=[1]).fit(X, Y)
    with pytest.raises(ValueError, match="column 1 of sample 0 is 4.0, which is none of its"):
        model.predict([[0.0, 4.0]])
    with pytest.raises(ValueError, match="column 1 of sample 0 is missing"):
        model.predict([[0.0, np.nan]])


def test_a_training_that_goes_on_keeps_them():
    model = quick(MPSClassifier, categorical_features=[1], warm_start=True).fit(X, Y)
    before = model.categories_[1].tolist()
    assert model.fit(X, Y).categories_[1].tolist() == before
    with pytest.raises(ValueError, match="categorical_features"):
        model.set_params(categorical_features=None).fit(X, Y)


def test_other_steps_before_them_are_refused():
    model = quick(MPSClassifier, categorical_features=[1])
    pipeline = make_pipeline(StandardScaler(), model).fit(X, Y)
    with pytest.raises(ValueError, match="columns of categories can't be folded behind"):
        quantize(pipeline)
