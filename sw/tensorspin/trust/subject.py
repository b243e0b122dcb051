"""Samples of a program as numbers that can be moved, and what its answers to them are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..compiler.gradient import Scale
from ..compiler.network_program import NetworkProgram
from ..contract.contractor.results import ContractorResults
from .judges import Judge

_MIDDLE = (0.1, 0.9)
"""The levels, as shares of all, between which a column's span is measured. The outer ones may be
kept for values that were never seen, and are then far away."""


class Subject:
    """A program, with its samples as numbers.

    Words become the numbers that the program has for them. They, missing values, and columns that
    nothing reads are never moved.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    X : array-like of shape (n_samples, `n_features_in_`)
        Samples, as the program's `encode` takes them.

    Attributes
    ----------
    X : ndarray of float64 of shape (n_samples, `n_features_in_`)
        The samples as numbers; NaN for what is missing.
    span : ndarray of float64 of shape (`n_features_in_`,)
        Unit in which movements are measured: the range of the column's linear scale; of another
        scale, that of the middle 80 % of its levels, divided by 0.8.
    lower, upper : ndarray of float64 of shape (`n_features_in_`,)
        The ends of the column's scale.
    movable : ndarray of bool of shape (`n_features_in_`,)
        Which columns can be moved.

    Raises
    ------
    ValueError
        If the program refuses the samples.
    """

    def __init__(self, program: NetworkProgram, X) -> None:
        program.encode(X)  # which refuses what has no level
        unnamed = replace(program, feature_names=None)
        numbers, _, _, scales = unnamed._smooth_levels(np.asarray(X))
        self.X = numbers
        self.program = replace(unnamed, categories=None)
        columns = program.columns
        reads = range(program.n_features) if columns is None else columns.features.tolist()
        n_columns = program.n_features_in_
        self.span, self.lower, self.upper = np.zeros(n_columns), *np.full((2, n_columns), np.nan)
        for column, scale in zip(reads, scales):
            if len(scale.values) > 1:
                self.span[column] = max(self.span[column], _span(scale))
                self.lower[column] = np.fmin(self.lower[column], scale.values[0])
                self.upper[column] = np.fmax(self.upper[column], scale.values[-1])
        if columns is not None:
            accepted = columns.boundaries["float64"]
            self.lower = np.fmax(self.lower, accepted.least)
            self.upper = np.fmin(self.upper, accepted.greatest)
        words = [] if program.categories is None else list(program.categories.columns)
        self.movable = (self.span > 0) & np.isfinite(self.span) & (self.lower < self.upper)
        self.movable[words] = False

    def __len__(self) -> int:
        return len(self.X)

    def run(self, X: np.ndarray) -> ContractorResults:
        """Answer samples as every board does, by the golden model.

        Parameters
        ----------
        X : ndarray of float64 of shape (n_samples, `n_features_in_`)
            Samples as numbers.

        Returns
        -------
        ContractorResults
            The answers.
        """
        return self.program.run_golden(X)

    def gradient(self, X: np.ndarray, judge: Judge) -> np.ndarray:
        """Differentiate by the columns what makes answers wrong, up to a factor of each sample.

        Parameters
        ----------
        X : ndarray of float64 of shape (n_samples, `n_features_in_`)
            Samples as numbers.
        judge : Judge
            What is right for them.

        Returns
        -------
        ndarray of float64 of shape (n_samples, `n_features_in_`)
            The derivatives, of the smooth function through a board's values.
        """

        def weights(scores: np.ndarray, rows: slice) -> np.ndarray:
            return judge.of(rows).slopes(scores)

        gradient, _ = self.program._gradient(X, weights)
        return gradient[:, 0]

    def limits(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far each value may be moved, whatever the attack.

        Parameters
        ----------
        X : ndarray of float64 of shape (n_samples, `n_features_in_`)
            Samples as numbers.

        Returns
        -------
        lower, upper : ndarray of float64 of shape (n_samples, `n_features_in_`)
            The ends of the scale, or the value itself where it lies beyond or can't be moved.
        """
        still = ~self.movable | np.isnan(X)
        lower = np.where(still, X, np.fmin(self.lower, X))
        upper = np.where(still, X, np.fmax(self.upper, X))
        return lower, upper


def _span(scale: Scale) -> float:
    """Range of the middle of a scale's levels, as if its steps were the same everywhere."""
    values, levels = scale.values, scale.levels
    ends = scale.least + np.array(_MIDDLE) * (scale.greatest - scale.least)
    low, high = np.interp(ends, levels, values)
    middle = float(high - low) / (_MIDDLE[1] - _MIDDLE[0])
    return middle if middle > 0 else float(values[-1] - values[0])
