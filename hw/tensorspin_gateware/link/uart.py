"""Asynchronous serial line: eight data bits, no parity, one stop bit."""

from amaranth import Cat, Module, Signal
from amaranth.lib import cdc, stream, wiring
from amaranth.lib.wiring import In, Out

DATA_BITS = 8
"""Data bits of a byte on the line."""

FRAME_BITS = DATA_BITS + 2
"""Bits of a byte on the line: start bit (low), the data, lowest bit first, and stop bit (high)."""

MAX_ERROR = 0.015
"""Greatest relative deviation from the baud rate that the divisor may cause. At the end of a byte,
ten bits later, it has shifted the sampling point by 0.15 bits; what remains of half a bit is left
for `LINE_ERROR`."""

LINE_ERROR = 0.02
"""Relative deviation of the other side's baud rate with which bytes are received nevertheless."""

MIN_DIVISOR = 7
"""Least number of clock cycles in a bit. The sampling point is up to a cycle behind the middle of
the bit; with fewer cycles this is too much for `MAX_ERROR` and `LINE_ERROR` together."""


def divisor(clock_hz: int, baud: int) -> int:
    """Compute the number of clock cycles in a bit.

    Parameters
    ----------
    clock_hz : int
        Frequency of the clock in Hz.
    baud : int
        Bits a second on the line.

    Returns
    -------
    int
        The number for which the rate is nearest to `baud`.

    Raises
    ------
    ValueError
        If the clock is too slow for the baud rate, or the nearest rate differs from it by more than
        `MAX_ERROR`.
    """
    cycles = round(clock_hz / baud)
    if cycles < MIN_DIVISOR:
        raise ValueError(
            f"{baud} baud needs a clock of at least {MIN_DIVISOR * baud} Hz, not {clock_hz} Hz"
        )
    error = clock_hz / cycles / baud - 1
    if abs(error) > MAX_ERROR:
        raise ValueError(
            f"a clock of {clock_hz} Hz gives {clock_hz / cycles:.0f} baud (divisor {cycles}), "
            f"{error:+.1%} from the {baud} baud wanted; the limit is {MAX_ERROR:.1%}"
        )
    return cycles


class UARTReceiver(wiring.Component):
    """Turns bits of the line into bytes.

    The line is sampled in the middle of each bit. A start bit that has gone by its middle is taken
    for noise; a byte whose stop bit is missing is dropped. The line cannot wait: a byte that is
    complete before the last one was taken is lost.

    Parameters
    ----------
    clock_hz : int
        Frequency of the clock in Hz.
    baud : int
        Bits a second on the line.

    Ports
    -----
    line : In(1)
        The line, high when idle; it may be asynchronous to the clock.
    data : Out(stream of 8)
        The bytes.

    Latency: a byte is valid half a bit and 3 cycles after the beginning of its stop bit. Resources:
    28 LUTs at divisor 12 (iCE40).
    """

    line: In(1, init=1)
    data: Out(stream.Signature(DATA_BITS))

    def __init__(self, clock_hz: int, baud: int) -> None:
        self.divisor = divisor(clock_hz, baud)
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        line = Signal(init=1)
        # Two registers: the line may change just when the clock samples it.
        m.submodules.synchroniser = cdc.FFSynchronizer(self.line, line, init=1)

        countdown = Signal(range(self.divisor))
        bit = Signal(range(FRAME_BITS))
        shifter = Signal(DATA_BITS)

        with m.If(self.data.ready):
            m.d.sync += self.data.valid.eq(0)

        with m.FSM(name="uart_receiver"):
            with m.State("IDLE"):
                # Half a bit from here to the middle of the start bit, then one bit from middle to
                # middle.
                m.d.sync += [countdown.eq(self.divisor // 2 - 1), bit.eq(0)]
                with m.If(~line):
                    m.next = "BITS"
            with m.State("BITS"):
                m.d.sync += countdown.eq(countdown - 1)
                with m.If(countdown == 0):
                    m.d.sync += [countdown.eq(self.divisor - 1), bit.eq(bit + 1)]
                    with m.If(bit == 0):
                        with m.If(line):
                            m.next = "IDLE"
                    with m.Elif(bit == FRAME_BITS - 1):
                        with m.If(line):
                            with m.If(~self.data.valid | self.data.ready):
                                m.d.sync += [
                                    self.data.payload.eq(shifter),
                                    self.data.valid.eq(1),
                                ]
                            m.next = "IDLE"
                        with m.Else():
                            m.next = "BREAK"
                    with m.Else():
                        m.d.sync += shifter.eq(Cat(shifter[1:], line))
            with m.State("BREAK"):
                # The stop bit was low: a break, or noise. The line must be high again before a low
                # level can be a start bit.
                with m.If(line):
                    m.next = "IDLE"

        return m


class UARTTransmitter(wiring.Component):
    """Turns bytes into bits of the line.

    Bytes that come without a pause leave without one, in ten bits each.

    Parameters
    ----------
    clock_hz : int
        Frequency of the clock in Hz.
    baud : int
        Bits a second on the line.
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.

    Ports
    -----
    data : In(stream of 8)
        The bytes.
    line : Out(1)
        The line, high when idle.

    Latency: the start bit begins 1 cycle after the byte was taken. Resources: 25 LUTs at divisor 12
    (iCE40).
    """

    data: In(stream.Signature(DATA_BITS))
    line: Out(1, init=1)

    def __init__(self, clock_hz: int, baud: int, staged: bool = False) -> None:
        self._staged = staged
        self.divisor = divisor(clock_hz, baud)
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        countdown = Signal(range(self.divisor))
        bits_left = Signal(range(FRAME_BITS + 1))
        shifter = Signal(DATA_BITS + 1, init=-1)  # the lowest bit is on the line
        counts, is_over, is_last = countdown != 0, countdown == 0, bits_left <= 1
        if self._staged:
            # The same, known a cycle ahead.
            counts = Signal()
            is_last = Signal(init=1)
            is_over = ~counts
            with m.If(counts):
                m.d.sync += counts.eq(countdown != 1)
            with m.Elif(self.data.valid & is_last):
                m.d.sync += [counts.eq(1), is_last.eq(0)]
            with m.Elif(bits_left != 0):
                m.d.sync += [counts.eq(bits_left != 1), is_last.eq(bits_left.matches(1, 2))]

        m.d.comb += [
            self.line.eq(shifter[0]),
            # The next byte is taken in the last cycle of the stop bit, so that no bit is lost.
            self.data.ready.eq(is_over & is_last),
        ]
        with m.If(counts):
            m.d.sync += countdown.eq(countdown - 1)
        with m.Elif(self.data.valid & self.data.ready):
            m.d.sync += [
                shifter.eq(Cat(0, self.data.payload)),
                bits_left.eq(FRAME_BITS),
                countdown.eq(self.divisor - 1),
            ]
        with m.Elif(bits_left != 0):
            m.d.sync += [shifter.eq(Cat(shifter[1:], 1)), bits_left.eq(bits_left - 1)]
            with m.If(bits_left != 1):
                m.d.sync += countdown.eq(self.divisor - 1)

        return m
