"""Number formats, rounding and saturation against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tensorspin.contract.fixed import MANTISSA, SQ, UQ, round_shift, saturate


@pytest.mark.parametrize("shift", range(7))
def test_round_shift_is_half_to_even_everywhere(shift):
    values = np.arange(-1000, 1000)
    # Python's round() of a Fraction rounds half to even.
    expected = [round(Fraction(int(value), 2**shift)) for value in values]
    assert round_shift(values, shift).tolist() == expected


@pytest.mark.parametrize(
    ("format", "least", "most"), [(SQ(1, 15), -32768, 32767), (UQ(8, 0), 0, 255), (SQ(4, 0), -8, 7)]
)
def test_limits(format, least, most):
    assert (format.minimum, format.maximum) == (least, most)
    assert saturate([least - 1, least, most, most + 1], format).tolist() == [
        least,
        least,
        most,
        most,
    ]


def test_conversion_saturates_and_rounds():
    raw = MANTISSA.from_float([1.0, -1.0, 0.5, 2**-16, 3 * 2**-16, 1e9])
    assert raw.tolist() == [32767, -32768, 16384, 0, 2, 32767]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_number_is_refused(value):
    with pytest.raises(ValueError, match=r"SQ\(1, 15\) cannot hold NaN or infinity"):
        MANTISSA.from_float([0.0, value])
