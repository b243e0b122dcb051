"""Check a contractor with a small random network whose answers the golden model computes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from ...compiler.network_program import NetworkProgram
from ...compiler.nodes import with_waits
from ...compiler.outputs import Classification
from ...contract.contractor.memory import LEVELS
from ...contract.contractor.program import Node, Operand, OperandKind
from ...contract.contractor.results import ContractorResults
from ...contract.contractor.rows import Mode
from ...contract.contractor.size import ContractorSize
from ...errors import CapacityError, FaultError
from ...golden.contractor import GoldenContractor
from ..board import Board
from .result import CheckResult, Verdict, judged

SAMPLES = 64
"""Number of random samples."""

BOND = 8
"""Greatest bond dimension of the network; a smaller device gets a smaller one."""

FEATURES = 24
"""Greatest number of features of the network."""

_HINT = (
    "the chip computes wrongly: build the bitstream for a lower clock, check its supply and "
    "temperature, and report it with this text"
)


def check_contractor(board: Board) -> CheckResult:
    """Contract random samples, and compare every bit of the answers and the cycles.

    Parameters
    ----------
    board : Board
        An open board.

    Returns
    -------
    CheckResult
        Whether all scores, exponents, classes and cycles are those of the golden model, in each
        mode that the contractor has.
    """
    size = board.info.contractor
    if size is None:
        return CheckResult("contractor", Verdict.SKIP, "the device has none")
    if size.lock:
        return CheckResult(
            "contractor",
            Verdict.SKIP,
            "it is locked, and runs only programs that were locked with its key; "
            "Board.load(program, self_test=True) tests it with one",
        )
    program = known_program(size)
    rng = np.random.default_rng(2)
    levels = rng.integers(0, LEVELS, (SAMPLES, program.n_features), dtype=np.uint8)
    board.load(program, verify=True)
    golden = GoldenContractor(
        program.nodes, program.weights, program.table, size.lanes, size.latencies
    )
    expected = golden.run(levels)
    wrong = []
    for mode in Mode if size.single_drain else (Mode.THROUGHPUT,):
        try:
            found = board.run(levels, mode=mode)
        except FaultError as error:  # the driver compares the cycles itself
            return judged("contractor", False, str(error), _HINT)
        if mode is Mode.SINGLE:
            expected.cycles[:] = program.single_cycles(size)
        wrong += [
            f"{field.name} of {count} samples"
            + (" that all groups share" if mode is Mode.SINGLE else "")
            for field in fields(ContractorResults)
            if (count := _different(getattr(found, field.name), getattr(expected, field.name)))
        ]
    return judged(
        "contractor",
        not wrong,
        f"{SAMPLES} samples of {program.n_features} features: "
        + (f"wrong {', '.join(wrong)}" if wrong else "each bit as computed by the golden model"),
        _HINT,
    )


def known_program(size: ContractorSize) -> NetworkProgram:
    """Make a random chain that fits a contractor.

    Parameters
    ----------
    size : ContractorSize
        Size of the contractor.

    Returns
    -------
    NetworkProgram
        The program, the same for the same size.
    """
    features, bond = min(FEATURES, size.features), min(BOND, size.slot_entries)
    while True:
        program = _chain(features, bond, min(2, size.components), size)
        try:
            program.check(size)
            return program
        except CapacityError:
            if features == bond == 1:
                raise
            features, bond = max(1, features // 2), max(1, bond // 2)


def _chain(features: int, bond: int, components: int, size: ContractorSize) -> NetworkProgram:
    rng = np.random.default_rng(1)
    outputs = min(3, size.slot_entries)

    def feature(index: int) -> Operand:
        return Operand(OperandKind.FEATURE, index, components)

    left, nodes, weights = feature(0), [], []
    for index in range(max(1, features - 1)):
        last = index >= features - 2
        right = feature(min(index + 1, features - 1))
        node = Node(left, right, outputs if last else bond, index % min(2, size.slots), False, last)
        nodes.append(node)
        shape = (node.outputs, node.left.size, node.right.size)
        weights.append(rng.integers(-128, 128, shape).astype(np.int8))
        left = Operand(OperandKind.VECTOR, node.destination, node.outputs)
    return NetworkProgram(
        nodes=tuple(with_waits(nodes)),
        weights=tuple(weights),
        names=tuple(f"node {index}" for index in range(len(nodes))),
        table=rng.integers(-32768, 32768, (components, LEVELS)).astype(np.int16),
        feature_minimum=np.zeros(features),
        feature_maximum=np.ones(features),
        clip=True,
        task=Classification(np.arange(outputs), 1.0),
        log2_scale=0.0,
    )


def _different(found: np.ndarray, expected: np.ndarray) -> int:
    """Count the samples whose values differ."""
    differs = np.asarray(found) != np.asarray(expected)
    return int(differs.reshape(len(differs), -1).any(axis=1).sum())
