"""What synthesis makes of the gateware is what was tested.

The netlist of a whole board is simulated with models of the vendor's cells, behind the real driver,
and its answers are compared with those of the golden model. Takes minutes: `make test-all`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin import Board, MPSClassifier
from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.device.line import Line
from tensorspin.data.datasets import load_dataset
from tensorspin_gateware.accelerator import Accelerator, SPIAccelerator
from tensorspin_gateware.boards import HARDWARE
from tensorspin_gateware.build import cache
from tensorspin_gateware.simulation import compilation, pins, simulator
from tests.support.doubles import assert_answers
from tests.support.loaded_programs import golden_answers, random_levels
from tests.support.random_programs import random_program, short_program

from ..support.synthesis import cell_models, synthesise

pytestmark = pytest.mark.long

SAMPLES = 3

OPTIONS = ("--output-split", "20000", "-Werror-USERFATAL")
"""Options for Verilator: several small C++ files keep the compiler's memory small, and parameters
that a cell's model refuses are errors, not warnings."""


@pytest.fixture(scope="module", params=["icebreaker", "pico_ice", "ulx3s_25f"])
def row(request):
    return find_board(request.param)


@pytest.fixture(scope="module")
def board(row, tmp_path_factory):
    """The netlist behind the driver: with SPI also its pins, and the crossing of the clocks."""
    family = HARDWARE[row.name].family
    # The build that the device reports is always the same, so that the netlist changes, and is
    # compiled again, only if the hardware changes.
    device = Accelerator(row, bytes(8), family)
    has_pins = row.line is Line.SPI
    folder = tmp_path_factory.mktemp(row.name)
    netlist = synthesise(
        SPIAccelerator(device) if has_pins else device, row.name, folder, "write_verilog -noattr"
    )
    models, options = cell_models(family)
    library = compilation.compile_verilog(
        netlist + models,
        cache.directory("simulator"),
        options=(*OPTIONS, *options),
        wrapper=pins.WRAPPER if has_pins else compilation.WRAPPER,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulator, "load", lambda name: simulator.VirtualBoard(library, row.clock_hz))
        patch.setattr(pins, "load", lambda name, sck: pins.VirtualPins(library, row.clock_hz, sck))
        board = Board.open(f"sim://{row.name}")
    with board:
        yield board


def assert_runs(board, row, program, levels, expected):
    """Every bit and cycle is that of the golden model, in each mode that the board has."""
    assert_answers(board.run(levels), expected)
    size = row.require_contractor()
    if size.single_drain:
        cycles = np.full_like(expected.cycles, program.single_cycles(size))
        assert_answers(board.run(levels, mode="single"), replace(expected, cycles=cycles))


@pytest.mark.parametrize("draw", [random_program, short_program])
@pytest.mark.parametrize("seed", range(8))
def test_random_program(board, row, draw, seed):
    rng = np.random.default_rng(seed)
    drawn = draw(rng, row.contractor)
    while len(drawn.image(row.contractor.lanes)) > row.contractor.program_bytes:
        drawn = draw(rng, row.contractor)
    outputs = drawn.nodes[-1].outputs
    program = NetworkProgram(
        nodes=tuple(drawn.nodes),
        weights=tuple(drawn.weights),
        names=tuple(f"node {number}" for number in range(len(drawn.nodes))),
        table=drawn.table,
        feature_minimum=np.zeros(drawn.features),
        feature_maximum=np.ones(drawn.features),
        clip=True,
        task=Classification(np.arange(outputs), 1.0),
        log2_scale=0.0,
    )
    levels = random_levels(SAMPLES, drawn.features, seed)
    board.load(program, verify=True)
    expected = golden_answers(program, levels, row.contractor)
    assert_runs(board, row, program, levels, expected)


def test_digits(board, row):
    data = load_dataset("digits")
    classifier = MPSClassifier(bond_dim=16, epochs=2, random_state=0)
    program = classifier.fit(data.X_train, data.y_train).quantize()
    images = data.X_test[:SAMPLES]
    board.load(program, verify=True)
    assert_runs(board, row, program, program.levels(images), program.run_golden(images))
