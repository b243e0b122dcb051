"""Windows, turns, rounds, steps, and the end of the run."""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import state_bytes
from tensorspin.contract.annealer.size import START, STEP_ROUNDS, AnnealerSize, Moving
from tensorspin.contract.annealer.windows import MIN_TURN

from ..common.interface import COUNT_BITS, offset_place, parameters_layout, slot_bits, step_layout
from .interface import (
    lane_bits,
    pass_layout,
    place_layout,
    progress_layout,
    row_index_bits,
    window_bits,
)


class Turns(wiring.Component):
    """Gives the replicas their turns, a pass over the windows each, one a cycle.

    Within a round in the order of their numbers, without those that have nothing to do, as
    `tensorspin.contract.annealer.windows` says.

    Parameters
    ----------
    size : AnnealerSize

    Ports
    -----
    start, stop : In(1)
        Strobes: the first turn begins `START` cycles later; nothing runs one cycle later.
    parameters : In(parameters_layout())
    next_step : In(step_layout(size))
        The step `step_index`.
    step_index : Out
    spin : Out
        Of the next round that may flip one before the first comparison.
    states : In
        Its initial states; must be there one cycle later.
    progress : In(progress_layout(size))
        Of replica `next_slot`, in the cycle of `last`.
    unfinished, decided : In(1)
        From `Records`: strobe for the last turn of a round, with whether a replica has sweeps left.
    read_place : In(place_layout(size))
    running : Out(1)
        From the start to the end.
    run : Out(1)
        Replicas have their turns.
    current_step : Out(COUNT_BITS)
        Index of the step that runs, or ran last.
    step : Out(step_layout(size))
        That runs.
    place : Out(place_layout(size))
        Window of this cycle; when nothing runs, `read_place` one cycle before.
    first_window : Out
        With which passes begin.
    first, before_last, last : Out(1)
        A pass begins, has one more window, ends.
    ends_round : Out(1)
        With `last`: it is the round's last turn.
    next_slot : Out
        Of the next turn; valid with `before_last` and `last`.
    row : Out
        Of the couplings.
    turn : Out(pass_layout(size))
    zero : Out(1)
        Energies are counted from here.
    initial : Out(1)
        The first turn of a replica that compares.
    begins : Out(1)
        The first turn of a step.
    waits : Out(1)
        The replica does not move in this step.

    About 350 LUTs (iCE40).
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "parameters": In(parameters_layout()),
                "next_step": In(step_layout(size)),
                "step_index": Out(range(size.steps + 1)),
                "spin": Out(range(size.spins + 1)),
                "states": In(8 * state_bytes(size)),
                "progress": In(progress_layout(size)),
                "decided": In(1),
                "unfinished": In(1),
                "read_place": In(place_layout(size)),
                "running": Out(1),
                "run": Out(1),
                "current_step": Out(COUNT_BITS),
                "step": Out(step_layout(size)),
                "place": Out(place_layout(size)),
                "first_window": Out(window_bits(size)),
                "first": Out(1),
                "before_last": Out(1),
                "last": Out(1),
                "ends_round": Out(1),
                "next_slot": Out(slot_bits(size)),
                "row": Out(row_index_bits(size)),
                "turn": Out(pass_layout(size)),
                "zero": Out(1),
                "initial": Out(1),
                "begins": Out(1),
                "waits": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        parameters = self.parameters
        round_index = Signal(COUNT_BITS)
        filling = Signal()
        offset = Signal()  # the round adds an offset row
        finished = Signal()
        starting = Signal()
        leaves = Signal()  # a step, behind its last round
        take_step = Signal()
        ends = Signal()
        more = Signal()  # turns in this round

        window, slot = self.place.window, self.place.slot
        least = Signal(range(size.windows + 1))
        m.d.comb += least.eq(parameters.first[lane_bits(size) :])
        m.d.sync += self.first_window.eq(
            Mux(least > size.windows - MIN_TURN, size.windows - MIN_TURN, least)
        )
        m.d.comb += [
            self.first.eq(self.run & (window == self.first_window)),
            self.before_last.eq(self.run & (window == size.windows - 2)),
            self.last.eq(self.run & (window == size.windows - 1)),
            self.ends_round.eq(self.last & ~more),
        ]
        with m.If(~self.run):
            m.d.sync += self.place.eq(self.read_place)
        with m.Elif(self.last):
            m.d.sync += [window.eq(self.first_window), slot.eq(self.next_slot)]
        with m.Else():
            m.d.sync += window.eq(window + 1)

        # Steps and rounds.
        pending = Signal(START - 1)
        last_step = self.step_index == parameters.steps
        m.d.sync += pending.eq(Mux(self.stop, 0, Mux(self.start, 1, pending << 1)))
        m.d.comb += [
            starting.eq(pending[-1]),
            # A step was over before its last round began.
            leaves.eq(self.ends_round & finished),
            take_step.eq(starting | (leaves & ~last_step)),
            ends.eq(leaves & last_step),
            self.running.eq(self.run | pending.any()),
            self.zero.eq(filling & offset),
        ]
        # Of the next round, compared early: what leads to the row's address is long enough.
        next_index = Signal(COUNT_BITS + 1)
        m.d.comb += next_index.eq(round_index + 1)
        next_offset, next_filling = Signal(), Signal()
        m.d.sync += [
            next_offset.eq(next_index < parameters.offset_rows),
            next_filling.eq(next_index != parameters.fill),
        ]
        with m.If(self.ends_round):
            m.d.sync += [
                round_index.eq(next_index),
                offset.eq(next_offset),
                self.begins.eq(leaves),
                self.initial.eq(0),
            ]
            with m.If(filling & ~next_filling):
                m.d.sync += [filling.eq(0), self.begins.eq(1), self.initial.eq(1)]
        # A round that was decided after the step had ended does not end the next.
        assert STEP_ROUNDS == 2
        with m.If(self.decided & ~filling & ~self.begins):
            m.d.sync += finished.eq(~self.unfinished)
        with m.If(self.ends_round | starting):
            m.d.sync += finished.eq(0)
        with m.If(take_step):
            m.d.sync += [
                self.step.eq(self.next_step),
                self.step_index.eq(self.step_index + 1),
                self.current_step.eq(self.step_index),
            ]
        with m.If(starting):
            m.d.sync += [
                self.run.eq(1),
                window.eq(self.first_window),
                slot.eq(0),
                round_index.eq(0),
                offset.eq(1),
                filling.eq(1),
                self.begins.eq(0),
                self.initial.eq(0),
            ]
        with m.If(ends | self.stop | self.start):
            m.d.sync += [self.run.eq(0), self.step_index.eq(0)]

        flips_next = Signal()  # the next round flips a spin
        m.d.sync += flips_next.eq(
            filling & parameters.initial[0] & ~next_offset & (self.spin != size.spins)
        )
        with m.If(~self.run):
            m.d.sync += self.spin.eq(parameters.first)
        with m.Elif(self.ends_round & flips_next):
            m.d.sync += self.spin.eq(self.spin + 1)
        spared = Signal(size.replicas)  # have no turns until the step ends
        in_next_round = Mux(flips_next, self.states, Mux(finished, ~0, ~spared))
        some = self._next_slot(m, starting, more, in_next_round)
        idle = self._turn(m, filling, offset, round_index, flips_next & some)
        spared_count = Signal(range(size.replicas))
        with m.If(starting | leaves):
            m.d.sync += [spared.eq(0), spared_count.eq(0)]
        with m.Elif(self.first & idle & (spared_count != size.replicas - size.least_turns)):
            m.d.sync += [spared.bit_select(slot, 1).eq(1), spared_count.eq(spared_count + 1)]
        return m

    def _next_slot(self, m: Module, starting, more, in_next_round) -> Signal:
        """Whose turn is next; returned is whether there is such a replica.

        There is time for that: what changes does so at the beginning of a turn.
        """
        replicas = self._size.replicas
        pending, behind = Signal(replicas), Signal(replicas)  # in this round; behind the next
        following = Signal(replicas)
        some = Signal()
        m.d.sync += [
            more.eq(pending.any()),
            following.eq(Mux(more, pending, in_next_round)),
            some.eq(following.any()),
            behind.eq(following & (following - 1)),
            self.next_slot.eq(0),
        ]
        for index in reversed(range(replicas)):
            with m.If(following[index]):
                m.d.sync += self.next_slot.eq(index)
        with m.If(starting):
            m.d.sync += pending.eq((1 << replicas) - 2)
        with m.Elif(self.last):
            m.d.sync += pending.eq(behind)
        return some

    def _turn(self, m: Module, filling, offset, round_index, flips_next) -> Value:
        """What the turn does: as its replica has found, or offset rows, then initial states.

        Returned is whether the replica has done its sweeps, and nothing is left of them.
        """
        size, parameters, slot = self._size, self.parameters, self.place.slot
        flipped = Signal(range(size.spins))
        flips = Signal()
        with m.If(~self.run):
            m.d.sync += flips.eq(0)
        with m.Elif(self.ends_round):
            m.d.sync += [flipped.eq(self.spin), flips.eq(flips_next)]

        found = Signal.like(self.progress.flip)
        keep, left, rests = Signal(), Signal(), Signal()
        with m.If(self.last):
            m.d.sync += [
                found.eq(self.progress.flip),
                keep.eq(self.progress.keep),
                left.eq(self.progress.left != 0),
                rests.eq(self.progress.rest != 0),
            ]
        turn = self.turn
        m.d.comb += self.waits.eq(
            Mux(slot[0], self.step.moving == Moving.EVEN, self.step.moving == Moving.ODD)
        )
        with m.If(filling):
            m.d.comb += [
                turn.add.eq(self.run & offset),
                turn.subtract.eq(self.run & flips),
                turn.clear.eq(round_index == 0),
                turn.flip.valid.eq(turn.subtract),
                turn.flip.spin.eq(flipped),
                self.row.eq(Mux(offset, offset_place(size, round_index), flipped)),
            ]
        with m.Else():
            m.d.comb += [
                turn.add.eq(self.run & found.valid & found.negative),
                turn.subtract.eq(self.run & found.valid & ~found.negative),
                turn.flip.eq(found),
                turn.keep.eq(self.run & keep),
                turn.active.eq(
                    self.run & Mux(self.begins, ~self.waits, left) & (self.initial | ~rests)
                ),
                turn.cursor.eq(Mux(found.valid, found.spin + 1, parameters.first)),
                self.row.eq(found.spin),
            ]
        return ~filling & ~self.begins & ~left & ~keep
