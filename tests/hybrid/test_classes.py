"""One Born machine for each class classifies, and tells its price."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin.hybrid import born_circuits_per_class

X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def circuits():
    return born_circuits_per_class(X[::2], Y[::2], epochs=30, random_state=0)


def test_the_greatest_p0_tells_the_class(circuits):
    p0 = circuits.exact_probabilities(X[1::2])
    assert p0.shape == (75, 3)
    assert (circuits.predict(p0) == Y[1::2]).mean() > 0.85
    few = np.random.default_rng(0).binomial(100, p0) / 100
    assert (circuits.predict(few) == Y[1::2]).mean() > 0.8


def test_all_classes_have_the_same_factor(circuits):
    samples = circuits.clipped(X)
    offsets = np.stack([circuit.log_offset(samples) for circuit in circuits.circuits])
    assert np.ptp(offsets, axis=0).max() < 1e-9
    angles = [circuit.angles(samples) for circuit in circuits.circuits]
    assert np.array_equal(angles[0], angles[1]) and np.array_equal(angles[0], angles[2])


def test_priors_count_and_decide_where_nothing_was_seen():
    labels = np.where(Y == 0, "a few", "many")[40:]
    circuits = born_circuits_per_class(X[40:], labels, epochs=3, random_state=0)
    assert circuits.classes.tolist() == ["a few", "many"]
    assert circuits.priors == pytest.approx([10 / 110, 100 / 110])
    assert circuits.predict([[0, 0], [0.09, 0.01], [0.11, 0.01]]).tolist() == [
        *("many", "many", "a few")
    ]


def test_the_price_is_what_ten_zeros_take(circuits):
    p0 = circuits.exact_probabilities(X)
    assert circuits.price(X) == pytest.approx(30 / p0.max(axis=1))
    assert circuits.price(X, zeros=1) == pytest.approx(3 / p0.max(axis=1))
    for wrong in (0, 1.5, True, "1"):
        with pytest.raises(ValueError, match="zeros must be an integer of at least 1"):
            circuits.price(X, zeros=wrong)


def test_constant_features_and_values_outside_are_taken():
    data = np.column_stack([X, np.full(150, 7.0), np.zeros(150)])
    circuits = born_circuits_per_class(data, Y, epochs=2, random_state=0)
    assert np.isfinite(circuits.exact_probabilities(100 * data)).all()
    assert circuits.circuits[0].n_qubits == 6
    small = born_circuits_per_class(X, Y, epochs=1, reuse_qubits=True)
    assert small.circuits[0].n_qubits == 2


@pytest.mark.parametrize(
    "wrong",
    [
        [[0.1, 0.2]],
        [0.1, 0.2, 0.3],
        [[0.1, 0.2, -0.1]],
        [[0.1, 0.2, 1.1]],
        [[0.1, 0.2, np.nan]],
    ],
)
def test_wrong_probabilities_are_refused(circuits, wrong):
    with pytest.raises(ValueError, match="probabilities must"):
        circuits.predict(wrong)


def test_wrong_samples_and_options_are_refused():
    with pytest.raises(ValueError, match="at least two classes of at least 2 samples"):
        born_circuits_per_class(X, np.zeros(150, int))
    with pytest.raises(ValueError, match="at least two classes of at least 2 samples"):
        born_circuits_per_class(X, [0] * 149 + [1])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        born_circuits_per_class(X, Y[:-1])
    with pytest.raises(ValueError, match="continuous"):
        born_circuits_per_class(X, np.linspace(0, 1, 150))
    with pytest.raises(TypeError, match="takes no scaling: the P0 of classes"):
        born_circuits_per_class(X, Y, scaling="tails")
    with pytest.raises(TypeError, match="colour"):
        born_circuits_per_class(X, Y, colour="red")
    with pytest.raises(ValueError, match="bond_dim"):
        born_circuits_per_class(X, Y, bond_dim=1)
