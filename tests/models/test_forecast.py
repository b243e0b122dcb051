"""The forecast of what a network will need: compared with what the compiler makes of it later."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from tensorspin.compiler.capacity import demands
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError, CapacityWarning
from tensorspin.models import (
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
)

from ..support.estimators import CLASSIFIERS, ESTIMATORS, quick

LEVELS = np.linspace(0, 1, 8)
MAPS = [
    "linear",
    "polynomial",
    "bumps",
    np.random.default_rng(0).uniform(-1, 1, (16, 5)),
    np.stack([LEVELS, LEVELS / 2, np.ones(8)], axis=1),  # two components that are proportional
]


def samples(kind, n_features, classes=3, n=30):
    rng = np.random.default_rng(n_features)
    X = rng.random((n, n_features))
    return X, rng.random(n) if kind is MPSRegressor else np.arange(n) % classes


def shapes(nodes):
    """All that decides what nodes need of a device."""
    return [
        (item.node.left.size, item.node.right.size, item.node.outputs, item.node.destination)
        for item in nodes
    ]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_forecast_is_what_the_compiler_makes_of_the_trained_network(kind, seed):
    rng = np.random.default_rng(seed)
    n_features = int(rng.integers(2, 40 if seed % 2 else 12))
    X, y = samples(kind, n_features, int(rng.integers(2, 6)))
    options = {"bond_dim": int(rng.integers(2, 9 if seed % 2 else 33)), "epochs": 1}
    options["feature_map"] = MAPS[seed % 4]
    if kind in CLASSIFIERS:
        options["weight_bits"] = [None, 4, 8][seed % 3]
    model = quick(kind, **options).fit(X, y)
    planned = shapes(model._planned_nodes())
    # What `quantize("auto", board=...)` rounds. Cores that were trained to be rounded may by chance
    # have bonds that nothing uses.
    trained_rounded = options.get("weight_bits") is not None
    compiled = shapes(model._nodes() if trained_rounded else model._tough_nodes())
    # What `quantize()` rounds may be larger.
    for nodes in (compiled, shapes(model._nodes())):
        assert all(np.all(np.array(a) >= b) for a, b in zip(nodes, planned, strict=True))
    if kind is not MPSRegressor:  # how many components its label tensor reads is learnt
        assert compiled == planned


def test_a_trained_regressor_differs_from_the_forecast_beside_the_label_tensor_alone():
    X, y = samples(MPSRegressor, 30)
    model = quick(MPSRegressor, bond_dim=4).fit(X, y)
    planned, compiled = shapes(model._planned_nodes()), shapes(model._nodes())
    assert len(planned) == len(compiled) == 29
    assert planned[:-5] == compiled[:-5]


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_single_feature_is_forecast(kind):
    X, y = samples(kind, 1)
    model = quick(kind).fit(X, y)
    assert shapes(model._planned_nodes()) == shapes(model._tough_nodes())


@pytest.mark.parametrize("order", ["tile", "interleave"])
@pytest.mark.parametrize("kind", [MPSClassifier, MPSRegressor, TTNClassifier])
def test_sites_that_read_the_same_feature_are_forecast(kind, order):
    X, y = samples(kind, 5)
    options = {"n_repeats": 3, "repeat_order": order, "bond_dim": 8, "feature_map": "bumps"}
    model = quick(kind, **options).fit(X, y)
    planned, compiled = shapes(model._planned_nodes()), shapes(model._tough_nodes())
    if kind is MPSRegressor:  # how many components its label tensor reads is learnt
        planned, compiled = planned[:-5], compiled[:-5]
    assert compiled == planned
    X, y = samples(kind, 40, n=6)
    with pytest.raises(CapacityError, match="words of program memory|vector slots"):
        quick(kind, **{**options, "n_repeats": 64}).check_capacity(X, y, board="icebreaker")


@pytest.mark.parametrize("tree", [((0, 1), (2, (3, 4))), ((((0, 1), 2), 3), 4)])
def test_a_tree_of_the_user_is_forecast(tree):
    X, y = samples(TTNClassifier, 5)
    model = quick(TTNClassifier, tree=tree).fit(X, y)
    assert shapes(model._planned_nodes()) == shapes(model._nodes())


def test_the_order_of_features_does_not_change_the_forecast():
    X, y = samples(TTNClassifier, 16)
    for order in ("morton", "snake", "mutual_information"):
        model = quick(TTNClassifier, feature_order=order).fit(X, y)
        assert shapes(model._planned_nodes()) == shapes(model._nodes())


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_check_capacity_agrees_with_the_board_and_leaves_no_trace(kind):
    size = find_board("ulx3s_25f_both").require_contractor()
    found = set()
    for n_features in (20, 240):
        X, y = samples(kind, n_features)
        model = quick(kind, bond_dim=20, epochs=1)
        before = dict(vars(model))
        try:
            model.check_capacity(X, y, board="ulx3s_25f_both")
            fits = True
        except CapacityError as error:
            fits = False
            assert error.needed > error.limit == size.program_words
            assert "words of program memory (8 bytes each) with weights of 4 bits" in str(error)
        assert vars(model) == before
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CapacityWarning)
                model.fit(X, y)
            model.quantize("auto", board="ulx3s_25f_both").check(size)
            assert fits
        except CapacityError:
            assert not fits
        found.add(fits)
    assert found == {True, False}


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_too_many_features_warn_in_fit_once_and_are_refused_by_the_check(kind):
    X, y = samples(kind, 1025, n=6)
    model = quick(kind, bond_dim=2, epochs=1)
    with pytest.warns(CapacityWarning, match=r"no board: .* 1025 needed, .* 1024; select") as seen:
        model.fit(X, y)
    assert len(seen) == 1 and seen[0].filename == __file__
    for board in (None, "icebreaker"):
        with pytest.raises(CapacityError, match="features of a sample: 1025 needed"):
            clone(model).check_capacity(X, y, board=board)
    with pytest.raises(CapacityError, match="features of a sample: 1025 needed"):
        model.quantize()


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_too_many_classes_warn_in_fit_and_are_refused_by_the_check(kind):
    rng = np.random.default_rng(0)
    X, y = rng.random((130, 2)), np.arange(130) % 65
    model = quick(kind, bond_dim=2, epochs=1)
    with pytest.warns(CapacityWarning, match="classes: 65 needed, the device holds 64; join"):
        model.fit(X, y)
    with pytest.raises(CapacityError, match="classes: 65 needed, the device holds 64; join"):
        model.check_capacity(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(kind, bond_dim=2, epochs=1).fit(X[y < 64], y[y < 64]).quantize()


@pytest.mark.parametrize("kind", [MPSClassifier, MPSAnomalyDetector])
def test_a_network_beyond_the_largest_board_warns_in_fit(kind):
    X, y = samples(kind, 300, n=6)
    with pytest.warns(
        CapacityWarning, match=r"on ulx3s_85f, the largest one, words of .* the device holds 16384"
    ):
        quick(kind, bond_dim=32, epochs=1).fit(X, y)
    # No board has room for so many components of a feature map, either.
    table = np.random.default_rng(0).uniform(-1, 1, (16, 9))
    with pytest.warns(CapacityWarning, match="components of the feature map: 9 needed"):
        quick(kind, epochs=1, feature_map=table).fit(X[:, :3], y)


def test_the_largest_chain_that_some_board_holds_does_not_warn():
    X, y = samples(MPSClassifier, 784, n=6)
    sizes = [find_board(name).require_contractor() for name in ("icebreaker", "ulx3s_85f")]
    for bond_dim, fits in ((9, True), (11, False)):
        model = quick(MPSClassifier, bond_dim=bond_dim, epochs=1)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            model.fit(X, y)
        assert [item.category for item in seen] == ([] if fits else [CapacityWarning])
        program = model.quantize(4)
        needs = [
            demands(program.nodes, program.names, 784, len(program.table), size) for size in sizes
        ]
        assert any(all(need.fits for need in each) for each in needs) == fits


def test_the_check_refuses_what_fit_refuses():
    X, y = samples(MPSClassifier, 3)
    with pytest.raises(ValueError, match="bond_dim"):
        MPSClassifier(bond_dim=1).check_capacity(X, y, board="icebreaker")
    with pytest.raises(ValueError, match="at least 2 classes"):
        MPSClassifier().check_capacity(X, np.zeros(30), board="icebreaker")
    with pytest.raises(ValueError, match="no board is called 'nonsense'"):
        MPSClassifier().check_capacity(X, y, board="nonsense")
    with pytest.raises(ValueError, match="has no contractor"):
        MPSClassifier().check_capacity(X, y, board="ulx3s_25f_annealer")
