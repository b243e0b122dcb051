"""Which samples are offloaded: all of them, or those that the local answer leaves open."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np

from ..models.parameters import is_number

Policy = Callable[[np.ndarray, np.ndarray], object]
"""Called with the local scores and the thresholds of some samples, each an ndarray of float64 of
shape (n_samples,); returns for each whether it is offloaded, an array-like of bool."""

REMEMBERED = 1000
"""Number of past samples among which the least certain are chosen."""


class LeastCertain:
    """Offloads the share of the samples whose local score is nearest to the threshold.

    Which samples these are is known only among many. So the policy remembers how far the scores of
    the last samples were from their thresholds, and offloads a sample if it is nearer than the
    quantile `share` of them, itself included. The distance is that of the logarithms, in which
    likelihoods of all sizes can be compared. The first samples are all offloaded. Threads may share
    a policy.

    Parameters
    ----------
    share : float
        Share of the samples to offload, more than 0 and at most 1.

    Examples
    --------
    >>> policy = LeastCertain(0.25)
    >>> scores, thresholds = np.array([0.9, 0.012, 1e-9, 0.5]), np.full(4, 0.01)
    >>> policy(scores, thresholds).tolist()
    [False, True, False, False]
    """

    def __init__(self, share: Any) -> None:
        if not is_number(share, Real):
            raise TypeError(f"the share of samples to offload must be a number, not {share!r}")
        if not 0 < share <= 1:
            raise ValueError(
                f"the share of samples to offload must be more than 0 and at most 1, not {share}"
            )
        self.share: float = share
        self._margins: deque[float] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def __call__(self, scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
        """Choose samples.

        Parameters
        ----------
        scores : ndarray of float64 of shape (n_samples,)
            Local scores, probabilities of all zeros.
        thresholds : ndarray of float64 of shape (n_samples,)
            Score of each sample below which it is an outlier.

        Returns
        -------
        ndarray of bool of shape (n_samples,)
            Whether each sample is offloaded.
        """
        tiny = np.finfo(float).tiny
        margins = np.abs(np.log(np.maximum(scores, tiny)) - np.log(np.maximum(thresholds, tiny)))
        with self._lock:
            self._margins.extend(margins.tolist())
            return margins <= np.quantile(list(self._margins), self.share)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {"share": self.share, "_margins": self._margins.copy()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"LeastCertain({self.share!r})"


def chosen(policy: Policy | None, scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Ask a policy which samples are offloaded.

    Parameters
    ----------
    policy : callable or None
        None: all of them.
    scores, thresholds : ndarray of float64 of shape (n_samples,)
        What the policy is told.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        Whether each sample is offloaded.

    Raises
    ------
    ValueError
        If the policy returns something else.
    """
    if policy is None:
        return np.ones(len(scores), dtype=bool)
    # A policy of a user may write into its arguments.
    found = np.asarray(policy(scores.copy(), thresholds.copy()))
    if found.shape != scores.shape or found.dtype != bool:
        raise ValueError(
            f"policy must return one bool for each of {len(scores)} samples, not an array of "
            f"{found.dtype} of shape {found.shape}"
        )
    return found


def checked_policy(policy: Any) -> Policy | None:
    """Refuse what is no policy, and make one of a share.

    Parameters
    ----------
    policy : None, float or callable
        The argument of a user.

    Returns
    -------
    callable or None
        The policy.

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or a share that is none.
    """
    if policy is None or callable(policy):
        return policy
    if is_number(policy, Real):
        return LeastCertain(policy)
    raise TypeError(f"policy must be None, a share of the samples or a callable, not {policy!r}")
