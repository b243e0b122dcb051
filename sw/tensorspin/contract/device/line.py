"""The kinds of lines between a host and a board."""

from enum import StrEnum

from ..wire.frames import BITS_PER_BYTE


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
