"""A sampler with a deadline: what it returns, and what its remote may do."""

from __future__ import annotations

import concurrent.futures
import pickle
import threading

import dimod
import numpy as np
import pytest
from dimod.testing import assert_sampler_api
from dwave.samplers import SimulatedAnnealingSampler

from tensorspin import AnnealingFeatureSelector, BoardSampler, DecomposingSampler
from tensorspin.errors import DeadlineError, TensorspinError
from tensorspin.hybrid import HybridSampler
from tests.support.virtual_time import HANGS, VirtualCalls, VirtualClock

BOARD = "golden://ulx3s_25f_annealer"


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def bqm():
    return dimod.generators.ran_r(1, 8, seed=1)


class FakeSampler(dimod.Sampler):
    """Exact, after some seconds of a virtual clock, and with whatever `behave` makes of it."""

    properties: dict = {"chip": "fake"}
    parameters = {"num_reads": [], "annealing_time": []}

    def __init__(self, clock=None, seconds=0.05, behave=lambda samples: samples):
        self.clock, self.seconds, self.behave = clock, seconds, behave
        self.calls: list[dict] = []

    def sample(self, bqm, **parameters):
        self.calls.append(parameters)
        if self.clock is not None:
            self.clock.sleep(self.seconds)
        return self.behave(dimod.ExactSolver().sample(bqm).truncate(5))


class VirtualSampler(HybridSampler):
    def __init__(self, remote, local, deadline=1.0, *, clock):
        self._clock = clock
        self._local_calls, self._remote_calls = VirtualCalls(16, clock), VirtualCalls(2, clock)
        super().__init__(remote, local, deadline)


def raising(error):
    def behave(samples):
        raise error

    return behave


def test_it_is_a_sampler_of_dimod(bqm):
    sampler = HybridSampler(FakeSampler(), BoardSampler(BOARD))
    assert_sampler_api(sampler)
    assert sampler.parameters.keys() >= {"annealing_time", "num_sweeps", "num_reads"}
    assert sampler.properties["remote_properties"] == {"chip": "fake"}


def test_the_remotes_samples_are_taken_if_they_come_in_time(bqm, clock):
    remote, local = FakeSampler(clock, 0.2), FakeSampler(clock, 0.1)
    found = VirtualSampler(remote, local, clock=clock).sample(bqm)
    assert found.info["source"] == "remote"
    assert found.info["reason"] == "answered"
    assert found.info["seconds"]["remote"] == pytest.approx(0.2)
    assert found.info["remote_energy"] == found.info["local_energy"] == found.first.energy
    assert clock.now == pytest.approx(0.2)


def test_a_remote_that_is_quicker_is_not_kept_waiting(bqm, clock):
    found = VirtualSampler(FakeSampler(clock, 0.2), FakeSampler(clock, 0.9), clock=clock).sample(
        bqm
    )
    assert clock.now == pytest.approx(0.2)
    assert found.info["local_energy"] is None


FAULTS = {
    "late": lambda clock: FakeSampler(clock, 2.0),
    "hangs": lambda clock: FakeSampler(clock, HANGS),
    "refused": lambda clock: FakeSampler(clock, behave=raising(ConnectionRefusedError())),
    "exits": lambda clock: FakeSampler(clock, behave=raising(SystemExit())),
    "nothing": lambda clock: FakeSampler(clock, behave=lambda samples: None),
    "no samples": lambda clock: FakeSampler(clock, behave=lambda samples: samples.truncate(0)),
    "vartype": lambda clock: FakeSampler(
        clock, behave=lambda samples: samples.change_vartype("BINARY", inplace=False)
    ),
    "labels": lambda clock: FakeSampler(
        clock, behave=lambda samples: samples.relabel_variables({0: "zero"}, inplace=False)
    ),
    "energies": lambda clock: FakeSampler(clock, behave=with_energies),
}


def with_energies(samples):
    samples.record.energy -= 1
    return samples


@pytest.mark.parametrize("name", FAULTS)
def test_every_call_is_answered_in_time_whatever_the_remote_does(name, bqm, clock):
    remote = FAULTS[name](clock)
    sampler = VirtualSampler(remote, FakeSampler(clock, 0.1), 0.3, clock=clock)
    lowest = dimod.ExactSolver().sample(bqm).first.energy
    for _ in range(200):
        start = clock.now
        found = sampler.sample(bqm)
        assert clock.now - start <= 0.3
        assert found.info["source"] == "local"
        assert found.first.energy == lowest
        clock.now += 0.001
    assert len(remote.calls) < 120  # probes, once a second at most


def test_what_the_local_sampler_raises_is_raised_if_the_remote_fails_too(bqm, clock):
    local = FakeSampler(clock, behave=raising(TensorspinError("the board is gone")))
    found = VirtualSampler(FakeSampler(clock), local, clock=clock).sample(bqm)
    assert found.info["source"] == "remote"
    assert found.info["detail"] == "TensorspinError: the board is gone"
    remote = FakeSampler(clock, behave=raising(OSError()))
    with pytest.raises(TensorspinError, match="the board is gone"):
        VirtualSampler(remote, local, clock=clock).sample(bqm)


def test_a_local_sampler_that_is_late_is_told_with_words(bqm, clock):
    sampler = VirtualSampler(
        FakeSampler(clock, 2.0), FakeSampler(clock, 3.0), deadline=0.3, clock=clock
    )
    with pytest.raises(DeadlineError, match="did not answer within 0.3 s; give it less work"):
        sampler.sample(bqm)


def test_each_sampler_is_given_the_parameters_that_it_has(bqm):
    remote, local = FakeSampler(), SimulatedAnnealingSampler()
    sampler = HybridSampler(remote, local, deadline=30.0)
    with pytest.warns(dimod.exceptions.SamplerUnknownArgWarning, match="speed"):
        found = sampler.sample(bqm, num_reads=3, num_sweeps=10, annealing_time=20, speed=3)
    assert remote.calls == [{"num_reads": 3, "annealing_time": 20}]
    assert found.info["source"] == "remote"


def test_neither_side_can_change_the_model(bqm):
    class Spoiler(FakeSampler):
        def sample(self, bqm, **parameters):
            found = super().sample(bqm)
            bqm.scale(0)
            return found

    expected = bqm.copy()
    found = HybridSampler(Spoiler(), Spoiler(), deadline=30.0).sample(bqm)
    assert bqm == expected
    assert found.first.energy == bqm.energy(found.first.sample)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_samples_of_all_kinds_of_models(vartype):
    bqm = dimod.BinaryQuadraticModel({("x", 1): 1.0, "y": -1.0}, {}, 5.0, vartype)
    sampler = HybridSampler(SimulatedAnnealingSampler(), BoardSampler(BOARD), deadline=30.0)
    found = sampler.sample(bqm, num_sweeps=10, seed=1)
    assert found.vartype.name == vartype
    assert found.first.sample["y"] == 1
    assert found.first.energy == bqm.energy(found.first.sample)


def test_sample_sets_that_are_filled_later_are_waited_for_and_cancelled(bqm):
    futures = []

    class Later(dimod.Sampler):
        properties: dict = {}
        parameters: dict = {}

        def sample(self, bqm):
            futures.append(concurrent.futures.Future())
            return dimod.SampleSet.from_future(futures[-1])

    class Filled(Later):
        def sample(self, bqm):
            found = super().sample(bqm)
            futures[-1].set_result(dimod.ExactSolver().sample(bqm))
            return found

    found = HybridSampler(Filled(), FakeSampler(), deadline=30.0).sample(bqm)
    assert found.info["source"] == "remote"
    found = HybridSampler(Later(), FakeSampler(), deadline=0.05).sample(bqm)
    assert (found.info["source"], found.info["reason"]) == ("local", "late")
    with pytest.raises(concurrent.futures.CancelledError):
        futures[-1].result(30)


def test_on_a_virtual_board_the_boards_own_clock_counts(bqm):
    local = BoardSampler(BOARD)
    alone = local.sample(bqm, num_sweeps=50, seed=1)
    limit = 3 * (alone.info["device_time"] + alone.info["transfer_time"])
    sampler = HybridSampler(FakeSampler(behave=raising(OSError())), local, deadline=limit)
    found = sampler.sample(bqm, num_sweeps=50, seed=1)
    assert (found.info["source"], found.info["interrupted"]) == ("local", False)
    seconds = found.info["device_time"] + found.info["transfer_time"]
    told = found.info["seconds"]
    assert told["local"] == seconds and told["total"] == max(seconds, told["remote"])
    # Of more reads than fit into the time, those are taken that do.
    reads = len(found)
    found = sampler.sample(bqm, num_sweeps=50, num_reads=100 * reads, seed=1)
    assert found.info["interrupted"] and reads <= len(found) < 100 * reads
    assert found.info["seconds"]["local"] <= limit
    sampler.deadline = 1e-4
    with pytest.raises(DeadlineError, match="by its own clock, more than the deadline of 0.0001 s"):
        sampler.sample(bqm, num_sweeps=50, seed=1)


def test_a_local_sampler_is_stopped_when_the_remote_has_answered(bqm):
    stopped = threading.Event()

    class Patient(FakeSampler):
        parameters = {"interrupt_function": []}

        def sample(self, bqm, interrupt_function):
            while not interrupt_function():
                pass
            stopped.set()
            return super().sample(bqm)

    sampler = HybridSampler(FakeSampler(), Patient(), deadline=60.0)
    assert sampler.sample(bqm).info["source"] == "remote"
    assert stopped.wait(30)
    # Before the deadline it is stopped, too, and its samples so far are taken.
    sampler = HybridSampler(FakeSampler(behave=raising(OSError())), Patient(), deadline=1.0)
    assert sampler.sample(bqm).info["source"] == "local"
    asked = []
    sampler.sample(bqm, interrupt_function=lambda: bool(asked.append(1) or True))
    assert asked


def test_it_serves_whatever_takes_a_sampler(bqm):
    remote, local = SimulatedAnnealingSampler(), BoardSampler(BOARD)
    sampler = HybridSampler(remote, DecomposingSampler(local, 4), deadline=60.0)
    assert sampler.sample(bqm, num_sweeps=20, max_passes=1, seed=1).first.energy < 0
    X = np.random.default_rng(0).random((60, 4))
    selector = AnnealingFeatureSelector(HybridSampler(remote, local, 60.0), n_features_to_select=2)
    assert selector.fit(X, X[:, 0] > 0.5).get_support().sum() == 2


def test_it_can_be_pickled_and_closed(bqm):
    with HybridSampler(SimulatedAnnealingSampler(), BoardSampler(BOARD), 30.0) as sampler:
        copy = pickle.loads(pickle.dumps(sampler))
        assert copy.sample(bqm, seed=1, num_sweeps=10).first.energy < 0
        assert copy.deadline == 30.0


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ((None, FakeSampler()), TypeError, "remote must be a dimod.Sampler, not None"),
        ((FakeSampler(), "golden://x"), TypeError, "local must be a dimod.Sampler, not 'golden"),
        ((FakeSampler(), FakeSampler(), -1), ValueError, "deadline must be 0.001 to 3600"),
    ],
)
def test_what_is_no_sampler_is_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        HybridSampler(*arguments)


@pytest.mark.parametrize("model", [None, {}, dimod.BinaryQuadraticModel({"a": np.nan}, {}, "SPIN")])
def test_what_is_no_model_is_refused_before_anybody_is_asked(model):
    remote = FakeSampler()
    with pytest.raises((TypeError, ValueError)):
        HybridSampler(remote, FakeSampler()).sample(model)
    assert not remote.calls


def test_a_model_without_variables_is_left_to_the_local_sampler(clock):
    remote = FakeSampler(clock, behave=lambda samples: samples.truncate(0))
    sampler = VirtualSampler(remote, BoardSampler(BOARD), clock=clock)
    for _ in range(10):
        found = sampler.sample(dimod.BinaryQuadraticModel({}, {}, 1.5, "SPIN"))
        assert (found.info["source"], found.info["reason"]) == ("local", "not offloaded")
        assert found.first.energy == 1.5
    assert not remote.calls and sampler._offload.breaker.state == "closed"


class Interruptible(FakeSampler):
    parameters = {"interrupt_function": []}


def test_a_remote_that_can_be_stopped_is_stopped_when_nobody_waits(bqm, clock):
    asked = [False]
    for seconds, late in ((0.2, False), (2.0, True)):
        remote = Interruptible(clock, seconds)
        sampler = VirtualSampler(remote, FakeSampler(clock, 0.1), clock=clock)
        found = sampler.sample(bqm, interrupt_function=lambda: asked[0])
        assert found.info["source"] == ("local" if late else "remote")
        stop = remote.calls[0]["interrupt_function"]
        assert stop() is late
        asked[0] = True  # the user's own function still counts
        assert stop() is True
        asked[0] = False
        sampler.sample(bqm)  # without one of the user's


class Embedding(FakeSampler):
    parameters = {"embedding_parameters": []}
    embedding_parameters: dict = {}

    @staticmethod
    def find_embedding():
        raise AssertionError


Embedding.find_embedding.__module__ = "minorminer.minorminer"


class Composed(dimod.Sampler, dimod.Composite):
    properties: dict = {}
    parameters = Embedding.parameters
    children = None

    def __init__(self, child):
        self.children = [child]

    def sample(self, bqm, **parameters):
        return self.child.sample(bqm, **parameters)


@pytest.mark.parametrize("composed", [False, True])
@pytest.mark.parametrize(
    "given, timeout",
    [(None, 0.4), ({}, 0.4), ({"timeout": 0.1}, 0.1), ({"timeout": 1000, "tries": 3}, 0.4)],
)
def test_the_search_for_an_embedding_ends_before_the_deadline(bqm, clock, given, timeout, composed):
    remote = Embedding(clock)
    outer = Composed(remote) if composed else remote
    sampler = VirtualSampler(outer, FakeSampler(clock), deadline=0.8, clock=clock)
    sampler.sample(bqm, **({} if given is None else {"embedding_parameters": given}))
    (call,) = remote.calls
    assert call["embedding_parameters"] == {**(given or {}), "timeout": timeout}
    assert given is None or given.get("timeout") != 0.4  # the user's own stays as it is


def test_who_chose_how_an_embedding_is_searched_is_left_alone(bqm, clock):
    chosen, own = Embedding(clock), Embedding(clock)
    chosen.embedding_parameters = {"timeout": 5}
    own.find_embedding = lambda: None
    for remote in (chosen, own):
        VirtualSampler(remote, FakeSampler(clock), clock=clock).sample(bqm)
        assert remote.calls == [{}]
