"""A classifier behind a guard."""

from __future__ import annotations

import pickle
import zipfile
from functools import cache
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tensorspin
from tensorspin import GuardedClassifier, MPSAnomalyDetector, MPSClassifier
from tensorspin.compiler.program_file import ProgramFileError
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.driver.board import Board
from tensorspin.driver.contractor import ContractorDriver
from tensorspin.errors import CapacityError
from tensorspin.models import BoardGuardedClassifier, GuardedProgram
from tensorspin.models.guard import fit_limits
from tensorspin.trust import Fault, inject

X, Y = load_iris(return_X_y=True)
FAR = np.array([[50.0, 34.0, 15.0, 2.0], [0.0, 9.0, 0.0, 9.0]])
BETWEEN = (X[50:60] + X[100:110]) / 2
GOLDEN = "golden://icebreaker"


def parts(epochs=30):
    options = {"epochs": epochs, "random_state": 0}
    return MPSClassifier(4, **options), MPSAnomalyDetector(4, **options)


@cache
def fitted():
    return GuardedClassifier(*parts(), 0.1, random_state=0).fit(X, Y)


def test_unusual_samples_are_refused_and_usual_ones_answered():
    guarded = fitted()
    assert guarded.predict(FAR).tolist() == [-1, -1]
    answers = guarded.predict(X)
    assert 0.7 < np.mean(answers != -1) < 1
    accepted = guarded.accepts(X)
    np.testing.assert_array_equal(accepted, answers != -1)
    np.testing.assert_array_equal(accepted, guarded.score_samples(X) >= 0)
    assert np.mean(answers[accepted] == Y[accepted]) > 0.97
    assert guarded.score(X, Y) == np.mean(answers == Y)  # a refusal counts as wrong
    assert guarded.classes_.tolist() == [0, 1, 2]
    assert guarded.predict_proba(FAR).shape == (2, 3)


def test_confidence_and_likelihood_refuse_different_samples():
    guarded = fitted()
    limits = guarded.limits_
    certain = guarded.predict_proba(FAR).max(axis=1) >= limits.confidence
    likely = guarded.detector_.score_samples(BETWEEN) >= limits.likelihood
    assert certain.any() or likely.any()
    uncertain = guarded.predict_proba(BETWEEN).max(axis=1) < limits.confidence
    np.testing.assert_array_equal(guarded.accepts(BETWEEN), likely & ~uncertain)
    assert (uncertain & likely).any()  # which the detector alone would let pass


def test_a_board_that_holds_two_programs_is_loaded_once():
    guarded = fitted()
    samples = np.concatenate([X[::10], FAR])
    for on_fault in (None, "raise"):
        with Board.open("golden://resident/ulx3s_25f") as board:
            on_board = guarded.deploy(board).set_params(on_fault=on_fault)
            answers = on_board.predict(samples)
            with mock.patch.object(ContractorDriver, "_upload", side_effect=AssertionError):
                for _ in range(3):
                    np.testing.assert_array_equal(on_board.predict(samples), answers)
            assert board.standby is on_board.program.classifier
            assert board.program is on_board.program.detector
    with guarded.deploy(GOLDEN) as elsewhere:
        np.testing.assert_array_equal(elsewhere.predict(samples), answers)


@cache
def sharing():
    """A guarded classifier whose parts share the scale of each feature."""
    shared = [part.set_params(feature_range=(0, 8)) for part in parts(10)]
    return GuardedClassifier(*shared, 0.1, random_state=0).fit(X, Y)


def test_samples_whose_levels_are_the_same_are_sent_once():
    samples = np.concatenate([X[::10], [[8, 0, 8, 0]]])
    with sharing().deploy(GOLDEN) as elsewhere:
        answers = elsewhere.predict(samples)
        assert not elsewhere.sent_once_
    for on_fault in (None, "raise"):
        with Board.open("golden://resident/ulx3s_25f") as board:
            on_board = sharing().deploy(board).set_params(on_fault=on_fault)
            for _ in range(2):
                np.testing.assert_array_equal(on_board.predict(samples), answers)
                assert on_board.sent_once_
            with mock.patch.object(ContractorDriver, "_ask_samples", side_effect=KeyError) as ask:
                with pytest.raises(KeyError):
                    on_board.predict(samples)
            assert ask.call_count == 1
            assert on_board.predict_proba(samples).shape == (len(samples), 3)
            np.testing.assert_array_equal(on_board.predict(samples), answers)
    with fitted().deploy("golden://resident/ulx3s_25f") as other:
        other.predict(samples)
        assert not other.sent_once_  # their scales differ


@pytest.mark.parametrize("place", ["program", "standby"])
def test_a_fault_of_either_program_is_mended_where_samples_are_sent_once(place):
    with Board.open("golden://resident/icebreaker") as board:
        guarded = GuardedClassifier(
            *(part.set_params(feature_range=(0, 8), local_dim=2) for part in parts(5)),
            random_state=0,
        ).fit(X, Y)
        on_board = guarded.deploy(board).set_params(on_fault="reload")
        answers = on_board.predict(X)
        for _ in range(place == "standby"):
            board.swap()
        inject(board, Fault(MemorySpace.PROGRAM, 17, 6))
        for _ in range(place == "standby"):
            board.swap()
        np.testing.assert_array_equal(on_board.predict(X), answers)
        assert on_board.sent_once_ and board.status().corrupted == 1


@pytest.mark.parametrize("false_alarms", [0.02, 0.1, 0.5])
def test_the_limits_refuse_the_share_that_is_given(false_alarms):
    rng = np.random.default_rng(0)
    seen, new = rng.random((2, 400)), rng.random((2, 20000))
    limits = fit_limits(*seen, false_alarms)
    assert np.mean(limits.margins(*seen) < 0) <= false_alarms
    assert np.mean(limits.margins(*new) < 0) == pytest.approx(false_alarms, abs=0.05)
    stricter = fit_limits(*seen, false_alarms / 2)
    assert stricter.confidence <= limits.confidence
    assert stricter.likelihood <= limits.likelihood


def test_limits_of_samples_that_are_all_the_same_refuse_none_of_them():
    same = np.full(30, 0.9)
    limits = fit_limits(same, same, 0.05)
    assert (limits.margins(same, same) >= 0).all() and limits.margins(same - 0.1, same)[0] < 0


def test_labels_that_are_texts_are_refused_by_a_text():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    guarded = GuardedClassifier(*parts(5), random_state=0).fit(X, names)
    assert guarded.predict(FAR).tolist() == ["refused", "refused"]
    assert set(guarded.predict(X)) <= {"refused", *names}
    other = GuardedClassifier(*parts(5), refused_label="?", random_state=0).fit(X, names)
    assert other.predict(FAR).tolist() == ["?", "?"]
    with pytest.raises(ValueError, match="refused_label must be none of the classes, not -1"):
        GuardedClassifier(*parts(1)).fit(X, Y - 1)
    assert GuardedClassifier(*parts(1), refused_label=9).fit(X, Y - 1).predict(FAR)[0] == 9


def test_parameters_are_those_of_scikit_learn():
    guarded = fitted()
    again = clone(guarded).set_params(classifier__bond_dim=3, false_alarms=0.2)
    assert again.get_params()["classifier__bond_dim"] == 3 and not hasattr(again, "limits_")
    copied = pickle.loads(pickle.dumps(guarded))
    np.testing.assert_array_equal(copied.predict(X), guarded.predict(X))
    for wrong, message in (
        ({"false_alarms": 0}, "false_alarms must be above 0 and below 1, not 0"),
        ({"validation_fraction": 1.5}, "validation_fraction must be above 0 and below 1"),
        ({"false_alarms": "5 %"}, "false_alarms must be above 0 and below 1, not '5 %'"),
        ({"validation_fraction": True}, "validation_fraction must be above 0 .* not True"),
    ):
        with pytest.raises(ValueError, match=message):
            clone(guarded).set_params(**wrong).fit(X, Y)
    with pytest.raises(ValueError, match="limits need at least 20 samples"):
        clone(guarded).fit(X[::4], Y[::4])
    with pytest.raises(TypeError, match="classifier must give probabilities"):
        GuardedClassifier(parts()[1], parts()[1]).fit(X, Y)
    with pytest.raises(TypeError, match="detector must score samples"):
        GuardedClassifier(parts()[0], parts()[0]).fit(X, Y)


def test_frames_and_pipelines_and_what_is_trained_already():
    frame = pd.DataFrame(X, columns=list("abcd"))
    classifier, detector = parts(10)
    scaled = make_pipeline(StandardScaler(), classifier)
    guarded = GuardedClassifier(scaled, detector, random_state=0).fit(frame, Y)
    assert guarded.feature_names_in_.tolist() == list("abcd")
    with guarded.deploy(GOLDEN) as on_board:
        far = pd.DataFrame(FAR, columns=list("abcd"))
        assert on_board.predict(far).tolist() == [-1, -1]
    frozen = [FrozenEstimator(part) for part in (classifier.fit(X[::2], Y[::2]), detector)]
    detector.fit(X[::2])
    ready = GuardedClassifier(*frozen, validation_fraction=None).fit(X[1::2], Y[1::2])
    np.testing.assert_array_equal(ready.predict_proba(X), classifier.predict_proba(X))
    assert ready.quantize().classifier.n_outputs == 3


@pytest.mark.parametrize("board", [GOLDEN, "golden://resident/icebreaker"])
@pytest.mark.parametrize(("part", "components"), [("classifier", (8, 2)), ("detector", (2, 8))])
def test_the_part_that_does_not_fit_a_board_is_named(board, part, components):
    classifier, detector = parts(1)
    classifier.set_params(local_dim=components[0])
    detector.set_params(local_dim=components[1])
    guarded = GuardedClassifier(classifier, detector, 0.1, random_state=0).fit(X, Y)
    with guarded.deploy(board) as on_board:
        with pytest.raises(CapacityError, match=rf"^{part}: components .*: 8 needed"):
            on_board.predict(X)


@pytest.mark.parametrize("second", [None, "golden://icesugar"])
def test_boards_answer_as_the_host_does_but_for_rounding(second):
    guarded = fitted()
    with guarded.deploy(GOLDEN, second) as on_board:
        found = on_board.predict(X)
        assert np.mean(found == guarded.predict(X)) > 0.95
        assert on_board.predict(FAR).tolist() == [-1, -1]
        np.testing.assert_allclose(
            np.median(on_board.score_samples(X)), np.median(guarded.score_samples(X)), atol=0.1
        )
        assert on_board.classes_.tolist() == [0, 1, 2] and on_board.n_features_in_ == 4
        copied = pickle.loads(pickle.dumps(on_board))
    with copied:
        np.testing.assert_array_equal(copied.predict(X), found)
    with pytest.raises(TypeError, match="BoardGuardedClassifier can't be trained"):
        on_board.fit(X)


def test_an_open_board_stays_open_and_deploy_takes_it():
    with Board.open(GOLDEN) as board:
        with tensorspin.deploy(fitted(), board) as on_board:
            assert isinstance(on_board, BoardGuardedClassifier)
            on_board.predict(X[:3])
        assert board.info.board == "icebreaker" and board.program is not None


def test_what_is_saved_is_loaded(tmp_path):
    program = fitted().quantize()
    path = tmp_path / "guarded.zip"
    program.save(path)
    loaded = GuardedProgram.load(path)
    assert loaded.limits == program.limits and loaded.refused_label == -1
    with BoardGuardedClassifier(program, GOLDEN) as one, tensorspin.deploy(loaded, GOLDEN) as other:
        np.testing.assert_array_equal(one.predict(X), other.predict(X))


def test_files_that_are_something_else_are_refused(tmp_path):
    program = fitted().quantize()
    path, other = tmp_path / "guarded.zip", tmp_path / "other.zip"
    program.save(path)
    other.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ProgramFileError, match="other.zip is no file of a guarded classifier"):
        GuardedProgram.load(other)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "guard.json":
                content = content.replace(b'"version": 1', b'"version": 2')
            new.writestr(name, content)
    with pytest.raises(ProgramFileError, match="version 2.*update tensorspin"):
        GuardedProgram.load(other)
    with pytest.raises(ValueError, match="detector must be a program for OutlierDetection"):
        GuardedProgram(program.classifier, program.classifier, program.limits, -1)
