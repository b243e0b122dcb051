"""The queue of samples: which are filled in, wait, and are contracted."""

from __future__ import annotations

from amaranth import Array, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class SampleQueue(wiring.Component):
    """Keeps account of two halves of the feature memories, each with a sample for every group.

    One half is filled in, group by group, while the other is contracted. If the engine is free, it
    contracts the samples that are there, although their half is not full yet; the remaining groups
    of that half are filled in meanwhile and contracted in a later run. So a sample that comes alone
    never waits for others, and in a stream that is faster than the engine all groups are busy.

    Only numbers are kept here; the features themselves are in the `Operands` of each group.

    Parameters
    ----------
    groups : int
        Number of groups.
    modes : bool, default=False
        Whether samples may be contracted in single mode, too.

    Ports
    -----
    start : In(1)
        Strobe, while `fill_ready`: the sample that is being filled in is complete.
    single : In(1)
        Only with `modes`. With `start`, the sample is to be contracted in single mode.
    fill_ready : Out(1)
        There is room for a sample.
    fill_half : Out(1)
        The half to which the sample that is being filled in belongs.
    fill_group : Out(log2(groups))
        The group to which it belongs.
    waiting : Out(1)
        At least one complete sample has not been contracted.
    take : In(1)
        Strobe, while `waiting`: contract the samples that are complete.
    run_half : Out(1)
        The half that is contracted.
    first, end : Out(log2(groups + 1))
        The groups `first` .. `end` - 1 of that half are contracted; valid from the cycle after
        `take` to `done`.
    run_single : Out(1)
        Only with `modes`. They are one sample, in single mode; valid like `first`.
    next_single : Out(1)
        Only with `modes`. The next sample to be taken is in single mode.
    done : In(1)
        Strobe: these samples are finished, and their place may be filled again.

    Latency: outputs follow a strobe in the next cycle. Resources: a dozen registers for 4 groups.
    """

    def __init__(self, groups: int, modes: bool = False) -> None:
        self._groups = groups
        self._modes = modes
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
            | ({"single": In(1), "run_single": Out(1), "next_single": Out(1)} if modes else {})
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        groups = self._groups
        # A half is full from the last `start` for it to the end of the run that empties it.
        full = Array(Signal(name=f"full_{half}") for half in range(2))
        complete = Signal.like(self.end)
        m.d.comb += [
            # Number of groups of `run_half` that are complete. If that half is not full, it is the
            # one being filled in, and the groups below `fill_group` are complete.
            complete.eq(Mux(full[self.run_half], groups, self.fill_group)),
            self.fill_ready.eq(~full[self.fill_half]),
            self.waiting.eq(complete != self.first),
        ]
        with m.If(self.take):
            # Samples that are completed during the run are not part of it.
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
        if self._modes:
            self._keep_modes(m)
        return m

    def _keep_modes(self, m: Module) -> None:
        """Take one sample at a time from a half in which any sample is in single mode."""
        singles = Array(Signal(self._groups, name=f"singles_{half}") for half in range(2))
        with m.If(self.start):
            place = singles[self.fill_half].bit_select(self.fill_group, 1)
            m.d.sync += place.eq(self.single)
        m.d.comb += self.next_single.eq(singles[self.run_half].bit_select(self.first, 1))
        with m.If(self.take):
            m.d.sync += self.run_single.eq(self.next_single)
            with m.If(singles[self.run_half] != 0):
                m.d.sync += self.end.eq(self.first + 1)
        with m.If(self.done & (self.end == self._groups)):
            m.d.sync += singles[self.run_half].eq(0)
