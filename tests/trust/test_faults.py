"""Faults on purpose, and what golden devices make of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import HEADER_BITS
from tensorspin.contract.wire.packets import ACTIVATE, OFFSET, PacketType, Status
from tensorspin.driver.board import Board
from tensorspin.errors import FaultError, TensorspinError
from tensorspin.golden.contractor import GoldenContractor
from tensorspin.golden.contractor.device import DeviceContractor
from tensorspin.golden.contractor.faulty import FaultyContractor, is_sound
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import CampaignReport, Fault, Outcome, campaign, inject, sample_faults

from ..support.doubles import UNCHECKED_ROW, assert_answers, golden_board
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAM = chain_program(3, 3, 4)
X = np.random.default_rng(0).random((3, 3))
LEVELS = PROGRAM.levels(X)
SIZE = UNCHECKED_ROW.require_contractor()


@pytest.fixture
def device():
    return GoldenDevice(UNCHECKED_ROW)


@pytest.fixture
def board(device):
    board = golden_board(device, UNCHECKED_ROW)
    board.load(PROGRAM)
    return board


def test_one_bit_of_the_devices_memory_is_flipped_and_nothing_else(device, board):
    before = {space: bytes(memory) for space, memory in device.memories.items()}
    image, status = PROGRAM.image(8), board.status()
    for fault in (Fault(MemorySpace.PROGRAM, 21, 3), Fault(MemorySpace.TABLE, 700, 0)):
        inject(board, fault)
        after = device.memories
        for space in before:
            changed = np.frombuffer(before[space], np.uint8) ^ np.frombuffer(
                bytes(after[space]), np.uint8
            )
            places = np.flatnonzero(changed).tolist()
            assert places == ([fault.address] if space == fault.space else [])
            assert all(changed[place] == 1 << fault.bit for place in places)
        now = board.status()
        assert (now.active, now.digest) == (True, status.digest)
        assert board.program is PROGRAM and PROGRAM.image(8) == image
        inject(board, fault)  # which undoes it
    assert {space: bytes(memory) for space, memory in device.memories.items()} == before


def test_a_flipped_weight_is_wrong_in_silence_until_the_program_is_loaded_anew(board):
    right = golden_answers(PROGRAM, LEVELS)
    inject(board, Fault(MemorySpace.PROGRAM, 16, 7))
    assert (board.run(LEVELS).scores != right.scores).any()
    board.load(PROGRAM)  # the device states the program's digest: nothing is sent
    assert (board.run(LEVELS).scores != right.scores).any()
    board.load(PROGRAM, force=True)
    assert_answers(board.run(LEVELS), right)


def test_several_bits_at_once(board):
    faults = [Fault(MemorySpace.PROGRAM, 16, 7), Fault(MemorySpace.TABLE, 0, 1)]
    inject(board, *faults)
    inject(board, *faults[::-1])
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_what_cannot_be_flipped_is_refused_before_anything_is(device, board):
    before = {space: bytes(memory) for space, memory in device.memories.items()}
    end = SIZE.space_bytes(MemorySpace.TABLE)
    with pytest.raises(ValueError, match=f"address of TABLE must be 0 to {end - 1}.*not {end}"):
        inject(board, Fault(MemorySpace.PROGRAM, 0, 0), Fault(MemorySpace.TABLE, end, 0))
    assert {space: bytes(memory) for space, memory in device.memories.items()} == before
    for wrong, message in (
        ((0, 0, 8), "bit must be 0 to 7, not 8"),
        ((0, 0, -1), "bit must be 0 to 7, not -1"),
        ((0, 0, 1.0), "bit must be 0 to 7, not 1.0"),
        ((0, -1, 0), "address must be 0 or more, a whole number, not -1"),
        ((0, 1.5, 0), "address must be 0 or more, a whole number, not 1.5"),
        ((10, 0, 0), "space must be a MemorySpace or an AnnealerSpace, not 10"),
        (("PROGRAM", 0, 0), "space must be a MemorySpace or an AnnealerSpace, not 'PROGRAM'"),
    ):
        with pytest.raises(ValueError, match=message):
            Fault(*wrong)
    with pytest.raises(TensorspinError, match="no program is loaded"):
        inject(golden_board(None, UNCHECKED_ROW), Fault(MemorySpace.PROGRAM, 0, 0))


def test_faults_are_drawn_once_each_from_the_bits_in_use():
    total = 8 * (len(PROGRAM.image(8)) + len(PROGRAM.table_bytes()))
    every = sample_faults(PROGRAM, 8, total + 5, random_state=1)
    assert len(set(every)) == len(every) == total
    assert max(f.address for f in every if f.space is MemorySpace.TABLE) == 1023
    some = sample_faults(PROGRAM, 8, 20, random_state=1)
    assert some == sample_faults(PROGRAM, 8, 20, random_state=1)
    assert some != sample_faults(PROGRAM, 8, 20, random_state=2)
    assert sample_faults(PROGRAM, 8, 0) == []
    with pytest.raises(ValueError, match="n_faults must be 0 or more, not -1"):
        sample_faults(PROGRAM, 8, -1)


# Campaigns


def test_all_bits_of_two_headers(board):
    """A program begins with two headers. No flip raises an exception of Python's."""
    faults = [Fault(MemorySpace.PROGRAM, bit // 8, bit % 8) for bit in range(2 * HEADER_BITS)]
    done = []
    report = campaign(board, PROGRAM, X, faults, progress=lambda *counts: done.append(counts))
    assert done[-1] == (128, 128) and report.faults == tuple(faults)
    counts = report.counts
    assert counts[Outcome.EXCEPTION] == 0, report.messages
    assert counts[Outcome.MASKED] >= 16  # the unused bits
    assert counts[Outcome.REFUSED] and counts[Outcome.SILENT] + counts[Outcome.CLASS]
    assert sum(counts.values()) == 128
    for outcome, message in zip(report.outcomes, report.messages):
        assert bool(message) == (outcome is Outcome.REFUSED)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_a_campaign_on_a_board_that_held_something_else_ends_with_the_program(board):
    other = chain_program(4, 2, 2, seed=5)
    faults = sample_faults(other, 8, 10, random_state=0)
    campaign(board, other, np.zeros((1, 4)), faults)
    levels = random_levels(3, 4)
    assert_answers(board.run(levels), golden_answers(other, levels))
    with pytest.raises(ValueError, match="X must have at least one sample"):
        campaign(board, other, np.zeros((0, 4)), faults)


def test_each_outcome_is_recognised(board, monkeypatch):
    right = golden_answers(PROGRAM, LEVELS)
    wrong_class = dataclasses.replace(right, classes=(right.classes + 1) % 3)
    exponents = dataclasses.replace(right, exponents=right.exponents + 1)
    answers = [right, right, wrong_class, exponents, FaultError("cycles"), KeyError("slot")]

    def run(self, levels):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Board, "run", run)
    report = campaign(board, PROGRAM, X, sample_faults(PROGRAM, 8, 5, random_state=0))
    assert report.outcomes == (
        Outcome.MASKED,
        Outcome.CLASS,
        Outcome.SILENT,
        Outcome.REFUSED,
        Outcome.EXCEPTION,
    )
    assert report.messages[3:] == ("cycles", "KeyError: 'slot'")
    assert str(report).splitlines()[0].split() == ["masked", "1", "20.0", "%"]
    assert "0.0 %" in str(CampaignReport((), (), ()))


# Programs that no compiler makes


def random_reply(seed):
    rng = np.random.default_rng(seed)
    contractor = DeviceContractor(SIZE)
    for memory in contractor.memories.values():
        memory[:] = rng.bytes(len(memory))
    features = int(rng.integers(1, 9))
    assert contractor.execute(PacketType.ACTIVATE, ACTIVATE.pack(features, 1), 0)[0] is Status.OK
    payload = OFFSET.pack(0) + rng.bytes(features)
    assert contractor.execute(PacketType.RUN, payload, 0) is None
    (reply,) = contractor.finish()
    return reply


def test_random_memories_are_answered_or_refused():
    replies = [random_reply(seed) for seed in range(60)]
    assert {reply.status for reply in replies} <= {Status.OK, Status.PROGRAM_OVERRUN}
    assert all(reply.cycles > 0 for reply in replies if reply.status is Status.OK)
    assert sum(reply.status is Status.OK for reply in replies) > 20


def test_a_program_that_is_activated_with_fewer_features_is_answered():
    contractor = DeviceContractor(SIZE)
    contractor.write(MemorySpace.PROGRAM, 0, PROGRAM.image(8))
    for features in (3, 2):
        contractor.execute(PacketType.ACTIVATE, ACTIVATE.pack(features, 1), 0)
        contractor.execute(PacketType.RUN, OFFSET.pack(0) + bytes(features), 0)
        assert contractor.finish()[0].status is Status.OK


def test_a_sound_program_is_the_same_to_both_models():
    for seed in range(5):
        program = chain_program(6, 3, 4, seed)
        levels = random_levels(4, 6)
        assert is_sound(program.nodes, SIZE, 6)
        faulty = FaultyContractor(program.nodes, program.weights, program.table, SIZE)
        # The table of a device has all of its components.
        assert faulty._table.shape == (2, 256) and SIZE.components >= 2
        assert_answers(faulty.run(levels), golden_answers(program, levels))


@pytest.mark.parametrize(
    "change",
    [
        {"left": {"index": 7}},
        {"left": {"size": 3}},
        {"right": {"index": 9}},
        {"right": {"size": 20}},
        {"destination": 2000},
        {"outputs": 64},
    ],
    ids=str,
)
def test_operands_that_are_not_there_are_noticed(change):
    program = chain_program(4, 3, 4)
    node = program.nodes[1]
    sides = {
        name: dataclasses.replace(getattr(node, name), **value)
        for name, value in change.items()
        if isinstance(value, dict)
    }
    node = dataclasses.replace(node, **(sides or change))
    assert is_sound(program.nodes, SIZE, 4)
    assert not is_sound([program.nodes[0], node, program.nodes[2]], SIZE, 4)


def test_accumulators_overflow_as_those_of_the_gateware():
    node = dataclasses.replace(chain_program(2, 1).nodes[0], last=True)
    table = np.full((2, 256), -32768, dtype=np.int16)
    weights = np.full((1, 2, 2), 2**15, dtype=np.int64)  # a stand-in for many weights of 8 bits
    found = GoldenContractor([node], [weights], table, 8).run(np.zeros((1, 2), np.uint8))
    total = 4 * 32767 * 2**15
    wrapped = (total + 2**31) % 2**32 - 2**31
    value = int(found.scores[0, 0]) * 2.0 ** (16 - int(found.exponents[0]))
    assert abs(value - wrapped) < 2**16 and np.sign(value) == np.sign(wrapped)
