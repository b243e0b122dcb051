"""Weights of samples and of classes: how much each sample counts in the training.

Weights are relative: they are scaled to the mean 1, so that neither the loss nor the steps of the
training depend on their unit. A sample of weight zero is left out before anything is learnt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, compute_class_weight


@dataclass(frozen=True)
class Samples:
    """Validated samples with their targets and weights.

    Parameters
    ----------
    X : ndarray of float64 of shape (n_samples, n_features)
        The samples.
    y : None or ndarray of shape (n_samples,)
        The targets, if the task has any.
    weights : None or ndarray of float64 of shape (n_samples,)
        The weights; None: all are the same.
    """

    X: np.ndarray
    y: Any
    weights: np.ndarray | None

    def __len__(self) -> int:
        return len(self.X)

    def take(self, chosen: np.ndarray) -> Samples:
        """Return some of the samples, by a mask or by their indices."""
        y = None if self.y is None else self.y[chosen]
        weights = None if self.weights is None else self.weights[chosen]
        return Samples(self.X[chosen], y, weights)

    def joined(self, others: Samples) -> Samples:
        """Return these samples and others, which have targets and weights if these have them."""
        y = None if self.y is None else np.concatenate([self.y, others.y])
        weights = self.weights
        if weights is not None and others.weights is not None:
            weights = np.concatenate([weights, others.weights])
        return Samples(np.concatenate([self.X, others.X]), y, weights)

    def weighted(self, weights: np.ndarray | None) -> Samples:
        """Return the same samples with other weights, without those whose weight is zero.

        At least one weight must be above zero.
        """
        samples = Samples(self.X, self.y, weights)
        return samples if weights is None or weights.all() else samples.take(weights > 0)


def check_sample_weight(sample_weight: ArrayLike | None, n_samples: int) -> np.ndarray | None:
    """Check the weights that a user gives.

    Parameters
    ----------
    sample_weight : None or array-like of shape (n_samples,)
        Weight of each sample, relative to the others. None: all samples have the same.
    n_samples : int
        Number of samples.

    Returns
    -------
    None or ndarray of float64 of shape (n_samples,)
        The weights, as a copy.

    Raises
    ------
    ValueError
        If the weights are not one finite number per sample, if one is negative, or if all are zero.
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Number):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one weight per sample, not be "
            f"{sample_weight!r}"
        )
    weights = check_array(
        sample_weight,
        dtype=np.float64,
        ensure_2d=False,
        allow_nd=True,
        copy=True,
        input_name="sample_weight",
    )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have shape ({n_samples},), one weight per sample, not shape "
            f"{weights.shape}"
        )
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        sample = negative[0]
        raise ValueError(
            f"sample_weight must not be negative; that of sample {sample} is {weights[sample]:g}"
        )
    if not weights.any():
        raise ValueError("sample_weight must not be zero for all samples: nothing would be learnt")
    return weights


def class_weights(
    class_weight: object, classes: np.ndarray, labels: np.ndarray, weights: np.ndarray | None
) -> np.ndarray | None:
    """Compute the weight of each class.

    Parameters
    ----------
    class_weight : None, dict or "balanced"
        The parameter of the classifier. A dict holds the weights of some or all classes by label;
        the others have weight 1.
    classes : ndarray of shape (n_classes,)
        The labels of the classes.
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's class.
    weights : None or ndarray of float64 of shape (n_samples,)
        Weights of the samples. "balanced" makes the sum of the weights of each class the same.

    Returns
    -------
    None or ndarray of float64 of shape (n_classes,)
        The weights; None if all are 1.

    Raises
    ------
    ValueError
        If `class_weight` is none of the above, if it names classes that the data does not have
        while it lacks others, or if a weight is not a finite number of at least 0.
    """
    if class_weight is None:
        return None
    if isinstance(class_weight, str) and class_weight == "balanced":
        totals = np.bincount(labels, weights, minlength=len(classes))
        return totals.sum() / (len(classes) * np.maximum(totals, np.finfo(float).tiny))
    if not isinstance(class_weight, Mapping):
        raise ValueError(f'class_weight must be None, a dict or "balanced", not {class_weight!r}')
    for label, weight in class_weight.items():
        try:
            valid = 0 <= float(weight) < np.inf
        except (TypeError, ValueError):
            valid = False
        if not valid:
            raise ValueError(
                f"class_weight of class {label!r} must be a finite number of at least 0, not "
                f"{weight!r}"
            )
    return compute_class_weight(dict(class_weight), classes=classes, y=classes[labels])


def combined(
    weights: np.ndarray | None, of_classes: np.ndarray | None, labels: np.ndarray
) -> np.ndarray | None:
    """Multiply the weights of the samples by those of their classes.

    Parameters
    ----------
    weights : None or ndarray of float64 of shape (n_samples,)
        Weights of the samples; None: all have the same.
    of_classes : None or ndarray of float64 of shape (n_classes,)
        Weights of the classes; None: all have the same.
    labels : ndarray of int of shape (n_samples,)
        Index of each sample's class.

    Returns
    -------
    None or ndarray of float64 of shape (n_samples,)
        The products.

    Raises
    ------
    ValueError
        If no sample keeps a weight above zero.
    """
    if of_classes is None:
        return weights
    # Divided by the largest, so that the product of two large weights does not overflow.
    of_classes = of_classes / max(of_classes.max(), np.finfo(float).tiny)
    weights = of_classes[labels] * (1.0 if weights is None else weights / weights.max())
    if not weights.any():
        raise ValueError("class_weight must not be zero for the classes of all samples")
    return weights


def scaled_to_mean_one(weights: np.ndarray | None) -> np.ndarray | None:
    """Scale weights to the mean 1.

    Parameters
    ----------
    weights : None or ndarray of float64 of shape (n_samples,)
        Weights of at least 0, not all of them zero.

    Returns
    -------
    None or ndarray of float64 of shape (n_samples,)
        The scaled weights; None if all are the same, so that weights that distinguish nothing
        change no bit of a training.
    """
    if weights is None or (weights == weights[0]).all():
        return None
    # Divided by the largest first, so that the sum of large weights does not overflow.
    weights = weights / weights.max()
    return weights / weights.mean()


def weighted_mean(values: np.ndarray, weights: np.ndarray | None) -> float:
    """Compute the mean of values of shape (n_samples,) with weights of the same shape, or none."""
    return float(values.mean() if weights is None else np.average(values, weights=weights))
