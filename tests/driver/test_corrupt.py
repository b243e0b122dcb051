"""Devices that find that they do not read the program that was loaded, and say so."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import tensorspin
from tensorspin import MPSClassifier
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import HEADER_BITS
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.packets import ACTIVATE, OFFSET, SIGNED, PacketType, Status
from tensorspin.driver.link.session import _State
from tensorspin.errors import CapacityError, DeviceError, FaultError, TensorspinError
from tensorspin.golden.contractor.device import DeviceContractor
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, Outcome, campaign, inject, sample_faults

from ..support.doubles import CHECKED_ROW, SIGNED_ROW, UNCHECKED_ROW, assert_answers, golden_board
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAM = chain_program(5)
LEVELS = random_levels(6, 5)
SIZE = SIGNED_ROW.require_contractor()
WEIGHT = Fault(MemorySpace.PROGRAM, 20, 0)


@pytest.fixture
def device():
    return GoldenDevice(SIGNED_ROW)


@pytest.fixture
def board(device):
    board = golden_board(device, SIGNED_ROW)
    board.load(PROGRAM)
    return board


def test_answers_of_a_whole_program_are_the_same(board):
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))
    assert board.status().active and board.status().corrupted == 0
    other = chain_program(3, 2, 8, seed=3)
    board.load(other, verify=True)
    levels = random_levels(3, 3)
    assert_answers(board.run(levels), golden_answers(other, levels))


def test_a_flipped_bit_is_told_and_no_scores_come(board):
    digest = board.status().digest
    inject(board, WEIGHT)
    assert board.status().active
    with pytest.raises(FaultError, match="load the program again, and if that does not help, .*"):
        board.run(LEVELS)
    status = board.status()
    assert (status.active, status.corrupted, status.digest) == (False, 1, digest)
    with pytest.raises(TensorspinError, match="no program is loaded"):
        board.run(LEVELS)
    assert board.load(PROGRAM) is None and board.status().active
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))
    inject(board, WEIGHT)
    inject(board, WEIGHT)  # which undoes it
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))
    assert board.status().corrupted == 1


def test_the_error_carries_the_status(board):
    inject(board, WEIGHT)
    with pytest.raises(DeviceError) as caught:
        board.run(LEVELS[:1])
    assert caught.value.status is Status.CORRUPT


def test_a_lost_reply_does_not_hide_the_reason(device, board):
    """The session greets the device anew, and finds the program inactive."""
    inject(board, WEIGHT)
    engine = device.engines[EngineKind.CONTRACTOR]
    engine.execute(PacketType.RUN, OFFSET.pack(0) + bytes(5), 0)
    assert [reply.status for reply in engine.finish()] == [Status.CORRUPT]
    board._open_session._state = _State.UNGREETED
    with pytest.raises(FaultError, match="has not read the program that was loaded"):
        board.run(LEVELS)


def test_deploy_loads_again_or_raises():
    X = np.random.default_rng(0).random((40, 4))
    model = MPSClassifier(4, epochs=3, random_state=0).fit(X, np.arange(40) % 3)
    for on_fault in ("reload", "raise", None):
        board = golden_board(GoldenDevice(SIGNED_ROW), SIGNED_ROW)
        on_board = tensorspin.deploy(model, board, on_fault=on_fault)
        right = on_board.predict(X)
        inject(board, WEIGHT)
        if on_fault == "reload":
            np.testing.assert_array_equal(on_board.predict(X), right)
        else:
            with pytest.raises(FaultError):
                on_board.predict(X)
            np.testing.assert_array_equal(on_board.predict(X), right)
        assert board.status().corrupted == 1


def test_self_test_finds_it_too(board):
    inject(board, WEIGHT)
    with pytest.raises(FaultError, match="the signature of what it read is wrong"):
        board.load(PROGRAM, self_test=True)
    board.load(PROGRAM, self_test=True, every=10)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_no_bit_of_headers_and_weights_is_wrong_in_silence(board):
    """Bits of two headers, and of all that is read."""
    headers = [
        Fault(MemorySpace.PROGRAM, bit // 8, bit % 8) for bit in range(0, 2 * HEADER_BITS, 3)
    ]
    drawn = sample_faults(PROGRAM, 8, 40, random_state=0)
    faults = headers + [fault for fault in drawn if fault.space is MemorySpace.PROGRAM]
    report = campaign(board, PROGRAM, np.zeros((1, 5)), faults)
    assert report.counts[Outcome.CORRUPT] == len(faults)
    assert all("signature" in message for message in report.messages)
    assert board.status().corrupted == len(faults) % 128


def test_a_program_needs_a_word_for_its_signature():
    words = PROGRAM.words(8)
    for limit, fits in ((16, False), (64, True)):
        size = dataclasses.replace(SIZE, program_words=limit)
        assert (words <= size.model_words) == fits
        if fits:
            PROGRAM.check(size)
        else:
            with pytest.raises(CapacityError, match=f"holds {limit - 1}"):
                PROGRAM.check(size)


def test_a_board_that_checks_nothing_is_sent_nothing_more():
    device = GoldenDevice(UNCHECKED_ROW)
    golden_board(device, UNCHECKED_ROW).load(PROGRAM)
    image = PROGRAM.image(8)
    assert not any(device.memories[MemorySpace.PROGRAM][len(image) :])


def test_a_program_that_another_host_has_activated_unsigned_is_loaded_anew(device, board):
    engine = device.engines[EngineKind.CONTRACTOR]
    payload = ACTIVATE.pack(5, PROGRAM.digest(8))
    assert engine.execute(PacketType.ACTIVATE, payload, 0) == (Status.OK, b"")
    inject_at = device.memories[MemorySpace.PROGRAM]
    inject_at[20] ^= 1
    engine.execute(PacketType.RUN, OFFSET.pack(0) + bytes(5), 0)
    assert [reply.status for reply in engine.finish()] == [Status.OK]
    other = golden_board(device, SIGNED_ROW)
    other.load(PROGRAM)
    assert_answers(other.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def run(contractor, features=5):
    reply = contractor.execute(PacketType.RUN, OFFSET.pack(0) + bytes(features), 0)
    if reply is not None:
        return reply[0]
    (late,) = contractor.finish()
    return late.status


def test_what_a_device_answers_until_it_is_loaded_anew():
    contractor = DeviceContractor(SIZE)
    image = PROGRAM.image(8, True)
    contractor.write(MemorySpace.PROGRAM, 0, image)
    activate = ACTIVATE.pack(5 | SIGNED, 1)
    assert contractor.execute(PacketType.ACTIVATE, activate, 0)[0] is Status.OK
    assert run(contractor) is Status.OK
    contractor.memories[MemorySpace.PROGRAM][9] ^= 4
    contractor._program = None
    assert [run(contractor) for _ in range(3)] == [Status.CORRUPT] * 3
    assert contractor.status(0)["corrupted"] == 1
    contractor.write(MemorySpace.PROGRAM, 9, image[9:10])
    assert run(contractor) is Status.NO_MODEL
    assert contractor.execute(PacketType.ACTIVATE, activate, 0)[0] is Status.OK
    assert run(contractor) is Status.OK
    # All samples that came before the first was answered get the same answer.
    contractor.memories[MemorySpace.PROGRAM][9] ^= 4
    contractor._program = None
    for _ in range(3):
        contractor.execute(PacketType.RUN, OFFSET.pack(0) + bytes(5), 0)
    replies = contractor.finish()
    assert [reply.status for reply in replies] == [Status.CORRUPT] * 3
    assert all(reply.cycles > 0 for reply in replies)
    assert contractor.status(0)["corrupted"] == 2


def test_a_signed_program_that_does_not_end_is_corrupt():
    contractor = DeviceContractor(SIZE)
    for flag, status in ((0, Status.PROGRAM_OVERRUN), (SIGNED, Status.CORRUPT)):
        contractor.execute(PacketType.ACTIVATE, ACTIVATE.pack(5 | flag, 1), 0)
        assert run(contractor) is status
    plain = DeviceContractor(UNCHECKED_ROW.require_contractor())
    assert plain.execute(PacketType.ACTIVATE, ACTIVATE.pack(5 | SIGNED, 1), 0)[0] is (
        Status.BAD_FEATURE_COUNT
    )


# The feature table


@pytest.fixture
def checked():
    board = golden_board(GoldenDevice(CHECKED_ROW), CHECKED_ROW)
    board.load(PROGRAM)
    return board


def entry_of(levels, component=0):
    """Address of the entry that the first feature of a sample reads."""
    return 512 * component + 2 * int(levels[0, 0])


def test_a_flipped_bit_of_the_table_is_told_when_it_is_read(checked):
    right = golden_answers(PROGRAM, LEVELS)
    unread = next(level for level in range(256) if level not in LEVELS)
    inject(checked, Fault(MemorySpace.TABLE, 2 * unread, 3))
    assert_answers(checked.run(LEVELS), right)
    for component in range(2):
        for byte in range(2):
            fault = Fault(MemorySpace.TABLE, entry_of(LEVELS, component) + byte, 5)
            inject(checked, fault)
            inject(checked, fault)  # which undoes it
            assert_answers(checked.run(LEVELS), right)
            inject(checked, fault)
            with pytest.raises(FaultError, match="or its feature table is"):
                checked.run(LEVELS)
            checked.load(PROGRAM)
    assert checked.status().corrupted == 4


def test_two_flipped_bits_of_a_byte_are_not_found(checked):
    """Parity is what it is: scrubbing, that is verify=True, finds these."""
    faults = [Fault(MemorySpace.TABLE, entry_of(LEVELS), bit) for bit in (2, 7)]
    inject(checked, *faults)
    assert (checked.run(LEVELS).scores != golden_answers(PROGRAM, LEVELS).scores).any()
    checked.load(PROGRAM, verify=True)
    assert_answers(checked.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_a_bit_in_each_byte_of_an_entry_is_found(checked):
    place = entry_of(LEVELS)
    inject(checked, Fault(MemorySpace.TABLE, place, 2), Fault(MemorySpace.TABLE, place + 1, 2))
    with pytest.raises(FaultError):
        checked.run(LEVELS)


def test_every_outcome_of_a_campaign_is_masked_or_told(checked):
    faults = sample_faults(PROGRAM, 8, 60, random_state=2)
    assert {fault.space for fault in faults} == set(MemorySpace)
    counts = campaign(checked, PROGRAM, np.random.default_rng(1).random((20, 5)), faults).counts
    assert counts[Outcome.MASKED] + counts[Outcome.CORRUPT] == len(faults)
    assert counts[Outcome.MASKED] and counts[Outcome.CORRUPT]


def test_parity_goes_with_a_signature():
    with pytest.raises(ValueError, match="table_parity must be 0, or 1 where signature is 1"):
        dataclasses.replace(UNCHECKED_ROW.require_contractor(), table_parity=1)
