"""Random matrix product states, contracted in floats as plainly as possible."""

from __future__ import annotations

import numpy as np

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification
from tensorspin.contract.contractor.program import OperandKind


def random_chain(rng, n_sites, bond_dim, local_dim, n_classes, position):
    """Cores and label tensor near the identity, so that long chains keep their scale."""
    bonds = [1, *rng.integers(1, bond_dim + 1, size=n_sites - 1), 1]
    inner_left, inner_right = rng.integers(1, bond_dim + 1, size=2)
    cores = []
    for site in range(n_sites):
        left, right = bonds[site], bonds[site + 1]
        if site == position - 1:
            right = inner_left
        if site == position:
            left = inner_right
        noise = rng.normal(size=(left, local_dim, right)) * 0.3
        cores.append(noise + np.eye(left, right)[:, None, :])
    return cores, rng.normal(size=(n_classes, inner_left, inner_right))


def contract_float(cores, label, position, vectors):
    left = np.ones(1)
    for core, vector in zip(cores[:position], vectors):
        left = np.einsum("l,lpr,p->r", left, core, vector)
    right = np.ones(1)
    for core, vector in zip(cores[: position - 1 : -1], vectors[::-1]):
        right = np.einsum("lpr,p,r->l", core, vector, right)
    return np.einsum("kab,a,b->k", label, left, right)


def run_float(nodes, features):
    slots = {}
    for item in nodes:
        left, right = (
            features[operand.index] if operand.kind is OperandKind.FEATURE else slots[operand.index]
            for operand in (item.node.left, item.node.right)
        )
        slots[item.node.destination] = np.einsum("kab,a,b->k", item.weights, left, right)
        if item.node.last:
            return slots[item.node.destination]


def program_of(nodes, n_features, local_dim):
    x = np.arange(256) / 255
    table = np.stack([np.cos(x), np.sin(x), x * x, 1 - x][:local_dim], axis=1)
    return table, NetworkProgram.from_nodes(
        nodes,
        table,
        feature_minimum=np.zeros(n_features),
        feature_maximum=np.ones(n_features),
        clip=False,
        task=Classification(np.arange(nodes[-1].node.outputs), 1.0),
    )
