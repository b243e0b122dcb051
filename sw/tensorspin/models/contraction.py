"""Contraction of half-chains and its gradients in NumPy, for float32 and float64.

Training takes its compiled twin instead where there is one, see `tensorspin.models.kernel`; the
tests hold the two against each other. Predictions are contracted here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np

NORMALISATION_INTERVAL = 4
"""Number of sites after which the vectors of a half-chain are normalised.

Feature components are at most 1 in magnitude, so that a few sites cannot leave the range of
float32, and normalising after each site would cost time."""


PREDICTION_BATCH = 512
"""Number of samples contracted at once in prediction.

It bounds the memory that a prediction takes, and hardly changes its time."""


@dataclass
class ChainContraction:
    """What `HalfChains.contract` leaves for `HalfChains.gradients` and for the losses."""

    features: np.ndarray
    """Feature vectors, shape (n_steps, 2, local_dim, batch)."""

    vectors: np.ndarray
    """Vectors of both half-chains before each step and after the last one, shape
    (n_steps + 1, 2, bond, batch)."""

    norms: np.ndarray
    """Norms that the vectors were divided by, shape (normalisations, 2, batch)."""

    scores: np.ndarray
    """Normalised scores, shape (n_outputs, batch)."""


def n_normalisations(n_steps: int) -> int:
    """Count how often the vectors of a half-chain are normalised: also after the last step."""
    return -(-n_steps // NORMALISATION_INTERVAL)


def normalisation_after(step: int, n_steps: int) -> int | None:
    """Return the number of the normalisation after a step, from 0; None if there is none."""
    due = step % NORMALISATION_INTERVAL == NORMALISATION_INTERVAL - 1 or step == n_steps - 1
    return step // NORMALISATION_INTERVAL if due else None


def contract_chains(
    weights: np.ndarray, label: np.ndarray, features: np.ndarray, record: bool
) -> ChainContraction:
    """Contract a batch; see `HalfChains.contract`.

    Parameters
    ----------
    weights : ndarray of float of shape (n_steps, 2, bond, local_dim * bond)
        Matrices of the cores, see `HalfChains`.
    label : ndarray of float of shape (n_outputs, bond * bond)
        Label tensor.
    features : ndarray of float of shape (n_steps, 2, local_dim, batch)
        Feature vectors.
    record : bool
        Whether all vectors on the way are kept, not only the last.

    Returns
    -------
    ChainContraction
        The scores, and what `chain_gradients` needs.
    """
    n_steps, _, bond, width = weights.shape
    local_dim, batch = features.shape[2:]
    # Without a record two vectors take turns: the one before a step and the one after it.
    vectors = np.empty((n_steps + 1 if record else 2, 2, bond, batch), features.dtype)
    vectors[0, :, 0] = 1
    vectors[0, :, 1:] = 0
    product = np.empty((2, local_dim, bond, batch), features.dtype)
    norms = np.empty((n_normalisations(n_steps), 2, 1, batch), features.dtype)
    for step in range(n_steps):
        before, after = (vectors[i % len(vectors)] for i in (step, step + 1))
        np.multiply(features[step][:, :, None], before[:, None], out=product)
        np.matmul(weights[step], product.reshape(2, width, batch), out=after)
        due = normalisation_after(step, n_steps)
        if due is not None:
            norms[due] = column_norms(after)
            after /= norms[due]
    left, right = after
    outer = (left[:, None] * right).reshape(bond * bond, batch)
    return ChainContraction(features, vectors, norms[:, :, 0], label @ outer)


def chain_gradients(
    weights: np.ndarray,
    label: np.ndarray,
    contraction: ChainContraction,
    score_gradient: np.ndarray,
) -> list[np.ndarray]:
    """Backpropagate the gradient of a loss; see `HalfChains.gradients`.

    Parameters
    ----------
    weights, label
        The network, as for `contract_chains`.
    contraction : ChainContraction
        The result of that function, with a record.
    score_gradient : ndarray of float of shape (n_outputs, batch)
        Derivative of the loss with respect to the scores.

    Returns
    -------
    list of ndarray
        The gradients of `weights` and of `label`.
    """
    n_steps, _, bond, width = weights.shape
    features, vectors = contraction.features, contraction.vectors
    local_dim, batch = features.shape[2:]
    left, right = vectors[-1]
    outer = (left[:, None] * right).reshape(bond * bond, batch)
    label_gradient = score_gradient @ outer.T
    outer_gradient = (label.T @ score_gradient).reshape(bond, bond, batch)
    vector_gradient = np.stack(
        [(outer_gradient * right).sum(1), (outer_gradient * left[:, None]).sum(0)]
    )
    # Backwards, a step maps the gradient of its outgoing bond to that of its incoming bond.
    backward_weights = np.ascontiguousarray(
        weights.reshape(n_steps, 2, bond, local_dim, bond).transpose(0, 1, 4, 3, 2)
    ).reshape(n_steps, 2, bond, width)
    weight_gradient = np.empty((n_steps, 2, width, bond), features.dtype)
    # Both matrix products of a step read this array while it is in the processor's cache.
    product = np.empty((2, local_dim, bond, batch), features.dtype)
    flat = product.reshape(2, width, batch)
    for step in reversed(range(n_steps)):
        due = normalisation_after(step, n_steps)
        if due is not None:
            vector_gradient = vector_gradient / contraction.norms[due, :, None]
        np.multiply(features[step][:, :, None], vector_gradient[:, None], out=product)
        np.matmul(flat, vectors[step].transpose(0, 2, 1), out=weight_gradient[step])
        if step:
            vector_gradient = backward_weights[step] @ flat
    weight_gradient = weight_gradient.reshape(n_steps, 2, local_dim, bond, bond)
    return [weight_gradient.transpose(0, 1, 3, 2, 4).reshape(weights.shape), label_gradient]


def column_norms(vectors: np.ndarray) -> np.ndarray:
    """Compute Euclidean norms over the second last axis.

    Parameters
    ----------
    vectors : ndarray of float of shape (..., dim, batch)
        Vectors that stand in columns.

    Returns
    -------
    ndarray of float of shape (..., 1, batch)
        The norms; 1 for a vector of zeros, so that it can be divided by its norm.
    """
    norm = np.sqrt(np.einsum("...db,...db->...b", vectors, vectors))[..., None, :]
    if vectors.dtype == np.float64 and not norm.all():
        # Squares of entries below 1e-162 are 0, but the entries are not. Trainings, in float32, do
        # without, as the compiled kernel does.
        norm = np.where(norm == 0, np.abs(vectors).max(axis=-2, keepdims=True), norm)
    norm[norm == 0] = 1
    return norm


def log_norms(contraction: ChainContraction) -> np.ndarray:
    """Compute the natural logarithm of what was divided out of each sample's scores.

    The network's own scores are ``scores * exp(log_norms)``. Gradients hold the norms constant,
    which is exact for a loss of the network's own scores too: multiplied back in, they cancel.
    The result is an ndarray of float of shape (batch,).
    """
    return reduce(np.add, [np.log(norms).sum(axis=0) for norms in contraction.norms])


def prediction_batches(n_samples: int) -> Iterator[slice]:
    """Return the slices of samples that are contracted at once in prediction."""
    for start in range(0, n_samples, PREDICTION_BATCH):
        yield slice(start, start + PREDICTION_BATCH)
