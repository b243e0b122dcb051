"""The network with AXI-stream-like ports, for designs of others."""

from __future__ import annotations

from amaranth import Cat, Module, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.fixed import EXPONENT, LEVEL
from tensorspin.contract.spatial.arithmetic import SCORE_BITS
from tensorspin.contract.spatial.latency import latency, settling_cycles
from tensorspin.contract.spatial.size import SpatialSize

from ..primitives import Family
from .core import SpatialCore


class SpatialStream(wiring.Component):
    """A spatial network between two streams, and a third that loads it.

    Ports are named as those of AXI4-Stream, whose handshake they have: a transfer takes place in
    each cycle in which both ``tvalid`` and ``tready`` are high. Once high, ``tvalid`` of the
    results stays high until then.

    Parameters
    ----------
    size : SpatialSize
        Shape of the tree and widths of its numbers.
    family : Family
        Whose cells it is made of; by default synthesis chooses them.

    Ports
    -----
    s_axis_tdata : In(8 * inputs), s_axis_tvalid : In(1), s_axis_tready : Out(1)
        Samples: a level for each feature, the first in the lowest byte.
    m_axis_tdata : Out(16 * outputs), m_axis_tvalid : Out(1), m_axis_tready : In(1)
        Scores, signed, the first in the lowest 16 bits.
    m_axis_tuser : Out
        Index of the greatest score, the first of equals.
    load_tdata : In(8), load_tvalid : In(1), load_tlast : In(1), load_tready : Out(1)
        The bytes of a network's image; ``tlast`` goes with the last of them. Samples are not taken
        while a network is loaded, nor before the first is.
    exponent : Out(16)
        Scores are worth ``score * 2**-exponent``, up to a factor of the network.

    Latency: two cycles more than `SpatialCore` from a sample to its scores, if nothing waits.
    Throughput: one sample a cycle. Resources: beside the core a FIFO for the results of all samples
    that can be on their way.
    """

    def __init__(self, size: SpatialSize, family: Family = Family.BEHAVIOURAL) -> None:
        self._size = size
        self._family = family
        super().__init__(
            {
                "s_axis_tdata": In(LEVEL.width * size.inputs),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "m_axis_tdata": Out(SCORE_BITS * size.outputs),
                "m_axis_tuser": Out(max(1, (size.outputs - 1).bit_length())),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "load_tdata": In(8),
                "load_tvalid": In(1),
                "load_tlast": In(1),
                "load_tready": Out(1),
                "exponent": Out(EXPONENT.width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self._size
        m.submodules.core = core = SpatialCore(size, self._family)
        depth = 1 << (latency(size) + 3).bit_length()
        width = len(core.scores) + len(core.best)
        m.submodules.results = results = fifo.SyncFIFOBuffered(width=width, depth=depth)

        # A network is in use some cycles after its last byte; the next byte begins another.
        loading, usable = Signal(), Signal()
        settling = Signal(range(settling_cycles(size) + 1))
        m.d.comb += [
            self.load_tready.eq(~core.load_restart),
            core.load.eq(self.load_tdata),
            core.load_valid.eq(self.load_tvalid & self.load_tready),
            # Before the first byte of an image one cycle is spent on the restart.
            core.load_restart.eq(self.load_tvalid & ~loading),
            self.exponent.eq(core.exponent),
        ]
        with m.If(core.load_restart):
            m.d.sync += [loading.eq(1), usable.eq(0)]
        with m.If(core.load_valid & self.load_tlast):
            m.d.sync += [loading.eq(0), usable.eq(1), settling.eq(settling_cycles(size))]
        with m.Elif(settling != 0):
            m.d.sync += settling.eq(settling - 1)

        # Samples on their way and results that wait have a place in the FIFO each.
        placed = Signal(range(depth + 1))
        begins, ends = Signal(), Signal()
        m.d.comb += [
            self.s_axis_tready.eq(
                (placed != depth) & usable & (settling == 0) & ~core.load_restart
            ),
            begins.eq(self.s_axis_tvalid & self.s_axis_tready),
            ends.eq(self.m_axis_tvalid & self.m_axis_tready),
            core.levels.eq(self.s_axis_tdata),
            core.valid.eq(begins),
            results.w_data.eq(Cat(core.scores, core.best)),
            results.w_en.eq(core.scores_valid),
            results.r_en.eq(self.m_axis_tready),
            self.m_axis_tvalid.eq(results.r_rdy),
            Cat(self.m_axis_tdata, self.m_axis_tuser).eq(results.r_data),
        ]
        m.d.sync += placed.eq(placed + begins - ends)
        return m
