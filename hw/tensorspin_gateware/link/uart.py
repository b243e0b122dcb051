"""Asynchronous serial line: eight data bits, no parity, one stop bit."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import cdc, stream, wiring
from amaranth.lib.wiring import In, Out

DATA_BITS = 8
FRAME_BITS = DATA_BITS + 2
MAX_ERROR = 0.015
"""Greatest deviation from the baud rate that the divisor may cause. Ten bits later it has shifted
the sampling point by 0.15 bits; the rest of half a bit is left to `LINE_ERROR`."""
LINE_ERROR = 0.02
"""Deviation of the other side that is received nevertheless."""
MIN_DIVISOR = 7
"""With fewer clock cycles in a bit the sampling point, which is up to a cycle behind the bit's
middle, is too far from it for `MAX_ERROR` and `LINE_ERROR` together."""


def divisor(clock_hz: int, baud: int) -> int:
    """Clock cycles in a bit.

    Raises
    ------
    ValueError
        If the clock is too slow for the baud rate, or the nearest rate that it gives is further
        than `MAX_ERROR` from it.
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
    """Bits of the line to bytes.

    The line is sampled in the middle of each bit. A start bit that has gone by its middle is taken
    for noise; a byte whose stop bit is missing is dropped. The line cannot wait: a byte that is
    complete before the last one was taken is lost.

    Resources: 28 LUTs at divisor 12 (iCE40).

    Parameters
    ----------
    clock_hz : int
    baud : int

    Ports
    -----
    line : In(1)
        Idle high; may be asynchronous.
    data : Out(stream of 8)
        A byte is valid half a bit and 3 cycles after the beginning of its stop bit.
    """

    line: In(1, init=1)
    data: Out(stream.Signature(DATA_BITS))

    def __init__(self, clock_hz: int, baud: int):
        self.divisor = divisor(clock_hz, baud)
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        line = Signal(init=1)
        m.submodules.synchroniser = cdc.FFSynchronizer(self.line, line, init=1)

        countdown = Signal(range(self.divisor))
        bit = Signal(range(FRAME_BITS))
        shifter = Signal(DATA_BITS)

        with m.If(self.data.ready):
            m.d.sync += self.data.valid.eq(0)

        with m.FSM(name="uart_receiver"):
            with m.State("IDLE"):
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
                # Without a stop bit the rest of the low level is no start bit either.
                with m.If(line):
                    m.next = "IDLE"

        return m


class UARTTransmitter(wiring.Component):
    """Bytes to bits of the line.

    Bytes that come without a pause leave without one: ten bits a byte.

    Resources: 25 LUTs at divisor 12 (iCE40).

    Parameters
    ----------
    clock_hz : int
    baud : int

    Ports
    -----
    data : In(stream of 8)
        The start bit begins 1 cycle after a byte is taken.
    line : Out(1)
        Idle high.
    """

    data: In(stream.Signature(DATA_BITS))
    line: Out(1, init=1)

    def __init__(self, clock_hz: int, baud: int):
        self.divisor = divisor(clock_hz, baud)
        super().__init__()

    def elaborate(self, platform):
        m = Module()

        countdown = Signal(range(self.divisor))
        bits_left = Signal(range(FRAME_BITS + 1))
        shifter = Signal(DATA_BITS + 1, init=-1)  # data above the bit on the line

        m.d.comb += [
            self.line.eq(shifter[0]),
            # The next byte is taken in the last cycle of the stop bit.
            self.data.ready.eq((countdown == 0) & (bits_left <= 1)),
        ]
        with m.If(countdown != 0):
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
