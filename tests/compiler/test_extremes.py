"""The largest networks that the contract allows, on the gateware."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin import Board
from tensorspin.compiler.chain import chain_nodes
from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification
from tensorspin.contract.contractor.program import MAX_FEATURES, MAX_OUTPUTS
from tensorspin.contract.device.boards import find_board

LARGEST_BOND = find_board("icebreaker").contractor.slot_entries


@pytest.mark.parametrize(
    ("n_sites", "bond_dim", "local_dim", "n_classes"),
    [
        (MAX_FEATURES, 5, 2, 2),
        (21, LARGEST_BOND, 2, MAX_OUTPUTS),
        (2, 1, 4, MAX_OUTPUTS),
        (40, 7, 4, 1),
    ],
)
def test_extreme_chain(n_sites, bond_dim, local_dim, n_classes):
    rng = np.random.default_rng(n_sites)
    middle = n_sites // 2
    bonds = [
        min(bond_dim, local_dim ** min(site, n_sites - site, 5)) for site in range(n_sites + 1)
    ]
    cores = [
        rng.normal(size=(left, local_dim, right)) + np.eye(left, right)[:, None, :]
        for left, right in zip(bonds, bonds[1:])
    ]
    label = rng.normal(size=(n_classes, bonds[middle], bonds[middle]))
    program = NetworkProgram.from_nodes(
        chain_nodes(cores, label, middle, range(n_sites)),
        rng.uniform(-1, 1, size=(256, local_dim)),
        feature_minimum=np.zeros(n_sites),
        feature_maximum=np.ones(n_sites),
        clip=True,
        task=Classification(np.arange(n_classes), 1.0),
    )
    X = rng.random((6, n_sites))
    golden = program.run_golden(X)
    with Board.open("sim://icebreaker") as board:
        board.load(program, verify=True)
        result = board.run(program.levels(X))
    assert np.array_equal(result.scores, golden.scores)
    assert np.array_equal(result.exponents, golden.exponents)
    assert np.array_equal(result.classes, golden.classes)
    size = find_board("icebreaker").require_contractor()
    assert set(result.cycles) == {program.cycles(size.lanes, size.latencies)}
