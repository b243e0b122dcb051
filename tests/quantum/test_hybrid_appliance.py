"""A hybrid detector and a real appliance: another process, TLS, and what befalls both.

These tests assert the order of events, and what is answered by whom, never milliseconds.
"""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest

from tensorspin.hybrid import ApplianceSampler, HybridDetector, born_circuit

from ..support.appliances import RunningAppliance
from ..support.born_machines import detector, samples

PATIENT = 60.0
"""Seconds of a deadline that is not what is tested."""


@pytest.fixture(scope="module")
def appliance(tmp_path_factory):
    running = RunningAppliance(tmp_path_factory.mktemp("aer"), "--seed", "1", sampler="aer")
    yield running
    running.stop()


@pytest.fixture
def client(appliance):
    with ApplianceSampler(appliance.url, **appliance.arguments()) as sampler:
        yield sampler


def test_a_batch_is_answered_and_the_appliance_tells_where_the_time_went(client):
    X = samples(4)[:30]
    with HybridDetector(detector(4), sampler=client, deadline=PATIENT) as hybrid:
        run = hybrid.run(X)
    assert run.counts() == {("remote", "answered"): len(X)}, run[0].detail
    exact = born_circuit(detector(4)).exact_probability(X)
    assert run.scores == pytest.approx(exact, abs=0.2)
    seconds = run[0].seconds
    assert seconds.keys() >= {"queue", "device", "remote", "total"}
    assert seconds["queue"] + seconds["device"] <= seconds["remote"] <= seconds["total"] < PATIENT


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"token": "tsp_wrong"}, "token"),
        ({"certificate": None}, "is not trusted"),
    ],
)
def test_whoever_is_not_let_in_is_answered_locally(arguments, words, appliance):
    client = ApplianceSampler(appliance.url, **appliance.arguments(**arguments))
    X = samples(4)[:1]
    with client, HybridDetector(detector(4), sampler=client, deadline=PATIENT) as hybrid:
        (record,) = hybrid.run(X)
    assert (record.source, record.reason) == ("local", "failed")
    assert words in record.detail


def test_a_host_that_nobody_knows_is_answered_locally():
    client = ApplianceSampler("https://no-such-host.invalid:8443", token="tsp_x", certificate=None)
    with client, HybridDetector(detector(4), sampler=client, deadline=PATIENT) as hybrid:
        (record,) = hybrid.run(samples(4)[:1])
    assert (record.source, record.reason) == ("local", "failed")
    assert "unknown" in record.detail


def test_stopped_continued_killed_and_restarted_no_answer_is_lost(tmp_path):
    appliance = RunningAppliance(tmp_path, "--seed", "1", sampler="aer")
    X = samples(4)
    exact = born_circuit(detector(4)).exact_probability(X)
    client = ApplianceSampler(appliance.url, **appliance.arguments())
    client.upload(born_circuit(detector(4)).circuit)
    records = []

    def ask(hybrid, until=None, most=400):
        """Ask for sample after sample, until a source answers."""
        for _ in range(most):
            place = len(records) % len(X)
            (record,) = hybrid.run(X[[place]])
            assert abs(record.score - exact[place]) < 0.25
            records.append(record)
            if until is None or record.source == until:
                return record
            time.sleep(0.02)
        raise AssertionError(f"nothing is {until}: {record}")

    try:
        with client, HybridDetector(detector(4), sampler=client, deadline=2.0) as hybrid:
            ask(hybrid, until="remote")
            appliance.process.send_signal(signal.SIGSTOP)
            assert ask(hybrid).reason == "late"
            assert {ask(hybrid).source for _ in range(5)} == {"local"}
            appliance.process.send_signal(signal.SIGCONT)
            ask(hybrid, until="remote")
            appliance.stop(signal.SIGKILL)
            assert {ask(hybrid).source for _ in range(5)} == {"local"}
            # The new process knows no programs; the client sends its own again.
            appliance.start()
            ask(hybrid, until="remote")
    finally:
        appliance.stop(signal.SIGKILL)
    assert np.isfinite([record.score for record in records]).all()
