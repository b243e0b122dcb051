"""The MicroPython driver knows how many cycles an answer must take, and tests what is loaded."""

from dataclasses import replace

import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.wire.packets import Status
from tensorspin.export.model import ClientModel

from ..support.controllers import GoldenWires
from ..support.loaded_programs import chain_program, golden_answers, random_levels
from ..support.wrong_answers import in_other_cycles, of_another_score, spoil_answers
from .micropython import ROW, DriverError, DriverFault, expected, exported, opened

ALWAYS = 1 << 30
PROGRAM, LEVELS = chain_program(12, n_outputs=10, bond=8), random_levels(6, 12).tolist()
PLAIN = {"pipeline": 0, "signature": 0, "table_parity": 0}


def row(**changes):
    """A board like icebreaker_spi with another contractor, by default one that checks nothing."""
    size = replace(ROW.require_contractor(), **{**PLAIN, **changes})
    return replace(ROW, engines=ROW.engines.with_sizes(size))


BOARD, SHARING, SIGNING = row(), row(groups=3, single_drain=2), row(signature=1)
ANSWERS = expected(PROGRAM, random_levels(6, 12), BOARD.require_contractor())


def cycles(controller, *mode):
    """Cycles of each sample, whose scores are right."""
    answers = controller.run(LEVELS, *mode)
    assert [answer[:3] for answer in answers] == [answer[:3] for answer in ANSWERS]
    (found,) = {answer[3] for answer in answers}
    assert controller.faults() == 0
    return found


def test_groups_share_a_sample_unless_throughput_is_wanted(connect, tmp_path):
    controller = opened(connect(GoldenWires(SHARING)), exported(tmp_path, PROGRAM, SHARING))
    single = PROGRAM.single_cycles(SHARING.require_contractor())
    assert single != PROGRAM.cycles(8)
    assert cycles(controller) == cycles(controller, "single") == single
    assert cycles(controller, "throughput") == PROGRAM.cycles(8)
    assert controller.passes() is True
    assert controller.pipeline(LEVELS, True) == [[*each[:3], single] for each in ANSWERS]
    with pytest.raises(DriverError, match="mode must be single or throughput, not 'fast'"):
        controller.run(LEVELS, "fast")


@pytest.mark.parametrize("model_row", [BOARD, row(groups=4, single_drain=2)])
def test_a_model_for_other_groups_runs_for_throughput(connect, tmp_path, model_row):
    controller = opened(connect(GoldenWires(SHARING)), exported(tmp_path, PROGRAM, model_row))
    assert cycles(controller) == cycles(controller, "single") == PROGRAM.cycles(8)


@pytest.mark.parametrize("board", [BOARD, row(groups=3)])
def test_a_board_whose_groups_cannot_share_is_not_asked_to(connect, tmp_path, board):
    controller = opened(connect(GoldenWires(board)), exported(tmp_path, PROGRAM, SHARING))
    assert cycles(controller) == cycles(controller, "single") == PROGRAM.cycles(8)


def test_samples_of_several_packets_share_groups(connect, tmp_path):
    program, levels = chain_program(300), random_levels(2, 300)
    size = SHARING.require_contractor()
    controller = opened(connect(GoldenWires(SHARING)), exported(tmp_path, program, SHARING))
    golden = golden_answers(program, levels)
    for answer, scores in zip(controller.run(levels.tolist()), golden.scores):
        assert answer[0] == scores.tolist() and answer[3] == program.single_cycles(size)


def test_an_answer_that_took_other_cycles_is_asked_for_once_more(connect, tmp_path, monkeypatch):
    controller = opened(connect(GoldenWires(BOARD)), exported(tmp_path, PROGRAM, BOARD))
    spoil_answers(monkeypatch, in_other_cycles, 1)
    assert controller.run(LEVELS) == ANSWERS
    assert controller.faults() == 1


@pytest.mark.parametrize("ahead", [False, True])
def test_two_such_answers_are_a_fault(connect, tmp_path, monkeypatch, ahead):
    wires = GoldenWires(BOARD)
    controller = opened(connect(wires), exported(tmp_path, PROGRAM, BOARD))
    with monkeypatch.context() as patch:
        spoil_answers(patch, in_other_cycles, ALWAYS)
        taken = ANSWERS[0][3]
        with pytest.raises(DriverFault, match=f"took {taken + 1} cycles, not {taken}; load the"):
            controller.pipeline(LEVELS, True) if ahead else controller.run(LEVELS)
    assert controller.status()[0] is False
    with pytest.raises(DriverError, match="no model is loaded; load one first"):
        controller.run(LEVELS)
    before = wires.transactions
    controller.load()
    assert wires.transactions - before > 10
    assert controller.run(LEVELS) == ANSWERS


@pytest.mark.parametrize("model_row", [SIGNING, BOARD])
@pytest.mark.parametrize("board", [SIGNING, BOARD])
def test_a_board_that_signs_what_it_reads_finds_a_flipped_weight(
    connect, tmp_path, board, model_row
):
    wires = GoldenWires(board)
    controller = opened(connect(wires), exported(tmp_path, PROGRAM, model_row))
    assert controller.run(LEVELS) == ANSWERS
    (contractor,) = wires.device.engines.values()
    contractor.memories[MemorySpace.PROGRAM][40] ^= 1
    contractor._program = None
    if board is model_row is SIGNING:
        with pytest.raises(DriverFault, match="it has read something else"):
            controller.run(LEVELS)
        controller.load()
        assert controller.run(LEVELS) == ANSWERS
    else:
        controller.run(LEVELS)


def test_a_board_that_finds_itself_corrupt_is_a_fault(connect, tmp_path, monkeypatch):
    controller = opened(connect(GoldenWires(BOARD)), exported(tmp_path, PROGRAM, BOARD))
    with monkeypatch.context() as patch:
        spoil_answers(patch, lambda *said: (Status.CORRUPT, b""), 1)
        with pytest.raises(DriverFault, match="it has read something else; load the model again"):
            controller.run(LEVELS)
    controller.load()
    assert controller.run(LEVELS) == ANSWERS


@pytest.mark.parametrize("every", [0, 1, 3])
def test_a_model_is_tested_when_it_is_loaded_and_every_so_many_samples(connect, tmp_path, every):
    controller = opened(connect(GoldenWires(BOARD)), exported(tmp_path, PROGRAM, BOARD))
    controller.load(False, True, every)
    count = len(ClientModel(PROGRAM, BOARD).self_tests)
    assert controller.status()[2] == count == 16
    assert controller.run(LEVELS) == ANSWERS
    assert controller.status()[2] == 6 + count * (1 + (5 // every if every else 0))


def test_a_test_that_fails_is_a_fault(connect, tmp_path, monkeypatch):
    controller = opened(connect(GoldenWires(BOARD)), exported(tmp_path, PROGRAM, BOARD))
    controller.load(False, True, 2)
    assert controller.run(LEVELS[:2]) == ANSWERS[:2]
    message = "a sample with a known answer was answered otherwise; load the model again"
    with monkeypatch.context() as patch:
        spoil_answers(patch, of_another_score, ALWAYS)
        for call in (lambda: controller.run(LEVELS), lambda: controller.load(False, True)):
            with pytest.raises(DriverFault, match=message):
                call()
            assert controller.status()[0] is False
    with pytest.raises(DriverError, match="no model is loaded"):
        controller.self_test()
    controller.load(False, True)
    controller.self_test()
    assert controller.run(LEVELS) == ANSWERS
