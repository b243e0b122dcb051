"""Encoders of words and transformers of some columns are folded into programs."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    StandardScaler,
)

import tensorspin
from tensorspin import EnsembleClassifier, MPSClassifier, NetworkProgram
from tensorspin.models import quantize

from ..support.pipelines import GOLDEN, mps

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": RNG.normal(size=60),
        "colour": RNG.choice(["red", "green", "blue"], 60),
        "zip": RNG.choice([7000, 12, 99], 60),
        "weight": RNG.lognormal(size=60),
        "kind": RNG.choice(["a", "b"], 60),
    }
)
Y = (FRAME["colour"] == "red").to_numpy().astype(int)
GAPS = FRAME.copy()
GAPS.loc[::7, "size"] = np.nan
GAPS.loc[::9, "colour"] = np.nan

UNKNOWN = {"handle_unknown": "use_encoded_value", "unknown_value": np.nan}

PIPELINES = {
    "both": lambda: make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(), ["colour", "zip", "kind"]), (StandardScaler(), ["weight", "size"])
        ),
        mps(),
    ),
    "remainder": lambda: make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(), ["kind", "colour"]), remainder=MinMaxScaler(), sparse_threshold=0
        ),
        StandardScaler(),
        SelectKBest(k=3),
        mps(scaling="quantile"),
    ),
    "dropped": lambda: make_pipeline(
        ColumnTransformer([("w", OrdinalEncoder(), [1]), ("n", "passthrough", [3])]), mps()
    ),
    "of pipelines": lambda: make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder()), ["colour"]),
            (make_pipeline(SimpleImputer(), StandardScaler(), MinMaxScaler()), ["size", "weight"]),
            (QuantileTransformer(n_quantiles=10), ["zip"]),
        ),
        mps(),
    ),
    "levels of what is missing": lambda: make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(**UNKNOWN), ["colour", "kind"]), (StandardScaler(), ["size"])
        ),
        mps(missing="level"),
    ),
    "rare words": lambda: make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(min_frequency=20, **UNKNOWN), ["colour", "kind"]),
            remainder="passthrough",
        ),
        SimpleImputer(),
        mps(),
    ),
    "read twice": lambda: make_pipeline(
        make_column_transformer(
            (StandardScaler(), ["size"]),
            (make_pipeline(SimpleImputer(strategy="median"), MinMaxScaler()), ["weight", "size"]),
            (OrdinalEncoder(), ["kind"]),
        ),
        mps(missing="level"),
    ),
    "numbers alone": lambda: make_pipeline(
        make_column_transformer((StandardScaler(), ["weight"]), ("passthrough", ["size"])), mps()
    ),
}


@cache
def fitted(name):
    samples = GAPS if "missing" in name or "pipelines" in name else FRAME
    pipeline = PIPELINES[name]().fit(samples, Y)
    return pipeline, quantize(pipeline), pipeline[-1].quantize()


def agree(name, samples):
    pipeline, program, alone = fitted(name)
    try:
        expected = alone.levels(np.asarray(pipeline[:-1].transform(samples), dtype=float))
    except ValueError:
        with pytest.raises(ValueError):
            program.levels(samples)
        return
    np.testing.assert_array_equal(program.levels(samples), expected)


@pytest.mark.parametrize("name", PIPELINES)
def test_levels_are_those_of_the_pipeline(name, tmp_path):
    pipeline, program, _ = fitted(name)
    agree(name, FRAME)
    agree(name, GAPS)
    agree(name, FRAME.assign(colour="violet"))
    program.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.levels(FRAME), program.levels(FRAME))
    with tensorspin.deploy(pipeline, GOLDEN) as on_board:
        np.testing.assert_array_equal(on_board.predict(FRAME), program.predict(FRAME))
    assert np.mean(program.predict(FRAME) == pipeline.predict(FRAME)) > 0.7


@settings(max_examples=20, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(PIPELINES)))
def test_any_row(data, name):
    numbers = st.one_of(st.just(np.nan), st.floats(-1e6, 1e6), st.floats())
    rows = data.draw(
        st.lists(
            st.tuples(
                numbers,
                st.sampled_from(["red", "green", "blue", "violet", "", np.nan]),
                st.sampled_from([7000, 12, 99, 13, np.nan]),
                numbers,
                st.sampled_from(["a", "b", "c"]),
            ),
            min_size=1,
            max_size=4,
        )
    )
    agree(name, pd.DataFrame(rows, columns=FRAME.columns).astype({"colour": object}))


@pytest.mark.parametrize("name", ["both", "numbers alone"])
def test_smaller_types(name):
    narrow = FRAME.astype({"size": np.float32, "weight": np.float32, "zip": np.float32})
    agree(name, narrow)
    rng = np.random.default_rng(1)
    many = narrow.iloc[rng.integers(0, 60, 4000)].copy()
    many["weight"] = rng.lognormal(size=4000).astype(np.float32)
    agree(name, many)


def test_an_encoder_alone():
    words = FRAME[["colour", "kind"]]
    pipeline = make_pipeline(OrdinalEncoder(), MinMaxScaler(), mps()).fit(words, Y)
    program = quantize(pipeline)
    assert program.columns_of_words == [0, 1]
    np.testing.assert_array_equal(
        program.levels(words), pipeline[-1].quantize().levels(pipeline[:-1].transform(words))
    )
    with pytest.raises(ValueError, match=r"column 0 \('colour'\) of sample 0 is 'pink', which is"):
        program.levels(words.assign(colour="pink"))
    array = words.to_numpy(dtype=object)
    unnamed = make_pipeline(OrdinalEncoder(), mps()).fit(array, Y)
    np.testing.assert_array_equal(
        quantize(unnamed).levels(array),
        unnamed[-1].quantize().levels(unnamed[:-1].transform(array)),
    )


def test_in_front_of_an_ensemble():
    members = [MPSClassifier(2, epochs=1), MPSClassifier(2, epochs=1, scaling="quantile")]
    pipeline = make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(**UNKNOWN), ["colour"]), (StandardScaler(), ["size", "weight"])
        ),
        EnsembleClassifier(members, keep="all", missing="level", random_state=0),
    ).fit(GAPS, Y)
    program, alone = quantize(pipeline), pipeline[-1].quantize()
    np.testing.assert_array_equal(program.levels(GAPS), alone.levels(pipeline[:-1].transform(GAPS)))


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (make_column_transformer((OneHotEncoder(), ["colour"])), "'columntransformer__onehoten"),
        (make_column_transformer((PCA(1), ["size", "weight"])), r"pca' \(PCA\) can't be folded"),
        (
            make_column_transformer((SelectKBest(k=1), ["size", "weight"])),
            "inside of a ColumnTransformer: it selects columns",
        ),
        (
            make_column_transformer((OrdinalEncoder(), ["zip"]), (StandardScaler(), ["zip"])),
            "an OrdinalEncoder reads one of its columns, too",
        ),
        (
            make_column_transformer((StandardScaler(), ["zip"]), (OrdinalEncoder(), ["zip"])),
            "another transformer reads one of its columns, too",
        ),
        (
            ColumnTransformer([("n", StandardScaler(), ["size"])], transformer_weights={"n": 2.0}),
            "can't be folded with transformer_weights",
        ),
    ],
)
def test_what_cannot_be_folded_is_named(transformer, message):
    pipeline = make_pipeline(transformer, mps()).fit(FRAME, Y)
    with pytest.raises(ValueError, match=message):
        quantize(pipeline)


def test_too_many_categories():
    frame = pd.DataFrame({"w": [f"w{k}" for k in range(300)], "x": np.arange(300.0)})
    pipeline = make_pipeline(
        make_column_transformer((OrdinalEncoder(), ["w"]), remainder="passthrough"), mps()
    ).fit(frame, np.arange(300) % 2)
    with pytest.raises(ValueError, match="1 to 255 categories, not 300"):
        quantize(pipeline)


def test_words_behind_other_steps():
    passed = make_column_transformer(("passthrough", ["size", "colour"]))
    pipeline = make_pipeline(passed, mps()).fit(FRAME, Y)
    with pytest.raises(
        ValueError, match="columns of categories can't be folded behind other steps"
    ):
        quantize(pipeline)
