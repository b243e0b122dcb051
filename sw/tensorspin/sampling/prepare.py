"""Divide a model between host and device: what is decided, what is annealed, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dimod
import numpy as np

from ..contract.annealer.size import AnnealerSize
from ..errors import CapacityError
from .persistency import decided_variables
from .quantise import RULES, Quantised, check_variables, quantise_model
from .rounding import Rule

ORDER = 0
"""Seed of the order in which a sweep visits the variables.

The order is random because coupled variables should not be visited one after the other, as they
would be on a grid or a chain that is numbered along its length: a change then travels along with
the visits, and the model relaxes slowly. The seed is fixed, so that the same model always has the
same order and need not be uploaded again."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model as a device anneals it.

    Parameters
    ----------
    variables : list
        Labels of the variables on the device, in the order of the visits.
    decided : dict
        Spin, +1 or -1, of each variable that is decided on the host, by its label.
    quantised : Quantised
        The model of the variables on the device, in integers.
    rest : dimod.BinaryQuadraticModel
        The model of the variables on the device, as it is given.
    """

    variables: list
    decided: dict
    quantised: Quantised
    rest: dimod.BinaryQuadraticModel

    @property
    def labels(self) -> list:
        """Labels of all variables: those on the device, then those that are decided."""
        return [*self.variables, *self.decided]

    def roundings(self, count: int) -> list[Quantised]:
        """Round the model by several rules, one for each anneal of a read.

        Parameters
        ----------
        count : int
            Number of anneals.

        Returns
        -------
        list of Quantised
            The model in integers, for one anneal after the other; always the same if it is exact.
            A rule by which the model does not fit the device is left out.
        """
        found = [self.quantised]
        if self.variables and not self.quantised.exact:
            size = self.quantised.problem.size
            for rule in RULES[self.rest.vartype][1:count]:
                try:
                    found.append(quantise_model(self.rest, self.variables, size, rule))
                except CapacityError:
                    continue
        return [found[number % len(found)] for number in range(count)]


def prepare_model(
    bqm: dimod.BinaryQuadraticModel, variables: Sequence, size: AnnealerSize, decide: bool = True
) -> Prepared:
    """Quantise a model; unless the device holds it exactly, decide what can be on the host.

    The coefficients of the variables that are decided are often the greatest. Without them the
    others are scaled further, and lose less by rounding.

    Parameters
    ----------
    bqm : dimod.BinaryQuadraticModel
        A model of any vartype with finite coefficients.
    variables : sequence
        Labels of the model's variables.
    size : AnnealerSize
        Size of the device.
    decide : bool, default=True
        Whether variables may be decided on the host. Samples at a temperature need all of them on
        the device.

    Returns
    -------
    Prepared
        What the device anneals, and the rest.

    Raises
    ------
    ValueError
        If a coefficient is not finite, or far too great or small.
    CapacityError
        If there are more variables than spins, or if what is left does not fit the device.
    """
    check_variables(len(variables), size)
    whole, refused = None, None
    order = _visited(variables)
    try:
        whole = _first_that_fits(bqm, order, size)
    except CapacityError as error:
        refused = error
    decided = {} if not decide or (whole and whole.exact) else decided_variables(bqm)
    if not decided:
        if whole is None:
            assert refused is not None
            raise refused
        return Prepared(order, {}, whole, bqm)
    rest = bqm.copy()
    rest.fix_variables(decided)
    order = _visited([label for label in variables if label not in decided])
    spins = {label: 1 if value > 0 else -1 for label, value in decided.items()}
    return Prepared(order, spins, _first_that_fits(rest, order, size), rest)


def _first_that_fits(
    bqm: dimod.BinaryQuadraticModel, order: Sequence, size: AnnealerSize
) -> Quantised:
    """Quantise a model by the first of its rules by which it fits."""
    refused: CapacityError | None = None
    rules: Sequence[Rule] = RULES[bqm.vartype]
    for rule in rules:
        try:
            return quantise_model(bqm, order, size, rule)
        except CapacityError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _visited(variables: Sequence) -> list:
    """Put variables in the order in which a sweep visits them."""
    order = np.random.default_rng(ORDER).permutation(len(variables))
    return [variables[place] for place in order]
