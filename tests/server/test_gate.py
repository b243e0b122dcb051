"""What stands before the routes: hosts, slow bodies, clients that leave; without any network."""

from __future__ import annotations

import asyncio
import json

import pytest

from tensorspin.server.gate import Gate
from tensorspin.server.metrics import RequestMetrics, new_registry


async def echo(scope, receive, send):
    """An application that answers with the body that it was given."""
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        return
    message = await receive()
    assert message["type"] == "http.request" and not message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def asked(messages, host=b"127.0.0.1:8443", kind="http", pause=0.0, headers=()):
    """Send messages through a gate without tokens: (status, body) or what was sent else."""
    sent = []
    gate = Gate(echo, None, lambda path: 10, RequestMetrics(new_registry()), body_seconds=0.1)

    async def receive():
        await asyncio.sleep(pause)
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": "POST", "path": "/x", "client": ("127.0.0.1", 1)}
    scope["headers"] = [(b"host", host), *headers]
    asyncio.run(gate(scope, receive, send))
    if kind != "http":
        return sent[0]["type"]
    return sent[0]["status"], sent[1]["body"]


def body(data=b"", more=False):
    return {"type": "http.request", "body": data, "more_body": more}


def code(answer):
    return json.loads(answer[1])["error"]["code"]


def test_the_body_reaches_the_application_whole():
    assert asked([body(b"a", True), body(b"b", True), body(b"c")]) == (200, b"abc")


@pytest.mark.parametrize("host", [b"localhost", b"localhost:1", b"127.0.0.1", b"[::1]:8443"])
def test_loopback_names_come_in_without_a_token(host):
    assert asked([body(b"a")], host=host) == (200, b"a")


@pytest.mark.parametrize(
    "host", [b"evil.example", b"", b"192.168.1.2:8443", b"localhost.evil.example"]
)
def test_other_names_may_be_those_of_a_page_and_are_refused(host):
    assert asked([body(b"a")], host=host)[0] == 421


@pytest.mark.parametrize("pieces", [[b"x" * 11], [b"x" * 6, b"x" * 5]])
def test_a_body_beyond_the_limit_is_refused(pieces):
    messages = [body(piece, place < len(pieces) - 1) for place, piece in enumerate(pieces)]
    answer = asked(messages)
    assert answer[0] == 413 and code(answer) == "too_large"


def test_a_length_that_is_announced_is_enough_to_be_refused():
    assert asked([], headers=[(b"content-length", b"11")])[0] == 413
    assert asked([], headers=[(b"content-length", b"9" * 5000)])[0] == 413


def test_a_body_that_comes_slowly_is_refused_in_time():
    answer = asked([body(b"x", True) for _ in range(9)], pause=0.03)
    assert answer[0] == 408 and code(answer) == "slow"


def test_a_client_that_leaves_reaches_no_application():
    assert asked([body(b"x", True), {"type": "http.disconnect"}])[0] == 400


def test_the_lifespan_comes_in():
    assert asked([], kind="lifespan") == "lifespan.startup.complete"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        (b"http://127.0.0.1:8443", True),
        (b"https://evil.example", False),
        (b"http://127.0.0.1:9", False),
        (b"null", False),
    ],
)
def test_a_websocket_is_refused_to_pages_of_other_servers(origin, allowed):
    headers = [] if origin is None else [(b"origin", origin)]
    kind = asked([body()], kind="websocket", headers=headers)
    assert kind == ("http.response.start" if allowed else "websocket.http.response.start")


def test_a_websocket_is_refused_to_other_names():
    asked_for = asked([body()], kind="websocket", host=b"evil.example")
    assert asked_for == "websocket.http.response.start"
