"""Every row of the board table describes a device that can be built."""

import dataclasses

import pytest

from tensorspin.contract.boards import BOARDS, CONTRACTORS, find_board
from tensorspin.contract.device import DeviceDescription
from tensorspin.contract.packets import MAX_PAYLOAD
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.boards import HARDWARE, create_platform, oscillator_hz
from tensorspin_gateware.build import BoardTop
from tensorspin_gateware.link.uart import divisor
from tensorspin_gateware.primitives import Family

BUILD = bytes(range(8))
MEMORY_BYTES = {
    "ICEBreakerPlatform": 4 * 32 * 1024,
    "ULX3S_25F_Platform": 56 * 2048,
    "ULX3S_85F_Platform": 208 * 2048,
}
"""Memory for the program: iCE40 UltraPlus' four SPRAMs, ECP5's block RAM without parity bits."""
MULTIPLIERS = {"ICEBreakerPlatform": 8, "ULX3S_25F_Platform": 28, "ULX3S_85F_Platform": 156}

every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


@every_board
def test_elaborates(board):
    platform = create_platform(board)
    family = HARDWARE[board.name].family
    top = BoardTop(board, Accelerator(board, BUILD, family))
    plan = platform.prepare(top, "top", emit_src=False)
    assert "\\core" in plan.files["top.il"]
    (constraints,) = (text for name, text in plan.files.items() if name.endswith((".pcf", ".lpf")))
    assert "uart_0__rx" in constraints and "uart_0__tx" in constraints
    hertz = float(oscillator_hz(platform))
    assert f" {hertz} HZ" in constraints or f" {hertz / 1e6}\n" in constraints


@pytest.mark.parametrize("board", CONTRACTORS.values(), ids=CONTRACTORS)
def test_contractors_fit_the_device(board):
    hardware = HARDWARE[board.name]
    _, _, device = hardware.platform.partition(":")
    lane_multiplier = hardware.family is Family.ECP5
    size = board.contractor
    assert size.program_bytes <= MEMORY_BYTES[device]
    assert size.groups * (size.lanes + lane_multiplier) <= MULTIPLIERS[device]


@every_board
def test_describes_itself(board):
    packed = board.description(BUILD).pack()
    assert len(packed) < MAX_PAYLOAD
    assert DeviceDescription.unpack(packed) == board.description(BUILD)


@every_board
def test_serial_line_is_possible(board):
    divisor(board.clock_hz, board.baud)


def test_impossible_clock_is_refused():
    board = dataclasses.replace(find_board("icebreaker"), clock_hz=13_000_000)
    top = BoardTop(board, Accelerator(board, BUILD))
    with pytest.raises(ValueError, match="13 MHz from an oscillator of 12 MHz; the nearest are"):
        create_platform(board).prepare(top, "top", emit_src=False)


def test_impossible_baud_rate_is_refused():
    board = dataclasses.replace(find_board("ulx3s_25f"), baud=15_000_000)
    top = BoardTop(board, Accelerator(board, BUILD))
    with pytest.raises(ValueError, match=r"16000000 baud \(divisor 5\), \+6.7% .* limit is 1.5%"):
        create_platform(board).prepare(top, "top", emit_src=False)
