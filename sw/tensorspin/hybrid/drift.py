"""Whether a processor's answers are those of the circuit that it was sent.

The host knows the exact probability of all zeros for every sample, so that each answer of a
processor is also a measurement of the processor. A processor is allowed some noise: it may be
depolarised by the share `TOLERANCE`, or may err by as much in the other direction. All tests use
the binomial distribution itself, and hold for probabilities of 1e-5 and few shots, too, where a
chi-square test raises false alarms.
"""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from scipy.special import bdtr, bdtrc, gammaln, logsumexp, xlog1py, xlogy

TOLERANCE = 0.1
"""Allowed share of depolarisation. A Heron processor of 2026-04 has .03 on 8 qubits with bonds of
2, an Eagle of 2025-02 a tenth."""

RUN_LENGTH = 1e5
"""Least mean number of samples until a processor within the tolerance is switched off by chance."""

TOWARDS, AWAY = (0.2, 0.3, 0.5, 1.0), (0.3,)
"""Shares of depolarisation of the biased processors that are looked for, and shares by which the
probabilities may err in the other direction."""

TOLD = 20
"""Number of samples of which the reason tells."""

LEAST_SAMPLES = 4
"""Least number of samples after which a processor may be switched off: a single answer, however
wrong, may have been that for another sample."""

_LEAST_GAIN = -1e3
"""Logarithm of the likelihood ratio of an answer that a biased processor can't give."""

IMPLAUSIBLE = 1e-9
"""Probability below which the answer for a single sample is refused."""

MOST_NOISE = 0.6
"""Depolarisation up to which the answer for a single sample counts as an answer for it. A larger
one can not be told from an answer for another sample."""


def noisy_range(exact, noise: float, uniform: float) -> tuple[np.ndarray, np.ndarray]:
    """Compute between which probabilities a processor with some noise may be.

    Parameters
    ----------
    exact : array-like of float64 of shape (n_samples,)
        Exact probabilities.
    noise : float
        Share of depolarisation, 0 to 1.
    uniform : float
        Probability of the outcome on a processor that answers at random: ``2**-n_qubits``.

    Returns
    -------
    low, high : ndarray of float64 of shape (n_samples,)
        The exact probabilities moved by this share of their distance from `uniform`: towards it,
        and as far away from it.

    Examples
    --------
    >>> low, high = noisy_range(np.array([0.5]), 0.1, 0.25)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.475], [0.525])
    """
    distance = noise * np.abs(exact - uniform)
    return np.clip(exact - distance, 0, 1), np.clip(exact + distance, 0, 1)


def implausible(
    zeros: np.ndarray, shots: np.ndarray, exact: np.ndarray, uniform: float
) -> np.ndarray:
    """Tell which single answers can't be those for their samples, however noisy the processor is.

    Parameters
    ----------
    zeros : ndarray of int of shape (n_samples,)
        Number of shots that measured all zeros.
    shots : ndarray of int of shape (n_samples,)
        Number of shots.
    exact : ndarray of float64 of shape (n_samples,)
        Exact probabilities of all zeros.
    uniform : float
        That of a processor that answers at random.

    Returns
    -------
    ndarray of bool of shape (n_samples,)
        True for what is less probable than `IMPLAUSIBLE` with noise up to `MOST_NOISE`.

    Examples
    --------
    >>> zeros, shots = np.array([90, 0]), np.array([200, 200])
    >>> implausible(zeros, shots, np.array([0.5, 0.5]), 1 / 16).tolist()
    [False, True]
    """
    low, high = noisy_range(exact, MOST_NOISE, uniform)
    fewer = bdtr(zeros, shots, low)
    more = np.where(zeros > 0, bdtrc(np.maximum(zeros - 1, 0), shots, high), 1.0)
    return np.minimum(fewer, more) < IMPLAUSIBLE


class DriftMonitor:
    """Watches a processor, and tells when it is biased.

    The monitor is a Shiryaev-Roberts procedure: it sums, over all samples at which a bias may have
    begun, how much more probable the answers since then are with a bias than with the processor
    that is allowed and explains them best. So it forgets what was before by itself, and the mean
    number of samples until a false alarm is at least `run_length` for every processor within the
    tolerance (M. Pollak 1985; mixtures of several kinds of bias keep the limit). The kinds are
    depolarisation of several strengths, too many zeros, and answers that have nothing to do with
    the circuit. Threads may share a monitor.

    Parameters
    ----------
    n_qubits : int
        Number of bits of an answer.
    tolerance : float, default=0.1
        Allowed share of depolarisation, 0 to less than 0.2.
    run_length : float, default=1e5
        Least mean number of samples until a false alarm.

    Attributes
    ----------
    reason : str or None
        Why the processor counts as biased; None as long as it does not.

    Examples
    --------
    >>> monitor = DriftMonitor(n_qubits=4)
    >>> exact, shots = np.full(50, 0.5), np.full(50, 200)
    >>> monitor.add(np.full(50, 95), shots, exact)
    >>> monitor.reason is None
    True
    >>> monitor.add(np.full(50, 74), shots, exact)  # depolarised by 0.3
    >>> monitor.reason[:72]
    'all zeros in 44.9 % of the last 4000 shots, where the circuit has 50.0 %'
    """

    def __init__(
        self, n_qubits: int, tolerance: float = TOLERANCE, run_length: float = RUN_LENGTH
    ) -> None:
        self._uniform = 2.0**-n_qubits
        self._tolerance = tolerance
        self._limit = float(np.log(run_length))
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget everything, such as after a calibration of the processor."""
        with self._lock:
            self._sums = np.full(len(TOWARDS) + len(AWAY) + 1, -np.inf)
            """Logarithm of the sum for each kind of bias."""
            self._told: deque[tuple[int, int, float]] = deque(maxlen=TOLD)
            self.reason: str | None = None

    def add(self, zeros: np.ndarray, shots: np.ndarray, exact: np.ndarray) -> None:
        """Test a processor's answers, one after the other.

        Parameters
        ----------
        zeros : ndarray of int of shape (n_samples,)
            Number of shots that measured all zeros.
        shots : ndarray of int of shape (n_samples,)
            Number of shots, at least 1.
        exact : ndarray of float64 of shape (n_samples,)
            Exact probabilities of all zeros in the circuits that were sent.
        """
        gains = self._gains(zeros, shots, exact)
        with self._lock:
            if self.reason is not None or not len(zeros):
                return
            # The sum after each sample is (1 + the sum before) times its likelihood ratio.
            total = np.cumsum(gains, axis=1)
            begun = np.column_stack([self._sums, -total + gains])
            sums = total + np.logaddexp.accumulate(begun, axis=1)[:, 1:]
            alarms = logsumexp(sums, axis=0) - np.log(len(sums)) >= self._limit
            count = int(np.argmax(alarms)) + 1 if alarms.any() else len(zeros)
            self._sums = sums[:, count - 1]
            self._told.extend(zip(zeros[:count], shots[:count], exact[:count]))
            if alarms.any():
                self.reason = self._words()

    def _gains(self, zeros: np.ndarray, shots: np.ndarray, exact: np.ndarray) -> np.ndarray:
        """Compute the logarithmic likelihood ratios, of shape (kinds, n_samples)."""
        low, high = noisy_range(exact, self._tolerance, self._uniform)

        def log_likelihood(probability: np.ndarray) -> np.ndarray:
            return xlogy(zeros, probability) + xlog1py(shots - zeros, -probability)

        # The nearest allowed probability is the one that a bias to either side is told from with
        # least ease; see the tests for the limit of false alarms.
        best = log_likelihood(np.clip(zeros / shots, low, high))
        at_low, at_high = log_likelihood(low), log_likelihood(high)
        gains = []
        for noise, sign in [(each, 1) for each in TOWARDS] + [(each, -1) for each in AWAY]:
            biased = np.clip(exact + sign * noise * (self._uniform - exact), 0, 1)
            allowed = np.where(biased < low, at_low, np.where(biased > high, at_high, best))
            gains.append(log_likelihood(biased) - allowed)
        # All numbers of zeros are alike if the answer has nothing to do with the circuit.
        ways = gammaln(shots + 1) - gammaln(zeros + 1) - gammaln(shots - zeros + 1)
        gains.append(-np.log(shots + 1) - ways - best)
        # What is capped is smaller, so that the limit of false alarms still holds; the other end
        # only keeps infinity out of the sums.
        return np.clip(gains, _LEAST_GAIN, self._limit / LEAST_SAMPLES)

    def _words(self) -> str:
        zeros, shots, exact = (np.array(column) for column in zip(*self._told))
        seen, meant = zeros.sum() / shots.sum(), exact @ shots / shots.sum()
        return (
            f"all zeros in {100 * seen:.1f} % of the last {shots.sum()} shots, where the circuit "
            f"has {100 * meant:.1f} %; call reset() after a calibration, or set drift_tolerance to "
            f"the depolarisation that is expected"
        )
