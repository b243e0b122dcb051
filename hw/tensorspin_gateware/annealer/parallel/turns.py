"""Whose turn it is, what it compares, and when steps and the run end."""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import state_bytes
from tensorspin.contract.annealer.size import (
    GROUP,
    REFRESH,
    START,
    STEP_ROUNDS,
    SWEEPS,
    AnnealerSize,
    Exchange,
    Moving,
)
from tensorspin.contract.annealer.tempering import exchange_rounds

from ..common.delay import delay
from ..common.interface import (
    COUNT_BITS,
    fill_layout,
    groups,
    offset_place,
    parameters_layout,
    slot_bits,
    step_layout,
)
from .search import FOUND as SEARCH
from .spins import COMPARED

FOUND = COMPARED + SEARCH
"""Cycles from the beginning of a turn to the search's result."""

DECIDED = FOUND + 1
"""Cycles from there to the replica's progress after the turn."""


class Turns(wiring.Component):
    """Gives each replica its turn, one a cycle, and follows their sweeps.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    start, stop : In(1)
        Strobes: the first turn begins `START` cycles later; nothing runs one cycle later.
    parameters : In(parameters_layout())
    step_index : Out
        Of the next step, whose word must be there one cycle later.
    next_step : In(step_layout(size))
    spin : Out
        Of the next round that may flip one before the first comparison.
    states : In
        Its initial states; must be there one cycle later.
    found : In(1)
    found_spin : In
        From the search, `FOUND` cycles after the beginning of the turn.
    read_slot : In
    running : Out(1)
        From the start to the end.
    run : Out(1)
        Replicas have their turns.
    slot : Out
        Replica whose turn begins; when nothing runs, that of `read_slot` one cycle before.
    current_step : Out(COUNT_BITS)
        Index of the step that runs, or ran last.
    step : Out(step_layout(size))
        That runs.
    upcoming : Out(step_layout(size))
        That of the next cycle.
    ahead : Out
        Replica whose turn begins `LADDER_READ` cycles later.
    fills : Out(1)
        Turns do not compare yet, or none have begun.
    exchange : Out(1)
        Strobe: a step's sweeps are done, and the exchanges begin in the next cycle.
    move : Out(1)
        Turns begin; none do during exchanges.
    active : Out(1)
    cursor : Out
        The turn compares the spins from there on, if any.
    zero : Out(1)
        Energies are counted from here.
    initial : Out(1)
        The first turn of a replica that compares.
    second : Out(1)
        The one after it.
    fill : Out(fill_layout(size))
        `FOUND` cycles later.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "parameters": In(parameters_layout()),
                "step_index": Out(range(size.steps + 1)),
                "next_step": In(step_layout(size)),
                "spin": Out(range(size.spins + 1)),
                "states": In(8 * state_bytes(size)),
                "found": In(1),
                "found_spin": In(range(groups(size) * GROUP)),
                "read_slot": In(slot_bits(size)),
                "running": Out(1),
                "run": Out(1),
                "slot": Out(slot_bits(size)),
                "current_step": Out(COUNT_BITS),
                "step": Out(step_layout(size)),
                "upcoming": Out(step_layout(size)),
                "ahead": Out(slot_bits(size)),
                "fills": Out(1),
                "exchange": Out(1),
                "move": Out(1),
                "active": Out(1),
                "cursor": Out(range(size.spins + 1)),
                "zero": Out(1),
                "initial": Out(1),
                "second": Out(1),
                "fill": Out(fill_layout(size)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        round_index = Signal(COUNT_BITS)
        filling = Signal()
        begins = Signal()  # the first round of a step
        finished = Signal()
        boundary = Signal()
        ends = Signal()
        take_step = Signal()
        takes = Signal() if size.tempering else take_step  # the same, from a register
        leaves = Signal()  # a step, behind its last round

        # Steps and rounds.
        pending = Signal(START - 1)
        starting = pending[-1]
        m.d.sync += pending.eq(Mux(self.stop, 0, Mux(self.start, 1, pending << 1)))
        last_step = self.step_index == self.parameters.steps
        m.d.comb += [
            boundary.eq(self.run & (self.slot == size.replicas - 1)),
            take_step.eq(starting | (leaves & ~last_step)),
            ends.eq(leaves & last_step),
            self.running.eq(self.run | pending.any()),
        ]
        with m.If(~self.run):
            m.d.sync += self.slot.eq(self.read_slot)
        with m.Else():
            m.d.sync += self.slot.eq(self.slot + 1)
        with m.If(boundary):
            m.d.sync += [
                self.slot.eq(0),
                round_index.eq(round_index + 1),
                begins.eq(leaves),
                finished.eq(0),
                self.initial.eq(0),
                self.second.eq(self.initial),
            ]
            with m.If(filling & (round_index + 1 == self.parameters.fill)):
                m.d.sync += [filling.eq(0), begins.eq(1), self.initial.eq(1)]
        m.d.comb += [
            self.upcoming.eq(Mux(takes, self.next_step, self.step)),
            self.fills.eq(filling | ~self.run),
            self.zero.eq(filling & (round_index <= self.parameters.offset_rows)),
        ]
        with m.If(take_step):
            m.d.sync += [
                self.step.eq(self.next_step),
                self.step_index.eq(self.step_index + 1),
                self.current_step.eq(self.step_index),
            ]
        with m.If(starting):
            m.d.sync += [
                self.run.eq(1),
                self.slot.eq(0),
                round_index.eq(0),
                filling.eq(1),
                begins.eq(0),
                finished.eq(0),
                self.initial.eq(0),
                self.second.eq(0),
            ]
        leaves_next = self._exchanges(m, boundary, finished, leaves, starting)
        if size.tempering:
            # It is far to all bits of a turn's probabilities. After a stop it does not matter.
            m.d.sync += takes.eq(pending[-2] | (leaves_next & ~last_step))
        with m.If(ends | self.stop | self.start):
            m.d.sync += [self.run.eq(0), self.step_index.eq(0)]
        self._fill(m, filling, round_index, boundary)

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
            waits = Mux(slot[0], self.step.moving == Moving.EVEN, self.step.moving == Moving.ODD)
            return (
                Mux(initial, self.parameters.first, port.data.cursor),
                Mux(begins, Mux(waits, 0, self.step.sweeps), port.data.sweeps),
                Mux(initial, 0, port.data.rest),
            )

        cursor, left, rest = current(self.slot, self.initial, begins)
        m.d.comb += [
            self.active.eq(self.run & ~filling & (left != 0) & (rest == 0)),
            self.cursor.eq(cursor),
        ]

        # All but what the search finds is known a cycle before.
        known = delay(
            m,
            Cat(self.run, self.active, self.initial, begins, boundary, self.slot),
            FOUND - 1,
        )
        was_active, slot = known[1], known[5:]
        cursor, left, rest = current(slot, known[2], known[3])
        go_on = Signal(progress, reset_less=True)
        end = Signal(progress, reset_less=True)
        searched = Signal(reset_less=True)
        m.d.sync += [
            searched.eq(was_active),
            go_on.cursor.eq(cursor),
            go_on.sweeps.eq(left),
            go_on.rest.eq(rest - (rest != 0)),
            end.cursor.eq(self.parameters.first),
            end.sweeps.eq(left - 1),
            end.rest.eq(self.parameters.refresh),
        ]
        decided = Signal(progress, reset_less=True)
        m.d.sync += decided.eq(Mux(searched & ~self.found, end, go_on))
        with m.If(self.found):
            m.d.sync += decided.cursor.eq(self.found_spin + 1)

        late = delay(m, Cat(known[0], known[4], slot), DECIDED - FOUND + 1)
        run, was_last, slot = late[0], late[1], late[2:]
        write = stored.write_port()
        m.d.comb += [write.en.eq(run), write.addr.eq(slot), write.data.eq(decided)]
        # A round that was decided after the step had ended does not end the next.
        assert STEP_ROUNDS == 2
        assert size.replicas > DECIDED + 1
        unfinished = Signal()
        now_unfinished = Signal()
        m.d.comb += now_unfinished.eq(unfinished | (decided.sweeps != 0))
        with m.If(run):
            m.d.sync += unfinished.eq(now_unfinished & ~was_last)
            with m.If(was_last & ~filling & ~begins):
                m.d.sync += finished.eq(~now_unfinished)

        return m

    def _exchanges(self, m: Module, boundary, finished, leaves, starting):
        """Rounds for exchanges, behind the step; with tempering: the next cycle leaves it."""
        size = self._size
        if not size.tempering:
            m.d.comb += [leaves.eq(boundary & finished), self.move.eq(self.run)]
            return None
        rounds = exchange_rounds(size)
        begun = Signal(range(rounds + 1))
        wants = (self.step.exchange != Exchange.NONE) & (begun != rounds)
        m.d.comb += [
            leaves.eq(boundary & finished & ~wants),
            self.exchange.eq(boundary & finished & wants & (begun == 0)),
            self.move.eq(self.run & (begun == 0)),
        ]
        with m.If(boundary & finished & wants):
            m.d.sync += begun.eq(begun + 1)
        with m.If(leaves | starting):
            m.d.sync += begun.eq(0)
        with m.If(self.running):
            m.d.sync += self.ahead.eq(Mux(self.ahead == size.replicas - 1, 0, self.ahead + 1))
        with m.If(self.start | ~self.running):
            m.d.sync += self.ahead.eq(0)
        # What is behind a step's last turn has been decided by then.
        return (self.slot == size.replicas - 2) & finished & ~wants

    def _fill(self, m: Module, filling, round_index, boundary) -> None:
        """Offset rows first, then the initial states, a spin each round."""
        size = self._size
        flipped = Signal(range(size.spins))
        flips = Signal()
        states = Signal.like(self.states)
        m.d.sync += states.eq(states >> 1)
        with m.If(~self.run):
            m.d.sync += [self.spin.eq(self.parameters.first), flips.eq(0)]
        with m.Elif(boundary):
            m.d.sync += [states.eq(self.states), flipped.eq(self.spin), flips.eq(0)]
            with m.If(
                self.parameters.initial[0]
                & (round_index + 1 >= self.parameters.offset_rows)
                & (self.spin != size.spins)
            ):
                m.d.sync += [flips.eq(1), self.spin.eq(self.spin + 1)]
        now = Signal(fill_layout(size))
        m.d.comb += [
            now.offset.eq(self.run & filling & (round_index < self.parameters.offset_rows)),
            now.clear.eq(now.offset & (round_index == 0)),
            now.flip.eq(self.run & flips & states[0]),
            now.row.eq(Mux(now.offset, offset_place(size, round_index), flipped)),
            self.fill.eq(delay(m, now, FOUND)),
        ]
