"""What happened to each sample of a hybrid run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np

REMOTE, LOCAL = "remote", "local"
"""Where an answer comes from."""

ANSWERED = "answered"
"""The remote answered in time, and its answer can be true."""

NO_REMOTE = "no remote"
"""There is no remote to ask."""

NOT_OFFLOADED = "not offloaded"
"""The policy left the sample to the local side."""

BREAKER = "breaker"
"""Too many of the last requests failed: the remote is left alone for a time."""

BUSY = "busy"
"""As many requests as are allowed are still under way, of earlier calls."""

LATE = "late"
"""The remote did not answer in time."""

FAILED = "failed"
"""The remote raised an error."""

IMPLAUSIBLE = "implausible"
"""The remote answered with what can't be true."""

DRIFT = "drift"
"""The remote is biased, and switched off."""

REASONS = (
    ANSWERED,
    NO_REMOTE,
    NOT_OFFLOADED,
    BREAKER,
    BUSY,
    LATE,
    FAILED,
    IMPLAUSIBLE,
    DRIFT,
)
"""All reasons for which an answer comes from where it does."""


@dataclass(frozen=True)
class SampleRecord:
    """What happened to one sample.

    Parameters
    ----------
    source : {"remote", "local"}
        Where the answer comes from.
    reason : str
        Why it comes from there, one of `REASONS`.
    detail : str
        The same in words, with the error's own text; empty if there is no more to say.
    score : float
        The answer, a probability of all zeros.
    local : float
        The local answer; nan if the board has failed.
    exact : float
        The exact probability of the circuit that was sent, or would have been.
    remote : float
        The remote's answer, also if it was refused; nan without one.
    difference : float
        ``remote - exact``; nan without an answer of the remote.
    shots : int
        Shots behind the remote's answer; 0 without one.
    seconds : dict of str to float
        Seconds of each phase of the call that the sample was part of; see `HybridRun`.
    job : str
        Idempotency key of the request; empty if none was made.
    """

    source: str
    reason: str
    detail: str
    score: float
    local: float = math.nan
    exact: float = math.nan
    remote: float = math.nan
    difference: float = math.nan
    shots: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    job: str = ""


class HybridRun(Sequence[SampleRecord]):
    """What happened in one call: a record for each sample, in their order.

    The phases of ``seconds`` are ``encode`` (from features to angles), ``local`` (the board; on its
    own clock if it is virtual), ``remote`` (from the request to its end), ``decode`` (checking
    the answer) and ``total`` (the whole call), and what the remote tells of itself, such as
    ``queue`` and ``device``.

    Parameters
    ----------
    records : list of SampleRecord
        One for each sample.

    Examples
    --------
    >>> run = HybridRun([SampleRecord("remote", "answered", "", 0.5)] * 3)
    >>> run[0].source, run.scores.tolist(), run.counts()
    ('remote', [0.5, 0.5, 0.5], {('remote', 'answered'): 3})
    """

    def __init__(self, records: list[SampleRecord]) -> None:
        self._records = records

    @overload
    def __getitem__(self, index: int) -> SampleRecord: ...

    @overload
    def __getitem__(self, index: slice) -> HybridRun: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return HybridRun(self._records[index])
        return self._records[index]

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        told = ", ".join(f"{count} {' '.join(key)}" for key, count in self.counts().items())
        return f"<HybridRun of {len(self)} samples: {told}>"

    @property
    def scores(self) -> np.ndarray:
        """The answers: ndarray of float64 of shape (n_samples,)."""
        return np.array([record.score for record in self._records], dtype=float)

    def counts(self) -> dict[tuple[str, str], int]:
        """Count the samples of each source and reason.

        Returns
        -------
        dict of (str, str) to int
            Number of samples for each pair of source and reason that there was.
        """
        return dict(Counter((record.source, record.reason) for record in self._records))
