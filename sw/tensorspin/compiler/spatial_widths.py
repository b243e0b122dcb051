"""Choose the widths of a spatial engine's numbers by the accuracy on samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..contract.spatial.size import VALUE_BITS, WEIGHT_BITS
from ..golden.spatial import GoldenSpatial
from .outputs import OutlierDetection, Regression
from .spatial import SpatialProgram, spatial_size

if TYPE_CHECKING:
    from .network_program import NetworkProgram


def agreement(program: NetworkProgram, predictions: np.ndarray, y: np.ndarray) -> float:
    """Measure how good predictions are, as suits the program's task.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    predictions, y : ndarray of shape (n_samples,)
        Predicted and true classes, or predicted and true numbers.

    Returns
    -------
    float
        The share of right classes; of numbers the share of their variance that is explained.
    """
    if not isinstance(program.task, Regression):
        return float(np.mean(predictions == y))
    spread = np.var(y)
    return 1 - float(np.mean((predictions - y) ** 2) / spread) if spread > 0 else 0.0


def choose_widths(
    program: NetworkProgram,
    X,
    y: np.ndarray,
    *,
    value_bits: int | None = None,
    weight_bits: int | None = None,
    tolerance: float = 0.005,
) -> tuple[int, int]:
    """Choose the least widths with which an engine is about as good as the program itself.

    First the width of values is chosen, with the widest weights, then that of weights.

    Parameters
    ----------
    program : NetworkProgram
        The program.
    X : array-like of shape (n_samples, n_features)
        Samples.
    y : ndarray of shape (n_samples,)
        Their classes or numbers; for a detector what is compared is its own answer.
    value_bits, weight_bits : int, optional
        A width that is not to be chosen.
    tolerance : float, default=0.005
        By how much `agreement` may fall.

    Returns
    -------
    value_bits, weight_bits : int
        The widths; the greatest if even these are not good enough.
    """
    levels = program.levels(X)
    if isinstance(program.task, OutlierDetection):
        y = program.predict(X)
    needed = agreement(program, program.predict(X), y) - tolerance

    def is_good(value_bits: int, weight_bits: int) -> bool:
        size = spatial_size(program, value_bits=value_bits, weight_bits=weight_bits)
        results = GoldenSpatial(size, SpatialProgram(program, size).parameters).run(levels)
        predictions = program.interpret(results.scores, results.exponents)
        return agreement(program, predictions, y) >= needed

    widest = WEIGHT_BITS[1]
    if value_bits is None:
        values = range(VALUE_BITS[0], VALUE_BITS[1] + 1)
        weights = widest if weight_bits is None else weight_bits
        value_bits = next((bits for bits in values if is_good(bits, weights)), values[-1])
    if weight_bits is None:
        narrower = range(WEIGHT_BITS[0], widest)
        weight_bits = next((bits for bits in narrower if is_good(value_bits, bits)), widest)
    return value_bits, weight_bits
