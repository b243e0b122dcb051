"""Annealing over a bad line, and on devices that restart: right results, or a clear error."""

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.device.capabilities import space_owner
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire.packets import PacketType
from tensorspin.driver.board import Board
from tensorspin.errors import DeviceError, LinkError
from tensorspin.golden.device import GoldenDevice
from tests.support.selection import slow_after, slow_but

from ..support import anneals
from ..support.anneals import BOTH, SIZE, check, cooling, random_ising
from ..support.doubles import RepeatingTransport, golden_board, golden_transport
from ..support.faults import FaultRates, FaultyTransport
from ..support.restarts import RestartingDevice

JOB = AnnealJob(random_ising(), cooling(2, 2))
JOBS = [
    dataclasses.replace(JOB, seed=1),
    AnnealJob(random_ising(1, 10, 0.2), cooling(1, 2)),
    AnnealJob(random_ising(2), cooling(2, 2), initial_states=-np.ones((SIZE.replicas, SIZE.spins))),
]


@pytest.fixture(scope="module", autouse=True)
def known_answers():
    """The golden model is asked once for each job."""
    with pytest.MonkeyPatch.context() as patch:
        answers = {id(job): anneals.anneal(job) for job in (JOB, *JOBS)}
        patch.setattr(anneals, "anneal", lambda job: answers[id(job)])
        yield


@pytest.mark.parametrize("seed", slow_after(2, range(8)))
@pytest.mark.parametrize(
    "rates",
    [FaultRates(0.001, 0.002, 0.001), FaultRates(0.005, 0.01), FaultRates(frame=0.2)],
    ids=["0.1 %", "0.5 %", "frames"],
)
def test_bad_line(rates, seed):
    transport = FaultyTransport(golden_transport(row=BOTH), rates, seed)
    with Board.over(transport) as board:
        for job in JOBS:
            check(board, job)
    assert transport.now() < 60


@pytest.mark.parametrize("seed", range(4))
def test_hopeless_line(seed):
    transport = FaultyTransport(golden_transport(row=BOTH), FaultRates(), seed)
    with Board.over(transport) as board:
        check(board, JOB)
        transport.set_rates(FaultRates(byte=0.2))
        with pytest.raises(LinkError):
            for job in JOBS:
                check(board, job)
        transport.heal()
        check(board, JOBS[1])


@pytest.mark.parametrize("distance", [1, 3, 10])
def test_every_frame_comes_again(distance):
    transport = RepeatingTransport(golden_transport(row=BOTH), distance)
    with Board.over(transport) as board:
        for job in JOBS:
            check(board, job)


def requests_of_a_job():
    device = RestartingDevice(row=BOTH)
    with golden_board(device, BOTH) as board:
        check(board, JOB)
    return device.executed


POINTS = range(1, requests_of_a_job())
"""Requests of a job, counted from 1, at which the device restarts."""


@pytest.mark.parametrize("replies_get_out", [True, False])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("point", slow_but(POINTS[::4], POINTS))
def test_restart_at_every_point(point, first, replies_get_out):
    device = RestartingDevice((), replies_get_out, BOTH)
    with golden_board(device, BOTH) as board:
        if not first:
            check(board, JOBS[1])
        device.restarts = {device.executed + point}
        check(board, JOB)


class ForgetfulDevice(GoldenDevice):
    """Loses the replies to some requests of the annealer."""

    def __init__(self, lost):
        super().__init__(BOTH)
        self.lost = lost
        self.seen = 0

    def _execute(self, answers, received, request):
        before = len(answers)
        super()._execute(answers, received, request)
        writes = (
            request.type == PacketType.WRITE
            and space_owner(request.payload[3]) == EngineKind.ANNEALER
        )
        if writes or request.type == PacketType.ANNEAL:
            self.seen += 1
            if self.seen in self.lost:
                del answers[before:]


@pytest.mark.parametrize("lost", slow_but((1, 2, 5), range(1, 9)))
def test_lost_replies(lost):
    """What is asked again has the same effect: clearing too, which never comes after a write."""
    device = ForgetfulDevice({lost, lost + 3})
    with golden_board(device, BOTH) as board:
        for job in JOBS:
            check(board, job)
    assert device.seen > lost


@pytest.mark.parametrize("period", range(3, 7))
def test_device_that_restarts_all_the_time(period):
    device = RestartingDevice(range(period, 10_000, period), row=BOTH)
    with golden_board(device, BOTH) as board:
        with pytest.raises((DeviceError, LinkError), match="[Cc]heck its power supply"):
            check(board, JOB)
        device.restarts = ()
        check(board, JOB)


@pytest.mark.parametrize("seed", slow_after(4, range(12)))
def test_restarts_on_a_bad_line(seed):
    rng = np.random.default_rng(seed)
    device = RestartingDevice(set(rng.integers(1, 150, 6)), bool(seed % 2), BOTH)
    transport = FaultyTransport(golden_transport(device, BOTH), FaultRates(0.005, 0.01), seed)
    try:
        with Board.over(transport) as board:
            for job in JOBS:
                check(board, job)
    except (DeviceError, LinkError):
        pass
    transport.heal()
    device.restarts = ()
    with Board.over(transport) as board:
        check(board, JOB)


def test_garbage_while_waiting():
    """Bytes that nobody asked for, and a run that goes on."""
    transport = golden_transport(row=BOTH)
    with Board.over(transport) as board:
        transport.write(b"\x05rubbish\0" * 5)
        check(board, JOB, progress=lambda *_: transport.write(b"\x00\x03half"))
