"""Runs of the annealer that end early, or never; by the user, the cable or the device."""

import dataclasses

import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.packets import Status
from tensorspin.driver.board import Board
from tensorspin.errors import (
    DeviceError,
    InterruptedRunError,
    LinkError,
)
from tensorspin.golden.annealer.metropolis import GoldenAnnealer
from tensorspin.golden.device import GoldenDevice

from ..support.anneals import ALONE, BOTH, check, cooling, random_ising, random_job
from ..support.doubles import ROW, CableTransport, golden_board, golden_transport

JOB = AnnealJob(random_ising(), cooling())


@pytest.fixture
def device():
    return GoldenDevice(BOTH)


@pytest.fixture
def board(device):
    with golden_board(device, BOTH) as board:
        yield board


def test_progress(board):
    seen = []
    job = dataclasses.replace(JOB, steps=cooling(8, 60))
    check(board, job, progress=lambda *state: seen.append(state))
    assert seen[-1] == (8, 8)
    assert seen == sorted(seen)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ZeroDivisionError])
def test_interrupted_wait_stops_the_run(board, device, interruption):
    def interrupt(done, total):
        assert board._session.description is not None
        raise interruption

    long = dataclasses.replace(JOB, steps=cooling(8, 200))
    with pytest.raises(interruption):
        board.anneal_job(long, progress=interrupt)
    status = board.status()
    assert not status.annealing
    check(board, JOB)


@pytest.mark.parametrize("where", ["__init__", "fill", "rounds", "results"])
def test_a_golden_computation_is_broken_off(board, monkeypatch, where):
    """Ctrl-C may come anywhere; what was begun is not taken for what is done."""

    def interrupt(*_):
        raise KeyboardInterrupt

    check(board, random_job(7))
    with monkeypatch.context() as patch:
        patch.setattr(GoldenAnnealer, where, interrupt)
        with pytest.raises(KeyboardInterrupt):
            board.anneal_job(JOB)
    assert not board.status().annealing
    check(board, JOB)


@pytest.mark.parametrize("cut", range(5, 800, 80))
def test_cable_cut(device, cut):
    transport = CableTransport(golden_transport(device, BOTH))
    with Board.over(transport) as board:
        check(board, random_job(7))
        transport.bytes_left = cut
        with pytest.raises(LinkError):
            for seed in range(2):
                check(board, dataclasses.replace(JOB, seed=seed))
        transport.mend()
        check(board, JOB)


def test_device_that_never_ends(board, device, monkeypatch):
    annealer = device.engines[EngineKind.ANNEALER]
    monkeypatch.setattr(annealer, "step", lambda cycle: None if annealer._run is None else 0)
    with pytest.raises(DeviceError, match="longer than the schedule can take") as caught:
        board.anneal_job(JOB)
    assert caught.value.status is Status.BUSY


def test_link_test_leaves_annealing_alone():
    for row in (ALONE, BOTH):
        with golden_board(row=row) as board:
            check(board, JOB)
            report = board.link_test(0.2)
            assert 0.7 * ROW.baud / 10 < report.to_device < ROW.baud / 10
            assert 0.7 * ROW.baud / 10 < report.from_device < ROW.baud / 10
            check(board, JOB)


def test_a_long_run_is_interrupted_and_the_board_is_free(board, device):
    """The golden board would compute for minutes; it is left off within a part of a wait."""
    long = dataclasses.replace(JOB, steps=cooling(8, 60_000))
    asked = []

    def enough():
        batch = device.engines[EngineKind.ANNEALER]._run.batch
        asked.append(int(batch._annealer.cycles[0]))
        return len(asked) == 3

    with pytest.raises(InterruptedRunError, match="before its end"):
        board.anneal_job(long, interrupt_function=enough)
    assert len(asked) == 3 and asked == sorted(asked) and asked[0] < asked[2]
    assert not board.status().annealing
    check(board, JOB)


def test_a_run_that_may_be_interrupted_gives_the_same_bits(board):
    job = dataclasses.replace(JOB, steps=cooling(8, 60))
    check(board, job, interrupt_function=lambda: False)


def test_an_upload_is_interrupted(board, monkeypatch):
    monkeypatch.setattr("tensorspin.driver.interruption.ASK_SECONDS", 0.0)
    with pytest.raises(InterruptedRunError):
        board.anneal_job(JOB, interrupt_function=lambda: True)
    check(board, JOB)


def test_an_error_of_the_users_function_stops_the_run(board, monkeypatch):
    monkeypatch.setattr("tensorspin.driver.interruption.ASK_SECONDS", 0.0)
    check(board, JOB)

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        board.anneal_job(dataclasses.replace(JOB, steps=cooling(8, 500)), interrupt_function=fail)
    assert not board.status().annealing
    check(board, JOB)
