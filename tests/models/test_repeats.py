"""Features that several sites of a network read: the same as copies of the columns, at no cost."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tensorspin.compiler import NetworkProgram
from tensorspin.models import (
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
    deploy,
    quantize,
)
from tensorspin.models.augmentation import Augmentation
from tensorspin.models.repeats import repeated_order, repeated_tree

from ..support.estimators import CLASSIFIERS, quick, tensors_of
from ..support.pipelines import GOLDEN

REPEATING = [MPSClassifier, MPSRegressor, TTNClassifier]
X, Y = load_iris(return_X_y=True)
COPIED = {"tile": lambda X, n: np.tile(X, n), "interleave": lambda X, n: np.repeat(X, n, axis=1)}


@pytest.mark.parametrize("order", COPIED)
@pytest.mark.parametrize("kind", [MPSClassifier, MPSRegressor])
def test_a_chain_is_that_of_copied_columns_and_its_board_gets_each_feature_once(kind, order):
    model = quick(kind, n_repeats=3, repeat_order=order).fit(X, Y)
    copied = COPIED[order](X, 3)
    by_hand = quick(kind).fit(copied, Y)
    for tensor, other in zip(tensors_of(model), tensors_of(by_hand), strict=True):
        np.testing.assert_array_equal(tensor, other)
    assert model.n_features_in_ == 4 and len(model.feature_minimum_) == 4
    np.testing.assert_array_equal(model.site_features_, COPIED[order](np.arange(4)[None], 3)[0])
    program, long = model.quantize(), by_hand.quantize()
    assert program.n_features == 4 and program.levels(X).shape == (150, 4)
    ours, others = program.run_golden(X), long.run_golden(copied)
    np.testing.assert_array_equal(ours.scores, others.scores)
    np.testing.assert_array_equal(ours.exponents, others.exponents)
    assert program.words(8) == long.words(8)


@pytest.mark.parametrize("kind", REPEATING)
def test_programs_files_and_boards_answer_alike(kind, tmp_path):
    model = quick(kind, n_repeats=2, epochs=10, feature_map="bernstein").fit(X, Y)
    program = model.quantize()
    program.save(tmp_path / "model.npz")
    expected = program.predict(X)
    np.testing.assert_array_equal(NetworkProgram.load(tmp_path / "model.npz").predict(X), expected)
    with deploy(model, GOLDEN) as board:
        np.testing.assert_array_equal(board.predict(X), expected)
    if kind is MPSClassifier:
        with deploy(model, "sim://icebreaker") as board:
            np.testing.assert_array_equal(board.predict(X[::50]), expected[::50])
    if kind is not MPSRegressor:
        assert np.mean(expected == model.predict(X)) > 0.95


@pytest.mark.parametrize("kind", REPEATING)
def test_a_pipeline_folds_into_a_program_of_the_selected_features(kind):
    pipeline = make_pipeline(StandardScaler(), SelectKBest(k=3), quick(kind, n_repeats=2))
    pipeline.fit(X, Y)
    program = quantize(pipeline)
    assert (program.n_features, program.n_features_in_) == (3, 4)
    last = pipeline[-1].quantize()
    np.testing.assert_array_equal(program.predict(X), last.predict(pipeline[:-1].transform(X)))


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("tile", [[0, 1], [2, 6], [3, 4], [5, 8], [7, 9]]),
        ("interleave", [[0, 3], [1, 4], [2, 5], [6, 7], [9, 8]]),
    ],
)
def test_a_users_tree_is_repeated(order, expected):
    model = quick(TTNClassifier, tree=((0, 1), 2), n_repeats=2, repeat_order=order)
    model.fit(X[:, :3], Y)
    assert model.site_features_.tolist() == [0, 1, 2, 0, 1, 2]
    tree = [sorted(pair) for pair in model.children_.tolist()]
    assert tree == [sorted(pair) for pair in expected]


@pytest.mark.parametrize("n_repeats", [1, 2, 3, 5])
@pytest.mark.parametrize("order", COPIED)
def test_a_repeated_tree_has_each_leaf_and_node_once_below_the_root(order, n_repeats):
    tree = repeated_tree(np.array([[1, 2], [0, 3]]), 3, n_repeats, order)
    assert sorted(tree.ravel().tolist()) == list(range(2 * 3 * n_repeats - 2))
    assert all(max(pair) < 3 * n_repeats + node for node, pair in enumerate(tree.tolist()))


@pytest.mark.parametrize("kind", REPEATING)
@pytest.mark.parametrize("order", ["mutual_information", [2, 0, 3, 1], "snake"])
def test_orders_are_those_of_features(kind, order):
    options = {"feature_order": order, "image_size": (2, 2)}
    once = quick(kind, **options).fit(X, Y)
    twice = quick(kind, n_repeats=2, **options).fit(X, Y)
    if kind is TTNClassifier:
        np.testing.assert_array_equal(twice.children_, repeated_tree(once.children_, 4, 2, "tile"))
    else:
        np.testing.assert_array_equal(
            twice.site_features_, repeated_order(once.site_features_, 2, "tile")
        )


@pytest.mark.parametrize("kind", REPEATING)
@pytest.mark.parametrize("n_repeats", [1, 2, 3])
def test_a_single_feature(kind, n_repeats):
    model = quick(kind, n_repeats=n_repeats).fit(X[:, :1], Y)
    assert model.site_features_.tolist() == [0] * max(n_repeats, 2)
    assert model.quantize().predict(X[:, :1]).shape == Y.shape


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_all_copies_of_an_image_are_displaced_alike(kind):
    model = quick(kind, n_repeats=2, image_size=(2, 2), max_shift=1, input_noise=0).fit(X, Y)
    batch = model._site_inputs(X).astype(np.float32)
    changed = model._augmentation()(batch, np.random.default_rng(0))
    assert not np.array_equal(changed, batch)
    for feature in range(4):
        first, second = np.flatnonzero(model.site_features_ == feature)
        np.testing.assert_array_equal(changed[:, first], changed[:, second])
    once = Augmentation(max_shift=1, pixels=np.arange(4).reshape(2, 2))
    inputs = model._scaled(X).astype(np.float32)
    np.testing.assert_array_equal(
        once(inputs, np.random.default_rng(0)), changed[:, np.argsort(model.site_features_)[::2]]
    )


def test_repeats_learn_what_one_site_a_feature_cannot():
    # With the linear map scores are linear in each feature; the inner ring of |x| is not.
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (400, 2))
    inside = (points**2).sum(axis=1) < 0.5
    options = {"bond_dim": 8, "epochs": 100, "learning_rate": 0.02, "input_noise": 0.03}
    once = quick(MPSClassifier, **options).fit(points, inside).score(points, inside)
    twice = quick(MPSClassifier, n_repeats=2, **options).fit(points, inside)
    twice = twice.score(points, inside)
    assert once < 0.8 and twice > 0.95


@pytest.mark.parametrize("kind", REPEATING)
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_repeats": 0}, "n_repeats must be an integer from 1 to 64, not 0"),
        ({"n_repeats": 65}, "n_repeats must be an integer from 1 to 64, not 65"),
        ({"n_repeats": 2.0}, r"n_repeats must be an integer from 1 to 64, not 2\.0"),
        ({"n_repeats": True}, "n_repeats must be an integer from 1 to 64, not True"),
        ({"n_repeats": "all"}, "n_repeats must be an integer from 1 to 64, not 'all'; \"auto\""),
        ({"repeat_order": "row"}, 'repeat_order must be "tile" or "interleave", not \'row\''),
        ({"repeat_order": ["tile"]}, 'repeat_order must be "tile" or "interleave", not'),
    ],
)
def test_wrong_parameters(kind, parameters, message):
    with pytest.raises(ValueError, match=message):
        quick(kind, **parameters).fit(X, Y)


def test_the_detector_refuses_repeats_and_says_why():
    detector = quick(MPSAnomalyDetector, n_repeats=2)
    reason = "n_repeats of an anomaly detector must be 1, not 2: two sites .* not independent"
    for refused in (detector.fit, detector.partial_fit, detector.check_capacity):
        with pytest.raises(ValueError, match=reason):
            refused(X)
