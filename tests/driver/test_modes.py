"""What the groups of a contractor do: the parameter `mode` from the estimator down to the line."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

import tensorspin
from tensorspin.contract.contractor.rows import Mode
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.wire.frames import FrameSplitter
from tensorspin.contract.wire.packets import OFFSET, SINGLE, PacketType
from tensorspin.driver.link.requests import RunSample
from tensorspin.driver.selftest.contractor import check_contractor
from tensorspin.driver.selftest.result import Verdict
from tensorspin.golden.contractor.single import single_cycle_count
from tensorspin.golden.device import GoldenDevice

from ..support.doubles import golden_board, golden_transport
from ..support.loaded_programs import chain_program, golden_answers, random_levels

ROW = find_board("ulx3s_25f")
SHARING = replace(
    ROW, engines=ROW.engines.with_sizes(replace(ROW.require_contractor(), single_drain=2))
)
PLAIN = replace(
    ROW, engines=ROW.engines.with_sizes(replace(ROW.require_contractor(), single_drain=0))
)
PROGRAM = chain_program()
THROUGHPUT = PROGRAM.cycles(8)
ALONE = single_cycle_count(PROGRAM.nodes, SHARING.require_contractor())


@pytest.mark.parametrize(
    ("mode", "samples", "cycles"),
    [
        (None, 1, ALONE),
        (None, 5, THROUGHPUT),
        ("single", 5, ALONE),
        ("throughput", 1, THROUGHPUT),
        (Mode.SINGLE, 2, ALONE),
        ("single", 0, None),
    ],
)
def test_cycles_follow_the_mode_and_scores_do_not(mode, samples, cycles):
    board = golden_board(row=SHARING)
    board.load(PROGRAM)
    levels = random_levels(samples)
    found = board.run(levels, mode=mode)
    assert set(found.cycles) == ({cycles} if samples else set())
    np.testing.assert_array_equal(found.scores, golden_answers(PROGRAM, levels).scores)


@pytest.mark.parametrize("mode", [None, "single", "throughput"])
def test_without_the_mode_every_choice_is_the_same(mode):
    board = golden_board(row=PLAIN)
    board.load(PROGRAM)
    assert set(board.run(random_levels(2), mode=mode).cycles) == {THROUGHPUT}


@pytest.mark.parametrize("mode", ["fast", "", "SINGLE", 1])
def test_no_such_mode(mode):
    told = f"mode must be 'throughput', 'single' or None, not {mode!r}"
    board = golden_board(row=SHARING)
    board.load(PROGRAM)
    with pytest.raises(ValueError, match=told):
        board.run(random_levels(1), mode=mode)
    with pytest.raises(ValueError, match=told):
        tensorspin.deploy(PROGRAM, "golden://icebreaker", mode=mode)


def test_selftest_checks_both_modes():
    class Shares(GoldenDevice):
        """Answers samples that all groups share by other scores."""

        def feed(self, data):
            answers = super().feed(data)
            for answer in answers:
                if answer.shared:
                    (packet,) = FrameSplitter().feed(answer.frame)
                    payload = bytes([packet.payload[0], packet.payload[1] ^ 1]) + packet.payload[2:]
                    answer.frame = replace(packet, payload=payload).frame()
            return answers

    assert check_contractor(golden_board(row=SHARING)).verdict is Verdict.PASS
    found = check_contractor(golden_board(Shares(SHARING), SHARING))
    assert found.verdict is Verdict.FAIL and "that all groups share" in found.found


def test_only_the_run_carries_the_mode():
    parts = RunSample(0, bytes(range(10)), 3, 0.0, Mode.SINGLE).parts(4)
    assert [kind for kind, _ in parts] == [PacketType.FEATURES] * 2 + [PacketType.RUN]
    assert parts[-1][1] == OFFSET.pack(8 | SINGLE) + bytes([8, 9])
    assert parts[0][1] == OFFSET.pack(0) + bytes(range(4))


def test_long_samples_of_many_parts():
    program = chain_program(n_features=600, bond=2)
    board = golden_board(row=SHARING)
    board.load(program)
    levels = random_levels(2, features=600)
    found = board.run(levels, mode="single")
    np.testing.assert_array_equal(found.scores, golden_answers(program, levels).scores)


def test_a_device_tells_of_its_mode():
    packed = SHARING.description(bytes(8)).pack()
    assert DeviceDescription.unpack(packed) == SHARING.description(bytes(8))
    plain = PLAIN.description(bytes(8)).pack()
    assert DeviceDescription.unpack(plain).require_contractor().single_drain == 0
    assert len(packed) == len(plain) + 8  # the pipeline stands before it


def test_the_modelled_line_gives_a_shared_sample_all_groups():
    fast = replace(SHARING, baud=95_000_000, clock_hz=100_000)
    seconds = {}
    for mode in ("single", "throughput"):
        transport = golden_transport(row=fast)
        board = tensorspin.Board.over(transport)
        board.load(PROGRAM)
        before = transport.now()
        board.run(random_levels(6), mode=mode)
        seconds[mode] = transport.now() - before
    assert seconds["single"] >= 6 * ALONE / fast.clock_hz
    assert 2 * THROUGHPUT / fast.clock_hz <= seconds["throughput"] < 3 * THROUGHPUT / fast.clock_hz


def test_an_estimator_keeps_its_mode(monkeypatch):
    monkeypatch.setitem(BOARDS, "sharing", replace(SHARING, name="sharing"))
    X = random_levels(3) / 255
    deployed = tensorspin.deploy(PROGRAM, "golden://sharing", mode="single")
    for estimator in (deployed, pickle.loads(pickle.dumps(deployed))):
        with estimator:
            estimator.predict(X)
            assert set(estimator.last_run_.cycles) == {ALONE}
            estimator.set_params(mode=None).predict(X)
            assert set(estimator.last_run_.cycles) == {THROUGHPUT}
            estimator.predict(X[:1])
            assert set(estimator.last_run_.cycles) == {ALONE}
