"""Which scale suits many features: ranges, percentiles or quantiles."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tensorspin import MPSClassifier, MPSRegressor
from tensorspin.models import TTNClassifier
from tensorspin.models.spread import suited_scaling

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(400, 50))
COUNTS = RNG.poisson(RNG.lognormal(-1, 2.5, size=(400, 50)))


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (NORMAL, "range"),
        (RNG.random((400, 50)), "range"),
        (load_digits().data, "range"),
        (np.where(RNG.random((400, 50)) < 0.004, 50 * NORMAL, NORMAL), "percentile"),
        (np.exp(3 * NORMAL), "quantile"),
        (COUNTS.astype(float), "quantile"),
        (np.full((400, 50), 3.0), "range"),
        (np.full((400, 50), np.nan), "range"),
        ((COUNTS > 9).astype(float), "range"),  # of nothing but zeros and ones
        (np.exp(3 * NORMAL) * 1e300, "quantile"),
    ],
)
def test_what_suits(X, expected):
    assert suited_scaling(X) == suited_scaling(-X) == expected, "on either side"


def test_the_middle_feature_decides():
    tails = np.exp(3 * NORMAL)
    assert suited_scaling(np.column_stack([tails[:, :20], NORMAL[:, 20:]])) == "range"
    assert suited_scaling(np.column_stack([tails[:, :30], NORMAL[:, 30:]])) == "quantile"


def test_gaps_weights_and_many_samples():
    tails = np.exp(3 * NORMAL)
    gaps = np.where(RNG.random(tails.shape) < 0.2, np.nan, tails)
    assert suited_scaling(gaps) == "quantile"
    many = np.vstack([tails, np.full((20_000, 50), 1e9)])
    assert suited_scaling(many, np.r_[np.ones(400), np.full(20_000, 1e-12)]) == "quantile"
    assert suited_scaling(np.tile(NORMAL, (50, 1))) == "range"


@pytest.mark.parametrize("kind", [MPSClassifier, TTNClassifier])
def test_classifiers_of_many_features_look(kind):
    y = np.arange(400) % 2

    def settled(X, **given):
        return kind(bond_dim=2, epochs=1, **given).fit(X, y).settled_parameters()

    tails, usual = settled(COUNTS), settled(NORMAL)
    assert (tails["scaling"], usual["scaling"]) == ("quantile", "range")
    if kind is TTNClassifier:
        assert (tails["input_noise"], usual["input_noise"]) == (0.03, 0.13)
    assert settled(COUNTS, scaling="range")["scaling"] == "range"
    assert settled(COUNTS, scaling="range")["input_noise"] == usual["input_noise"]
    assert settled(COUNTS, feature_range=(0, 1e6))["scaling"] == "range"
    assert settled(COUNTS[:, :48])["scaling"] == "percentile", "of few features"


def test_what_keeps_the_range():
    targets = COUNTS.sum(axis=1)  # a function of what a scale with clipped ends would lose
    model = MPSRegressor(bond_dim=2, epochs=1).fit(COUNTS, targets)
    assert model.settled_parameters()["scaling"] == "range"


def test_the_first_part_decides():
    model = MPSClassifier(bond_dim=2)
    model.partial_fit(COUNTS, np.arange(400) % 2, classes=[0, 1])
    model.partial_fit(COUNTS[:10], np.arange(10) % 2)
    assert model.settled_parameters()["scaling"] == "quantile"
