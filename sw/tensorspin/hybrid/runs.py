"""One call of a hybrid detector: both sides are asked, and a record is made of each sample."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .circuits.circuit import BornCircuit
from .deadline import Call, Clock, Deadline
from .drift import DriftMonitor, implausible
from .local import LocalAnswer, LocalBoard
from .offload import ImplausibleError, Offload, Outcome, words_of
from .policy import Policy, chosen
from .record import (
    ANSWERED,
    DRIFT,
    IMPLAUSIBLE,
    LOCAL,
    NO_REMOTE,
    NOT_OFFLOADED,
    REMOTE,
    HybridRun,
    SampleRecord,
)
from .remote import RemoteAnswer, RemoteCircuit


@dataclass
class Sides:
    """What a hybrid detector has open, and the parameters that it was made for.

    Parameters
    ----------
    parameters : dict
        The detector's parameters.
    deadline : float
        Seconds for each call.
    threshold : float or None
        P0 below which a sample is an outlier; None: each has its own.
    policy : callable or None
        Chooses what is offloaded.
    program : BornCircuit
        The circuit.
    local : LocalBoard or None
        The board; None: the host computes.
    remote : RemoteCircuit or None
        The circuit on a sampler.
    drift : DriftMonitor or None
        Watches the processor.
    offload : Offload
        The threads and the breaker of the remote.
    clock : callable
        Returns the time in seconds.
    """

    parameters: dict[str, Any]
    deadline: float
    threshold: float | None
    policy: Policy | None
    program: BornCircuit
    local: LocalBoard | None
    remote: RemoteCircuit | None
    drift: DriftMonitor | None
    offload: Offload
    clock: Clock

    def thresholds(self, X: Any) -> np.ndarray:
        """Return the P0 of each sample below which it is an outlier, always finite.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            The thresholds.
        """
        own = np.minimum(self.program.threshold(X), np.finfo(float).max)
        return own if self.threshold is None else np.full(len(own), self.threshold)


@dataclass
class OneRun:
    """One call: its samples, and what has become of them so far.

    Parameters
    ----------
    sides : Sides
        What is asked.
    X : array-like of shape (n_samples, n_features)
        The samples.
    """

    sides: Sides
    X: Any
    seconds: dict[str, float] = field(default_factory=dict)
    answer: RemoteAnswer | None = None
    """What the remote measured, also if it is refused."""

    def finish(self) -> HybridRun:
        """Ask both sides, and make the records.

        Returns
        -------
        HybridRun
            A record for each sample.

        Raises
        ------
        ValueError
            If X is invalid.
        TensorspinError
            If neither side has answered for all samples.
        """
        sides, program = self.sides, self.sides.program
        self.deadline = deadline = Deadline(sides.deadline, sides.clock)
        # Whatever is wrong with X is raised here, before anybody is asked.
        self.angles = program.angles(self.X)
        self.log_offset = program.log_offset(self.X)
        self.exact = np.clip(program.exact_probability(self.X), 0, 1)
        self.seconds["encode"] = deadline.used()
        call = None if sides.local is None else sides.local.start(self.X)
        if sides.policy is None:
            offloaded = np.ones(len(self.angles), dtype=bool)
            outcome = self._ask(offloaded)
            local = self._local(call)
        else:
            local = self._local(call)
            if sides.local is not None and sides.local.virtual and call is not None:
                deadline.skip(max(0.0, call.seconds - local.seconds))
            offloaded = self._chosen(local)
            outcome = self._ask(offloaded)
        self._total(local, outcome)
        return self._records(local, offloaded, outcome)

    def _ask(self, offloaded: np.ndarray) -> Outcome:
        """Ask the remote for some samples, and wait for it."""
        sides = self.sides
        if sides.remote is None:
            return Outcome(NO_REMOTE)
        if not offloaded.any():
            return Outcome(NOT_OFFLOADED)
        if sides.drift is not None and sides.drift.reason is not None:
            return Outcome(DRIFT, sides.drift.reason)
        request = sides.offload.ask(sides.remote.work(self.angles[offloaded], self.deadline))
        outcome = request.outcome(self.deadline, lambda answer: self._check(answer, offloaded))
        if outcome.reason in (ANSWERED, IMPLAUSIBLE) and sides.drift is not None:
            if sides.drift.reason is not None:
                return Outcome(DRIFT, sides.drift.reason, seconds=outcome.seconds)
        return outcome

    def _check(self, found: RemoteAnswer, offloaded: np.ndarray) -> np.ndarray:
        """Return the scores that the remote has measured, if they can be true."""
        sides = self.sides
        assert sides.remote is not None
        start = sides.clock()
        self.answer = found
        shots = np.full(len(found.zeros), sides.remote.shots)
        exact = self.exact[offloaded]
        if sides.drift is not None:
            sides.drift.add(found.zeros, shots, exact)
        wrong = implausible(found.zeros, shots, exact, 2.0**-sides.program.n_bits)
        if wrong.any():
            place = int(np.argmax(wrong))
            raise ImplausibleError(
                f"all zeros in {found.zeros[place]} of {shots[place]} shots, where the sample's "
                f"circuit has {100 * exact[place]:.2g} %: no noise explains that"
            )
        self.seconds["decode"] = sides.clock() - start
        return found.zeros / shots

    def _local(self, call: Call | None) -> LocalAnswer:
        """Wait for the local answer."""
        if self.sides.local is None:
            return LocalAnswer(self.exact, 0.0)
        found = self.sides.local.finish(call, self.deadline)
        self.seconds["local"] = found.seconds
        if found.values is None:
            return found
        return LocalAnswer(np.exp(np.minimum(found.values - self.log_offset, 0)), found.seconds)

    def _chosen(self, local: LocalAnswer) -> np.ndarray:
        if local.values is None:  # the board has failed, and the remote alone can answer
            return np.ones(len(self.angles), dtype=bool)
        return chosen(self.sides.policy, local.values, self.sides.thresholds(self.X))

    def _total(self, local: LocalAnswer, outcome: Outcome) -> None:
        """Note the seconds of the remote and of the whole call."""
        if outcome.seconds:
            self.seconds["remote"] = outcome.seconds
        if self.answer is not None:
            self.seconds = {**self.answer.seconds, **self.seconds}
        sides, total = self.sides, self.deadline.used()
        if sides.policy is None and sides.local is not None and sides.local.virtual:
            # Both sides work at the same time, of which the virtual board needs less than it took.
            beside = max(local.seconds, outcome.seconds)
            total = min(total, self.seconds["encode"] + beside + self.seconds.get("decode", 0.0))
        self.seconds["total"] = total

    def _records(self, local: LocalAnswer, offloaded: np.ndarray, outcome: Outcome) -> HybridRun:
        answered = outcome.reason == ANSWERED
        if local.values is None and not (answered and offloaded.all()):
            assert local.error is not None
            raise local.error
        values = np.full(len(offloaded), math.nan) if local.values is None else local.values
        scores = values.copy()
        measured = np.full(len(offloaded), math.nan)
        if self.answer is not None:
            assert self.sides.remote is not None
            measured[offloaded] = self.answer.zeros / self.sides.remote.shots
        if answered:
            scores[offloaded] = outcome.answer
        words = outcome.detail if local.error is None else words_of(local.error)
        records = []
        for place, asked in enumerate(offloaded.tolist()):
            seen = asked and self.answer is not None
            records.append(
                SampleRecord(
                    source=REMOTE if asked and answered else LOCAL,
                    reason=outcome.reason if asked else NOT_OFFLOADED,
                    detail=words if asked else "",
                    score=float(scores[place]),
                    local=float(values[place]),
                    exact=float(self.exact[place]),
                    remote=float(measured[place]),
                    difference=float(measured[place] - self.exact[place]),
                    shots=self.sides.remote.shots if seen and self.sides.remote else 0,
                    seconds=self.seconds,
                    job=self.answer.job if seen and self.answer else "",
                )
            )
        return HybridRun(records)
