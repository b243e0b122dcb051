"""The likelihood below which a detector takes a sample for an outlier."""

from __future__ import annotations

import numpy as np

MOST_ROOM = 1.0
"""Most nats that a threshold stands below the least likelihood of an inlier."""


def threshold(likelihoods: np.ndarray, weights: np.ndarray | None, share: float) -> float:
    """Find the log-likelihood below which a share of the samples lies.

    Samples of few different values, such as words or yes and no, have few different likelihoods.
    One that many of them have is then easily the threshold itself, and rounded weights would take
    them for outliers or inliers by chance. So a threshold that is the likelihood of a sample is
    moved halfway to the next lower one. And it is never more than `MOST_ROOM` below the samples
    above it, as those below it may be all but impossible. Neither changes an answer for these
    samples.

    Parameters
    ----------
    likelihoods : ndarray of float64 of shape (n_samples,)
        Log-likelihoods of the training samples in nats.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weight of each sample; None: all are alike.
    share : float
        Share of the samples that are outliers, 0 to 1.

    Returns
    -------
    float
        The threshold in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin.models.threshold import threshold
    >>> threshold(np.array([-3.0, -1.0, -1.0, -1.0, -1.0]), None, 0.25)
    -2.0
    """
    if weights is None:
        found = float(np.percentile(likelihoods, 100 * share))
    else:
        # The least likelihood that a share of the weight reaches; there is no interpolation, which
        # would depend on what counts as one sample.
        order = np.argsort(likelihoods)
        reached = np.searchsorted(np.cumsum(weights[order]), share * weights.sum())
        found = float(likelihoods[order[min(reached, len(order) - 1)]])
    same = np.isclose(likelihoods, found, rtol=1e-9, atol=1e-9)
    above, below = likelihoods[(likelihoods >= found) | same], likelihoods[likelihoods < found]
    least = float(above.min())
    if same.any():
        below = below[~same[likelihoods < found]]
        found = (least + float(below.max())) / 2 if len(below) else -np.inf
    return max(found, least - MOST_ROOM)
