"""Every row of the board table describes a device that can be built."""

import dataclasses
import re

import pytest

from tensorspin.contract.annealer.segments import bank_rows
from tensorspin.contract.device.boards import BOARDS, CONTRACTORS, find_board
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.device.line import Line
from tensorspin.contract.wire.frames import MAX_PAYLOAD
from tensorspin_gateware.accelerator import Accelerator
from tensorspin_gateware.boards import HARDWARE, create_platform, oscillator_hz
from tensorspin_gateware.build.top import BoardTop, create_core
from tensorspin_gateware.link.spi import check_rate
from tensorspin_gateware.link.uart import divisor
from tensorspin_gateware.primitives import Family

from ..support.loop import Loop

BUILD = bytes(range(8))
MEMORY_BYTES = {
    "iCE40UP5K": 4 * 32 * 1024,
    "LFE5U-25F": 56 * 2048,
    "LFE5U-45F": 108 * 2048,
    "LFE5U-85F": 208 * 2048,
}
"""Memory for the program: iCE40 UltraPlus' four SPRAMs, ECP5's block RAM without parity bits."""
MULTIPLIERS = {"iCE40UP5K": 8, "LFE5U-25F": 28, "LFE5U-45F": 72, "LFE5U-85F": 156}

SLOW = 500
"""Spins of an annealer that takes minutes to elaborate."""

QUICK = ("icebreaker", "icebreaker_annealer", "ulx3s_25f", "ulx3s_25f_both")
"""Boards that `make test` elaborates: both families, with either engine and with both."""

ECP5_ANNEALERS = [
    board
    for board in BOARDS.values()
    if board.annealer is not None and HARDWARE[board.name].family is Family.ECP5
]

every_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def prepare(board, core):
    """The files that a build begins with."""
    return create_platform(board).prepare(BoardTop(board, core), "top", emit_src=False)


def parameter(netlist, name):
    """Value of a parameter in RTLIL."""
    (value,) = re.findall(rf"parameter \\{name} (\S+)", netlist)
    bits = value.rpartition("'")[2]
    return int(bits, 2) if "'" in value else int(value)


def _marks(board):
    """A board that takes minutes is `long`; one like the quick ones of each family is `slow`."""
    if board.annealer is not None and board.annealer.spins > SLOW:
        return pytest.mark.long
    return () if board.name in QUICK else pytest.mark.slow


@pytest.mark.parametrize(
    "board",
    [
        pytest.param(
            board,
            id=name,
            marks=_marks(board),
        )
        for name, board in BOARDS.items()
    ],
)
def test_elaborates(board):
    assert "\\core" in prepare(board, create_core(board, BUILD)).files["top.il"]


@every_board
def test_pins(board):
    plan = prepare(board, Loop())
    (constraints,) = (text for name, text in plan.files.items() if name.endswith((".pcf", ".lpf")))
    pins = dict(re.findall(r'(?:set_io|COMP) "?(\S+?)"?(?: SITE)? "?(\w+)"?;?$', constraints, re.M))
    assert len(set(pins.values())) == len(pins)
    if board.line is Line.SPI:
        names = ("clk", "cs", "copi", "cipo", "int")
        assert {f"line_0__{name}__io" for name in names} < pins.keys()
        rates = f"{float(board.baud)} HZ", f"{board.baud / 1e6}\n"
        assert any(re.search(rf'line_0__clk__io"? {rate}', constraints) for rate in rates)
    else:
        assert {"uart_0__rx__io", "uart_0__tx__io"} < pins.keys()
    if (uart := HARDWARE[board.name].uart) is not None:
        assert (pins["uart_0__rx__io"], pins["uart_0__tx__io"]) == (uart.rx, uart.tx)
    hertz = float(oscillator_hz(create_platform(board)))
    assert f" {hertz} HZ" in constraints or f" {hertz / 1e6}\n" in constraints


@every_board
def test_pll_is_set_within_the_data_sheets_ranges(board):
    """Read from the netlist; ranges of FPGA-DS-02008 (iCE40 UltraPlus), FPGA-DS-02012 (ECP5)."""
    netlist = prepare(board, Loop()).files["top.il"]
    oscillator = oscillator_hz(create_platform(board)) / 1e6
    if oscillator == board.clock_hz / 1e6:
        assert "EHXPLLL" not in netlist and "SB_PLL40" not in netlist
        return
    if HARDWARE[board.name].family is Family.ECP5:
        detector = oscillator / parameter(netlist, "CLKI_DIV")
        vco = detector * parameter(netlist, "CLKFB_DIV") * parameter(netlist, "CLKOP_DIV")
        clock = vco / parameter(netlist, "CLKOS_DIV")
        assert 10 <= detector <= 400 and 400 <= vco <= 800 and 3.125 <= clock <= 400
    else:
        detector = oscillator / (parameter(netlist, "DIVR") + 1)
        vco = detector * (parameter(netlist, "DIVF") + 1)
        clock = vco / 2 ** parameter(netlist, "DIVQ")
        assert 10 <= detector <= 133 and 533 <= vco <= 1066 and 16 <= clock <= 275
        assert 1 <= parameter(netlist, "DIVQ") <= 6
    assert clock == pytest.approx(board.clock_hz / 1e6)


@pytest.mark.parametrize("board", CONTRACTORS.values(), ids=CONTRACTORS)
def test_contractors_fit_the_device(board):
    device = create_platform(board).device.replace("12F", "25F")  # the same die
    lane_multiplier = HARDWARE[board.name].family is Family.ECP5
    size = board.contractor
    assert size.program_bytes <= MEMORY_BYTES[device]
    assert size.groups * (size.lanes + lane_multiplier) <= MULTIPLIERS[device]


@pytest.mark.parametrize("board", ECP5_ANNEALERS, ids=lambda board: board.name)
def test_couplings_fit_the_block_rams(board):
    """Place and route would try for an hour what has more of them than the device."""
    size = board.annealer
    words = 1 << (bank_rows(size) + (size.flips > 1) - 1).bit_length()
    bits = 36 * 512 // max(words, 512)  # of a word; one more row, of zeros, if there are banks
    used = size.flips * -(-size.spins * size.coupling_bits // bits)
    # Schedules, states, energies and the link take some tens.
    assert used < 0.9 * MEMORY_BYTES[create_platform(board).device] // 2048


@every_board
def test_programmer_gets_files_that_exist(board):
    plan = prepare(board, Loop())
    files = {name.rpartition("/")[2] for name in plan.files}
    commands = plan.files["build_top.json"]
    words = " ".join(HARDWARE[board.name].programmer)
    assert "{bitstream}" in words or "{work}" in words
    for name in re.findall(r"\{work\}/([\w.-]+)", words):
        assert name in files or f'"{name}"' in commands  # what ecppack writes


@every_board
def test_same_device_same_sizes(board):
    """The 12F is a 25F; annealers have rows of their own.

    Some boards check what they read, and the groups of some can share a sample.
    """

    def size_of(row):
        apart = {"signature": 0, "table_parity": 0, "single_drain": 0}
        return row.contractor and dataclasses.replace(row.contractor, **apart)

    device = create_platform(board).device[-3:].replace("12F", "25F")
    for other in BOARDS.values():
        if board.annealer is None and other.annealer is None:
            if create_platform(other).device[-3:].replace("12F", "25F") == device:
                assert size_of(board) == size_of(other)


@every_board
def test_describes_itself(board):
    packed = board.description(BUILD).pack()
    assert len(packed) < MAX_PAYLOAD
    assert DeviceDescription.unpack(packed) == board.description(BUILD)


@every_board
def test_serial_line_is_possible(board):
    if board.line is Line.SPI:
        check_rate(board.clock_hz, board.baud)
    else:
        divisor(board.clock_hz, board.baud)


def test_impossible_clock_is_refused():
    board = dataclasses.replace(find_board("icebreaker"), clock_hz=13_000_000)
    top = BoardTop(board, Accelerator(board, BUILD))
    with pytest.raises(ValueError, match="13 MHz from an oscillator of 12 MHz; the nearest are"):
        create_platform(board).prepare(top, "top", emit_src=False)


def test_spi_faster_than_the_clock_is_refused():
    board = dataclasses.replace(find_board("icebreaker_spi"), baud=50_000_000)
    top = BoardTop(board, Accelerator(board, BUILD))
    with pytest.raises(ValueError, match="not be faster than the clock of 45000000 Hz, 50000000"):
        create_platform(board).prepare(top, "top", emit_src=False)


def test_impossible_baud_rate_is_refused():
    board = dataclasses.replace(find_board("ulx3s_25f"), clock_hz=80_000_000, baud=9_600_000)
    top = BoardTop(board, Accelerator(board, BUILD))
    with pytest.raises(ValueError, match=r"10000000 baud \(divisor 8\), \+4.2% .* limit is 1.5%"):
        create_platform(board).prepare(top, "top", emit_src=False)
