"""Anneals on the gateware itself, as far as its tools are installed, against the golden model."""

import dataclasses

import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.driver.board import Board
from tensorspin.driver.transports.simulated import SimulatedTransport
from tensorspin.errors import InterruptedRunError

from ..support.anneals import ALONE, check, cooling, random_ising, random_job
from ..support.faults import FaultRates, FaultyTransport

simulator = pytest.importorskip("tensorspin_gateware.simulation.simulator")
compilation = pytest.importorskip("tensorspin_gateware.simulation.compilation")

JOB = AnnealJob(random_ising(), cooling())


@pytest.fixture(scope="module")
def library():
    from tensorspin_gateware.accelerator import Accelerator
    from tensorspin_gateware.build import cache, toolchain

    try:
        return compilation.compile_simulator(
            Accelerator(ALONE, b"anneals "), cache.directory("simulator")
        )
    except toolchain.ToolMissing as error:
        pytest.skip(str(error))


@pytest.fixture
def transport(library, monkeypatch):
    monkeypatch.setattr(
        simulator, "load", lambda name: simulator.VirtualBoard(library, ALONE.clock_hz)
    )
    transport = SimulatedTransport(ALONE)
    yield transport
    transport.close()


def test_results_are_those_of_the_golden_model(transport):
    board = Board.over(transport)
    assert board.info == ALONE.description(b"anneals ")
    for seed in range(8):
        check(board, random_job(seed))
    assert board._session.line.statistics.resent == 0
    status = board.status()
    assert (status.damaged, status.out_of_sequence, status.overflows) == (0, 0, 0)


def test_bad_line(transport):
    rates = FaultRates(byte=0.003, frame=0.01, stall=0.001, stall_seconds=0.005)
    board = Board.over(FaultyTransport(transport, rates, seed=0))
    for job in (JOB, random_job(1), random_job(2)):
        check(board, job)


def test_interrupted_wait_stops_the_run(transport):
    board = Board.over(transport)

    def interrupt(*progress):
        raise KeyboardInterrupt

    long = dataclasses.replace(JOB, steps=cooling(8, 2000))
    with pytest.raises(KeyboardInterrupt):
        board.anneal_job(long, progress=interrupt)
    assert not board.status().annealing
    check(board, JOB)


def test_a_run_is_stopped_when_the_user_has_had_enough(transport):
    """The simulation would take minutes for it: the user's clock is another than the board's."""
    board = Board.over(transport)
    asked = []

    def enough():
        asked.append(board.seconds)
        return len(asked) == 3

    long = dataclasses.replace(JOB, steps=cooling(8, 60_000))
    with pytest.raises(InterruptedRunError):
        board.anneal_job(long, interrupt_function=enough)
    assert len(asked) == 3 and not board.status().annealing
    check(board, JOB, interrupt_function=lambda: False)


def test_link_test(transport):
    board = Board.over(transport)
    check(board, JOB)
    report = board.link_test(0.02)
    assert report.statistics.resent == 0
    check(board, JOB)
