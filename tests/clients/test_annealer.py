"""The C driver loads problems, runs schedules and reads states, on golden devices."""

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.image import AnnealerSpace, unpack_problem, unpack_steps
from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import Step, digit_probabilities, highest_temperature
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.engines import Engines
from tensorspin.export.model import ClientModel
from tensorspin.golden.annealer.device import DeviceAnnealer

from ..support import c_client, spatial
from ..support.c_client import Client
from ..support.c_lines import FaultyLine, GoldenLine
from ..support.loaded_programs import chain_program, golden_answers, random_levels

BOARDS = ["icebreaker_annealer", "hx8k_evn_annealer", "ulx3s_25f_both", "ulx3s_25f_annealer"]
SMALL = find_board("icebreaker_annealer")
SEVERAL = AnnealerSize(32, 4, 9, 10, (1,) * 6, 16, 8, flips=2)
"""A device whose memories are laid out for several flips a turn."""


def opened(board):
    line = GoldenLine(board)
    client = Client(line)
    assert client.open() == c_client.OK
    return client, line


def problem(size, variables, seed=0):
    """A random problem with many couplings and large linear terms."""
    rng = np.random.default_rng(seed)
    limit = size.coupling.maximum
    upper = np.triu(rng.integers(-limit, limit + 1, (variables, variables)), 1)
    upper[rng.random(upper.shape) < max(0.0, 1 - 12 / variables)] = 0
    couplings = upper + upper.T
    linear = rng.integers(-20, 21, variables)
    return couplings, linear


def q_of(temperature):
    return min(int(np.exp(-2 / temperature) * 2**32), 2**32 - 1)


def cool(size, steps=6, sweeps=20):
    hot = min(highest_temperature(size) * 0.9, 12.0)
    return [(q_of(t), sweeps) for t in np.geomspace(hot, 0.6, steps)]


def wait(client, tries=2000):
    for _ in range(tries):
        if (status := client.anneal_finish()) != c_client.PENDING:
            return status
    raise AssertionError("the run does not end")


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("variables", [1, 2, 9, 60])
def test_states_are_those_of_the_problem(name, variables):
    board = find_board(name)
    size = board.require_annealer()
    client, line = opened(board)
    couplings, linear = problem(size, variables)
    expected = IsingProblem(size, couplings, linear)
    assert client.anneal_load(couplings, linear) == c_client.OK
    # The device's memory holds the problem as the host would have written it.
    memory = bytes(line.device.memories[AnnealerSpace.COUPLINGS])
    held = unpack_problem(size, memory, variables, expected.offset_rows)
    assert np.array_equal(held.couplings, expected.couplings)
    assert np.array_equal(held.linear, expected.linear)

    assert client.anneal_start(cool(size), seed=7) == c_client.OK
    assert client.anneal_start(cool(size)) == c_client.BUSY
    assert client.anneal_read(0)[0] == c_client.BUSY
    assert wait(client) == c_client.OK
    assert client.anneal_finish() == c_client.IDLE
    found = [client.anneal_read(replica) for replica in range(size.replicas)]
    assert client.anneal_read(size.replicas)[0] == c_client.DOES_NOT_FIT
    for error, state, energy in found:
        assert error == c_client.OK
        assert set(state.tolist()) <= {-1, 1}
        assert energy == expected.energy(state)
    assert min(energy for *_, energy in found) <= expected.energy(np.ones(variables))
    assert client.faults == 0


def test_the_ground_state_of_a_small_problem_is_found():
    size = SMALL.require_annealer()
    client, _ = opened(SMALL)
    couplings, linear = problem(size, 12, seed=3)
    expected = IsingProblem(size, couplings, linear)
    states = 1 - 2 * (np.arange(1 << 12)[:, None] >> np.arange(12) & 1)
    assert client.anneal_load(couplings, linear) == c_client.OK
    answers = []
    for seed in (1, 1, 2):
        assert client.anneal_start(cool(size, 12, 40), seed=seed) == c_client.OK
        assert wait(client) == c_client.OK
        answers.append([client.anneal_read(replica)[2] for replica in range(size.replicas)])
    assert answers[0] == answers[1]  # a run with the same seed gives the same results
    assert min(answers[0]) == expected.energy(states).min()


def test_probabilities_of_a_step_are_those_of_the_host():
    size = SMALL.require_annealer()
    client, line = opened(SMALL)
    assert client.anneal_load([[0, 1], [1, 0]], [1, 2]) == c_client.OK
    temperatures = np.geomspace(highest_temperature(size) * 0.99, 0.05, 16)
    assert client.anneal_start([(q_of(t), 3) for t in temperatures]) == c_client.OK
    steps = unpack_steps(size, bytes(line.device.memories[AnnealerSpace.STEPS]), 16)
    for temperature, step in zip(temperatures, steps):
        expected = digit_probabilities(temperature, size)
        assert np.abs(np.array(step.probabilities) - expected).max() <= 1
        assert (step.sweeps, step.ring, step.moving, step.exchange) == (3, 0, 0, 0)


def test_what_does_not_fit_is_refused():
    size = SMALL.require_annealer()
    client, _ = opened(SMALL)
    assert client.anneal_start(cool(size)) == c_client.NO_MODEL
    over = size.coupling.maximum + 1
    far = size.field.maximum + 1
    for couplings, linear in (
        (np.zeros((257, 257), int), np.zeros(257, int)),
        ([[0, over], [over, 0]], [0, 0]),
        ([[0, -over], [-over, 0]], [0, 0]),
        ([[0, 1], [1, 0]], [far, 0]),
        ([[0, 1], [1, 0]], [0, far - 1]),
        # The sum of magnitudes must not wrap.
        ([[0, 1], [1, 0]], [-(1 << 31), 0]),
        ([[0, -(1 << 31)], [-(1 << 31), 0]], [-(1 << 31), 0]),
    ):
        assert client.anneal_load(couplings, linear) == c_client.DOES_NOT_FIT
        assert client.anneal_start(cool(size)) == c_client.NO_MODEL
    assert client.anneal_load([[0, 1], [1, 0]], [0, size.field.maximum - 1]) == c_client.OK
    assert client.anneal_start([]) == c_client.DOES_NOT_FIT
    assert client.anneal_start([(q_of(1.0), 1)] * (size.steps + 1)) == c_client.DOES_NOT_FIT
    assert client.anneal_start([(q_of(1.0), 0)]) == c_client.DOES_NOT_FIT
    hot = q_of(highest_temperature(size) * 1.05)
    assert client.anneal_start([(hot, 1)]) == c_client.DOES_NOT_FIT
    contractor, _ = opened(find_board("icebreaker_spi"))
    assert contractor.anneal_load([[0]], [1]) == c_client.DOES_NOT_FIT
    for size in (SEVERAL, spatial.BALANCED):
        other, _ = opened(replace(SMALL, engines=Engines(size)))
        assert other.anneal_load([[0]], [1]) == c_client.DOES_NOT_FIT


@pytest.mark.parametrize("optional", ["shared_sweeps", "signature"])
def test_a_board_that_can_do_more_is_like_others(optional):
    size = replace(find_board("ulx3s_25f_annealer").require_annealer(), **{optional: 1})
    client, _ = opened(replace(SMALL, engines=Engines(size)))
    assert client.anneal_load([[0, 1], [1, 0]], [0, 0]) == c_client.OK
    assert client.anneal_start([(q_of(1.0), 5)]) == c_client.OK
    assert wait(client) == c_client.OK


@pytest.mark.parametrize("rate", [1e-4, 1e-3])
def test_damage_costs_time_and_nothing_else(rate):
    size = SMALL.require_annealer()
    line = FaultyLine(GoldenLine(SMALL), rate, seed=1)
    client = Client(line)
    couplings, linear = problem(size, 40)
    expected = IsingProblem(size, couplings, linear)
    assert client.open() == c_client.OK
    assert client.anneal_load(couplings, linear) == c_client.OK
    assert client.anneal_start(cool(size)) == c_client.OK
    assert wait(client) == c_client.OK
    for replica in range(size.replicas):
        error, state, energy = client.anneal_read(replica)
        assert error == c_client.OK and energy == expected.energy(state)


def test_a_reset_is_noticed_at_every_step():
    size = SMALL.require_annealer()
    client, line = opened(SMALL)
    couplings, linear = problem(size, 10)

    def load():
        assert client.anneal_load(couplings, linear) == c_client.OK

    load()
    line.reset()
    assert client.anneal_start(cool(size)) == c_client.RESTARTED
    load()
    assert client.anneal_start(cool(size)) == c_client.OK
    line.reset()
    assert wait(client) == c_client.RESTARTED
    load()
    assert client.anneal_start(cool(size)) == c_client.OK
    assert wait(client) == c_client.OK
    line.reset()
    assert client.anneal_read(0)[0] == c_client.RESTARTED
    assert client.status()[0] == c_client.OK  # a new session
    assert client.anneal_start(cool(size)) == c_client.NO_MODEL
    load()
    assert client.anneal_start(cool(size)) == c_client.OK and wait(client) == c_client.OK
    assert client.anneal_read(0)[0] == c_client.OK


def test_a_reset_while_a_problem_is_written_loses_nothing():
    size = SMALL.require_annealer()
    client, line = opened(SMALL)
    couplings, linear = problem(size, 40)
    inner, begin, done = line.transfer, line.bytes, []

    def transfer(data):
        if not done and line.bytes - begin > 1500:
            done.append(line.reset())
        return inner(data)

    line.transfer = transfer
    assert client.anneal_load(couplings, linear) == c_client.OK and done
    assert client.anneal_start(cool(size)) == c_client.OK and wait(client) == c_client.OK
    error, state, energy = client.anneal_read(3)
    assert error == c_client.OK
    assert energy == IsingProblem(size, couplings, linear).energy(state)


PLAIN = AnnealerSize(90, 5, 11, 12, (2,) * 6, 16, 8, ring=0)
WINDOWS = AnnealerSize(128, 4, 10, 16, (8,) * 7, 16, 8, ring=0, window=8)


@pytest.mark.parametrize("size", [PLAIN, WINDOWS], ids=["plain", "windows"])
@pytest.mark.parametrize(("variables", "refresh"), [(2, 0), (90, 3)])
def test_a_run_that_does_not_end_is_given_up(monkeypatch, size, variables, refresh):
    board = replace(SMALL, engines=Engines(size))
    client, line = opened(board)
    couplings, linear = problem(size, variables)
    job = AnnealJob(IsingProblem(size, couplings, linear), [Step((1,), 5000)] * 4, 0, refresh)
    most = job.most_cycles / board.clock_hz * 1e6
    assert client.anneal_load(couplings, linear) == c_client.OK
    assert client.anneal_start([(q_of(1.0), 5000)] * 4, refresh=refresh) == c_client.OK
    with monkeypatch.context() as patch:
        told = {"annealing": True, "step": 0, "cleared": True}
        patch.setattr(DeviceAnnealer, "status", lambda self, cycle: told)
        patch.setattr(DeviceAnnealer, "is_busy", lambda self, cycle: True)
        begun, status = line.us, c_client.PENDING
        while status == c_client.PENDING:
            line.us += most / 100
            status = client.anneal_finish()
    assert status == c_client.TIMEOUT
    margin = 4096 * 16 / board.clock_hz * 1e6
    # The driver's unit of a clock's frequency is 2^20 Hz.
    assert 2 * most < line.us - begun - margin < 2.2 * most + 500
    assert client.anneal_finish() == c_client.IDLE
    assert client.anneal_start(cool(size)) == c_client.RESTARTED  # begin anew
    assert client.anneal_load(couplings, linear) == c_client.OK
    assert client.anneal_start(cool(size)) == c_client.OK and wait(client) == c_client.OK
    assert client.anneal_read(0)[0] == c_client.OK


def test_a_run_of_more_cycles_than_a_device_can_count_is_refused():
    size = SMALL.require_annealer()
    client, _ = opened(SMALL)
    couplings, linear = problem(size, 60)
    problem_of = IsingProblem(size, couplings, linear)
    assert client.anneal_load(couplings, linear) == c_client.OK
    for sweeps in (65535, 40000):
        job = AnnealJob(problem_of, [Step((1,), sweeps)] * size.steps)
        fits = job.most_cycles < 1 << 32
        found = client.anneal_start([(q_of(0.01), sweeps)] * size.steps)
        assert (found == c_client.OK) == fits
        assert found in (c_client.OK, c_client.DOES_NOT_FIT)


def test_a_state_with_another_energy_is_refused():
    size = SMALL.require_annealer()
    client, _ = opened(SMALL)
    couplings, linear = problem(size, 10)
    assert client.anneal_load(couplings, linear) == c_client.OK
    assert client.anneal_start(cool(size)) == c_client.OK and wait(client) == c_client.OK
    linear *= -1  # not the problem that was loaded
    assert client.anneal_read(0)[0] == c_client.WRONG_ENERGY
    linear[:] = -(1 << 31) + 1  # its energies wrap
    assert client.anneal_read(0)[0] == c_client.WRONG_ENERGY


def test_both_engines_of_a_device():
    board = find_board("ulx3s_25f_both")
    size = board.require_annealer()
    client, _ = opened(board)
    program, levels = chain_program(10), random_levels(3, 10)
    couplings, linear = problem(size, 10)
    assert client.load(ClientModel(program, board)) == c_client.OK
    assert client.anneal_load(couplings, linear) == c_client.OK
    assert client.anneal_start(cool(size)) == c_client.OK
    expected = golden_answers(program, levels)
    for sample, scores in zip(levels, expected.scores):
        status, result = client.run(sample)  # while the annealer runs
        assert status == c_client.OK and list(result.scores[:3]) == scores.tolist()
    assert wait(client) == c_client.OK
    assert client.anneal_read(0)[0] == c_client.OK
