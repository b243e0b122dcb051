"""Small random networks, and their contraction written as plainly as possible."""

from __future__ import annotations

import numpy as np

from tensorspin.models.chain_shapes import bond_dimensions


def random_network(rng, n_sites, local_dim, bond_dim, n_classes):
    """Cores, label tensor and label position of a chain, with normally distributed entries."""
    position = n_sites // 2
    bonds = bond_dimensions(n_sites, position, local_dim, bond_dim)
    cores = []
    for site in range(n_sites):
        if site < position:
            left, right = (bonds[site - 1] if site else 1), bonds[site]
        else:
            left, right = bonds[site], (bonds[site + 1] if site < n_sites - 1 else 1)
        cores.append(rng.standard_normal((left, local_dim, right)))
    label = rng.standard_normal((n_classes, bonds[position - 1], bonds[position]))
    return cores, label, position


def full_tensor(cores, label, position):
    """The whole chain contracted to one array: an axis per site, then the axis of classes."""
    left = np.ones((1, 1))
    for core in cores[:position]:
        left = np.einsum("fa,apb->fpb", left, core).reshape(-1, core.shape[2])
    right = np.ones((1, 1))
    for core in reversed(cores[position:]):
        right = np.einsum("apb,bf->apf", core, right).reshape(core.shape[0], -1)
    local_dim = cores[0].shape[1]
    tensor = np.einsum("fa,kab,bg->fgk", left, label, right)
    return tensor.reshape([local_dim] * len(cores) + [len(label)])


def brute_force_scores(cores, label, position, components):
    """Scores (batch, n_classes) of feature vectors (batch, n_sites, local_dim), site by site."""
    scores = []
    for sample in components:
        tensor = full_tensor(cores, label, position)
        for vector in sample:
            tensor = np.tensordot(vector, tensor, axes=1)
        scores.append(tensor)
    return np.array(scores)
