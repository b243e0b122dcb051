"""What a server says to clients that keep to the protocol, and to those that do not."""

from __future__ import annotations

import json
import ssl
import struct

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tensorspin.contract.wire.frames import DELIMITER, FrameSplitter, Packet
from tensorspin.contract.wire.packets import REPLY, PacketType


def opened(server, path="/v1/boards/icebreaker/link", token=None, **headers):
    said = {"Authorization": f"Bearer {token or server.token}", **headers}
    trusted = ssl.create_default_context(cafile=server.certificates.trusted)
    address = f"wss{server.url[5:]}{path}"
    return connect(address, ssl=trusted, additional_headers=said, proxy=None)


def test_frames_of_the_link_and_a_clock(server):
    with opened(server) as socket:
        greeting = json.loads(socket.recv(30))["greeting"]
        assert greeting["board"] == "icebreaker" and greeting["virtual"] is True
        assert greeting["latency"] == 1e-3 and greeting["rate"] is None
        socket.send('{"take": 5}')
        assert json.loads(socket.recv(30)) == {"kept": False}
        hello = bytes([DELIMITER]) + Packet(PacketType.HELLO, 7).frame()
        socket.send(struct.pack("<d", 0.5) + hello)
        answer = socket.recv(30)
        (packet,) = FrameSplitter().feed(answer[8:])
        assert packet.type == PacketType.HELLO | REPLY and packet.sequence == 7
        (clock,) = struct.unpack_from("<d", answer)
        socket.send(struct.pack("<d", 0.25))
        (later,) = struct.unpack("<d", socket.recv(30))
        assert later == pytest.approx(clock + 0.25)
        socket.send('{"give": true}')
        socket.send('{"take": 0}')
        assert json.loads(socket.recv(30)) == {"kept": True}


def test_requests_outside_of_a_turn_are_refused(server):
    with opened(server) as socket:
        socket.recv(30)
        socket.send(struct.pack("<d", 0.5) + b"frame")
        error = json.loads(socket.recv(30))["error"]
        assert error["code"] == "turn_over" and "must be taken first" in error["message"]


@pytest.mark.parametrize(
    "message",
    [
        b"short",
        struct.pack("<d", float("nan")),
        struct.pack("<d", -1.0),
        "no JSON",
        "[]",
        '{"take": "soon"}',
        '{"take": -1}',
        '{"take": 1e999}',
        '{"unknown": 1}',
        b"x" * 70_000,
    ],
)
def test_who_does_not_keep_to_the_protocol_is_cut_off(server, message):
    with opened(server) as socket:
        socket.recv(30)
        socket.send(message)
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(30)
        assert caught.value.rcvd.code in (1008, 1009)
    assert server.ask("GET", "/health")[0] == 200


def test_who_sends_without_waiting_is_cut_off(server):
    with opened(server) as socket:
        socket.recv(30)
        socket.send('{"take": 5}')
        socket.recv(30)
        with pytest.raises(ConnectionClosed) as caught:
            for _ in range(200):
                socket.send(struct.pack("<d", 20.0))
            while True:
                socket.recv(30)
        assert caught.value.rcvd.code == 1008


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"token": "tsp_wrong"}, 401, "unauthorised"),
        ({"path": "/v1/boards/nexys/link"}, 404, "board"),
        ({"Origin": "https://elsewhere.example"}, 403, "origin"),
    ],
)
def test_who_may_not_come_in_gets_an_answer(server, given, status, code):
    with pytest.raises(InvalidStatus) as caught:
        opened(server, **given)
    assert caught.value.response.status_code == status
    assert json.loads(caught.value.response.body)["error"]["code"] == code


def test_the_list_of_boards(server):
    status, _, told = server.ask("GET", "/v1/boards")
    assert status == 200
    names = [board["name"] for board in told["boards"]]
    assert names == ["icebreaker", "icebreaker_annealer", "ulx3s_25f_both"]
    board = told["boards"][0]
    assert board["up"] and not board["in_use"] and board["clock_hz"] == 45_000_000
    assert board["engines"]["contractor"]["lanes"] == 8
    assert server.ask("GET", "/v1/boards/nexys")[0] == 404
    assert server.ask("GET", "/v1/boards", token="tsp_wrong")[0] == 401
    assert server.ask("GET", "/health", token="")[2] == {"state": "ready"}
    assert "tensorspin_board_up" in server.ask("GET", "/metrics")[2]
