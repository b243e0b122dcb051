"""A model together with what its file asks for, and answers in the terms of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dimod
import numpy as np


@dataclass(frozen=True)
class Model:
    """A model together with the objective that its file states.

    Parameters
    ----------
    name : str
        Name of the file, without folders.
    bqm : dimod.BinaryQuadraticModel
        The model to minimise.
    objective : str
        What the file asks for: "max cut" (the largest cut of a graph), "min x'Qx" or "max x'Qx"
        (the least or the greatest value of a quadratic form), "energy" or "max energy" (the least
        or the greatest energy of the model itself), "objective" or "max objective" (the same of a
        model with constraints).
    weight : float
        Sum of the weights of all edges; it counts only for the objective "max cut".
    file_format : str
        Format in which the file was read, one of `FORMATS`; empty if there is no file.
    reading : str
        How the file was read, in words, and how another reading is chosen if there is one.
    constraints : Constraints or None
        The constraints, if there are any. The model then holds penalties for breaking them, and
        variables that the file does not have.

    Examples
    --------
    A graph of two nodes and one edge of weight 3. The edge is cut if the spins differ.

    >>> import dimod
    >>> from tensorspin.data import Model
    >>> bqm = dimod.BinaryQuadraticModel.from_ising({}, {(1, 2): 3.0})
    >>> model = Model("edge", bqm, "max cut", weight=3.0)
    >>> float(model.value(bqm.energy({1: +1, 2: -1}))), model.maximised
    (3.0, True)
    """

    name: str
    bqm: dimod.BinaryQuadraticModel
    objective: str
    weight: float = 0.0
    file_format: str = ""
    reading: str = ""
    constraints: Constraints | None = None

    @property
    def maximised(self) -> bool:
        """Whether a greater value of the objective is better."""
        return self.objective.startswith("max ")

    def value(self, energy):
        """Convert energies of states to the file's objective.

        Parameters
        ----------
        energy : float or ndarray of float
            Energies of the model.

        Returns
        -------
        float or ndarray of float
            Values of the objective, in the shape of `energy`. Of a model with constraints these
            are the values of states that keep all of them.
        """
        if self.objective == "max cut":
            # An edge of weight w adds -w to the energy if it is cut and +w if it is not, so the
            # energy is the weight of all edges less twice the cut.
            return (self.weight - energy) / 2
        return -energy if self.maximised else energy

    def energy(self, value: float) -> float:
        """Convert a value of the file's objective to an energy: the inverse of `value`.

        Parameters
        ----------
        value : float
            Value of the objective.

        Returns
        -------
        float
            Energy of a state with that value.
        """
        if self.objective == "max cut":
            return self.weight - 2 * value
        return -value if self.maximised else value

    def answers(self, found: dimod.SampleSet) -> Answers:
        """Express samples of the model in the terms of the file.

        Parameters
        ----------
        found : dimod.SampleSet
            Samples of `bqm`.

        Returns
        -------
        Answers
            One answer for each sample, in their order.
        """
        if self.constraints is not None:
            return self.constraints.answers(found, self.maximised)
        values = np.asarray(self.value(found.record.energy), dtype=np.float64)
        return Answers(list(found.variables), found.record.sample, values, None, self.maximised)


@dataclass(frozen=True, eq=False)
class Answers:
    """States of a file's own variables, with the value of the file's objective.

    Parameters
    ----------
    variables : list
        Labels of the variables.
    states : ndarray of int of shape (n_answers, n_variables)
        Values of the variables in each answer.
    values : ndarray of float64 of shape (n_answers,)
        Values of the objective.
    feasible : ndarray of bool of shape (n_answers,), or None
        Whether an answer keeps all constraints; None if the model has none.
    maximised : bool
        Whether a greater value is better.

    Examples
    --------
    >>> import numpy as np
    >>> answers = Answers(["a"], np.array([[1], [0]]), np.array([2.0, 1.0]), None, False)
    >>> answers.order.tolist(), answers.best
    ([1, 0], 1)
    """

    variables: list
    states: np.ndarray
    values: np.ndarray
    feasible: np.ndarray | None
    maximised: bool

    @property
    def order(self) -> np.ndarray:
        """Indices of the answers, the best first: those that keep all constraints lead."""
        values = -self.values if self.maximised else self.values
        if self.feasible is None:
            return np.argsort(values, kind="stable")
        return np.lexsort((values, ~self.feasible))

    @property
    def best(self) -> int:
        """Index of the best answer."""
        return int(self.order[0])

    def reaches(self, target: float) -> bool:
        """Tell whether an answer is as good as a target.

        Parameters
        ----------
        target : float
            Value of the objective. Sums of floats are compared with a tolerance of one part in
            10^9 of the target.

        Returns
        -------
        bool
            True if an answer that keeps all constraints has this value or a better one.
        """
        values = self.values if self.feasible is None else self.values[self.feasible]
        slack = 1e-9 * max(1.0, abs(target))
        reached = values >= target - slack if self.maximised else values <= target + slack
        return bool(np.any(reached))


@dataclass(frozen=True, eq=False)
class Constraints:
    """The constraints of a model, and the way back from the model without them.

    Parameters
    ----------
    cqm : dimod.ConstrainedQuadraticModel
        The model with constraints, whose objective is minimised.
    inverter : callable
        What `dimod.cqm_to_bqm` returns: maps a sample of the model without constraints to one of
        the model with them, with 0 for a spin of -1.
    labels : list
        The labels that the variables of the model without constraints have for `inverter`; in that
        model they are numbered in this order.
    lagrange_multiplier : float or None
        The weight of the penalties; None for dimod's choice, ten times the largest coefficient.
    least : dict
        What is added to the integers of the inverter's samples, by their labels; a sample need not
        have them.
    """

    cqm: dimod.ConstrainedQuadraticModel
    inverter: Any
    labels: list
    lagrange_multiplier: float | None
    least: dict

    def answers(self, found: dimod.SampleSet, maximised: bool) -> Answers:
        """Express samples of the model without constraints in variables of the one with them.

        Parameters
        ----------
        found : dimod.SampleSet
            Samples of the model without constraints.
        maximised : bool
            Whether the file's objective is maximised, which is that of `cqm` with another sign.

        Returns
        -------
        Answers
            One answer for each sample, in their order.
        """
        places = [self.labels[number] for number in found.variables]
        states = [self.inverter(dict(zip(places, row))) for row in found.record.sample.tolist()]
        spins = [name for name in self.cqm.variables if self.cqm.vartype(name) is dimod.SPIN]
        for state in states:
            state.update({name: 2 * state[name] - 1 for name in spins})
            state.update({name: state.get(name, 0) + low for name, low in self.least.items()})
        inverted = dimod.SampleSet.from_samples_cqm(states, self.cqm)
        values = np.asarray(inverted.record.energy, dtype=np.float64)
        return Answers(
            list(inverted.variables),
            inverted.record.sample,
            -values if maximised else values,
            np.asarray(inverted.record.is_feasible, dtype=bool),
            maximised,
        )
