"""The design of a board: its top-level component, and the plan from which the tools build it.

A bitstream's netlist depends on this module and those that it imports, and on nothing else; see
`tensorspin_gateware.build.cache.build_digest`.
"""

from __future__ import annotations

import os
import re

from amaranth import ClockDomain, Elaboratable, Module
from amaranth.build.run import BuildPlan
from amaranth.lib import io, wiring

from tensorspin.contract.device.boards import BoardSpec
from tensorspin.contract.device.line import Line

from ..accelerator import Accelerator, is_staged
from ..boards import create_platform, hardware_of, oscillator_hz
from ..link.spi import SPITarget, check_rate, connect_target
from ..link.uart import UARTReceiver, UARTTransmitter
from ..pins import LINE
from ..primitives.pll import ClockGenerator

NAME = "top"
"""Name of the top-level module, and stem of the names of all files of a build."""


class BuildError(RuntimeError):
    """A bitstream cannot be built; the message says why, or ends with what a tool said."""


class BoardTop(Elaboratable):
    """The top level of a board's design: clock, pins, and the line to the host around a core.

    The clock domain ``sync`` is the board's oscillator itself if the engines run at its frequency,
    and a PLL's output otherwise. The line is a UART or an SPI target, as the board's row says; its
    components are the only ones that know the line's rate, and the core exchanges plain bytes with
    them.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table: clock frequency in Hz and baud rate.
    core : amaranth.lib.wiring.Component
        A component with the byte streams `rx` (in) and `tx` (out), such as `Accelerator`.

    Raises
    ------
    ValueError
        When elaborated, if the board's clock cannot be made from its oscillator, or the line's
        rate from its clock.

    Notes
    -----
    There are no ports: pins are requested from the platform. Resources besides the core: one PLL,
    if the clock needs it, and on iCE40 about 53 LUTs for the UART. With an SPI target
    in its place, the iCEBreaker's build has 33 logic cells less.
    """

    def __init__(self, board: BoardSpec, core: wiring.Component) -> None:
        self._board = board
        self._core = core

    def elaborate(self, platform) -> Module:
        board = self._board
        hardware = hardware_of(board)
        m = Module()
        provided = oscillator_hz(platform)
        # Without a domain of our own, Amaranth connects `sync` to the platform's default clock.
        if provided != board.clock_hz:
            m.domains.sync = ClockDomain()
            m.submodules.clock = ClockGenerator(
                hardware.family,
                platform.request(platform.default_clk, dir="-"),
                provided,
                board.clock_hz,
                hardware.pll_pad,
            )
        if board.line is Line.SPI:
            self._connect_spi(m, platform)
        else:
            self._connect_uart(m, platform)
        return m

    def _connect_uart(self, m: Module, platform) -> None:
        """Put a UART between the platform's pins and the core."""
        board = self._board
        # With dir="-" the platform gives bare pins, so that the buffers are visible here.
        pins = platform.request("uart", 0, dir="-")
        m.submodules.rx_pin = rx_pin = io.Buffer("i", pins.rx)
        m.submodules.tx_pin = tx_pin = io.Buffer("o", pins.tx)
        m.submodules.receiver = receiver = UARTReceiver(board.clock_hz, board.baud)
        m.submodules.transmitter = transmitter = UARTTransmitter(
            board.clock_hz, board.baud, is_staged(board)
        )
        m.submodules.core = core = self._core
        wiring.connect(m, receiver.data, core.rx)
        wiring.connect(m, core.tx, transmitter.data)
        m.d.comb += [receiver.line.eq(rx_pin.i), tx_pin.o.eq(transmitter.line)]

    def _connect_spi(self, m: Module, platform) -> None:
        """Put an SPI target between the platform's pins and the core."""
        check_rate(self._board.clock_hz, self._board.baud)
        pins = platform.request(LINE, 0, dir="-")
        m.submodules.sck_pin = sck_pin = io.Buffer("i", pins.clk)
        m.submodules.cs_pin = cs_pin = io.Buffer("i", pins.cs)
        m.submodules.copi_pin = copi_pin = io.Buffer("i", pins.copi)
        m.submodules.cipo_pin = cipo_pin = io.Buffer("o", pins.cipo)
        m.submodules.irq_pin = irq_pin = io.Buffer("o", pins.int)
        target = SPITarget()
        connect_target(
            m,
            self._core,
            target,
            sck=sck_pin.i,
            # The pin is active low for the platform, which inverts it: it gives 1 when selected.
            cs_n=~cs_pin.i,
            copi=copi_pin.i,
            cipo=cipo_pin.o,
        )
        platform.add_clock_constraint(pins.clk.io, self._board.baud)
        # Others may be on the same wire.
        m.d.comb += [cipo_pin.oe.eq(cs_pin.i), irq_pin.o.eq(target.irq)]


def create_core(board: BoardSpec, build: bytes) -> Accelerator:
    """Create what a board's bitstream has behind its line.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    build : bytes
        8 bytes that tell this build from others.

    Returns
    -------
    Accelerator
        The core, made of the cells of the board's FPGA.
    """
    hardware = hardware_of(board)
    return Accelerator(board, build, hardware.family, hardware.standby)


def prepare(board: BoardSpec, core: wiring.Component) -> BuildPlan:
    """Elaborate a board's design.

    Parameters
    ----------
    board : BoardSpec
        Row of the board table.
    core : amaranth.lib.wiring.Component
        The core that `BoardTop` takes.

    Returns
    -------
    amaranth.build.run.BuildPlan
        The files of the build (netlist, pins, scripts) and the commands that make a bitstream of
        them. No tool has been run.

    Raises
    ------
    BuildError
        If environment variables override options of the tools, as Amaranth lets them.
    """
    hardware = hardware_of(board)
    # Amaranth takes `AMARANTH_nextpnr_opts` and the like in place of the options given below. Such
    # a variable would change bitstreams without a trace in the sources.
    overrides = [name for name in os.environ if re.match("AMARANTH_[a-z]", name)]
    if overrides:
        raise BuildError(
            f"{', '.join(overrides)} would change the build behind its back: unset in the "
            f"environment, and change boards.py instead"
        )
    return create_platform(board).prepare(
        BoardTop(board, core),
        NAME,
        # Attributes with source positions would change the netlist's text with every edit.
        emit_src=False,
        script_after_read=hardware.before_synthesis,
        script_after_synth=hardware.after_synthesis,
        synth_opts=hardware.synth_options,
        # A design that is too slow is still reported, not refused half-way.
        nextpnr_opts=f"{hardware.place_options} --freq {board.clock_hz / 1e6} "
        f"--timing-allow-fail --report report.json",
    )
