"""Entanglement entropy of a matrix product state with a label tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canonical import CanonicalChain


def entanglement_entropy(
    cores: Sequence[np.ndarray], label_tensor: np.ndarray, label_position: int
) -> np.ndarray:
    """Compute the entanglement entropy at each bond of a matrix product state.

    Each bond cuts off the sites from it to its end of the chain; the entropy tells how much those
    sites share with the other sites and the label. It is at most log2 of the bond dimension: a bond
    far below that limit could be narrower.

    The squared singular values p of the network's canonical form at a bond give its entropy,
    -sum(p log2 p); see `tensorspin.models.canonical`.

    Parameters
    ----------
    cores : sequence of ndarray of float of shape (left_bond, local_dim, right_bond)
        The core of each site of the chain.
    label_tensor : ndarray of float of shape (n_classes, left_bond, right_bond)
        The tensor that joins the two half-chains.
    label_position : int
        Number of sites in the left half-chain, 1 to n_sites - 1: the label tensor sits between the
        sites ``label_position - 1`` and ``label_position``.

    Returns
    -------
    ndarray of float64 of shape (n_sites,)
        In bits. Entry i is the entropy at the bond of site i on the side of the label tensor.

    Raises
    ------
    ValueError
        If the label position is out of range, or the network is zero or not finite.

    Examples
    --------
    Two sites with two components each, always equal: what one reads, the other reads too. They
    share one bit.

    >>> import numpy as np
    >>> from tensorspin.models import entanglement_entropy
    >>> cores = [np.eye(2).reshape(1, 2, 2), np.eye(2).reshape(2, 2, 1)]
    >>> entanglement_entropy(cores, np.eye(2).reshape(1, 2, 2), 1).round(6).tolist()
    [1.0, 1.0]
    """
    chain = CanonicalChain.of(cores, label_tensor, label_position)
    return np.array([_entropy(values) for values in chain.spectra()])


def _entropy(singular_values: np.ndarray) -> float:
    """Compute the entropy in bits of squared singular values that sum to 1."""
    probabilities = singular_values**2
    probabilities = probabilities[probabilities > 0]
    # The sum is -0.0 or a rounding error below zero for a single value.
    return max(0.0, -float(np.sum(probabilities * np.log2(probabilities))))
