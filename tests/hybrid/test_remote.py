"""What is sent to a sampler, and which of its answers are believed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tensorspin.hybrid import born_circuit
from tensorspin.hybrid.deadline import Deadline
from tensorspin.hybrid.offload import ImplausibleError
from tensorspin.hybrid.remote import RemoteCircuit, backend_of
from tests.support.born_machines import detector, samples
from tests.support.processors import FakeProcessor, FakeRemote, bits_of
from tests.support.virtual_time import VirtualClock


@pytest.fixture
def program():
    return born_circuit(detector(4))


@pytest.fixture
def remote(program):
    return FakeRemote(program, FakeProcessor(program, samples(4)), None, 50)


def answer(bits, metadata=None, pubs=1):
    result = SimpleNamespace(data=SimpleNamespace(outcome=bits), metadata=metadata)
    return "job-1", [result] * pubs


def bits(**changes):
    found = bits_of(np.random.default_rng(0), [0.5, 0.0, 1.0], 50, 4)
    return SimpleNamespace(**{**vars(found), **changes})


def test_zeros_are_counted(remote):
    found = remote.check(answer(bits()), 3)
    assert 10 < found.zeros[0] < 40
    assert found.zeros[1:].tolist() == [0, 50]
    assert (found.job, found.seconds) == ("job-1", {})


@pytest.mark.parametrize(
    "wrong, words",
    [
        ({"num_shots": 49}, "50 shots were asked for, 49 came back"),
        ({"num_bits": 5}, "measures 4 bits, 5 came back"),
        ({"array": np.zeros((2, 50, 1), np.uint8)}, "of shape"),
        ({"array": np.zeros((3, 50, 2), np.uint8)}, "of shape"),
        ({"array": np.full((3, 50, 1), np.nan)}, "array of uint8"),
        ({"array": np.full((3, 50, 1), 16, np.uint8)}, "must have 4 bits, not more"),
    ],
)
def test_answers_to_another_question_are_refused(remote, wrong, words):
    with pytest.raises(ImplausibleError, match=words):
        remote.check(answer(bits(**wrong)), 3)


@pytest.mark.parametrize("pubs", [0, 2])
def test_as_many_pubs_as_were_sent_must_come_back(remote, pubs):
    with pytest.raises(ImplausibleError, match=f"one pub was sent, {pubs} came back"):
        remote.check(answer(bits(), pubs=pubs), 3)


def test_an_answer_without_the_register_is_refused(remote):
    with pytest.raises(ImplausibleError, match="no register 'outcome'"):
        remote.check(answer(None), 3)


@pytest.mark.parametrize(
    "metadata, expected",
    [
        ({"appliance": {"seconds": {"queue": 0.5, "device": 1}}}, {"queue": 0.5, "device": 1.0}),
        ({"appliance": {"seconds": {"queue": float("nan"), "device": "x"}}}, {}),
        ({"appliance": {"seconds": 3}}, {}),
        ({"appliance": None}, {}),
        (None, {}),
    ],
)
def test_the_remote_tells_of_its_time_and_nonsense_is_left_out(remote, metadata, expected):
    assert remote.check(answer(bits(), metadata), 3).seconds == expected


def test_parameters_are_sent_by_name(program, remote):
    sent = []
    remote._sampler = SimpleNamespace(
        run=lambda pubs, **options: (
            sent.append((pubs, options)) or SimpleNamespace(result=lambda: answer(bits())[1])
        )
    )
    remote._takes_timeout = False
    angles = program.angles(samples(4)[:3])
    found = remote.work(angles, Deadline(1.0, VirtualClock()))(None)
    assert (found.job, found.zeros.shape) == ("", (3,))
    (((_, values),), options) = sent[0]
    assert options == {"shots": 50}
    assert list(values) == [tuple(program.parameter_names)]
    assert values[tuple(program.parameter_names)] is angles


@pytest.mark.parametrize("result", [None, 5, [None], iter([1]), "hello"])
def test_what_is_no_result_is_refused_where_it_is_waited_for(program, remote, result):
    remote._sampler = SimpleNamespace(
        run=lambda pubs, **options: SimpleNamespace(result=lambda: result)
    )
    work = remote.work(program.angles(samples(4)[:1]), Deadline(1.0, VirtualClock()))
    with pytest.raises(ImplausibleError):
        work(None)


class Estimator:
    """As Qiskit's estimators, which know no shots."""

    def run(self, pubs, *, precision=None):
        raise AssertionError


@pytest.mark.parametrize("sampler", [None, "ibm", object(), Estimator(), FakeProcessor])
def test_what_can_not_run_is_refused(program, sampler):
    with pytest.raises(TypeError, match="BaseSamplerV2"):
        RemoteCircuit(program, sampler, None, 10)


def test_the_backend_of_a_sampler_is_found():
    backend = SimpleNamespace(target=object())

    def wants_a_name(name):
        raise AssertionError

    assert backend_of(SimpleNamespace(backend=backend)) is backend
    assert backend_of(SimpleNamespace(backend=lambda: backend)) is backend
    for other in (None, "aer", wants_a_name, SimpleNamespace()):
        assert backend_of(SimpleNamespace(backend=other)) is None
    assert backend_of(object()) is None


def test_only_samplers_that_take_a_time_out_are_told(program):
    class Plain:
        backend = None

        def run(self, pubs, *, shots=None):
            raise AssertionError

    class Timed(Plain):
        def run(self, pubs, *, shots=None, timeout=None):
            raise AssertionError

    class Foreign(Plain):
        run = min  # its parameters are not known

    class Any(Plain):
        def run(self, pubs, **options):
            raise AssertionError

    cases = ((Plain(), False), (Timed(), True), (Foreign(), False), (Any(), False))
    for sampler, takes in cases:
        program.__dict__["circuit"] = None  # without Qiskit there is none
        assert RemoteCircuit(program, sampler, None, 10)._takes_timeout == takes
