"""A pytest test passes only if all benches of its cocotb module ran."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tests.gateware.bench import run_bench


class Wire(wiring.Component):
    """Passes on a bit; a component that compiles in seconds."""

    taken: In(1)
    given: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.given.eq(self.taken)
        return m


@pytest.mark.parametrize("every", [False, True])
def test_all_benches_ran(every):
    run_bench(Wire(), "tests.gateware.bench_three", all=every)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("COCOTB_TEST_FILTER", "passes_on_a_bit"),
        ("COCOTB_TESTCASE", "passes_on_a_bit"),
        ("COCOTB_TEST_FILTER", "may_be_skipped"),
    ],
)
def test_a_bench_that_did_not_run_is_named(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(AssertionError, match="2 benches are defined .*: (.*); unset") as error:
        run_bench(Wire(), "tests.gateware.bench_three", all=False)
    assert "is_defined_at_once" in str(error.value)
