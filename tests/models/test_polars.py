"""Data frames of polars: the same levels as those of pandas. These tests need polars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tensorspin import MPSClassifier, NetworkProgram

from ..support.estimators import ESTIMATORS, quick

pl = pytest.importorskip("polars")

RNG = np.random.default_rng(0)
SIZES = RNG.normal(size=60)
COLOURS = RNG.choice(["red", "green", "blue"], 60)
Y = (COLOURS == "green").astype(int)
FRAME = pl.DataFrame({"size": SIZES, "colour": COLOURS})
PANDAS = pd.DataFrame({"size": SIZES, "colour": COLOURS})


@pytest.mark.parametrize("kind", ["String", "Categorical"])
def test_words_as_pandas_brings_them(kind, tmp_path):
    frame = FRAME.with_columns(pl.col("colour").cast(getattr(pl, kind)))
    model = quick(MPSClassifier).fit(frame, Y)
    expected = quick(MPSClassifier).fit(PANDAS, Y)
    assert model.categories_[1].tolist() == expected.categories_[1].tolist()
    np.testing.assert_array_equal(model.scores(frame), expected.scores(PANDAS))
    program = model.quantize()
    program.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.levels(frame), program.levels(PANDAS))
    with model.deploy("golden://icebreaker") as on_board:
        np.testing.assert_array_equal(on_board.predict(FRAME), program.predict(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.select("colour", "size"))


def test_an_enum_keeps_its_order():
    declared = ["red", "green", "blue", "violet"]
    frame = FRAME.with_columns(pl.col("colour").cast(pl.Enum(declared)))
    model = quick(MPSClassifier).fit(frame, Y)
    assert model.categories_[1].tolist() == declared, "of one that no sample has, too"
    ordered = PANDAS.astype({"colour": pd.CategoricalDtype(declared, ordered=True)})
    expected = quick(MPSClassifier).fit(ordered, Y)
    np.testing.assert_array_equal(model.scores(frame), expected.scores(ordered))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_gaps_numbers_and_codes(kind):
    every = pl.int_range(pl.len())
    frame = FRAME.with_columns(
        pl.when(every == 3).then(None).otherwise(pl.col("colour")).alias("colour"),
        pl.when(every == 4).then(None).otherwise(every % 4).alias("code"),
        (every % 2 == 0).alias("even"),
    )
    model = quick(kind, missing="level", categorical_features=["code"]).fit(frame, Y)
    assert [len(each) if each is not None else 0 for each in model.categories_] == [0, 3, 4, 0]
    levels = model.quantize().levels(frame)
    assert np.argwhere(levels == 255).tolist() == [[3, 1], [4, 2]]
    assert set(levels[:, 3].tolist()) == {0, 254}
    with pytest.raises(ValueError, match=r"column 1 \('colour'\) of sample 3 is missing"):
        quick(kind).fit(frame, Y)
