"""Small programs for the driver's tests, and their answers."""

from __future__ import annotations

import numpy as np

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification
from tensorspin.contract.contractor.memory import LEVELS
from tensorspin.contract.contractor.program import Node, Operand, OperandKind
from tensorspin.contract.contractor.results import ContractorResults
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import find_board
from tensorspin.golden.contractor.contraction import contract


def chain_program(n_features=8, n_outputs=3, bond=4, seed=0) -> NetworkProgram:
    """A matrix product state with random weights and feature table."""
    rng = np.random.default_rng(seed)
    nodes = []
    left = Operand(OperandKind.FEATURE, 0, 2)
    for site in range(1, n_features):
        last = site == n_features - 1
        right = Operand(OperandKind.FEATURE, site, 2)
        outputs = n_outputs if last else bond
        nodes.append(Node(left, right, outputs, site % 2, wait=site > 1, last=last))
        left = Operand(OperandKind.VECTOR, site % 2, bond)
    shapes = [(node.outputs, node.left.size, node.right.size) for node in nodes]
    return NetworkProgram(
        nodes=tuple(nodes),
        weights=tuple(rng.integers(-128, 128, shape).astype(np.int8) for shape in shapes),
        names=tuple(f"site {site}" for site in range(1, n_features)),
        table=rng.integers(-32768, 32768, (2, LEVELS)).astype(np.int16),
        feature_minimum=np.zeros(n_features),
        feature_maximum=np.ones(n_features),
        clip=True,
        task=Classification(np.arange(n_outputs), 1.0),
        log2_scale=0.0,
    )


UP5K = find_board("icebreaker").require_contractor()
"""The contractor of the boards that most tests use."""


def golden_answers(
    program: NetworkProgram, levels, size: ContractorSize = UP5K
) -> ContractorResults:
    """What a board with such a contractor must answer."""
    nodes, weights, table = program.nodes, program.weights, program.table
    return contract(nodes, weights, table, levels, size.lanes, size.latencies)


def cycles_of(program: NetworkProgram, size: ContractorSize = UP5K) -> int:
    """How many cycles such a contractor must take for a sample."""
    return program.cycles(size.lanes, size.latencies)


def random_levels(samples, features=8, seed=0):
    rng = np.random.default_rng([seed, samples, features])
    return rng.integers(0, 256, (samples, features), dtype=np.uint8)
