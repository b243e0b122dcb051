"""The protocol by which an iCE40 is configured as an SPI peripheral, as a strict model.

Written from Lattice's guide "iCE40 Programming and Configuration", FPGA-TN-02001 (formerly TN1248),
section "SPI Slave Configuration Interface", and compared with Linux' driver
``drivers/fpga/ice40-spi.c``, which has the same times:

- SPI_SS_B is low when CRESET_B rises; else the FPGA configures itself from its flash.
- CRESET_B is low for at least 200 ns. CDONE is low from then on.
- At least 1,200 us pass until the first clock, in which the FPGA clears its memory.
- 8 clocks come with SPI_SS_B high, then the bitstream with SPI_SS_B low all the time.
- SCK has 1 to 25 MHz.
- CDONE rises within 100 clocks after the bitstream.
- 49 more clocks make the pins those of the design.
"""

from __future__ import annotations

RESET_NS = 200
CLEAR_NS = 1_200_000
CLOCKS_BEFORE = 8
CLOCKS_TO_DONE = 100
CLOCKS_AFTER = 49
SCK_HZ = 1e6, 25e6


class ConfigurationError(Exception):
    """A controller does not keep to the guide."""


class ICE40Configuration:
    """An FPGA whose pins are driven by a controller.

    Parameters
    ----------
    bitstream : bytes
        What it must get.
    sck_hz : float
        Frequency of SCK in Hz.
    late : int
        Clocks after the bitstream until CDONE rises.
    stuck_done : bool, optional
        Level at which CDONE is stuck.

    Attributes
    ----------
    active : bool
        Whether the design has begun.
    """

    def __init__(self, bitstream, sck_hz=10e6, late=3, stuck_done=None):
        self.bitstream = bytes(bitstream)
        self.sck_hz = sck_hz
        self.late = late
        self.stuck_done = stuck_done
        self.time = 0.0  # ns
        self.select = self.reset = True
        self.active = True  # with an older design
        self._state = "done"
        self._fell = self._rose = 0.0
        self._clocks = 0
        self._image = bytearray()

    @property
    def done(self):
        """Level of CDONE."""
        if self.stuck_done is not None:
            return self.stuck_done
        return self._state == "done"

    def wait(self, ns):
        """Let time pass."""
        self.time += ns

    def set_reset(self, level):
        """Drive CRESET_B."""
        if level == self.reset:
            return
        self.reset = level
        if not level:
            self._fell = self.time
            self._state, self.active = "reset", False
            return
        if self.time - self._fell < RESET_NS:
            raise ConfigurationError(f"CRESET_B was low for {self.time - self._fell:g} ns only")
        if self.select:
            raise ConfigurationError(
                "SPI_SS_B is high when CRESET_B rises: the FPGA reads its flash"
            )
        self._rose = self.time
        self._state, self._clocks = "cleared", 0
        self._image.clear()

    def set_select(self, level):
        """Drive SPI_SS_B."""
        if level == self.select:
            return
        self.select = level
        if self._state == "cleared":
            self._check_cleared()
            self._state = "before"
        elif self._state == "before" and not level:
            if self._clocks < CLOCKS_BEFORE:
                raise ConfigurationError(f"{self._clocks} clocks instead of 8 before the bitstream")
            self._state, self._clocks = "image", 0
        elif self._state == "image" and level:
            if len(self._image) < len(self.bitstream):
                raise ConfigurationError(f"the bitstream is cut off after {len(self._image)} bytes")

    def write(self, data):
        """Clock bytes in."""
        least, most = SCK_HZ
        if not least <= self.sck_hz <= most:
            raise ConfigurationError(f"SCK has {self.sck_hz:g} Hz, not 1 to 25 MHz")
        for byte in data:
            self.time += 8e9 / self.sck_hz
            self._clock(byte)

    def _check_cleared(self):
        if self.time - self._rose < CLEAR_NS:
            raise ConfigurationError(f"{(self.time - self._rose) / 1e3:g} us after CRESET_B only")

    def _clock(self, byte):
        if not self.reset:
            raise ConfigurationError("clocks while CRESET_B is low")
        if self._state == "cleared":
            raise ConfigurationError("clocks before SPI_SS_B was high")
        if self._state == "image" and not self.select and len(self._image) < len(self.bitstream):
            self._image.append(byte)
            return
        self._clocks += 8
        if self._state == "image" and self._image == self.bitstream and self._clocks >= self.late:
            self._state, self._clocks = "done", 0
        elif self._state == "done" and self._clocks >= CLOCKS_AFTER:
            self.active = True
