"""The records of the replicas: progress and energies of each.

All records lie in one block RAM with one read port, which is enough because a turn takes at least
`MIN_TURN` cycles: the few words of a replica are read, changed and written one after the other.
"""

from __future__ import annotations

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import SWEEPS, AnnealerSize

from ..common.delay import delay
from ..common.interface import COUNT_BITS, slot_bits
from .interface import flip_layout, progress_layout
from .lanes import ACCEPTED
from .search import FOUND

ENERGY_READ = ACCEPTED - 1
"""Cycles from a turn's last window to the read of its energies, whose data come in the next cycle:
together with the flipped spin's field."""

PROGRESS_READ = ACCEPTED + FOUND - 1
"""Cycles from a turn's last window to the read of its progress, whose data come in the next cycle:
together with the search's result."""


class Records(wiring.Component):
    """Brings energies and progress of a replica up to date during the turn after its own.

    One memory holds both, in neighbouring words. During a turn the energies of the turn before are
    read, two cycles later its progress, and at the end of the turn the progress of the replica that
    is next.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with windows.

    Ports
    -----
    run : In(1)
        High while turns are taken. Otherwise nothing is brought up to date.
    slot : In(slot_bits(size))
        Replica whose turn it is; while nothing runs, the replica whose energies the host reads.
    next_slot : In(slot_bits(size))
        Replica that has the next turn.
    before_last, last, ends_round : In(1)
        As from `Turns`: the window of this cycle is the last but one of its pass; it is the last;
        the pass is the last of its round.
    active, zero, initial, begins, waits, subtract : In(1)
        What the turn does, stable through its pass. `active`: it compares spins. `zero`: the
        replica's energy becomes zero. `initial`: its energy becomes its best one. `begins`: the
        turn is the replica's first of a step. `waits`: the replica does not move in the step.
        `subtract`: the row of couplings is subtracted.
    flipped : In(signed(field_bits))
        Field of the flipped spin from `Lanes`, `ACCEPTED` cycles after the last window.
    found : In(flip_layout(size))
        The search's result, ``ACCEPTED + FOUND`` cycles after the last window.
    sweeps : In(16)
        Sweeps of the step.
    refresh : In(16)
        Turns that a replica sits out after a sweep.
    progress : Out(progress_layout(size))
        Progress of replica `next_slot`, one cycle after `before_last`.
    decided : Out(1)
        Strobe: the last turn of a round has been processed.
    unfinished : Out(1)
        In the cycle of `decided`: some replica has sweeps left.
    energy, best : Out(signed(energy bits))
        Half the energy and half the best energy of replica `slot`, one cycle later, while nothing
        runs.

    Latency: the new progress is in the memory ``PROGRESS_READ + 2`` cycles after the turn's last
    window.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        super().__init__(
            {
                "run": In(1),
                "slot": In(slot_bits(size)),
                "next_slot": In(slot_bits(size)),
                "before_last": In(1),
                "last": In(1),
                "ends_round": In(1),
                "active": In(1),
                "zero": In(1),
                "initial": In(1),
                "begins": In(1),
                "waits": In(1),
                "subtract": In(1),
                "flipped": In(signed(size.field_bits)),
                "found": In(flip_layout(size)),
                "sweeps": In(SWEEPS.width),
                "refresh": In(COUNT_BITS),
                "progress": Out(progress_layout(size)),
                "decided": Out(1),
                "unfinished": Out(1),
                "energy": Out(signed(size.energy.width)),
                "best": Out(signed(size.energy.width)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        width = signed(size.energy.width)
        # Word 2 r has the energies of replica r, word 2 r + 1 its progress.
        energies = data.StructLayout({"energy": width, "best": width})
        record = data.UnionLayout({"energies": energies, "progress": progress_layout(size)})
        m.submodules.records = records = memory.Memory(
            shape=record, depth=2 * size.replicas, init=[]
        )
        read, write = records.read_port(), records.write_port()
        stored_energies, stored = read.data.energies, read.data.progress
        m.d.comb += [
            self.progress.eq(stored),
            self.energy.eq(stored_energies.energy),
            self.best.eq(stored_energies.best),
        ]

        # The turn that has just ended is processed during the next pass, so what it did is kept.
        slot = Signal.like(self.slot)
        names = ("active", "zero", "initial", "begins", "waits", "subtract", "ends_round")
        turn = Signal(data.StructLayout({name: 1 for name in names}))
        with m.If(self.last):
            m.d.sync += [slot.eq(self.slot), *(turn[n].eq(getattr(self, n)) for n in names)]

        # After the run's last turn nothing is left to process, and the host may read.
        reads_energies = delay(m, self.last, ENERGY_READ) & self.run
        reads_progress = delay(m, self.last, PROGRESS_READ) & self.run
        with m.If(reads_energies):
            m.d.comb += read.addr.eq(slot << 1)
        with m.Elif(reads_progress):
            m.d.comb += read.addr.eq(slot << 1 | 1)
        with m.Elif(self.before_last):
            m.d.comb += read.addr.eq(self.next_slot << 1 | 1)
        with m.Else():
            m.d.comb += read.addr.eq(self.slot << 1)

        # Energies, one operation a cycle: the new energy, whether it is the best, the write. The
        # first two are carry chains over all bits of an energy, too long for one cycle together.
        energy, best, better = Signal(width), Signal(width), Signal()
        got_energies = delay(m, reads_energies, 1)
        # `flipped` is inverted if it is to be subtracted: the missing 1 is a carry.
        changed = stored_energies.energy + self.flipped + turn.subtract
        with m.If(got_energies):
            m.d.sync += [
                energy.eq(Mux(turn.zero, 0, changed)),
                best.eq(stored_energies.best),
            ]
        compares = delay(m, got_energies, 1)
        with m.If(compares):
            m.d.sync += better.eq((energy < best) | turn.initial)

        # Progress. A turn that compared and found nothing has ended a sweep.
        after = Signal(progress_layout(size))
        got_progress = delay(m, reads_progress, 1)
        ended = turn.active & ~self.found.valid
        left = Signal(SWEEPS.width)
        rest = Mux(turn.initial, 0, stored.rest)
        m.d.comb += left.eq(Mux(turn.begins, Mux(turn.waits, 0, self.sweeps), stored.left) - ended)
        with m.If(got_progress):
            m.d.sync += [
                after.flip.eq(self.found),
                after.flip.valid.eq(self.found.valid & turn.active),
                after.keep.eq(better),
                after.left.eq(left),
                after.rest.eq(Mux(ended, self.refresh, rest - (rest != 0))),
            ]

        writes_energies = delay(m, compares, 1)
        writes_progress = delay(m, got_progress, 1)
        m.d.comb += [
            write.en.eq(writes_energies | writes_progress),
            write.addr.eq(slot << 1 | writes_progress),
        ]
        with m.If(writes_progress):
            m.d.comb += write.data.progress.eq(after)
        with m.Else():
            m.d.comb += [
                write.data.energies.energy.eq(energy),
                write.data.energies.best.eq(Mux(better, energy, best)),
            ]

        # Whether a replica of this round has sweeps left, gathered turn by turn.
        unfinished = Signal()
        m.d.comb += [
            self.decided.eq(got_progress & turn.ends_round),
            self.unfinished.eq(unfinished | (left != 0)),
        ]
        with m.If(got_progress):
            m.d.sync += unfinished.eq(self.unfinished & ~turn.ends_round)
        return m
