"""How fast the classifiers predict on the host, one sample at a time and many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...progress import progress_over
from ..common.timing import timed

SINGLE_REPEATS = 200
"""Number of timed predictions of one sample; they are short, and their times vary."""

BATCH_REPEATS = 7
"""Number of timed predictions of all samples."""

_QUICK_PARTS = 5
"""Divisor of both numbers in a quick run."""


def measure_host(
    name: str, estimators: Mapping[str, Any], X: np.ndarray, quick: bool = False
) -> list[dict]:
    """Time ``predict`` of fitted estimators.

    Parameters
    ----------
    name : str
        Name of the data set, for the progress bar.
    estimators : mapping of str to estimator
        Fitted classifiers by their names.
    X : ndarray of float64 of shape (n_samples, n_features)
        Held-out samples: the first is used for the latency, all for the throughput.
    quick : bool
        Whether to repeat less.

    Returns
    -------
    list of dict
        For each estimator ``latency``, the seconds of one sample, and ``batch``, the seconds of all
        samples, both as `timing.summary` describes them, and ``samples_per_second``, from the
        median of ``batch``.
    """
    parts = _QUICK_PARTS if quick else 1
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
