"""The temperature of a single network, fitted to samples that did not train it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.base import clone

from .calibration import fit_temperature
from .ensemble_validation import hold_out
from .parameters import AUTO, is_auto
from .weighting import Samples

HELD_OUT = "held_out"
"""Value of the parameter `calibration` that asks for a temperature of samples held out."""

CALIBRATED = (20, 3000)
"""Least and most samples of which a part is held out to calibrate if nobody asks for it. Fewer tell
nothing. Of more, a second training takes long, and a network is hardly more certain of samples that
trained it than of others."""

SHARE = 0.25
"""Share of the samples that is held out."""


def check_calibration(calibration: object) -> None:
    """Refuse a parameter `calibration` that is none.

    Parameters
    ----------
    calibration : object
        The parameter of a classifier.

    Raises
    ------
    ValueError
        If it is neither "auto" nor "held_out" nor None.
    """
    known = isinstance(calibration, str) and calibration in (AUTO, HELD_OUT)
    if calibration is not None and not known:
        raise ValueError(f'calibration must be "{AUTO}", "{HELD_OUT}" or None, not {calibration!r}')


def is_calibrated(classifier: Any, n_samples: int) -> bool:
    """Tell whether the parameters of a classifier ask for a second training, to calibrate.

    Parameters
    ----------
    classifier : NetworkClassifier
        The classifier.
    n_samples : int
        Number of its training samples.

    Returns
    -------
    bool
        Whether `calibration` is "held_out"; or "auto", if other parameters are "auto", too, and the
        number of samples is within `CALIBRATED`.
    """
    if not is_auto(classifier.calibration):
        return classifier.calibration == HELD_OUT
    least, most = CALIBRATED
    chooses = any(is_auto(getattr(classifier, name)) for name in classifier._automatic)
    return chooses and least <= n_samples <= most


def held_out_temperature(classifier: Any, samples: Samples) -> float:
    """Train a classifier with a part of the samples, and fit a temperature to the others.

    Parameters
    ----------
    classifier : NetworkClassifier
        The fitted classifier; it stays as it is.
    samples : Samples
        The samples that trained it, weighted.

    Returns
    -------
    float
        The temperature; that of the training if no sample can be held out, or the second training
        diverges.
    """
    # Classes of weight zero have no samples here, and the second network does not know them.
    classes, labels = np.unique(samples.y, return_inverse=True)
    held = hold_out(labels, SHARE, seed=0)
    if len(classes) < 2 or not held.any():
        return classifier.temperature_
    part = clone(classifier).set_params(
        calibration=None,
        categorical_features=None,  # they are numbers already
        class_weight=None,  # the samples' weights hold it
        warm_start=False,
        verbose=False,
    )
    part._coded = classifier._categories
    training, others = samples.take(~held), samples.take(held)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the first training told
            part.fit(training.X, training.y, training.weights)
    except FloatingPointError:
        return classifier.temperature_
    scores = part.scores(others.X)
    return fit_temperature(scores, labels[held], classifier.temperature_, others.weights)
