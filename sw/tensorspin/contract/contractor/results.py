"""What a contractor answers, be it gateware or golden model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Results:
    """Answers for n samples.

    Attributes
    ----------
    scores : ndarray of int16, shape (n, outputs)
        Mantissas; the values are ``scores * 2**-exponents`` up to a constant of the network.
    exponents : ndarray of uint16, shape (n,)
    classes : ndarray of int64, shape (n,)
        Index of the greatest score, the first of equals.
    cycles : ndarray of int64, shape (n,)
        Clock cycles of each sample.
    """

    scores: np.ndarray
    exponents: np.ndarray
    classes: np.ndarray
    cycles: np.ndarray
