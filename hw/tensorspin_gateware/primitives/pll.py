"""Phase-locked loops: the engine's clock from a board's oscillator."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from amaranth import C, ClockDomain, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.hdl import Elaboratable
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from . import Family

BLOCK_RAM_SECONDS = 3e-6
"""For about so long after configuration iCE40 block RAM reads zero. It is in no data sheet; users
found it (https://github.com/YosysHQ/icestorm/issues/76)."""
RESET_SECONDS = 5 * BLOCK_RAM_SECONDS
"""Reset after lock, longer by as much as in Amaranth's own power-on reset: the time varies."""

MHZ = 1_000_000


@dataclass(frozen=True)
class Dividers:
    """Settings of a PLL: output = oscillator / reference * multiplier / output divider.

    Attributes
    ----------
    reference : int
        Oscillator to phase detector.
    multiplier : int
        Phase detector to voltage-controlled oscillator (VCO).
    output : int
        VCO to output.
    """

    reference: int
    multiplier: int
    output: int

    def frequency(self, oscillator_hz: int) -> Fraction:
        """Output in Hz."""
        return Fraction(oscillator_hz * self.multiplier, self.reference * self.output)

    def vco(self, oscillator_hz: int) -> Fraction:
        """Frequency of the VCO in Hz."""
        return self.frequency(oscillator_hz) * self.output


@dataclass(frozen=True)
class Limits:
    """What a family's PLL can be set to; frequencies in Hz.

    Attributes
    ----------
    detector, vco, output : tuple of int
        Least and greatest frequency.
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
        """All settings within the limits."""
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
        """How far settings are from the nearest limit: parts of the VCO's range, or of the
        detector's limit."""
        vco, detector = settings.vco(oscillator_hz), Fraction(oscillator_hz, settings.reference)
        low, high = self.vco
        return min(
            (vco - low) / (high - low),
            (high - vco) / (high - low),
            detector / self.detector[0] - 1,
            1 - detector / self.detector[1],
        )


# Lattice FPGA-DS-02008 and FPGA-DS-02029, sysCLOCK PLL timing; FPGA-TN-02052.
_ICE40_LIMITS = Limits(
    detector=(10 * MHZ, 133 * MHZ),
    vco=(533 * MHZ, 1066 * MHZ),
    output=(16 * MHZ, 275 * MHZ),
    references=range(1, 17),
    multipliers=range(1, 129),
    outputs=tuple(1 << shift for shift in range(1, 7)),
)

LIMITS = {
    Family.ICE40UP: _ICE40_LIMITS,
    Family.ICE40HX: _ICE40_LIMITS,
    # Lattice FPGA-DS-02012, sysCLOCK PLL timing; FPGA-TN-02200.
    Family.ECP5: Limits(
        detector=(10 * MHZ, 400 * MHZ),
        vco=(400 * MHZ, 800 * MHZ),
        output=(3_125_000, 400 * MHZ),
        references=range(1, 129),
        multipliers=range(1, 129),
        outputs=tuple(range(1, 129)),
    ),
}

_ICE40_FILTER_LIMITS_MHZ = (17, 26, 44, 66, 101)
"""Loop filter: FILTER_RANGE is 1 below the first of these detector frequencies, and so on."""


def find_dividers(family: Family, oscillator_hz: int, clock_hz: int) -> Dividers:
    """Settings that give a clock exactly, as far from the family's limits as possible.

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
    """Drives the domain ``sync`` from a PLL, and keeps it in reset until the PLL has locked.

    The domain itself is defined where the generator is a submodule.

    Parameters
    ----------
    family : Family
    oscillator : amaranth.lib.io.SingleEndedPort
        Pin of the oscillator.
    oscillator_hz, clock_hz : int
    pad : bool
        On iCE40: that pin is the pad that belongs to the PLL. No other may feed the PLL directly,
        and this one cannot feed it in any other way.

    Attributes
    ----------
    dividers : Dividers

    Raises
    ------
    ValueError
        If no setting of the PLL gives the clock exactly.
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
        # A register by itself: the way to all that has a reset is long on a large device.
        reset = Signal(init=1)
        m.d.comb += ResetSignal("sync").eq(reset)
        m.d.pll += [ready.eq(steady & (waited == last)), reset.eq(~ready)]
        with m.If(~steady):
            m.d.pll += waited.eq(0)
        with m.Elif(waited != last):
            m.d.pll += waited.eq(waited + 1)
        return m

    def _add_ehxplll(self, m: Module, clock: Signal, locked: Signal) -> None:
        dividers = self.dividers
        m.submodules.pin = pin = io.Buffer("i", self._oscillator)
        feedback = Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            # Loop filter as Project Trellis' ecppll sets it.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_CLKI_DIV=dividers.reference,
            # One output closes the loop, so that the other can divide the VCO by any number.
            p_FEEDBK_PATH="CLKOP",
            p_CLKFB_DIV=1,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=dividers.multiplier,
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
