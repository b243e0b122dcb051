"""Modules that are the same become one, and nothing else changes."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin_gateware.build import toolchain
from tensorspin_gateware.simulation import compilation, simulator
from tensorspin_gateware.simulation.shared_modules import share_modules


class Stage(wiring.Component):
    """Adds a number to what passes."""

    def __init__(self, addend):
        self._addend = addend
        super().__init__({"value": In(8), "result": Out(8)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.inner = inner = Module()
        total = Signal(8)
        inner.d.sync += total.eq(self.value + self._addend)
        m.d.comb += self.result.eq(total)
        return m


class Pipeline(wiring.Component):
    """Sends the number of the cycle, plus three times 2, plus 5."""

    rx: In(stream.Signature(8))
    tx: Out(stream.Signature(8))

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.sync += count.eq(count + 1)
        value = count
        for place, addend in enumerate((2, 2, 2, 5)):
            m.submodules[f"stage_{place}"] = stage = Stage(addend)
            m.d.comb += stage.value.eq(value)
            value = stage.result
        m.d.comb += [self.tx.payload.eq(value), self.tx.valid.eq(1), self.rx.ready.eq(1)]
        return m


def test_modules_that_are_the_same_are_one():
    text = toolchain.to_verilog(Pipeline(), "top")
    shared = share_modules(text)
    assert text.count("\nendmodule") == 9  # the top, four stages, and what is in them
    assert shared.count("\nendmodule") == 5  # two kinds of stages
    for place in range(4):
        assert f"  stage_{place} (" in shared  # the hierarchy is as it was
    assert share_modules(shared) == shared


def test_modules_that_differ_stay_apart(tmp_path):
    library = compilation.compile_simulator(Pipeline(), tmp_path, progress=lambda line: None)
    with simulator.VirtualBoard(library, 1_000_000) as board:
        _, sent = board.run(40)
    assert sent[10:] == bytes(cycle - 4 + 11 for cycle in range(10, 40))


NUMBERED = r"""module top(a, b, c);
  \top.first  first (
    .\port$10$1 (a),
    .other(b)
  );
  \top.second  second (
    .\port$20$2 (b),
    .other(c)
  );
endmodule

module \top.first (\port$10$1 , other);
  reg \$auto$verilog_backend.cc:2505:dump_module$1  = 0;
  input \port$10$1 ;
  output other;
  always @* begin
    if (\$auto$verilog_backend.cc:2505:dump_module$1 ) begin end
    other = \port$10$1 ;
  end
endmodule

module \top.second (\port$20$2 , other);
  reg \$auto$verilog_backend.cc:2505:dump_module$2  = 0;
  input \port$20$2 ;
  output other;
  always @* begin
    if (\$auto$verilog_backend.cc:2505:dump_module$2 ) begin end
    other = \port$20$2 ;
  end
endmodule
"""


def test_numbers_of_ports_do_not_count():
    shared = share_modules(NUMBERED)
    assert shared.count("endmodule") == 2 and "verilog_backend" not in shared
    assert shared.count(r"\top.first  ") == 2 and r"\top.second" not in shared
    assert shared.count(r".\shared$0 (a)") == 1 and shared.count(r".\shared$0 (b)") == 1
    assert r"module \top.first (\shared$0 , other);" in shared


def test_ports_in_another_order_are_another_module():
    other = NUMBERED.replace(
        r"\top.second (\port$20$2 , other)", r"\top.second (other, \port$20$2 )"
    )
    assert share_modules(other).count("endmodule") == 3


def test_text_of_others_stays():
    text = (
        "module top(a);\n  input a;\n  CELL #(\n    .N(1)\n  ) cell (\n    .A(a)\n  );\nendmodule\n"
    )
    assert share_modules(text) == text
