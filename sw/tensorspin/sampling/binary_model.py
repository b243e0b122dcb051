"""From a user's binary quadratic model to a device's problem."""

from __future__ import annotations

from collections.abc import Sequence

import dimod
import numpy as np

from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError
from .gauge import balanced_state
from .quantise import Quantised, quantise


def check_model(bqm: dimod.BinaryQuadraticModel) -> None:
    """Refuse what is no model of numbers.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        Of any vartype.

    Raises
    ------
    TypeError
        If it is something else.
    ValueError
        If a coefficient or the offset is not finite; the message names the variables.
    """
    if not isinstance(bqm, dimod.BinaryQuadraticModel):
        raise TypeError(f"the model must be a dimod.BinaryQuadraticModel, not {bqm!r}")
    linear, (rows, columns, values), offset, labels = bqm.to_numpy_vectors(return_labels=True)
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


def quantise_model(
    bqm: dimod.BinaryQuadraticModel, variables: Sequence, size: AnnealerSize
) -> Quantised:
    """A model of spins on a device's scale.

    If the fields of the device's first state do not fit, another state is made the first.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        Of any vartype; `check_model` accepts it. Of one without variables a problem of one spin
        with no field is made.
    variables : sequence
        Labels in the order of the problem's variables.
    size : AnnealerSize

    Raises
    ------
    ValueError
        As `quantise`.
    CapacityError
        If it does not fit.
    """
    if not len(variables):
        return quantise(np.zeros(1), np.zeros((1, 1)), size)
    linear, (rows, columns, values), _ = bqm.spin.to_numpy_vectors(variable_order=variables)
    linear = np.asarray(linear, np.float64)
    couplings = np.zeros((len(linear), len(linear)))
    couplings[rows, columns] = values
    couplings = couplings + couplings.T
    try:
        return quantise(linear, couplings, size)
    except CapacityError:
        if len(linear) > size.spins:
            raise
        return quantise(linear, couplings, size, balanced_state(couplings))


def small_integers(states):
    """Samples of any dtype as integers of eight bits.

    Parameters
    ----------
    states : samples-like or None
        As `dimod.as_samples` takes them. A sample set or None is returned as it is.

    Raises
    ------
    ValueError
        If a value is no small integer.
    """
    if states is None or isinstance(states, dimod.SampleSet):
        return states
    samples, labels = dimod.as_samples(states)
    integers = samples.astype(np.int8)
    wrong = samples[integers != samples]
    if len(wrong):
        raise ValueError(f"initial states hold {wrong[0]}; values are +1 and -1, or 0 and 1")
    return integers, labels
