"""Classifiers and regressors are refused with the number that decides it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.hybrid import born_circuit, post_selection_probability
from tensorspin.hybrid.circuits.unit_network import unit_network
from tensorspin.models import (
    EnsembleClassifier,
    MPSAnomalyDetector,
    MPSClassifier,
    MPSRegressor,
    TTNClassifier,
)

from ..support.born_machines import samples

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize("kind", [MPSClassifier, TTNClassifier, MPSRegressor])
def test_what_is_no_born_machine_is_refused_with_its_chance(kind):
    model = kind(4, epochs=3, random_state=0).fit(X, Y)
    chance = np.median(post_selection_probability(model, X))
    assert 0 < chance < 0.9
    with pytest.raises(TypeError, match="a circuit needs a detector") as refused:
        born_circuit(model)
    assert f"a probability of {chance:.2g} (median of its samples)" in str(refused.value)
    with pytest.raises(TypeError, match="measured as 0, and without its sign"):
        born_circuit(model.quantize())
    rounded = post_selection_probability(model.quantize(), X)
    assert np.median(rounded) == pytest.approx(chance, rel=0.1)


def test_an_ensemble_is_refused():
    model = EnsembleClassifier(random_state=0).fit(X[::5], Y[::5])
    with pytest.raises(TypeError, match="a circuit needs a detector"):
        born_circuit(model)


def test_the_chance_of_a_single_output_is_its_squared_amplitude():
    """A map of norm 1 whose components are orthonormal, so that both kinds are the same."""
    steps = np.eye(2)[(np.arange(256) >= 128).astype(int)]
    few = samples(4)[:20]
    model = MPSAnomalyDetector(2, feature_map=steps, epochs=2, random_state=0).fit(samples(4))
    exact = born_circuit(model).exact_probability(few)
    assert post_selection_probability(model, few) == pytest.approx(exact)


def test_the_chances_of_outputs_add_up():
    model = MPSClassifier(2, epochs=3, random_state=0).fit(X, Y)
    label = model.label_tensor_
    total = np.zeros(len(X))
    for output in range(3):
        single = copy.copy(model)
        single.label_tensor_ = label[[output]]
        network = unit_network(single, own_components=True)
        total += np.exp(network.log_scale) * post_selection_probability(single, X)
    whole = np.exp(unit_network(model, own_components=True).log_scale) * post_selection_probability(
        model, X
    )
    assert total == pytest.approx(whole)
