"""Virtual boards begin where a reset would have left them."""

import re

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.build import toolchain
from tensorspin_gateware.simulation import compilation, simulator
from tensorspin_gateware.simulation.power_up import PoweredUp


class Counter(wiring.Component):
    """Sends 5, 6 and so on."""

    rx: In(stream.Signature(8))
    tx: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Module()
        count = Signal(8, init=5)
        with inner.If(self.tx.ready):
            inner.d.sync += count.eq(count + 1)
        m.d.comb += [self.tx.payload.eq(count), self.tx.valid.eq(1), self.rx.ready.eq(1)]
        return m


def ports_and_modules(text):
    """Names of the inputs and outputs of all modules, and of these modules."""
    ports = re.findall(r"^ +(?:input|output) (?:\[\d+:\d+\] )?(\S+);$", text, re.MULTILINE)
    return ports, re.findall(r"^module (\S+)", text, re.MULTILINE)


def test_nothing_but_the_reset_is_left_out():
    ports, modules = ports_and_modules(toolchain.to_verilog(Counter(), "top"))
    assert "rst" in ports and len(modules) == 2
    left, same = ports_and_modules(toolchain.to_verilog(PoweredUp(Counter()), "top"))
    assert sorted(left) == sorted(port for port in ports if port != "rst")
    assert same == modules


def test_registers_begin_with_their_initial_values(tmp_path):
    library = compilation.compile_simulator(Counter(), tmp_path, progress=lambda line: None)
    with simulator.VirtualBoard(library, 1_000_000) as board:
        assert board.run(3) == (0, bytes([5, 6, 7]))
        assert board.cycles == 3
