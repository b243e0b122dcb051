"""An appliance that runs: deadlines, full queues, cancelled jobs, slow clients, and its end."""

from __future__ import annotations

import concurrent.futures
import signal
import socket
import ssl
import time

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from tensorspin.hybrid import ApplianceSampler
from tensorspin.hybrid.appliance import ApplianceError, ApplianceTimeoutError
from tensorspin.server.tokens import add_token

from ..support.appliances import RunningAppliance
from ..support.samplers import WAIT

CALLS = "tensorspin_appliance_device_calls_total"


def circuit():
    made = QuantumCircuit(8)
    made.rx(Parameter("value"), 0)
    made.measure_all()
    return made


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """An appliance whose device takes a while, and three jobs may wait."""
    running = RunningAppliance(
        tmp_path_factory.mktemp("slow"), "--queue", "3", sampler="tests.support.samplers:Slow"
    )
    with ApplianceSampler(running.url, **running.arguments()) as client:
        client.upload(circuit())
    yield running
    running.stop()


@pytest.fixture
def client(slow):
    with ApplianceSampler(slow.url, **slow.arguments(in_flight=64)) as sampler:
        yield sampler


def send(client, count, timeout=60.0, value=1.0):
    return [client.run([(circuit(), [value])], shots=1, timeout=timeout) for _ in range(count)]


def settled(slow):
    """Wait until the device has nothing to do."""
    while slow.ask("GET", "/v1/device")[2]["busy"] or slow.metric("tensorspin_appliance_waiting"):
        time.sleep(0.05)


def test_jobs_whose_time_is_over_are_never_run(slow, client):
    settled(slow)
    calls = slow.metric(CALLS)
    (running,) = send(client, 1)
    time.sleep(WAIT / 4)
    late = send(client, 3, timeout=WAIT / 3)
    for job in late:
        with pytest.raises(ApplianceTimeoutError):
            job.result()
    running.result()
    settled(slow)
    assert slow.metric(CALLS) == calls + 1
    assert slow.metric('tensorspin_appliance_jobs_total{state="expired"}') >= 3


def test_a_job_that_nobody_waits_for_is_not_run_either_when_its_time_is_over(slow, client):
    settled(slow)
    calls = slow.metric(CALLS)
    (running,) = send(client, 1)
    body = {"program": client.upload(circuit())["program"], "shots": 1}
    body["parameters"] = {"parameter_00000": 1}
    asked = {"Prefer": "respond-async", "Idempotency_Key": "forgotten-1", "X_Timeout": "0.05"}
    assert slow.ask("POST", "/v1/jobs", body, **asked)[0] == 202
    running.result()
    settled(slow)
    assert slow.ask("GET", "/v1/jobs/forgotten-1")[::2] == (
        504,
        {
            "id": "forgotten-1",
            "state": "expired",
            "error": {
                "code": "expired",
                "message": "the 0.05 s of job forgotten-1 were over before it was run",
            },
        },
    )
    assert slow.metric(CALLS) == calls + 1


def test_a_job_whose_time_ends_on_the_device_is_late_and_not_answered(slow, client):
    settled(slow)
    late = slow.metric("tensorspin_appliance_late_total")
    (job,) = send(client, 1, timeout=WAIT / 2)
    with pytest.raises(ApplianceTimeoutError):
        job.result()
    settled(slow)
    assert slow.metric("tensorspin_appliance_late_total") == late + 1
    assert send(client, 1, value=7.0)[0].result()[0].data.meas.get_int_counts() == {7: 1}


def test_a_full_queue_says_when_to_come_back(slow):
    settled(slow)
    body = {"parameters": {"parameter_00000": 1}, "shots": 1}
    with ApplianceSampler(slow.url, **slow.arguments()) as client:
        body["program"] = client.upload(circuit())["program"]
    asked = {"Prefer": "respond-async", "X_Timeout": "30"}
    answers = [slow.ask("POST", "/v1/jobs", body, **asked) for _ in range(6)]
    refused = [answer for answer in answers if answer[0] == 429]
    assert len(refused) >= 2 and answers[0][0] == 202
    for _, headers, told in refused:
        assert int(headers["Retry-After"]) >= 1 and told["error"]["code"] == "busy"


def test_a_client_waits_for_a_full_queue_as_long_as_it_has_time(slow, client):
    settled(slow)
    patient = send(client, 6)
    hurried = [job for job in send(client, 3, timeout=0.9)]
    failures = []
    for job in hurried:
        try:
            job.result()
        except ApplianceError as error:
            failures.append(error)
    assert failures
    assert all(job.result()[0].data.meas.get_int_counts() == {1: 1} for job in patient)


def test_a_token_that_fills_the_queue_does_not_keep_another_out(slow):
    settled(slow)
    other, _ = add_token(slow.token_file, "modest", None)
    with ApplianceSampler(slow.url, **slow.arguments(in_flight=64)) as greedy:
        waiting = send(greedy, 8)
        while slow.metric("tensorspin_appliance_waiting") < 3:
            time.sleep(0.02)
        with ApplianceSampler(slow.url, **slow.arguments(token=other)) as modest:
            begins = time.monotonic()
            send(modest, 1)[0].result()
            assert time.monotonic() - begins < 4 * WAIT + 2
        assert all(job.result()[0].data.meas.get_int_counts() == {1: 1} for job in waiting)


def test_a_cancelled_job_leaves_the_queue(slow, client):
    settled(slow)
    calls = slow.metric(CALLS)
    (first,) = send(client, 1)
    time.sleep(WAIT / 4)
    waiting = send(client, 2)
    time.sleep(WAIT / 4)
    assert all(job.cancel() for job in waiting)
    first.result()
    settled(slow)
    assert slow.metric(CALLS) == calls + 1
    assert slow.metric('tensorspin_appliance_jobs_total{state="cancelled"}') >= 2


def test_result_has_a_timeout_of_its_own(slow, client):
    (job,) = send(client, 1)
    with pytest.raises(ApplianceTimeoutError, match="no result after"):
        job.result(timeout=WAIT / 10)
    assert job.running() and job.result().metadata == {"version": 2}


@pytest.mark.slow
def test_a_stop_ends_the_running_job_well_and_refuses_those_that_wait(tmp_path):
    running = RunningAppliance(tmp_path, sampler="tests.support.samplers:Slow")
    with ApplianceSampler(running.url, **running.arguments(in_flight=9)) as client:
        client.upload(circuit())
        jobs = send(client, 4)
        while not running.ask("GET", "/v1/device")[2]["busy"]:
            time.sleep(0.01)
        time.sleep(WAIT / 3)
        begins = time.monotonic()
        assert running.stop(signal.SIGTERM) == 0
        assert time.monotonic() - begins < 20  # no waiting for idle connections
        outcomes = []
        for job in jobs:
            try:
                outcomes.append(job.result()[0].data.meas.get_int_counts())
            except ApplianceError as error:
                outcomes.append(error.status)
    assert sorted(map(str, outcomes)) == sorted(map(str, [{1: 1}, 503, 503, 503]))
    assert '"event": "stop"' in running.log.read_text()


@pytest.mark.slow
def test_a_second_signal_stops_at_once(tmp_path):
    running = RunningAppliance(tmp_path, sampler="tests.support.samplers:Stuck")
    with ApplianceSampler(running.url, **running.arguments()) as client:
        client.upload(circuit())
        send(client, 1)
        while not running.ask("GET", "/v1/device")[2]["busy"]:
            time.sleep(0.01)
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert running.process.poll() is None
        begins = time.monotonic()
        assert running.stop(signal.SIGINT) == 1
        assert time.monotonic() - begins < 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /health HTT",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST /v1/jobs HTTP/1.1\r\nAuthorization: Bearer %s\r\nHost: x\r\nContent-Length: 9"
        b"\r\n\r\n",
    ],
)
def test_who_sends_slowly_is_cut_off(slow, sent):
    context = ssl.create_default_context(cafile=slow.certificates.trusted)
    plain = socket.create_connection(("127.0.0.1", slow.port), timeout=60)
    with context.wrap_socket(plain, server_hostname="localhost") as connection:
        connection.sendall(sent.replace(b"%s", slow.token.encode()))
        begins, received = time.monotonic(), b""
        try:
            while piece := connection.recv(1000):
                received += piece
        except OSError:
            pass  # it is cut off without TLS's goodbye
        assert 10 < time.monotonic() - begins < 40
        assert (b" 408 " in received) == sent.startswith(b"POST")
        assert slow.ask("GET", "/health")[0] == 200


def test_hundreds_of_idle_connections_keep_nobody_out(slow):
    idle = []
    try:
        for _ in range(300):
            idle.append(socket.create_connection(("127.0.0.1", slow.port), timeout=60))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = list(pool.map(lambda _: slow.ask("GET", "/health")[0], range(8)))
        assert asked == [200] * 8
    finally:
        for connection in idle:
            connection.close()
