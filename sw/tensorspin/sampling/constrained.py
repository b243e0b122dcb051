"""Sample models with constraints: penalties are chosen, and raised until the constraints hold."""

from __future__ import annotations

import copy
import warnings
from numbers import Real
from typing import Any

import dimod
import numpy as np

from ..data.model_files.constrained import (
    integers_from_zero,
    integral_inequalities,
    wide_integer,
)
from .arguments import checked_count
from .presolve import fixed_by_constraints

RAISE = 4.0
"""Factor by which the penalties are raised where no read keeps all constraints."""

DEFAULT_RAISES = 4
"""Number of times that the penalties are raised at most, by default."""


class ConstrainedSampling:
    """Adds `sample_cqm` to a sampler of binary quadratic models."""

    def sample_cqm(
        self,
        cqm: dimod.ConstrainedQuadraticModel,
        *,
        lagrange_multiplier: float | None = None,
        max_raises: int = DEFAULT_RAISES,
        **parameters: Any,
    ) -> dimod.SampleSet:
        """Sample from a model with constraints.

        Variables that the constraints leave no choice are fixed first
        (`tensorspin.sampling.presolve`). dimod's `dimod.cqm_to_bqm` makes a model without
        constraints of the rest: a state that breaks a constraint gets a penalty, inequalities get
        variables of their own, and integers are encoded in binary variables. Large penalties leave
        few of a device's bits for the objective, so the first weight is small: the greatest
        coefficient of the objective. If no read keeps all constraints, the model is sampled again
        with a weight that is `RAISE` times as large.

        Parameters
        ----------
        cqm : dimod.ConstrainedQuadraticModel
            A model of binary variables, spins and integers, with linear constraints.
            Soft constraints are taken as hard.
        lagrange_multiplier : float, optional
            Weight of the penalties. If it is given, the model is sampled once.
        max_raises : int, default=4
            Number of times that the weight is raised at most.
        **parameters
            Arguments of `sample`, without initial states. Energies of `energy_threshold` are those
            of the objective.

        Returns
        -------
        dimod.SampleSet
            The reads of the last weight, in the variables of `cqm`, with energies of its objective.
            The fields ``is_feasible`` and ``is_satisfied`` tell which constraints hold. Its
            ``info`` is that of `sample`, with ``lagrange_multiplier`` (the last weight),
            ``lagrange_multipliers`` (all weights tried), ``feasible_reads`` (their number) and
            ``fixed`` (number of variables that were fixed).

        Raises
        ------
        TypeError, ValueError
            If the model is not what it must be, has real variables or quadratic constraints, or a
            constraint that cannot hold; or if a parameter is not what it must be.
        CapacityError
            If the model without constraints does not fit.

        Examples
        --------
        >>> import dimod
        >>> from tensorspin import BoardSampler
        >>> a, b = dimod.Binaries("ab")
        >>> cqm = dimod.ConstrainedQuadraticModel()
        >>> cqm.set_objective(-a - 2 * b)
        >>> _ = cqm.add_constraint(a + b <= 1)
        >>> with BoardSampler("golden://ulx3s_25f_annealer") as sampler:
        ...     samples = sampler.sample_cqm(cqm, num_sweeps=20, seed=1)
        >>> int(samples.first.sample["b"]), bool(samples.first.is_feasible)
        (1, True)
        """
        check_constrained(cqm)
        checked_count(max_raises, "max_raises", least=0)
        if lagrange_multiplier is not None and not (
            isinstance(lagrange_multiplier, Real) and 0 < lagrange_multiplier < np.inf
        ):
            raise ValueError(
                f"lagrange_multiplier must be more than 0 and finite, not {lagrange_multiplier!r}"
            )
        for name in ("initial_states", "initial_states_generator"):
            if parameters.get(name) is not None:
                raise ValueError(f"{name} can't be given: integers and inequalities have no states")
        fixed = fixed_by_constraints(cqm)
        rest = copy.deepcopy(cqm)
        rest.fix_variables(fixed)
        first = lagrange_multiplier or _first_weight(rest)
        raises = 0 if lagrange_multiplier is not None or not cqm.constraints else max_raises
        weights = [float(first * RAISE**number) for number in range(raises + 1)]
        for number, weight in enumerate(weights):
            found = _sampled(self, cqm, rest, fixed, weight, parameters)
            found.info["lagrange_multipliers"] = weights[: number + 1]
            if found.info["feasible_reads"] or found.info.get("interrupted"):
                break
        return found


def check_constrained(cqm: dimod.ConstrainedQuadraticModel) -> None:
    """Refuse a model that has no equivalent of binary variables.

    Parameters
    ----------
    cqm : dimod.ConstrainedQuadraticModel
        The model.

    Raises
    ------
    TypeError, ValueError
        If it is something else; if it has real variables, integers with a million values,
        quadratic constraints, or numbers that are not finite.
    """
    if not isinstance(cqm, dimod.ConstrainedQuadraticModel):
        raise TypeError(f"the model must be a dimod.ConstrainedQuadraticModel, not {cqm!r}")
    for label in cqm.variables:
        vartype = cqm.vartype(label)
        if vartype is dimod.REAL:
            raise ValueError(
                f"the variable {label!r} is real; a device has binary variables only: make it an "
                f"integer number of small units (dimod.Integer)"
            )
        if vartype is dimod.INTEGER and (wide := wide_integer(cqm, label)) is not None:
            raise ValueError(wide)
    objective = cqm.objective
    if not np.all(np.isfinite([*objective.linear.values(), *objective.quadratic.values()])):
        raise ValueError("the objective has a coefficient that is not finite")
    for name, constraint in cqm.constraints.items():
        lhs = constraint.lhs
        if not lhs.is_linear():
            raise ValueError(f"the constraint {name!r} must be linear, not quadratic")
        if not np.all(np.isfinite([*lhs.linear.values(), lhs.offset, constraint.rhs])):
            raise ValueError(f"the constraint {name!r} has a number that is not finite")


def _first_weight(cqm: dimod.ConstrainedQuadraticModel) -> float:
    """Choose the first weight of the penalties: the greatest coefficient of the objective."""
    objective = cqm.objective
    values = [*objective.linear.values(), *objective.quadratic.values()]
    return float(np.abs(values).max(initial=0.0)) or 1.0


def _sampled(sampler, cqm, rest, fixed: dict, weight: float, parameters: dict) -> dimod.SampleSet:
    """Sample a model with one weight of the penalties."""
    with warnings.catch_warnings():
        # dimod warns of fractional coefficients and of constraints that always hold.
        warnings.simplefilter("ignore")
        moved, least = integers_from_zero(rest)
        integral, _ = integral_inequalities(moved.spin_to_binary(inplace=False))
        bqm, invert = dimod.cqm_to_bqm(integral, weight)
    # dimod gives variables of inequalities random labels, by which states would be ordered.
    labels = list(bqm.variables)
    bqm.relabel_variables({label: number for number, label in enumerate(labels)})
    found = sampler.sample(bqm, **parameters)
    places = [found.variables.index(number) for number in range(len(labels))]
    samples = []
    for row in found.record.sample[:, places].tolist():
        sample = invert(dict(zip(labels, row)))
        for label in rest.variables:
            if rest.vartype(label) is dimod.SPIN:
                sample[label] = 2 * sample[label] - 1
        sample.update({label: sample.get(label, 0) + low for label, low in least.items()})
        samples.append({**fixed, **{label: sample[label] for label in rest.variables}})
    result = dimod.SampleSet.from_samples_cqm(samples, cqm, info=dict(found.info))
    result.info.update(
        lagrange_multiplier=weight,
        feasible_reads=int(result.record.is_feasible.sum()),
        fixed=len(fixed),
    )
    return result
