"""States and local fields of all spins of all replicas, a window of them at a time.

A *lane* is a place in a window: one adder, one comparator, and a column of the block RAMs. Lane k
serves the spins k, k + window, k + 2 * window and so on, of all replicas, one after the other.
"""

from __future__ import annotations

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import AnnealerSize

from ...primitives import Family
from ...primitives.comparison import Comparison
from ..common.delay import delay, delay_fields
from .interface import lane_bits, pass_layout, place_layout

READ = 2
"""Cycles from a place to its states: a register in front of the block RAM, so that the row of
couplings has one more cycle than the states, and one cycle of the block RAM."""

COMPARED = READ + 1
"""Cycles from a place to the comparison with thresholds: one more to add the row."""

ACCEPTED = COMPARED + 1
"""Cycles from a place to the spins that accept: one more to compare."""


class Lanes(wiring.Component):
    """Updates the fields of one window a cycle, and compares them with thresholds in the next.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Ports
    -----
    run : In(1)
        High while turns are taken. Otherwise nothing is written.
    place : In(place_layout(size))
        Replica, and its window, of this cycle.
    first : In(1)
        The window is the first of its pass.
    turn : In(pass_layout(size))
        What the turn does; stable through the pass.
    row : In(window x signed(coupling_bits))
        The window's part of the row of couplings, one cycle after `place`.
    thresholds : In(window x threshold_bits)
        Random thresholds, `COMPARED` cycles after `place`.
    accept, negative : Out(window)
        `ACCEPTED` cycles after `place`: for each lane whether its spin would flip, and whether it
        is -1.
    flipped : Out(signed(field_bits))
        `ACCEPTED` cycles after the last window: local field of the spin that the pass has flipped,
        0 if there is none; inverted bit by bit if the spin's row was subtracted. Valid for one
        cycle, as the next pass begins then.
    state, best : Out(window)
        `READ` cycles after `place`: state of that window before the turn, and best state of it; 1
        for a negative spin.

    Latency: `ACCEPTED` cycles from a place to the spins that accept.

    Resources: block RAM for states, best states and fields; a lane of an iCE40 takes a look-up
    table for each bit of its field to add, and two to compare.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        lanes = size.window
        super().__init__(
            {
                "run": In(1),
                "place": In(place_layout(size)),
                "first": In(1),
                "turn": In(pass_layout(size)),
                "row": In(data.ArrayLayout(signed(size.coupling_bits), lanes)),
                "thresholds": In(data.ArrayLayout(size.threshold_bits, lanes)),
                "accept": Out(lanes),
                "negative": Out(lanes),
                "flipped": Out(signed(size.field_bits)),
                "state": Out(lanes),
                "best": Out(lanes),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size, lanes, turn = self._size, self._size.window, self.turn
        low = lane_bits(size)

        # The lowest bit of a field stands apart from the rest: a flip changes a field by twice a
        # coupling, so no flip changes that bit. It is the same in all replicas, but kept for each:
        # one register a spin would need multiplexers over all windows.
        cells = data.StructLayout(
            {
                "negative": lanes,
                "lowest": lanes,
                "upper": data.ArrayLayout(signed(size.field_bits - 1), lanes),
            }
        )
        depth = size.replicas << len(self.place.window)
        m.submodules.cells = stored = memory.Memory(shape=cells, depth=depth, init=[])
        m.submodules.bests = bests = memory.Memory(shape=lanes, depth=depth, init=[])
        read, write = stored.read_port(), stored.write_port()
        read_best, write_best = bests.read_port(), bests.write_port()

        # Cycle 1: the row, inverted if it is to be subtracted, and 0 if nothing is added.
        addressed = delay(m, self.place, 1)
        late = delay_fields(m, 1, add=turn.add, subtract=turn.subtract, clear=turn.clear)
        add, subtract, clear = late.add, late.subtract, delay(m, late.clear, 1)
        term = Signal(self.row.shape(), reset_less=True)
        inverted = self.row.as_value() ^ subtract.replicate(len(self.row.as_value()))
        m.d.sync += term.eq(Mux(add | subtract, inverted, 0))
        m.d.comb += [read.addr.eq(addressed), read_best.addr.eq(addressed)]

        # Cycle 2: fields and states after the update. An inverted row needs 1 more to be the
        # negative, which is the carry into the adder.
        here = turn.flip.valid & (turn.flip.spin[low:] == self.place.window)
        flip = delay(m, here, READ)
        lane = delay(m, turn.flip.spin[:low], READ)
        carry = delay(m, subtract, 1)
        after = Signal(cells, reset_less=True)
        chosen = Cat((lane == index) & flip for index in range(lanes))
        m.d.sync += after.negative.eq((read.data.negative ^ chosen) & ~clear.replicate(lanes))
        for index in range(lanes):
            m.d.sync += [
                after.upper[index].eq(read.data.upper[index] + term[index] + carry),
                after.lowest[index].eq(Mux(clear, term[index][0], read.data.lowest[index])),
            ]
            # An override, which synthesis can turn into a synchronous reset of the registers, and
            # not a multiplexer behind the adder.
            with m.If(clear):
                m.d.sync += after.upper[index].eq(0)
        updated = delay(m, addressed, READ - 1)
        m.d.comb += [
            write_best.en.eq(delay(m, turn.keep & self.run, READ)),
            write_best.addr.eq(updated),
            write_best.data.eq(read.data.negative),
            self.state.eq(read.data.negative),
            self.best.eq(read_best.data),
        ]

        # Cycle 3: written back; compared. The cursor's window compares the lanes at or after the
        # cursor, the windows after it all lanes, those before it none.
        m.d.comb += [
            write.en.eq(delay(m, self.run, COMPARED)),
            write.addr.eq(delay(m, updated, 1)),
            write.data.eq(after),
        ]
        cursor_lane = delay(m, turn.cursor[:low], READ)
        behind = Signal(lanes, reset_less=True)
        m.d.sync += behind.eq(Cat(cursor_lane <= index for index in range(lanes)))
        cursor_window = turn.cursor[low:]
        beyond = delay(m, turn.active & (cursor_window < self.place.window), COMPARED)
        within = delay(m, turn.active & (cursor_window == self.place.window), COMPARED)
        fields = [Cat(after.lowest[index], after.upper[index]) for index in range(lanes)]
        accept = Signal(lanes, reset_less=True)
        negative = Signal(lanes, reset_less=True)
        for index in range(lanes):
            # The behavioural comparison on every family: only an ECP5's carry chain is built by
            # hand, and this engine is for other devices.
            comparison = Comparison(size.threshold_bits, size.field_bits, Family.BEHAVIOURAL)
            m.submodules[f"comparison_{index}"] = comparison
            m.d.comb += [
                comparison.threshold.eq(self.thresholds[index]),
                comparison.value.eq(fields[index]),
                comparison.negate.eq(after.negative[index]),
                comparison.enable.eq(Cat(beyond, within & behind[index])),
            ]
            m.d.sync += accept[index].eq(comparison.result)
        m.d.sync += negative.eq(after.negative)
        m.d.comb += [self.accept.eq(accept), self.negative.eq(negative)]

        # The flipped spin's field, for the energy, comes along in one window of the pass. Inverting
        # it here leaves only the 1 of the negation to `Records`.
        flip, first = delay(m, flip, 1), delay(m, self.first, COMPARED)
        lane = delay(m, lane, 1)
        inverts = delay(m, carry, 1).replicate(size.field_bits)
        with m.If(flip):
            field = Cat(fields).word_select(lane, size.field_bits)
            m.d.sync += self.flipped.eq(field ^ inverts)
        with m.Elif(first):
            m.d.sync += self.flipped.eq(0)
        return m
