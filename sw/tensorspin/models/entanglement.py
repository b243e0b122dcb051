"""Entanglement entropy of a matrix product state with a label tensor."""

from __future__ import annotations

import numpy as np


def entanglement_entropy(cores, label_tensor, label_position: int) -> np.ndarray:
    """Entanglement entropy at each bond of the network.

    Each bond cuts off the sites from it to its end of the chain; the entropy tells how much those
    sites share with the other sites and the label. It is at most log2 of the bond dimension: a bond
    far below that limit could be narrower.

    The network is taken as one tensor with an axis per site (the components of its feature vector)
    and one for the label. QR sweeps from both ends bring it to canonical form with the label tensor
    as the centre; singular value decompositions then move the centre outwards (Schollwoeck 2011,
    arXiv:1008.3477, section 4). The normalised squared singular values p at a bond give its
    entropy, -sum(p log2 p). The centre is normalised on the way, so that long chains stay finite.

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
    n_sites = len(cores)
    if not 1 <= label_position < n_sites:
        raise ValueError(f"label_position must be 1 to {n_sites - 1}, got {label_position}")
    cores = [np.asarray(core, dtype=float) for core in cores]
    left, left_carry = _orthogonalise(cores[:label_position])
    # Mirrored, so that one routine serves both halves.
    mirrored = [core.transpose(2, 1, 0) for core in reversed(cores[label_position:])]
    right, right_carry = _orthogonalise(mirrored)
    label = _normalised(np.asarray(label_tensor, dtype=float))
    centre = _normalised(np.einsum("la,kab,rb->klr", left_carry, label, right_carry))
    _, n_left, n_right = centre.shape
    left_entropies = _sweep_outwards(left, centre.transpose(1, 0, 2).reshape(n_left, -1))
    right_entropies = _sweep_outwards(right, centre.transpose(2, 0, 1).reshape(n_right, -1))
    return np.array(left_entropies[::-1] + right_entropies)


def _orthogonalise(cores):
    """Make the cores of a half-chain isometries; the rest is a matrix (isometry, label side)."""
    carry = np.ones((1, 1))
    isometries = []
    for core in cores:
        core = np.tensordot(carry, core, axes=1)
        outer, local_dim, inner = core.shape
        isometry, carry = np.linalg.qr(core.reshape(outer * local_dim, inner))
        isometries.append(isometry.reshape(outer, local_dim, -1))
        carry = _normalised(carry)
    return isometries, carry


def _sweep_outwards(isometries, centre):
    """Entropies at the inner bonds of a half-chain, from the label tensor to the end.

    ``centre`` is the label tensor as a matrix (bond, everything else).
    """
    entropies = []
    for core in reversed(isometries):
        vectors, values, _ = np.linalg.svd(centre, full_matrices=False)
        entropies.append(_entropy(values))
        outer = core.shape[0]
        centre = _normalised(np.tensordot(core, vectors * values, axes=1)).reshape(outer, -1)
    return entropies


def _entropy(singular_values) -> float:
    """Entropy in bits of the normalised squared singular values."""
    probabilities = singular_values**2 / np.sum(singular_values**2)
    probabilities = probabilities[probabilities > 0]
    # The sum is -0.0 or a rounding error below zero for a single value.
    return max(0.0, -float(np.sum(probabilities * np.log2(probabilities))))


def _normalised(tensor):
    norm = np.linalg.norm(tensor)
    if not np.isfinite(norm) or norm == 0:
        raise ValueError(f"the network has norm {norm}; its entanglement entropy is undefined")
    return tensor / norm
