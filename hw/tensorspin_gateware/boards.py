"""Boards as the gateware needs to know them; sizes and clocks stand in the contract.

The rows name platform classes instead of importing them: some modules of amaranth-boards ask for a
programmer as soon as they are imported, and no bitstream needs one.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from amaranth.build import Attrs
from amaranth_boards.resources import UARTResource

from tensorspin.contract.device.boards import BOARDS, BoardSpec

from .primitives import Family, carry

COLLISIONS_DO_NOT_MATTER = (
    "setparam -set COLLISION_X_MASK 1'1 t:$memrd_v2 r:COLLISION_X_MASK=1'0 %i r:CLK_ENABLE=1 %i"
)
"""No memory of the gateware relies on what a read gives while the same address is written, which a
block RAM's two ports leave open. Amaranth cannot say so; otherwise Yosys delays all writes and puts
a bypass behind each block RAM, to give the old data."""

GROUPS_KEEP_THEIR_REGISTERS = (
    "setattr -mod -set keep_hierarchy 1 *.contractor.group_? *.contractor.group_??"
)
"""Groups hold equal registers of what all of them get. Yosys would merge these to one that drives
the whole device."""

SPINS_ARE_MAPPED_IN_GROUPS = (
    "setattr -mod -set keep_hierarchy 1 *.annealer.spins.group_* *.annealer.spins.group_*.* %d"
)
"""Of 1,000 spins, as one module, Yosys 0.70 can't put together what its `abc9` has mapped: it stops
at an assertion."""


@dataclass(frozen=True)
class UARTPins:
    """Pins of a UART that the platform has none of, seen from the FPGA.

    Attributes
    ----------
    rx, tx : str
        Balls or pins of the package.
    where : str
        Where people find them on the board.
    """

    rx: str
    tx: str
    where: str


@dataclass(frozen=True)
class BoardHardware:
    """One row of the table.

    Attributes
    ----------
    platform : str
        ``module:class`` of the Amaranth platform.
    family : Family
        Bodies that the primitives take.
    programmer : tuple of str
        Command that loads the bitstream. ``{bitstream}`` is its path, ``{work}`` the folder of the
        other files that the tools have made.
    uart : UARTPins or None
        None if the platform has the UART that leads to the host.
    notes : str
        What one must do to the board before it works.
    clock : str
        Resource of the oscillator, if it is not the platform's default.
    pll_pad : bool
        On iCE40: the oscillator is connected to the pad that belongs to the PLL.
    suffix : str
        Of the bitstream's file.
    before_synthesis : str
        Yosys' commands before ``synth_*``.
    after_synthesis : str
        Yosys' commands after them.
    synth_options : str
        Options of Yosys' ``synth_*`` command.
    place_options : str
        Options of nextpnr, with the seed that is tried first: the same sources give the same
        bitstream.
    """

    platform: str
    family: Family
    programmer: tuple[str, ...]
    uart: UARTPins | None = None
    notes: str = ""
    clock: str = ""
    pll_pad: bool = True
    suffix: str = ".bin"
    before_synthesis: str = ""
    after_synthesis: str = ""
    # On iCE40 not "-dsp": that pass takes the DSPs that the lanes instantiate for its own, and
    # turns their registers off.
    synth_options: str = ""
    # On iCE40 not "--router router2": on a device this full it may go round in circles for ever.
    place_options: str = "--seed 1"

    @property
    def seed(self) -> int:
        """That of `place_options`."""
        words = self.place_options.split()
        return int(words[words.index("--seed") + 1])


def _ecp5(
    platform: str,
    *programmer: str,
    uart: UARTPins | None = None,
    notes: str = "",
    hierarchy: str = GROUPS_KEEP_THEIR_REGISTERS,
    place_options: str = "--seed 1",
) -> BoardHardware:
    return BoardHardware(
        platform=platform,
        family=Family.ECP5,
        programmer=programmer,
        uart=uart,
        notes=notes,
        suffix=".bit",
        before_synthesis="\n".join((COLLISIONS_DO_NOT_MATTER, hierarchy, carry.BEFORE_SYNTHESIS)),
        after_synthesis=carry.AFTER_SYNTHESIS,
        place_options=place_options,
    )


def _ulx3s(size: str, **options) -> BoardHardware:
    return _ecp5(
        f"amaranth_boards.ulx3s:ULX3S_{size.upper()}_Platform",
        *("openFPGALoader", "--board", "ulx3s", "{bitstream}"),
        **options,
    )


_STATIC = "--placer static"
"""The default placer's wires are longer by two fifths on the 85F, and too slow."""
_LARGE = f"--seed 1 {_STATIC}"

_ICEPROG = ("iceprog", "{bitstream}")
_ICESPROG = ("icesprog", "{bitstream}")

HARDWARE = {
    "icebreaker": BoardHardware(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        family=Family.ICE40UP,
        programmer=_ICEPROG,
        place_options="--seed 2",
    ),
    "icebreaker_annealer": BoardHardware(
        platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
        family=Family.ICE40UP,
        programmer=_ICEPROG,
        before_synthesis=COLLISIONS_DO_NOT_MATTER,
        place_options="--seed 2",
    ),
    "hx8k_evn_annealer": BoardHardware(
        platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
        family=Family.ICE40HX,
        programmer=_ICEPROG,
        pll_pad=False,
        before_synthesis=COLLISIONS_DO_NOT_MATTER,
        place_options="--seed 4",
    ),
    "icesugar": BoardHardware(
        platform="amaranth_boards.icesugar:ICESugarPlatform",
        family=Family.ICE40UP,
        programmer=_ICESPROG,
        place_options="--seed 4",
    ),
    "upduino_v3": BoardHardware(
        platform="amaranth_boards.upduino_v3:UpduinoV3Platform",
        family=Family.ICE40UP,
        programmer=_ICEPROG,
        place_options="--seed 2",
        # https://github.com/tinyvision-ai-inc/UPduino-v3.0: RTL/common/upduino.pcf. That of the
        # FTDI chip's pins is no UART as long as its DTR selects the flash.
        uart=UARTPins(rx="38", tx="28", where="gpio_38 and gpio_28, at the left row's end"),
        # docs/source/tutorials/oscillator.rst there. The oscillator in the FPGA, the platform's
        # default, is too inaccurate for a UART.
        notes="close the jumper R16 (OSC), which connects the 12 MHz oscillator",
        clock="clk12",
        pll_pad=False,
    ),
    "ice40_up5k_b_evn": BoardHardware(
        platform="amaranth_boards.ice40_up5k_b_evn:ICE40UP5KBEVNPlatform",
        family=Family.ICE40UP,
        programmer=_ICEPROG,
        place_options="--seed 6",
        # Lattice FPGA-UG-02001, header C; litex-boards' lattice_ice40up5k_evn.py has the same.
        uart=UARTPins(rx="3", tx="21", where="pins 5 and 4 of header C (J3)"),
        notes="leave J51 closed, which connects the 12 MHz oscillator",
    ),
    "icebreaker_bitsy": BoardHardware(
        platform="amaranth_boards.icebreaker_bitsy:ICEBreakerBitsyPlatform",
        family=Family.ICE40UP,
        # Without a reset of the bus the bootloader goes on.
        programmer=(
            *("dfu-util", "--device", ",1d50:6146", "--alt", "0"),
            *("--reset", "--download", "{bitstream}"),
        ),
        # As on a Teensy, whose shape the board has.
        uart=UARTPins(rx="47", tx="44", where="pins 0 (RX) and 1 (TX)"),
        notes="hold the button while plugging the board in, to start its bootloader",
    ),
    "ulx3s_12f": _ulx3s("12f"),
    "ulx3s_25f": _ulx3s("25f"),
    "ulx3s_25f_annealer": _ulx3s("25f"),
    "ulx3s_25f_both": _ulx3s("25f", place_options="--seed 2"),
    "ulx3s_45f": _ulx3s("45f", place_options=_LARGE),
    "ulx3s_85f": _ulx3s("85f", place_options=_LARGE),
    "ulx3s_85f_annealer": _ulx3s(
        "85f",
        hierarchy=SPINS_ARE_MAPPED_IN_GROUPS,
        # The default router would take hours.
        place_options=f"{_LARGE} --router router2",
    ),
    "icepi_zero": _ecp5(
        "amaranth_boards.icepi_zero:IcepiZero1_3Platform",
        *("openFPGALoader", "--board", "icepi-zero", "{bitstream}"),
        notes="openFPGALoader knows the board from version 1.0 on",
    ),
    "icesugar_pro": _ecp5("amaranth_boards.icesugar_pro:ICESugarProPlatform", *_ICESPROG),
    "colorlight_5a75b_r7_0": _ecp5(
        "amaranth_boards.colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
        *("openFPGALoader", "--board", "colorlight", "--cable", "ft232", "{bitstream}"),
        # The platform's own, as in litex-boards' colorlight_5a_75b.py.
        notes="connect a JTAG cable with FT232H, and a serial adapter to J19: KEY+ is the FPGA's "
        "input, DATA_LED- its output",
    ),
    "orangecrab_r0_2": _ecp5(
        "amaranth_boards.orangecrab_r0_2:OrangeCrabR0_2_25FPlatform",
        *("dfu-util", "--device", "1209:5af0", "--alt", "0", "--download", "{bitstream}"),
        # The Feather header's own names; litex-boards' gsd_orangecrab.py has the same.
        uart=UARTPins(rx="N17", tx="M18", where="pins 0 (RX) and 1 (TX)"),
        notes="hold the button while plugging the board in, to start its bootloader",
    ),
    "ecpix5_45f": _ecp5(
        "amaranth_boards.ecpix5:ECPIX545Platform",
        *("openFPGALoader", "--board", "ecpix5", "{bitstream}"),
        place_options=_LARGE,
    ),
    "ecpix5_85f": _ecp5(
        "amaranth_boards.ecpix5:ECPIX585Platform",
        *("openFPGALoader", "--board", "ecpix5", "{bitstream}"),
        # With seed 1 the router comes to no end.
        place_options=f"--seed 2 {_STATIC}",
    ),
    "versa_ecp5": _ecp5(
        "amaranth_boards.versa_ecp5:VersaECP5Platform",
        *("openocd", "--file", "{work}/top-openocd.cfg", "--command"),
        "transport select jtag; init; svf -quiet {{{work}/top.svf}}; exit",
        # https://github.com/YosysHQ/prjtrellis/tree/master/examples/versa5g
        notes="put the jumpers of J50 on pins 1-2 and 3-5, so that the ispCLOCK chip is not in the "
        "JTAG chain",
        place_options=_LARGE,
    ),
    "ecp5_5g_evn": _ecp5(
        "amaranth_boards.ecp5_5g_evn:ECP55GEVNPlatform",
        *("openFPGALoader", "--board", "ecp5_evn", "{bitstream}"),
        # Lattice FPGA-EB-02017, 6.2; litex-boards' lattice_ecp5_evn.py says the same.
        notes="move the resistors R22 and R23 to R34 and R35, and set interface B of the FTDI chip "
        "to UART (https://github.com/trabucayre/fixFT2232_ecp5evn)",
        place_options=_LARGE,
    ),
}
"""For every board of `tensorspin.contract.device.boards.BOARDS`."""

_PIN_ATTRIBUTES = {
    Family.ICE40UP: Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1),
    Family.ICE40HX: Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1),
    Family.ECP5: Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP"),
}
"""Of a UART on header pins: 3.3 V, and idle while nothing is connected."""


def create_platform(board: BoardSpec):
    """A new platform object for a board; each serves for one build."""
    hardware = HARDWARE[board.name]
    module, _, name = hardware.platform.partition(":")
    platform = getattr(importlib.import_module(module), name)()
    if hardware.clock:
        platform.default_clk = hardware.clock
    if hardware.uart is not None:
        attributes = _PIN_ATTRIBUTES[hardware.family]
        platform.add_resources(
            [UARTResource(0, rx=hardware.uart.rx, tx=hardware.uart.tx, attrs=attributes)]
        )
    platform.add_file(carry.MAP_FILE, carry.MAP.read_text())
    return platform


def oscillator_hz(platform) -> int:
    """Frequency of the clock that a platform's board provides."""
    return round(platform.default_clk_constraint.frequency)


assert HARDWARE.keys() == BOARDS.keys(), "boards.py must have a row for every board of the contract"
