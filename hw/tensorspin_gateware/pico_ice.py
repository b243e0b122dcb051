"""The platforms of tinyVision.ai's pico-ice and pico2-ice, which amaranth-boards does not have."""

from __future__ import annotations

from amaranth.build import Attrs, Clock, Connector, Pins, Resource
from amaranth.vendor import SiliconBluePlatform

RP2040_PINS = {
    "0": "27",
    "1": "25",
    "2": "21",
    "3": "19",
    "4": "26",
    "5": "23",
    "6": "20",
    "7": "18",
}
"""Pins of the FPGA's package by the RP2040's GPIO on the same wire. The eight wires are on the
connector PMOD 3, too."""


class PicoIcePlatform(SiliconBluePlatform):
    """An iCE40 UP5K and an RP2040, which clocks the FPGA, configures it, and talks to it.

    The wires are those of the board's layout, ``Board/Rev3/pico-ice.kicad_pcb`` of
    tinyvision-ai-inc/pico-ice at 00e1336; those used here are the same on Rev1 and Rev2, and in
    ``include/boards/ice40up5k.h`` and ``rtl/pico_ice.pcf`` of tinyvision-ai-inc/pico-ice-sdk at
    e5f71da.

    The board has no oscillator for the FPGA. The RP2040's firmware must put 12 MHz on its GPIO 24
    (GPOUT2 of its clock generator), as the board's own firmware does (``Docs/getting_started.md``
    there), before the FPGA is configured.
    """

    device = "iCE40UP5K"
    package = "SG48"
    default_clk = "clk12"
    resources = [
        Resource(
            "clk12",
            0,
            Pins("35", dir="i"),
            Clock(12e6),
            Attrs(GLOBAL=True, IO_STANDARD="SB_LVCMOS"),
        ),
    ]
    connectors = [Connector("rp2040", 0, RP2040_PINS)]


RP2350_PINS = {
    "20": "27",
    "22": "20",
    "23": "19",
    "24": "26",
    "25": "23",
}
"""Pins of the FPGA's package by the RP2350's GPIO on the same wire."""


class Pico2IcePlatform(SiliconBluePlatform):
    """An iCE40 UP5K and an RP2350, which clocks the FPGA, configures it, and talks to it.

    The wires are those of the board's layout (``Board/`` of tinyvision-ai-inc/pico2-ice, Rev0 to
    Rev2); clock, reset and configuration are the same in ``src/ice_fpga_data.c``, the names of the
    FPGA's pins in ``rtl/pico2_ice.pcf`` of tinyvision-ai-inc/pico-ice-sdk at e5f71da.

    The board has no oscillator for the FPGA. The RP2350's firmware must put 12 MHz on its GPIO 21
    (GPOUT0 of its clock generator) before the FPGA is configured.
    """

    device = "iCE40UP5K"
    package = "SG48"
    default_clk = "clk12"
    resources = PicoIcePlatform.resources
    connectors = [Connector("rp2350", 0, RP2350_PINS)]
