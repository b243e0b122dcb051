"""Virtual boards at a pseudo-terminal and a TCP port, with the real driver at the other end."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time

import pytest

from tensorspin.contract.wire.frames import FrameSplitter, Packet
from tensorspin.contract.wire.packets import REPLY, PacketType
from tensorspin.driver.board import Board
from tensorspin.driver.bridge import Bridge, boards, parse_address
from tensorspin.driver.bridge.boards import CLOCK_HZ
from tensorspin.driver.selftest import selftest
from tensorspin.driver.selftest.result import Verdict
from tensorspin.errors import LinkError, TransportError
from tensorspin.golden.annealer.device import DeviceAnnealer

from ..support.anneals import BOTH, check, random_job
from ..support.doubles import ROW, assert_answers, golden_transport
from ..support.loaded_programs import chain_program, golden_answers, random_levels

LOOPBACK = ("127.0.0.1", 0)
LINES = [pytest.param(LOOPBACK, id="tcp"), pytest.param(None, id="terminal")]

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs pseudo-terminals")


@contextlib.contextmanager
def serving(url="golden://icebreaker", tcp=LOOPBACK):
    with Bridge(url, tcp=tcp) as bridge:
        thread = threading.Thread(target=bridge.serve, daemon=True)
        thread.start()
        try:
            yield bridge
        finally:
            bridge.stop()
            thread.join(10)
            assert not thread.is_alive()


def connect(bridge):
    host, port = bridge.url.removeprefix("socket://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=5)


def greeted(client):
    """Whether a board answers a client that is no driver."""
    client.sendall(Packet(PacketType.HELLO, 7).frame())
    splitter, packets = FrameSplitter(), []
    while not packets and (data := client.recv(4096)):
        packets = splitter.feed(data)
    return [packet.type for packet in packets] == [PacketType.HELLO | REPLY]


@pytest.mark.parametrize("tcp", LINES)
def test_a_program_is_loaded_and_run(tcp):
    program, levels = chain_program(30, 10, 8), random_levels(20, 30)
    with serving(tcp=tcp) as bridge:
        with Board.open(bridge.url) as board:
            board.load(program, verify=True)
            assert_answers(board.run(levels), golden_answers(program, levels))
            assert board.info.clock_hz == CLOCK_HZ
        # The board keeps its program for the next one who opens it.
        with Board.open(bridge.url) as board:
            assert board.status().active


@pytest.mark.parametrize("tcp", LINES)
def test_requests_are_answered_while_an_anneal_computes(tcp, monkeypatch):
    asked, enough = [], threading.Event()

    class Slow(DeviceAnnealer):
        def step(self, cycle):
            assert enough.wait(10)  # longer than the host waits for an answer
            return super().step(cycle)

    def progress(done, steps):
        asked.append(done)
        if len(asked) == 5:
            enough.set()

    monkeypatch.setattr(boards, "DeviceAnnealer", Slow)
    monkeypatch.setattr(boards, "parse_virtual", lambda url: ("golden", BOTH, ""))
    with serving("golden://both", tcp) as bridge:
        with Board.open(bridge.url) as board:
            check(board, random_job(), progress=progress)
    assert len(asked) >= 5


def test_a_run_that_is_stopped_leaves_no_results(monkeypatch):
    release = threading.Event()

    class Stuck(DeviceAnnealer):
        def step(self, cycle):
            release.wait(10)
            return super().step(cycle)

    monkeypatch.setattr(boards, "DeviceAnnealer", Stuck)
    monkeypatch.setattr(boards, "parse_virtual", lambda url: ("golden", BOTH, ""))
    with serving("golden://both") as bridge, Board.open(bridge.url) as board:

        def interrupt(done, steps):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            board.anneal_job(random_job(1), progress=interrupt)
        assert not board.status().annealing
        release.set()
        check(board, random_job(2))


def test_a_second_client_is_turned_away_and_the_first_is_not_disturbed():
    with serving() as bridge, connect(bridge) as first:
        assert greeted(first)
        with connect(bridge) as second:
            assert second.recv(10) == b""  # closed
        assert greeted(first)
        with pytest.raises((LinkError, TransportError)):
            Board.open(bridge.url, baud=1_000_000, timeout=0.2)


def test_garbage_and_clients_that_vanish_do_no_harm():
    with serving() as bridge:
        for data in (os.urandom(20_000), b"GET / HTTP/1.1\r\n\r\n", b"\0" * 9000, b"\1\2"):
            with connect(bridge) as client:
                client.sendall(data)
        client = connect(bridge)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sendall(Packet(PacketType.HELLO, 1).frame()[:-2])
        client.close()  # by a reset, in the middle of a frame
        deadline = time.monotonic() + 5
        while True:
            with contextlib.suppress(TransportError, LinkError), Board.open(bridge.url) as board:
                assert board.info.board == "icebreaker"
                break
            assert time.monotonic() < deadline


def test_a_client_that_reads_nothing_does_not_stop_the_bridge(monkeypatch):
    monkeypatch.setattr("tensorspin.driver.bridge._MOST_PENDING", 1000)
    with serving() as bridge:
        with connect(bridge) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            frames = Packet(PacketType.STATUS, 99).frame() * 1000
            client.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                for _ in range(100):
                    client.sendall(frames)
        time.sleep(0.05)
        with Board.open(bridge.url) as board:
            assert not board.status().active


@pytest.mark.parametrize("tcp", LINES)
def test_a_simulated_board_runs_on_by_itself_and_says_that_it_is_slow(tcp, monkeypatch):
    # Compiling one takes a minute; a golden transport has a clock of its own, too.
    monkeypatch.setattr(boards, "open_transport", lambda url: golden_transport())
    program, levels = chain_program(), random_levels(5)
    with serving("sim://icebreaker", tcp) as bridge, Board.open(bridge.url) as board:
        assert board.info.clock_hz == CLOCK_HZ and board.info.board == ROW.name
        board.load(program)
        assert_answers(board.run(levels), golden_answers(program, levels))


@pytest.mark.parametrize(
    ("url", "tcp", "error", "message"),
    [
        ("/dev/ttyUSB0", None, ValueError, "a bridge is for virtual boards, .*not for '/dev/ttyU"),
        ("golden://nonesuch", None, TransportError, "no board is called 'nonesuch'"),
        ("golden://icebreaker", ("0.0.0.0", 0), ValueError, "loopback interface, .* not '0.0.0.0'"),
        ("golden://icebreaker", ("", 0), ValueError, "loopback interface"),
        ("golden://icebreaker", ("no such host", 0), TransportError, "there is no address no such"),
    ],
)
def test_what_cannot_be_bridged_is_refused(url, tcp, error, message):
    with pytest.raises(error, match=message):
        Bridge(url, tcp=tcp)


def test_a_port_in_use_is_refused():
    with serving() as bridge:
        port = parse_address(bridge.url.removeprefix("socket://"))
        with pytest.raises(TransportError, match="cannot listen at 127.0.0.1:.* in use"):
            Bridge("golden://icebreaker", tcp=port)


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:", "a:b", "localhost:65536", ":-1", ""])
def test_addresses_of_another_form_are_refused(text):
    with pytest.raises(ValueError, match="the address must be HOST:PORT"):
        parse_address(text)


def test_addresses_of_both_families_are_read():
    assert parse_address("[::1]:7000") == ("::1", 7000)
    assert parse_address("localhost:0") == ("localhost", 0)


@pytest.mark.parametrize(
    "name", [pytest.param("icebreaker", marks=pytest.mark.slow), "hx8k_evn_annealer"]
)
def test_a_board_at_a_bridge_passes_the_selftest(name):
    with serving(f"golden://{name}") as bridge, Board.open(bridge.url) as board:
        results = {each.name: each for each in selftest(board)}
    assert not [each for each in results.values() if each.verdict is Verdict.FAIL]
    assert "at a bridge" in results["description"].found
    assert "(modelled or simulated)" in results["throughput"].found
    assert results["clock"].verdict is Verdict.SKIP
