"""Boards that hold two programs: loading beside what runs, and changing between both."""

from __future__ import annotations

import dataclasses
import threading

import numpy as np
import pytest

from tensorspin import Board
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.packets import PacketType, Status
from tensorspin.driver.selftest.contractor import check_contractor
from tensorspin.driver.selftest.result import Verdict
from tensorspin.errors import CapacityError, DeviceError, FaultError, TensorspinError
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, inject

from ..support.doubles import UNCHECKED_ROW, assert_answers, golden_board, with_checks
from ..support.loaded_programs import chain_program, golden_answers, random_levels

HALVES = {"program_words": 8192, "components": 2, "resident": 1}
ROWS = {
    signature: with_checks(signature=signature, table_parity=signature, **HALVES)
    for signature in (0, 1)
}
OLD, NEW, OTHER = (chain_program(6, outputs, seed=outputs) for outputs in (3, 4, 5))
LEVELS = random_levels(4, 6)


class CountingDevice(GoldenDevice):
    """Counts requests by type."""

    def __init__(self, row):
        self.counts = dict.fromkeys(PacketType, 0)
        super().__init__(row)

    def _execute(self, answers, received, request):
        self.counts[PacketType(request.type)] += 1
        super()._execute(answers, received, request)

    def take_counts(self) -> dict[str, int]:
        """The counts that are not 0, since the last call."""
        found = {kind.name: count for kind, count in self.counts.items() if count}
        self.counts = dict.fromkeys(PacketType, 0)
        return found


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
    with pytest.raises(CapacityError, match="half of the table.: 4 needed, the device holds 2"):
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
