"""One Born machine for each class: a classifier that a quantum processor can run, at a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_X_y

from ...models.anomaly import MPSAnomalyDetector
from .circuit import BornCircuit, born_circuit

LEAST_SAMPLES = 2
"""Fewest samples of a class from which a detector learns."""


@dataclass(frozen=True, eq=False)
class ClassCircuits:
    """Circuits of which each has learnt one class; `born_circuits_per_class` makes them.

    All of them round features to the same levels, so that their P0 have the same factor and can be
    compared: by Bayes' rule the most probable class is that with the greatest
    ``prior * P0``.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels, sorted.
    priors : ndarray of float64 of shape (n_classes,)
        Share of each class in the training samples.
    circuits : list of BornCircuit
        The circuit of each class.
    low, high : ndarray of float64 of shape (n_features,)
        The range of the training samples, to which samples are clipped. A constant feature, which
        tells nothing, has a range all the same.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.hybrid import born_circuits_per_class
    >>> X, y = load_iris(return_X_y=True)
    >>> circuits = born_circuits_per_class(X, y, epochs=5, random_state=0)
    >>> counts = [{"0000": 20, "0100": 80}, {"0000": 50, "1000": 50}, {"1111": 100}]
    >>> p0 = [circuit.probability(c) for circuit, c in zip(circuits.circuits, counts)]
    >>> circuits.predict([p0]).tolist()
    [1]
    """

    classes: np.ndarray
    priors: np.ndarray
    circuits: list[BornCircuit]
    low: np.ndarray
    high: np.ndarray

    def clipped(self, X: ArrayLike) -> np.ndarray:
        """Clip samples to the range that all circuits share.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_features)
            What each of the `circuits` takes.
        """
        return np.clip(np.asarray(X, dtype=float), self.low, self.high)

    def exact_probabilities(self, X: ArrayLike) -> np.ndarray:
        """Compute P0 of each class without any circuit.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.

        Returns
        -------
        ndarray of float64 of shape (n_samples, n_classes)
            P0.
        """
        clipped = self.clipped(X)
        return np.stack([circuit.exact_probability(clipped) for circuit in self.circuits], axis=1)

    def predict(self, probabilities: ArrayLike) -> np.ndarray:
        """Choose classes by P0, exact or measured.

        Parameters
        ----------
        probabilities : array-like of float of shape (n_samples, n_classes)
            P0 of each class. Where all are 0, since too few shots were taken, the most frequent
            class is chosen.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.

        Raises
        ------
        ValueError
            If the shape is another one, or a number is no probability.
        """
        found = np.asarray(probabilities, dtype=float)
        if found.ndim != 2 or found.shape[1] != len(self.classes):
            raise ValueError(
                f"probabilities must have shape (n_samples, {len(self.classes)}), not {found.shape}"
            )
        if not ((found >= 0) & (found <= 1)).all():
            raise ValueError("probabilities must be numbers from 0 to 1")
        weighed = found * self.priors
        weighed[~weighed.any(axis=1)] = self.priors
        return self.classes[np.argmax(weighed, axis=1)]

    def price(self, X: ArrayLike, zeros: int = 10) -> np.ndarray:
        """Compute how many shots it takes to see each sample's likeliest class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples.
        zeros : int, default=10
            How many shots with all results 0 the likeliest class is to have on average. With 10,
            one standard deviation is a third of the estimate.

        Returns
        -------
        ndarray of float64 of shape (n_samples,)
            Shots of all classes together, each of which needs as many: ``n_classes * zeros /
            max(P0)``.
        """
        if isinstance(zeros, bool) or not isinstance(zeros, (int, np.integer)) or zeros < 1:
            raise ValueError(f"zeros must be an integer of at least 1, not {zeros!r}")
        with np.errstate(divide="ignore"):
            return len(self.classes) * zeros / self.exact_probabilities(X).max(axis=1)


def born_circuits_per_class(
    X: Any, y: Any, *, bond_dim: int = 2, reuse_qubits: bool = False, **options: Any
) -> ClassCircuits:
    """Train a detector for each class, and turn each into a circuit.

    A classifier's own network is no circuit that answers often enough; see
    `post_selection_probability`. One circuit for each class is, where features are few: each
    further feature makes P0 smaller, and `ClassCircuits.price` tells how many shots that takes.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Training samples: finite numbers.
    y : array-like of shape (n_samples,)
        Their labels: at least two classes, each with at least two samples.
    bond_dim : int, default=2
        Largest bond dimension, as of `MPSAnomalyDetector`.
    reuse_qubits : bool, default=False
        Whether circuits measure, reset and use qubits again; see `born_circuit`.
    **options
        Further parameters of `MPSAnomalyDetector`; but its scale is that of all classes together,
        and `feature_map` is "trigonometric" unless it is given.

    Returns
    -------
    ClassCircuits
        The circuits.

    Raises
    ------
    ValueError
        If there are fewer classes or samples, or a parameter is out of its limits.
    TypeError
        If an option is not known, or would give each class a scale of its own.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin.hybrid import born_circuits_per_class
    >>> X, y = load_iris(return_X_y=True)
    >>> circuits = born_circuits_per_class(X[::2], y[::2], epochs=30, random_state=0)
    >>> labels = circuits.predict(circuits.exact_probabilities(X[1::2]))
    >>> bool((labels == y[1::2]).mean() > 0.8)
    True
    """
    own = {"feature_range", "feature_margin", "scaling", "feature_order"} & set(options)
    if own:
        raise TypeError(
            f"born_circuits_per_class takes no {', '.join(sorted(own))}: the P0 of classes can be "
            "compared only if all have the same levels"
        )
    check_classification_targets(y)
    X, y = check_X_y(X, y, dtype=np.float64)
    classes, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) < 2 or counts.min() < LEAST_SAMPLES:
        raise ValueError(
            f"at least two classes of at least {LEAST_SAMPLES} samples are needed, not "
            f"{dict(zip(classes.tolist(), counts.tolist()))}"
        )
    low, high = X.min(axis=0), X.max(axis=0)
    high = np.where(low == high, np.maximum(low + 1, np.nextafter(low, np.inf)), high)
    settings = {"feature_map": "trigonometric", **options, "feature_range": (low, high)}
    circuits = [
        _trained(X[places == place], bond_dim, settings, reuse_qubits)
        for place in range(len(classes))
    ]
    return ClassCircuits(classes, counts / len(y), circuits, low, high)


def _trained(
    X: np.ndarray, bond_dim: int, settings: dict[str, Any], reuse_qubits: bool
) -> BornCircuit:
    detector = MPSAnomalyDetector(bond_dim, **settings).fit(X)
    return born_circuit(detector, reuse_qubits=reuse_qubits)
