"""Arguments of the samplers: what is refused, and how the rest is brought into one form."""

from __future__ import annotations

from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import dimod
import numpy as np

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


def checked_count(value, name: str) -> None:
    """Refuse what is not an integer of at least 1.

    Parameters
    ----------
    value : int
        The argument.
    name : str
        Its name, for the message.

    Raises
    ------
    TypeError, ValueError
        If the argument is not an integer, or less than 1.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if int(value) < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
