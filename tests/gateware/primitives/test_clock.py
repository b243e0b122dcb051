# amaranth: UnusedElaboratable=no

"""A domain behind a PLL is in reset until the PLL has locked, and until block RAM can be read."""

import math
import types

import pytest
from amaranth import ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.primitives import Family
from tensorspin_gateware.primitives.pll import BLOCK_RAM_SECONDS, MHZ, RESET_SECONDS, ClockGenerator
from tests.gateware.bench import run_bench

PLL = """
module {name}({inputs}, output {clock}, {more} output LOCK);
    reg lock = 0;
    assign LOCK = lock;
    assign {clock} = {oscillator};
    {parameters}
endmodule
"""
"""Verilog of a PLL whose output is its oscillator, as only lock and reset are tested."""

BLOCK_RAM = """
module block_ram(input clock, input readable, output reg [7:0] data);
    always @(posedge clock) data <= readable ? 8'hff : 8'h00;
endmodule
"""
"""Verilog of block RAM that holds ones, and reads zero until the bench says that it is readable."""

MODELS = {
    Family.ICE40UP: PLL.format(
        name="SB_PLL40_PAD",
        inputs="input PACKAGEPIN, RESETB, BYPASS",
        oscillator="PACKAGEPIN",
        clock="PLLOUTGLOBAL",
        more="",
        parameters="""parameter FEEDBACK_PATH = ""; parameter PLLOUT_SELECT = "";
        parameter DIVR = 0; parameter DIVF = 0; parameter DIVQ = 0; parameter FILTER_RANGE = 0;""",
    ),
    Family.ECP5: PLL.format(
        name="EHXPLLL",
        inputs="""input CLKI, CLKFB, RST, STDBY, PLLWAKESYNC, ENCLKOP, ENCLKOS, PHASESEL0,
        PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG""",
        oscillator="CLKI",
        clock="CLKOS",
        more="output CLKOP,",
        parameters="""parameter CLKI_DIV = 0; parameter FEEDBK_PATH = ""; parameter CLKFB_DIV = 0;
        parameter CLKOP_ENABLE = ""; parameter CLKOP_DIV = 0; parameter CLKOP_CPHASE = 0;
        parameter CLKOS_ENABLE = ""; parameter CLKOS_DIV = 0; parameter CLKOS_CPHASE = 0;
        assign CLKOP = CLKI;""",
    ),
}


class Counter(wiring.Component):
    """Counts, and adds what a block RAM gives, in a domain whose clock a PLL makes."""

    oscillator: In(1)
    readable: In(1)
    in_reset: Out(1)
    count: Out(8)
    sum: Out(16)

    def __init__(self, family: Family, oscillator_hz: int, clock_hz: int):
        self._family = family
        self._frequencies = oscillator_hz, clock_hz
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        if self._family is Family.ICE40UP:
            pin = types.SimpleNamespace(io=Signal(name="pin"))
            m.d.comb += pin.io.eq(self.oscillator)
        else:
            pin = io.SimulationPort("i", 1)
            m.d.comb += pin.i.eq(self.oscillator)
        m.submodules.generator = ClockGenerator(self._family, pin, *self._frequencies)
        word = Signal(8)
        m.submodules.block_ram = Instance(
            "block_ram", i_clock=ClockSignal(), i_readable=self.readable, o_data=word
        )
        m.d.sync += [self.count.eq(self.count + 1), self.sum.eq(self.sum + word)]
        m.d.comb += self.in_reset.eq(ResetSignal())
        return m


@pytest.mark.parametrize(
    ("family", "oscillator_hz", "clock_hz"),
    [
        (Family.ICE40UP, 12 * MHZ, 30 * MHZ),
        pytest.param(Family.ECP5, 25 * MHZ, 80 * MHZ, marks=pytest.mark.slow),
    ],
)
def test_reset(family, oscillator_hz, clock_hz):
    run_bench(
        Counter(family, oscillator_hz, clock_hz),
        "tests.gateware.primitives.bench_clock",
        vendor_cells=MODELS[family] + BLOCK_RAM,
        cycles=math.ceil(RESET_SECONDS * clock_hz),
        unreadable=math.ceil(BLOCK_RAM_SECONDS * clock_hz),
    )
