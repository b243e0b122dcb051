"""`EnsembleClassifier`: what it chooses, and the one program that it becomes."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris, load_wine, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import tensorspin
from tensorspin import EnsembleClassifier, MPSClassifier, NetworkProgram, TTNClassifier
from tensorspin.contract.device.boards import find_board
from tensorspin.errors import CapacityError, CapacityWarning
from tensorspin.models import ensemble_validation
from tensorspin.models.ensemble_members import automatic_members
from tensorspin.models.ensemble_validation import TOLERANCE

from ..support.loaded_programs import cycles_of

QUICK = {"bond_dim": 4, "epochs": 20, "random_state": 0}


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True)
    return train_test_split(X, y, random_state=0, stratify=y)


@pytest.fixture(scope="module")
def fitted(wine):
    X, _, y, _ = wine
    return EnsembleClassifier(**QUICK, keep="all").fit(X, y)


@parametrize_with_checks(
    [EnsembleClassifier(bond_dim=4, epochs=10)],
    expected_failed_checks=lambda estimator: {
        "check_sample_weight_equivalence_on_dense_data": "its networks draw batches and noise"
    },
)
def test_scikit_learn_check(estimator, check):
    check(estimator)


def test_program_agrees_with_the_host(fitted, wine):
    _, X, _, y = wine
    program = fitted.quantize()
    assert np.mean(program.predict(X) == fitted.predict(X)) >= 0.97
    assert fitted.score(X, y) >= 0.95
    # Columns are scaled in three ways: by percentiles, from end to end, and by quantiles.
    assert program.n_features_in_ == 13 < program.n_features == 39
    with fitted.deploy("golden://ulx3s_85f") as on_board:
        assert np.array_equal(on_board.predict(X), program.predict(X))
        assert np.abs(on_board.predict_proba(X) - fitted.predict_proba(X)).max() < 0.1
        size = find_board("ulx3s_85f").contractor
        assert on_board.last_run_.cycles[0] == cycles_of(program, size)


def test_program_is_kept_in_a_file(fitted, wine, tmp_path):
    _, X, _, _ = wine
    tensorspin.save(fitted, tmp_path / "model.npz")
    loaded = NetworkProgram.load(tmp_path / "model.npz")
    assert np.array_equal(loaded.run_golden(X).scores, fitted.quantize().run_golden(X).scores)


def test_scores_are_the_sum_of_the_members_logits(fitted, wine):
    _, X, _, _ = wine
    total = sum(np.log(member.predict_proba(X)) for member in fitted.members_)
    assert np.array_equal(fitted.classes_[total.argmax(axis=1)], fitted.predict(X))
    differences = (fitted.scores(X) - total).std(axis=1)  # only a constant of each sample
    assert np.allclose(differences, 0)


def test_networks_that_share_a_scale_share_features(wine):
    X, X_test, y, _ = wine
    model = EnsembleClassifier(**QUICK, keep="all", feature_range=(X.min(0) - 1, X.max(0) + 99))
    program = model.fit(X, y).quantize()
    assert program.n_features == program.n_features_in_ == 13
    assert not program.clip
    with pytest.raises(ValueError, match="feature_range"):
        program.predict(X_test * 1e6)


def test_members_may_be_chains_and_trees_with_any_map_and_scale(wine):
    X, X_test, y, _ = wine
    members = [
        ("tree", TTNClassifier(4, epochs=20)),
        ("bumps", MPSClassifier(4, epochs=20, feature_map="bumps", scaling="quantile")),
    ]
    model = EnsembleClassifier(members, keep="all", random_state=1).fit(X, y)
    assert set(model.member_names_) == {"tree", "bumps"}
    program = model.quantize()
    assert program.table.shape[0] == 6
    assert np.mean(program.predict(X_test) == model.predict(X_test)) >= 0.9
    assert model.fit(X, y).quantize().digest(8) == program.digest(8)


def test_members_without_names_are_called_by_number(wine):
    X, _, y, _ = wine
    member = MPSClassifier(4, epochs=10)
    model = EnsembleClassifier([member, member], keep="all", random_state=0).fit(X, y)
    assert sorted(model.member_names_) == ["network 0", "network 1"]
    first, second = model.members_
    assert first.random_state != second.random_state  # the same network twice would be no use
    assert member.random_state is None  # the user's own estimator stays as it was


def test_a_network_that_is_far_worse_is_left_out(wine):
    X, X_test, y, _ = wine
    good = MPSClassifier(6, epochs=40, scaling="percentile")
    poor = MPSClassifier(2, epochs=1, learning_rate=1e-6)
    model = EnsembleClassifier([("poor", poor), ("good", good)], random_state=0).fit(X, y)
    assert model.member_names_ == ["good"]
    assert "below that of the best" in model.left_out_["poor"]
    assert model.qualities_["good"].likelihood > model.qualities_["poor"].likelihood + TOLERANCE
    assert model.quality_.accuracy == model.qualities_["good"].accuracy
    # One network alone is the program that it would be without an ensemble.
    alone = model.members_[0].quantize()
    assert model.quantize().digest(8) == alone.digest(8)
    assert np.array_equal(model.predict(X_test), model.members_[0].predict(X_test))


def test_too_few_samples_to_validate_keep_all_networks():
    X, y = load_iris(return_X_y=True)
    model = EnsembleClassifier(**QUICK).fit(X[::25], y[::25])
    assert len(model.members_) == 4
    assert model.qualities_ == {} and model.quality_ is None
    assert model.predict(X[::25]).shape == (6,)


def test_the_same_seed_gives_the_same_program(fitted, wine):
    X, _, y, _ = wine
    again = clone(fitted).fit(X, y)
    assert again.quantize().digest(8) == fitted.quantize().digest(8)
    assert pickle.loads(pickle.dumps(fitted)).quantize().digest(8) == fitted.quantize().digest(8)


def test_weights_of_zero_leave_samples_out(wine):
    X, _, y, _ = wine
    wrong = np.r_[y, (y + 1) % 3]
    model = EnsembleClassifier(**QUICK)
    weights = np.r_[np.ones(len(y)), np.zeros(len(y))]
    left = model.fit(np.r_[X, X], wrong, weights).quantize().digest(8)
    assert clone(model).fit(X, y).quantize().digest(8) == left


def test_class_weights_reach_the_networks_and_the_choice():
    X, y = make_classification(200, 4, weights=[0.9], flip_y=0.2, random_state=0)
    plain = EnsembleClassifier(**QUICK).fit(X, y)
    balanced = EnsembleClassifier(**QUICK, class_weight="balanced").fit(X, y)
    assert np.mean(balanced.predict(X) == 1) > np.mean(plain.predict(X) == 1)
    assert all(member.class_weight == "balanced" for member in balanced.members_)


def test_names_of_columns_stay_with_the_program(wine):
    X, _, y, _ = wine
    frame = pd.DataFrame(X, columns=[f"c{i}" for i in range(13)])
    program = EnsembleClassifier(**QUICK).fit(frame, y).quantize()
    assert program.feature_names == tuple(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        program.predict(frame[frame.columns[::-1]])


def test_pipeline_is_folded_in_front_of_all_networks(wine):
    X, X_test, y, _ = wine
    pipeline = make_pipeline(StandardScaler(), EnsembleClassifier(**QUICK, keep="all")).fit(X, y)
    program = tensorspin.models.quantize(pipeline)
    assert (program.n_features_in_, program.n_features) == (13, 39)
    inner = pipeline[-1].quantize()
    scaled = pipeline[:-1].transform(X_test)
    assert np.array_equal(program.levels(X_test), inner.levels(scaled))


def test_levels_are_those_of_each_network(fitted, wine):
    _, X, _, _ = wine
    X = np.r_[X, 100 * X, -X]
    levels = fitted.quantize().levels(X)
    for member in fitted.members_:
        own = member.quantize().levels(X)
        assert any(np.array_equal(own, levels[:, start : start + 13]) for start in (0, 13, 26))


def large_members(number):
    """Networks of 13 features of which an iCEBreaker holds one in 8 bits, and two in 4."""
    return [
        MPSClassifier(31, epochs=1, feature_map="bernstein", n_repeats=2, feature_range=(0, 9999))
        for _ in range(number)
    ]


def test_small_board_gets_narrow_weights_and_then_the_best_networks(wine):
    X, X_test, y, _ = wine
    size = find_board("icebreaker").require_contractor()
    options = {"random_state": 0, "keep": "all"}
    model = EnsembleClassifier(large_members(2), **options).fit(X, y)
    with pytest.raises(CapacityError, match="program memory"):
        model.quantize().check(size)
    program = model.quantize("auto", board="icebreaker")
    program.check(size)
    assert 0 < sum(node.narrow for node in program.nodes) < len(program.nodes)
    model = EnsembleClassifier(large_members(3), **options).fit(X, y)
    with pytest.warns(CapacityWarning, match="left out so that the program fits the board"):
        on_board = model.deploy("golden://icebreaker")
    with on_board:
        on_board.predict(X_test[:2])
    planned = EnsembleClassifier(large_members(3), **options, board="icebreaker").fit(X, y)
    assert 1 <= len(planned.members_) < 3
    assert all("does not fit icebreaker" in reason for reason in planned.left_out_.values())


def test_members_that_would_not_fit_alone_are_made_smaller(wine):
    X, _, y, _ = wine
    X = np.tile(X, (1, 15))
    model = EnsembleClassifier(epochs=1, random_state=0, board="icebreaker").fit(X, y)
    size = find_board("icebreaker").require_contractor()
    model.quantize().check(size)
    program = model.members_[0].quantize(8)
    program.check(size)
    assert max(node.outputs for node in program.nodes) < 15


def test_more_classes_than_a_slot_holds_are_left_to_the_best_network(monkeypatch):
    monkeypatch.setattr(ensemble_validation, "TOLERANCE", 9.0)
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(33), 8)
    X = rng.random((len(y), 3)) + y[:, None] % [2, 5, 7]
    member = MPSClassifier(8, epochs=3)
    model = EnsembleClassifier([member, member], validation_fraction=0.15, random_state=0).fit(X, y)
    assert len(model.members_) == 1
    assert "does not fit any board beside the others" in " ".join(model.left_out_.values())
    model.quantize().check(find_board("icebreaker").require_contractor())
    fewer = EnsembleClassifier([member, member], keep="all", random_state=0)
    fewer.fit(X[y < 31], y[y < 31])
    assert len(fewer.members_) == 2
    assert np.mean(fewer.quantize().predict(X[y < 31]) == fewer.predict(X[y < 31])) > 0.9


def test_more_features_than_a_board_has_are_left_to_fewer_networks(monkeypatch):
    monkeypatch.setattr(ensemble_validation, "TOLERANCE", 9.0)
    X = np.random.default_rng(0).random((40, 600))
    y = np.arange(40) % 2
    members = [MPSClassifier(2, epochs=1, scaling=each) for each in ("percentile", "quantile")]
    model = EnsembleClassifier(members, validation_fraction=0.15, random_state=0).fit(X, y)
    assert len(model.members_) == 1
    model.quantize().check(find_board("icebreaker").require_contractor())


def test_what_fits_no_board_is_told_after_the_training():
    X = np.random.default_rng(0).random((20, 900))
    member = MPSClassifier(32, epochs=1, n_repeats=2, scaling="range")
    with pytest.warns(CapacityWarning, match="will fit no board"):
        EnsembleClassifier([member], random_state=0).fit(X, np.arange(20) % 2)


def test_no_network_that_fits_is_refused_before_the_training(wine):
    X, _, y, _ = wine
    many = np.tile(X, (1, 60))
    with pytest.raises(CapacityError):
        EnsembleClassifier(bond_dim=31).check_capacity(many, y, board="icebreaker")
    EnsembleClassifier().check_capacity(X, y, board="icebreaker")


def test_four_bits_cost_little(fitted, wine):
    _, X, _, _ = wine
    program = fitted.quantize(4)
    # The few nodes that give scores, improve references and add networks keep 8 bits.
    wide = [name for node, name in zip(program.nodes, program.names) if not node.narrow]
    assert len(wide) == 4 * 3 + 3 < 0.2 * len(program.nodes)
    assert program.words(8) < 0.65 * fitted.quantize().words(8)
    assert np.mean(program.predict(X) == fitted.predict(X)) > 0.95


def test_a_board_with_room_gets_the_program_of_8_bits(fitted):
    assert fitted.quantize("auto", board="ulx3s_85f").digest(8) == fitted.quantize(8).digest(8)


def test_one_network_alone_is_rounded_for_samples_too(wine):
    X, X_test, y, _ = wine
    model = EnsembleClassifier([MPSClassifier(8, epochs=20)], random_state=0).fit(X, y)
    program = model.quantize(4)
    assert all(node.narrow for node in program.nodes)
    assert np.mean(program.predict(X_test) == model.predict(X_test)) > 0.95


def test_one_table_of_four_components_serves_all_members_where_values_are_missing(wine):
    X, X_test, y, _ = wine
    holes = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X)
    model = EnsembleClassifier(**QUICK, keep="all", missing="level").fit(holes, y)
    program = model.quantize()
    assert len(model.members_) == 4 and len(program.table) == 4
    X_test = np.where(np.random.default_rng(1).random(X_test.shape) < 0.1, np.nan, X_test)
    assert np.mean(program.predict(X_test) == model.predict(X_test)) > 0.9


def test_words_and_quantiles_go_together():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.random(40), "colour": rng.choice(["red", "green"], 40)})
    model = MPSClassifier(2, epochs=1, scaling="quantile").fit(frame, frame["colour"] == "red")
    assert model.feature_maximum_[1] == 1


def test_automatic_members_follow_the_number_of_features():
    repeats = {d: [m.n_repeats for m in automatic_members(500, d).values()] for d in (8, 50, 99)}
    assert repeats == {8: [4, 2, 2, 2], 50: [2, 1, 2, 1], 99: [1, 1, 1, 1]}
    decays = [automatic_members(n, 8)["linear"].weight_decay for n in (100, 1400, 50_000)]
    assert decays == [1.0, 0.5, 0.1]
    assert automatic_members(100, 99)["smooth"].weight_decay == 0.3
    epochs = [automatic_members(n, 8)["linear"].epochs for n in (100, 3000, 6000, 50_000)]
    assert epochs == [100, 100, 50, 30]
    promised = automatic_members(500, 8, feature_range=(0, 1))
    assert {member.scaling for member in promised.values()} == {"range"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"members": "some"}, 'members must be "auto" or a list'),
        ({"members": []}, "at least one classifier"),
        ({"members": 3}, "a list of classifiers, not 3"),
        ({"keep": "none"}, "keep must be"),
        ({"validation_fraction": 1}, 'must be "auto" or a number between 0 and 1, not 1'),
        ({"validation_fraction": "a"}, "between 0 and 1, not 'a'"),
        ({"bond_dim": 1}, "bond_dim"),
        ({"epochs": 0}, "epochs"),
        ({"board": "toaster"}, "toaster"),
        (
            {"members": [("a", MPSClassifier()), ("a", MPSClassifier())]},
            "members must have different names",
        ),
        (
            {"members": [MPSClassifier(feature_range=(0, 9999)), MPSClassifier()]},
            "either all members or none",
        ),
    ],
)
def test_bad_parameters_are_refused(options, message, wine):
    X, _, y, _ = wine
    with pytest.raises(ValueError, match=message):
        EnsembleClassifier(**options).fit(X, y)


def test_what_is_no_network_is_refused(wine):
    X, _, y, _ = wine
    with pytest.raises(TypeError, match="only a tensor network runs on a board"):
        EnsembleClassifier([StandardScaler()]).fit(X, y)


def test_nothing_can_be_done_before_the_fit(wine):
    for call in (EnsembleClassifier().quantize, lambda: EnsembleClassifier().predict(wine[0])):
        with pytest.raises(NotFittedError):
            call()


def test_a_training_that_diverges_is_left_out(wine):
    X, _, y, _ = wine
    wild = MPSClassifier(4, epochs=3, learning_rate=1e30)
    good = MPSClassifier(4, epochs=10)
    with np.errstate(all="ignore"):
        model = EnsembleClassifier([("wild", wild), ("good", good)], random_state=0).fit(X, y)
        assert model.member_names_ == ["good"] and "wild" in model.left_out_
        with pytest.raises(FloatingPointError):
            EnsembleClassifier([wild], random_state=0).fit(X, y)
