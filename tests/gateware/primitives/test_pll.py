"""PLL settings stay inside what the devices' data sheets allow."""

import pytest

from tensorspin_gateware.primitives import Family
from tensorspin_gateware.primitives.pll import LIMITS, MHZ, Dividers, find_dividers


@pytest.mark.parametrize(
    ("family", "oscillator", "clock"),
    [
        (Family.ICE40UP, 12, 24),
        (Family.ICE40HX, 12, 48),
        (Family.ICE40UP, 12, 30),
        (Family.ICE40UP, 12, 27.75),
        (Family.ECP5, 25, 75),
        (Family.ECP5, 25, 80),
        (Family.ECP5, 25, 62.5),
        (Family.ECP5, 100, 80),
        (Family.ECP5, 12, 90),
    ],
)
def test_exact_and_inside_the_limits(family, oscillator, clock):
    oscillator_hz, clock_hz = oscillator * MHZ, round(clock * MHZ)
    limits = LIMITS[family]
    dividers = find_dividers(family, oscillator_hz, clock_hz)
    assert oscillator_hz * dividers.multiplier == clock_hz * dividers.reference * dividers.output
    assert limits.detector[0] * dividers.reference <= oscillator_hz
    assert oscillator_hz <= limits.detector[1] * dividers.reference
    assert limits.vco[0] <= clock_hz * dividers.output <= limits.vco[1]
    assert limits.output[0] <= clock_hz <= limits.output[1]
    assert dividers.reference in limits.references
    assert dividers.multiplier in limits.multipliers
    assert dividers.output in limits.outputs


def test_vco_is_kept_off_its_limits():
    assert find_dividers(Family.ECP5, 25 * MHZ, 50 * MHZ) == Dividers(1, 24, 12)


def test_phase_detector_is_kept_off_its_limits():
    """With the VCO nearer to its middle, at 570 MHz, the detector would run at its least 10 MHz."""
    assert find_dividers(Family.ECP5, 50 * MHZ, 95 * MHZ) == Dividers(2, 19, 5)


def test_vco_is_in_the_middle_if_the_detector_decides():
    assert find_dividers(Family.ECP5, 12 * MHZ, 60 * MHZ) == Dividers(1, 50, 10)


@pytest.mark.parametrize("family", [Family.ICE40UP, Family.ECP5])
def test_too_fast_output_is_refused(family):
    """The VCO, divided by less, would give it."""
    clock_hz = LIMITS[family].output[1] + 25 * MHZ
    with pytest.raises(ValueError, match=f"no PLL setting gives {clock_hz / MHZ:g} MHz"):
        find_dividers(family, 25 * MHZ, clock_hz)


def test_too_slow_output_is_refused():
    with pytest.raises(ValueError, match="the nearest are 16.125 MHz"):
        find_dividers(Family.ICE40UP, 12 * MHZ, 9 * MHZ)


def test_nearest_frequencies_are_named():
    message = "no PLL setting gives 17 MHz from an oscillator of 12 MHz; the nearest are "
    with pytest.raises(ValueError, match=message + "16.875 MHz and 17.25 MHz"):
        find_dividers(Family.ICE40UP, 12 * MHZ, 17 * MHZ)


def test_slow_oscillator_is_refused():
    with pytest.raises(ValueError, match="from an oscillator of 5 MHz; the nearest are nothing"):
        find_dividers(Family.ECP5, 5 * MHZ, 80 * MHZ)
