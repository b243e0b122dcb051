"""How much the features of a table depend on each other, and how far a detector follows that.

A detector's network at rest takes the features as independent, and weight decay pulls towards it.
Where features are independent, all that training finds beyond that is chance: the likelihood of the
training samples rises, and that of new normal samples falls, until each of them is an outlier.
Where features depend on each other, the strong pull would hide what makes a sample unusual.
"""

from __future__ import annotations

import numpy as np

MOST_SAMPLES = 4096
"""Samples that are looked at, spread evenly: enough to tell any dependence that matters."""

INDEPENDENT, DEPENDENT = 1.5, 4.0
"""Dependence, as `dependence` measures it, up to which features are taken as independent, and from
which as dependent. It is about 1 for independent features; of 19 tables and series the least had
3, and all others more than 5."""

STRONG_DECAY, WEAK_DECAY = 30.0, 0.3
"""Weight decay for independent and for dependent features."""


def dependence(X: np.ndarray) -> float:
    """Measure how much features depend on each other, relative to chance.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        Samples, scaled to [0, 1]. A missing value (NaN) counts as the mean of its feature.

    Returns
    -------
    float
        The mean of the squared correlation coefficient over all pairs of features, times the number
        of samples: about 1 for independent features. The same is done with the squared distances of
        features from their means, and with both together, which shows other than linear dependence;
        the greatest of the three counts. 0 if less than two features vary.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.dependence import dependence
    >>> X = np.random.default_rng(0).random((500, 9))
    >>> round(dependence(X), 1)
    1.1
    >>> X[:, 1] = X[:, 0]
    >>> dependence(X) > 10
    True
    """
    X = X[np.linspace(0, len(X) - 1, min(len(X), MOST_SAMPLES)).astype(int)]
    present = ~np.isnan(X)
    means = np.where(present, X, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
    deviations = np.where(present, X - means, 0)
    deviations = deviations[:, np.abs(deviations).max(axis=0, initial=0) > 0]
    n_samples, n_features = deviations.shape
    if n_features < 2:
        return 0.0
    linear, square = _standardised(deviations), _standardised(deviations**2)
    others = ~np.eye(n_features, dtype=bool)
    pairs = ((linear, linear), (square, square), (linear, square))
    return max(float(n_samples * np.mean((a.T @ b)[others] ** 2)) for a, b in pairs)


def decay_for(measured: float) -> float:
    """Choose the weight decay of a detector.

    Parameters
    ----------
    measured : float
        What `dependence` returned.

    Returns
    -------
    float
        `STRONG_DECAY` up to `INDEPENDENT`, `WEAK_DECAY` from `DEPENDENT`, in between on a
        logarithmic scale.

    Examples
    --------
    >>> from tensorspin.models.dependence import decay_for
    >>> [round(decay_for(measured), 3) for measured in (1.0, 2.75, 100.0)]
    [30.0, 3.0, 0.3]
    """
    share = min(max((measured - INDEPENDENT) / (DEPENDENT - INDEPENDENT), 0.0), 1.0)
    return STRONG_DECAY ** (1 - share) * WEAK_DECAY**share


def _standardised(columns: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 and length 1; those that do not vary become 0."""
    columns = columns - columns.mean(axis=0)
    lengths = np.linalg.norm(columns, axis=0)
    return np.divide(columns, lengths, out=np.zeros_like(columns), where=lengths > 1e-12)
