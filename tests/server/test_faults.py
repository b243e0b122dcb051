"""A network and an appliance that hurt: the client says what is wrong, in time."""

from __future__ import annotations

import json
import random
import signal
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from tensorspin.hybrid import ApplianceSampler
from tensorspin.hybrid.appliance import (
    ApplianceAnswerError,
    ApplianceError,
    ApplianceTimeoutError,
    ApplianceUnreachableError,
)

from ..support.appliances import Certificates, RunningAppliance
from ..support.proxy import HurtingProxy, delayed, slow_bytes

FAR = 30.0
"""Seconds that no answer takes; a client that waits for them is stuck."""


def circuit(bits=8):
    made = QuantumCircuit(bits)
    made.rx(Parameter("value"), 0)
    made.measure_all()
    return made


def measured(client, value=5, timeout=60.0, bits=8):
    """The whole number that all shots measured."""
    result = client.run([(circuit(bits), [float(value)])], shots=20, timeout=timeout).result()
    ((number, shots),) = result[0].data.meas.get_int_counts().items()
    assert shots == 20
    return number


@pytest.fixture
def proxy(appliance):
    between = HurtingProxy(appliance.port)
    yield between
    between.close()


@pytest.fixture
def hurt(appliance, proxy):
    """A client behind the proxy."""
    url = f"https://localhost:{proxy.port}"
    with ApplianceSampler(url, **appliance.arguments()) as client:
        assert measured(client) == 5
        yield client


def test_a_delay_within_the_time_is_waited_for(hurt, proxy):
    proxy.hurt = delayed(0.2)
    assert measured(hurt, 9) == 9


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_a_delay_beyond_the_time_ends_in_time_and_the_next_answer_is_right(hurt, proxy, seconds):
    proxy.hurt = delayed(3.0)
    begins = time.monotonic()
    with pytest.raises(ApplianceTimeoutError, match="in time|within|were over"):
        measured(hurt, 6, timeout=seconds)
    assert time.monotonic() - begins < 2.5  # less than the delay
    proxy.hurt = proxy.unhurt
    assert measured(hurt, 7) == 7


def test_bytes_that_come_one_by_one_end_in_time(hurt, proxy):
    proxy.cut()
    proxy.hurt = slow_bytes(proxy, 0, 0.2)
    begins = time.monotonic()
    with pytest.raises(ApplianceTimeoutError):
        measured(hurt, 6, timeout=1.0)
    assert time.monotonic() - begins < FAR


def test_connections_that_were_cut_are_opened_again(hurt, proxy):
    for value in range(5):
        proxy.cut()
        assert measured(hurt, value) == value


def test_an_answer_that_is_cut_is_asked_for_again_and_run_once(hurt, proxy, appliance):
    calls = appliance.metric("tensorspin_appliance_device_calls_total")
    cut = []

    def once(_number, direction, _passed, data):
        if direction == "down" and not cut:
            cut.append(data)
            return None
        return data

    proxy.hurt = once
    assert measured(hurt, 8) == 8
    assert cut and appliance.metric("tensorspin_appliance_device_calls_total") == calls + 1


def test_answers_that_are_always_cut_are_told(hurt, proxy):
    proxy.hurt = lambda _number, direction, _passed, data: None if direction == "down" else data
    with pytest.raises(ApplianceUnreachableError, match="broke"):
        measured(hurt)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_damaged_bytes_are_never_taken_for_an_answer(hurt, proxy, direction):
    generator, damaged = random.Random(3), []

    def damage(_number, towards, _passed, data):
        if towards != direction or generator.random() < 0.9:
            return data
        place = generator.randrange(len(data))
        damaged.append(place)
        return data[:place] + bytes([data[place] ^ 1 << generator.randrange(8)]) + data[place + 1 :]

    proxy.hurt = damage
    right = 0
    for value in range(30):
        try:
            assert measured(hurt, value, timeout=5.0) == value
            right += 1
        except ApplianceError:
            pass
    assert damaged and right
    proxy.hurt = proxy.unhurt
    assert measured(hurt, 1) == 1


def test_nobody_who_listens_is_told(appliance):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ApplianceSampler(f"https://127.0.0.1:{port}", **appliance.arguments()) as client:
        with pytest.raises(ApplianceUnreachableError, match=f"nobody listens at .*:{port}"):
            measured(client)


def test_a_name_that_is_unknown_is_told(appliance):
    with ApplianceSampler("https://no.such.host.invalid", **appliance.arguments()) as client:
        with pytest.raises(ApplianceUnreachableError, match="the host of .* is unknown"):
            measured(client, timeout=FAR)


def test_a_token_that_is_wrong_is_told_and_not_shown(appliance):
    for token in ("tsp_wrong", None):
        with ApplianceSampler(appliance.url, **appliance.arguments(token=token)) as client:
            with pytest.raises(ApplianceError, match="tensorspin appliance token") as raised:
                measured(client)
            assert raised.value.status == 401 and "tsp_wrong" not in str(raised.value)


def test_a_certificate_that_nobody_trusts_is_told(appliance, tmp_path):
    for other in (Certificates(tmp_path).trusted, None):
        with ApplianceSampler(appliance.url, **appliance.arguments(certificate=other)) as client:
            with pytest.raises(ApplianceUnreachableError, match="is not trusted.*certificate="):
                measured(client)


def test_a_certificate_of_another_name_is_told(appliance, proxy):
    url = f"https://127.0.0.2:{appliance.port}"
    proxy.close()
    with ApplianceSampler(url, **appliance.arguments()) as client:
        with pytest.raises(ApplianceUnreachableError, match="does not match|nobody listens"):
            measured(client)


def test_a_file_that_is_no_certificate_is_told(appliance, tmp_path):
    (tmp_path / "x.pem").write_text("nonsense")
    with pytest.raises(ValueError, match="certificate must be a file of certificates in PEM"):
        ApplianceSampler(appliance.url, certificate=tmp_path / "x.pem")
    with pytest.raises(FileNotFoundError, match="missing.pem"):
        ApplianceSampler(appliance.url, certificate=tmp_path / "missing.pem")


def test_the_clear_and_tls_do_not_mix(appliance):
    with ApplianceSampler(appliance.url.replace("https", "http")) as client:
        with pytest.raises(ApplianceError):
            measured(client)


class Impostor(BaseHTTPRequestHandler):
    """Says what the test wants, to whatever it is asked."""

    protocol_version = "HTTP/1.1"
    change = staticmethod(lambda document: document)
    status = 200

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = [{"name": "meas", "bits": 8, "data": "BQUFBQUFBQUFBQUFBQUFBQUFBQU="}]
        document = {"id": self.headers["Idempotency-Key"], "registers": data, "shots": 20}
        changed = type(self).change(document, asked)
        body = changed if isinstance(changed, bytes) else json.dumps(changed).encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def impostor():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Impostor)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with ApplianceSampler(f"http://127.0.0.1:{server.server_port}", timeout=20.0) as client:
        yield client
    server.shutdown()
    server.server_close()


def registers(**said):
    return lambda document, _: {**document, "registers": [{**document["registers"][0], **said}]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (registers(data="BQUF"), "must have 20 shots for each of 1 rows of parameters"),
        (registers(bits=9), "register meas must have 8 bits, not 9"),
        (registers(data=None), "are damaged"),
        (registers(data="BQ==BQ=="), "are damaged"),
        (registers(data=[1, 2]), "are damaged"),
        (lambda document, _: {**document, "registers": []}, "must have 1 registers"),
        (lambda document, _: {**document, "registers": None}, "must have 1 registers"),
        (lambda document, _: {**document, "registers": [3]}, "must have 8 bits, not none"),
        (lambda document, _: {**document, "id": "another"}, "must be that of job"),
        (lambda document, _: [document], "must be a JSON object"),
        (lambda document, _: json.dumps(document).encode()[:-5], "is no JSON"),
        (lambda document, _: b"<html>", "is there really an appliance"),
        (lambda document, _: b"[" * 100_000, "is no JSON"),
        (lambda document, _: b"\xff", "is no JSON"),
        (lambda document, _: b"", "is no JSON"),
    ],
)
def test_answers_to_another_question_are_refused(impostor, change, words):
    Impostor.change, Impostor.status = staticmethod(change), 200
    with pytest.raises(ApplianceAnswerError, match=words):
        measured(impostor)


def test_bits_beyond_the_register_are_refused(impostor):
    Impostor.change, Impostor.status = staticmethod(registers(bits=3)), 200
    with pytest.raises(ApplianceAnswerError, match="ones beyond its 2 bits|must have 2 bits"):
        measured(impostor, bits=2)


@pytest.mark.parametrize("status", [302, 400, 500, 503])
def test_a_status_without_a_reason_is_told(impostor, status):
    Impostor.change, Impostor.status = staticmethod(lambda *_: b"no JSON"), status
    with pytest.raises(ApplianceError, match=rf"gives no reason \(HTTP {status}\)") as raised:
        measured(impostor)
    assert raised.value.status == status


@pytest.mark.slow
def test_what_the_sampler_complains_of_is_told(tmp_path):
    running = RunningAppliance(tmp_path, sampler="tests.support.samplers:Failing")
    try:
        with ApplianceSampler(running.url, **running.arguments()) as client:
            with pytest.raises(ApplianceError, match="RuntimeError: the cryostat is warm"):
                measured(client, -1)
            with pytest.raises(ApplianceError, match="gave 1 rows of 19 shots, not 1 of 20"):
                measured(client, 101)
            assert measured(client, 3) == 3
    finally:
        running.stop()


@pytest.mark.slow
def test_a_stopped_process_costs_its_time_and_comes_back(appliance):
    with ApplianceSampler(appliance.url, **appliance.arguments()) as client:
        assert measured(client) == 5
        appliance.process.send_signal(signal.SIGSTOP)
        try:
            for _ in range(3):
                with pytest.raises(ApplianceTimeoutError):
                    measured(client, timeout=0.3)
        finally:
            appliance.process.send_signal(signal.SIGCONT)
        assert measured(client, 6) == 6


@pytest.mark.slow
def test_a_killed_process_is_told_and_its_successor_gets_the_program_again(tmp_path):
    running = RunningAppliance(tmp_path)
    try:
        with ApplianceSampler(running.url, **running.arguments()) as client:
            assert measured(client) == 5
            running.stop(signal.SIGKILL)
            with pytest.raises(ApplianceUnreachableError, match="nobody listens"):
                measured(client)
            running.start()
            assert measured(client, 6) == 6
    finally:
        running.stop()


def test_a_time_that_is_too_short_for_an_upload_leaves_the_program_there(hurt, proxy, appliance):
    fresh, uploads = circuit(7), 'tensorspin_requests_total{route="/v1/programs/{digest}"'
    before = appliance.metric(uploads)
    proxy.hurt = delayed(0.5)
    with pytest.raises(ApplianceTimeoutError):
        hurt.run([(fresh, [1.0])], shots=1, timeout=0.1).result()
    proxy.hurt = proxy.unhurt
    for _ in range(50):  # the upload goes on by itself
        try:
            hurt.run([(fresh, [1.0])], shots=1, timeout=0.5).result()
            break
        except ApplianceTimeoutError:
            continue
    result = hurt.run([(fresh, [3.0])], shots=1, timeout=20.0).result()
    assert np.all(result[0].data.meas.array == 3)
    assert appliance.metric(uploads) == before + 1
