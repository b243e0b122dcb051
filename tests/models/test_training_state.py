"""Trainings that go on from an earlier one: warm_start and partial_fit."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.multiclass import OneVsRestClassifier

from tensorspin.models import MPSAnomalyDetector, MPSClassifier, MPSRegressor, TTNClassifier
from tensorspin.models.optimiser import WARM_UP_UPDATES, Schedule
from tensorspin.models.parameters import flattened

from ..support.estimators import CHAINS, CLASSIFIERS, ESTIMATORS, quick, split, tensors_of


def data_for(kind):
    X, y = load_diabetes(return_X_y=True) if kind is MPSRegressor else load_iris(return_X_y=True)
    return X, y


def first_part(model, X, y):
    """The first call of partial_fit, which tells a classifier its classes."""
    known = {"classes": [0, 1, 2]} if isinstance(model, tuple(CLASSIFIERS)) else {}
    return model.partial_fit(X, y, **known)


def assert_same_tensors(one, two):
    for a, b in zip(tensors_of(one), tensors_of(two), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_warm_start_goes_on_from_the_last_tensors(kind):
    X, y = data_for(kind)
    model = quick(kind, warm_start=True, epochs=10, weight_decay=0.1).fit(X, y)
    first = copy.deepcopy(model)
    # Steps of size zero: what has been learnt must still be there, in every form of the network.
    model.set_params(learning_rate=0, epochs=2).fit(X, y)
    for a, b in zip(tensors_of(first), tensors_of(model), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert model.n_iter_ == 2
    assert len(model.loss_curve_) == 12
    assert model.loss_curve_[:10] == first.loss_curve_
    np.testing.assert_allclose(model.loss_curve_[10:], first.loss_curve_[-1], rtol=0.1)
    model.set_params(learning_rate=0.005, epochs=20).fit(X, y)
    assert model.loss_curve_[-1] < first.loss_curve_[-1]


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_warm_start_without_an_earlier_fit_is_a_new_training(kind):
    X, y = data_for(kind)
    warm = quick(kind, warm_start=True).fit(X, y)
    assert_same_tensors(warm, quick(kind).fit(X, y))
    # A training is new if warm_start is not set, whatever came before.
    assert_same_tensors(warm, copy.deepcopy(warm).set_params(warm_start=False).fit(X, y))
    assert_same_tensors(warm, clone(warm).fit(X, y))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_ranges_and_order_stay(kind):
    X, y = data_for(kind)
    model = quick(kind, warm_start=True, feature_order="mutual_information").fit(X[20:], y[20:])
    before = model.feature_minimum_, model.site_features_, getattr(model, "children_", None)
    model.fit(X * 2 if kind is not MPSAnomalyDetector else X, y)
    for one, two in zip(before, (model.feature_minimum_, model.site_features_)):
        np.testing.assert_array_equal(one, two)
    if kind is TTNClassifier:
        np.testing.assert_array_equal(before[2], model.children_)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_training_goes_on_after_pickling_and_as_it_would_have(kind):
    X, y = data_for(kind)
    model = quick(kind, warm_start=True).fit(X, y)
    copied = pickle.loads(pickle.dumps(model))
    assert_same_tensors(model.fit(X, y), copied.fit(X, y))
    part, copied_part = model, copied
    assert_same_tensors(part.partial_fit(X, y), copied_part.partial_fit(X, y))


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_rounded_tensors_go_on_from_the_unrounded_ones(kind, bits):
    X, y = load_iris(return_X_y=True)
    model = quick(kind, weight_bits=bits, warm_start=True, epochs=20).fit(X, y)

    def rounding_errors(tensors):
        weights = [(2 ** (bits - 1) - 1) * tensor / np.abs(tensor).max() for tensor in tensors]
        return [np.abs(weight - np.rint(weight)).max() for weight in weights]

    assert max(rounding_errors(tensors_of(model))) < 1e-3
    assert max(rounding_errors(model._training_state.tensors)) > 0.1
    model.fit(X, y)
    assert max(rounding_errors(tensors_of(model))) < 1e-3
    assert model.loss_curve_[-1] < model.loss_curve_[19]


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bond_dim", 6, "bond_dim must stay 4 while a training goes on, not become 6: .* anew"),
        ("feature_map", "polynomial", "feature_map must stay 'linear' .* not become 'polynomial'"),
        ("feature_range", (-9, 9), "feature_range must stay None while a training goes on: "),
        ("feature_order", "mutual_information", "feature_order must stay None .* 'mutual_inf"),
        ("image_size", (2, 2), "image_size must stay None while a training goes on: "),
        ("local_dim", 2, "local_dim must stay None while a training goes on, not become 2: "),
        ("feature_margin", 0.5, r"feature_margin must stay (0.0|'auto') while .* 0\.5: "),
    ],
)
def test_parameters_that_would_change_the_network(kind, name, value, message):
    X, y = data_for(kind)
    model = quick(kind, warm_start=True).fit(X, y)
    before = copy.deepcopy(model)
    model.set_params(**{name: value})
    for train in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            train(X, y)
    assert_same_tensors(model, before)
    model.set_params(**{name: getattr(before, name)}).fit(X, y)


def test_parameters_of_one_network():
    X, y = load_iris(return_X_y=True)
    tree = quick(TTNClassifier, tree=((0, 1), (2, 3)), warm_start=True).fit(X, y)
    tree.set_params(tree=[[0, 1], [2, 3]]).fit(X, y)
    tree.set_params(weight_bits=4).fit(X, y)  # trees have the same shapes with any weights
    with pytest.raises(ValueError, match="tree must stay as it was"):
        tree.set_params(tree=((0, 2), (1, 3))).fit(X, y)
    chain = quick(MPSClassifier, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="weight_bits must stay None .* not become 4"):
        chain.set_params(weight_bits=4).fit(X, y)


def test_flattened_values_are_equal_if_the_parameters_mean_the_same():
    deep = 0
    for feature in range(1, 1024):
        deep = (deep, feature)
    assert flattened(deep) == flattened(deep)
    assert flattened([0, [1, 2]]) == flattened((0, np.array([1, 2])))
    assert flattened([0, [1, 2]]) != flattened([0, 1, 2])
    assert flattened(np.int64(3)) == flattened(3)
    order = [1, 0]
    before = flattened(order)
    order.reverse()
    assert flattened(order) != before


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_warm_start_needs_the_same_classes(kind):
    X, y = load_iris(return_X_y=True)
    model = quick(kind, warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"y must have the classes .*, \[0, 1, 2\], not \[0, 1\]"):
        model.fit(X[y < 2], y[y < 2])
    with pytest.raises(ValueError, match=r"no classes but \[0, 1, 2\], not \[3\]; a new class"):
        model.fit(X, np.where(y == 2, 3, y))
    with pytest.raises(ValueError, match=r"no classes but \[0, 1, 2\], not \['0', '1', '2'\]"):
        model.fit(X, y.astype(str))
    with pytest.raises(ValueError, match="3 features, but .* is expecting 4 features"):
        model.fit(X[:, :3], y)


@pytest.mark.parametrize("kind", CHAINS)
def test_a_compressed_chain_cannot_go_on(kind):
    X, y = data_for(kind)
    model = quick(kind, warm_start=True).fit(X, y)
    narrow = model.compress(max_bond=2)
    for train in (narrow.fit, narrow.partial_fit):
        with pytest.raises(ValueError, match="no training to go on from: .* compressed"):
            train(X, y)
    narrow.set_params(warm_start=False).fit(X, y)
    assert_same_tensors(narrow, clone(model).fit(X, y))
    model.fit(X, y)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_pickle_of_an_earlier_version_is_completed(kind):
    X, y = data_for(kind)
    model = quick(kind).fit(X, y)
    state = dict(model.__getstate__())
    new = ("warm_start", "early_stopping", "validation_fraction", "n_iter_no_change", "tol")
    for name in (*new, "class_weight", "_training_state"):
        state.pop(name, None)
    old = kind.__new__(kind)
    old.__setstate__(state)
    assert old.get_params() == model.get_params()
    np.testing.assert_array_equal(old.predict(X), model.predict(X))
    with pytest.raises(ValueError, match="no training to go on from"):
        old.partial_fit(X, y)
    assert_same_tensors(old.fit(X, y), model)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_a_training_that_diverges_leaves_the_network_as_it_was(kind):
    X, y = data_for(kind)
    model = quick(kind, warm_start=True).fit(X, y)
    before = copy.deepcopy(model)
    model.set_params(learning_rate=1e30)
    for train in (model.fit, model.partial_fit):
        with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="diverged"):
            train(X, y)
    assert_same_tensors(model, before)
    model.set_params(learning_rate=0.001).fit(X, y)
    assert_same_tensors(model, before.set_params(learning_rate=0.001).fit(X, y))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_parts_of_the_data_are_learnt_one_after_the_other(kind):
    X, y = data_for(kind)
    order = np.random.default_rng(0).permutation(len(X))
    model = quick(kind, random_state=0)
    for _ in range(25):
        for part in np.array_split(order, 3):
            assert first_part(model, X[part], y[part]) is model
            assert model.n_iter_ == 1
    assert len(model.loss_curve_) == 75
    assert np.mean(model.loss_curve_[-3:]) < np.mean(model.loss_curve_[:3])
    if kind is MPSRegressor:
        assert model.score(X, y) > 0.4
    elif kind is not MPSAnomalyDetector:
        assert model.score(X, y) > 0.9
    model.quantize().predict(X)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_images_in_parts(kind):
    X_train, X_test, y_train, y_test = split(load_digits)
    model = quick(kind, bond_dim=8, feature_range=(0, 16))
    for _ in range(6):
        for start in range(0, len(X_train), 256):
            part = slice(start, start + 256)
            model.partial_fit(X_train[part], y_train[part], classes=np.arange(10))
    assert model.score(X_test, y_test) > 0.9


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_weights_of_a_part(kind):
    X, y = data_for(kind)
    weights = np.random.default_rng(0).integers(0, 2, len(X))
    known = {"classes": [0, 1, 2]} if kind in CLASSIFIERS else {}
    one = quick(kind).partial_fit(X, y, sample_weight=weights, **known)
    two = quick(kind).partial_fit(X[weights > 0], y[weights > 0], **known)
    assert_same_tensors(one, two)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_first_part_fixes_the_ranges(kind):
    X, y = data_for(kind)
    model = first_part(quick(kind), X[::2], y[::2])
    low = model.feature_minimum_
    model.partial_fit(X * 3, y)
    np.testing.assert_array_equal(model.feature_minimum_, low)
    promised = first_part(quick(kind, feature_range=(-9, 9)), X[:1], y[:1])
    promised.partial_fit(X, y)
    with pytest.raises(ValueError, match="feature_range promises -9 to 9"):
        promised.partial_fit(X + 20, y)
    with pytest.raises(ValueError, match="every feature has one value only; set feature_range"):
        first_part(quick(kind), X[:1], y[:1])


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes_of_parts(kind):
    X, y = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    model = quick(kind)
    with pytest.raises(ValueError, match="classes must be given in the first call of partial_fit"):
        model.partial_fit(X, names)
    with pytest.raises(ValueError, match=r"no classes but \['a', 'b'\], not \['c'\]; a new class"):
        model.partial_fit(X, names, classes=["a", "b"])
    with pytest.raises(ValueError, match="at least 2 classes are needed, not 1 class: a"):
        model.partial_fit(X[:50], names[:50], classes=["a"])
    model.partial_fit(X[:50], names[:50], classes=["c", "a", "b"])  # one of the classes only
    assert model.classes_.tolist() == ["a", "b", "c"]
    model.partial_fit(X[50:], names[50:])
    model.partial_fit(X, names, classes=["a", "b", "c"])
    with pytest.raises(ValueError, match=r"classes must have the classes .* not \['a', 'b'\]"):
        model.partial_fit(X[:50], names[:50], classes=["a", "b"])
    with pytest.raises(ValueError, match=r"not \['d'\]; a new class needs a new training"):
        model.partial_fit(X[:1], ["d"])
    assert model.predict(X).shape == (150,)


def test_what_partial_fit_cannot_do():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        quick(MPSClassifier, early_stopping=True).partial_fit(X, y, [0, 1, 2])
    with pytest.raises(ValueError, match='class_weight="balanced" needs all the data'):
        quick(MPSClassifier, class_weight="balanced").partial_fit(X, y, [0, 1, 2])
    quick(MPSClassifier, class_weight={0: 2}).partial_fit(X, y, [0, 1, 2])


def test_partial_fit_within_a_meta_estimator():
    X, y = load_iris(return_X_y=True)
    model = OneVsRestClassifier(quick(MPSClassifier))
    for _ in range(15):
        model.partial_fit(X, y, classes=[0, 1, 2])
    assert model.score(X, y) > 0.8


def test_learning_rate_of_a_part():
    schedule = Schedule(1, 16, 0.01, 0.0, annealed=False)
    rates = [schedule.rate(1, 10, before) for before in range(4 * WARM_UP_UPDATES)]
    assert np.argmax(rates) == WARM_UP_UPDATES - 1
    assert max(rates) == 0.01
    assert rates[-1] == pytest.approx(0.005)
