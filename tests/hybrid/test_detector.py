"""What users of scikit-learn expect of a hybrid detector, and what it does without any fault."""

from __future__ import annotations

import pickle
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_outlier_detector
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tensorspin import Board, MPSAnomalyDetector, MPSClassifier, deploy
from tensorspin.errors import CapacityError, DeadlineError, LinkError, TensorspinError
from tensorspin.hybrid import HybridDetector, LeastCertain, born_circuit
from tests.support.born_machines import detector, samples
from tests.support.processors import FakeProcessor, FakeRemote, VirtualHybrid
from tests.support.virtual_time import HANGS, VirtualClock

BOARD = "golden://icebreaker"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def X():
    return samples(4)


@pytest.fixture
def processor(X, clock):
    return FakeProcessor(born_circuit(detector(4)), X, clock)


def hybrid_on(clock, processor=None, **parameters):
    parameters = {"deadline": 0.3, **parameters}
    return VirtualHybrid(detector(4), sampler=processor, **parameters).on(clock)


def test_without_a_remote_it_is_the_detector_in_another_unit(X):
    model = detector(4)
    hybrid = HybridDetector(model)
    p0 = hybrid.score_samples(X)
    assert np.log(p0) + born_circuit(model).log_offset(X) == pytest.approx(model.score_samples(X))
    assert (hybrid.predict(X) == model.predict(X)).all()
    assert (np.sign(hybrid.decision_function(X)) == np.sign(model.decision_function(X))).all()
    assert hybrid.last_run_.counts() == {("local", "no remote"): len(X)}


def test_on_a_board_its_labels_are_those_of_the_board(X):
    with (
        HybridDetector(detector(4), board=BOARD) as hybrid,
        deploy(detector(4), BOARD) as on_board,
    ):
        assert (hybrid.predict(X) == on_board.predict(X)).all()


def test_a_batch_is_one_pub_and_both_answers_are_told(X, clock, processor):
    hybrid = hybrid_on(clock, processor, board=BOARD)
    p0 = hybrid.score_samples(X)
    assert len(processor.jobs) == 1
    assert hybrid.last_run_.counts() == {("remote", "answered"): len(X)}
    assert (p0 == hybrid.last_run_.scores).all()
    record = hybrid.last_run_[3]
    assert record.remote == record.score == p0[3]
    assert record.difference == record.remote - record.exact
    assert record.local == pytest.approx(record.exact, abs=0.02)
    assert (record.shots, record.job) == (200, "job-0")
    assert record.seconds.keys() >= {"encode", "local", "remote", "decode", "total", "device"}
    assert record.seconds["remote"] == pytest.approx(0.05)
    assert record.seconds["local"] > 0
    assert pd.DataFrame(list(hybrid.last_run_)).shape == (len(X), 11)
    assert np.abs(p0 * 200 - np.round(p0 * 200)).max() < 1e-9


def test_the_circuit_is_sent_ahead(clock, processor):
    sent = threading.Event()
    processor.upload = lambda circuit: sent.set()
    with hybrid_on(clock, processor):
        assert sent.wait(30)


def test_a_common_threshold_serves_all_samples(X):
    hybrid = HybridDetector(detector(4), threshold=0.2)
    assert (hybrid.predict(X) == np.where(hybrid.score_samples(X) >= 0.2, 1, -1)).all()
    assert (hybrid.thresholds(X) == 0.2).all()


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_share_of_the_samples_is_offloaded_and_they_are_the_uncertain_ones(
    share, X, clock, processor
):
    hybrid = hybrid_on(clock, processor, board=BOARD, policy=share)
    run = hybrid.run(X)
    offloaded = np.array([record.source == "remote" for record in run])
    assert offloaded.mean() == pytest.approx(share, abs=0.02)
    margins = np.abs(np.log([record.local for record in run] / hybrid.thresholds(X)))
    assert margins[offloaded].max() <= margins[~offloaded].min()
    assert {record.reason for record in run if record.source == "local"} == {"not offloaded"}
    assert len(processor.jobs[0].p0) == offloaded.sum()


def test_a_policy_of_the_user_decides(X, clock, processor):
    asked = []

    def nothing(scores, thresholds):
        asked.append((scores, thresholds))
        return np.zeros(len(scores), dtype=bool)

    hybrid = hybrid_on(clock, processor, policy=nothing)
    assert hybrid.run(X[:5]).counts() == {("local", "not offloaded"): 5}
    assert asked[0][1] == pytest.approx(hybrid.thresholds(X[:5]))
    assert not processor.jobs


@pytest.mark.parametrize("error", [LinkError("the line is dead"), TensorspinError("closed")])
def test_a_board_that_fails_leaves_the_remote_to_answer(error, X, clock, processor, monkeypatch):
    hybrid = hybrid_on(clock, processor, board=BOARD).prepare()

    def fail(board, levels, **options):
        raise error

    monkeypatch.setattr(Board, "run", fail)
    run = hybrid.run(X)
    assert run.counts() == {("remote", "answered"): len(X)}
    assert str(error) in run[0].detail
    assert np.isnan(run[0].local)
    processor.behave = lambda job: 1 / 0
    with pytest.raises(type(error), match=str(error)):
        hybrid.predict(X)
    with_policy = hybrid_on(clock, processor, board=BOARD, policy=0.1).prepare()
    processor.behave = lambda job: None
    assert with_policy.run(X).counts() == {("remote", "answered"): len(X)}


def test_a_board_that_is_back_is_used_again(X, clock, processor, monkeypatch):
    hybrid = hybrid_on(clock, None, board=BOARD).prepare()
    with monkeypatch.context() as patched:
        patched.setattr(Board, "run", lambda board, levels, **options: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            hybrid.predict(X)
    assert (hybrid.predict(X) == hybrid_on(clock, None, board=BOARD).predict(X)).all()


def test_a_board_that_is_not_there_is_no_reason_to_stop_if_there_is_a_remote(X, clock, processor):
    with pytest.raises(TensorspinError):
        hybrid_on(clock, None, board="/dev/no_such_port").prepare()
    hybrid = hybrid_on(clock, processor, board="/dev/no_such_port")
    assert hybrid.run(X[:3]).counts() == {("remote", "answered"): 3}


def test_a_program_that_does_not_fit_is_refused_in_any_case(clock, processor, monkeypatch):
    def refuse(board, program, **options):
        raise CapacityError("words", 2, 1)

    monkeypatch.setattr(Board, "load", refuse)
    with pytest.raises(CapacityError):
        hybrid_on(clock, processor, board=BOARD).prepare()


def test_a_deadline_that_the_virtual_board_itself_needs_is_refused_with_words(X, clock):
    hybrid = hybrid_on(clock, None, board=BOARD, deadline=0.005)
    with pytest.raises(DeadlineError, match="by its own clock, more than the deadline of 0.005 s"):
        hybrid.predict(X)
    # The computer takes more than that for a sample, but the modelled board does not.
    hybrid = HybridDetector(detector(4), board=BOARD, deadline=0.002)
    for row in X[:5]:
        assert hybrid.predict([row]) in (1, -1)
        assert hybrid.last_run_[0].seconds["local"] < 0.002


def test_a_virtual_board_waits_for_the_remote_no_longer_than_the_deadline(X, clock, processor):
    processor.seconds = HANGS
    hybrid = hybrid_on(clock, processor, board=BOARD)
    hybrid.run(X)
    assert clock.now == pytest.approx(0.29)
    assert hybrid.last_run_[0].seconds["total"] <= 0.3


def test_a_remote_alone_that_fails_leaves_the_host_to_answer(X, clock, processor):
    processor.behave = lambda job: 1 / 0
    run = hybrid_on(clock, processor).run(X)
    assert run[0].detail == "ZeroDivisionError: division by zero"
    assert (run.scores == [record.exact for record in run]).all()


def test_clones_share_detector_and_sampler(X, clock, processor):
    hybrid = HybridDetector(detector(4), sampler=processor, shots=50, policy=0.5)
    copy = clone(hybrid)
    assert copy.get_params(deep=False) == hybrid.get_params(deep=False)
    assert copy.detector is hybrid.detector
    assert is_outlier_detector(hybrid)
    assert hybrid.n_features_in_ == 4
    assert repr(hybrid).startswith("HybridDetector(")


def test_changed_parameters_count_from_the_next_call_on(X, clock, processor):
    hybrid = hybrid_on(clock, processor)
    hybrid.run(X[:2])
    hybrid.set_params(shots=10)
    hybrid.run(X[:2])
    assert [job.shots for job in processor.jobs] == [200, 10]


def test_it_can_be_pickled(X):
    hybrid = HybridDetector(detector(4), board=BOARD, policy=LeastCertain(0.5))
    expected = hybrid.predict(X)
    copy = pickle.loads(pickle.dumps(hybrid))
    assert (copy.predict(X) == expected).all()


def test_pipelines_programs_and_deployed_detectors_will_do(X, tmp_path):
    table = pd.DataFrame(X * 1000 + 5, columns=list("abcd"))
    model = MPSAnomalyDetector(2, feature_map="trigonometric", epochs=2, random_state=0)
    pipeline = make_pipeline(StandardScaler(), model).fit(table)
    hybrid = HybridDetector(pipeline, board=BOARD)
    with deploy(pipeline, BOARD) as on_board:
        expected = on_board.predict(table)
        assert (hybrid.predict(table) == expected).all()
        assert list(hybrid.feature_names_in_) == list("abcd")
        assert (HybridDetector(on_board).predict(table) == expected).all()
        program = on_board.program
    assert (HybridDetector(program, board=BOARD).predict(table) == expected).all()
    program.save(tmp_path / "detector.npz")
    from_file = HybridDetector(tmp_path / "detector.npz", board=BOARD)
    assert (from_file.predict(table) == expected).all()
    assert from_file.n_features_in_ == 4


def test_threads_may_share_it(X):
    processor = FakeProcessor(born_circuit(detector(4)), X)

    class Hybrid(HybridDetector):
        _remote_type = FakeRemote

    hybrid = Hybrid(detector(4), sampler=processor, board=BOARD, deadline=30.0, in_flight=4)
    runs = {}

    def ask(part):
        runs[part] = hybrid.run(X[part::4])

    threads = [threading.Thread(target=ask, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    exact = born_circuit(detector(4)).exact_probability(X)
    for part, run in runs.items():
        assert run.scores == pytest.approx(exact[part::4], abs=0.2)


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"deadline": 0}, "deadline must be 0.001 to 3600"),
        ({"deadline": "soon"}, "deadline must be a number"),
        ({"shots": 0}, "shots must be 1 to"),
        ({"shots": 1.5}, "shots must be an integer"),
        ({"threshold": 1.5}, "threshold must be 0 to 1"),
        ({"policy": 2.0}, "more than 0 and at most 1"),
        ({"policy": "all"}, "policy must be None, a share of the samples or a callable"),
        ({"in_flight": 0}, "in_flight must be 1 to 64"),
        ({"in_flight": True}, "in_flight must be an integer"),
        ({"drift_tolerance": -1}, "drift_tolerance must be 0 to 0.5"),
        ({"board": 3}, "must be a string|board must be a URL"),
    ],
)
def test_parameters_that_are_none_are_refused(parameters, words, X):
    with pytest.raises((ValueError, TypeError), match=words):
        HybridDetector(detector(4), **parameters).predict(X)


def test_what_is_no_sampler_is_refused(X):
    with pytest.raises(TypeError, match="sampler must be a qiskit.primitives.BaseSamplerV2"):
        HybridDetector(detector(4), sampler="ibm").predict(X)


def test_classifiers_are_refused(X):
    model = MPSClassifier(bond_dim=2, epochs=1, random_state=0).fit(X, X[:, 0] > 0)
    with pytest.raises(TypeError):
        HybridDetector(model).predict(X)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_samples_that_are_none_are_refused_before_anybody_is_asked(wrong, X, clock, processor):
    hybrid = hybrid_on(clock, processor)
    X[0, 0] = wrong
    with pytest.raises(ValueError):
        hybrid.predict(X)
    with pytest.raises(ValueError, match="features"):
        hybrid.predict(X[:, :3])
    assert not processor.jobs


def test_it_can_not_be_trained(X):
    with pytest.raises(TypeError, match="can't be trained"):
        HybridDetector(detector(4)).fit(X)
