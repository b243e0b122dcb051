"""The answers of a contractor, be it gateware or golden model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ContractorResults:
    """Answers of a contractor for n_samples samples.

    Parameters
    ----------
    scores : ndarray of int16 of shape (n_samples, outputs)
        Mantissas of the scores: the values are ``scores * 2**-exponents``, up to a factor that is
        the same for all samples of a network.
    exponents : ndarray of uint16 of shape (n_samples,)
        Exponent of each sample, which all of its scores share.
    classes : ndarray of int64 of shape (n_samples,)
        Index of each sample's greatest score, the first of equals.
    cycles : ndarray of int64 of shape (n_samples,)
        Clock cycles that the engine took for each sample.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.contract.contractor import ContractorResults
    >>> results = ContractorResults(
    ...     scores=np.array([[-3, 20000]], dtype=np.int16),
    ...     exponents=np.array([14], dtype=np.uint16),
    ...     classes=np.array([1]),
    ...     cycles=np.array([4355]),
    ... )
    >>> (results.scores * 2.0 ** -results.exponents[:, np.newaxis].astype(int)).round(3).tolist()
    [[-0.0, 1.221]]
    """

    scores: np.ndarray
    exponents: np.ndarray
    classes: np.ndarray
    cycles: np.ndarray
