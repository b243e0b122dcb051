"""An appliance over HTTP, by hand, as a client in any language would ask it."""

from __future__ import annotations

import concurrent.futures
import json
import socket

import pytest

from tensorspin.hybrid.appliance.protocol import MOST_BODY_BYTES, MOST_PROGRAM_BYTES, digest

PROGRAM = (
    'OPENQASM 3.0; include "stdgates.inc"; input float[64] a; input float[64] b; bit[8] c; '
    "qubit[8] q; rx(a) q[0]; rx(b) q[1]; c = measure q;"
)
NAME = digest(PROGRAM)
VALUES = {"a": 5.0, "b": 0.0}


@pytest.fixture(scope="module")
def ask(appliance):
    """Ask an appliance that has the program."""
    status, _, told = appliance.ask("PUT", f"/v1/programs/{NAME}", PROGRAM)
    assert status in (200, 201), told
    return appliance.ask


def job(**said):
    return {"program": NAME, "parameters": VALUES, "shots": 3, **said}


def test_a_program_is_uploaded_once_and_told(ask):
    status, _, told = ask("PUT", f"/v1/programs/{NAME}", PROGRAM)
    assert status == 200
    assert told == {
        **{"program": NAME, "qubits": 8, "parameters": ["a", "b"], "registers": [["c", 8]]},
        "operations": told["operations"],
    }
    assert ask("GET", f"/v1/programs/{NAME}")[2] == told
    assert ask("GET", f"/v1/programs/{'0' * 64}")[2]["error"]["code"] == "unknown_program"


def test_counts_are_the_answer_unless_bits_are_asked_for(ask):
    status, _, told = ask("POST", "/v1/jobs", job())
    assert (status, told["state"], told["rows"], told["shots"]) == (200, "done", 1, 3)
    assert told["registers"] == [{"name": "c", "bits": 8, "counts": [{"00000101": 3}]}]
    assert set(told["seconds"]) == {"queue", "device"}
    bits = ask("POST", "/v1/jobs", job(result="bits"))[2]["registers"]
    assert bits == [{"name": "c", "bits": 8, "data": "BQUF"}]


def test_rows_of_values_are_answered_in_order(ask):
    told = ask("POST", "/v1/jobs", job(parameters={"a": [1, 2, 3], "b": [0, 0, 0]}))[2]
    assert told["registers"][0]["counts"] == [{"00000001": 3}, {"00000010": 3}, {"00000011": 3}]


def test_a_repeated_post_gives_the_same_job_and_runs_nothing(ask, appliance):
    calls = appliance.metric("tensorspin_appliance_device_calls_total")
    key = {"Idempotency_Key": "repeated-1"}
    first = ask("POST", "/v1/jobs", job(), **key)[2]
    again = ask("POST", "/v1/jobs", job(), **key)[2]
    assert first == again and first["id"] == "repeated-1"
    assert ask("GET", "/v1/jobs/repeated-1")[2] == first
    assert appliance.metric("tensorspin_appliance_device_calls_total") == calls + 1
    status, _, told = ask("POST", "/v1/jobs", job(shots=4), **key)
    assert status == 422 and "another request" in told["error"]["message"]


def test_a_job_may_be_asked_for_later(ask):
    headers = {"Prefer": "respond-async", "Idempotency_Key": "later-one"}
    status, _, told = ask("POST", "/v1/jobs", job(), **headers)
    assert status in (200, 202) and told["id"] == "later-one"
    status, _, told = ask("GET", "/v1/jobs/later-one", X_Timeout="30")
    assert status == 200 and told["state"] == "done"
    assert ask("DELETE", "/v1/jobs/later-one")[2]["state"] == "done"
    assert ask("GET", "/v1/jobs/never-sent")[0] == 404


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"parameters": {"a": 1.0}}, "missing: b, unknown: none"),
        ({"parameters": {**VALUES, "x": 1.0}}, "missing: none, unknown: x"),
        ({"parameters": {"a": [1, 2], "b": [1]}}, "same number of values"),
        ({"parameters": {"a": [], "b": []}}, "at least one"),
        ({"parameters": {"a": "1.0e", "b": 0}}, "parameters.a"),
        ({"parameters": {"a": "1.0", "b": 0}}, "parameters.a"),
        ({"parameters": {"a": True, "b": 0}}, "parameters.a"),
        ({"parameters": {"a": [0, "1.0"], "b": [0, 0]}}, "parameters.a"),
        ({"parameters": {"a": float("nan"), "b": 0}}, "finite number"),
        ({"parameters": {"a": float("inf"), "b": [0]}}, "finite number"),
        ({"parameters": {"a": [1, -float("inf")], "b": [0, 0]}}, "finite number"),
        ({"parameters": [1, 2]}, "parameters"),
        ({"shots": 0}, "shots: Input should be greater than or equal to 1"),
        ({"shots": 10**7}, "less than or equal to 1000000"),
        ({"shots": 1.5}, "shots"),
        ({"shots": True}, "shots"),
        ({"shots": "3"}, "shots"),
        ({"program": "x"}, "program"),
        ({"result": "pictures"}, "result"),
        ({"sudo": 1}, "sudo"),
    ],
)
def test_jobs_that_are_none_are_refused(ask, said, words):
    status, _, told = ask("POST", "/v1/jobs", job(**said))
    assert status == 422 and words in told["error"]["message"]
    assert len(json.dumps(told)) < 1000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 422),
        ("[]", 422),
        ("null", 422),
        ("", 422),
        ("[" * 100_000, (400, 422)),
        ('{"a":' * 50_000, (400, 422)),
        ('{"program": 1' + "0" * 5000 + "}", (400, 422)),
        (b"\xff\xfe", (400, 422)),
    ],
)
def test_bodies_that_are_no_json_are_refused(ask, body, status):
    found, _, told = ask("POST", "/v1/jobs", body, Content_Type="application/json")
    assert found in (status if isinstance(status, tuple) else (status,))
    assert told["error"]["message"] and ask("GET", "/health")[0] == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "jsonp"])
def test_a_form_of_a_browser_is_not_taken(ask, kind):
    # Pages of other hosts may send text without asking, but no JSON.
    status, _, told = ask("POST", "/v1/jobs", json.dumps(job()), Content_Type=kind)
    words = f"Content-Type must be application/json, not {kind[:40]}"
    assert status == 415 and told["error"]["message"] == words


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_say_how_it_is_written(ask, kind):
    assert ask("POST", "/v1/jobs", json.dumps(job()), Content_Type=kind)[0] == 200


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", ""])
def test_a_timeout_that_is_none_is_refused(ask, seconds):
    status, _, told = ask("POST", "/v1/jobs", job(), X_Timeout=seconds or " ")
    assert status == 422 and "X-Timeout must be a number of seconds" in told["error"]["message"]


@pytest.mark.parametrize("key", ["short", "x" * 65, "with space", "../../etc"])
def test_an_identifier_that_is_none_is_refused(ask, key):
    status, _, told = ask("POST", "/v1/jobs", job(), Idempotency_Key=key)
    assert status == 422 and "Idempotency-Key must be 8 to 64" in told["error"]["message"]


def test_results_and_values_have_a_limit(ask):
    rows = {"a": [1.0] * 20, "b": [0.0] * 20}
    status, _, told = ask("POST", "/v1/jobs", job(parameters=rows, shots=1_000_000))
    assert status == 413 and "16777216 bytes, not 20000000" in told["error"]["message"]
    rows = {"a": [1] * 100_001, "b": [0] * 100_001}
    status, _, told = ask("POST", "/v1/jobs", job(parameters=rows, shots=1))
    assert status == 413 and "200000 values, not 200002" in told["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "size"),
    [
        ("PUT", f"/v1/programs/{NAME}", MOST_PROGRAM_BYTES + 1),
        ("POST", "/v1/jobs", MOST_BODY_BYTES + 1),
        ("POST", "/health", 1),
        ("GET", "/metrics", 1),
        ("POST", "/nowhere", 1),
    ],
)
def test_bodies_have_a_limit_before_they_are_read(appliance, method, path, size):
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {appliance.token}\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    with raw(appliance) as connection:
        connection.sendall(head.encode())  # and not one byte of the body
        assert b" 413 " in connection.recv(1000)


def raw(appliance):
    """A connection over TLS for bytes as they are."""
    import ssl

    context = ssl.create_default_context(cafile=appliance.certificates.trusted)
    plain = socket.create_connection(("127.0.0.1", appliance.port), timeout=60)
    return context.wrap_socket(plain, server_hostname="localhost")


def test_a_body_in_pieces_has_the_same_limit(appliance):
    head = (
        f"PUT /v1/programs/{NAME} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {appliance.token}"
        "\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with raw(appliance) as connection:
        connection.sendall(head.encode() + piece * 4 + b"1\r\nx\r\n")
        assert b" 413 " in connection.recv(1000)


def test_programs_must_be_what_their_name_says(ask):
    status, _, told = ask("PUT", f"/v1/programs/{'0' * 64}", PROGRAM)
    assert status == 422 and f"which is {NAME}" in told["error"]["message"]
    odd = b"\xff"
    import hashlib

    status, _, told = ask("PUT", f"/v1/programs/{hashlib.sha256(odd).hexdigest()}", odd)
    assert status == 422 and "UTF-8" in told["error"]["message"]


def test_programs_wider_than_the_backend_are_refused(ask):
    wide = 'OPENQASM 3.0; include "stdgates.inc"; bit c; qubit[25] q; c = measure q[0];'
    status, _, told = ask("PUT", f"/v1/programs/{digest(wide)}", wide)
    assert status == 422 and "needs 25 qubits, the backend has 24" in told["error"]["message"]


@pytest.mark.parametrize("token", ["", "wrong", "tsp_" + "a" * 43])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/device"),
        ("GET", "/metrics"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/nowhere"),
        ("POST", "/v1/jobs"),
        ("PUT", f"/v1/programs/{NAME}"),
        ("DELETE", "/v1/jobs/repeated-1"),
    ],
)
def test_nothing_but_health_is_told_without_a_token(ask, method, path, token):
    headers = {} if token else {"Authorization": ""}
    status, said, told = ask(method, path, token=token or "x", **headers)
    assert status == 401 and told["error"]["code"] == "unauthorised"
    assert said["WWW-Authenticate"] == "Bearer"


def test_health_needs_no_token(ask):
    assert ask("GET", "/health", Authorization="")[::2] == (200, {"state": "ready"})


def test_another_token_sees_no_jobs_of_this_one(ask, appliance):
    from tensorspin.server.tokens import add_token

    other, _ = add_token(appliance.token_file, "other", None)
    ask("POST", "/v1/jobs", job(), Idempotency_Key="private-1")
    assert ask("GET", "/v1/jobs/private-1")[0] == 200
    assert ask("GET", "/v1/jobs/private-1", token=other)[0] == 404
    assert ask("DELETE", "/v1/jobs/private-1", token=other)[0] == 404
    mine = ask("POST", "/v1/jobs", job(shots=9), token=other, Idempotency_Key="private-1")[2]
    assert mine["shots"] == 9


def test_paths_and_methods_that_are_none_are_told_in_the_same_form(ask):
    assert ask("GET", "/")[2]["error"]["code"] == "http"
    status, headers, told = ask("DELETE", "/v1/device")
    assert status == 405 and headers["Allow"] == "GET" and told["error"]["message"]


def test_metrics_and_logs_tell_what_happened_and_no_token(ask, appliance):
    before = appliance.metric('tensorspin_appliance_jobs_total{state="done"}')
    ask("POST", "/v1/jobs", job())
    assert appliance.metric('tensorspin_appliance_jobs_total{state="done"}') == before + 1
    _, headers, text = ask("GET", "/metrics")
    assert headers["Content-Type"].startswith("text/plain")
    assert "process_resident_memory_bytes" in text and 'route="/v1/jobs/{key}"' in text
    assert appliance.token not in text and "repeated-1" not in text
    log = appliance.log.read_text()
    assert appliance.token not in log and appliance.token[4:20] not in log
    events = [json.loads(line) for line in log.splitlines()]
    assert {"start", "program", "job", "request"} <= {event["event"] for event in events}
    asked = next(event for event in events if event.get("route") == "/v1/jobs")
    assert asked["owner"] == "test" and asked["status"] == 200 and asked["job"]


def test_many_at_once_get_their_own_answers(ask):
    def one(value):
        told = ask("POST", "/v1/jobs", job(parameters={"a": value, "b": 0}))
        return told[0], told[2].get("registers", [{}])[0].get("counts")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for value, (status, counts) in enumerate(pool.map(one, range(40))):
            assert status == 429 or counts == [{f"{value:08b}": 3}]
