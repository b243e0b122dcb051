"""Samples held out to choose the networks of an ensemble, and the choice."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin import EnsembleClassifier, MPSClassifier
from tensorspin.models.ensemble_validation import (
    CROSS_VALIDATED,
    FOLDS,
    Validation,
    hold_out,
    validation_parts,
)


def test_choice_keeps_what_is_near_the_best_and_begins_with_it():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    true = np.eye(3)[labels]
    logits = {
        "near": true + 0.52 * rng.standard_normal((400, 3)),
        "far": true + 3.0 * rng.standard_normal((400, 3)),
        "best": true + 0.5 * rng.standard_normal((400, 3)),
    }
    validation = Validation(logits, labels, None, 4.0)
    assert validation.chosen() == ["best", "near"]
    assert validation.quality(["best", "near"]) > validation.quality(["best"])
    # Few samples tell little: one standard error is more than the tolerance.
    few = Validation({n: v[:12] for n, v in logits.items()}, labels[:12], None, 4.0)
    assert {"best", "near"} <= set(few.chosen())
    # Samples that count nothing decide nothing.
    weights = np.r_[np.ones(200), np.zeros(200)]
    half = Validation({n: v[:200] for n, v in logits.items()}, labels[:200], None, 4.0)
    weighted = Validation(logits, labels, weights, 4.0)
    assert weighted.quality(["far"]).accuracy == pytest.approx(half.quality(["far"]).accuracy)


def test_samples_are_held_out_of_each_class_but_never_all():
    labels = np.repeat([0, 1, 2, 3], [1, 2, 100, 40])
    held = hold_out(labels, 0.15, seed=3)
    counts = np.bincount(labels[held], minlength=4)
    assert counts[0] == 0 and counts[1] <= 1
    assert counts[2:].tolist() == [15, 6]
    assert np.array_equal(held, hold_out(labels, 0.15, seed=3))
    assert not np.array_equal(held, hold_out(labels, 0.15, seed=4))


def test_all_of_few_samples_are_held_out_in_turn():
    labels = np.repeat([0, 1, 2, 3], [1, 2, 101, 40])
    parts = validation_parts(labels, "auto", True, seed=3)
    assert len(parts) == FOLDS
    times = np.sum(parts, axis=0)
    # The only sample of a class must train every time.
    assert times.tolist() == [0] + [1] * 143
    sizes = np.sum(parts, axis=1)
    assert sizes.max() - sizes.min() <= 1
    for held in parts:
        assert set(labels[~held]) == {0, 1, 2, 3}
        assert 10 <= np.sum(labels[held] == 3) <= 10 and 25 <= np.sum(labels[held] == 2) <= 26
    again = validation_parts(labels, "auto", True, seed=3)
    assert np.array_equal(parts, again)


def test_many_samples_or_a_share_are_held_out_once():
    many = np.arange(CROSS_VALIDATED[1] + 1) % 2
    assert [int(held.sum()) for held in validation_parts(many, "auto", True, 0)] == [150]
    assert [int(held.sum()) for held in validation_parts(many[:100], "auto", False, 0)] == [15]
    assert [int(held.sum()) for held in validation_parts(many[:100], 0.3, True, 0)] == [30]
    assert validation_parts(np.arange(6), "auto", True, 0) == []
    assert validation_parts(np.arange(8) // 2, 0.1, True, 0) == []


def samples_of_networks(n_samples=600):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, n_samples)
    true = np.eye(3)[labels]

    def of(noise: float) -> np.ndarray:
        scores = true + noise * rng.standard_normal((n_samples, 3))
        return 5 * scores / np.linalg.norm(scores, axis=1, keepdims=True)

    return {"fair": of(0.8), "good": of(0.6), "useless": of(50.0)}, labels


def test_weights_follow_what_a_network_adds():
    logits, labels = samples_of_networks()
    validation = Validation(logits, labels, None, 5.0)
    weights = validation.stacked()
    assert list(weights) == ["good", "fair"]
    assert weights["good"] > weights["fair"] > 0
    together, alone = validation.quality(weights), validation.quality(["good"])
    assert together.likelihood > alone.likelihood
    assert together.likelihood >= validation.quality(["good", "fair"]).likelihood - 1e-3
    names, left_out = validation.kept(crossed=True)
    assert names == ["good", "fair"]
    assert "below that of the best, and beside the others" in left_out["useless"]
    # Those that are named have a weight, however small, as the sum on a board needs one.
    assert min(validation.stacked(["useless", "good"]).values()) > 0


def test_samples_that_count_nothing_give_no_weights():
    logits, labels = samples_of_networks()
    shares = np.r_[np.ones(300), np.zeros(300)]
    half = Validation({n: v[:300] for n, v in logits.items()}, labels[:300], None, 5.0)
    found = Validation(logits, labels, shares, 5.0).stacked()
    # A sample counts for one on average, also where half of them count nothing.
    assert list(found) == list(half.stacked())
    for name, weight in half.stacked().items():
        assert found[name] == pytest.approx(weight, rel=0.2)


def test_few_samples_are_cross_validated_and_networks_get_weights():
    X, y = load_iris(return_X_y=True)
    members = [("a", MPSClassifier(4, epochs=15)), ("b", MPSClassifier(3, epochs=5))]
    model = EnsembleClassifier(members, random_state=0).fit(X, y)
    assert len(model.member_weights_) == len(model.members_) and min(model.member_weights_) > 0
    assert model.quality_.accuracy * len(X) == pytest.approx(
        round(model.quality_.accuracy * len(X))
    )  # of all samples
    total = sum(w * m._logits(X) for w, m in zip(model.member_weights_, model.members_))
    assert np.allclose(model.scores(X), total)
    program = model.quantize()
    assert np.mean(program.predict(X) == model.predict(X)) > 0.97
    with model.deploy("golden://icebreaker") as on_board:
        assert np.abs(on_board.predict_proba(X) - model.predict_proba(X)).max() < 0.1
    once = EnsembleClassifier(members, validation_fraction=0.2, random_state=0).fit(X, y)
    assert set(once.member_weights_) == {1.0}
