"""Counts become probabilities, or are refused."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tensorspin.hybrid.circuits.results import share_of_zeros


def test_the_share_of_zeros_is_p0():
    assert share_of_zeros({"000": 3, "010": 1}, 3) == 0.75
    assert share_of_zeros({"00 0": 1.5, "11 1": 0.5}, 3) == 0.75
    assert share_of_zeros({0: 1, 5: 3}, 3) == 0.25
    assert share_of_zeros({"0x0": 1, "0x5": 3}, 3) == 0.25
    assert share_of_zeros({"111": 4}, 3) == 0
    assert share_of_zeros({np.int64(0): np.int64(2)}, 3) == 1


@pytest.mark.parametrize(
    "counts, message",
    [
        ({}, "at least one shot"),
        ({"000": 0}, "at least one shot"),
        ({"00": 5}, "must be 3 zeros and ones, not '00'"),
        ({"0000": 5}, "must be 3 zeros and ones"),
        ({"0a0": 5}, "must be 3 zeros and ones"),
        ({8: 5}, "must have 3 bits, not be 8"),
        ({-1: 5}, "must have 3 bits"),
        ({"0x8": 5}, "must have 3 bits, not be 8"),
        ({"0xg": 5}, "must be a number, not '0xg'"),
        ({None: 5}, "must be 3 zeros and ones, not None"),
        ({True: 5}, "must be 3 zeros and ones, not True"),
        ({"000": -1}, "at least 0, not -1"),
        ({"000": float("nan")}, "at least 0, not nan"),
        ({"000": float("inf")}, "at least 0, not inf"),
        ({"000": "7"}, "at least 0, not '7'"),
        ([1, 2], "must be a mapping from results to numbers, or a BitArray, not list"),
    ],
)
def test_wrong_counts_are_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        share_of_zeros(counts, 3)


def test_arrays_of_bits_are_taken_sample_by_sample():
    array = np.array([[[0], [0], [4], [0]], [[1], [2], [0], [7]]], dtype=np.uint8)
    bits = SimpleNamespace(array=array, num_bits=3, num_shots=4)
    assert share_of_zeros(bits, 3).tolist() == [0.75, 0.25]
    whole = SimpleNamespace(data=SimpleNamespace(outcome=bits))
    assert share_of_zeros(whole, 3).tolist() == [0.75, 0.25]
    bits.array = array[0]
    assert share_of_zeros(bits, 3) == 0.75
    with pytest.raises(ValueError, match="must have 4 bits, not 3"):
        share_of_zeros(bits, 4)
    bits.num_shots = 0
    with pytest.raises(ValueError, match="at least one shot"):
        share_of_zeros(bits, 3)
