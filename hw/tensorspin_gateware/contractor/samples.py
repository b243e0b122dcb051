"""Which samples are filled in, wait, and are contracted."""

from __future__ import annotations

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Samples(wiring.Component):
    """Keeps account of two halves of the feature memories, each with a sample for every group.

    One half is filled, group by group, while the other is contracted. If nothing else is to be
    done, the samples that are there are contracted before their half is full; the remaining groups
    of that half go on being filled meanwhile, and are contracted later.

    Parameters
    ----------
    groups : int

    Ports
    -----
    start : In(1)
        Strobe, while `fill_ready`: the sample being filled in is complete.
    fill_ready : Out(1)
        There is room for a sample.
    fill_half : Out(1)
    fill_group : Out(log2(groups))
        Where it belongs.
    waiting : Out(1)
        A complete sample has not been contracted.
    take : In(1)
        Strobe, while `waiting`: contract.
    run_half : Out(1)
    first, end : Out(log2(groups + 1))
        The groups `first` .. `end` - 1 of that half are contracted; from the cycle after `take`
        to `done`.
    done : In(1)
        Strobe: they are finished.
    """

    def __init__(self, groups: int) -> None:
        self._groups = groups
        super().__init__(
            {
                "start": In(1),
                "fill_ready": Out(1),
                "fill_half": Out(1),
                "fill_group": Out(range(groups)),
                "waiting": Out(1),
                "take": In(1),
                "run_half": Out(1),
                "first": Out(range(groups + 1)),
                "end": Out(range(groups + 1)),
                "done": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        groups = self._groups
        full = Array(Signal(name=f"full_{half}") for half in range(2))
        complete = Signal.like(self.end)
        m.d.comb += [
            # A half that is not full is the one being filled.
            complete.eq(Mux(full[self.run_half], groups, self.fill_group)),
            self.fill_ready.eq(~full[self.fill_half]),
            self.waiting.eq(complete != self.first),
        ]
        with m.If(self.take):
            m.d.sync += self.end.eq(complete)
        with m.If(self.done):
            m.d.sync += self.first.eq(self.end)
            with m.If(self.end == groups):
                m.d.sync += [
                    self.first.eq(0),
                    full[self.run_half].eq(0),
                    self.run_half.eq(~self.run_half),
                ]
        with m.If(self.start):
            m.d.sync += self.fill_group.eq(self.fill_group + 1)
            with m.If(self.fill_group == groups - 1):
                m.d.sync += [
                    self.fill_group.eq(0),
                    full[self.fill_half].eq(1),
                    self.fill_half.eq(~self.fill_half),
                ]
        return m
