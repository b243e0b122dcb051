"""Every row of the board table describes a device that can be built."""

import dataclasses

import pytest

from tensorspin.contract.boards import BOARDS, find_board
from tensorspin.contract.device import SIZE, DeviceDescription
from tensorspin_gateware.boards import HARDWARE, create_platform
from tensorspin_gateware.build import BoardTop
from tensorspin_gateware.link.uart import divisor
from tensorspin_gateware.primitives import Family

BUILD = bytes(range(8))
PROGRAM_BYTES = {Family.ICE40UP: 4 * 32 * 1024}
"""Memory for the program, by family: the four SPRAMs of iCE40 UltraPlus."""
MULTIPLIERS = {Family.ICE40UP: 8}

every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


@every_board
def test_elaborates(board):
    plan = create_platform(board).prepare(BoardTop(board, BUILD), "top", emit_src=False)
    assert "\\accelerator" in plan.files["top.il"]
    constraints = plan.files["top.pcf"]
    assert "uart_0__rx" in constraints and "uart_0__tx" in constraints
    assert f"{board.clock_hz / 1e6}" in constraints


@every_board
def test_sizes_fit_the_device(board):
    family = HARDWARE[board.name].family
    assert board.contractor.program_bytes <= PROGRAM_BYTES[family]
    assert board.contractor.lanes <= MULTIPLIERS[family]


@every_board
def test_describes_itself(board):
    packed = board.description(BUILD).pack()
    assert len(packed) == SIZE
    assert DeviceDescription.unpack(packed) == board.description(BUILD)


@every_board
def test_serial_line_is_possible(board):
    divisor(board.clock_hz, board.baud)


def test_wrong_clock_is_refused():
    board = dataclasses.replace(find_board("icebreaker"), clock_hz=13_000_000)
    with pytest.raises(
        ValueError, match="asks for 13000000 Hz, but its oscillator gives 12000000 Hz"
    ):
        create_platform(board)
