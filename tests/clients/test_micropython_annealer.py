"""Annealing from the MicroPython driver gives what the golden model gives."""

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.contract.annealer.job import AnnealJob
from tensorspin.contract.annealer.problem import IsingProblem
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.annealer.steps import schedule
from tensorspin.contract.device.engines import Engines
from tensorspin.golden.annealer.metropolis import anneal

from ..support.anneals import SIZE
from ..support.controllers import GoldenWires
from ..support.selection import slow_after, slow_but
from .micropython import ROW, DriverError

PLAIN = AnnealerSize(40, 5, 11, 12, (2,) * 6, 16, 8, ring=0)
WINDOWS = AnnealerSize(64, 4, 10, 16, (8,) * 7, 16, 8, ring=0, window=8)
SHARING = replace(PLAIN, shared_sweeps=1)
SIGNED = replace(PLAIN, signature=1)
SIZES = {
    "tempering": SIZE,
    "plain": PLAIN,
    "windows": WINDOWS,
    "shared sweeps": SHARING,
    "signature": SIGNED,
}
TEMPERATURES = [6.0, 3.0, 1.5, 0.7]


def row(size):
    return replace(ROW, engines=Engines(size))


def problem(size, variables, seed=0):
    rng = np.random.default_rng([seed, variables])
    limit = min(size.coupling.maximum, max(1, size.field.maximum // (variables + 1)))
    couplings = np.triu(rng.integers(-limit, limit + 1, (variables, variables)), 1)
    couplings *= rng.random(couplings.shape) < 0.8
    return IsingProblem(size, couplings + couplings.T, rng.integers(-limit, limit + 1, variables))


def order(which, seed=0, refresh=0, temperatures=TEMPERATURES):
    pairs = [
        [i, j, int(which.couplings[i, j])]
        for i in range(which.variables)
        for j in range(i)
        if which.couplings[i, j]
    ]
    return pairs, which.linear.tolist(), temperatures, 3, seed, refresh


def expected(which, seed=0, refresh=0):
    job = AnnealJob(which, schedule(TEMPERATURES, 3, which.size), seed=seed, refresh=refresh)
    found = anneal(job)
    energies, states = found.best_energies.tolist(), found.best_states.tolist()
    return sorted(zip(energies, states), key=lambda each: each[0])


def told(found):
    return [(energy, spins) for energy, spins in found]


@pytest.mark.parametrize("name", slow_but(["tempering"], SIZES))
@pytest.mark.parametrize("seed", slow_after(1, [2**32 - 1, 0]))
def test_states_and_energies_are_those_of_the_golden_model(connect, name, seed):
    size = SIZES[name]
    controller = connect(GoldenWires(row(size)))
    controller.open()
    for variables, refresh in ((size.spins, 0), (3, 2), (1, 0)):
        which = problem(size, variables)
        found = controller.anneal(*order(which, seed, refresh))
        assert told(found) == expected(which, seed, refresh)
    assert controller.faults() == 0
    assert controller.status()[3:] == [False, True]


@pytest.mark.parametrize("damage", [1e-4, 1e-3])
def test_damaged_bytes(connect, damage):
    wires = GoldenWires(row(SIZE), seed=1)
    wires.damage = damage
    controller = connect(wires)
    controller.open()
    for seed in range(3):
        which = problem(SIZE, SIZE.spins, seed)
        assert told(controller.anneal(*order(which, seed))) == expected(which, seed)


@pytest.mark.parametrize("step", slow_but([3, 100], [1, 2, 3, 10, 20, 40, 60, 80, 100, 120]))
def test_board_that_is_restarted_in_between(connect, step):
    wires = GoldenWires(row(SIZE))
    controller = connect(wires)
    controller.open()
    wires.restarts = {wires.transactions + step}
    which = problem(SIZE, SIZE.spins)
    assert told(controller.anneal(*order(which))) == expected(which)


def test_wires_that_are_cut(connect):
    wires = GoldenWires(row(SIZE))
    controller = connect(wires)
    controller.open()
    which = problem(SIZE, 5)
    wires.cut = True
    begun = wires.now()
    with pytest.raises(DriverError, match="does not answer"):
        controller.anneal(*order(which))
    assert wires.now() - begun < 3
    wires.cut = False
    assert told(controller.anneal(*order(which))) == expected(which)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"couplings": [[0, 0, 1]]}, "no coupling of variables 0 and 0"),
        ({"couplings": [[0, 9, 1]]}, "no coupling of variables 0 and 9"),
        ({"couplings": [[0, 1, 8]]}, "a coupling is -7 to 7, not 8"),
        ({"couplings": [[0, 1, 1], [1, 0, 1]]}, "variables . and . are coupled twice"),
        ({"linear": [300, 0, 0]}, "a local field may reach 301, more than 255"),
        ({"linear": [0] * 25}, "has 1 to 24 variables, not 25"),
        ({"linear": []}, "has 1 to 24 variables, not 0"),
        ({"temperatures": []}, "a schedule has 1 to 8 steps, not 0"),
        ({"temperatures": [1.0] * 9}, "a schedule has 1 to 8 steps, not 9"),
        ({"temperatures": [0.0]}, "a temperature must be more than 0, not 0.0"),
        ({"temperatures": [100.0]}, "a temperature of 100.0 is too high"),
        ({"sweeps": 0}, "6 probabilities and 1 to 65535 sweeps"),
        ({"seed": -1}, "seed must be 0 to 4294967295, not -1"),
        ({"refresh": 65536}, "refresh must be 0 to 65535, not 65536"),
    ],
)
def test_problems_that_are_refused(connect, change, message):
    controller = connect(GoldenWires(row(SIZE)))
    controller.open()
    right = {"couplings": [[0, 1, 1]], "linear": [0, 0, 0], "temperatures": [1.0], "sweeps": 1}
    order = {**right, "seed": 0, "refresh": 0, **change}
    with pytest.raises(DriverError, match=message):
        controller.anneal(*order.values())


def test_board_that_flips_several_spins_a_turn(connect):
    controller = connect(GoldenWires(row(replace(PLAIN, flips=2))))
    controller.open()
    with pytest.raises(DriverError, match="flips several spins a turn: take another board"):
        controller.anneal([[0, 1, 1]], [0, 0], [1.0], 1, 0)


def test_board_without_an_annealer(connect):
    controller = connect()
    controller.open()
    with pytest.raises(DriverError, match="icebreaker_spi has no annealer in its bitstream"):
        controller.anneal([[0, 1, 1]], [0, 0], [1.0], 1, 0)
