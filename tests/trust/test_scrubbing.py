"""Memories that are read back: each changed bit is found, and it is told which a run hides."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.driver.board import Board
from tensorspin.errors import FaultError, TensorspinError
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, inject, sample_faults, scrub

from ..support.doubles import CHECKED_ROW, UNCHECKED_ROW, golden_board, with_checks
from ..support.loaded_programs import chain_program

PROGRAM = chain_program(3, 3, 4)
LEVELS = PROGRAM.levels(np.random.default_rng(0).random((3, 3)))
PAIR = [Fault(MemorySpace.TABLE, 5, bit) for bit in (1, 6)]


@pytest.mark.parametrize("row", [UNCHECKED_ROW, CHECKED_ROW, with_checks(resident=1)])
def test_each_changed_bit_is_found_and_repaired(row):
    board = golden_board(GoldenDevice(row), row)
    board.load(PROGRAM)
    assert scrub(board) == scrub(board, repair=False)
    assert str(scrub(board)) == "no bit has changed"
    expected = board.run(LEVELS).scores
    drawn = sample_faults(PROGRAM, 8, 40, random_state=1)
    odd = {(each.space, each.address): each for each in drawn if each.address != 5}.values()
    inject(board, *odd, *PAIR)
    for repair in (False, True):
        found = scrub(board, repair=repair)
        assert found.repaired is repair
        assert {*found.seen, *found.hidden} == {*odd, *PAIR}
        assert set(found.hidden) == ({*PAIR} if row.contractor.signature else {*odd, *PAIR})
        assert f"hides {len(found.hidden)}; " in str(found)
    assert not scrub(board).seen and not scrub(board).hidden
    np.testing.assert_array_equal(board.run(LEVELS).scores, expected)


def test_a_run_tells_what_is_said_to_be_seen_and_hides_what_is_hidden():
    for faults, told in ((PAIR[:1], True), (PAIR, False)):
        board = golden_board(GoldenDevice(CHECKED_ROW), CHECKED_ROW)
        board.load(PROGRAM)
        inject(board, *faults)
        found = scrub(board, repair=False)
        assert bool(found.seen) is told and bool(found.hidden) is not told
        # A level for which the run reads byte 5 of the table.
        levels = np.full((256, 3), np.arange(256)[:, None], dtype=np.uint8)
        if told:
            with pytest.raises(FaultError):
                board.run(levels)
        else:
            board.run(levels)


def test_boards_without_a_program_or_a_contractor_are_refused():
    board = golden_board(GoldenDevice(UNCHECKED_ROW), UNCHECKED_ROW)
    with pytest.raises(TensorspinError, match="no program is loaded"):
        scrub(board)
    with Board.open("golden://icebreaker_annealer") as annealer:
        with pytest.raises(TensorspinError, match="no contractor"):
            scrub(annealer)
