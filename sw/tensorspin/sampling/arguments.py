"""Arguments of the samplers: what is refused, and how the rest is brought into one form."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import dimod
import numpy as np

from ..contract.annealer.size import AnnealerSize

MOST_SEED = 2**32 - 1
"""Greatest seed: dimod draws initial states with NumPy's older generators, which take no more."""


MOST_READS = 10_000_000
"""Greatest number of reads of a call. So many samples take a few hundred megabytes."""

MOST_READ_SPINS = 2**27
"""Greatest number of spins in all reads of a call together. While they are made, each takes about
ten bytes of the host's memory."""


def checked_model(bqm: dimod.BinaryQuadraticModel) -> dimod.BinaryQuadraticModel:
    """Refuse what is not a binary quadratic model with finite coefficients.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        The model, of spins (+1, -1) or binary variables (0, 1).

    Returns
    -------
    dimod.BinaryQuadraticModel
        The model; one of Python's numbers (dimod's ``dtype=object``), such as fractions or large
        integers, in double precision.

    Raises
    ------
    TypeError
        If it is something else, or a coefficient no real number.
    ValueError
        If a coefficient or the offset is not finite; the message names the variables.
    """
    if not isinstance(bqm, dimod.BinaryQuadraticModel):
        raise TypeError(f"the model must be a dimod.BinaryQuadraticModel, not {bqm!r}")
    if bqm.dtype == object:
        bqm = _in_double_precision(bqm)
    vectors: Any = bqm.to_numpy_vectors(return_labels=True)
    linear, (rows, columns, values), offset, labels = vectors
    if not np.isfinite(offset):
        raise ValueError(f"the model's offset is {offset}; it must be finite")
    wrong = np.flatnonzero(~np.isfinite(np.asarray(linear, np.float64)))
    if len(wrong):
        raise ValueError(
            f"the linear term of {labels[wrong[0]]!r} is {linear[wrong[0]]}; it must be finite"
        )
    wrong = np.flatnonzero(~np.isfinite(np.asarray(values, np.float64)))
    if len(wrong):
        pair = labels[rows[wrong[0]]], labels[columns[wrong[0]]]
        raise ValueError(f"the coupling of {pair} is {values[wrong[0]]}; it must be finite")
    return bqm


def _in_double_precision(bqm: dimod.BinaryQuadraticModel) -> dimod.BinaryQuadraticModel:
    """Copy a model of Python's numbers into one of double precision."""
    for name, values in (
        ("linear term", bqm.linear.values()),
        ("coupling", bqm.quadratic.values()),
        ("offset", [bqm.offset]),
    ):
        for value in values:
            if not isinstance(value, (Real, Decimal, np.bool_)):
                raise TypeError(f"the {name} {value!r} must be a real number")
    try:
        linear = {label: float(value) for label, value in bqm.linear.items()}
        quadratic = {pair: float(value) for pair, value in bqm.quadratic.items()}
        offset = float(bqm.offset)
    except OverflowError:
        raise ValueError("a coefficient is beyond double precision; divide the model") from None
    return dimod.BinaryQuadraticModel(linear, quadratic, offset, bqm.vartype)


def small_integers(states):
    """Convert initial states of any dtype to integers of eight bits.

    Parameters
    ----------
    states : samples-like or None
        States as `dimod.as_samples` takes them.

    Returns
    -------
    (ndarray of int8 of shape (n_states, n_variables), labels), or as given
        The states; a sample set or None is returned as it is.

    Raises
    ------
    ValueError
        If a value is not a small integer.
    """
    if states is None or isinstance(states, dimod.SampleSet):
        return states
    samples, labels = dimod.as_samples(states)
    integers = samples.astype(np.int8)
    wrong = samples[integers != samples]
    if len(wrong):
        raise ValueError(f"initial states hold {wrong[0]}; values are +1 and -1, or 0 and 1")
    return integers, labels


def check_reads(num_reads, variables: int) -> None:
    """Refuse more reads than the host's memory should be filled with, before any is made.

    Parameters
    ----------
    num_reads : int or None
        The number of reads; what is no integer is left to dimod, which refuses it.
    variables : int
        Number of variables of the model.

    Raises
    ------
    ValueError
        If there are more reads than `MOST_READS`, or more spins in them than `MOST_READ_SPINS`.
    """
    most = max(1, min(MOST_READS, MOST_READ_SPINS // max(1, variables)))
    if isinstance(num_reads, Integral) and int(num_reads) > most:
        raise ValueError(
            f"num_reads must be at most {most} for a model of {variables} variables, not "
            f"{num_reads}; sample several times, with other seeds"
        )


def check_threshold(energy_threshold) -> None:
    """Refuse an energy to stop at that is no number.

    Parameters
    ----------
    energy_threshold : float or None
        The energy; None for none.

    Raises
    ------
    TypeError, ValueError
        If it is not a real number, or NaN.
    """
    if energy_threshold is None:
        return
    if not isinstance(energy_threshold, Real) or isinstance(energy_threshold, bool):
        raise TypeError(f"energy_threshold must be None or a number, not {energy_threshold!r}")
    if energy_threshold != energy_threshold:
        raise ValueError("energy_threshold must be a number, not nan")


def checked_seed(seed) -> int:
    """Check the seed of a user, or draw a random one.

    Parameters
    ----------
    seed : int or None
        The seed; None for a random one.

    Returns
    -------
    int
        A seed of 0 to `MOST_SEED`.

    Raises
    ------
    TypeError, ValueError
        If the seed is not an integer, or out of this range.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if not isinstance(seed, Integral) or isinstance(seed, bool):
        raise TypeError(f"seed must be None or an integer, not {seed!r}")
    number = int(seed)
    if not 0 <= number <= MOST_SEED:
        raise ValueError(f"seed must be 0 to {MOST_SEED}, not {number}")
    return number


def checked_count(value, name: str, least: int = 1) -> None:
    """Refuse what is not an integer, or too small.

    Parameters
    ----------
    value : int
        The argument.
    name : str
        Its name, for the message.
    least : int, default=1
        The least value.

    Raises
    ------
    TypeError, ValueError
        If the argument is not an integer, or less than that.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if int(value) < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")


def checked_flips(flips: int | None, size: AnnealerSize, exact: bool, method: str) -> int:
    """Decide how many flips a turn of the device has.

    Parameters
    ----------
    flips : int or None
        What the user wants; None for what is best.
    size : AnnealerSize
        Size of the device.
    exact : bool
        Whether samples must follow Boltzmann's distribution, which several flips at once change.
    method : str
        One of `tensorspin.sampling.methods.METHODS`.

    Returns
    -------
    int
        1, or as many as the device can do. By default as many, unless states are exact, or the
        method is one of the distributions: "quantum" or "tempering".

    Raises
    ------
    TypeError, ValueError
        If it is something else, or more than 1 with `exact`.

    Examples
    --------
    >>> from tensorspin.contract.device import find_board
    >>> size = find_board("ulx3s_25f_annealer").require_annealer()
    >>> checked_flips(None, size, exact=False, method="annealing")
    1
    """
    if flips is None:
        return 1 if exact or method in ("quantum", "tempering") else size.flips
    checked_count(flips, "flips")
    if flips not in (1, size.flips):
        known = "1" if size.flips == 1 else f"1 or {size.flips}"
        raise ValueError(f"flips must be {known} on this device, not {flips}")
    if exact and flips > 1:
        raise ValueError(
            f"flips must be 1 with exact=True, not {flips}: spins that flip together follow no "
            f"distribution"
        )
    return int(flips)
