"""How fast the classifiers predict on the host, one sample at a time and many."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...progress import progress_over
from ..common.timing import timed

SINGLE_REPEATS = 200
BATCH_REPEATS = 7


def measure_host(name: str, estimators: Mapping[str, object], X: np.ndarray, quick: bool = False):
    """Time ``predict`` of fitted estimators.

    Parameters
    ----------
    name : str
        Of the data, for the progress.
    estimators : mapping of str to estimator
    X : ndarray, shape (n, features)
        Held-out samples: the first for the latency, all for the throughput.
    quick : bool
        Fewer repetitions.

    Returns
    -------
    list of dict
        ``latency``: seconds of one sample, see `timing.summary`; ``batch``: seconds of all;
        ``samples_per_second``: from the median of ``batch``.
    """
    parts = 5 if quick else 1
    rows = []
    for title, estimator in progress_over(estimators.items(), f"host on {name}", "classifier"):
        latency = timed(lambda: estimator.predict(X[:1]), SINGLE_REPEATS // parts)  # noqa: B023
        batch = timed(lambda: estimator.predict(X), -(-BATCH_REPEATS // parts), warm_up=1)  # noqa: B023
        rows.append(
            {
                "classifier": title,
                "latency": latency,
                "batch": batch,
                "batch_samples": len(X),
                "samples_per_second": len(X) / batch["median"],
            }
        )
    return rows
