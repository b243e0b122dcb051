"""The vectorised golden model against the plainest possible one, and against real numbers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.contract.contractor.program import OperandKind
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import ACCUMULATOR, MANTISSA
from tensorspin.golden.contractor.contraction import (
    BATCH,
    GoldenContractor,
    contract,
    normalise,
)
from tests.support.doubles import assert_answers
from tests.support.random_programs import random_program

SIZE = ContractorSize(
    lanes=8, program_words=1 << 14, features=32, components=4, slots=4, slot_entries=16
)


def clip(value: int) -> int:
    return max(MANTISSA.minimum, min(MANTISSA.maximum, value))


def plain_contract(program, levels):
    """One sample, one number at a time, rounding by exact fractions."""
    slots = {}
    for node, weights in zip(program.nodes, program.weights):
        (left, left_exponent), (right, right_exponent) = (
            (
                [int(program.table[c, levels[operand.index]]) for c in range(operand.size)],
                0,
            )
            if operand.kind is OperandKind.FEATURE
            else slots[operand.index]
            for operand in (node.left, node.right)
        )
        sums = [
            sum(
                int(weights[k, a, b])
                * clip(round(Fraction(left[a] * right[b], 1 << MANTISSA.f_bits)))
                for a in range(node.left.size)
                for b in range(node.right.size)
            )
            for k in range(node.outputs)
        ]
        assert all(ACCUMULATOR.minimum <= total <= ACCUMULATOR.maximum for total in sums)
        shift = 0
        while shift < 31 and all(
            ACCUMULATOR.minimum <= total << (shift + 1) <= ACCUMULATOR.maximum for total in sums
        ):
            shift += 1
        vector = [clip(round(Fraction(total << shift, 1 << 16))) for total in sums]
        slots[node.destination] = vector, (left_exponent + right_exponent + shift) % (1 << 16)
        if node.last:
            return slots[node.destination]


@given(st.integers(0, 2**32 - 1))
def test_equals_plain_model(seed):
    rng = np.random.default_rng(seed)
    program = random_program(rng, SIZE, most_nodes=6)
    samples = rng.integers(256, size=(2, program.features))
    results = contract(program.nodes, program.weights, program.table, samples, SIZE.lanes)
    for index, sample in enumerate(samples):
        scores, exponent = plain_contract(program, sample)
        assert results.scores[index].tolist() == scores
        assert int(results.exponents[index]) == exponent
        assert int(results.classes[index]) == scores.index(max(scores))


def test_batches_do_not_matter():
    rng = np.random.default_rng(5)
    program = random_program(rng, SIZE, most_nodes=4)
    samples = rng.integers(256, size=(BATCH + 3, program.features))
    whole = contract(program.nodes, program.weights, program.table, samples, SIZE.lanes)
    tail = contract(program.nodes, program.weights, program.table, samples[-5:], SIZE.lanes)
    assert np.array_equal(whole.scores[-5:], tail.scores)


def test_a_contractor_may_be_asked_again():
    rng = np.random.default_rng(7)
    program = random_program(rng, SIZE, most_nodes=6)
    contractor = GoldenContractor(program.nodes, program.weights, program.table, SIZE.lanes)
    for count in (3, 1, 5):
        samples = rng.integers(256, size=(count, program.features))
        results = contractor.run(samples)
        once = contract(program.nodes, program.weights, program.table, samples, SIZE.lanes)
        assert_answers(results, once)
        assert set(results.cycles) == {contractor.cycles}


def test_a_program_without_a_last_node_is_refused():
    with pytest.raises(ValueError, match="the program has no last node"):
        contract([], [], np.zeros((1, 256), np.int16), np.zeros((1, 1), np.uint8), SIZE.lanes)


def test_no_samples():
    program = random_program(np.random.default_rng(6), SIZE)
    nothing = np.zeros((0, program.features), dtype=np.uint8)
    results = contract(program.nodes, program.weights, program.table, nothing, SIZE.lanes)
    assert results.scores.shape == (0, program.nodes[-1].outputs)
    assert len(results.cycles) == 0


@pytest.mark.parametrize(
    ("accumulators", "mantissas", "shift"),
    [
        ([0, 0], [0, 0], 31),
        ([1, 0], [16384, 0], 30),
        ([-1, 0], [-32768, 0], 31),
        ([-(2**31), 1], [-32768, 0], 0),
        ([2**31 - 1, 2**15], [32767, 0], 0),
        ([2**31 - 1, 3 * 2**15], [32767, 2], 0),
    ],
)
def test_normalise_corners(accumulators, mantissas, shift):
    got, shifts = normalise(np.array([accumulators]))
    assert got.tolist() == [mantissas]
    assert shifts.tolist() == [shift]
