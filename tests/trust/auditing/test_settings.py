"""What an audit tries."""

from __future__ import annotations

import pytest

from tensorspin.trust import Settings


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"eps_linf": (0.1, 0.1)}, "eps_linf must be rising numbers above 0"),
        ({"eps_l2": (0.0,)}, "eps_l2 must be rising numbers above 0"),
        ({"eps_l2": (float("nan"),)}, "eps_l2 must be rising"),
        ({"flips": (10, 5)}, "flips must be rising numbers, 1 to 100000"),
        ({"flips": (0,)}, "flips must be"),
        ({"steps": 0}, "steps must be 1 or more, not 0"),
        ({"attack_samples": -1}, "attack_samples must be 0 or more, not -1"),
        ({"seed": -1}, "seed must be 0 or more, not -1"),
        ({"upset_rate": 0.0}, "upset_rate must be above 0 and at most 1"),
        ({"upset_rate": 2.0}, "upset_rate must be above 0 and at most 1"),
    ],
)
def test_numbers_outside_of_their_range_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Settings(**wrong)


def test_lists_become_tuples_and_may_be_empty():
    assert Settings(eps_linf=[0.1, 0.2], flips=[]).eps_linf == (0.1, 0.2)
