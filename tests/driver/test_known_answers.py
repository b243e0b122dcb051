"""Tests of a board with samples whose answers are known, at loading and later."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_iris

from tensorspin import TTNClassifier
from tensorspin.compiler.spatial import spatial_size
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.spatial_boards import make_board
from tensorspin.contract.spatial.image import SpatialSpace
from tensorspin.driver.known_answers import SAMPLES
from tensorspin.errors import FaultError, TensorspinError
from tensorspin.golden.device import GoldenDevice
from tensorspin.trust import Fault, inject

from ..support.doubles import UNCHECKED_ROW, assert_answers, golden_board
from ..support.loaded_programs import chain_program, golden_answers, random_levels

PROGRAM, OTHER = chain_program(5, 3, 4), chain_program(5, 3, 4, seed=1)
LEVELS = random_levels(6, 5)
WEIGHT = Fault(MemorySpace.PROGRAM, 16, 7)


@pytest.fixture
def device():
    return GoldenDevice(UNCHECKED_ROW)


@pytest.fixture
def board(device):
    return golden_board(device, UNCHECKED_ROW)


def test_a_sound_board_answers_and_is_asked_no_more_than_it_should(board, monkeypatch):
    asked = []
    driver = next(iter(board._drivers.values()))
    run = type(driver).run
    monkeypatch.setattr(
        type(driver),
        "run",
        lambda self, levels, **more: asked.append(len(levels)) or run(self, levels, **more),
    )
    board.load(PROGRAM, self_test=True, every=13)
    assert asked == [SAMPLES]
    board.load(PROGRAM, self_test=True, every=13)  # it is there, and was tested
    for _ in range(5):
        assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))
    assert asked == [SAMPLES, 6, 6, 6, SAMPLES, 6, 6]
    board.load(PROGRAM, self_test=True, every=13, force=True)
    assert asked[7:] == [SAMPLES]
    board.load(OTHER)
    board.run(LEVELS)
    board.load(PROGRAM)
    assert asked[8:] == [6]  # nobody asked for tests of this loading


def test_changed_weights_that_a_device_holds_are_found_when_they_are_loaded(board):
    board.load(PROGRAM)
    inject(board, WEIGHT)
    board.load(PROGRAM)  # the device states the digest, and is believed
    with pytest.raises(FaultError, match=f"answers of its self-test|of {SAMPLES} answers"):
        board.load(PROGRAM, self_test=True)
    assert board.program is None and not board.status().active
    with pytest.raises(TensorspinError, match="no program is loaded"):
        board.run(LEVELS)
    board.load(PROGRAM, self_test=True)
    assert_answers(board.run(LEVELS), golden_answers(PROGRAM, LEVELS))


def test_changed_weights_are_found_after_so_many_samples_and_no_answers_leave(board):
    board.load(PROGRAM, self_test=True, every=12)
    inject(board, WEIGHT)
    board.run(LEVELS)
    with pytest.raises(FaultError, match="does not run the program that was loaded"):
        board.run(LEVELS)
    assert not board.status().active


def test_without_a_number_the_board_is_tested_once(board):
    board.load(PROGRAM, self_test=True)
    inject(board, WEIGHT)
    for _ in range(20):
        board.run(LEVELS)


@pytest.mark.parametrize("place", range(10))
def test_most_sign_bits_of_weights_are_found(board, place):
    board.load(PROGRAM)
    weights = np.arange(16, len(PROGRAM.image(8)))
    address = int(np.random.default_rng(place).choice(weights))
    inject(board, Fault(MemorySpace.PROGRAM, address, 7))
    levels = random_levels(200, 5)
    harmless = (board.run(levels).scores == golden_answers(PROGRAM, levels).scores).all()
    if not harmless:
        with pytest.raises(FaultError):
            board.load(PROGRAM, self_test=True)


def test_arguments_that_mean_nothing_are_refused(board):
    board.load(PROGRAM)
    with pytest.raises(ValueError, match="every=5 needs self_test=True"):
        board.load(OTHER, every=5)
    with pytest.raises(ValueError, match="every must be 1 sample or more, or None, not 0"):
        board.load(OTHER, self_test=True, every=0)
    with pytest.raises(ValueError, match="every must be 1 sample or more, or None, not 2.5"):
        board.load(OTHER, self_test=True, every=2.5)
    assert board.program is PROGRAM


def test_spatial_engines_are_tested_with_answers_of_their_own():
    X, y = load_iris(return_X_y=True)
    program = TTNClassifier(4, n_repeats=1, epochs=2, random_state=0).fit(X, y).quantize()
    size = spatial_size(program, value_bits=12, weight_bits=8, multipliers=156)
    row = make_board("iris", find_board("ulx3s_85f"), 90_000_000, size)
    with golden_board(row=row) as board:
        board.load(program, self_test=True, every=40)
        for _ in range(5):
            board.run(program.levels(X[:30]))
        driver = next(iter(board._drivers.values()))
        driver.flip_bits([(SpatialSpace.IMAGE, place, 6) for place in range(3, 200, 7)])
        with pytest.raises(FaultError, match="answers of its self-test"):
            board.run(program.levels(X))
