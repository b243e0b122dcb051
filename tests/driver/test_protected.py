"""Boards that correct changed bits of protected programs, and boards that do not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin import Board
from tensorspin.compiler.protect import protected
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.packets import ACTIVATE, OFFSET, PROTECTED, SIGNED, PacketType, Status
from tensorspin.errors import CapacityError, FaultError
from tensorspin.golden.contractor.contraction import contract
from tensorspin.golden.contractor.device import DeviceContractor
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, Outcome, campaign, inject, sample_faults
from tensorspin.trust.memory_map import MemoryMap, Region

from ..support.doubles import UNCHECKED_ROW, assert_answers, golden_board, with_checks
from ..support.loaded_programs import chain_program, random_levels

FEATURES = 5


def narrow_program():
    """A random chain with weights of 4 bits."""
    program = chain_program(FEATURES)
    return dataclasses.replace(
        program,
        nodes=tuple(dataclasses.replace(node, narrow=True) for node in program.nodes),
        weights=tuple(weights // 16 * 16 for weights in program.weights),
    )


NARROW = narrow_program()
PROGRAM = protected(NARROW)
LEVELS = random_levels(6, FEATURES)
ROWS = {
    signature: with_checks(signature=signature, table_parity=0, protected=1) for signature in (0, 1)
}
USED = MemoryMap.of(PROGRAM, 8)
PIPELINE = ROWS[0].require_contractor().latencies
RIGHT = contract(PROGRAM.nodes, PROGRAM.weights, PROGRAM.table, LEVELS, 8, PIPELINE)


def open_board(signature: int) -> Board:
    row = ROWS[signature]
    board = golden_board(GoldenDevice(row), row)
    board.load(PROGRAM)
    return board


def one_bit_of_each_code_word(rng) -> list[Fault]:
    headers = USED.headers.reshape(-1, 8)
    places = [*rng.permuted(headers, axis=1)[:, 0], *USED.weights]
    return [Fault(MemorySpace.PROGRAM, int(at), int(rng.integers(8))) for at in places]


@pytest.mark.parametrize("signature", ROWS)
def test_a_changed_bit_of_each_code_word_changes_no_answer(signature):
    rng = np.random.default_rng(signature)
    with open_board(signature) as board:
        assert_answers(board.run(LEVELS), RIGHT)
        for _ in range(3):
            faults = one_bit_of_each_code_word(rng)
            inject(board, *faults)
            assert_answers(board.run(LEVELS), RIGHT)
            inject(board, *faults)
        assert board.status().corrupted == 0


def test_the_answers_are_those_of_the_same_weights_without_protection():
    plain = contract(NARROW.nodes, NARROW.weights, NARROW.table, LEVELS, 8, PIPELINE)
    np.testing.assert_array_equal(RIGHT.scores, plain.scores)
    np.testing.assert_array_equal(RIGHT.exponents, plain.exponents)
    assert set(RIGHT.cycles - plain.cycles) == {1}
    with golden_board(GoldenDevice(ROWS[0]), ROWS[0]) as board:
        board.load(NARROW)  # such a board runs others as any board does
        assert_answers(board.run(LEVELS), plain)


@pytest.mark.parametrize("signature", ROWS)
def test_two_changed_bits_of_a_header_are_told(signature):
    with open_board(signature) as board:
        inject(board, *(Fault(MemorySpace.PROGRAM, 1, bit) for bit in (2, 5)))
        with pytest.raises(FaultError, match="more bits of a header have changed than it corrects"):
            board.run(LEVELS)
        assert board.status().corrupted == 1 and not board.status().active
        board.load(PROGRAM)
        assert_answers(board.run(LEVELS), RIGHT)


def test_two_changed_bits_of_a_weight_make_it_0_or_are_found_by_a_signature():
    faults = [Fault(MemorySpace.PROGRAM, int(USED.weights[0]), bit) for bit in (1, 6)]
    first = PROGRAM.weights[0].copy()
    first[0, 0, 0] = 0
    zeroed = dataclasses.replace(PROGRAM, weights=(first, *PROGRAM.weights[1:]))
    with open_board(0) as board:
        inject(board, *faults)
        expected = contract(zeroed.nodes, zeroed.weights, zeroed.table, LEVELS, 8, PIPELINE)
        assert (expected.scores != RIGHT.scores).any()
        assert_answers(board.run(LEVELS), expected)
    with open_board(1) as board:
        inject(board, *faults)
        with pytest.raises(FaultError, match="signature of what it read is wrong"):
            board.run(LEVELS)


@pytest.mark.parametrize("signature", ROWS)
def test_every_bit_of_the_program_is_corrected(signature):
    lanes = 8
    faults = [
        Fault(MemorySpace.PROGRAM, int(address), bit)
        for address in [*USED.headers, *USED.weights[::5]]
        for bit in range(8)
    ]
    if signature:
        end = len(PROGRAM.image(lanes))
        faults += [Fault(MemorySpace.PROGRAM, end + bit // 8, bit % 8) for bit in range(64)]
    with open_board(signature) as board:
        report = campaign(board, PROGRAM, np.zeros((2, FEATURES)), faults)
    assert report.counts[Outcome.CORRECTED] == len(faults)


def test_a_campaign_tells_what_is_corrected_from_what_has_no_effect():
    with open_board(0) as board:
        rng = np.random.default_rng(3)
        table = USED.faults(20, rng, Region.TABLE)
        faults = [*sample_faults(PROGRAM, 8, 30, random_state=1), *table]
        counts = campaign(board, PROGRAM, np.ones((1, FEATURES)), faults).counts
    used = {*USED.headers.tolist(), *USED.weights.tolist()}
    coded = [
        fault for fault in faults if fault.space is MemorySpace.PROGRAM and fault.address in used
    ]
    assert counts[Outcome.CORRECTED] == len(coded) > 0 and counts[Outcome.MASKED]


def test_a_board_that_corrects_nothing_refuses_with_the_remedy():
    with golden_board(GoldenDevice(UNCHECKED_ROW), UNCHECKED_ROW) as board:
        with pytest.raises(CapacityError, match="4 needed, the device holds 0; .*protect=True"):
            board.load(PROGRAM)
    contractor = DeviceContractor(UNCHECKED_ROW.require_contractor())
    payload = ACTIVATE.pack(FEATURES | PROTECTED, 1)
    assert contractor.execute(PacketType.ACTIVATE, payload, 0)[0] is Status.BAD_FEATURE_COUNT


def test_what_the_device_answers_is_as_it_was_activated():
    contractor = DeviceContractor(ROWS[1].require_contractor())
    contractor.write(MemorySpace.PROGRAM, 0, PROGRAM.image(8, signed=True))
    contractor.write(MemorySpace.TABLE, 0, PROGRAM.table_bytes())
    for flags, status in ((PROTECTED | SIGNED, Status.OK), (SIGNED, Status.CORRUPT)):
        payload = ACTIVATE.pack(FEATURES | flags, 1)
        assert contractor.execute(PacketType.ACTIVATE, payload, 0)[0] is Status.OK
        contractor.execute(PacketType.RUN, OFFSET.pack(0) + bytes(FEATURES), 0)
        assert [reply.status for reply in contractor.finish()] == [status]
    endless = DeviceContractor(ROWS[0].require_contractor())
    endless.execute(PacketType.ACTIVATE, ACTIVATE.pack(FEATURES | PROTECTED, 1), 0)
    endless.execute(PacketType.RUN, OFFSET.pack(0) + bytes(FEATURES), 0)
    assert [reply.status for reply in endless.finish()] == [Status.CORRUPT]


def test_a_virtual_board_has_it():
    with Board.open("golden://protect/ulx3s_25f") as board:
        assert board.info.board == "protect/ulx3s_25f" and board.info.contractor.protected
        board.load(PROGRAM, verify=True, self_test=True)
        inject(board, *one_bit_of_each_code_word(np.random.default_rng(0)))
        np.testing.assert_array_equal(board.run(LEVELS).scores, RIGHT.scores)
