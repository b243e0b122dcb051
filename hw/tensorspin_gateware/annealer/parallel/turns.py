"""The order of a run: whose turn it is, which spins the turn compares, when steps and the run end.

A run begins with *fill rounds*, in which turns compare nothing: they bring the local fields of all
replicas to the initial states, and fill the thresholds' shift registers. Then come the steps of the
schedule. A replica does the sweeps of a step at its own pace, one turn for each flip and one more
at the end of each sweep, and waits for the others when it is done; the step ends when all are.
"""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import state_bytes
from tensorspin.contract.annealer.size import (
    REFRESH,
    STEP_ROUNDS,
    SWEEPS,
    AnnealerSize,
    Exchange,
    Moving,
)

from ..common.delay import delay, delay_fields
from ..common.interface import (
    COUNT_BITS,
    cursor_bits,
    fill_layout,
    offset_place,
    parameters_layout,
    slot_bits,
    spin_bits,
    step_layout,
)
from ..common.run import advance_step, await_start, end_run, step_strobes
from .search import FOUND as SEARCH
from .sharing import share_sweeps
from .spins import COMPARED

FOUND = COMPARED + SEARCH
"""Cycles from the beginning of a turn to the search's result."""

DECIDED = FOUND + 1
"""Cycles from the beginning of a turn to the replica's progress after it: one cycle after the
search's result, which is spent on choosing between the next spin and the next sweep."""


class Turns(wiring.Component):
    """Gives each replica its turn, one replica a cycle, and follows their sweeps.

    A *round* is a turn of each replica, in the order of their numbers. What a replica has to do is
    its *progress*: the cursor (the spin from which its next turn compares), the sweeps left in the
    step, and the turns that it still sits out.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Ports
    -----
    start : In(1)
        Strobe: a run starts, whose first turn begins `START` cycles later.
    stop : In(1)
        Strobe: the run ends in the next cycle.
    parameters : In(parameters_layout(size))
        Parameters of the run; stable while it lasts.
    step_index : Out(range(steps + 1))
        Index of the step after the running one.
    next_step : In(step_layout(size))
        Step `step_index`, one cycle later (with tempering two).
    spin : Out(range(segment + 1))
        Spin whose initial states are read: that of the next fill round that flips one; its number
        in its segment.
    states : In(8 x state_bytes)
        Initial states of spin `spin`, one cycle later: a bit for each replica, 1 for a negative
        spin; whole bytes for each segment.
    found : In(flips)
        For each segment, whether the search has found a spin that flips, `FOUND` cycles after the
        turn's beginning.
    found_spin : In(flips x spin_bits(size))
        At the same time: the number of that spin in its segment.
    read_slot : In(slot_bits(size))
        Replica that the host reads, while nothing runs.
    running : Out(1)
        High from the cycle after `start` until the run has ended.
    run : Out(1)
        High while a turn begins in each cycle.
    slot : Out(slot_bits(size))
        Replica whose turn begins. While nothing runs: `read_slot`, one cycle later.
    current_step : Out(COUNT_BITS)
        Index of the running step, or of the last one if nothing runs.
    step : Out(step_layout(size))
        The running step.
    upcoming : Out(step_layout(size))
        Step that will be running in the next cycle.
    ahead : Out(slot_bits(size))
        With tempering: replica whose turn begins `LADDER_READ` cycles later.
    fills : Out(1)
        High in fill rounds and while nothing runs: turns, if any, do not compare.
    exchange : Out(1)
        With tempering, strobe: all sweeps of the running step are done, and its exchanges begin in
        the next cycle.
    move : Out(1)
        High while the turn that begins takes random numbers; low during exchanges.
    active : Out(1)
        High if the turn that begins compares its spins with thresholds.
    cursor : Out(flips x cursor_bits(size))
        For each segment the number in it of the first spin that the turn compares;
        ``size.segment`` if none is left in the sweep.
    zero : Out(1)
        High while the energies are held at zero: until the last offset row is added, which is in
        the round after the one whose turns ask for it.
    initial : Out(1)
        High in the first round that may compare, in which the energies of the initial states are
        complete.
    second : Out(1)
        High in the round after `initial`.
    fill : Out(fill_layout(size))
        What a turn of a fill round does, `FOUND` cycles after its beginning: at the same time as
        the search's result of other turns.

    Latency: `DECIDED` cycles from the beginning of a turn to its replica's new progress.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "parameters": In(parameters_layout(size)),
                "step_index": Out(range(size.steps + 1)),
                "next_step": In(step_layout(size)),
                "spin": Out(range(size.segment + 1)),
                "states": In(8 * state_bytes(size)),
                "found": In(size.flips),
                "found_spin": In(size.flips * spin_bits(size)),
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
                "cursor": Out(size.flips * cursor_bits(size)),
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
        filling = Signal()  # the round is a fill round
        begins = Signal()  # the round is the first of a step
        finished = Signal()  # after the round before this one, no replica had a sweep left
        boundary = Signal()  # the last turn of a round begins
        leaves = Signal()  # the last turn of a step's last round begins

        # Steps and rounds.
        pending = await_start(m, self)
        starting = pending[-1]
        m.d.comb += boundary.eq(self.run & (self.slot == size.replicas - 1))
        last_step, take_step, stops = step_strobes(m, self, pending, starting, leaves)
        takes = Signal() if size.tempering else take_step  # with tempering, from a register
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
        advance_step(m, self, take_step)
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
        if leaves_next is not None:
            # `takes` chooses between two steps' probabilities for all digits, in the cycle before
            # the turn: too much logic behind `leaves`, so it is known one cycle earlier here. After
            # a stop it may be wrong, which nobody sees: no turn follows.
            m.d.sync += takes.eq(pending[-2] | (leaves_next & ~last_step))
        end_run(m, self, stops)
        self._fill(m, filling, round_index, boundary)

        # The progress of the replicas is read when a turn begins, and again when it is decided, so
        # that it need not be carried along through all the cycles in between.
        progress = data.StructLayout(
            {
                "cursor": len(self.cursor),
                "sweeps": SWEEPS.width,
                "rest": REFRESH.width,
            }
        )
        m.submodules.progress = stored = memory.Memory(shape=progress, depth=size.replicas, init=[])
        firsts = self._firsts(m)

        def current(slot: Value, initial: Value, begins: Value) -> tuple[Value, Value, Value]:
            """Read a replica's progress; the first round of a run or a step overrules it."""
            port = stored.read_port(domain="comb")
            m.d.comb += port.addr.eq(slot)
            waits = Mux(slot[0], self.step.moving == Moving.EVEN, self.step.moving == Moving.ODD)
            return (
                Mux(initial, firsts, port.data.cursor),
                Mux(begins, Mux(waits, 0, self.step.sweeps), port.data.sweeps),
                Mux(initial, 0, port.data.rest),
            )

        cursor, left, rest = current(self.slot, self.initial, begins)
        m.d.comb += [
            self.active.eq(self.run & ~filling & (left != 0) & (rest == 0)),
            self.cursor.eq(cursor),
        ]

        # Everything but the search's result is known one cycle before that result. So both
        # outcomes, to go on in the sweep and to end it, are made in that cycle and registered, and
        # the result only chooses between them.
        known = delay_fields(
            m,
            FOUND - 1,
            run=self.run,
            active=self.active,
            initial=self.initial,
            begins=begins,
            boundary=boundary,
            slot=self.slot,
        )
        cursor, left, rest = current(known.slot, known.initial, known.begins)
        go_on = Signal(progress, reset_less=True)
        end = Signal(progress, reset_less=True)
        searched = Signal(reset_less=True)
        m.d.sync += [
            searched.eq(known.active),
            go_on.cursor.eq(cursor),
            go_on.sweeps.eq(left),
            go_on.rest.eq(rest - (rest != 0)),
            end.cursor.eq(firsts),
            end.sweeps.eq(left - 1),
            end.rest.eq(self.parameters.refresh),
        ]
        decided = Signal(progress, reset_less=True)
        found = self._some_found()
        m.d.sync += decided.eq(Mux(searched & ~found, end, go_on))
        with m.If(found):
            self._move_cursors(m, decided.cursor)

        late = delay_fields(
            m, DECIDED - FOUND + 1, run=known.run, boundary=known.boundary, slot=known.slot
        )
        write = stored.write_port()
        m.d.comb += [write.en.eq(late.run), write.addr.eq(late.slot), write.data.eq(decided)]
        # The last turn of a round is decided in the next round. If no replica has a sweep left
        # then, `finished` rises, and the step ends with that next round, in which nothing is
        # compared. The decision about that round falls into the first round of the following step,
        # and `begins` keeps it from ending that step at once. All of this requires that a turn is
        # decided in less than a round.
        assert STEP_ROUNDS == 2
        assert size.replicas > DECIDED + 1
        unfinished = Signal()
        now_unfinished = Signal()
        m.d.comb += now_unfinished.eq(unfinished | (decided.sweeps != 0))
        with m.If(late.run):
            m.d.sync += unfinished.eq(now_unfinished & ~late.boundary)
            with m.If(late.boundary & ~filling & ~begins):
                m.d.sync += finished.eq(~now_unfinished)
        if size.shared_sweeps:
            whole = late.run & late.boundary & ~filling
            ends = searched & ~found
            shares = share_sweeps(m, self, size, ends, take_step, last_step, whole, finished)
            with m.If(shares):  # no replica stops
                m.d.sync += end.sweeps.eq(left)
        return m

    def _exchanges(
        self, m: Module, boundary: Value, finished: Value, leaves: Signal, starting: Value
    ) -> Value | None:
        """Put rounds for exchanges after the sweeps of a step; drive `leaves`.

        Replicas keep their turns in these rounds, and with them their places in the loop, but
        compare nothing: none has a sweep left.

        Returns
        -------
        Value or None
            With tempering: high one cycle before the step is left. None without tempering.
        """
        size = self._size
        if not size.tempering:
            m.d.comb += [leaves.eq(boundary & finished), self.move.eq(self.run)]
            return None
        rounds = size.exchange_rounds
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
        # By the last turn but one of a round, the whole round before has been decided, so that
        # `finished` is final.
        return (self.slot == size.replicas - 2) & finished & ~wants

    def _firsts(self, m: Module) -> Value:
        """Give the cursor with which a sweep begins."""
        return self.parameters.first

    def _some_found(self) -> Value:
        """Tell whether the search has found a spin that flips."""
        return self.found

    def _move_cursors(self, m: Module, cursor: Signal) -> None:
        """Go on behind the spin that the search has found."""
        m.d.sync += cursor.eq(self.found_spin + 1)

    def _fill(self, m: Module, filling: Value, round_index: Value, boundary: Value) -> None:
        """Add the offset rows, one a round, then flip to the initial states, one spin a round."""
        size = self._size
        flipped = Signal(range(size.segment))
        flips = Signal()
        # A bit for each replica, shifted along with the turns of the round.
        states = Signal.like(self.states)
        m.d.sync += states.eq(states >> 1)
        with m.If(~self.run):
            m.d.sync += [self.spin.eq(self.parameters.first), flips.eq(0)]
        with m.Elif(boundary):
            m.d.sync += [states.eq(self.states), flipped.eq(self.spin), flips.eq(0)]
            with m.If(
                self.parameters.initial[0]
                & (round_index + 1 >= self.parameters.offset_rows)
                & (self.spin != size.segment)
            ):
                m.d.sync += [flips.eq(1), self.spin.eq(self.spin + 1)]
        now = Signal(fill_layout(size))
        m.d.comb += [
            now.offset.eq(self.run & filling & (round_index < self.parameters.offset_rows)),
            now.clear.eq(now.offset & (round_index == 0)),
            *self._fill_rows(m, now, round_index, boundary, self.run & flips, states, flipped),
            self.fill.eq(delay(m, now, FOUND)),
        ]

    def _fill_rows(
        self,
        m: Module,
        now: data.View,
        round_index: Value,
        boundary: Value,
        flips: Value,
        states: Signal,
        flipped: Signal,
    ) -> list:
        """Choose the row that a turn of a fill round adds: statements for `now`."""
        return [
            now.flip.eq(flips & states[0]),
            now.row.eq(Mux(now.offset, offset_place(self._size, round_index), flipped)),
        ]
