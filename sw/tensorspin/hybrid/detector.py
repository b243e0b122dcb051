"""A detector on a board and on a quantum processor at once, with a deadline."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, OutlierMixin

from ..compiler.network_program import NetworkProgram
from ..models.board_estimator import BoardEstimator
from .breaker import Breaker
from .checks import checked_deadline, checked_in_flight, checked_share, checked_shots
from .circuits.circuit import born_circuit
from .deadline import Calls, Clock
from .drift import TOLERANCE, DriftMonitor
from .local import local_board, prepared
from .offload import Offload
from .policy import checked_policy
from .record import HybridRun
from .remote import RemoteCircuit
from .runs import OneRun, Sides


class HybridDetector(OutlierMixin, BaseEstimator):
    """A fitted detector that a board and a quantum processor compute at once.

    A trained `MPSAnomalyDetector` is exactly a quantum circuit; see `born_circuit`. Its score here
    is P0, the probability with which the circuit measures zeros only, be it computed on the board
    or estimated from the shots of a processor. The board is started first. The processor's answer
    is taken if it comes before the deadline and can be true, and the board's answer otherwise. A
    fault of the processor is never raised, and an answer that comes too late is not used, neither
    for its own sample nor for a later one.

    A processor whose requests fail too often is left alone for a time (`Breaker`), and one whose
    answers are biased is switched off until `reset` (`DriftMonitor`). ``last_run_`` tells for each
    sample what happened.

    No advantage in speed is claimed: a board computes P0 in microseconds, and the processor
    estimates the same number. What this class shows is what the processor is worth for a task.

    Threads may share a detector. Before its first sample, or at the beginning of a ``with`` block,
    the board is opened, and the circuit is made, transpiled and sent ahead; this is not part of any
    deadline.

    Parameters
    ----------
    detector : MPSAnomalyDetector, BoardAnomalyDetector, Pipeline, NetworkProgram, str or Path
        The fitted detector, as `born_circuit` takes it. After it is trained further, call `close`.
    board : None, str or Board, default=None
        URL of the board, such as ``/dev/ttyUSB1`` or ``sim://icebreaker``, or an open board, which
        `close` leaves open. None: that of a `BoardAnomalyDetector`; for the others, the host
        computes the local answer itself.
    sampler : None or qiskit.primitives.BaseSamplerV2, default=None
        What runs the circuit. None: the local answer is the only one. A simulator that holds
        Python's lock while it computes, as Aer does, keeps everybody waiting: a call is answered
        after that, be the deadline over or not. `tensorspin appliance` gives it its own process.
    backend : None or qiskit.providers.BackendV2, default=None
        What the circuit is transpiled for. None: what the sampler says that it runs on; if it says
        nothing, the circuit is sent as it is.
    shots : int, default=200
        Shots for each sample.
    deadline : float, default=0.5
        Seconds in which each call of a method answers, whatever the number of its samples: a board
        that needs longer is a `DeadlineError`. The host without a board always answers, after about
        10 microseconds a sample (100,000 samples took it a second). On a
        virtual board (``sim://``, ``golden://``) the local answer counts with the time of the
        board's own clock, not with what its simulation takes.
    threshold : None or float, default=None
        P0 below which a sample is an outlier. None: each sample has its own, at which its
        likelihood is the detector's ``offset_``, so that the local answers are those of the
        detector itself. A number, such as a quantile of `score_samples` over training samples,
        serves all samples; it tells more where the detector's map has two components.
    policy : None, float or callable, default=None
        Which samples are offloaded. None: all. A number: this share of them, those whose local
        score is nearest to the threshold (`LeastCertain`). A callable is called with the local
        scores and the thresholds, and returns one bool for each sample. With a policy the remote is
        asked after the board has answered.
    reuse_qubits : bool, default=False
        Whether the circuit measures, resets and reuses its qubits; see `born_circuit`.
    in_flight : int, default=2
        Greatest number of requests under way at a time, those that nobody waits for any more
        included; 1 to 64.
    drift_tolerance : None or float, default=0.1
        Depolarisation that a processor may have before it is switched off, 0 to 0.5. None: it is
        never switched off, and each answer is only checked for itself.

    Attributes
    ----------
    last_run_ : HybridRun
        What happened to each sample of the last call.
    n_features_in_ : int
        Number of features of a sample.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the features, if the detector was fitted with names.

    Examples
    --------
    >>> import numpy as np
    >>> from tensorspin import MPSAnomalyDetector
    >>> from tensorspin.hybrid import HybridDetector
    >>> x = np.random.default_rng(0).random(300)
    >>> X = np.stack([x, x], axis=1)  # two sensors that agree
    >>> detector = MPSAnomalyDetector(bond_dim=2, epochs=20, random_state=0).fit(X)
    >>> with HybridDetector(detector, board="golden://icebreaker", deadline=0.5) as hybrid:
    ...     hybrid.predict([[0.5, 0.5], [0.9, 0.1]]).tolist()
    [1, -1]
    >>> hybrid.last_run_
    <HybridRun of 2 samples: 2 local no remote>
    """

    # These are replaced by tests.
    _clock: Clock = staticmethod(time.monotonic)
    _local_calls: Calls | None = None
    _remote_calls: Calls | None = None
    _remote_type = RemoteCircuit

    _runtime: Sides | None = None
    """What is open; neither copied nor pickled."""

    def __init__(
        self,
        detector,
        *,
        board=None,
        sampler=None,
        backend=None,
        shots=200,
        deadline=0.5,
        threshold=None,
        policy=None,
        reuse_qubits=False,
        in_flight=2,
        drift_tolerance=TOLERANCE,
    ):
        self.detector = detector
        self.board = board
        self.sampler = sampler
        self.backend = backend
        self.shots = shots
        self.deadline = deadline
        self.threshold = threshold
        self.policy = policy
        self.reuse_qubits = reuse_qubits
        self.in_flight = in_flight
        self.drift_tolerance = drift_tolerance
        self._opening = threading.RLock()

    @property
    def n_features_in_(self) -> int:
        """Number of features of a sample."""
        found = getattr(self.detector, "n_features_in_", None)
        return self._prepared().program.n_features if found is None else found

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the features; no attribute if the detector was fitted without names."""
        return self.detector.feature_names_in_

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        missing = getattr(self.detector, "missing", False)
        tags.input_tags.allow_nan = missing is True or missing == "level"
        return tags

    def __sklearn_clone__(self) -> Self:
        # A clone of the fitted detector would not be fitted, and a copy of a sampler be another.
        return type(self)(**self.get_params(deep=False))

    def __getstate__(self) -> dict:
        state = super().__getstate__()
        return {
            name: value for name, value in state.items() if name not in ("_runtime", "_opening")
        }

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        self._opening = threading.RLock()

    def fit(self, X, y=None):
        """Refuse to be fitted: the detector was trained before.

        Parameters
        ----------
        X : object
            Ignored.
        y : object, optional
            Ignored.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError("a HybridDetector can't be trained: fit an MPSAnomalyDetector, and give it")

    def prepare(self) -> Self:
        """Open the board, make the circuit, transpile it and send it ahead.

        The first call of another method does this, too. What has changed since (`set_params`) is
        made anew.

        Returns
        -------
        self
            The detector.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not what it must be, or the circuit does not fit the backend.
        TensorspinError
            If the board does not hold the program; or if it is not there, and there is no sampler.
        """
        self._prepared()
        return self

    def close(self) -> None:
        """Release the board if it was opened here; the next call prepares everything again.

        The sampler stays the caller's. Requests that are under way are left alone.
        """
        with self._opening:
            runtime, self._runtime = self._runtime, None
        if runtime is not None and runtime.local is not None:
            runtime.local.close()

    def reset(self) -> None:
        """Trust the remote again: after a calibration, say. Breaker and drift test begin anew."""
        runtime = self._runtime
        if runtime is not None and runtime.remote is not None:
            runtime.offload.breaker = Breaker(clock=self._clock)
            if runtime.drift is not None:
                runtime.drift.reset()

    def __enter__(self) -> Self:
        return self.prepare()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def score_samples(self, X) -> np.ndarray:
        """Compute or estimate P0 of each sample.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Probabilities of zeros only, 0 to 1: the less, the more unusual. A processor's are
            multiples of 1 / shots.

        Raises
        ------
        ValueError, TypeError
            If X is invalid, or a parameter is not what it must be.
        TensorspinError
            If the board fails, and the remote has not answered, either.
        """
        return self.run(X).scores

    def decision_function(self, X) -> np.ndarray:
        """Compute how far P0 of each sample is above that of an outlier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            ``score_samples(X) - thresholds(X)``: negative for outliers.

        Raises
        ------
        ValueError, TypeError, TensorspinError
            As `score_samples`.
        """
        run = self.run(X)
        return run.scores - self.thresholds(X)

    def predict(self, X) -> np.ndarray:
        """Tell outliers from inliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of int of shape (n_samples,)
            1 for an inlier, -1 for an outlier.

        Raises
        ------
        ValueError, TypeError, TensorspinError
            As `score_samples`.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def thresholds(self, X) -> np.ndarray:
        """Compute the P0 of each sample below which it is an outlier.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            `threshold`; or the detector's own, a likelihood, in the unit of P0, which may be more
            than 1: such a sample is an outlier whatever the circuit says.

        Raises
        ------
        ValueError
            If X is invalid.
        """
        return self._prepared().thresholds(X)

    def run(self, X) -> HybridRun:
        """Compute or estimate P0 of each sample, and tell what happened.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        HybridRun
            A record for each sample, also kept as ``last_run_``.

        Raises
        ------
        ValueError, TypeError, TensorspinError
            As `score_samples`.
        """
        runtime = self._prepared()
        self.last_run_ = found = OneRun(runtime, X).finish()
        return found

    def _prepared(self) -> Sides:
        parameters = self.get_params(deep=False)
        with self._opening:
            runtime = self._runtime
            if runtime is None or any(
                parameters[name] is not value for name, value in runtime.parameters.items()
            ):
                self.close()
                self._runtime = runtime = self._open(parameters)
            return runtime

    def _open(self, parameters: dict[str, Any]) -> Sides:
        deadline = checked_deadline(self.deadline)
        shots = checked_shots(self.shots)
        policy = checked_policy(self.policy)
        threshold = checked_share("threshold", self.threshold, 1.0)
        tolerance = checked_share("drift_tolerance", self.drift_tolerance, 0.5)
        in_flight = checked_in_flight(self.in_flight)
        detector, board = self.detector, self.board
        if isinstance(detector, (str, Path)):
            detector = NetworkProgram.load(detector)
        program = born_circuit(detector, reuse_qubits=self.reuse_qubits)
        remote, drift = None, None
        if board is None and isinstance(detector, BoardEstimator):
            board = detector.board
        local = None if board is None else local_board(detector, board, self._local_calls)
        if self.sampler is not None:
            remote = self._remote_type(program, self.sampler, self.backend, shots)
            if tolerance is not None:
                drift = DriftMonitor(program.n_bits, tolerance)
        if local is not None:
            prepared(local, alone=remote is None)
        if remote is not None:
            remote.upload()
        return Sides(
            parameters,
            deadline,
            threshold,
            policy,
            program,
            local,
            remote,
            drift,
            Offload(in_flight, self._clock, self._remote_calls),
            self._clock,
        )
