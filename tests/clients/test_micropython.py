"""The MicroPython driver, on MicroPython and on CPython, against the golden device and the pins."""

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tensorspin import MPSClassifier
from tensorspin.compiler.outputs import OutlierDetection, Regression
from tensorspin.contract.device.boards import find_board
from tensorspin.export.model import ClientModel
from tensorspin.export.model_file import HEADER, model_bytes
from tensorspin.models import quantize

from ..support.controllers import GoldenWires
from ..support.loaded_programs import chain_program, cycles_of, golden_answers, random_levels
from ..support.programs import small_program
from ..support.selection import slow_but
from .micropython import ROW, DriverError, expected, exported, opened


@pytest.mark.parametrize("features", slow_but([2, 300], [2, 64, 300]))
def test_answers_are_those_of_the_golden_model(connect, tmp_path, features):
    program, levels = chain_program(features), random_levels(5, features)
    controller = opened(connect(), exported(tmp_path, program))
    assert controller.run(levels.tolist()) == expected(program, levels)
    assert controller.passes() is True
    assert controller.faults() == 0
    active, digest, samples, annealing, cleared = controller.status()
    assert (active, digest) == (True, program.digest(8, signed=True))
    assert samples == 5 + len(ClientModel(program, ROW).self_tests)
    assert not (annealing or cleared)


@pytest.mark.parametrize("number", [0, 1])
def test_a_model_serves_boards_with_either_pipeline(connect, tmp_path, number):
    program, levels = chain_program(64), random_levels(2, 64)
    size = replace(ROW.require_contractor(), pipeline=number)
    row = replace(ROW, engines=ROW.engines.with_sizes(size))
    controller = connect(GoldenWires(row))
    path = exported(tmp_path, program, find_board("icepi_zero_spi"))
    answers = expected(program, levels, size)
    assert opened(controller, path).run(levels.tolist()) == answers
    assert controller.passes() is True

    # The same file from before there were two pipelines: it lacks the section of the second one's.
    data = Path(path).read_bytes()
    for wrong, cycles in ((False, program.cycles(8)), (True, program.cycles(8) + 1)):
        older = bytearray(data.replace(b"CYCL", b"OLD "))
        struct.pack_into("<I", older, 16, cycles)
        before, rest = older[: HEADER.size - 4], older[HEADER.size :]
        struct.pack_into("<I", older, HEADER.size - 4, zlib.crc32(before + rest))
        Path(path).write_bytes(older)
        opened(controller, path)
        if wrong and number == 0:
            with pytest.raises(DriverError, match="took 1890 cycles, not 1891; load the model"):
                controller.run(levels.tolist())
        else:  # of the second one's it is not known how long they take
            assert controller.run(levels.tolist()) == answers
            assert controller.passes() is True


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("features", slow_but([64], [8, 64, 700]))
def test_samples_one_ahead(connect, tmp_path, features, wait):
    """700 levels are more than half of what the board can hold."""
    program, levels = chain_program(features), random_levels(7, features)
    wires = GoldenWires(ROW)
    controller = opened(connect(wires), exported(tmp_path, program))
    assert controller.pipeline(levels.tolist(), wait) == expected(program, levels)
    assert controller.faults() == 0


def test_a_sample_travels_while_another_is_computed(connect, tmp_path):
    program, levels = chain_program(64, bond=16, n_outputs=10), random_levels(20, 64)
    times = []
    for pipelined in (False, True):
        wires = GoldenWires(ROW)
        controller = opened(connect(wires), exported(tmp_path, program))
        begun = wires.now()
        if pipelined:
            controller.pipeline(levels.tolist(), True)
        else:
            controller.run(levels.tolist())
        times.append((wires.now() - begun) / len(levels))
    computing = cycles_of(program) / ROW.clock_hz
    assert times[0] > times[1] and times[1] < 1.15 * computing


def test_a_model_that_the_board_holds_is_not_sent_again(connect, tmp_path):
    wires = GoldenWires(ROW)
    controller = opened(connect(wires), exported(tmp_path, chain_program(64)))
    before = wires.transactions
    controller.load()
    assert wires.transactions - before < 5
    controller.load(True)
    assert wires.transactions - before > 10


def test_without_an_interrupt(connect, tmp_path):
    program, levels = chain_program(), random_levels(5)
    controller = opened(connect(), exported(tmp_path, program), False)
    assert controller.run(levels.tolist()) == expected(program, levels)
    assert controller.pipeline(levels.tolist(), False) == expected(program, levels)


# From readings to levels, and what scores mean


@pytest.mark.parametrize("keep", [0, 100_000])
def test_levels_are_the_hosts(connect, tmp_path, keep):
    program = small_program()
    controller = connect()
    controller.read_model(exported(tmp_path, program), keep)
    rng = np.random.default_rng(0)
    readings = rng.uniform(0, 10, (40, 4)).astype(np.float32)
    readings[:5] = [[0, -0.0, 5, 10]] * 5
    readings[5] = np.arange(4) * 10 / 255 + 5 / 255  # between two levels
    found = controller.levels(readings.tolist(), "f")
    assert found == program.levels(readings).tolist()
    shorts = rng.integers(0, 11, (20, 4))
    assert controller.levels(shorts.tolist(), "h") == program.levels(shorts).tolist()


@pytest.mark.parametrize("scaling", ["range", "quantile", "pipeline"])
def test_levels_of_trained_models_are_the_hosts(connect, tmp_path, scaling):
    X, y = load_iris(return_X_y=True)
    X = X.astype(np.float32)
    options = {"bond_dim": 2, "epochs": 1, "random_state": 0}
    if scaling == "pipeline":
        model = make_pipeline(StandardScaler(), MPSClassifier(**options)).fit(X, y)
    else:
        model = MPSClassifier(scaling=scaling, **options).fit(X, y)
    program = quantize(model)
    controller = connect()
    controller.read_model(exported(tmp_path, program))
    assert controller.levels(X.tolist(), "f") == program.levels(X).tolist()
    middle = (X[:60] + X[60:120]) / 2
    assert controller.levels(middle.tolist(), "f") == program.levels(middle).tolist()


@pytest.mark.parametrize("filled", [False, True])
def test_levels_of_missing_values_are_the_hosts(connect, tmp_path, filled):
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2
    X[rng.random(X.shape) < 0.1] = np.nan
    options = {"bond_dim": 2, "epochs": 1, "random_state": 0}
    if filled:
        model = make_pipeline(SimpleImputer(), StandardScaler(), MPSClassifier(**options))
    else:
        model = MPSClassifier(missing="level", **options)
    program = quantize(model.fit(X, y))
    controller = connect()
    controller.read_model(exported(tmp_path, program))
    told = [["nan" if value != value else float(value) for value in sample] for sample in X]
    assert controller.levels(told, "f") == program.levels(X).tolist()


def test_readings_that_the_host_refuses(connect, tmp_path):
    controller = connect()
    controller.read_model(exported(tmp_path, small_program()))
    right = [1.0, 2.0, 3.0, 4.0]
    wrong = [[-0.001, 1, 1, 1], [1, 1, 1, 10.01], [1, 1e39, 1, 1], [1, 1, 1], right + [1]]
    found = controller.levels([*wrong, right], "f")
    assert [isinstance(each, str) for each in found] == [True] * 5 + [False]
    assert found[0] == "reading 0 is out of range" and "4 readings, not 3" in found[3]
    assert controller.levels([[1, 2, 3, 11]], "h") == ["reading 3 is out of range"]
    odd = "nan inf -inf".split()
    found = controller.levels([[1, 1, each, 1] for each in odd], "f")
    assert found == ["reading 2 is not a number"] + ["reading 2 is out of range"] * 2


def test_classes_have_names(connect, tmp_path):
    program = small_program()
    levels = np.random.default_rng(0).integers(0, 256, (6, 4), np.uint8)
    controller = opened(connect(), exported(tmp_path, program))
    assert controller.names() == ["cat", "dog"]
    answers = golden_answers(program, levels)
    assert controller.interpret(levels.tolist()) == [["cat", "dog"][k] for k in answers.classes]


def test_targets_of_a_regressor(connect, tmp_path):
    task = Regression(offset=-3.5, factor=1234.5)
    program = replace(chain_program(5, n_outputs=1), task=task, log2_scale=-12.3)
    levels = random_levels(10, 5)
    controller = opened(connect(), exported(tmp_path, program))
    answers = golden_answers(program, levels)
    wanted = program.interpret(answers.scores, answers.exponents)
    assert controller.interpret(levels.tolist()) == pytest.approx(wanted.ravel(), rel=1e-5)


@pytest.mark.parametrize("offset", [-40.0, -24.0, 3.0])
def test_flags_of_an_outlier_detector(connect, tmp_path, offset):
    task = OutlierDetection(offset=offset)
    program = replace(chain_program(5, n_outputs=1), task=task, log2_scale=-12.3)
    levels = random_levels(20, 5)
    controller = opened(connect(), exported(tmp_path, program))
    answers = golden_answers(program, levels)
    flags, likelihoods, decisions = zip(*controller.interpret(levels.tolist()))
    wanted = program.interpret(answers.scores, answers.exponents).ravel()
    assert [-1 if flag else 1 for flag in flags] == wanted.tolist()
    exact = task.log_likelihood(answers.scores, answers.exponents, program.log2_scale)
    assert likelihoods == pytest.approx(exact, rel=1e-5)
    assert decisions == pytest.approx(exact - offset, rel=1e-4, abs=1e-4)


# Files and arguments that are wrong


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"PK" + data[2:], "no exported model: it does not begin with TSPN"),
        (lambda data: data[:20], "it does not begin with TSPN"),
        (lambda data: data[:-1], "damaged or cut short"),
        (lambda data: data + b"\0", "damaged or cut short"),
        (lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], "damaged or cut short"),
        (lambda data: data[:4] + b"\7" + data[5:], "has version 7 for protocol version 3"),
    ],
)
def test_files_that_are_refused(connect, tmp_path, change, message):
    path = tmp_path / "model.tspn"
    path.write_bytes(change(model_bytes(ClientModel(small_program(), ROW))))
    with pytest.raises(DriverError, match=message):
        connect().read_model(str(path))


def test_a_model_for_other_boards_is_refused(connect, tmp_path):
    wide = ROW.engines.with_sizes(replace(ROW.require_contractor(), lanes=16))
    path = exported(tmp_path, small_program(), replace(ROW, engines=wide))
    controller = connect()
    controller.open()
    controller.read_model(path)
    with pytest.raises(DriverError, match="for a board with 16 lanes, icebreaker_spi has 8"):
        controller.load()


def test_calls_out_of_order(connect, tmp_path):
    controller = connect()
    controller.open()
    with pytest.raises(DriverError, match="no model is loaded; load one first"):
        controller.run([[1, 2, 3, 4]])
    with pytest.raises(DriverError, match="no sample is under way; start one first"):
        controller.finish()
    opened(controller, exported(tmp_path, small_program()))
    with pytest.raises(DriverError, match="a sample has 4 levels, not 3"):
        controller.run([[1, 2, 3]])
    levels = [1, 2, 3, 4]
    controller.start(levels)
    controller.start(levels)
    with pytest.raises(DriverError, match="2 samples are under way; finish one first"):
        controller.start(levels)
    for call in (controller.status, controller.load, lambda: controller.run([levels])):
        with pytest.raises(DriverError, match="samples are under way; finish them first"):
            call()
    found = [controller.finish(), controller.finish()]
    assert found == expected(small_program(), np.array([levels, levels], np.uint8))


# On the pins of the gateware


@pytest.mark.slow
@pytest.mark.parametrize("damage", [0, 1e-4, 1e-3])
def test_on_the_pins_of_the_gateware(connect, pins, tmp_path, damage):
    program = chain_program(64, bond=8, n_outputs=10)
    levels = random_levels(12, 64)
    pins.damage = damage
    controller = opened(connect(pins), exported(tmp_path, program))
    wanted = expected(program, levels)
    assert controller.run(levels[:4].tolist()) == wanted[:4]
    assert controller.pipeline(levels[4:].tolist(), True) == wanted[4:]
    assert (controller.faults() > 0) is (damage > 0) or damage == 1e-4


@pytest.mark.slow
def test_restart_of_the_gateware(connect, pins, tmp_path):
    program, levels = chain_program(), random_levels(2)
    path = exported(tmp_path, program)
    controller = opened(connect(pins), path)
    pins.restart()
    with pytest.raises(DriverError, match="the board has lost the model; load it again"):
        controller.run(levels.tolist())
    controller.load()
    assert controller.run(levels.tolist()) == expected(program, levels)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["glitches", "interrupt low", "interrupt high"])
def test_faults_at_the_pins_of_the_gateware(connect, pins, tmp_path, fault):
    program, levels = chain_program(20, bond=8), random_levels(6, 20)
    pins.glitches = 0.2 if fault == "glitches" else 0
    pins.interrupt = {"interrupt low": False, "interrupt high": True}.get(fault)
    controller = opened(connect(pins), exported(tmp_path, program))
    assert controller.run(levels[:3].tolist()) == expected(program, levels)[:3]
    assert controller.pipeline(levels[3:].tolist(), False) == expected(program, levels)[3:]


@pytest.mark.slow
def test_cut_wires_at_the_pins_of_the_gateware(connect, pins, tmp_path):
    program, levels = chain_program(), random_levels(2)
    controller = opened(connect(pins), exported(tmp_path, program))
    pins.cut, begun = True, pins.now()
    with pytest.raises(DriverError, match="does not answer; check wires"):
        controller.run(levels.tolist())
    assert pins.now() - begun < 2
    pins.cut = False
    assert controller.run(levels.tolist()) == expected(program, levels)
