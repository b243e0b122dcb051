"""SPI target: a controller's shift registers on one side, streams of bytes on the other."""

from amaranth import Cat, ClockDomain, Module, Mux, Signal, ValueLike
from amaranth.lib import cdc, stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.wire.frames import DELIMITER

DATA_BITS = 8
"""Bits of a byte on the line, highest first. A power of two, so that the counters of bits wrap."""

FILLER = DELIMITER
"""The byte that the target sends when it has nothing to say. Between two delimiters there is an
empty frame, which the host's decoder leaves out, as the device's own does with the zeros that a
host sends when it only wants to listen."""


def check_rate(clock_hz: int, sck_hz: int) -> None:
    """Check that the target keeps up with a controller.

    Parameters
    ----------
    clock_hz : int
        Frequency of the clock ``sync`` in Hz.
    sck_hz : int
        Greatest frequency of SCK in Hz.

    Raises
    ------
    ValueError
        If SCK is faster than the clock.
    """
    if sck_hz > clock_hz:
        raise ValueError(
            f"SCK must not be faster than the clock of {clock_hz} Hz, {sck_hz} Hz is: bytes would "
            f"be lost where they pass from one to the other"
        )


def connect_target(
    m: Module, core: wiring.Component, target: wiring.Component, **wires: ValueLike
) -> None:
    """Put an SPI target between a core and the four wires of SPI.

    Both become submodules, ``core`` and ``target``. The caller connects the target's interrupt,
    which is no wire of SPI.

    Parameters
    ----------
    m : Module
        The module of the caller.
    core : amaranth.lib.wiring.Component
        A component with the byte streams `rx` (in) and `tx` (out), such as `Accelerator`.
    target : amaranth.lib.wiring.Component
        An `SPITarget`, or what has its ports.
    **wires : ValueLike
        `sck`, `cs_n` and `copi`, which drive the target's ports of these names, and `cipo`, which
        the target drives.
    """
    m.submodules.target = target
    m.submodules.core = core
    wiring.connect(m, target.rx, core.rx)
    wiring.connect(m, core.tx, target.tx)
    m.d.comb += [getattr(target, name).eq(wires[name]) for name in ("sck", "cs_n", "copi")]
    m.d.comb += wires["cipo"].eq(target.cipo)


class SPITarget(wiring.Component):
    """Exchanges bytes with an SPI controller in mode 0, for example a microcontroller.

    In mode 0 the serial clock SCK is low between bytes; both sides look at their input when it
    rises, and change their output when it falls. A bit in each direction passes with each cycle of
    SCK. The controller may stop SCK at any time for as long as it likes.

    The bytes have no meaning here, and CS# has no other than "the next bit is the first of a byte".
    A byte that CS# cuts off is dropped towards the device. Towards the host it is sent again, from
    its first bit, in the next transaction: the host knows as well as the target that it has not got
    the whole byte. A byte passes at the eighth rising edge of SCK. The falling edge after that may
    come before or after the end of CS#.

    SCK itself clocks the registers at the pins, and so SCK may be as fast as the clock ``sync``.
    Bytes cross between the two clocks with handshakes of one wire each: a wire changes its level
    when a byte is there, and another when that byte has been taken. The byte itself does not change
    in between.

    Ports
    -----
    sck : In(1)
        Serial clock, a pin. SCK must not be faster than ``sync``, and rises with CS# low at least
        once for each bit. Glitches count as clock edges.
    cs_n : In(1)
        Chip select, low during a transaction, a pin, asynchronous. While it is high, SCK and COPI
        may belong to others on the same wires.
    copi : In(1)
        Bits from the controller, a pin, sampled when SCK rises.
    cipo : Out(1)
        Bits to the controller, valid from the fall of CS#, and of SCK, on. The pin's buffer must be
        off while `cs_n` is high, for others on the same wire.
    irq : Out(1)
        High while a byte other than `FILLER` waits for the controller; a register. It falls 2 to 3
        cycles of ``sync`` after the last bit of the last byte.
    rx : Out(stream of 8)
        Bytes from the controller. The line cannot wait: a byte that is not taken before the next
        one is complete is lost.
    tx : In(stream of 8)
        Bytes to the controller.

    Latency: a byte is valid at `rx` 3 to 4 cycles of ``sync`` after the eighth rising edge. A byte
    taken from `tx` begins on the wire with the first byte boundary that two rising edges of SCK
    precede, so that a reply begins with one or two bytes of `FILLER`. At SCK up to two thirds of
    the frequency of ``sync`` the bytes then follow each other without a pause. Resources: see
    docs/boards.md.
    """

    sck: In(1)
    cs_n: In(1, init=1)
    copi: In(1)
    cipo: Out(1)
    irq: Out(1)
    rx: Out(stream.Signature(DATA_BITS))
    tx: In(stream.Signature(DATA_BITS))

    def elaborate(self, platform):
        m = Module()

        # Four domains are clocked by SCK: by its rising edges, by its falling edges, and by each of
        # these with CS# as an asynchronous reset, since there is no edge at the end of CS#. What a
        # transaction leaves for the next one is in the domains without reset.
        m.domains.rise = rise = ClockDomain(reset_less=True, local=True)
        m.domains.fall = fall = ClockDomain(reset_less=True, clk_edge="neg", local=True)
        m.domains.select_rise = select_rise = ClockDomain(async_reset=True, local=True)
        m.domains.select_fall = select_fall = ClockDomain(
            async_reset=True, clk_edge="neg", local=True
        )
        for domain in (rise, fall, select_rise, select_fall):
            m.d.comb += domain.clk.eq(self.sck)
        for domain in (select_rise, select_fall):
            m.d.comb += domain.rst.eq(self.cs_n)

        position = Signal(range(DATA_BITS))  # of the next bit that is received
        last = Signal()
        m.d.select_rise += position.eq(position + 1)
        m.d.comb += last.eq(position == DATA_BITS - 1)

        self._receive(m, last)
        self._transmit(m, position, last)
        return m

    def _receive(self, m: Module, last: Signal) -> None:
        """Add the way from the pins to the device."""
        shifter = Signal(DATA_BITS - 1)
        received = Signal(DATA_BITS)
        # `received` was written when `written` changed. It stays for a whole byte.
        written = Signal()
        arrived = Signal()
        seen = Signal(reset_less=True)
        m.d.rise += shifter.eq(Cat(self.copi, shifter))
        with m.If(last):
            m.d.rise += [received.eq(Cat(self.copi, shifter)), written.eq(~written)]
        m.submodules.arriving = cdc.FFSynchronizer(written, arrived)
        m.d.sync += seen.eq(arrived)
        with m.If(self.rx.ready):
            m.d.sync += self.rx.valid.eq(0)
        with m.If(arrived != seen):
            m.d.sync += [self.rx.payload.eq(received), self.rx.valid.eq(1)]

    def _transmit(self, m: Module, position: Signal, last: Signal) -> None:
        """Add the way from the device to the pins."""
        # A byte goes from `waiting` (domain sync) to `current` (domain fall). Three wires say how
        # many bytes, modulo two, have been offered in `waiting`, loaded into `current`, and sent
        # with all bits. They keep their levels in a reset of `sync`, which SCK's side does not see.
        waiting = Signal(DATA_BITS, reset_less=True)
        offered = Signal(reset_less=True)
        offered_at_pins = Signal()
        loaded = Signal()
        loaded_seen = Signal()
        sent = Signal()
        sent_seen = Signal()
        m.submodules.offering = cdc.FFSynchronizer(offered, offered_at_pins, o_domain="rise")
        m.submodules.loading = cdc.FFSynchronizer(loaded, loaded_seen)
        m.submodules.sending = cdc.FFSynchronizer(sent, sent_seen)

        current = Signal(DATA_BITS, init=FILLER)
        complete = Signal()  # all bits of `current` have passed
        m.d.rise += complete.eq(last)
        with m.If(last):
            m.d.rise += sent.eq(loaded)
        with m.If(complete):
            m.d.fall += [
                current.eq(Mux(offered_at_pins != loaded, waiting, FILLER)),
                loaded.eq(offered_at_pins),
            ]

        # The first bit is on the wire before there is any edge of SCK. The others come from a
        # register, so that little is between it and the pin.
        first = Signal(init=1)
        bit = Signal()
        m.d.select_fall += first.eq(position == 0)
        m.d.fall += bit.eq(current[::-1].bit_select(position, 1))
        m.d.comb += self.cipo.eq(Mux(first, current[-1], bit))

        m.d.comb += self.tx.ready.eq(loaded_seen == offered)
        with m.If(self.tx.valid & self.tx.ready):
            m.d.sync += [waiting.eq(self.tx.payload), offered.eq(~offered)]
        # What waits is in front of the target, in `waiting`, or in `current`.
        m.d.sync += self.irq.eq(
            self.tx.valid | (loaded_seen != offered) | (sent_seen != loaded_seen)
        )
