"""Annealing on a board, and every way to get it wrong."""

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import CYCLES, REFRESH, SWEEPS
from tensorspin.contract.annealer.steps import Step
from tensorspin.contract.annealer.tempering import ladder, tempering_schedule
from tensorspin.contract.annealer.transverse import transverse_schedule
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.driver.link.requests import Script, Write
from tensorspin.errors import (
    CapacityError,
    DeviceError,
    TensorspinError,
)
from tensorspin.golden.annealer.metropolis import anneal
from tensorspin.golden.device import GoldenDevice

from ..support.anneals import ALONE, BOTH, SIZE, check, cooling, random_ising, random_job
from ..support.doubles import assert_answers, golden_board
from ..support.loaded_programs import chain_program, golden_answers, random_levels

JOB = AnnealJob(random_ising(), cooling())
LADDER = ladder(np.geomspace(8, 1, SIZE.replicas), SIZE)
OTHER_LADDER = dataclasses.replace(LADDER, exchanges=LADDER.exchanges[1:])


@pytest.fixture
def device():
    return GoldenDevice(BOTH)


@pytest.fixture
def board(device):
    with golden_board(device, BOTH) as board:
        yield board


class Watch:
    """Notes the requests that a board makes."""

    def __init__(self, board, monkeypatch):
        self.requests = []
        exchange = board._session.exchange

        def watched(requests, **options):
            def noted():
                for request in requests:
                    self.requests.append(request)
                    yield request

            return exchange(noted(), **options)

        monkeypatch.setattr(board._session, "exchange", watched)

    def take(self, kind=object):
        """Requests of a kind since the last time."""
        requests, self.requests = self.requests, []
        return [request for request in requests if isinstance(request, kind)]


# Answers


@pytest.mark.parametrize("row", [ALONE, BOTH], ids=lambda row: row.name)
def test_results_are_those_of_the_golden_model(row):
    with golden_board(row=row) as board:
        for seed in range(8):
            check(board, random_job(seed))
        assert board._session.line.statistics.resent == 0


def test_arguments_are_those_of_a_job(board):
    job = random_job(3)
    found = board.anneal(
        job.problem,
        job.steps,
        job.seed,
        refresh=job.refresh,
        initial_states=job.initial_states,
        ladder=job.ladder,
    )
    expected = anneal(job)
    np.testing.assert_array_equal(found.states, expected.states)
    assert found.cycles == expected.cycles


def test_same_seed_same_result(board):
    first, other, again = (
        board.anneal_job(dataclasses.replace(JOB, seed=seed)) for seed in (1, 2, 1)
    )
    assert np.array_equal(first.states, again.states)
    assert not np.array_equal(first.states, other.states)


def test_dtypes_shapes_and_times(board):
    start = board.seconds
    found = board.anneal_job(JOB)
    shape = (SIZE.replicas, SIZE.spins)
    for states in (found.states, found.best_states):
        assert (states.dtype, states.shape) == (np.int8, shape)
    for energies in (found.energies, found.best_energies):
        assert (energies.dtype, energies.shape) == (np.int64, shape[:1])
    assert found.seconds == found.cycles / BOTH.clock_hz
    assert found.transfer_seconds > 0
    assert found.seconds + found.transfer_seconds == pytest.approx(board.seconds - start)


def test_energies_include_linear_terms_and_belong_to_states(board):
    problem = random_ising(3, variables=10)
    found = board.anneal_job(AnnealJob(problem, cooling()))
    np.testing.assert_array_equal(problem.energy(found.states), found.energies)
    np.testing.assert_array_equal(problem.energy(found.best_states), found.best_energies)
    assert (found.best_energies <= found.energies).all()


def test_problem_without_couplings(board):
    problem = IsingProblem(SIZE, np.zeros((3, 3), int), np.array([2, 0, -1]))
    found = check(board, AnnealJob(problem, cooling(8, 3)))
    assert (found.best_energies == -3).all()


def test_large_device():
    row = find_board("ulx3s_25f_annealer")
    size = row.annealer
    with golden_board(row=row) as board:
        for density in (0.6, 0.02):
            problem = random_ising(1, size.spins, density, size)
            check(board, AnnealJob(problem, cooling(3, 2, size)))


def test_quantum_annealing_and_tempering_are_run():
    """The random jobs are of all kinds."""
    jobs = [random_job(seed) for seed in range(8)]
    kinds = [(any(s.moving for s in job.steps), job.ladder is not None) for job in jobs]
    assert set(kinds) == {(False, False), (True, False), (False, True)}


# Uploads


def test_what_is_there_is_not_sent_again(board, monkeypatch):
    watch = Watch(board, monkeypatch)
    check(board, JOB)
    assert watch.take(Write)
    check(board, JOB)
    assert not watch.take((Write, Script))
    check(board, dataclasses.replace(JOB, seed=5, refresh=1))
    assert not watch.take((Write, Script))
    check(board, dataclasses.replace(JOB, steps=cooling(5)))
    assert {request.space for request in watch.take(Write)} == {AnnealerSpace.STEPS}
    states = np.ones((SIZE.replicas, SIZE.spins), dtype=int)
    states[3, 4] = -1
    check(board, dataclasses.replace(JOB, steps=cooling(5), initial_states=states))
    (write,) = watch.take(Write)
    assert (write.space, len(write.data)) == (AnnealerSpace.STATES, 1)


def test_a_small_change_is_a_small_upload(board, monkeypatch):
    check(board, JOB)
    couplings = JOB.problem.couplings.copy()
    couplings[2, 7] = couplings[7, 2] = couplings[2, 7] % 7 + 1
    watch = Watch(board, monkeypatch)
    problem = IsingProblem(SIZE, couplings, JOB.problem.linear)
    check(board, dataclasses.replace(JOB, problem=problem))
    requests = watch.take((Write, Script))
    assert 0 < sum(len(r.data) if isinstance(r, Write) else len(r.entries) for r in requests) < 60


def test_sparse_problems_travel_as_scripts(monkeypatch):
    row = find_board("ulx3s_25f_annealer")
    size = row.annealer
    with golden_board(row=row) as board:
        watch = Watch(board, monkeypatch)
        for density, kind in ((0.02, Script), (0.9, Write), (0.02, Write)):
            problem = random_ising(0, 128, density, size)
            check(board, AnnealJob(problem, cooling(1, 1, size)))
            requests = watch.take((Write, Script))
            couplings = [
                r for r in requests if isinstance(r, Script) or r.space == AnnealerSpace.COUPLINGS
            ]
            assert {type(request) for request in couplings} == {kind}


def test_other_hosts_uploads_are_not_relied_on(board, device):
    check(board, JOB)
    with golden_board(device, BOTH) as other:
        check(other, random_job(3))
        for _ in range(100):
            other.status()
    check(board, JOB)


def test_memory_that_does_not_hold(device):
    """States with energies that are not their own are never returned."""
    with golden_board(device, BOTH) as board:
        check(board, JOB)
        device.memories[AnnealerSpace.COUPLINGS][12:24] = bytes(range(60, 72))
        with pytest.raises(DeviceError, match="state of replica . has the energy .*, the device"):
            board.anneal_job(dataclasses.replace(JOB, seed=2))
        check(board, JOB)  # everything is sent again


# Arguments


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": cooling() * 3}, CapacityError, "steps of the schedule: 12 needed, .* holds 8"),
        ({"steps": []}, ValueError, "at least one step"),
        ({"steps": [Step((1,) * 5, 1)]}, ValueError, "step 0 has 5 probabilities, .* have 6 bits"),
        ({"steps": [Step((1 << 16,) * 6, 1)]}, ValueError, "probabilities must be 0 to 65535"),
        ({"steps": [Step((0,) * 6, 0)]}, ValueError, "1 to 65535 sweeps, step 0 has 0"),
        ({"steps": tempering_schedule(2, 1, SIZE)}, ValueError, "need a ladder of temperatures"),
        ({"ladder": OTHER_LADDER}, ValueError, "the ladder is that of another device"),
        (
            {"steps": [Step((0,) * 6, SWEEPS.maximum)], "refresh": REFRESH.maximum},
            CapacityError,
            f"of 65535 sweeps .*, the device holds {CYCLES.maximum}; take .* sweeps or fewer",
        ),
        ({"refresh": -1}, ValueError, "refresh must be 0 to 65535, not -1"),
        ({"seed": -1}, ValueError, "seed must be 0 or more, not -1"),
        ({"initial_states": np.ones((2, 24))}, ValueError, rf"\({SIZE.replicas}, 24\), not \(2,"),
        ({"initial_states": np.zeros((SIZE.replicas, 24))}, ValueError, r"must be \+1 and -1"),
        ({"problem": None}, TypeError, "must be an IsingProblem, not NoneType"),
    ],
)
def test_bad_arguments(board, change, error, message, monkeypatch):
    watch = Watch(board, monkeypatch)
    with pytest.raises(error, match=message):
        board.anneal_job(dataclasses.replace(JOB, **change))
    assert not watch.take(), "refused before anything was sent"
    check(board, JOB)


def test_problem_that_is_too_large(board, monkeypatch):
    large = dataclasses.replace(SIZE, spins=30, coupling_bits=5, field_bits=10)
    watch = Watch(board, monkeypatch)
    with pytest.raises(CapacityError, match="variables .*: 30 needed, the device holds 24; fix"):
        board.anneal_job(AnnealJob(random_ising(0, 30, size=large), cooling()))
    with pytest.raises(ValueError, match="a coupling of .* is greater than 7, the limit of 4 bits"):
        board.anneal_job(AnnealJob(random_ising(0, 20, size=large), cooling()))
    assert not watch.take()


def test_problem_for_another_size_that_fits(board):
    large = dataclasses.replace(SIZE, spins=30, replicas=16)
    problem = random_ising(0, 20, size=large)
    found = board.anneal_job(AnnealJob(problem, cooling()))
    expected = anneal(AnnealJob(IsingProblem(SIZE, problem.couplings, problem.linear), cooling()))
    np.testing.assert_array_equal(found.states, expected.states)


def test_modes_that_are_not_there():
    size = dataclasses.replace(SIZE, ring=0, tempering=0)
    with golden_board(row=dataclasses.replace(ALONE, engines=Engines(size))) as board:
        board.anneal_job(JOB)
        quantum = transverse_schedule([1.0], 0.3, 1, SIZE)
        with pytest.raises(ValueError, match="step 0 couples the replicas along a ring, which the"):
            board.anneal_job(dataclasses.replace(JOB, steps=quantum))
        with pytest.raises(ValueError, match="a ladder of temperatures is given, which the device"):
            board.anneal_job(dataclasses.replace(JOB, ladder=LADDER))


def test_engines_that_are_not_there():
    with golden_board() as board:
        with pytest.raises(TensorspinError, match=r"\(icebreaker\) has no annealer in its bit"):
            board.anneal_job(JOB)
    with golden_board(row=ALONE) as board:
        for use in (lambda: board.load(chain_program()), lambda: board.run(random_levels(1))):
            with pytest.raises(TensorspinError, match=r"\(annealer\) has no contractor in its bit"):
                use()
        assert board.program is None
        assert not board.status().active
        check(board, JOB)
    with pytest.raises(TensorspinError, match="is closed"):
        board.anneal_job(JOB)


# Both engines


def test_the_program_stays(board):
    program, levels = chain_program(), random_levels(20)
    board.load(program)
    check(board, JOB)
    assert_answers(board.run(levels), golden_answers(program, levels))
    check(board, random_job(1))
    board.load(chain_program(seed=2))
    check(board, dataclasses.replace(JOB, seed=3))
    assert board.status().active


def test_lost_program_does_not_keep_from_annealing(board, device):
    board.load(chain_program())
    device.restart()
    check(board, JOB)
    assert board.program is None
