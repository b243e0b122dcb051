"""Parameters that are "auto": chosen in fit, told in attributes, kept while a training goes on."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, make_friedman1
from sklearn.model_selection import GridSearchCV

from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError, CapacityWarning
from tensorspin.models import MPSClassifier, MPSRegressor, TTNClassifier
from tensorspin.models.recipes import SETTLED

from ..support.estimators import CLASSIFIERS, PLAIN, tensors_of

CHOOSING = [*CLASSIFIERS, MPSRegressor]

# What the estimators did by default before they chose.
BEFORE = {
    MPSClassifier: {"bond_dim": 16, "learning_rate": 0.005, "weight_decay": 0.3},
    TTNClassifier: {"bond_dim": 16, "learning_rate": 0.01, "weight_decay": 0.3},
    MPSRegressor: {"bond_dim": 8, "learning_rate": 0.002, "weight_decay": 1.0},
}
NOISE = {MPSClassifier: 0.1, TTNClassifier: 0.13, MPSRegressor: 0.1}


def data_for(kind):
    X, y = load_diabetes(return_X_y=True) if kind is MPSRegressor else load_iris(return_X_y=True)
    return X, y


def short(kind, **parameters):
    return kind(**{"epochs": 2, "random_state": 0, **parameters})


def before(kind, **parameters):
    """The defaults that there were before, written out."""
    smoothing = {} if kind is MPSRegressor else {"label_smoothing": 0.0}
    values = {**PLAIN, **BEFORE[kind], **smoothing, "input_noise": NOISE[kind]}
    return short(kind, **values, **parameters)


def assert_same_tensors(one, two):
    for a, b in zip(tensors_of(one), tensors_of(two), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", CHOOSING)
def test_what_was_chosen_is_told_and_written_out_gives_the_same_network(kind):
    X, y = data_for(kind)
    model = short(kind).fit(X, y)
    told = model.settled_parameters()
    assert {name: getattr(model, f"{name}_") for name in SETTLED if hasattr(model, name)} == {
        name: value for name, value in told.items() if not name.startswith(("feature_map", "local"))
    }
    assert told["feature_map"] == model.feature_map_.name
    assert told["local_dim"] == model.feature_map_.local_dim
    assert len(model.site_features_) == model.n_repeats_ * X.shape[1]
    # The parameters stay what they were, as scikit-learn's conventions ask.
    assert model.get_params() == short(kind).get_params()
    if told["feature_map"] == "linear":
        told.pop("local_dim")
    assert_same_tensors(model, short(kind, **told).fit(X, y))


@pytest.mark.parametrize("kind", CHOOSING)
def test_images_are_learnt_as_before(kind):
    X, y = load_digits(return_X_y=True)
    one, two = short(kind, epochs=1), before(kind).set_params(epochs=1)
    assert_same_tensors(one.fit(X[:200], y[:200]), two.fit(X[:200], y[:200]))


@pytest.mark.parametrize("kind", CHOOSING)
def test_values_that_are_given_are_taken(kind):
    X, y = data_for(kind)
    model = before(kind).fit(X, y)
    given = model.get_params()
    for name, value in model.settled_parameters().items():
        assert value == given[name] or name == "local_dim"
    assert model.feature_map_.name == "linear" and model.n_repeats_ == 1


@pytest.mark.parametrize(
    ("kind", "total"),
    [(MPSClassifier, 33.10572538), (TTNClassifier, 29.98804872), (MPSRegressor, 171.0567539)],
)
def test_the_defaults_of_before_give_the_networks_of_before(kind, total):
    X, y = data_for(kind)
    model = before(kind).fit(X, y)
    assert sum(np.abs(tensor).sum() for tensor in tensors_of(model)) == pytest.approx(
        total, rel=1e-4
    )


@pytest.mark.parametrize("kind", CHOOSING)
def test_a_training_that_goes_on_keeps_what_was_chosen(kind):
    X, y = data_for(kind)
    model = short(kind, warm_start=True).fit(X, y)
    chosen = model.settled_parameters()
    more = np.tile(X, (20, 1)), np.tile(y, 20)
    model.set_params(epochs=1).fit(*more)
    assert model.settled_parameters() == chosen
    model.partial_fit(*more)
    assert model.settled_parameters() == chosen
    pickle.loads(pickle.dumps(model)).fit(*more)
    # A new value of what is no parameter of the shape is taken, and "auto" is what it was.
    model.set_params(weight_decay=0.2, input_noise=0.0).fit(X, y)
    assert (model.weight_decay_, model.input_noise_) == (0.2, 0.0)
    model.set_params(weight_decay="auto").fit(X, y)
    assert model.weight_decay_ == chosen["weight_decay"]
    with pytest.raises(ValueError, match="n_repeats must stay 'auto' while a training goes on"):
        model.set_params(n_repeats=2).fit(X, y)


def test_parts_of_the_data_do_not_tell_how_many_samples_will_come():
    X, y = load_iris(return_X_y=True)
    model = short(MPSClassifier).partial_fit(X[::3], y[::3], classes=[0, 1, 2])
    assert model.weight_decay_ == pytest.approx(0.35)
    for start in range(3):
        model.partial_fit(X[start::3], y[start::3])
    assert model.weight_decay_ == pytest.approx(0.35) and model.n_repeats_ == 2
    assert short(MPSClassifier).fit(X, y).weight_decay_ == 1


def test_samples_without_weight_do_not_count():
    X, y = load_iris(return_X_y=True)
    X, y = np.tile(X, (10, 1)), np.tile(y, 10)
    weights = np.arange(len(X)) < 1000
    assert short(MPSClassifier, epochs=1).fit(X, y).weight_decay_ == pytest.approx(700 / 1500)
    assert short(MPSClassifier, epochs=1).fit(X, y, weights).weight_decay_ == pytest.approx(0.7)


@pytest.mark.parametrize("kind", CHOOSING)
def test_fewer_sites_where_more_would_fit_no_board(kind):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 32)), np.arange(40) % 2
    widest = {"bond_dim": 32, "epochs": 1}
    if kind is not TTNClassifier:
        widest |= {"feature_map": "bumps", "local_dim": 8}
    with warnings.catch_warnings():
        warnings.simplefilter("error", CapacityWarning)
        model = short(kind, **widest).fit(X, y)
    assert model.n_repeats_ == 1
    model.check_capacity(X, y)
    # It is the user's choice to have a network that fits no board.
    with pytest.warns(CapacityWarning, match="words of program memory"):
        assert short(kind, n_repeats=2, **widest).fit(X, y).n_repeats_ == 2


def test_bonds_are_narrowed_a_little_where_some_board_then_holds_the_network():
    rng = np.random.default_rng(0)
    X, y, size = rng.random((40, 150)), np.arange(40) % 2, find_board("ulx3s_85f")
    model = short(TTNClassifier, epochs=1).fit(X, y)
    assert model.bond_dim_ == 15
    model.quantize(8).check(size.require_contractor())
    # Bonds that the user gives stay, and none are narrowed if that is of no help.
    wide = short(TTNClassifier, epochs=1, bond_dim=16).fit(X, y)
    assert wide.bond_dim_ == 16
    with pytest.raises(CapacityError, match="store the weights in 4 bits"):
        wide.quantize(8).check(size.require_contractor())
    with pytest.warns(CapacityWarning, match="words of program memory"):
        model = short(MPSClassifier, epochs=1).fit(np.tile(X, 6), y)
    assert model.bond_dim_ == 16


def test_check_capacity_plans_what_fit_chooses_and_leaves_no_trace():
    X, y = load_iris(return_X_y=True)
    model = MPSClassifier()
    state = dict(vars(model))
    model.check_capacity(X, y, board="icebreaker")
    assert vars(model) == state


@pytest.mark.parametrize("kind", CHOOSING)
def test_an_estimator_of_before_stays_as_it_was(kind):
    X, y = data_for(kind)
    model = before(kind, warm_start=True).fit(X, y)
    state = model.__getstate__()
    new = {f"{name}_" for name in SETTLED} | {"_choices"}
    older = {name: value for name, value in state.items() if name not in new}
    # The oldest had no scaling and no repeats, either.
    oldest = {name: older[name] for name in older.keys() - {"scaling", "n_repeats"}}
    for kept in (older, oldest):
        again = kind.__new__(kind)
        again.__setstate__(dict(kept))
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        np.testing.assert_array_equal(again.quantize().levels(X), model.quantize().levels(X))
        assert again.get_params() == model.get_params()
        assert_same_tensors(clone(again).fit(X, y), model)
        assert_same_tensors(again.fit(X, y), pickle.loads(pickle.dumps(model)).fit(X, y))
        again.partial_fit(X, y)
        assert again.settled_parameters() == model.settled_parameters()


# Columns that tell little


@pytest.mark.parametrize("kind", CHOOSING)
def test_few_features_and_few_values(kind):
    rng = np.random.default_rng(0)
    for X in (
        rng.random((12, 1)),  # a single feature
        np.c_[np.full(12, 7.0), rng.random(12)],  # one that is constant
        np.full((12, 2), 7.0),  # nothing but constants
        np.c_[np.arange(12) % 2, np.arange(12) // 6],  # two values
        np.r_[np.zeros((11, 2)), [[0, 1]]],  # hardly ever another value
        rng.integers(0, 5, (12, 3)),  # few whole numbers
        np.array([[0.0, 1.0], [1.0, 0.0]]),  # two samples
    ):
        y = np.arange(len(X)) % 2
        model = short(kind).fit(X, y)
        predictions = model.predict(X)
        assert predictions.shape == (len(X),)
        program = model.quantize()
        assert np.isfinite(np.asarray(program.predict(X), dtype=float)).all()
        levels = program.levels(X)
        for column, steps in zip(X.T, levels.T):
            values = np.unique(column)
            # Values are told apart, and constants have one level.
            assert len(np.unique(steps)) == len(values) if len(values) <= 5 else True


def test_a_column_of_two_values_is_learnt():
    X = (np.arange(64)[:, None] >> np.arange(3)) & 1
    y = X[:, 0] ^ X[:, 2]
    for kind in CLASSIFIERS:
        assert kind(random_state=0).fit(X, y).score(X, y) == 1


# What it is for


def test_regression_by_default_follows_curves():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (500, 2))
    y = 2 * X[:, 0] + X[:, 1] ** 2 + 0.05 * rng.standard_normal(500)
    assert MPSRegressor(random_state=0).fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.98
    X, y = make_friedman1(600, noise=0.5, random_state=0)
    assert MPSRegressor(random_state=0).fit(X[:500], y[:500]).score(X[500:], y[500:]) > 0.93


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classifiers_by_default_find_islands(kind):
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (500, 2))
    y = (X**2).sum(axis=1) < 0.5
    assert kind(random_state=0).fit(X[:400], y[:400]).score(X[400:], y[400:]) > 0.93


# What is refused


@pytest.mark.parametrize("kind", CHOOSING)
@pytest.mark.parametrize("name", ["bond_dim", "n_repeats", "weight_decay", "learning_rate"])
def test_other_words_are_refused(kind, name):
    X, y = data_for(kind)
    for word in ("Auto", "automatic", "AUTO", ""):
        with pytest.raises(ValueError, match=f'{name} must be .*, not {word!r}; "auto" chooses'):
            short(kind, **{name: word}).fit(X, y)


def test_where_nothing_is_chosen_auto_is_refused():
    for name in ("epochs", "local_dim", "feature_margin", "max_shift"):
        with pytest.raises(ValueError, match=name):
            short(MPSClassifier, **{name: "auto"}).fit(*load_iris(return_X_y=True))


def test_a_search_may_choose_between_auto_and_values():
    X, y = load_iris(return_X_y=True)
    grid = {"n_repeats": ["auto", 1], "scaling": ["auto", "range"]}
    search = GridSearchCV(short(MPSClassifier), grid, cv=2).fit(X, y)
    assert set(search.best_params_) == set(grid)


# A network for a board


@pytest.mark.parametrize("kind", CHOOSING)
@pytest.mark.parametrize("board", ["icebreaker", "ulx3s_25f_both"])
def test_up_to_64_features_and_10_classes_fit_a_board_in_8_bits(kind, board):
    rng = np.random.default_rng(0)
    size = find_board(board).require_contractor()
    for n_features in (1, 32, 33, 64):
        X, y = rng.random((40, n_features)), np.arange(40) % 10
        model = short(kind, board=board, epochs=1).fit(X, y)
        model.check_capacity(X, y, board=board)
        program = model.quantize()
        program.check(size)
        assert not any(node.narrow for node in program.nodes)
        assert model.deploy(f"golden://{board}").predict(X[:2]).shape == (2,)
        assert model.bond_dim_ >= 6


@pytest.mark.parametrize("kind", CHOOSING)
def test_what_is_given_stays_and_what_is_not_makes_way_for_the_board(kind):
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 32)), np.arange(40) % 3
    size = find_board("ulx3s_25f_both").require_contractor()
    options = {"board": "ulx3s_25f_both", "epochs": 1}
    alone = short(kind, epochs=1).fit(X, y)
    narrow = short(kind, **options, n_repeats=4, feature_map="bernstein").fit(X, y)
    assert narrow.n_repeats_ == 4 and narrow.bond_dim_ < max(alone.bond_dim_, 16)
    mapping = "linear" if kind is TTNClassifier else "bernstein"
    wide = short(kind, **options, bond_dim=20, feature_map=mapping).fit(X, y)
    assert wide.bond_dim_ == 20 and wide.n_repeats_ == 1
    assert any(node.narrow for node in wide.quantize().nodes)
    for model in (narrow, wide):
        model.quantize().check(size)
        assert model.settled_parameters()["bond_dim"] == model.bond_dim_
    with pytest.raises(CapacityError, match="words of program memory"):
        short(kind, **options, bond_dim=32, n_repeats=8, feature_map="bumps").fit(X, y)
    # It is told before the training, and by the check alone, too.
    refused = short(kind, **options, bond_dim=32, n_repeats=8, feature_map="bumps")
    with pytest.raises(CapacityError, match="words of program memory"):
        refused.check_capacity(X, y)
    assert not hasattr(refused, "loss_curve_")


def test_a_network_that_fits_is_not_changed_by_the_board():
    X, y = load_iris(return_X_y=True)
    one, two = short(MPSClassifier).fit(X, y), short(MPSClassifier, board="icebreaker").fit(X, y)
    assert_same_tensors(one, two)
    assert two.quantize(8).weights[0].shape == one.quantize().weights[0].shape
    assert all(node.narrow for node in two.quantize(4).nodes)
    assert not any(node.narrow for node in two.quantize("auto").nodes)
    four = short(MPSClassifier, board="icebreaker", weight_bits=4).fit(X, y)
    assert all(node.narrow for node in four.quantize().nodes)


@pytest.mark.parametrize("bits", [4, 8])
def test_networks_trained_for_a_number_of_bits_fit_in_them(bits):
    rng = np.random.default_rng(0)
    X, y = rng.random((30, 200)), np.arange(30) % 3
    size = find_board("ulx3s_25f_both").require_contractor()
    for kind in CLASSIFIERS:
        model = short(kind, board="ulx3s_25f_both", weight_bits=bits, epochs=1).fit(X, y)
        program = model.quantize()
        program.check(size)
        assert {node.narrow for node in program.nodes} == {bits == 4}


def test_boards_without_a_contractor_and_other_words_are_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="no board is called 'golden://icebreaker'"):
        short(MPSClassifier, board="golden://icebreaker").fit(X, y)
    with pytest.raises(ValueError, match="has no contractor"):
        short(MPSClassifier, board="ulx3s_25f_annealer").fit(X, y)
    model = short(MPSClassifier, board="icebreaker", warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match="board must stay 'icebreaker' while a training goes on"):
        model.set_params(board="ulx3s_25f").fit(X, y)
