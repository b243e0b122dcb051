"""The driver on the gateware itself, as far as its tools are installed."""

import pytest

from tensorspin.driver.board import Board
from tensorspin.driver.transports import open_transport
from tensorspin.errors import TransportError

from ..support.doubles import assert_answers
from ..support.faults import FaultRates, FaultyTransport
from ..support.loaded_programs import chain_program, golden_answers, random_levels


@pytest.fixture
def transport():
    try:
        transport = open_transport("sim://icebreaker")
    except TransportError as error:
        pytest.skip(str(error))
    yield transport
    transport.close()


def test_load_and_run(transport):
    board = Board.over(transport)
    for features, samples in ((2, 20), (30, 100), (600, 3)):
        program = chain_program(features, seed=features)
        levels = random_levels(samples, features)
        board.load(program, verify=True)
        result = board.run(levels)
        assert_answers(result, golden_answers(program, levels))
        assert_answers(board.run(levels), result)
    assert board._session.line.statistics.resent == 0
    status = board.status()
    assert (status.damaged, status.out_of_sequence, status.overflows) == (0, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_bad_line(transport, seed):
    rates = FaultRates(byte=0.005, frame=0.01, stall=0.001, stall_seconds=0.005)
    faulty = FaultyTransport(transport, rates, seed)
    program, levels = chain_program(20, seed=seed), random_levels(20, 20)
    board = Board.over(faulty)
    board.load(program)
    assert_answers(board.run(levels), golden_answers(program, levels))


def test_link_test(transport):
    report = Board.over(transport).link_test(0.02)
    assert report.statistics.resent == 0
    assert report.to_device > 0
    assert report.from_device > 0
