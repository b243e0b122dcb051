"""Pins of a board's line to the host, where Amaranth's platform defines none."""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.build import Attrs, Resource
from amaranth_boards.resources import SPIResource, UARTResource

from .primitives import Family

_ATTRIBUTES = {
    Family.ICE40UP: Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1),
    Family.ICE40HX: Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1),
    Family.ECP5: Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP"),
}
"""Attributes of a line's pins on a header: 3.3 V, with a pull-up that keeps a UART idle, and an SPI
target unselected, while nothing is connected."""

LINE = "line"
"""Name of the resource of an SPI target's pins; platforms have one called "spi" for a memory."""


@dataclass(frozen=True)
class UARTPins:
    """Pins for a UART, where Amaranth's platform defines no UART that leads to the host.

    Parameters
    ----------
    rx : str
        Pin (or ball) of the FPGA's package that receives from the host.
    tx : str
        Pin of the package that sends to the host.
    where : str
        Where people find the two on the board.
    """

    rx: str
    tx: str
    where: str

    def resource(self, family: Family) -> Resource:
        """Describe the pins for Amaranth's platform, as the resource ``uart``."""
        return UARTResource(0, rx=self.rx, tx=self.tx, attrs=_ATTRIBUTES[family])


@dataclass(frozen=True)
class SPIPins:
    """Pins for an SPI target.

    Parameters
    ----------
    sck, cs, copi, cipo, irq : str
        Pins of the connector: serial clock, chip select (active low), data from the controller,
        data to the controller, and the interrupt (high while bytes wait).
    connector : (str, int)
        Name and number of the connector in Amaranth's platform.
    where : str
        Where people find the pins on the board.
    """

    sck: str
    cs: str
    copi: str
    cipo: str
    irq: str
    connector: tuple[str, int]
    where: str

    def resource(self, family: Family) -> Resource:
        """Describe the pins for Amaranth's platform, as the resource `LINE`."""
        return SPIResource(
            LINE,
            0,
            cs_n=self.cs,
            clk=self.sck,
            copi=self.copi,
            cipo=self.cipo,
            int=self.irq,
            conn=self.connector,
            attrs=_ATTRIBUTES[family],
            role="peripheral",
        )


_PMOD_SPI = {"cs": "1", "copi": "2", "cipo": "3", "sck": "4", "irq": "7"}
"""Pins of a Pmod connector for SPI with an interrupt: type 2A of Digilent's interface
specification, which most Pmod modules and adapters keep to."""

ICEBREAKER_SPI = SPIPins(
    **_PMOD_SPI,
    connector=("pmod", 0),
    where="PMOD 1A: 1 CS#, 2 COPI, 3 CIPO, 4 SCK, 7 IRQ, 5 ground",
)

PICO_ICE_SPI = SPIPins(
    sck="6",
    cs="5",
    copi="7",
    cipo="4",
    irq="0",
    connector=("rp2040", 0),
    where="the board's own wires to its RP2040: GPIO 6 SCK, 5 CS#, 7 COPI, 4 CIPO (its SPI0), and "
    "0 IRQ",
)

PICO2_ICE_SPI = SPIPins(
    sck="22",
    cs="25",
    copi="23",
    cipo="20",
    irq="24",
    connector=("rp2350", 0),
    where="the board's own wires to its RP2350: GPIO 22 SCK, 25 CS#, 23 COPI, 20 CIPO (its SPI0), "
    "and 24 IRQ",
)

RASPBERRY_PI_SPI = SPIPins(
    sck="11",
    cs="8",
    copi="10",
    cipo="9",
    irq="25",
    connector=("gpio", 0),
    where="the header, as a Raspberry Pi has its SPI0: GPIO 8 CE0, 9 MISO, 10 MOSI, 11 SCLK, and "
    "25 IRQ",
)

ULX3S_SPI = SPIPins(
    sck="0+",
    cs="0-",
    copi="1+",
    cipo="1-",
    irq="2+",
    connector=("gpio", 0),
    where="J1: GP0 SCK, GN0 CS#, GP1 COPI, GN1 CIPO, GP2 IRQ",
)
