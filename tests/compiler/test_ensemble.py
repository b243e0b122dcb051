"""Programs of several networks: `tensorspin.compiler.ensemble` and `references`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tensorspin.compiler import Classification, FloatNode, NetworkProgram, chain_nodes, tree_nodes
from tensorspin.compiler.ensemble import (
    Member,
    in_terms_of,
    joint_nodes,
    joint_table,
    may_be_narrow,
)
from tensorspin.compiler.quantise import quantise_weights
from tensorspin.compiler.references import LEAST_SHARE, positive_basis, with_references
from tensorspin.contract.contractor.program import OperandKind
from tensorspin.golden.contractor import contract
from tensorspin.models.feature_maps import FeatureMap

N_FEATURES = 6
LINEAR, BERNSTEIN = FeatureMap("linear").table(), FeatureMap("bernstein").table()


def chain(table: np.ndarray, n_outputs: int, seed: int, bond: int = 5) -> list[FloatNode]:
    """Return a chain whose cores are near identities, as those of trained networks are."""
    rng = np.random.default_rng(seed)
    p = table.shape[1]
    shapes = [(1, p, bond), *[(bond, p, bond)] * (N_FEATURES - 2), (bond, p, 1)]
    cores = [np.eye(a, b)[:, None, :] + 0.3 * rng.standard_normal((a, p, b)) for a, p, b in shapes]
    label = rng.standard_normal((n_outputs, bond, bond))
    return chain_nodes(cores, label, N_FEATURES // 2, list(range(N_FEATURES)))


def tree(table: np.ndarray, n_outputs: int, seed: int) -> list[FloatNode]:
    rng = np.random.default_rng(seed)
    children = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]])
    p = table.shape[1]
    shapes = [(4, p, p), (4, p, p), (4, p, p), (5, 4, 4), (n_outputs, 4, 5)]
    tensors = [0.5 + rng.standard_normal(shape) for shape in shapes]
    return tree_nodes(children, tensors, list(range(N_FEATURES)))


def values(nodes: list[FloatNode], table: np.ndarray, levels: np.ndarray) -> list[np.ndarray]:
    """Compute the result of each node in floating point."""
    slots: dict[int, np.ndarray] = {}
    results = []
    for item in nodes:
        left, right = (
            table[levels[:, operand.index], : operand.size]
            if operand.kind is OperandKind.FEATURE
            else slots[operand.index]
            for operand in (item.node.left, item.node.right)
        )
        assert (left.shape[1], right.shape[1]) == item.weights.shape[1:]
        results.append(np.einsum("kab,na,nb->nk", item.weights, left, right))
        slots[item.node.destination] = results[-1]
    return results


def normalised(scores: np.ndarray) -> np.ndarray:
    return scores / np.linalg.norm(scores, axis=1, keepdims=True)


def levels(seed: int, n_samples: int = 300) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n_samples, N_FEATURES)).astype(np.uint8)


@pytest.mark.parametrize("network", [chain, tree])
@pytest.mark.parametrize("table", [LINEAR, BERNSTEIN], ids=["linear", "bernstein"])
def test_references_are_positive_near_the_length_and_change_nothing_else(network, table):
    nodes = network(table, 3, seed=1)
    more = with_references(nodes, table, levels(2))
    unseen = levels(3)
    for before, after in zip(values(nodes, table, unseen), values(more, table, unseen)):
        assert np.allclose(after[:, :-1], before)
        assert after[:, -1].min() > 0
    ratio = after[:, -1] / np.linalg.norm(after[:, :-1], axis=1)
    assert 0.5 < np.median(ratio) < 2


def test_references_are_positive_even_where_no_sample_was():
    corners = np.array(np.meshgrid(*[[0, 255]] * N_FEATURES)).reshape(N_FEATURES, -1).T
    few = np.full((20, N_FEATURES), 200) + np.arange(20)[:, None]
    more = with_references(chain(LINEAR, 2, seed=4), LINEAR, few)
    for result in values(more, LINEAR, corners):
        assert result[:, -1].min() > 0
    for item in more:
        positive = item.weights[-1][item.weights[-1] != 0]
        assert positive.min() >= LEAST_SHARE * positive.max() * (1 - 1e-9)


def test_networks_that_give_zero_leave_references_positive():
    nodes = [replace(item, weights=0 * item.weights) for item in chain(LINEAR, 2, seed=4)]
    for result in values(with_references(nodes, LINEAR, levels(2)), LINEAR, levels(3)):
        assert np.all(result[:, :-1] == 0)
        assert result[:, -1].min() > 0


def test_map_with_signs_gets_its_constant_combination():
    ramp = np.linspace(-1, 1, 256)
    table = np.stack([np.ones(256), ramp, ramp**2 - 0.5], axis=1)
    assert positive_basis(table).shape == (3, 1)
    assert np.allclose(table @ positive_basis(table), 1)
    more = with_references(chain(table, 2, seed=5), table, levels(2))
    assert all(result[:, -1].min() > 0 for result in values(more, table, levels(3)))


def test_map_without_a_positive_combination_is_refused():
    ramp = np.linspace(-1, 1, 256)
    with pytest.raises(ValueError, match="no combination of its components is positive"):
        positive_basis(np.stack([ramp, ramp**3], axis=1))


def test_joint_table_of_nested_maps_is_no_larger_than_the_largest():
    table, matrices = joint_table([BERNSTEIN, LINEAR, FeatureMap("polynomial").table()])
    assert table.shape == (256, 4)
    assert [matrix.shape for matrix in matrices] == [(4, 4), (2, 2), (3, 3)]
    for own, matrix in zip([BERNSTEIN, LINEAR], matrices):
        assert np.allclose(table[:, : matrix.shape[1]] @ matrix.T, own)


def test_joint_table_of_maps_that_share_nothing_holds_both():
    bumps = FeatureMap("bumps").table()
    table, matrices = joint_table([LINEAR, bumps])
    assert table.shape == (256, 6)
    assert np.allclose(table @ matrices[1].T, bumps)


@pytest.mark.parametrize("network", [chain, tree])
def test_nodes_compute_the_same_from_a_joint_table(network):
    nodes = network(BERNSTEIN, 3, seed=6)
    table, matrices = joint_table([LINEAR, BERNSTEIN])
    moved = in_terms_of(nodes, matrices[1])
    for before, after in zip(values(nodes, BERNSTEIN, levels(1)), values(moved, table, levels(1))):
        assert np.allclose(before, after)


def program_of(nodes: list[FloatNode], table: np.ndarray, n_outputs: int) -> NetworkProgram:
    return NetworkProgram.from_nodes(
        nodes,
        table,
        feature_minimum=np.zeros(N_FEATURES),
        feature_maximum=np.full(N_FEATURES, 255),
        clip=True,
        task=Classification(np.arange(n_outputs), 1.0),
    )


@pytest.mark.parametrize("n_outputs", [2, 5])
@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 2.5, 0.7), (3.0, 1.0, 1.0, 2.0)])
def test_scores_of_a_joint_program_are_the_weighted_sum(n_outputs, weights):
    kinds = [(chain, LINEAR), (chain, BERNSTEIN), (tree, LINEAR), (tree, BERNSTEIN)]
    members = [
        Member(network(table, n_outputs, seed=seed), table, weight)
        for seed, ((network, table), weight) in enumerate(zip(kinds, weights))
    ]
    nodes, table = joint_nodes(members, levels(1))
    unseen = levels(2)
    expected = sum(
        member.weight * normalised(values(list(member.nodes), member.table, unseen)[-1])
        for member in members
    )
    # A sample whose networks cancel each other has a direction that any error changes.
    clear = np.linalg.norm(expected, axis=1) > 0.3 * sum(weights)
    program = program_of(nodes, table, n_outputs)
    results = contract(program.nodes, program.weights, program.table, unseen, 8)
    for found in (values(nodes, table, unseen)[-1], results.scores):
        cosines = np.sum(normalised(np.asarray(found, float)) * normalised(expected), axis=1)
        assert np.median(cosines[clear]) > 0.999
        assert (
            np.quantile(cosines[clear], 0.05) > 0.95
        )  # of random networks; trained ones agree more
    assert clear.sum() > 100


def test_small_scores_of_one_network_do_not_vanish_beside_those_of_another():
    first = chain(LINEAR, 3, seed=1)
    # The same network with tensors, and so with scores, of other sizes.
    sized = [
        [replace(item, weights=item.weights * factor) for item in chain(LINEAR, 3, seed=2)]
        for factor in (2.0**-10, 1.0, 2.0**10)
    ]
    answers = []
    for second in sized:
        nodes, table = joint_nodes(
            [Member(first, LINEAR, 1.0), Member(second, LINEAR, 1.0)], levels(1)
        )
        program = program_of(nodes, table, 3)
        answers.append(contract(program.nodes, program.weights, program.table, levels(2), 8).scores)
    assert np.array_equal(answers[0], answers[1])
    assert np.array_equal(answers[2], answers[1])


def test_a_network_never_overwrites_the_sum_so_far():
    members = [Member(tree(LINEAR, 3, seed=seed), LINEAR, 1.0) for seed in range(3)]
    nodes, _ = joint_nodes(members, levels(1))
    sums = [index for index, item in enumerate(nodes) if item.name.startswith("sum of")]
    kept = nodes[sums[0]].node.destination
    between = nodes[sums[0] + 1 : sums[1]]
    assert all(item.node.destination != kept for item in between)
    assert [item.node.last for item in nodes] == [False] * (len(nodes) - 1) + [True]


@pytest.mark.parametrize("network", [chain, tree])
def test_references_of_4_bits_stay_positive_and_follow_the_length(network):
    members = [
        Member(network(table, 3, seed), table, 4.0) for seed, table in ((1, LINEAR), (2, BERNSTEIN))
    ]
    narrow = may_be_narrow(members)
    bits = [4 if may else 8 for may in narrow]
    nodes, table = joint_nodes(members, levels(1), bits)
    assert 0 < sum(narrow) < len(nodes)
    rounded = []
    for item, width in zip(nodes, bits, strict=True):
        integers, step = quantise_weights(item.weights, width)
        # What was rounded for samples is not rounded again.
        assert width == 8 or np.allclose(integers * step, item.weights)
        rounded.append(replace(item, weights=integers * step))
    found = values(rounded, table, levels(2))
    for item, result in zip(rounded[:-1], found):
        assert result[:, -1].min() > 0, item.name
    exact = values(joint_nodes(members, levels(1))[0], table, levels(2))[-1]
    assert np.sum(normalised(found[-1]) * normalised(exact), axis=1).mean() > 0.95


def test_long_chains_of_4_bits_keep_their_references():
    """An error of a few per cent in each node would be a factor of a thousand in the last."""
    rng = np.random.default_rng(0)
    n, bond = 60, 6
    shapes = [(1, 2, bond), *[(bond, 2, bond)] * (n - 2), (bond, 2, 1)]
    cores = [np.eye(a, b)[:, None] + 0.15 * rng.standard_normal((a, p, b)) for a, p, b in shapes]
    label = rng.standard_normal((2, bond, bond))
    network = chain_nodes(cores, label, n // 2, list(range(n)))
    members = [Member(network, LINEAR, 4.0)] * 2
    bits = [4 if may else 8 for may in may_be_narrow(members)]
    samples = rng.integers(0, 256, (200, n)).astype(np.uint8)
    nodes, table = joint_nodes(members, samples, bits)
    results = dict(zip([item.name for item in nodes], values(nodes, table, samples)))
    scores = results[nodes[len(network) - 1].name]
    ratio = scores[:, -1] / np.linalg.norm(scores[:, :-1], axis=1)
    assert 0.5 < np.median(ratio) < 2
    weights = np.abs(nodes[len(network) - 1].weights)
    assert weights[-1].max() <= 16 * weights[:-1].max()
