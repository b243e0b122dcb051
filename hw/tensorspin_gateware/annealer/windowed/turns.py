"""The order of a run: windows, turns, rounds, steps, and its end.

A turn of a replica is a pass over its windows, one window a cycle; a *round* is a turn of each
replica that has something to do. A run begins with *fill rounds*, in which turns compare nothing:
they bring the local fields of all replicas to the initial states. Then come the steps of the
schedule; a step ends when all replicas have done its sweeps.
"""

from __future__ import annotations

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import state_bytes
from tensorspin.contract.annealer.size import STEP_ROUNDS, AnnealerSize, Moving
from tensorspin.contract.annealer.windows import MIN_TURN

from ..common.interface import COUNT_BITS, offset_place, parameters_layout, slot_bits, step_layout
from ..common.run import advance_step, await_start, end_run, step_strobes
from .interface import (
    lane_bits,
    pass_layout,
    place_layout,
    progress_layout,
    row_index_bits,
    window_bits,
)


class Turns(wiring.Component):
    """Gives the replicas their turns, a pass over the windows each, one replica after the other.

    Within a round the replicas come in the order of their numbers, without those that have nothing
    to do, as `tensorspin.contract.annealer.windows` says.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Ports
    -----
    start : In(1)
        Strobe: a run starts, whose first turn begins `START` cycles later.
    stop : In(1)
        Strobe: the run ends in the next cycle.
    parameters : In(parameters_layout(size))
        Parameters of the run; stable while it lasts.
    next_step : In(step_layout(size))
        Step `step_index`.
    step_index : Out(range(steps + 1))
        Index of the step after the running one.
    spin : Out(range(spins + 1))
        Spin whose initial states are read: that of the next fill round that flips one.
    states : In(8 x state_bytes)
        Initial states of spin `spin`, one cycle later: a bit for each replica, 1 for a negative
        spin.
    progress : In(progress_layout(size))
        Progress of replica `next_slot`, in the cycle of `last`.
    decided : In(1)
        Strobe from `Records`: the last turn of a round has been processed.
    unfinished : In(1)
        With `decided`: some replica has sweeps left.
    read_place : In(place_layout(size))
        Window of a replica that the host reads, while nothing runs.
    running : Out(1)
        High from the cycle after `start` until the run has ended.
    run : Out(1)
        High while turns are taken.
    current_step : Out(COUNT_BITS)
        Index of the running step, or of the last one if nothing runs.
    step : Out(step_layout(size))
        The running step.
    place : Out(place_layout(size))
        Replica and window of this cycle. While nothing runs: `read_place`, one cycle later.
    first_window : Out(window_bits(size))
        Number of the window with which passes begin: the first with a variable, or an earlier one
        where a pass would be shorter than `MIN_TURN`.
    first, before_last, last : Out(1)
        The window of this cycle is the first of its pass, the last but one, the last.
    ends_round : Out(1)
        With `last`: the turn is the last of its round.
    next_slot : Out(slot_bits(size))
        Replica that has the next turn; valid with `before_last` and `last`.
    row : Out(row_index_bits(size))
        Row of couplings that the turn adds or subtracts.
    turn : Out(pass_layout(size))
        What the turn does; stable through its pass.
    zero : Out(1)
        High while the energies are held at zero: in the fill rounds that add offset rows.
    initial : Out(1)
        High in the first round that may compare.
    begins : Out(1)
        High in the first round of a step.
    waits : Out(1)
        The replica whose turn it is does not move in this step.

    Latency: the flip that a turn has found is applied in the next turn of the same replica.

    Resources: about 350 LUTs (iCE40).
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "start": In(1),
                "stop": In(1),
                "parameters": In(parameters_layout(size)),
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
        filling = Signal()  # the round is a fill round
        offset = Signal()  # the round adds an offset row
        finished = Signal()  # after the round before this one, no replica had a sweep left
        starting = Signal()
        leaves = Signal()  # the last cycle of a step
        more = Signal()  # there are more turns in this round

        window, slot = self.place.window, self.place.slot
        least = Signal(range(size.windows + 1))
        # A pass has at least `MIN_TURN` windows, because `Records` takes that long for a turn.
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
        pending = await_start(m, self)
        m.d.comb += [
            starting.eq(pending[-1]),
            # All sweeps of a step are done before its last round begins, but that is known only
            # in the middle of the round.
            leaves.eq(self.ends_round & finished),
        ]
        _, take_step, ends = step_strobes(m, self, pending, starting, leaves)
        m.d.comb += self.zero.eq(filling & offset)
        # The next round's number is compared one cycle early, into registers: the path from here to
        # the address of the row of couplings is long enough without the comparisons.
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
        # The last turn of a round is decided in the next round. If no replica has a sweep left
        # then, the step ends with that next round. The decision about that round falls into the
        # first round of the following step, and `begins` keeps it from ending that step at once.
        assert STEP_ROUNDS == 2
        with m.If(self.decided & ~filling & ~self.begins):
            m.d.sync += finished.eq(~self.unfinished)
        with m.If(self.ends_round | starting):
            m.d.sync += finished.eq(0)
        advance_step(m, self, take_step)
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
        end_run(m, self, ends)

        flips_next = Signal()  # the next round flips a spin
        m.d.sync += flips_next.eq(
            filling & parameters.initial[0] & ~next_offset & (self.spin != size.spins)
        )
        with m.If(~self.run):
            m.d.sync += self.spin.eq(parameters.first)
        with m.Elif(self.ends_round & flips_next):
            m.d.sync += self.spin.eq(self.spin + 1)
        # A bit for each replica that has done its sweeps, and has no turns until the step ends.
        spared = Signal(size.replicas)
        # A spin that no replica has to flip still makes a round: of one turn, which flips nothing.
        in_next_round = Mux(flips_next, self.states, Mux(finished, ~0, ~spared))
        some = self._next_slot(m, starting, more, in_next_round)
        idle = self._turn(m, filling, offset, round_index, flips_next & some)
        spared_count = Signal(range(size.replicas))
        with m.If(starting | leaves):
            m.d.sync += [spared.eq(0), spared_count.eq(0)]
        # At least `least_turns` turns remain in a round: a replica must not have its next turn
        # before its record is written, nor before enough thresholds have been drawn for it to see
        # none twice.
        with m.Elif(self.first & idle & (spared_count != size.replicas - size.least_turns)):
            m.d.sync += [spared.bit_select(slot, 1).eq(1), spared_count.eq(spared_count + 1)]
        return m

    def _next_slot(self, m: Module, starting: Value, more: Signal, in_next_round: Value) -> Signal:
        """Choose the replica that has the next turn, the lowest that is left in the round.

        The choice passes three registers. There is time for them: the inputs of the choice change
        at the beginning of a turn, and its result is needed at the end.

        Returns
        -------
        Signal
            High if there is such a replica: in this round or, after its last turn, in the next.
        """
        replicas = self._size.replicas
        # A bit for each replica. `pending`: its turn in this round is still to come. `following`:
        # it may get the next turn. `behind`: it may get a turn after the next one.
        pending, behind = Signal(replicas), Signal(replicas)
        following = Signal(replicas)
        some = Signal()
        m.d.sync += [
            more.eq(pending.any()),
            following.eq(Mux(more, pending, in_next_round)),
            some.eq(following.any()),
            # The bits of `following` without the lowest one that is set, the chosen replica's.
            behind.eq(following & (following - 1)),
            self.next_slot.eq(0),
        ]
        for index in reversed(range(replicas)):
            with m.If(following[index]):
                m.d.sync += self.next_slot.eq(index)
        with m.If(starting):
            # The first round has a turn of every replica, and that of replica 0 has begun.
            m.d.sync += pending.eq((1 << replicas) - 2)
        with m.Elif(self.last):
            m.d.sync += pending.eq(behind)
        return some

    def _turn(
        self, m: Module, filling: Value, offset: Value, round_index: Value, flips_next: Value
    ) -> Value:
        """Choose what the turn does: in fill rounds add offset rows, then flip to initial states.

        In other rounds a turn applies the flip that the replica's last turn has found, and compares
        the spins after the flipped one.

        Returns
        -------
        Value
            High if the replica has done its sweeps and has nothing left to apply.
        """
        size, parameters, slot = self._size, self.parameters, self.place.slot
        flipped = Signal(range(size.spins))
        flips = Signal()
        with m.If(~self.run):
            m.d.sync += flips.eq(0)
        with m.Elif(self.ends_round):
            m.d.sync += [flipped.eq(self.spin), flips.eq(flips_next)]

        # The progress is valid only in the last cycle of the turn before; these registers keep it.
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
