"""The kinds of lines between a host and a board."""

from enum import StrEnum

from ..wire.frames import BITS_PER_BYTE

SCK_HZ = 1e3, 100e6
"""Least and greatest frequency of SPI's clock SCK in Hz that a host may choose. With a slower one a
greeting would take longer than a person waits, and a faster one is beyond what wires between two
boards carry."""


class Line(StrEnum):
    """How bytes travel between a host and a board."""

    UART = "UART"
    """An asynchronous serial line, usually behind a USB adapter."""

    SPI = "SPI"
    """A serial peripheral interface whose clock the host gives: a microcontroller's, or that of a
    computer on one board."""

    @property
    def bits_per_byte(self) -> int:
        """Bit times that a byte takes: those of a UART have a start and a stop bit."""
        return BITS_PER_BYTE if self is Line.UART else 8

    def describe(self, rate: float) -> str:
        """Say how fast the line is.

        Parameters
        ----------
        rate : float
            Bits per second: the baud rate of a UART, the greatest frequency of SPI's clock in Hz.

        Returns
        -------
        str
            A few words.

        Examples
        --------
        >>> Line.UART.describe(1_000_000), Line.SPI.describe(25_000_000)
        ('1000000 baud', 'SPI at 25 MHz at most')
        """
        return f"{rate:.0f} baud" if self is Line.UART else f"SPI at {rate / 1e6:g} MHz at most"
