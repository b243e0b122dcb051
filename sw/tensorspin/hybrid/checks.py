"""Parameters of the hybrid classes: what is refused."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from ..models.parameters import is_number

LEAST_SECONDS, MOST_SECONDS = 0.001, 3600.0
"""Shortest and longest deadline in seconds. Python itself takes about a millisecond for a call."""

MOST_SHOTS = 1_000_000
"""Greatest number of shots of a sample."""

MOST_IN_FLIGHT = 64
"""Greatest number of requests that may be under way at a time."""


def checked_deadline(seconds) -> float:
    """Refuse a deadline that is no time.

    Parameters
    ----------
    seconds : float
        The deadline of a user.

    Returns
    -------
    float
        The same, `LEAST_SECONDS` to `MOST_SECONDS`.

    Raises
    ------
    TypeError, ValueError
        If it is no number, or not in this range.
    """
    if not is_number(seconds, Real):
        raise TypeError(f"deadline must be a number of seconds, not {seconds!r}")
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise ValueError(
            f"deadline must be {LEAST_SECONDS:g} to {MOST_SECONDS:g} seconds, not {seconds}"
        )
    return float(seconds)


def checked_shots(shots) -> int:
    """Refuse a number of shots that no sampler takes.

    Parameters
    ----------
    shots : int
        The argument of a user.

    Returns
    -------
    int
        The same, 1 to `MOST_SHOTS`.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or not in this range.
    """
    if not is_number(shots, Integral):
        raise TypeError(f"shots must be an integer, not {shots!r}")
    if not 1 <= int(shots) <= MOST_SHOTS:
        raise ValueError(f"shots must be 1 to {MOST_SHOTS}, not {shots}")
    return int(shots)


def checked_in_flight(in_flight) -> int:
    """Refuse a number of requests that may not be under way at a time.

    Parameters
    ----------
    in_flight : int
        The argument of a user.

    Returns
    -------
    int
        The same, 1 to `MOST_IN_FLIGHT`.

    Raises
    ------
    TypeError, ValueError
        If it is no integer, or not in this range.
    """
    if not is_number(in_flight, Integral):
        raise TypeError(f"in_flight must be an integer, not {in_flight!r}")
    if not 1 <= in_flight <= MOST_IN_FLIGHT:
        raise ValueError(f"in_flight must be 1 to {MOST_IN_FLIGHT}, not {in_flight}")
    return int(in_flight)


def checked_share(name: str, value: Any, most: float) -> float | None:
    """Refuse what is neither None nor a number from 0 to a limit.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : None or float
        The argument of a user.
    most : float
        The limit.

    Returns
    -------
    None or float
        The same.

    Raises
    ------
    TypeError, ValueError
        If it is no number, or not in this range.
    """
    if value is None:
        return None
    if not is_number(value, Real):
        raise TypeError(f"{name} must be None or a number, not {value!r}")
    if not 0 <= value <= most:
        raise ValueError(f"{name} must be 0 to {most:g}, not {value}")
    return float(value)
