"""Cycles at the byte stream."""

import numpy as np
import pytest

from tensorspin.benchmarks.contractor.latency import (
    ProbedTransport,
    measure_boards,
    measure_latency,
)
from tensorspin.contract.device.boards import find_board
from tensorspin.driver.board import Board
from tensorspin.driver.transports import Transport, open_transport
from tensorspin.errors import TransportError
from tensorspin.models import MPSClassifier

CLOCK_HZ = 1_000_000
BOARD = "icebreaker"


class ScriptedBoard(Transport):
    """Takes a byte a cycle and gives scripted bytes so many cycles after the last one."""

    url, latency = "sim://scripted", 0.0

    def __init__(self, replies: dict[int, bytes]) -> None:
        self.cycle = 0
        self.pending = 0
        self.replies = replies
        self.taken_at = 0

    def write(self, data):
        self.pending += len(data)

    def read(self, timeout):
        for _ in range(max(1, round(timeout * CLOCK_HZ))):
            self.cycle += 1
            if self.pending:
                self.pending -= 1
                self.taken_at = self.cycle
            elif reply := self.replies.get(self.cycle - self.taken_at):
                return reply
        return b""

    def now(self):
        return self.cycle / CLOCK_HZ

    def close(self):
        pass


def test_probe_notes_first_and_last_byte():
    probe = ProbedTransport(ScriptedBoard({20: b"a", 21: b"b", 25: b"\0"}), CLOCK_HZ)
    probe.watch(True)
    probe.write(bytes(7))
    probe.write(bytes(3))
    received = b"".join(probe.read(1.0) for _ in range(3))
    assert received == b"ab\0"
    assert probe.sent == 10 and probe.accepted_cycle == 10
    assert probe.reply_cycles() == (30, 35)


def test_probe_tells_the_last_frame_from_those_before():
    script = {5: b"x", 6: b"\0", 9: b"y", 12: b"z", 13: b"\0"}
    probe = ProbedTransport(ScriptedBoard(script), CLOCK_HZ)
    probe.watch(True)
    probe.write(b"?")
    while not probe.read(1.0).endswith(b"\0") or len(probe.received) < 5:
        pass
    assert probe.reply_cycles() == (10, 14)
    probe.forget()
    assert probe.received == [] and probe.sent == 0


def test_probe_keeps_time_outs():
    probe = ProbedTransport(ScriptedBoard({}), CLOCK_HZ)
    probe.watch(True)
    assert probe.read(1e-3) == b""
    assert probe.cycle == 1000


@pytest.fixture(scope="module")
def trained():
    rng = np.random.default_rng(0)
    X, y = rng.random((40, 12)), np.arange(40) % 2
    classifier = MPSClassifier(bond_dim=4, feature_range=(0, 1), epochs=2, random_state=0)
    return classifier.fit(X, y).quantize(), X


def test_gateware(trained):
    program, X = trained
    try:
        open_transport(f"sim://{BOARD}").close()
    except TransportError as error:
        pytest.skip(str(error))
    found = measure_latency(program, BOARD, X)
    parts = [found[f"{name}_cycles"]["median"] for name in ("overhead", "engine", "reply")]
    board = find_board(BOARD)
    cycles = program.cycles(board.contractor.lanes, board.contractor.latencies)
    assert found["engine_cycles"]["quartiles"] == [cycles] * 2
    assert all(part > 0 for part in parts)
    assert found["cycles"]["median"] == pytest.approx(sum(parts), abs=2)
    # The levels must be copied, one a cycle at best, and the reply's bytes given.
    assert parts[0] > program.n_features
    assert found["seconds"] == found["cycles"]["median"] / board.clock_hz
    assert found["line_seconds"] > found["line_bytes"] * 8 / board.baud


def test_boards_that_are_no_gateware_have_no_latency(trained):
    program, X = trained
    url = f"golden://{BOARD}"
    with Board.open(url) as board:
        (row,) = measure_boards("mine", {("MPSClassifier", 8): program}, {url: board}, X)
    assert row["latency"] is None
    assert row["throughput"]["samples_per_second"] > 0
