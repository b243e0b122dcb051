"""What can happen to a remote: every call is answered, in time, and with the truth.

80 requests for each fault at a deadline of 300 ms, on a virtual clock; the slow tests take 200, and
a board. Real servers, certificates
and broken lines are in tests/quantum.
"""

from __future__ import annotations

import ssl
from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from tensorspin.hybrid import born_circuit
from tests.support.born_machines import detector, samples
from tests.support.processors import FakeProcessor, VirtualHybrid
from tests.support.virtual_time import HANGS, VirtualClock

REQUESTS = 200
DEADLINE = 0.3
SHOTS = 200


class HTTPError(Exception):
    def __init__(self, status, retry_after=None):
        super().__init__(f"HTTP {status}")
        self.retry_after = retry_after


def raising(error, share=1.0):
    def behave(job):
        if job.processor.rng.random() < share:
            raise error

    return behave


def sleeping(seconds):
    return lambda job: job.processor.clock.sleep(seconds)


def altering(**changes):
    def behave(job):
        job.alter = lambda bits: SimpleNamespace(**{**vars(bits), **changes})

    return behave


def fewer_shots(job):
    job.shots -= 1


def slow_to_read(job):
    """Answer in time with what is fetched only when somebody looks."""

    class Lazy:
        def __getattr__(self, name):
            job.processor.clock.sleep(2.0)
            raise AttributeError(name)

    job.alter = lambda bits: Lazy()


def leaves(job):
    class Leaves:
        def __getattr__(self, name):
            raise SystemExit(1)

    job.alter = lambda bits: Leaves()


def without_a_sample(job):
    job.p0 = job.p0[:0]


def with_nan(job):
    def alter(bits):
        bits.array = np.full(bits.array.shape, np.nan)
        return bits

    job.alter = alter


@dataclass
class Fault:
    behave: object
    remote: float = 0.0
    """Least share of the answers that must be the remote's."""
    most_remote: float = 0.0


FAULTS = {
    "none": Fault(lambda job: None, 1.0, 1.0),
    "refused": Fault(raising(ConnectionRefusedError(111, "refused"))),
    "unknown host": Fault(raising(OSError(-2, "Name or service not known"))),
    "untrusted certificate": Fault(raising(ssl.SSLCertVerificationError("self-signed"))),
    "expired token": Fault(raising(HTTPError(401))),
    "503 at 10 %": Fault(raising(HTTPError(503), 0.1), 0.8, 0.97),
    "503 at 30 %": Fault(raising(HTTPError(503), 0.3), 0.6, 0.8),
    "503 at 50 %": Fault(raising(HTTPError(503), 0.5), 0.05, 0.65),
    "429 with Retry-After": Fault(raising(HTTPError(429, retry_after=2.0))),
    "hang": Fault(sleeping(HANGS)),
    "late": Fault(sleeping(2.0)),
    "exit": Fault(raising(SystemExit(1))),
    "too few shots": Fault(fewer_shots),
    "wrong width": Fault(altering(num_bits=5)),
    "no array": Fault(altering(array=None)),
    "NaN": Fault(with_nan),
    "no sample": Fault(without_a_sample),
    "slow to read": Fault(slow_to_read),
    "exit when it is read": Fault(leaves),
    "no register": Fault(lambda job: setattr(job, "alter", lambda bits: None)),
}


@pytest.fixture(scope="module")
def program():
    return born_circuit(detector(4))


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def X():
    return samples(4)


@pytest.fixture
def processor(program, X, clock):
    return FakeProcessor(program, X, clock)


def hybrid_on(clock, processor, **parameters):
    parameters = {"board": "golden://icebreaker", "deadline": DEADLINE, **parameters}
    return VirtualHybrid(detector(4), sampler=processor, **parameters).on(clock)


def campaign(hybrid, X, clock, requests=REQUESTS, every=0.02):
    """Ask sample by sample; return the records, after all that must hold for any fault."""
    records = []
    for number in range(requests):
        start = clock.now
        run = hybrid.run(X[[number % len(X)]])
        assert clock.now - start <= DEADLINE
        records += run
        clock.now += every
    assert len(records) == requests
    for number, record in enumerate(records):
        exact = hybrid._prepared().program.exact_probability(X[[number % len(X)]])[0]
        assert record.exact == pytest.approx(exact)
        if record.source == "remote":
            assert record.score == record.remote
            assert abs(record.score - exact) < 6 * np.sqrt(0.25 / SHOTS)
        else:
            assert record.score == record.local
            assert record.score == pytest.approx(exact, abs=0.02)  # rounded weights
        assert record.seconds["total"] <= DEADLINE
    return records


@pytest.mark.parametrize(
    "requests, board",
    [(80, None), pytest.param(REQUESTS, "golden://icebreaker", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("name", FAULTS)
def test_every_request_is_answered_in_time_and_with_the_truth(
    name, requests, board, processor, X, clock
):
    fault = FAULTS[name]
    processor.behave = fault.behave
    records = campaign(hybrid_on(clock, processor, board=board), X, clock, requests)
    share = np.mean([record.source == "remote" for record in records])
    assert fault.remote <= share <= fault.most_remote
    if not fault.most_remote:  # the breaker has spared the remote
        assert len(processor.jobs) < requests / 4


def test_a_remote_that_hangs_has_no_more_requests_than_it_may(processor, X, clock):
    processor.behave = sleeping(HANGS)
    hybrid = hybrid_on(clock, processor)
    records = campaign(hybrid, X, clock)
    assert len(processor.jobs) == 2
    assert all(job.cancelled for job in processor.jobs)
    reasons = Counter(record.reason for record in records)
    assert reasons["late"] == 2 and reasons["busy"] == REQUESTS - 2


def test_after_an_outage_the_remote_answers_again(processor, X, clock):
    hybrid = hybrid_on(clock, processor)
    assert campaign(hybrid, X, clock, 20)[-1].source == "remote"
    outage_ends = clock.now + 5
    # As a process that is stopped and continued: what it was asked meanwhile is answered late.
    processor.behave = lambda job: clock.sleep(max(0.0, outage_ends - clock.now))
    assert {r.source for r in campaign(hybrid, X, clock, 20)} == {"local"}
    clock.now = outage_ends
    records = campaign(hybrid, X, clock, 100)
    first = next(n for n, record in enumerate(records) if record.source == "remote")
    assert first * 0.02 <= 2.0  # two times the breaker's reset
    assert {record.source for record in records[first:]} == {"remote"}
    assert hybrid._remote_calls.late > 0


def test_late_answers_are_not_used_for_later_samples(processor, X, clock):
    processor.seconds = 0.5
    hybrid = hybrid_on(clock, processor)
    first = hybrid.run(X[[0]])
    processor.seconds = 0.05
    clock.now += 0.3  # the answer for the first sample has come meanwhile
    second = hybrid.run(X[[1]])
    assert (first[0].reason, second[0].reason) == ("late", "answered")
    assert second[0].job == "job-1"
    assert first[0].detail == "no answer within 0.3 s"


def test_answers_for_another_sample_are_refused(program, X, clock):
    order = np.argsort(program.exact_probability(X))
    pair = X[[order[0], order[-1]]]  # as different as they can be
    processor = FakeProcessor(program, pair, clock)
    exact = program.exact_probability(pair)

    def swapped(job):
        job.p0 = exact[[1 - job.number % 2]]

    processor.behave = swapped
    hybrid = hybrid_on(clock, processor)
    for number in range(5):
        (record,) = hybrid.run(pair[[number % 2]])
        assert record.source == "local"
    assert record.reason in ("implausible", "drift")


def test_a_processor_that_drifts_is_switched_off_with_a_reason(processor, X, clock):
    hybrid = hybrid_on(clock, processor)
    inliers = X[np.argsort(-born_circuit(detector(4)).exact_probability(X))[:40]]
    campaign(hybrid, inliers, clock, 100)
    processor.noise = 0.3
    records = [hybrid.run(inliers[[n % 40]])[0] for n in range(40)]
    switched_off = next(n for n, record in enumerate(records) if record.reason == "drift")
    assert switched_off < 20
    assert {record.source for record in records[switched_off:]} == {"local"}
    assert "shots, where the circuit has" in records[-1].detail
    processor.noise = 0.0
    assert hybrid.run(inliers[[0]])[0].source == "local"
    hybrid.reset()
    assert hybrid.run(inliers[[0]])[0].source == "remote"


def test_the_batch_in_which_the_drift_is_found_is_answered_locally(processor, X, clock):
    processor.noise = 0.4
    run = hybrid_on(clock, processor).run(X)
    assert run.counts() == {("local", "drift"): len(X)}
    assert np.isfinite([record.difference for record in run]).all()  # it is told all the same


def test_without_a_drift_test_the_noise_is_only_told(processor, X, clock):
    processor.noise = 0.3
    run = hybrid_on(clock, processor, drift_tolerance=None).run(X)
    assert run.counts() == {("remote", "answered"): len(X)}


def test_429_is_waited_out_and_not_probed(processor, X, clock):
    processor.behave = raising(HTTPError(429, retry_after=10.0))
    hybrid = hybrid_on(clock, processor)
    campaign(hybrid, X, clock, 100)
    assert len(processor.jobs) == 1


def test_the_remote_is_told_how_long_it_is_waited_for(processor, X, clock):
    hybrid = hybrid_on(clock, processor)
    hybrid.run(X[[0]])
    assert processor.jobs[0].timeout == pytest.approx(DEADLINE - 0.01)
