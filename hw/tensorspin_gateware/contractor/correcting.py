"""The sequencer of a contractor that corrects headers of protected programs."""

from __future__ import annotations

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.program import HEADER_BITS
from tensorspin.contract.contractor.protection import HEADER_DATA_BITS

from .protection import HeaderCorrection
from .sequencer import HeaderState, Sequencer


class CorrectingSequencer(Sequencer):
    """A `Sequencer` whose headers pass a register in which they are corrected.

    There is time for it: a header stands before the weights of the node before, and waits until
    that node has been issued. Only the first header of a program is wanted at once. In a program
    without codes it does not pass the register, so that such programs take as many cycles as on a
    contractor that corrects nothing; with codes a program takes one more.

    Parameters
    ----------
    size : ContractorSize
        Number of lanes, and latencies; with `protected`.

    Ports
    -----
    coded : In(1)
        The program is protected. Constant during a run.
    weight_protected : Out(1)
        Like `weight`: whether the weights are protected.
    used : Out(57)
        The header that was taken in the cycle before, corrected and without its checks.
    used_new : Out(1)
        There is one.
    fault : Out(1)
        As for `Sequencer`; or a header was taken that cannot be corrected.

    All other ports are those of `Sequencer`.

    Latency: that of `Sequencer`, and one cycle more until the first element of a protected program.
    """

    def _further_ports(self) -> dict[str, wiring.Member]:
        return {
            "coded": In(1),
            "weight_protected": Out(1),
            "used": Out(HEADER_DATA_BITS),
            "used_new": Out(1),
        }

    def _take_headers(
        self, m: Module, headers: HeaderState, word_due: Signal, last_due: Signal
    ) -> None:
        m.submodules.correction = correction = HeaderCorrection()
        # A header that is being corrected: whether it is there, the first one, past the end.
        coming, coming_first, coming_past = Signal(), Signal(), Signal()
        arrives = Signal()
        header_protected, following_protected = Signal(), Signal()
        direct = headers.first_header & ~self.coded
        direct_stop = headers.offered.last | self.overrun
        stop = correction.header.last | coming_past
        ended = Mux(arrives, stop, headers.ended)
        free = ~coming | arrives
        if self._ahead:
            # By its turn, the header before it has been loaded; see `Sequencer`.
            free = 1
        m.d.comb += [
            headers.offered.eq(self.words.payload[:HEADER_BITS]),
            headers.load.eq(headers.following_valid & ~headers.active),
            arrives.eq(coming & (~headers.following_valid | headers.load)),
            headers.take_header.eq(headers.header_turn & self.words.valid & free),
            correction.word.eq(self.words.payload[:HEADER_BITS]),
            correction.coded.eq(self.coded),
            correction.take.eq(headers.take_header),
            self.used.eq(correction.used),
            self.weight_protected.eq(self._delayed(m, header_protected, "protected")[-1]),
        ]
        if self._ahead:
            m.d.comb += self.ready_next.eq(
                word_due[-2]
                | (last_due[-1] & ~ended)
                | (headers.header_turn & Mux(self.words.valid, direct & ~direct_stop, 1))
                | (arrives & coming_first & ~stop)
            )
            m.d.sync += self.words.ready.eq(self.ready_next | ~self.run)
        else:
            m.d.comb += self.words.ready.eq(headers.take_header | word_due[-1])
        with m.If(headers.load):
            m.d.sync += [
                self.header.eq(headers.following),
                header_protected.eq(following_protected),
                headers.active.eq(1),
                headers.following_valid.eq(0),
            ]
        m.d.sync += [self.header_new.eq(headers.load), self.used_new.eq(headers.take_header)]
        with m.If(arrives):
            m.d.sync += [
                headers.following.eq(correction.header),
                headers.following.last.eq(stop),
                following_protected.eq(correction.protected),
                headers.following_valid.eq(1),
                headers.ended.eq(stop),
                coming.eq(0),
            ]
            with m.If(coming_first):
                m.d.sync += headers.header_turn.eq(~stop)
            with m.If(correction.wrong):
                m.d.sync += self.fault.eq(1)
        with m.If(headers.take_header):
            m.d.sync += [
                headers.first_header.eq(0),
                headers.header_turn.eq(0),
                coming.eq(1),
                coming_first.eq(headers.first_header),
                coming_past.eq(self.overrun),
            ]
            with m.If(direct):
                m.d.sync += [
                    headers.following.eq(headers.offered),
                    headers.following.last.eq(direct_stop),
                    following_protected.eq(0),
                    headers.following_valid.eq(1),
                    headers.ended.eq(direct_stop),
                    headers.header_turn.eq(~direct_stop),
                    coming.eq(0),
                ]
        with m.Elif(last_due[-1]):
            m.d.sync += headers.header_turn.eq(~ended)
        with m.If(~self.run):
            m.d.sync += coming.eq(0)
