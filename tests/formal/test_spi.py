# amaranth: UnusedElaboratable=no

"""Between SPI's pins and the streams no byte is lost, doubled, changed or out of order."""

import pytest
from amaranth.hdl import Assert, Assume, Cat, ClockDomain, DomainRenamer, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from tensorspin_gateware.link import spi

from ..support.proof import Model, Mutant, Probes, variant

BITS = 8
"""Bits of a byte."""

BYTES = 3
"""Bytes that the controller's side of the proof has room for: one more than the target holds."""

PROBED = {
    "position": 3,
    "shifter": 7,
    "received": 8,
    "written": 1,
    "arriving.stage0": 1,
    "arrived": 1,
    "seen": 1,
    "waiting": 8,
    "offered": 1,
    "offering.stage0": 1,
    "offered_at_pins": 1,
    "loaded": 1,
    "loading.stage0": 1,
    "loaded_seen": 1,
    "sent": 1,
    "sending.stage0": 1,
    "sent_seen": 1,
    "current": 8,
    "complete": 1,
}
"""Widths of the signals inside of the target that the induction needs."""


def _port(name: str) -> str:
    return "probe_" + name.replace(".", "_")


class Harness(wiring.Component):
    """A controller and a device with any bytes, any clocks, and any CS#.

    A step of the proof is a moment at which the pins and the clock ``sync`` may change, each by
    itself or several at once. So the edges of the two clocks come in any order and at any distance.
    What is assumed of them is what `SPITarget` asks for.

    Parameters
    ----------
    mutant : Mutant or None
    inductive : bool
        Assert what holds inside of the target, too.
    brisk : bool
        Let both clocks change in every step, and let bytes have fixed bits. Faults that take whole
        bytes to show are found sooner so, since there are fewer cases.
    """

    def __init__(self, mutant: Mutant | None, inductive: bool = False, brisk: bool = False) -> None:
        self._dut = variant(spi, mutant).SPITarget()
        self._inductive = inductive
        self._brisk = brisk
        self.probes = Probes(
            {_port(name): f"dut.{name}" for name in PROBED} if inductive else {},
            several_clocks=["dut"],
        )
        super().__init__(
            {
                "sck": In(1),
                "cs_n": In(1),
                "copi": In(1),
                "clk": In(1),
                "payload": In(8),
                "valid": In(1),
            }
            | {_port(name): In(width) for name, width in PROBED.items() if inductive}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.device = device = ClockDomain(reset_less=True)
        m.submodules.dut = DomainRenamer("device")(self._dut)
        m.d.comb += [
            device.clk.eq(self.clk),
            self._dut.sck.eq(self.sck),
            self._dut.cs_n.eq(self.cs_n),
            self._dut.copi.eq(self.copi),
            self._dut.rx.ready.eq(1),
            self._dut.tx.payload.eq(self.payload),
            self._dut.tx.valid.eq(self.valid),
        ]
        self._clocks(m)
        self._controller(m)
        self._to_device(m)
        self._to_host(m)
        self._interrupt(m)
        return m

    def _was(self, m: Module, signal) -> Signal:
        """Give a signal's value one step ago: an edge acts on what there was before it."""
        was = Signal(signal.shape(), name=f"{signal.name}_was", init=signal.init)
        m.d.sync += was.eq(signal)
        return was

    def _probe(self, name: str) -> Signal:
        return getattr(self, _port(name))

    def _clocks(self, m: Module) -> None:
        """Find the edges, and assume of them what the target asks for."""
        cs_n_was = Signal(init=1)
        m.d.sync += cs_n_was.eq(self.cs_n)
        sck_was, clk_was = self._was(m, self.sck), self._was(m, self.clk)
        self.sck_rises, self.ticks = Signal(), Signal()
        m.d.comb += [
            self.sck_rises.eq(self.sck & ~sck_was),
            self.ticks.eq(self.clk & ~clk_was),
        ]
        begun = Signal()
        m.d.sync += begun.eq(1)
        with m.If(~begun):
            m.d.comb += Assume(~self.sck & ~self.clk & self.cs_n)
        if self._brisk:
            with m.Else():
                m.d.comb += [Assume(self.sck != sck_was), Assume(self.clk != clk_was)]
            # Bytes that differ from each other, and from themselves shifted.
            pattern = Signal(15, init=0x4D2B)
            m.d.sync += pattern.eq(Cat(pattern[1:], pattern[0] ^ pattern[1]))
            m.d.comb += [
                Assume(self.copi == pattern[0]),
                Assume(self.payload == pattern[:8]),
            ]
        # The clock ticks at least once from each rising edge of SCK to the next.
        ticked, self.ticked = Signal(init=1), Signal()
        m.d.comb += self.ticked.eq(Mux(self.sck_rises, self.ticks, ticked | self.ticks))
        m.d.sync += ticked.eq(self.ticked)
        with m.If(self.sck_rises):
            # CS# is stable when SCK rises.
            m.d.comb += [Assume(ticked), Assume(self.cs_n == cs_n_was)]

    def _controller(self, m: Module) -> None:
        """Add the controller's shift registers."""
        position, self.position = Signal(range(BITS)), Signal(range(BITS))
        to_device, self.to_device = Signal(BITS), Signal(BITS)
        to_host, self.to_host = Signal(BITS), Signal(BITS)
        self.complete = Signal()
        bit_was = self._was(m, self.copi), self._was(m, self._dut.cipo)
        m.d.comb += [
            self.position.eq(position),
            self.to_device.eq(to_device),
            self.to_host.eq(to_host),
        ]
        with m.If(self.sck_rises):
            m.d.comb += [
                self.position.eq(position + 1),
                self.to_device.eq(Cat(bit_was[0], to_device)),
                self.to_host.eq(Cat(bit_was[1], to_host)),
                self.complete.eq((position == BITS - 1) & ~self.cs_n),
            ]
        with m.If(self.cs_n):
            m.d.comb += self.position.eq(0)
        m.d.sync += [
            position.eq(self.position),
            to_device.eq(self.to_device),
            to_host.eq(self.to_host),
        ]
        if self._inductive:
            m.d.comb += [
                Assert(self.position == self._probe("position")),
                Assert(self.to_device[: BITS - 1] == self._probe("shifter")),
            ]
            with m.If(~self.sck & ~self.cs_n):
                m.d.comb += Assert(
                    self._dut.cipo == self._probe("current")[::-1].bit_select(self.position, 1)
                )
            for position in range(1, BITS):
                with m.If(self.position == position):
                    m.d.comb += Assert(
                        self.to_host[:position] == self._probe("current")[BITS - position :]
                    )
            with m.If(self._probe("complete")):
                m.d.comb += Assert(self.position == 0)

    def _to_device(self, m: Module) -> None:
        """Add the fate of the one byte that is on its way to the device."""
        rx = self._dut.rx
        expected, outstanding, age = Signal(BITS), Signal(), Signal(3)
        next_expected, self.outstanding, self.age = Signal(BITS), Signal(), Signal(3)
        taken = Signal()
        valid_was, payload_was = self._was(m, rx.valid), self._was(m, rx.payload)
        m.d.comb += [
            taken.eq(self.ticks & valid_was),
            next_expected.eq(Mux(self.complete, self.to_device, expected)),
            self.outstanding.eq(self.complete | (outstanding & ~taken)),
            self.age.eq(Mux(self.complete, 0, age + (self.ticks & (age != 7)))),
        ]
        m.d.sync += [
            expected.eq(next_expected),
            outstanding.eq(self.outstanding),
            age.eq(self.age),
        ]
        with m.If(self.complete):
            m.d.comb += Assert(~outstanding)
        with m.If(taken):
            m.d.comb += [Assert(outstanding), Assert(payload_was == expected)]
        with m.If(self.outstanding):
            m.d.comb += Assert(self.age <= 4)
        if self._inductive:
            names = "written", "arriving.stage0", "arrived", "seen"
            wires = [self._probe(name) for name in names]
            stages = Cat(*(now != then for now, then in zip(wires, wires[1:])), rx.valid)
            m.d.comb += Assert(stages == Mux(self.outstanding, 1 << self.age, 0))
            with m.If(self.outstanding):
                m.d.comb += [
                    Assert(self.age < 4),
                    Assert(self.position <= self.age + ~self.ticked),
                    Assert(Mux(rx.valid, rx.payload, self._probe("received")) == next_expected),
                ]

    def _to_host(self, m: Module) -> None:
        """Add the queue of bytes that the device has given and the controller has not got."""
        # The controller could not tell a byte of zeros from filler. The target does not look at
        # bytes, so that what holds for all others holds for this one.
        m.d.comb += Assume(self.payload != spi.FILLER)
        tx = self._dut.tx
        queue, next_queue = Signal(BITS * BYTES), Signal(BITS * BYTES)
        level, self.level = Signal(range(BYTES + 1)), Signal(range(BYTES + 1))
        accepted, delivered, left = Signal(), Signal(), Signal(range(BYTES + 1))
        shifted = Signal(BITS * BYTES)
        accepting = self._was(m, self.valid) & self._was(m, tx.ready)
        m.d.comb += [
            accepted.eq(self.ticks & accepting),
            delivered.eq(self.complete & (self.to_host != spi.FILLER)),
            shifted.eq(Mux(delivered, queue >> BITS, queue)),
            left.eq(level - delivered),
            self.level.eq(left + accepted),
            next_queue.eq(shifted),
        ]
        payload_was = self._was(m, self.payload)
        with m.If(accepted):
            m.d.comb += next_queue.word_select(left, BITS).eq(payload_was)
        m.d.sync += [queue.eq(next_queue), level.eq(self.level)]
        m.d.comb += Assert(self.level < BYTES)
        with m.If(delivered):
            m.d.comb += [Assert(level != 0), Assert(self.to_host == queue[:BITS])]
        # Filler is not sent for ever while a byte waits.
        fillers, next_fillers = Signal(2), Signal(2)
        m.d.comb += next_fillers.eq(fillers)
        with m.If(self.complete):
            m.d.comb += next_fillers.eq(Mux(delivered | (level == 0), 0, fillers + 1))
        m.d.sync += fillers.eq(next_fillers)
        m.d.comb += Assert(next_fillers <= 2)
        if self._inductive:
            self._inside_to_host(m, next_queue, next_fillers)

    def _inside_to_host(self, m: Module, queue: Signal, fillers: Signal) -> None:
        """Assert what holds inside of the target on the way to the host."""
        offered, between, at_pins = (
            self._probe(name) for name in ("offered", "offering.stage0", "offered_at_pins")
        )
        loaded, sent = self._probe("loaded"), self._probe("sent")
        current, complete = self._probe("current"), self._probe("complete")
        waits, real = Signal(), Signal()
        old = Signal()  # `current` has been sent, and not yet been replaced
        m.d.comb += [
            waits.eq(offered != loaded),
            real.eq(loaded != sent),
            old.eq(complete & self.sck),
            Assert(self.level == waits + real),
        ]
        with m.If(real):
            m.d.comb += [Assert(queue[:BITS] == current), Assert(current != spi.FILLER)]
        with m.Elif(~old):
            m.d.comb += Assert(current == spi.FILLER)
        with m.If(old):
            m.d.comb += Assert(~real)
        with m.If(waits):
            m.d.comb += [
                Assert(queue.word_select(real, BITS) == self._probe("waiting")),
                Assert(self._probe("waiting") != spi.FILLER),
                Assert((at_pins != offered) | (between == offered)),
                Assert(self._probe("loading.stage0") == loaded),
                Assert(self._probe("loaded_seen") == loaded),
            ]
        with m.Else():
            m.d.comb += [Assert(between == offered), Assert(at_pins == offered)]
        m.d.comb += Assert(
            (self._probe("loaded_seen") != loaded) | (self._probe("loading.stage0") == loaded)
        )
        with m.If(fillers == 1):
            with m.If(~real & (self.position >= 1)):
                m.d.comb += Assert(between == offered)
            with m.If(~real & (self.position >= 2)):
                m.d.comb += Assert(at_pins == offered)
        with m.If(fillers == 2):
            m.d.comb += Assert(Mux(old, at_pins == offered, real))
        with m.If(fillers != 0):
            m.d.comb += Assert(self.level != 0)

    def _interrupt(self, m: Module) -> None:
        """Assert that the interrupt is high just while bytes wait, and a few cycles longer."""
        some = Signal()
        none, next_none = Signal(2), Signal(2)
        level_was, valid_was = self._was(m, self.level), self._was(m, self.valid)
        m.d.comb += next_none.eq(none)
        with m.If(self.ticks):
            m.d.sync += some.eq(level_was != 0)
            m.d.comb += next_none.eq(
                Mux((level_was == 0) & ~valid_was, Mux(none == 3, 3, none + 1), 0)
            )
        m.d.sync += none.eq(next_none)
        with m.If(Mux(self.ticks, level_was != 0, some)):
            m.d.comb += Assert(self._dut.irq)
        with m.If(next_none == 3):
            m.d.comb += Assert(~self._dut.irq)
        if self._inductive:
            loaded, loading, loaded_seen = (
                self._probe(name) for name in ("loaded", "loading.stage0", "loaded_seen")
            )
            sent, sending, sent_seen = (
                self._probe(name) for name in ("sent", "sending.stage0", "sent_seen")
            )
            recent = self.outstanding
            m.d.comb += [
                Assert((sending == sent) | (recent & (self.age < 1))),
                Assert((sent_seen == sent) | (recent & (self.age < 2))),
            ]
            with m.If(next_none >= 1):
                m.d.comb += Assert(self.level == 0)
                m.d.comb += Assert((loading == loaded) & (sending == sent))
            with m.If(next_none >= 2):
                m.d.comb += Assert((loaded_seen == loaded) & (sent_seen == sent))
            with m.If(loaded != sent):
                m.d.comb += [
                    Assert((loading != loaded) | (sending == sent)),
                    Assert((loaded_seen != loaded) | (sent_seen == sent)),
                ]


STEPS = 48
"""Steps in which each mutant shows its fault: two bytes and the edges around them."""

MUTANTS = {
    "a bit too few": Mutant("position == DATA_BITS - 1", "position == DATA_BITS - 2"),
    "the lowest bit first": Mutant(
        "[received.eq(Cat(self.copi, shifter))", "[received.eq(Cat(shifter, self.copi))"
    ),
    "CS# does not realign what is received": Mutant(
        "for domain in (select_rise, select_fall):", "for domain in (select_fall,):"
    ),
    "a byte again and again": Mutant("m.d.sync += seen.eq(arrived)", "m.d.sync += seen.eq(0)"),
    "taken before it is whole": Mutant(
        "self.rx.payload.eq(received)", "self.rx.payload.eq(shifter)"
    ),
    "a byte that waits is overwritten": Mutant("loaded_seen == offered)", "1)"),
    "a byte that was cut off is not sent again": Mutant(
        "with m.If(complete):", "with m.If(position == 0):"
    ),
    "a bit too late": Mutant("current[::-1].bit_select(position, 1)", "current[-1]"),
    "the interrupt forgets the byte at the pins": Mutant(" | (sent_seen != loaded_seen)", ""),
    "the interrupt forgets the byte that waits": Mutant(" | (loaded_seen != offered)", ""),
    "the interrupt stays": Mutant("m.d.rise += sent.eq(loaded)", "m.d.rise += sent.eq(~loaded)"),
}

SLOW_MUTANTS = {
    "never loaded": Mutant("loaded.eq(offered_at_pins)", "loaded.eq(loaded)"),
    "the first bit is missing": Mutant("Mux(first, current[-1], bit)", "bit"),
    "every other byte": Mutant("with m.If(arrived != seen)", "with m.If(arrived & ~seen)"),
    "loads what has been loaded": Mutant(
        "Mux(offered_at_pins != loaded, waiting, FILLER)", "waiting"
    ),
}


def test_passes_each_byte_once(tmp_path):
    assert Model(Harness(None, inductive=True), tmp_path).is_proved(cycles=2)


@pytest.mark.parametrize(
    "mutant",
    [
        *(pytest.param(mutant, id=name) for name, mutant in MUTANTS.items()),
        *(pytest.param(m, id=name, marks=pytest.mark.long) for name, m in SLOW_MUTANTS.items()),
    ],
)
def test_mutant_is_refuted(mutant, tmp_path):
    assert not Model(Harness(mutant, brisk=True), tmp_path).holds(cycles=STEPS)
