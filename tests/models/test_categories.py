"""Columns of words: their levels, the same on host, board and in the file, and their order."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from tensorspin import MPSClassifier, MPSRegressor, NetworkProgram
from tensorspin.models import MPSAnomalyDetector, TTNClassifier
from tensorspin.models.categories import category_order
from tensorspin.models.scales import SCALINGS

from ..support.estimators import ESTIMATORS, quick

GOLDEN = "golden://icebreaker"


def coloured(n=60, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"size": rng.normal(size=n), "colour": rng.choice(["red", "green", "blue"], n)}
    )
    return frame, (frame["colour"] == "green").to_numpy().astype(int)


FRAME, Y = coloured()
AS_BROUGHT = {
    "object": FRAME.astype({"colour": object}),
    "string": FRAME.astype({"colour": "string"}),
    "category": FRAME.astype({"colour": "category"}),
    "nullable": FRAME.astype({"colour": "string", "size": "Float64"}),
    "array": FRAME.to_numpy(dtype=object),
    "list": FRAME.to_numpy(dtype=object).tolist(),
    "text": FRAME.to_numpy(dtype=object).astype(str),
}


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("brought", AS_BROUGHT)
def test_words_have_levels_however_they_are_brought(brought, tmp_path):
    samples = AS_BROUGHT[brought]
    model = quick(MPSClassifier).fit(samples, Y)
    numbers, words = model.categories_
    assert numbers is None and sorted(words) == ["blue", "green", "red"]
    assert words[-1] == "green" or words[0] == "green"
    program = model.quantize()
    expected = {word: round(place * 255 / 2) for place, word in enumerate(words)}
    levels = program.levels(samples)
    assert levels[:, 1].tolist() == [expected[word] for word in FRAME["colour"]]
    program.save(tmp_path / "model.npz")
    again = NetworkProgram.load(tmp_path / "model.npz")
    for other in AS_BROUGHT.values():
        np.testing.assert_array_equal(again.levels(other), levels)
        np.testing.assert_array_equal(model.predict(other), model.predict(samples))
    with model.deploy(GOLDEN) as on_board:
        np.testing.assert_array_equal(on_board.predict(samples), program.predict(samples))


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_every_estimator_and_scaling(kind, scaling):
    frame, y = coloured()
    frame["shape"] = np.where(np.arange(60) % 7, "round", "square")
    frame.loc[3, "colour"] = None
    frame.loc[4, "size"] = np.nan
    model = quick(kind, missing="level", scaling=scaling, feature_margin=0.2).fit(frame, y)
    program = model.quantize()
    levels = program.levels(frame)
    assert set(levels[:, 1].tolist()) == {0, 127, 254, 255} and levels[3, 1] == 255
    assert set(levels[:, 2].tolist()) == {0, 254} and levels[4, 0] == 255
    later = frame.assign(colour="violet")
    assert set(program.levels(later)[:, 1].tolist()) == {255}, "what is unknown is missing"
    with model.deploy(GOLDEN) as on_board:
        np.testing.assert_array_equal(on_board.predict(later), program.predict(later))
    assert pickle.loads(pickle.dumps(model)).predict(later).shape == (60,)


words = st.sampled_from(["", "a", "b", "Ä", "a b", "NaN", "None", "True", "x" * 300, "\n", "ß"])


@settings(max_examples=15, deadline=None)
@given(data=st.data(), missing=st.sampled_from(["refuse", "level"]))
def test_any_words(data, missing):
    column = st.one_of(words, st.none(), st.just(np.nan), st.just(pd.NA))
    if missing == "refuse":
        column = words.filter(lambda word: word != "NaN")
    train = data.draw(st.lists(column, min_size=4, max_size=20))
    later = data.draw(st.lists(column, min_size=1, max_size=20))
    frames = [
        pd.DataFrame({"n": np.arange(len(rows)) % 3.0, "w": pd.Series(rows, dtype=object)})
        for rows in (train, later)
    ]
    model = MPSClassifier(2, epochs=1, missing=missing, random_state=0)
    if not any(isinstance(word, str) and word != "NaN" for word in train):
        return  # a column without any word is one of numbers
    model.fit(frames[0], np.arange(len(train)) % 2)
    known = model.categories_[1].tolist()
    assert known == sorted(known, key=known.index) and "NaN" not in known
    program = model.quantize()
    for rows, frame in zip((train, later), frames):
        unknown = [word for word in rows if not isinstance(word, str) or word not in known]
        if missing == "refuse" and unknown:
            for use in (model.predict, program.levels, model.deploy(GOLDEN).predict):
                with pytest.raises(ValueError, match=r"column 1 \('w'\) of sample \d+ is "):
                    use(frame)
            continue
        top = 254 if missing == "level" else 255
        last = max(len(known) - 1, 1)
        expected = [
            round(known.index(word) * top / last)
            if isinstance(word, str) and word in known
            else 255
            for word in rows
        ]
        assert program.levels(frame)[:, 1].tolist() == expected
        np.testing.assert_array_equal(model.deploy(GOLDEN).predict(frame), program.predict(frame))


# What words and numbers are


def fitted(values, **parameters):
    y = np.arange(len(values)) % 2
    frame = pd.DataFrame({"n": np.arange(len(values)) % 3.0, "c": values})
    return quick(MPSClassifier, **parameters).fit(frame, y), frame


@pytest.mark.parametrize(
    "values",
    [
        [True, False, True, True],
        pd.array([True, False, True, True], dtype="boolean"),
        pd.Series([True, False, True, True], dtype=object),
        ["1", "0", "1", "1"],
        pd.Series([1, "0", 1.0, True], dtype=object),
        pd.array([1, 0, 1, 1], dtype="Int8"),
    ],
)
def test_what_counts_as_a_number(values):
    model, frame = fitted(values)
    assert model.categories_ == [None, None]
    program = model.quantize()
    assert program.categories is None
    assert program.levels(frame)[:, 1].tolist() == [255, 0, 255, 255]


def test_true_and_false_as_words():
    model, frame = fitted(["True", "False", "True", "False"])
    levels = model.quantize().levels(frame)
    assert sorted(model.categories_[1]) == ["False", "True"]
    # pandas reads the same words in a file as bool.
    np.testing.assert_array_equal(
        model.quantize().levels(frame.assign(c=[True, False, True, False])), levels
    )


def test_numbers_that_are_declared_as_categories():
    zips = pd.Categorical([7000, 12, 7000, 99], categories=[12, 99, 7000, 5])
    model, frame = fitted(zips)
    assert sorted(model.categories_[1].tolist()) == [5, 12, 99, 7000]
    levels = model.quantize().levels(frame)
    plain = frame.assign(c=[7000, 12, 7000, 99])
    np.testing.assert_array_equal(model.quantize().levels(plain), levels)
    with pytest.raises(ValueError, match=r"column 1 \('c'\) of sample 0 is 13, which is none of"):
        model.predict(plain.assign(c=13))


def test_an_order_that_means_something_stays():
    sizes = pd.Categorical(["XL", "S", "M", "S"], categories=["S", "M", "L", "XL"], ordered=True)
    model, frame = fitted(sizes)
    assert model.categories_[1].tolist() == ["S", "M", "L", "XL"]
    assert model.quantize().levels(frame)[:, 1].tolist() == [255, 0, 85, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a", 1, "b", 2.5], "column 1 .'c'. mixes words such as 'a' with numbers such as 1;"),
        (["a", "1", "b", "2"], "mixes words such as 'a' with numbers such as '1'"),
        (["a", True, "b", False], "mixes words such as 'a' with numbers such as True"),
        (
            pd.to_datetime(["2020-01-01"] * 4),
            "column 1 .'c'. must hold numbers or words, not datetime.*; for times write numbers",
        ),
        (
            pd.to_datetime(["2020-01-01"] * 4).tz_localize("UTC"),
            "column 1 .'c'. of sample 0 is Timestamp.*, not a number; for times write numbers",
        ),
        (["a", pd.Timestamp(0), "b", "c"], "mixes words such as 'a' with numbers such as Timest"),
        (pd.Categorical([1, "a", "b", 1]), "has the category 'a'; all must be words, or all num"),
        (pd.interval_range(0, 4), "column 1 .* has the category|column 1 .* not a number"),
        ([1j, 2, 3, 4], "column 1 .'c'. must hold numbers or words, not complex128"),
        ([b"a", b"b", b"c", b"d"], "column 1 .'c'. of sample 0 is b'a', not a number"),
    ],
)
def test_columns_of_something_else_are_refused_by_name(values, message):
    with pytest.raises((ValueError, TypeError), match=message):
        fitted(values)


def test_many_categories():
    many = [f"w{i}" for i in range(255)]
    model, frame = fitted(many, missing="level")
    assert len(set(model.quantize().levels(frame)[:, 1].tolist())) == 255
    model, frame = fitted(many)
    assert len(set(model.quantize().levels(frame)[:, 1].tolist())) == 255
    with pytest.raises(ValueError, match=r"column 1 \('c'\) has 256 categories, .*at most 255"):
        fitted([f"w{i}" for i in range(256)])
    declared = pd.Categorical(["a", "b"] * 3, categories=[*"ab", *(f"w{i}" for i in range(300))])
    assert sorted(fitted(declared)[0].categories_[1]) == ["a", "b"], "those that occur"


def test_unknown_and_missing_words_are_refused_by_name():
    model, frame = fitted(["a", "b", "a", "b"])
    program, on_board = model.quantize(), model.deploy(GOLDEN)
    for value, told in (
        ("z", "is 'z', which is none of its categories: 'a', 'b'; train with this one"),
        (None, "is missing"),
        (3, "is 3, which is none of its categories"),
    ):
        later = frame.astype({"c": object})
        later.loc[2, "c"] = value
        for use in (model.predict, program.levels, on_board.predict):
            with pytest.raises(ValueError, match=rf"column 1 \('c'\) of sample 2 {told}"):
                use(later)
    with pytest.raises(ValueError, match="same order as they were in fit"):
        program.levels(frame[["c", "n"]])
    with pytest.raises(ValueError, match="yet now missing:\n- c"):
        on_board.predict(frame[["n"]])
    with pytest.raises(ValueError, match=r"column 0 \('n'\) of sample 0 is 'x', not a number"):
        program.levels(frame.assign(n="x"))


# Trainings


def test_trainings_that_go_on_keep_the_levels():
    frame, y = coloured()
    model = quick(MPSClassifier, warm_start=True).fit(frame, y)
    known = list(model.categories_[1])
    model.fit(frame, 1 - y)
    assert list(model.categories_[1]) == known
    declared = frame.astype({"colour": "category"})
    stream = quick(MPSClassifier)
    first = declared["colour"] != "red"
    stream.partial_fit(declared[first], y[first], classes=[0, 1]).partial_fit(declared, y)
    assert stream.predict(frame).shape == y.shape
    undeclared = quick(MPSClassifier).partial_fit(frame[first], y[first], classes=[0, 1])
    with pytest.raises(ValueError, match="is 'red', which is none"):
        undeclared.partial_fit(frame, y)


def test_clones_and_validation():
    frame, y = coloured()
    model = quick(MPSClassifier, early_stopping=True, feature_order="mutual_information")
    assert len(cross_val_score(clone(model), frame, y, cv=3)) == 3
    model.fit(frame, y).check_capacity(frame, y, board="icebreaker")
    model.fit(frame[["size"]].assign(b=1.0), y)
    assert model.categories_ == [None, None]


@pytest.mark.parametrize("kind", [MPSClassifier, TTNClassifier])
def test_what_many_words_mean_is_learnt(kind):
    rng = np.random.default_rng(0)
    meaning = rng.integers(0, 2, 40)
    chosen = rng.integers(0, 40, 600)
    frame = pd.DataFrame({"w": [f"w{k}" for k in chosen], "x": rng.normal(size=600)})
    y = meaning[chosen] ^ (frame["x"] > 1.5)
    model = kind(4, epochs=20, feature_map="bernstein", random_state=0).fit(frame, y)
    assert model.score(frame, y) > 0.9


def test_a_regressor_learns_what_words_mean():
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, 12, 400)
    means = rng.permutation(12)
    frame = pd.DataFrame({"w": [f"w{k}" for k in chosen], "x": rng.normal(size=400)})
    y = means[chosen] + frame["x"]
    model = MPSRegressor(4, random_state=0).fit(frame, y)
    assert model.categories_[0].tolist() == [f"w{k}" for k in np.argsort(means)]
    assert model.score(frame, y) > 0.95


def test_a_detector_puts_frequent_words_first():
    words = ["b"] * 30 + ["a"] * 9 + ["c"] * 21
    frame = pd.DataFrame({"w": words, "x": np.linspace(0, 1, 60)})
    model = MPSAnomalyDetector(2, epochs=5, random_state=0).fit(frame)
    assert model.categories_[0].tolist() == ["b", "c", "a"]


def test_the_order_of_categories():
    codes = np.repeat(np.arange(4.0), [50, 50, 50, 1])
    targets = np.repeat([3.0, 1.0, 2.0, 9.0], [50, 50, 50, 1])[:, None]
    # A single sample says little.
    assert category_order(codes, 4, targets, None).tolist() == [1, 2, 3, 0]
    assert category_order(codes, 5, None, None).tolist() == [0, 1, 2, 3, 4]
    weights = np.where(codes == 3, 60.0, 1.0)
    assert category_order(codes, 4, None, weights).tolist() == [3, 0, 1, 2]
    # Weights count as repetitions.
    repeated = np.repeat(np.arange(len(codes)), weights.astype(int))
    one = category_order(codes, 4, targets, weights)
    two = category_order(codes[repeated], 4, targets[repeated], None)
    assert one.tolist() == two.tolist()
    # Three classes: along the axis on which categories differ most.
    shares = np.eye(3)[np.repeat([0, 2, 1, 0], [50, 50, 50, 1])]
    order = category_order(codes, 4, shares, None).tolist()
    assert sorted(order) == [0, 1, 2, 3] and abs(order.index(0) - order.index(3)) == 1
    assert category_order(np.full(3, np.nan), 2, np.ones((3, 1)), None).tolist() == [0, 1]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_samples_of_weight_zero_are_not_there(kind):
    frame, y = coloured()
    weights = (frame["colour"] != "red").to_numpy().astype(float)
    counted = weights > 0
    one = quick(kind).fit(frame, y, sample_weight=weights)
    two = quick(kind).fit(frame[counted], y[counted])
    assert one.categories_[1].tolist() == two.categories_[1].tolist()
    assert sorted(one.categories_[1]) == ["blue", "green"]
    np.testing.assert_array_equal(
        one.quantize().levels(frame[counted]), two.quantize().levels(frame[counted])
    )
    declared = quick(kind).fit(frame.astype({"colour": "category"}), y, sample_weight=weights)
    assert len(declared.categories_[1]) == 3
