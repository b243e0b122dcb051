"""The order in which a chain or a tree reads the features.

Neighbours should depend on each other: what two distant features have in common must pass every
bond between them, the index of limited size that joins one tensor to the next. The accelerator
reads features by index, so that any order costs the same.
"""

from __future__ import annotations

from math import isqrt
from numbers import Integral

import numpy as np

BINS = 8
"""Number of equal parts into which a feature's range is cut to estimate mutual information."""

STRIP = 2
"""Number of rows of pixels in a strip of the order "strips"."""

SAMPLES = 2000
"""Largest number of samples from which `mutual_information_order` learns an order.

More samples hardly change the order, and for 1,024 features they take long."""


def check_image_size(image_size, n_features: int) -> tuple[int, int]:
    """Return height and width of an image whose pixels are the features, row by row.

    Parameters
    ----------
    image_size : None or (height, width)
        Size of the image in pixels, as scikit-learn gives it. None: the image is square.
    n_features : int
        Number of pixels that the image must have.

    Returns
    -------
    (int, int)
        Height and width in pixels.

    Raises
    ------
    ValueError
        If `image_size` is no pair of integers whose product is n_features, or if it is None and
        n_features is not a square number.
    """
    if image_size is None:
        side = isqrt(n_features)
        if side * side != n_features:
            raise ValueError(
                f"image_size=None stands for a square image, but {n_features} features are not a "
                "square number; give (height, width)"
            )
        return side, side
    if (
        not isinstance(image_size, (tuple, list))
        or len(image_size) != 2
        or not all(isinstance(n, Integral) and not isinstance(n, bool) for n in image_size)
    ):
        raise ValueError(f"image_size must be None or (height, width), not {image_size!r}")
    height, width = (int(n) for n in image_size)
    if height < 1 or width < 1 or height * width != n_features:
        raise ValueError(f"image_size is {height} x {width}, X has {n_features} features")
    return height, width


def check_permutation(feature_order, n_features: int) -> np.ndarray:
    """Check an order that a user gives.

    Parameters
    ----------
    feature_order : array-like of int of shape (n_features,)
        The features in the order in which they are read.
    n_features : int
        Number of features.

    Returns
    -------
    ndarray of int of shape (n_features,)
        The order.

    Raises
    ------
    ValueError
        If the order does not hold each feature once.
    """
    order = np.asarray(feature_order)
    if (
        order.shape != (n_features,)
        or order.dtype.kind not in "iu"
        or not np.array_equal(np.sort(order), np.arange(n_features))
    ):
        raise ValueError(
            f"feature_order must hold each of the integers 0 to {n_features - 1} once, not an "
            f"array of {order.dtype} and shape {order.shape}"
        )
    return order.astype(int)


def chosen_order(
    feature_order,
    image_size,
    inputs: np.ndarray,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
    further: tuple = (),
) -> np.ndarray:
    """Return the order that an estimator's parameters ask for.

    Parameters
    ----------
    feature_order : None, "snake", "strips", "mutual_information" or array-like of int
        The parameter of the estimator; None stands for the order of the columns of X.
    image_size : None or (height, width)
        Size of the images, for "snake" and "strips".
    inputs : ndarray of float of shape (n_samples, n_features)
        Features scaled to [0, 1], from which "mutual_information" learns.
    rng : numpy.random.Generator
        Chooses samples for "mutual_information".
    weights : ndarray of float of shape (n_samples,), optional
        How much each sample counts for "mutual_information".
    further : tuple of str
        Names of orders that the estimator itself makes, for the message of the error.

    Returns
    -------
    ndarray of int of shape (n_features,)
        The features in the order in which they are read.

    Raises
    ------
    ValueError
        If feature_order is neither a known name nor a permutation, or if the image has not
        n_features pixels.
    """
    n_features = inputs.shape[1]
    if feature_order is None:
        return np.arange(n_features)
    if not isinstance(feature_order, str):
        return check_permutation(feature_order, n_features)
    if feature_order == "snake":
        return snake_order(*check_image_size(image_size, n_features))
    if feature_order == "strips":
        return strip_order(*check_image_size(image_size, n_features))
    if feature_order == "mutual_information":
        return mutual_information_order(inputs, rng, weights)
    names = ", ".join(f'"{name}"' for name in ("snake", "strips", "mutual_information", *further))
    raise ValueError(
        f"feature_order must be None, {names} or a permutation of the features, not "
        f"{feature_order!r}"
    )


def snake_order(height: int, width: int) -> np.ndarray:
    """Order pixels row by row, every other row from right to left: neighbours touch each other.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.

    Returns
    -------
    ndarray of int of shape (height * width,)
        Indices ``row * width + column`` of the pixels.
    """
    pixels = np.arange(height * width).reshape(height, width)
    pixels[1::2] = pixels[1::2, ::-1].copy()
    return pixels.ravel()


def strip_order(height: int, width: int, strip: int = STRIP) -> np.ndarray:
    """Order pixels strip by strip, every other strip from right to left; in a strip, down and up.

    In a snake along single rows, pixels above each other are up to twice the width apart; here
    those of a strip are neighbours too.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    strip : int
        Number of rows of a strip, at least 1; the last strip may have fewer. 1 gives `snake_order`.

    Returns
    -------
    ndarray of int of shape (height * width,)
        Indices ``row * width + column`` of the pixels.
    """
    pixels = np.arange(height * width).reshape(height, width)
    order = []
    for index, top in enumerate(range(0, height, strip)):
        columns = pixels[top : top + strip].T
        columns = columns[::-1] if index % 2 else columns
        order += [column[::-1] if place % 2 else column for place, column in enumerate(columns)]
    return np.concatenate(order)


def mutual_information(inputs: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Estimate the mutual information of each pair of features from histograms.

    Parameters
    ----------
    inputs : ndarray of float of shape (n_samples, n_features)
        Features scaled to [0, 1], or NaN. Each is cut into `BINS` equal parts of its range.
    weights : ndarray of float of shape (n_samples,), optional
        How much each sample counts.

    Returns
    -------
    ndarray of float64 of shape (n_features, n_features)
        In nats. Symmetrical; the diagonal holds the entropies.
    """
    n_samples, n_features = inputs.shape
    gaps = np.isnan(inputs)
    n_bins = BINS + int(gaps.any())  # missing values have a part of their own
    bins = np.minimum((np.where(gaps, 0, inputs) * BINS).astype(int), BINS - 1)
    bins[gaps] = BINS
    # With a 0 or 1 for each feature and part, one matrix product counts all pairs of parts.
    one_hot = (bins[:, :, None] == np.arange(n_bins)).reshape(n_samples, -1).astype(np.float32)
    if weights is None:
        joint = (one_hot.T @ one_hot).astype(np.float64) / n_samples
    else:
        shares = (weights / weights.sum()).astype(np.float32)
        joint = (one_hot.T @ (shares[:, None] * one_hot)).astype(np.float64)
    single = np.diagonal(joint)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = joint * np.log(joint / (single[:, None] * single))
    terms[joint == 0] = 0  # the limit of p log p, which NumPy computes as NaN
    information = terms.reshape(n_features, n_bins, n_features, n_bins).sum(axis=(1, 3))
    return np.maximum((information + information.T) / 2, 0)


def mutual_information_order(
    inputs: np.ndarray, rng: np.random.Generator, weights: np.ndarray | None = None
) -> np.ndarray:
    """Order features so that those with much mutual information stand close together.

    Features are sorted by their entry in the Fiedler vector of the mutual information, which
    minimises ``sum of information[i, j] * (x[i] - x[j])**2``: spectral seriation (Atkins, Boman and
    Hendrickson 1998), used for the orbitals of a matrix product state by Barcza et al.,
    arXiv:1008.4607. Features that never change stand at the ends.

    Parameters
    ----------
    inputs : ndarray of float of shape (n_samples, n_features)
        Features scaled to [0, 1].
    rng : numpy.random.Generator
        Chooses `SAMPLES` samples if there are more.
    weights : ndarray of float of shape (n_samples,), optional
        How much each sample counts.

    Returns
    -------
    ndarray of int of shape (n_features,)
        The features in the order in which they are read.
    """
    if len(inputs) > SAMPLES:
        chosen = rng.choice(len(inputs), SAMPLES, replace=False)
        inputs = inputs[chosen]
        weights = None if weights is None else weights[chosen]
    information = mutual_information(inputs, weights)
    varying = np.flatnonzero(np.diagonal(information) > 0)
    constant = np.flatnonzero(np.diagonal(information) == 0)
    # A constant feature depends on nothing; in the middle it would only keep others apart.
    middle = varying
    if len(varying) > 2:
        weights = information[np.ix_(varying, varying)]
        np.fill_diagonal(weights, 0)
        # This small addition determines the vector even if there are groups of features that know
        # nothing of each other.
        weights += 1e-9 * max(weights.max(), 1e-300)
        laplacian = np.diag(weights.sum(axis=1)) - weights
        fiedler = np.linalg.eigh(laplacian)[1][:, 1]
        # Either sign is an eigenvector; the first feature shall not stand in the second half.
        fiedler = fiedler if fiedler[0] <= np.median(fiedler) else -fiedler
        middle = varying[np.argsort(fiedler, kind="stable")]
    half = len(constant) // 2
    return np.concatenate([constant[:half], middle, constant[half:]])
