"""Phase-locked loops (PLLs): the engines' clock from a board's oscillator."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from amaranth import (
    C,
    ClockDomain,
    ClockSignal,
    Elaboratable,
    Instance,
    Module,
    ResetSignal,
    Signal,
)
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from . import Family

BLOCK_RAM_SECONDS = 3e-6
"""Time in seconds, roughly, for which block RAM of an iCE40 reads zero after configuration. No data
sheet mentions it; users found it (https://github.com/YosysHQ/icestorm/issues/76)."""

RESET_SECONDS = 5 * BLOCK_RAM_SECONDS
"""Time in seconds for which the design stays in reset after the PLL has locked. It is five times
the time above, because that varies; Amaranth's own power-on reset has the same factor."""

MHZ = 1_000_000
"""One megahertz in Hz, for the limits below."""


@dataclass(frozen=True)
class Dividers:
    """Settings of a PLL: output = oscillator / reference * multiplier / output divider.

    Parameters
    ----------
    reference : int
        Divider between oscillator and phase detector.
    multiplier : int
        Factor from phase detector to voltage-controlled oscillator (VCO).
    output : int
        Divider between VCO and output.
    """

    reference: int
    multiplier: int
    output: int

    def frequency(self, oscillator_hz: int) -> Fraction:
        """Compute the frequency of the output.

        Parameters
        ----------
        oscillator_hz : int
            Frequency of the oscillator in Hz.

        Returns
        -------
        Fraction
            Frequency in Hz, exactly.
        """
        return Fraction(oscillator_hz * self.multiplier, self.reference * self.output)

    def vco(self, oscillator_hz: int) -> Fraction:
        """Compute the frequency of the VCO.

        Parameters
        ----------
        oscillator_hz : int
            Frequency of the oscillator in Hz.

        Returns
        -------
        Fraction
            Frequency in Hz, exactly.
        """
        return self.frequency(oscillator_hz) * self.output


@dataclass(frozen=True)
class Limits:
    """Ranges of the frequencies and dividers of a family's PLL.

    Parameters
    ----------
    detector, vco, output : tuple of int
        Least and greatest frequency, in Hz, of phase detector, VCO and output.
    references, multipliers, outputs : sequence of int
        Values of the dividers.
    """

    detector: tuple[int, int]
    vco: tuple[int, int]
    output: tuple[int, int]
    references: range
    multipliers: range
    outputs: tuple[int, ...]

    def settings(self, oscillator_hz: int) -> Iterator[Dividers]:
        """Go through all settings within the limits.

        Parameters
        ----------
        oscillator_hz : int
            Frequency of the oscillator in Hz.

        Yields
        ------
        Dividers
            The settings.
        """
        for reference in self.references:
            detector = Fraction(oscillator_hz, reference)
            if not self.detector[0] <= detector <= self.detector[1]:
                continue
            least = max(self.multipliers[0], math.ceil(self.vco[0] / detector))
            most = min(self.multipliers[-1], math.floor(self.vco[1] / detector))
            for multiplier in range(least, most + 1):
                for output in self.outputs:
                    settings = Dividers(reference, multiplier, output)
                    if self.output[0] <= settings.frequency(oscillator_hz) <= self.output[1]:
                        yield settings

    def distance(self, settings: Dividers, oscillator_hz: int) -> Fraction:
        """Measure how far settings are from the nearest limit.

        Parameters
        ----------
        settings : Dividers
            Settings within the limits.
        oscillator_hz : int
            Frequency of the oscillator in Hz.

        Returns
        -------
        Fraction
            Distance as a part of the VCO's range, or of the detector's limit.
        """
        vco, detector = settings.vco(oscillator_hz), Fraction(oscillator_hz, settings.reference)
        low, high = self.vco
        return min(
            (vco - low) / (high - low),
            (high - vco) / (high - low),
            detector / self.detector[0] - 1,
            1 - detector / self.detector[1],
        )


_ICE40_LIMITS = Limits(
    detector=(10 * MHZ, 133 * MHZ),
    vco=(533 * MHZ, 1066 * MHZ),
    output=(16 * MHZ, 275 * MHZ),
    references=range(1, 17),
    multipliers=range(1, 129),
    outputs=tuple(1 << shift for shift in range(1, 7)),
)
"""Limits of iCE40 PLLs, from Lattice's data sheets FPGA-DS-02008 and FPGA-DS-02029, sysCLOCK PLL
timing, and the technical note FPGA-TN-02052."""

LIMITS = {
    Family.ICE40UP: _ICE40_LIMITS,
    Family.ICE40HX: _ICE40_LIMITS,
    Family.ECP5: Limits(
        detector=(10 * MHZ, 400 * MHZ),
        vco=(400 * MHZ, 800 * MHZ),
        output=(3_125_000, 400 * MHZ),
        references=range(1, 129),
        multipliers=range(1, 129),
        outputs=tuple(range(1, 129)),
    ),
}
"""Limits of the PLLs, by family; those of ECP5 are from Lattice's data sheet FPGA-DS-02012,
sysCLOCK PLL timing, and the technical note FPGA-TN-02200."""

_ICE40_FILTER_LIMITS_MHZ = (17, 26, 44, 66, 101)
"""Frequencies of the phase detector in MHz that divide the settings of the loop filter:
FILTER_RANGE is 1 below the first of them, 2 below the second, and so on."""


def find_dividers(family: Family, oscillator_hz: int, clock_hz: int) -> Dividers:
    """Find the settings of a PLL that give a clock exactly.

    If there are several, those that are farthest from the family's limits are taken.

    Parameters
    ----------
    family : Family
        A family with a PLL.
    oscillator_hz : int
        Frequency of the oscillator in Hz.
    clock_hz : int
        Frequency of the clock in Hz.

    Returns
    -------
    Dividers
        The settings.

    Raises
    ------
    ValueError
        If no setting gives that frequency; the message names the nearest ones.
    """
    limits = LIMITS[family]
    settings = list(limits.settings(oscillator_hz))
    exact = [each for each in settings if each.frequency(oscillator_hz) == clock_hz]
    if exact:
        middle = sum(limits.vco) / 2
        return min(
            exact,
            key=lambda each: (
                -limits.distance(each, oscillator_hz),
                abs(each.vco(oscillator_hz) - middle),
                each.reference,
            ),
        )
    possible = sorted({each.frequency(oscillator_hz) for each in settings})
    below = [float(hz) for hz in possible if hz < clock_hz][-1:]
    above = [float(hz) for hz in possible if hz > clock_hz][:1]
    nearest = " and ".join(f"{hz / MHZ:.6g} MHz" for hz in below + above) or "nothing"
    raise ValueError(
        f"no PLL setting gives {clock_hz / MHZ:.6g} MHz from an oscillator of "
        f"{oscillator_hz / MHZ:.6g} MHz; the nearest are {nearest}"
    )


class ClockGenerator(Elaboratable):
    """Drives the clock domain ``sync`` from a PLL, and keeps it in reset until the PLL has locked.

    The domain itself must be defined where the generator is a submodule.

    Parameters
    ----------
    family : Family
        ``ECP5`` takes an EHXPLLL, and the iCE40 families a SB_PLL40.
    oscillator : amaranth.lib.io.SingleEndedPort
        Pin of the oscillator.
    oscillator_hz, clock_hz : int
        Frequencies of oscillator and clock in Hz.
    pad : bool
        On iCE40: the pin is the pad that belongs to the PLL. Other pins cannot feed the PLL
        directly, and this one cannot feed it in any other way.

    Attributes
    ----------
    dividers : Dividers
        The settings of the PLL.

    Raises
    ------
    ValueError
        If no setting of the PLL gives the clock exactly.

    Notes
    -----
    There are no ports. The reset ends `RESET_SECONDS` after the PLL has locked, and begins again if
    the lock is lost. Resources: one PLL, and a counter of that time.
    """

    def __init__(
        self,
        family: Family,
        oscillator: io.SingleEndedPort,
        oscillator_hz: int,
        clock_hz: int,
        pad: bool = True,
    ) -> None:
        self.dividers = find_dividers(family, oscillator_hz, clock_hz)
        self._family = family
        self._oscillator = oscillator
        self._oscillator_hz = oscillator_hz
        self._clock_hz = clock_hz
        self._pad = pad

    def elaborate(self, platform) -> Module:
        m = Module()
        clock = Signal()
        locked = Signal()
        # A domain with the same clock and no reset counts the time after which `sync` leaves its
        # reset.
        m.domains.pll = ClockDomain(reset_less=True, local=True)
        m.d.comb += [ClockSignal("sync").eq(clock), ClockSignal("pll").eq(clock)]
        if self._family is Family.ECP5:
            self._add_ehxplll(m, clock, locked)
        else:
            self._add_pll40(m, clock, locked)

        steady = Signal()
        m.submodules.locked = FFSynchronizer(locked, steady, o_domain="pll")
        last = math.ceil(RESET_SECONDS * self._clock_hz)
        waited = Signal(range(last + 1))
        ready = Signal()
        # A register without logic behind it, since the reset's wire is long on a large device: it
        # leads to everything that has a reset.
        reset = Signal(init=1)
        m.d.comb += ResetSignal("sync").eq(reset)
        m.d.pll += [ready.eq(steady & (waited == last)), reset.eq(~ready)]
        with m.If(~steady):
            m.d.pll += waited.eq(0)
        with m.Elif(waited != last):
            m.d.pll += waited.eq(waited + 1)
        return m

    def _add_ehxplll(self, m: Module, clock: Signal, locked: Signal) -> None:
        """Instantiate the PLL of an ECP5."""
        dividers = self.dividers
        m.submodules.pin = pin = io.Buffer("i", self._oscillator)
        feedback = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            # The loop filter is set as Project Trellis' tool ecppll sets it.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=dividers.reference,
            # The output CLKOP closes the loop, so that CLKOS can divide the VCO by any number.
            p_FEEDBK_PATH="CLKOP",
            p_CLKFB_DIV=1,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=dividers.multiplier,
            # A phase of one less than the divider means no shift.
            p_CLKOP_CPHASE=dividers.multiplier - 1,
            p_CLKOS_ENABLE="ENABLED",
            p_CLKOS_DIV=dividers.output,
            p_CLKOS_CPHASE=dividers.output - 1,
            i_CLKI=pin.i,
            i_CLKFB=feedback,
            o_CLKOP=feedback,
            o_CLKOS=clock,
            o_LOCK=locked,
            **{
                f"i_{name}": C(0, 1)
                for name in (
                    *("RST", "STDBY", "PLLWAKESYNC", "ENCLKOP", "ENCLKOS"),
                    *("PHASESEL0", "PHASESEL1", "PHASEDIR", "PHASESTEP", "PHASELOADREG"),
                )
            },
        )

    def _add_pll40(self, m: Module, clock: Signal, locked: Signal) -> None:
        """Instantiate the PLL of an iCE40."""
        dividers = self.dividers
        detector = self._oscillator_hz / dividers.reference
        above = sum(detector >= limit * MHZ for limit in _ICE40_FILTER_LIMITS_MHZ)
        if self._pad:
            source = {"i_PACKAGEPIN": self._oscillator.io}
        else:
            m.submodules.pin = pin = io.Buffer("i", self._oscillator)
            source = {"i_REFERENCECLK": pin.i}
        m.submodules.pll = Instance(
            "SB_PLL40_PAD" if self._pad else "SB_PLL40_CORE",
            p_FEEDBACK_PATH="SIMPLE",
            p_PLLOUT_SELECT="GENCLK",
            # The cell takes dividers less one, and the output divider as a power of two.
            p_DIVR=C(dividers.reference - 1, 4),
            p_DIVF=C(dividers.multiplier - 1, 7),
            p_DIVQ=C(dividers.output.bit_length() - 1, 3),
            p_FILTER_RANGE=C(1 + above, 3),
            i_RESETB=C(1, 1),
            i_BYPASS=C(0, 1),
            o_PLLOUTGLOBAL=clock,
            o_LOCK=locked,
            **source,
        )
