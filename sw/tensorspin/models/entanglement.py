"""Entanglement entropy of a matrix product state with a label tensor."""

from __future__ import annotations

import numpy as np

from .canonical import CanonicalChain


def entanglement_entropy(cores, label_tensor, label_position: int) -> np.ndarray:
    """Entanglement entropy at each bond of the network.

    Each bond cuts off the sites from it to its end of the chain; the entropy tells how much those
    sites share with the other sites and the label. It is at most log2 of the bond dimension: a bond
    far below that limit could be narrower.

    The squared singular values p of the network's canonical form at a bond give its entropy,
    -sum(p log2 p); see `tensorspin.models.canonical`.

    Parameters
    ----------
    cores : sequence of n_sites float arrays (left_bond, local_dim, right_bond)
    label_tensor : float array (n_classes, left_bond, right_bond)
    label_position : int, 1 to n_sites - 1
        The label tensor sits between the sites ``label_position - 1`` and ``label_position``.

    Returns
    -------
    float64 array (n_sites,), in bits
        Entry i is the entropy at the bond of site i on the side of the label tensor.

    Raises
    ------
    ValueError
        If the label position is out of range, or the network is zero or not finite.
    """
    chain = CanonicalChain.of(cores, label_tensor, label_position)
    return np.array([_entropy(values) for values in chain.spectra()])


def _entropy(singular_values) -> float:
    """Entropy in bits of squared singular values that sum to 1."""
    probabilities = singular_values**2
    probabilities = probabilities[probabilities > 0]
    # The sum is -0.0 or a rounding error below zero for a single value.
    return max(0.0, -float(np.sum(probabilities * np.log2(probabilities))))
