"""Boards that hold two programs: loading beside what runs, and changing between both."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from tensorspin import Board
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.resident import BOTH_OUTPUTS
from tensorspin.contract.wire.packets import Status
from tensorspin.driver.known_answers import SAMPLES
from tensorspin.driver.selftest.contractor import check_contractor
from tensorspin.driver.selftest.result import Verdict
from tensorspin.errors import CapacityError, DeviceError, FaultError, TensorspinError
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, inject

from ..support.doubles import (
    UNCHECKED_ROW,
    CountingDevice,
    assert_answers,
    golden_board,
    with_checks,
)
from ..support.loaded_programs import chain_program, golden_answers, random_levels

HALVES = {"program_words": 8192, "components": 2, "resident": 1}
ROWS = {
    signature: with_checks(signature=signature, table_parity=signature, **HALVES)
    for signature in (0, 1)
}
OLD, NEW, OTHER = (chain_program(6, outputs, seed=outputs) for outputs in (3, 4, 5))
LEVELS = random_levels(4, 6)


@pytest.fixture(params=ROWS)
def device(request):
    return CountingDevice(ROWS[request.param])


@pytest.fixture
def board(device):
    with golden_board(device, device.board) as board:
        yield board


def runs(board, program) -> bool:
    """Whether a board gives the answers of a program."""
    assert_answers(board.run(LEVELS), golden_answers(program, LEVELS))
    return board.program is program


def test_both_programs_stay(board, device):
    for program in (OLD, NEW):
        board.load(program)
        assert runs(board, program)
    device.take_counts()
    for program in (OLD, NEW, OLD):
        board.load(program)
        assert device.take_counts() == {"ACTIVATE": 1}
        assert runs(board, program)
        device.take_counts()
    board.load(OLD)
    assert device.take_counts() == {"STATUS": 1} and board.standby is NEW
    board.load(OTHER)  # in place of the one that did not run
    assert runs(board, OTHER) and board.standby is OLD
    board.load(NEW, verify=True)
    assert runs(board, NEW) and board.standby is OTHER


def test_swap_is_one_request(board, device):
    board.load(OLD)
    board.load(NEW, standby=True)
    assert runs(board, OLD) and board.standby is NEW
    device.take_counts()
    board.swap()
    assert device.take_counts() == {"ACTIVATE": 1}
    assert runs(board, NEW) and board.standby is OLD
    board.swap()
    assert runs(board, OLD) and board.standby is NEW
    device.take_counts()
    board.load(NEW, standby=True)
    assert device.take_counts() == {}  # it does already


def test_a_program_can_stand_by_before_any_runs(board):
    board.load(NEW, standby=True, verify=True)
    with pytest.raises(TensorspinError, match="no program is loaded"):
        board.run(LEVELS)
    board.swap()
    assert runs(board, NEW) and board.standby is None
    with pytest.raises(TensorspinError, match=r"no program stands by .* standby=True\) first"):
        board.swap()
    assert runs(board, NEW)


def test_a_new_host_finds_the_half_that_runs(device):
    with golden_board(device, device.board) as board:
        for program in (OLD, NEW):
            board.load(program)
    with golden_board(device, device.board) as board:
        device.take_counts()
        board.load(NEW)
        assert "WRITE" not in device.take_counts() and runs(board, NEW)
        board.load(OTHER, standby=True)
        assert runs(board, NEW)
        board.swap()
        assert runs(board, OTHER)


def test_samples_are_run_while_a_program_is_written(board):
    board.load(OLD)
    done = []

    def run_meanwhile(sent, total):
        # Progress is told within the turn of this thread; another one must wait for its own.
        def run() -> None:
            with board.exclusive():
                board.load(OLD)  # as estimators do before each prediction
                done.append(runs(board, OLD))

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)

    threads: list[threading.Thread] = []
    big = chain_program(20, 3, bond=16, seed=7)
    board.load(big, standby=True, progress=run_meanwhile)
    for thread in threads:
        thread.join()
    assert len(done) == len(threads) > 1 and all(done)
    board.swap()
    levels = random_levels(3, 20)
    assert_answers(board.run(levels), golden_answers(big, levels))


def test_another_load_between_pieces_is_told(board):
    board.load(OLD)
    big = chain_program(20, 3, bond=16, seed=7)
    other = []

    def load_other(sent, total):
        if not other:
            other.append(True)
            board.load(OTHER)

    with pytest.raises(TensorspinError, match="another program was loaded .* load that again"):
        board.load(big, standby=True, progress=load_other)
    assert runs(board, OTHER)


def test_a_restart_is_told(board, device):
    board.load(OLD)
    board.load(NEW, standby=True)
    device.restart()
    with pytest.raises(DeviceError, match="holds no whole program any more") as caught:
        board.swap()
    assert caught.value.status is Status.NO_MODEL
    assert board.program is None and board.standby is None
    for program in (OLD, NEW):
        board.load(program)
    device.restart()
    board.load(OLD)  # which is sent again
    assert runs(board, OLD) and board.standby is None
    device.restart()
    board.load(OTHER)
    assert runs(board, OTHER) and board.standby is None


def test_a_lost_reply_does_not_swap_twice(device):
    with golden_board(device, device.board) as board:
        board.load(OLD)
        board.load(NEW, standby=True)
        feed, lost = device.feed, []

        def lose_once(data):
            answers = feed(data)
            if not lost:
                lost.append(answers)
                return []
            return answers

        device.feed = lose_once
        board.swap()
        assert lost and runs(board, NEW) and board.standby is OLD


def test_too_large_programs_are_refused_with_numbers(board):
    board.load(OLD)
    size = board.info.contractor
    large = chain_program(50, 3, bond=32)
    needed = large.words(8)
    assert size.model_words < needed < 2 * size.model_words
    text = f"half of the program memory .8 bytes each.: {needed} needed, the device holds 8"
    for options in ({}, {"standby": True}):
        with pytest.raises(CapacityError, match=text):
            board.load(large, **options)
    wide = dataclasses.replace(NEW, table=np.concatenate([NEW.table, NEW.table]))
    with pytest.raises(CapacityError, match="half of the table.: 4 needed, .* one program"):
        board.load(wide, standby=True)
    assert runs(board, OLD)


def test_a_board_for_one_program_refuses():
    with golden_board(GoldenDevice(UNCHECKED_ROW), UNCHECKED_ROW) as board:
        board.load(OLD)
        assert board.standby is None
        for call in (board.swap, lambda: board.load(NEW, standby=True)):
            with pytest.raises(TensorspinError, match="holds one program at a time.*resident/"):
                call()
        assert runs(board, OLD)
        with pytest.raises(ValueError, match="self_test=True tests a program that runs"):
            board.load(NEW, standby=True, self_test=True)


def test_each_program_is_tested_once(board, device):
    for program in (OLD, NEW):
        board.load(program, self_test=True, every=100)
    device.take_counts()
    for program in (OLD, NEW):
        board.load(program, self_test=True, every=100)
    assert device.take_counts() == {"ACTIVATE": 2}


def test_flipped_bits_are_those_of_the_program_that_runs(board):
    board.load(OLD)
    board.load(NEW)
    signed = board.info.contractor.signature
    fault = Fault(MemorySpace.PROGRAM, 17, 6)
    inject(board, fault)
    if signed:
        with pytest.raises(FaultError, match="signature"):
            board.run(LEVELS)
        board.load(OLD)
        assert runs(board, OLD)
        return
    changed = board.run(LEVELS)
    assert (changed.scores != golden_answers(NEW, LEVELS).scores).any()
    inject(board, fault)
    assert runs(board, NEW)
    board.swap()
    assert runs(board, OLD)


def test_selftest(board):
    assert check_contractor(board).verdict is Verdict.PASS


def test_a_virtual_board_has_it():
    with Board.open("golden://resident/ulx3s_25f") as board:
        assert board.info.board == "resident/ulx3s_25f"
        board.load(OLD)
        board.load(NEW, standby=True)
        board.swap()
        scores = board.run(LEVELS).scores
        np.testing.assert_array_equal(scores, golden_answers(NEW, LEVELS).scores)


# Both programs for each sample


def run_both(board, first, second) -> bool:
    """Whether a board gives the answers of two programs, in this order."""
    for found, program in zip(board.run_both(LEVELS), (first, second)):
        assert_answers(found, golden_answers(program, LEVELS))
    return (board.program, board.standby) == (first, second)


def test_samples_for_both_programs_are_sent_once(board, device):
    board.load(OLD)
    board.load(NEW, standby=True)
    device.take_counts()
    assert run_both(board, OLD, NEW)
    assert device.take_counts() == {"ACTIVATE": 1, "RUN": len(LEVELS)}
    board.load(OLD)
    board.load(NEW, standby=True)
    assert device.take_counts() == {"STATUS": 1}
    assert run_both(board, OLD, NEW)
    assert device.take_counts() == {"RUN": len(LEVELS)}
    assert runs(board, OLD)  # alone
    assert device.take_counts() == {"ACTIVATE": 1, "RUN": len(LEVELS)}
    board.swap()
    assert run_both(board, NEW, OLD)
    board.load(OLD)
    assert runs(board, OLD) and run_both(board, OLD, NEW)
    with golden_board(device, device.board) as other:
        other.load(NEW)  # another host does not take two programs for one of them
        assert runs(other, NEW)


def test_a_third_program_takes_the_place_of_one_of_both(board):
    board.load(OLD)
    board.load(NEW, standby=True)
    assert run_both(board, OLD, NEW)
    board.load(OTHER, standby=True)
    assert runs(board, OLD) and run_both(board, OLD, OTHER)
    board.load(NEW)
    assert runs(board, NEW) and board.standby is OLD
    board.load(OTHER, standby=True, verify=True)
    assert run_both(board, NEW, OTHER)
    board.load(NEW, verify=True)
    assert runs(board, NEW) and run_both(board, NEW, OTHER)


def test_programs_for_other_samples_are_refused(board):
    with pytest.raises(TensorspinError, match="no program is loaded"):
        board.run_both(LEVELS)
    board.load(OLD)
    with pytest.raises(TensorspinError, match="no program stands by"):
        board.run_both(LEVELS)
    board.load(chain_program(5, 3), standby=True)
    with pytest.raises(ValueError, match="programs have 6 and 5 features: run one after the other"):
        board.run_both(LEVELS)
    board.load(chain_program(6, BOTH_OUTPUTS + 1), standby=True)
    with pytest.raises(ValueError, match="has 33 scores, and 32 fit the reply"):
        board.run_both(LEVELS)
    board.load(NEW, standby=True)
    with pytest.raises(ValueError, match=r"levels must have shape \(n, 6\)"):
        board.run_both(LEVELS[:, :5])
    assert run_both(board, OLD, NEW)
    with golden_board(GoldenDevice(UNCHECKED_ROW), UNCHECKED_ROW) as single:
        single.load(OLD)
        with pytest.raises(TensorspinError, match="holds one program at a time"):
            single.run_both(LEVELS)


def test_a_restart_is_told_to_whoever_runs_both(board, device):
    for lost in (True, False):
        board.load(OLD)
        board.load(NEW, standby=True)
        if lost:
            assert run_both(board, OLD, NEW)
        device.restart()
        with pytest.raises(DeviceError, match="has not the program any more|no whole program"):
            board.run_both(LEVELS)
        assert board.program is None and board.standby is None


def test_changed_bits_of_either_program_are_told():
    device = CountingDevice(ROWS[1])
    with golden_board(device, device.board) as board:
        for half in range(2):
            board.load(OLD)
            board.load(NEW, standby=True, verify=True)
            if half:
                board.swap()
            inject(board, Fault(MemorySpace.PROGRAM, 17, 6))
            if half:
                board.swap()
            with pytest.raises(FaultError, match="signature"):
                board.run_both(LEVELS)
            assert board.program is None


def test_both_programs_are_tested_together(board, device):
    def load():
        board.load(OLD, self_test=True, every=10)
        board.load(NEW, standby=True)

    load()
    assert run_both(board, OLD, NEW)
    load()
    device.take_counts()
    assert run_both(board, OLD, NEW)
    assert device.take_counts() == {"RUN": len(LEVELS)}
    assert run_both(board, OLD, NEW)  # the tenth sample is among these
    assert device.take_counts() == {"RUN": len(LEVELS) + SAMPLES}
    if board.info.contractor.signature:
        return
    board.swap()
    inject(board, Fault(MemorySpace.PROGRAM, 17, 6))
    board.swap()
    load()
    with pytest.raises(FaultError, match="answers of its self-test are wrong"):
        for _ in range(3):
            board.run_both(LEVELS)
    assert board.program is None


def test_a_lost_reply_does_not_mix_the_results(device):
    with golden_board(device, device.board) as board:
        board.load(OLD)
        board.load(NEW, standby=True)
        feed, fed = device.feed, []

        def lose_some(data):
            answers = feed(data)
            fed.append(answers)
            return [] if len(fed) in (1, 3) else answers

        device.feed = lose_some
        assert run_both(board, OLD, NEW) and len(fed) > 3
