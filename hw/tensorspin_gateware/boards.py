"""Boards as the gateware needs to know them: platform, FPGA family, tools' options, programmer.

Engine sizes and clocks stand in the contract's table, `tensorspin.contract.device.boards`; both
tables have the same names. The rows here name platform classes instead of importing them: some
modules of amaranth-boards ask for a programmer as soon as they are imported, and no bitstream needs
one.
"""

from __future__ import annotations

import importlib
from dataclasses import replace

from tensorspin.contract.device.boards import BOARDS, BoardSpec
from tensorspin.contract.engine import EngineKind

from .mapping import SPINS_ARE_MAPPED_IN_GROUPS
from .pins import (
    ICEBREAKER_SPI,
    PICO2_ICE_SPI,
    PICO_ICE_SPI,
    RASPBERRY_PI_SPI,
    ULX3S_SPI,
    UARTPins,
)
from .primitives import Family, carry
from .rows import LARGE, STATIC, UNROLLED, BoardHardware, ecp5, ice40, large_annealer, ulx3s, up5k

_ICEPROG = ("iceprog", "{bitstream}")
"""Programmer of boards with FTDI's chip in front of an iCE40."""

_ICESPROG = ("icesprog", "{bitstream}")
"""Programmer of boards with MuseLab's debugger."""

_PICO_ICE_DFU = (
    *("dfu-util", "--device", ",1209:b1c0", "--alt", "0"),
    *("--reset", "--download", "{bitstream}"),
)
"""Programmer of pico-ice and pico2-ice, whose own firmware is a DFU device; its alternative 0 is
the FPGA's flash."""

HARDWARE = {
    "icebreaker": up5k(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        programmer=_ICEPROG,
        place_options="--seed 4",
    ),
    "icebreaker_spi": up5k(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        programmer=_ICEPROG,
        spi=ICEBREAKER_SPI,
        place_options="--seed 3",
    ),
    "icebreaker_annealer": ice40(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        programmer=_ICEPROG,
        place_options="--seed 2",
    ),
    "icebreaker_annealer_8bit": ice40(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        programmer=_ICEPROG,
    ),
    "icebreaker_annealer_spi": ice40(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        programmer=_ICEPROG,
        spi=ICEBREAKER_SPI,
        place_options="--seed 6",
    ),
    "hx8k_evn_annealer": ice40(
        platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
        family=Family.ICE40HX,
        programmer=_ICEPROG,
        pll_pad=False,
        place_options="--seed 8",
    ),
    "pico_ice": up5k(
        platform="tensorspin_gateware.pico_ice:PicoIcePlatform",
        programmer=_PICO_ICE_DFU,
        spi=PICO_ICE_SPI,
        notes="the firmware of the RP2040 must put 12 MHz on its GPIO 24, which clocks the FPGA; "
        "the board's own firmware does, but takes GPIO 0 (the interrupt) for a UART",
        place_options="--seed 2",
    ),
    "pico2_ice": up5k(
        platform="tensorspin_gateware.pico_ice:Pico2IcePlatform",
        programmer=_PICO_ICE_DFU,
        spi=PICO2_ICE_SPI,
        notes="the firmware of the RP2350 must put 12 MHz on its GPIO 21, which clocks the FPGA",
        place_options="--seed 3",
    ),
    "icesugar": up5k(
        platform="amaranth_boards.icesugar:ICESugarPlatform",
        programmer=_ICESPROG,
        place_options="--seed 2",
    ),
    "upduino_v3": up5k(
        platform="amaranth_boards.upduino_v3:UpduinoV3Platform",
        programmer=_ICEPROG,
        place_options="--seed 2",
        # The pins are from https://github.com/tinyvision-ai-inc/UPduino-v3.0,
        # RTL/common/upduino.pcf. The platform's UART is on pins of the FTDI chip, which cannot
        # serve as a UART while the chip's DTR selects the flash.
        uart=UARTPins(rx="38", tx="28", where="gpio_38 and gpio_28, at the left row's end"),
        # The jumper is from docs/source/tutorials/oscillator.rst there. The platform's default
        # clock, the oscillator in the FPGA, is too inaccurate for a UART.
        notes="close the jumper R16 (OSC), which connects the 12 MHz oscillator",
        clock="clk12",
        pll_pad=False,
    ),
    "ice40_up5k_b_evn": up5k(
        platform="amaranth_boards.ice40_up5k_b_evn:ICE40UP5KBEVNPlatform",
        programmer=_ICEPROG,
        place_options="--seed 3",
        # The pins are from Lattice FPGA-UG-02001, header C; litex-boards'
        # lattice_ice40up5k_evn.py has the same.
        uart=UARTPins(rx="3", tx="21", where="pins 5 and 4 of header C (J3)"),
        notes="leave J51 closed, which connects the 12 MHz oscillator",
    ),
    "icebreaker_bitsy": up5k(
        platform="amaranth_boards.icebreaker_bitsy:ICEBreakerBitsyPlatform",
        # Without a reset of the bus the bootloader keeps running after the download.
        programmer=(
            *("dfu-util", "--device", ",1d50:6146", "--alt", "0"),
            *("--reset", "--download", "{bitstream}"),
        ),
        # RX and TX are where a Teensy has them, whose shape the board has.
        uart=UARTPins(rx="47", tx="44", where="pins 0 (RX) and 1 (TX)"),
        notes="hold the button while plugging the board in, to start its bootloader",
        place_options="--seed 3",
    ),
    "ulx3s_12f": ulx3s("12f"),
    "ulx3s_25f": ulx3s("25f"),
    "ulx3s_25f_annealer": ulx3s("25f"),
    "ulx3s_25f_annealer_8bit": ulx3s(
        "25f",
        # The default router does not find an end here.
        place_options="--seed 2 --router router2",
    ),
    "ulx3s_25f_both": ulx3s("25f", place_options="--seed 2"),
    "ulx3s_25f_both_spi": ulx3s("25f", spi=ULX3S_SPI, place_options="--seed 2"),
    "ulx3s_45f": ulx3s("45f", place_options=LARGE),
    "ulx3s_85f": ulx3s("85f", place_options=LARGE),
    "ulx3s_85f_annealer": ulx3s(
        "85f",
        hierarchy=SPINS_ARE_MAPPED_IN_GROUPS,
        # The default router would take hours on a device this full.
        place_options=f"{LARGE} --router router2",
    ),
    "ulx3s_85f_annealer_8bit": large_annealer("85f", seed=2),
    "icepi_zero": ecp5(
        "amaranth_boards.icepi_zero:IcepiZero1_3Platform",
        *("openFPGALoader", "--board", "icepi-zero", "{bitstream}"),
        notes="openFPGALoader knows the board from version 1.0 on",
    ),
    "icepi_zero_spi": ecp5(
        "amaranth_boards.icepi_zero:IcepiZero1_3Platform",
        *("openFPGALoader", "--board", "icepi-zero", "{bitstream}"),
        spi=RASPBERRY_PI_SPI,
        notes="openFPGALoader knows the board from version 1.0 on",
    ),
    "icesugar_pro": ecp5("amaranth_boards.icesugar_pro:ICESugarProPlatform", *_ICESPROG),
    "colorlight_5a75b_r7_0": ecp5(
        "amaranth_boards.colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
        *("openFPGALoader", "--board", "colorlight", "--cable", "ft232", "{bitstream}"),
        # The UART's pins are the platform's own, as in litex-boards' colorlight_5a_75b.py.
        notes="connect a JTAG cable with FT232H, and a serial adapter to J19: KEY+ is the FPGA's "
        "input, DATA_LED- its output",
    ),
    "orangecrab_r0_2": ecp5(
        "amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
        *("dfu-util", "--device", "1209:5af0", "--alt", "0", "--download", "{bitstream}"),
        # RX and TX are where the Feather header names them; litex-boards' gsd_orangecrab.py has
        # the same.
        uart=UARTPins(rx="N17", tx="M18", where="pins 0 (RX) and 1 (TX)"),
        notes="hold the button while plugging the board in, to start its bootloader",
    ),
    "ecpix5_45f": ecp5(
        "amaranth_boards.ecpix5:ECPIX545Platform",
        *("openFPGALoader", "--board", "ecpix5", "{bitstream}"),
        place_options=LARGE,
    ),
    "ecpix5_85f": ecp5(
        "amaranth_boards.ecpix5:ECPIX585Platform",
        *("openFPGALoader", "--board", "ecpix5", "{bitstream}"),
        # With seed 1 the router never ends.
        place_options=f"--seed 2 {STATIC}",
    ),
    "versa_ecp5": ecp5(
        "amaranth_boards.versa_ecp5:VersaECP5Platform",
        *("openocd", "--file", "{work}/top-openocd.cfg", "--command"),
        "transport select jtag; init; svf -quiet {{{work}/top.svf}}; exit",
        # The jumpers are from https://github.com/YosysHQ/prjtrellis/tree/master/examples/versa5g.
        notes="put the jumpers of J50 on pins 1-2 and 3-5, so that the ispCLOCK chip is not in the "
        "JTAG chain",
        place_options=LARGE,
    ),
    "ecp5_5g_evn": ecp5(
        "amaranth_boards.ecp5_5g_evn:ECP55GEVNPlatform",
        *("openFPGALoader", "--board", "ecp5_evn", "{bitstream}"),
        # The resistors are from Lattice FPGA-EB-02017, 6.2; litex-boards' lattice_ecp5_evn.py says
        # the same.
        notes="move the resistors R22 and R23 to R34 and R35, and set interface B of the FTDI chip "
        "to UART (https://github.com/trabucayre/fixFT2232_ecp5evn)",
        place_options=LARGE,
    ),
}
"""The rows, one for every board of `tensorspin.contract.device.boards.BOARDS`, by its name."""


def hardware_of(board: BoardSpec) -> BoardHardware:
    """Find how a bitstream for a board is built and loaded.

    Parameters
    ----------
    board : BoardSpec
        Row of the contract's table, or a board that a user has described.

    Returns
    -------
    BoardHardware
        Its row, with other options for place and route if it has a spatial engine.
    """
    hardware = HARDWARE[board.hardware]
    if EngineKind.SPATIAL in board.engines:
        return replace(hardware, place_options=UNROLLED)
    return hardware


def create_platform(board: BoardSpec):
    """Create the Amaranth platform of a board.

    Parameters
    ----------
    board : BoardSpec
        Row of the contract's table; its name selects the row here.

    Returns
    -------
    Platform
        A new object, since a platform serves for one build only.
    """
    hardware = hardware_of(board)
    module, _, name = hardware.platform.partition(":")
    platform = getattr(importlib.import_module(module), name)()
    if hardware.clock:
        platform.default_clk = hardware.clock
    if hardware.uart is not None:
        platform.add_resources([hardware.uart.resource(hardware.family)])
    if hardware.spi is not None:
        platform.add_resources([hardware.spi.resource(hardware.family)])
    platform.add_file(carry.MAP_FILE, carry.MAP.read_text())
    return platform


def oscillator_hz(platform) -> int:
    """Give the frequency of the clock that a platform's board provides, in Hz."""
    return round(platform.default_clk_constraint.frequency)


assert HARDWARE.keys() == BOARDS.keys(), "boards.py must have a row for every board of the contract"
