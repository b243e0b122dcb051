"""The engine behind a router: its memory, its samples and its results."""

from __future__ import annotations

from amaranth import C, Cat, Module, Mux, Signal
from amaranth.lib import fifo, memory, wiring

from tensorspin.contract.fixed import LEVEL
from tensorspin.contract.spatial.arithmetic import SCORE_BITS
from tensorspin.contract.spatial.image import image_bytes, space_bits
from tensorspin.contract.spatial.latency import latency, settling_cycles
from tensorspin.contract.spatial.size import SpatialSize

from ..contractor.interface import CYCLE_BITS, RESULT_WORD_BITS
from ..primitives import Family
from .core import SpatialCore
from .interface import IN_FLIGHT, SpatialSignature


class Spatial(wiring.Component):
    """Scores samples with the network in its memory, whose shape is fixed.

    The memory holds the image of a network as the host has written it. With `load`, its bytes go
    to the tables and weight registers of the core, one a cycle; meanwhile no sample is taken.

    Parameters
    ----------
    size : SpatialSize
        Parameters of the engine.
    family : Family
        Whose cells it is made of.
    standby : bool, default=False
        Not possible here: the memory of no family that it is made for can stand by.

    Ports
    -----
    As `SpatialSignature`, flipped.

    Latency: `tensorspin.contract.spatial.latency.latency` cycles from the cycle after `start` to
    the scores; they wait for the router.
    """

    def __init__(self, size: SpatialSize, family: Family, standby: bool = False) -> None:
        if standby:
            raise ValueError("the memory of a spatial engine cannot stand by")
        self._size = size
        self._family = family
        super().__init__(SpatialSignature(size).flip())

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.core = core = SpatialCore(self._size, self._family)
        self._connect_memory(m, core)
        self._connect_samples(m, core)
        self._connect_results(m, core)
        return m

    def _connect_memory(self, m: Module, core: SpatialCore) -> None:
        """Let the host read and write the image, and the core load it."""
        bits = space_bits(self._size)
        bus = self.memory
        m.submodules.image = image = memory.Memory(shape=8, depth=1 << bits, init=[])
        read, write = image.read_port(), image.write_port()
        address = Signal(range(image_bytes(self._size) + 1))
        loading, valid, settled = Signal(), Signal(), Signal()
        # The byte at the last address comes two cycles after the address.
        settling = Signal(range(settling_cycles(self._size) + 3))
        m.d.comb += [
            write.addr.eq(bus.address),
            write.data.eq(bus.write_data),
            write.en.eq(bus.write_enable),
            read.addr.eq(Mux(loading, address, bus.address[:bits])),
            core.load.eq(read.data),
            core.load_valid.eq(valid),
            core.load_restart.eq(self.load),
            settled.eq(settling == 0),
        ]
        m.d.sync += [
            bus.read_data.eq(read.data),
            valid.eq(loading & (address != image_bytes(self._size))),
            self.idle.eq(~loading & ~self.load),
            self.fill_ready.eq(~loading & ~self.load),
        ]
        with m.If(loading):
            with m.If(address != image_bytes(self._size)):
                m.d.sync += [address.eq(address + 1), settling.eq(settling_cycles(self._size) + 2)]
            with m.Elif(~settled):
                m.d.sync += settling.eq(settling - 1)
            with m.Else():
                m.d.sync += loading.eq(0)
        with m.If(self.load):
            m.d.sync += [loading.eq(1), address.eq(0)]

    def _connect_samples(self, m: Module, core: SpatialCore) -> None:
        """Collect the levels of a sample, which begins at `start`."""
        levels = Signal(LEVEL.width * self._size.inputs)
        m.d.comb += [core.levels.eq(levels), core.valid.eq(self.start)]
        with m.If(self.start):
            m.d.sync += levels.eq(0)
        with m.If(self.fill.enable):
            with m.Switch(self.fill.address):
                for feature in range(self._size.inputs):
                    with m.Case(feature):
                        m.d.sync += levels.word_select(feature, LEVEL.width).eq(self.fill.level)
        # High for as many cycles as the samples take, one by one.
        busy = Signal(range(IN_FLIGHT * latency(self._size) + 1))
        m.d.comb += self.busy.eq(busy != 0)
        with m.If(self.start):
            m.d.sync += busy.eq(busy + latency(self._size) - (busy != 0))
        with m.Elif(busy != 0):
            m.d.sync += busy.eq(busy - 1)

    def _connect_results(self, m: Module, core: SpatialCore) -> None:
        """Keep results, and give them to the router word by word."""
        outputs, cycles = self._size.outputs, latency(self._size)
        width = len(core.scores) + len(core.best)
        m.submodules.kept = kept = fifo.SyncFIFOBuffered(width=width, depth=IN_FLIGHT)
        scores, best = kept.r_data[: len(core.scores)], kept.r_data[len(core.scores) :]
        assert SCORE_BITS == RESULT_WORD_BITS
        words = [
            C(outputs, RESULT_WORD_BITS),
            *(scores.word_select(output, SCORE_BITS) for output in range(outputs)),
            core.exponent,
            best,
            *(
                C(cycles >> shift, RESULT_WORD_BITS)
                for shift in range(0, CYCLE_BITS, RESULT_WORD_BITS)
            ),
        ]
        position = Signal(range(len(words)))
        last = position == len(words) - 1
        # A result is dropped one cycle after its last word was taken: no path leads from the
        # router's decision through the FIFO.
        drop = Signal()
        m.d.comb += [
            kept.w_data.eq(Cat(core.scores, core.best)),
            kept.w_en.eq(core.scores_valid),
            self.results.valid.eq(kept.r_rdy & ~drop),
            self.results.payload.last.eq(last),
            kept.r_en.eq(drop),
        ]
        m.d.sync += drop.eq(self.results.valid & self.results.ready & last)
        with m.Switch(position):
            for index, word in enumerate(words):
                with m.Case(index):
                    m.d.comb += self.results.payload.word.eq(word)
        with m.If(self.results.valid & self.results.ready):
            m.d.sync += position.eq(Mux(last, 0, position + 1))
