"""Probabilities of a single network: their temperature is fitted to samples that it did not see."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.metrics import log_loss

from tensorspin import EnsembleClassifier, MPSClassifier, NetworkProgram, TTNClassifier
from tensorspin.models.held_out import CALIBRATED, held_out_temperature, is_calibrated
from tensorspin.models.weighting import Samples

from ..support.estimators import CLASSIFIERS, tensors_of

X, Y = load_iris(return_X_y=True)
NOISY = make_classification(900, 10, n_informative=5, n_classes=3, flip_y=0.3, random_state=0)
QUICK = {"bond_dim": 4, "epochs": 15, "random_state": 0}


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_noisy_classes_are_told_less_certainly_and_classes_stay(kind):
    data, labels = NOISY
    options = {"epochs": 25, "random_state": 0}
    plain = kind(calibration=None, **options).fit(data[:600], labels[:600])
    model = kind(**options).fit(data[:600], labels[:600])
    for tensor, other in zip(tensors_of(model), tensors_of(plain), strict=True):
        np.testing.assert_array_equal(tensor, other)
    assert model.temperature_ == plain.temperature_ == plain.calibrated_temperature_
    assert model.calibrated_temperature_ < 0.9 * model.temperature_
    rest = data[600:]
    np.testing.assert_array_equal(model.decision_function(rest), plain.decision_function(rest))
    np.testing.assert_array_equal(model.predict(rest), plain.predict(rest))
    losses = [log_loss(labels[600:], each.predict_proba(rest)) for each in (model, plain)]
    assert losses[0] < losses[1] - 0.02


def test_smoothed_labels_no_longer_make_easy_classes_uncertain():
    model = MPSClassifier(epochs=40, random_state=0).fit(X[::2], Y[::2])
    assert model.calibrated_temperature_ > 1.1 * model.temperature_
    chances = model.predict_proba(X[1::2])
    bare = clone(model).set_params(calibration=None).fit(X[::2], Y[::2]).predict_proba(X[1::2])
    assert log_loss(Y[1::2], chances) < log_loss(Y[1::2], bare)


def test_programs_boards_files_and_pickles_have_both_temperatures(tmp_path):
    model = MPSClassifier(**QUICK).fit(X, Y)
    assert model.calibrated_temperature_ != model.temperature_
    program = model.quantize()
    program.save(tmp_path / "model.npz")
    task = NetworkProgram.load(tmp_path / "model.npz").task
    assert task.temperature == pytest.approx(model.temperature_)
    assert task.probability_temperature == pytest.approx(model.calibrated_temperature_)
    with model.deploy("golden://icebreaker") as board:
        assert np.abs(board.predict_proba(X) - model.predict_proba(X)).max() < 0.1
        logits = board.decision_function(X)
    assert np.abs(logits - model.decision_function(X)).max() < 0.1 * np.abs(logits).max()
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_a_program_of_before_has_one_temperature():
    model = MPSClassifier(**QUICK).fit(X, Y)
    del model.calibrated_temperature_  # as in a pickle of an earlier version
    logits = model.decision_function(X)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), chances)
    assert model.quantize().task.probability_temperature == model.temperature_


def test_who_asks_for_a_second_training():
    least, most = CALIBRATED
    model = MPSClassifier()
    assert [is_calibrated(model, n) for n in (least - 1, least, most, most + 1)] == [0, 1, 1, 0]
    assert is_calibrated(MPSClassifier(calibration="held_out"), 10**6)
    assert not is_calibrated(MPSClassifier(calibration=None), 100)
    # What is written out trains once, as fast as ever.
    written = clone(model).set_params(**dict.fromkeys(model._automatic, 1))
    assert not is_calibrated(written, 100)
    assert is_calibrated(written.set_params(calibration="held_out"), 100)


def test_trainings_that_go_on_take_the_temperature_of_the_training():
    model = MPSClassifier(**QUICK, warm_start=True).fit(X, Y)
    assert model.calibrated_temperature_ != model.temperature_
    model.fit(X, Y)
    assert model.calibrated_temperature_ == model.temperature_
    part = MPSClassifier(**QUICK).partial_fit(X, Y, classes=[0, 1, 2])
    assert part.calibrated_temperature_ == part.temperature_


def test_early_stopping_has_samples_to_calibrate_with(monkeypatch):
    def refuse(*_):
        raise AssertionError("a second network was trained")

    monkeypatch.setattr("tensorspin.models.classifier.held_out_temperature", refuse)
    model = MPSClassifier(**QUICK, early_stopping=True).fit(X, Y)
    assert model.calibrated_temperature_ != model.temperature_


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_weights_count_and_a_rare_class_may_be_a_single_sample(kind):
    data, labels = NOISY[0][:120], NOISY[1][:120].copy()
    wrong = 2 - labels
    labels[labels == 2] = 1
    labels[7] = 2
    model = kind(**QUICK, class_weight={0: 1, 1: 3}).fit(data, labels)
    assert model.predict_proba(data).shape == (120, 3)
    doubled = np.r_[data, data], np.r_[labels, wrong]
    weights = np.r_[np.ones(120), np.zeros(120)]
    again = kind(**QUICK, class_weight={0: 1, 1: 3}).fit(*doubled, weights)
    assert again.calibrated_temperature_ == model.calibrated_temperature_


@pytest.mark.parametrize("zero", [[1], [1, 2]])
def test_classes_that_count_nothing_are_no_trouble(zero):
    model = MPSClassifier(**QUICK, class_weight=dict.fromkeys(zero, 0)).fit(X, Y)
    assert model.predict_proba(X).shape == (150, 3)
    assert (model.calibrated_temperature_ == model.temperature_) == (len(zero) == 2)


def test_a_second_training_that_diverges_leaves_the_temperature(monkeypatch):
    def diverge(*_):
        raise FloatingPointError

    monkeypatch.setattr("tensorspin.models.held_out.fit_temperature", lambda *_: 99.0)
    assert MPSClassifier(**QUICK).fit(X, Y).calibrated_temperature_ == 99
    model = MPSClassifier(**QUICK, calibration=None).fit(X, Y).set_params(calibration="auto")
    monkeypatch.setattr(MPSClassifier, "fit", diverge)

    assert held_out_temperature(model, Samples(X, Y, None)) == model.temperature_


def test_networks_of_an_ensemble_are_trained_once():
    members = [MPSClassifier(**QUICK, calibration="held_out"), TTNClassifier(2, epochs=5)]
    model = EnsembleClassifier(members, keep="all", random_state=0).fit(X, Y)
    assert all(member.calibration is None for member in model.members_)


@pytest.mark.parametrize("calibration", ["sigmoid", True, 0, "none"])
def test_what_is_no_calibration_is_refused(calibration):
    with pytest.raises(ValueError, match='must be "auto", "held_out" or None, not'):
        MPSClassifier(calibration=calibration).fit(X, Y)
