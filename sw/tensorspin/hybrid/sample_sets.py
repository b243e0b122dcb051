"""What the answer of a remote sampler of dimod must be, before anybody uses it."""

from __future__ import annotations

import dimod
import numpy as np

from .offload import ImplausibleError

ENERGY_TOLERANCE = 1e-5
"""Largest error of a reported energy, as a share of what the model's coefficients sum to. Samplers
that compute in single precision stay well below it."""


def checked_samples(answer: object, bqm: dimod.BinaryQuadraticModel) -> dimod.SampleSet:
    """Refuse what is not a set of samples of a model, with the energies that they have.

    Parameters
    ----------
    answer : object
        What a sampler returned.
    bqm : dimod.BinaryQuadraticModel
        The model.

    Returns
    -------
    dimod.SampleSet
        The answer.

    Raises
    ------
    ImplausibleError
        If it has other variables, other values or another vartype than the model, no samples, or
        energies that are not those of the samples.

    Examples
    --------
    >>> bqm = dimod.BinaryQuadraticModel({"a": 1.0}, {}, 0.0, "SPIN")
    >>> answer = dimod.SampleSet.from_samples({"a": -1}, vartype="SPIN", energy=-2.0)
    >>> checked_samples(answer, bqm)
    Traceback (most recent call last):
    tensorspin.hybrid.offload.ImplausibleError: a sample has the energy -1, not -2
    """
    if not isinstance(answer, dimod.SampleSet):
        raise ImplausibleError(
            f"the answer must be a dimod.SampleSet, not a {type(answer).__name__}"
        )
    if answer.vartype is not bqm.vartype:
        raise ImplausibleError(
            f"the model has {bqm.vartype.name} variables, the answer {answer.vartype.name} ones"
        )
    if len(answer.variables) != bqm.num_variables or set(answer.variables) != set(bqm.variables):
        raise ImplausibleError(
            f"the answer's {len(answer.variables)} variables must be the model's "
            f"{bqm.num_variables}"
        )
    record = answer.record
    if not len(record):
        raise ImplausibleError("the answer has no samples")
    if not np.isin(record.sample, sorted(bqm.vartype.value)).all():
        raise ImplausibleError(f"samples must hold {sorted(bqm.vartype.value)} only")
    if not (np.asarray(record.num_occurrences) >= 1).all():
        raise ImplausibleError("each sample must have occurred at least once")
    energies = bqm.energies((record.sample, answer.variables))
    allowed = ENERGY_TOLERANCE * max(1.0, _size(bqm))
    error = np.abs(energies - np.asarray(record.energy, dtype=float))
    wrong = ~(error <= allowed)  # nan is wrong, too
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ImplausibleError(
            f"a sample has the energy {energies[place]:.12g}, not {record.energy[place]:.12g}"
        )
    return answer


def _size(bqm: dimod.BinaryQuadraticModel) -> float:
    """Sum the magnitudes of all coefficients: no energy is larger."""
    sizes = [abs(float(bqm.offset))]
    sizes += [abs(float(value)) for value in bqm.linear.values()]
    sizes += [abs(float(value)) for value in bqm.quadratic.values()]
    return float(np.sum(sizes))
