"""Whose turn it is, what it compares, and when steps and the run end."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer import (
    GROUP,
    PROBABILITY,
    REFRESH,
    STEP_ROUNDS,
    SWEEPS,
    AnnealerSize,
)
from tensorspin.contract.annealer_image import RUN_FIELD_BYTES, RUN_FIELDS

from .delay import delay
from .interface import groups, slot_bits
from .search import FOUND as SEARCH
from .spins import COMPARED

FOUND = COMPARED + SEARCH
"""Cycles from the beginning of a turn to the search's result."""


def parameters_layout() -> data.StructLayout:
    """Parameters of a run."""
    return data.StructLayout({name: 8 * RUN_FIELD_BYTES for name in RUN_FIELDS})


class Turns(wiring.Component):
    """Gives each replica its turn, one a cycle, and follows their sweeps.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    start : In(1)
    parameters : In(parameters_layout())
    step_index : Out
        Of the next step, whose word must be there one cycle later.
    step : In((threshold_bits + 1) x 16)
    found : In(1)
    spin : In
        From the search, `FOUND` cycles after the beginning of the turn.
    run : Out(1)
    slot : Out
        Replica whose turn begins.
    probabilities : Out(threshold_bits x 16)
    active : Out(1)
    cursor : Out
        The turn compares the spins from there on, if any.
    initial : Out(1)
        The first turn of a replica that compares; nothing has been flipped.
    second : Out(1)
        The one after it.
    offset : Out(1)
        `FOUND` cycles later: the turn adds an offset row.
    clear : Out(1)
        `FOUND` cycles later: the first of them.
    offset_index : Out(16)
        `FOUND` cycles later.
    ends : Out(1)
        Strobe in the last cycle of the run.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "start": In(1),
                "parameters": In(parameters_layout()),
                "step_index": Out(range(size.steps + 1)),
                "step": In(data.ArrayLayout(PROBABILITY.width, size.threshold_bits + 1)),
                "found": In(1),
                "spin": In(range(groups(size) * GROUP)),
                "run": Out(1),
                "slot": Out(slot_bits(size)),
                "probabilities": Out(data.ArrayLayout(PROBABILITY.width, size.threshold_bits)),
                "active": Out(1),
                "cursor": Out(range(size.spins + 1)),
                "initial": Out(1),
                "second": Out(1),
                "offset": Out(1),
                "clear": Out(1),
                "offset_index": Out(8 * RUN_FIELD_BYTES),
                "ends": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        sweeps = Signal(SWEEPS.width)
        round_index = Signal(8 * RUN_FIELD_BYTES)
        filling = Signal()
        begins = Signal()  # the first round of a step
        finished = Signal()
        boundary = Signal()
        take_step = Signal()

        # Steps and rounds.
        filled = (round_index + 1 >= size.fill_rounds) & (
            round_index + 1 >= self.parameters.offset_rows
        )
        last_step = self.step_index == self.parameters.steps
        m.d.comb += [
            boundary.eq(self.run & (self.slot == size.replicas - 1)),
            take_step.eq(self.start | (boundary & finished & ~last_step)),
            self.ends.eq(boundary & finished & last_step),
        ]
        with m.If(self.run):
            m.d.sync += self.slot.eq(self.slot + 1)
        with m.If(boundary):
            m.d.sync += [
                self.slot.eq(0),
                round_index.eq(round_index + 1),
                begins.eq(finished),
                finished.eq(0),
                self.initial.eq(0),
                self.second.eq(self.initial),
            ]
            with m.If(filling & filled):
                m.d.sync += [filling.eq(0), begins.eq(1), self.initial.eq(1)]
        with m.If(take_step):
            m.d.sync += [
                Cat(self.probabilities, sweeps).eq(self.step),
                self.step_index.eq(self.step_index + 1),
            ]
        with m.If(self.start):
            m.d.sync += [
                self.run.eq(1),
                self.slot.eq(0),
                round_index.eq(0),
                filling.eq(1),
                begins.eq(0),
                finished.eq(0),
            ]
        with m.If(self.ends):
            m.d.sync += [self.run.eq(0), self.step_index.eq(0)]

        # Sweeps of the replicas: read at the beginning of a turn, and again when it is decided.
        progress = data.StructLayout(
            {
                "cursor": range(size.spins + 1),
                "sweeps": SWEEPS.width,
                "rest": REFRESH.width,
            }
        )
        m.submodules.progress = stored = memory.Memory(shape=progress, depth=size.replicas, init=[])

        def current(slot, initial, begins):
            port = stored.read_port(domain="comb")
            m.d.comb += port.addr.eq(slot)
            return (
                Mux(initial, self.parameters.first, port.data.cursor),
                Mux(begins, sweeps, port.data.sweeps),
                Mux(initial, 0, port.data.rest),
            )

        cursor, left, rest = current(self.slot, self.initial, begins)
        m.d.comb += [
            self.active.eq(self.run & ~filling & (left != 0) & (rest == 0)),
            self.cursor.eq(cursor),
        ]

        decided = delay(
            m,
            Cat(self.run, self.active, self.initial, begins, boundary, self.slot),
            FOUND,
        )
        run, was_active, initial, began, was_last, slot = (
            decided[0],
            decided[1],
            decided[2],
            decided[3],
            decided[4],
            decided[5:],
        )
        cursor, left, rest = current(slot, initial, began)
        write = stored.write_port()
        ended = was_active & ~self.found
        m.d.comb += [
            write.en.eq(run),
            write.addr.eq(slot),
            write.data.cursor.eq(
                Mux(self.found, self.spin + 1, Mux(ended, self.parameters.first, cursor))
            ),
            write.data.sweeps.eq(left - ended),
            write.data.rest.eq(Mux(ended, self.parameters.refresh, rest - (rest != 0))),
        ]
        # A round that was decided after the step had ended does not end the next.
        assert STEP_ROUNDS == 2
        unfinished = Signal()
        now_unfinished = Signal()
        m.d.comb += now_unfinished.eq(unfinished | (write.data.sweeps != 0))
        with m.If(run):
            m.d.sync += unfinished.eq(now_unfinished & ~was_last)
            with m.If(was_last & ~filling & ~begins):
                m.d.sync += finished.eq(~now_unfinished)

        adds = Signal()
        m.d.comb += adds.eq(self.run & filling & (round_index < self.parameters.offset_rows))
        m.d.comb += Cat(self.offset, self.clear, self.offset_index).eq(
            delay(m, Cat(adds, adds & (round_index == 0), round_index), FOUND)
        )
        return m
