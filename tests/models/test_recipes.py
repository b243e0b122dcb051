"""Recipes: what "auto" stands for, by the size of the data."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.models import MPSClassifier, MPSRegressor, TTNClassifier
from tensorspin.models.recipes import MPS_CLASSIFIER, MPS_REGRESSOR, TTN_CLASSIFIER

RECIPES = [
    (MPSClassifier, MPS_CLASSIFIER),
    (TTNClassifier, TTN_CLASSIFIER),
    (MPSRegressor, MPS_REGRESSOR),
]


def choose(kind, n_samples, n_features, **given):
    return dict(RECIPES)[kind](n_samples, n_features, kind(**given).get_params())


@pytest.mark.parametrize(("kind", "recipe"), RECIPES)
def test_a_recipe_chooses_all_that_is_automatic_by_default(kind, recipe):
    automatic = {name for name, value in kind().get_params().items() if value == "auto"}
    assert set(recipe.names) == automatic - {"batch_size", "calibration"}
    for n_features in (1, 48, 49, 784):
        assert set(choose(kind, 100, n_features)) == set(recipe.names)


def test_many_features_get_what_was_the_default_before():
    before = {"n_repeats": 1, "feature_map": "linear", "scaling": "range"}
    mps = {"bond_dim": 16, "learning_rate": 0.005, "weight_decay": 0.3, "input_noise": 0.1}
    assert choose(MPSClassifier, 500, 64) == {**before, **mps, "label_smoothing": 0.0}
    ttn = {"bond_dim": 16, "learning_rate": 0.01, "weight_decay": 0.3, "input_noise": 0.13}
    assert choose(TTNClassifier, 500, 64) == {**before, **ttn, "label_smoothing": 0.0}
    of_numbers = {"bond_dim": 8, "learning_rate": 0.002, "weight_decay": 1.0, "input_noise": 0.1}
    assert choose(MPSRegressor, 500, 64) == {**before, **of_numbers}


@pytest.mark.parametrize(
    ("n_samples", "decay"), [(1, 1.0), (700, 1.0), (1400, 0.5), (10**6, 0.1), (None, 0.35)]
)
def test_the_decay_of_few_features_falls_with_the_samples(n_samples, decay):
    assert choose(MPSClassifier, n_samples, 48)["weight_decay"] == pytest.approx(decay)
    assert choose(MPSClassifier, n_samples, 49)["weight_decay"] == 0.3


def test_what_is_chosen_suits_what_is_given():
    values = choose(MPSClassifier, 100, 5)
    assert values["feature_map"] == "bernstein" and values["n_repeats"] == 2
    # More sites make up for a map of two components, whatever its form.
    ends = np.eye(2)
    for given in (
        {"feature_map": "linear"},
        {"feature_map": "trigonometric"},
        {"feature_map": ends},
        {"local_dim": 2},
    ):
        assert choose(MPSClassifier, 100, 5, **given)["n_repeats"] == 4
    for given in ({"feature_map": "bumps"}, {"feature_map": np.eye(3)}, {"local_dim": 3}):
        assert choose(MPSClassifier, 100, 5, **given)["n_repeats"] == 2
    assert choose(MPSRegressor, 100, 5)["n_repeats"] == 1
    for kind in (MPSClassifier, TTNClassifier):
        assert choose(kind, 100, 5, weight_bits=4)["input_noise"] == 0.01
        assert choose(kind, 100, 5, weight_bits=8)["input_noise"] == 0.03
    # A number of components asks for a map that has it.
    for n_features in (5, 784):
        for kind in (MPSClassifier, TTNClassifier, MPSRegressor):
            assert choose(kind, 100, n_features, local_dim=6)["feature_map"] == "bernstein"
    assert choose(MPSClassifier, 100, 5)["scaling"] == "percentile"
    assert choose(MPSClassifier, 100, 5, feature_range=(0, 1))["scaling"] == "range"
