"""The driver of spatial engines, on golden devices and on the gateware."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin import Board, MPSClassifier, TTNClassifier
from tensorspin.compiler.spatial import SpatialProgram, spatial_size
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.spatial_boards import description_text, folder, make_board
from tensorspin.contract.spatial.image import SpatialSpace, image_bytes
from tensorspin.driver.memories import holds
from tensorspin.driver.selftest.memories import check_memories
from tensorspin.driver.selftest.result import Verdict
from tensorspin.driver.transports import check_virtual
from tensorspin.errors import DeviceError, FaultError, ShapeError, TransportError
from tensorspin.golden.device import GoldenDevice
from tensorspin.golden.spatial import GoldenSpatial, contraction
from tests.support.doubles import assert_answers, golden_board

X, Y = load_iris(return_X_y=True)
ROW = find_board("ulx3s_85f")


@pytest.fixture(scope="module")
def trained():
    return [TTNClassifier(4, n_repeats=1, epochs=10, random_state=s).fit(X, Y) for s in range(2)]


@pytest.fixture(scope="module")
def programs(trained):
    return [model.quantize() for model in trained]


@pytest.fixture
def row(programs):
    size = spatial_size(programs[0], value_bits=12, weight_bits=8, multipliers=156)
    return make_board("iris", ROW, 90_000_000, size)


@pytest.fixture
def described(row, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder().mkdir(parents=True)
    (folder() / "iris.json").write_text(description_text(row))


def answers(program, size, levels):
    return GoldenSpatial(size, SpatialProgram(program, size).parameters).run(levels)


def check_programs(board, programs, size):
    """Two programs of one shape, one after the other, on one device."""
    for program in programs:
        levels = program.levels(X)
        board.load(program, verify=True)
        assert board.program is program
        assert_answers(board.run(levels), answers(program, size, levels))
        assert_answers(board.run(levels[:1]), answers(program, size, levels[:1]))
        assert len(board.run(levels[:0]).scores) == 0
    status = board.status()
    assert status.active and status.digest == SpatialProgram(programs[-1], size).digest


def test_programs_of_one_shape(row, programs):
    with golden_board(row=row) as board:
        assert board.info.spatial == row.size
        check_programs(board, programs, row.size)
        assert board.link_test(0.05).to_device > 0


def test_a_program_that_is_there_is_not_sent_again(row, programs):
    with golden_board(row=row) as board:
        board.load(programs[0])
        before = board._session.line.statistics.frames
        board.load(programs[0])
        assert board._session.line.statistics.frames == before + 1


def test_another_shape_is_refused_with_both(row):
    program = MPSClassifier(3, n_repeats=1, epochs=1, random_state=0).fit(X, Y).quantize()
    with golden_board(row=row) as board:
        with pytest.raises(ShapeError) as error:
            board.load(program)
    assert "((0 1)4 (2 3)4)3" in str(error.value)
    assert spatial_size(program).shape_text in str(error.value)


def test_estimators_predict_on_it(described, trained, programs, row):
    with trained[0].deploy("golden://spatial/iris") as on_board:
        predictions = on_board.predict(X)
        chances = on_board.predict_proba(X)
    engine = SpatialProgram(programs[0], row.size)
    assert np.array_equal(predictions, engine.predict(X))
    assert np.abs(chances - trained[0].predict_proba(X)).max() < 0.1


def test_flipped_bits_are_found_by_verifying(row, programs):
    program = programs[0]
    with golden_board(row=row) as board:
        board.load(program)
        driver = next(iter(board._drivers.values()))
        driver.flip_bits([(SpatialSpace.IMAGE, 5, 0)])
        board.load(program, verify=True)
        assert holds(driver._session, driver._images(program), driver._base)
        with pytest.raises(ValueError, match="address of IMAGE must be 0 to"):
            driver.flip_bits([(SpatialSpace.IMAGE, 1 << 20, 0)])


def test_another_number_of_cycles_is_a_fault(row, programs, monkeypatch):
    with golden_board(row=row) as board:
        board.load(programs[0])
        monkeypatch.setattr(contraction, "latency", lambda size: 15)
        with pytest.raises(FaultError, match="took 15 cycles for sample 0, not 14"):
            board.run(programs[0].levels(X[:2]))
        assert not board.status().active


def test_a_restart_is_noticed(row, programs):
    device = GoldenDevice(row)
    with golden_board(device, row=row) as board:
        board.load(programs[0])
        device.restart()
        with pytest.raises(DeviceError):
            board.run(programs[0].levels(X[:2]))
        board.load(programs[0])
        assert len(board.run(programs[0].levels(X[:2])).scores) == 2


def test_the_self_test_reads_the_memory_back(row):
    with golden_board(row=row) as board:
        result = check_memories(board)
    assert result.verdict is Verdict.PASS
    assert f"{image_bytes(row.size)} bytes, each bit" in result.found


def test_bad_levels(row, programs):
    with golden_board(row=row) as board:
        board.load(programs[0])
        with pytest.raises(ValueError, match=r"levels must have shape \(n, 4\)"):
            board.run(np.zeros((2, 5), dtype=np.uint8))
        with pytest.raises(ValueError, match="NaN"):
            programs[0].levels([[np.nan, 0, 0, 0]])


def test_boards_without_a_description(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for scheme in ("golden", "sim"):
        with pytest.raises(TransportError, match="no spatial engine is described in"):
            Board.open(f"{scheme}://spatial/iris")


def test_a_contractor_is_still_a_contractor(programs):
    with golden_board() as board:
        board.load(programs[0])
        assert MemorySpace.TABLE in next(iter(board._drivers.values()))._images(programs[0])


@pytest.mark.slow
def test_the_gateware_answers_alike(described, programs, row):
    try:
        check_virtual("sim://spatial/iris")
    except TransportError as error:
        pytest.skip(str(error))
    with Board.open("sim://spatial/iris") as board:
        assert replace(board.info.spatial) == row.size
        check_programs(board, programs, row.size)
