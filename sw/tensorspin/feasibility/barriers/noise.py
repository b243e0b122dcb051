"""What noise and few shots cost: the area under the ROC curve, P0, and decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from ...hybrid import SNAPSHOTS, BornCircuit, NoiseSnapshot, noisy_probability
from ...hybrid.circuits.noise import MOST_QUBITS
from ...progress import progress_over
from .encoding import Price
from .figure import CITED, MEASURED, MODELLED, SIMULATED, Barrier, Figure
from .real import RealRun
from .sources import LEAST_MEASURED, MOST_CHANGES, MOST_LOSS

SHOTS = (10, 50, 200, 1000)
"""Numbers of shots for which areas are computed, beside that of the user."""

_DRAWS = 10
"""How often shots are drawn; means are reported."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What the exact circuit says of samples, and what is known of them.

    Parameters
    ----------
    exact : ndarray of float64 of shape (n_samples,)
        P0 without noise.
    threshold : ndarray of float64 of shape (n_samples,)
        P0 below which each sample is an outlier.
    outlier : ndarray of bool of shape (n_samples,) or None
        Whether each sample is labelled as an outlier. None if there are no labels, or all are the
        same.
    """

    exact: np.ndarray
    threshold: np.ndarray
    outlier: np.ndarray | None

    @classmethod
    def of(cls, circuit: BornCircuit, X: np.ndarray, outlier: np.ndarray | None) -> Truth:
        """Compute it from samples and their labels."""
        if outlier is not None and len(set(outlier.tolist())) < 2:
            outlier = None
        return cls(circuit.exact_probability(X), circuit.threshold(X), outlier)

    def area(self, scores: np.ndarray, rows: np.ndarray | slice = slice(None)) -> float | None:
        """Compute the area under the ROC curve of scores; None if it has none."""
        if self.outlier is None or len(set(self.outlier[rows].tolist())) < 2:
            return None
        return float(roc_auc_score(~self.outlier[rows], scores))

    def changed(self, scores: np.ndarray, rows: np.ndarray | slice = slice(None)) -> float:
        """Compute the share of decisions that scores change."""
        limits = self.threshold[rows]
        return float(np.mean((scores < limits) != (self.exact[rows] < limits)))


def noisy(circuit: BornCircuit, X: np.ndarray, truth: Truth, noise: NoiseSnapshot, price: Price):
    """Compute P0 under a processor's errors, and how: exactly where that is possible.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    X : array-like of shape (n_samples, n_features)
        Samples.
    truth : Truth
        P0 without noise.
    noise : NoiseSnapshot
        The errors.
    price : Price
        What the circuit takes.

    Returns
    -------
    p0 : ndarray of float64 of shape (n_samples,)
        P0.
    source : str
        How it was computed.
    """
    told = f"{noise.name}, {noise.date} ({CITED}: {noise.source})"
    if circuit.n_qubits <= MOST_QUBITS and price.exact:
        return noisy_probability(circuit, X, noise), f"density matrix, errors of {told}"
    right = (
        (1 - noise.two_qubit_error) ** price.two_qubit_gates
        * (1 - 2 * noise.one_qubit_error) ** price.one_qubit_gates
        * (1 - noise.readout_error) ** circuit.n_bits
    )
    source = f"right with a probability of {right:.2g}, else by chance; errors of {told}"
    return right * truth.exact + (1 - right) * 0.5**circuit.n_bits, source


def noise_barrier(
    circuit: BornCircuit,
    X: np.ndarray,
    truth: Truth,
    noise: NoiseSnapshot,
    shots: int,
    price: Price,
    real: RealRun | None,
    rng: np.random.Generator,
) -> Barrier:
    """Tell what noise and shots cost under each snapshot, and on the sampler if one ran.

    Parameters
    ----------
    circuit : BornCircuit
        The circuit.
    X : array-like of shape (n_samples, n_features)
        Samples.
    truth : Truth
        P0 without noise, and labels.
    noise : NoiseSnapshot
        The snapshot that decides if no sampler ran.
    shots : int
        Shots of a sample.
    price : Price
        What the circuit takes.
    real : RealRun or None
        The run of a sampler.
    rng : numpy.random.Generator
        Where shots are drawn from.

    Returns
    -------
    Barrier
        The numbers. The decisive one is the loss of area, or the share of changed decisions where
        there are no labels of both kinds.
    """
    rows: dict[str, Figure] = {}
    exact = truth.area(truth.exact)
    kind = "labels" if truth.outlier is not None else "no labels of both kinds"
    rows["area under the ROC curve, exact"] = Figure(
        exact, "", SIMULATED, f"P0 of the circuit without noise, {len(X)} samples, {kind}"
    )
    rows["P0, median"] = Figure(
        float(np.median(truth.exact)), "", SIMULATED, "the circuit without noise"
    )
    curves: dict[str, dict] = {}
    snapshots = list({**SNAPSHOTS, noise.name: noise}.values())
    snapshots = [each for place, each in enumerate(snapshots) if each not in snapshots[:place]]
    asked = sorted({*SHOTS, shots})
    decisive: tuple[float | None, float] = (exact, 0.0)
    for each in progress_over(snapshots, "noise", "snapshot"):
        p0, source = noisy(circuit, X, truth, each, price)
        label = f"{each.name} {each.date}"
        rows[f"error of P0, {label}"] = Figure(
            float(np.mean(np.abs(p0 - truth.exact))), "", MODELLED, f"mean; {source}"
        )
        areas: list[float | None] = []
        changes: list[float] = []
        for count in asked:
            drawn = rng.binomial(count, p0, (_DRAWS, len(p0))) / count
            area = [truth.area(scores) for scores in drawn]
            mean = None if area[0] is None else float(np.mean([a for a in area if a is not None]))
            areas.append(mean)
            changed = float(np.mean([truth.changed(scores) for scores in drawn]))
            changes.append(changed)
            what = f"mean of {_DRAWS} draws; {source}"
            if mean is not None:
                rows[f"area, {count} shots, {label}"] = Figure(mean, "", MODELLED, what)
            if count == shots:
                rows[f"decisions changed, {count} shots, {label}"] = Figure(
                    changed, "share", MODELLED, what
                )
                if each == noise:
                    decisive = (mean, changed)
        curves[label] = _curve(MODELLED, asked, areas, changes, exact)
    named = f"{shots} shots on {noise.name} of {noise.date}"
    known_by = MODELLED
    if real is not None:
        told = _real_rows(rows, curves, truth, real)
        if len(real.rows) >= LEAST_MEASURED:  # of fewer, chance tells more than the sampler
            (decisive, exact), known_by = told, MEASURED
            named = f"{shots} shots on {real.name}"
    reached, changed = decisive
    if exact is not None and reached is not None:
        lost = max(exact - reached, 0.0)
        load = lost / MOST_LOSS
        words = f"{named} cost {lost:.4f} of the area under the ROC curve ({known_by})"
    else:
        load = changed / MOST_CHANGES
        words = f"{named} change {changed:.1%} of the decisions ({known_by})"
    return Barrier("noise", rows, words, load, known_by, curves)


def _real_rows(
    rows: dict[str, Figure], curves: dict[str, dict], truth: Truth, real: RealRun
) -> tuple[tuple[float | None, float], float | None]:
    """Add what a sampler measured; return area and changed decisions, and the exact area."""
    source = f"{real.name}, {len(real.rows)} samples, {real.shots} shots each"
    area, exact = truth.area(real.probabilities, real.rows), None
    changed = truth.changed(real.probabilities, real.rows)
    error = float(np.mean(np.abs(real.probabilities - truth.exact[real.rows])))
    rows[f"error of P0, {real.name}"] = Figure(error, "", MEASURED, f"mean; {source}")
    rows[f"decisions changed, {real.shots} shots, {real.name}"] = Figure(
        changed, "share", MEASURED, source
    )
    if area is not None:
        exact = truth.area(truth.exact[real.rows], real.rows)
        rows[f"area, {real.shots} shots, {real.name}"] = Figure(area, "", MEASURED, source)
        rows["area of the same samples, exact"] = Figure(
            exact, "", SIMULATED, "P0 of the circuit without noise"
        )
    curves[real.name] = _curve(MEASURED, [real.shots], [area], [changed], exact)
    return (area, changed), exact


def _curve(
    kind: str,
    shots: list[int],
    areas: list[float | None],
    changes: list[float],
    exact: float | None,
) -> dict[str, Any]:
    return {"kind": kind, "shots": shots, "area": areas, "changed": changes, "exact": exact}
