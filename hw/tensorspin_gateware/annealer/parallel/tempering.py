"""Parallel tempering: the replicas' ranks on the ladder, their probabilities, and exchanges.

Each replica has a *rank* on a *ladder* of temperatures, from hot to cold, and two neighbours on the
ladder exchange their ranks with a probability that depends on their energies. Only the rank moves,
which is a few bits; states and fields stay with their replica.
"""

from __future__ import annotations

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.size import (
    FIRST_DIGIT,
    LADDER_READ,
    PROBABILITY,
    AnnealerSize,
    Exchange,
)
from tensorspin.contract.annealer.thresholds import WORD_BITS

from ..common.interface import rank_layout, slot_bits, step_layout


class Tempering(wiring.Component):
    """Keeps the rank of each replica, gives each turn its probabilities, and exchanges ranks.

    The table in `tensorspin.contract.annealer.tempering` says what happens in which cycle of an
    exchange. Pairs are processed one after the other, while the turns go on without comparing.

    Parameters
    ----------
    size : AnnealerSize
        Size of an annealer with tempering.

    Ports
    -----
    slot : In(slot_bits(size))
        Number of the replica whose turn begins.
    ahead : In(slot_bits(size))
        Number of the replica whose turn begins `LADDER_READ` cycles later.
    run : In(1)
        High while turns begin.
    reset : In(1)
        High in fill rounds and while nothing runs. In fill rounds each replica gets its own number
        as its rank; the ranks at the end of a run stay, for the host to read.
    next_step : In(step_layout(size))
        Step that the turn of the next cycle belongs to.
    begin : In(1)
        Strobe: the exchanges of the running step begin in the next cycle.
    exchange : In(Exchange)
        Which pairs of the ladder are exchanged, in the cycle of `begin`.
    energy : In(signed(energy bits))
        Half the energy of replica `energy_slot`; combinational.
    energy_slot : Out(slot_bits(size))
        Number of the replica whose energy is read.
    word : In(WORD_BITS)
        Uniform random number, another in each cycle.
    rank_index : Out(slot_bits(size))
        Rank that is read from the memory of the ladder.
    rank_word : In(rank_layout(size))
        That rank, one cycle later.
    probabilities : Out(threshold_bits x 16)
        Probabilities of the threshold's digits for the turn that begins: those of the replica's
        rank in a step with exchanges, those of the step otherwise.
    rank : Out(slot_bits(size))
        Rank of replica `slot`; combinational.

    Latency: an exchange takes `AnnealerSize.pair_cycles` cycles, `LADDER_READ` from a replica's
    number to its probabilities.
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._size = size
        slot = slot_bits(size)
        digits = data.ArrayLayout(PROBABILITY.width, size.threshold_bits)
        super().__init__(
            {
                "slot": In(slot),
                "ahead": In(slot),
                "run": In(1),
                "reset": In(1),
                "next_step": In(step_layout(size)),
                "begin": In(1),
                "exchange": In(Exchange),
                "energy": In(signed(size.energy.width)),
                "energy_slot": Out(slot),
                "word": In(WORD_BITS),
                "rank_index": Out(slot),
                "rank_word": In(rank_layout(size)),
                "probabilities": Out(digits),
                "rank": Out(slot),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        slot = slot_bits(size)
        # The permutation is kept both ways: turns ask for a replica's rank, exchanges for the
        # replica of a rank.
        m.submodules.ranks = ranks = memory.Memory(shape=slot, depth=size.replicas, init=[])
        m.submodules.replicas = replicas = memory.Memory(shape=slot, depth=size.replicas, init=[])
        rank_ahead, rank_now = ranks.read_port(domain="comb"), ranks.read_port(domain="comb")
        replica_at = replicas.read_port(domain="comb")
        new_rank, new_replica = ranks.write_port(), replicas.write_port()

        active = Signal()
        count = Signal(range(size.pair_cycles))  # cycle of the pair
        first_rank = Signal(slot)
        first, second = Signal(slot), Signal(slot)  # replicas of the pair, the hotter first
        first_energy = Signal.like(self.energy)
        rest = Signal(signed(size.energy.width + 1))
        below = Signal()
        digits = Signal(PROBABILITY.width * size.exchange_bits)
        accept = Signal()
        places_second = Signal()

        # The probabilities are looked up two cycles ahead of their turn: the memory of the ladder
        # takes one cycle, the choice between ladder and step the other.
        assert LADDER_READ == 2
        m.d.comb += [
            rank_ahead.addr.eq(self.ahead),
            self.rank_index.eq(
                # No turn compares during exchanges, which so have the ladder to themselves.
                Mux(active, first_rank, Mux(self.reset, self.ahead, rank_ahead.data))
            ),
            rank_now.addr.eq(self.slot),
            self.rank.eq(rank_now.data),
        ]
        m.d.sync += self.probabilities.eq(
            Mux(
                self.next_step.exchange == Exchange.NONE,
                self.next_step.probabilities,
                self.rank_word.probabilities,
            )
        )

        # A pair is exchanged if half the difference of its energies, hot less cold, is not above a
        # random threshold. Threshold and difference are compared digit by digit from the lowest on,
        # so that one comparator of a random word draws all digits: `below` says that the digits so
        # far leave the difference at or below the threshold, and a higher digit that differs
        # overrules it. What is left of the difference above the threshold's digits decides first:
        # a negative rest accepts in any case, a positive one never.
        digit = Signal()
        last = size.pair_cycles - 1
        m.d.comb += [
            replica_at.addr.eq(Mux(count == 0, first_rank, first_rank + 1)),
            self.energy_slot.eq(Mux(count == 1, first, second)),
            digit.eq(self.word < digits[: PROBABILITY.width]),
            accept.eq((rest < 0) | ((rest == 0) & below)),
            # Both memories have one write port, so the two new ranks take two cycles.
            places_second.eq(count == last - 1),
            new_rank.addr.eq(Mux(places_second, second, first)),
            new_rank.data.eq(Mux(places_second, first_rank, first_rank + 1)),
            new_replica.addr.eq(new_rank.data),
            new_replica.data.eq(new_rank.addr),
            new_rank.en.eq(active & accept & (count >= last - 1)),
            new_replica.en.eq(new_rank.en),
        ]
        with m.If(self.reset & self.run):
            # The turns of the fill rounds visit all replicas, and write both memories on the way.
            m.d.comb += [
                new_rank.addr.eq(self.slot),
                new_rank.data.eq(self.slot),
                new_rank.en.eq(1),
            ]
        with m.If(count == 0):
            m.d.sync += first.eq(replica_at.data)
        with m.If(count == 1):
            m.d.sync += [second.eq(replica_at.data), first_energy.eq(self.energy)]
        with m.If(count == FIRST_DIGIT - 1):
            m.d.sync += [
                rest.eq(first_energy - self.energy),
                below.eq(1),
                digits.eq(self.rank_word.exchanges),
            ]
        with m.Elif(count < FIRST_DIGIT + size.exchange_bits):
            m.d.sync += [
                rest.eq(rest >> 1),
                below.eq(Mux(rest[0] == digit, below, digit)),
                digits.eq(digits >> PROBABILITY.width),
            ]
        with m.If(active):
            m.d.sync += count.eq(count + 1)
            with m.If(count == last):
                m.d.sync += [count.eq(0), first_rank.eq(first_rank + 2)]
                # The last pair begins with the last rank but one, or with the one before that where
                # the last rank has no partner.
                with m.If(first_rank >= size.replicas - 3):
                    m.d.sync += active.eq(0)
        with m.If(self.begin):
            m.d.sync += [
                active.eq(1),
                count.eq(0),
                first_rank.eq(self.exchange == Exchange.ODD),
            ]
        with m.If(self.reset):
            m.d.sync += active.eq(0)
        return m
