"""The bound of a run's cycles, against memories of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.contract.contractor import ContractorSize, Node, Operand, OperandKind
from tensorspin.contract.contractor.bound import LATE_NODES, most_cycles
from tensorspin.contract.contractor.program import MAX_OPERAND, MAX_OUTPUTS
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.golden.contractor.walk import walk

LANES = (8, 16, 24, 100)


def size_of(lanes: int, pipeline: int, words: int) -> ContractorSize:
    return ContractorSize(lanes, words, 4, 2, 4, 16, pipeline=pipeline)


def memory_of(headers: list[Node], lanes: int, words: int) -> bytes:
    """Fill a memory with nodes, again and again, each header a node early; weights are zeros."""
    stride = 1 << (lanes - 1).bit_length()
    image = bytearray()
    previous = None
    for index in range(words):
        node = headers[index % len(headers)]
        image += node.pack().ljust(stride, b"\0")
        if previous is not None:
            image += bytes(stride * (previous.words(lanes) - 1))
        previous = node
        if len(image) >= words * stride:
            break
    return bytes(image[: words * stride])


@pytest.mark.parametrize("pipeline", [0, 1])
@pytest.mark.parametrize("lanes", LANES)
@given(seed=st.integers(0, 2**32 - 1), zeros=st.floats(0, 1), words=st.sampled_from([16, 64, 256]))
def test_no_memory_takes_longer(lanes, pipeline, seed, zeros, words):
    rng = np.random.default_rng(seed)
    stride = 1 << (lanes - 1).bit_length()
    memory = rng.integers(256, size=words * stride, dtype=np.uint8)
    memory[rng.random(memory.shape) < zeros] = 0
    size = size_of(lanes, pipeline, words)
    found = walk(memory.tobytes(), lanes)
    assert cycle_count(found.nodes, lanes, size.latencies) <= most_cycles(size)


SIZES = st.sampled_from([1, 2, 3, 8, MAX_OPERAND])


@pytest.mark.parametrize("pipeline", [0, 1])
@pytest.mark.parametrize("lanes", LANES)
@given(
    nodes=st.lists(
        st.tuples(SIZES, SIZES, st.sampled_from([1, 8, 9, 24, 32, MAX_OUTPUTS]), st.booleans()),
        min_size=1,
        max_size=3,
    )
)
def test_no_slow_nodes_take_longer(lanes, pipeline, nodes):
    headers = [
        Node(
            Operand(OperandKind.VECTOR, 0, left),
            Operand(OperandKind.VECTOR, 1, right),
            outputs,
            0,
            wait=True,
            last=False,
            narrow=narrow,
        )
        for left, right, outputs, narrow in nodes
    ]
    size = size_of(lanes, pipeline, 256)
    found = walk(memory_of(headers, lanes, 256), lanes)
    assert cycle_count(found.nodes, lanes, size.latencies) <= most_cycles(size)


@pytest.mark.parametrize("pipeline", [0, 1])
@pytest.mark.parametrize("lanes", LANES[:3])
def test_is_not_far_from_what_a_program_takes(lanes, pipeline):
    vector = Operand(OperandKind.VECTOR, 0, 1)
    pair = Operand(OperandKind.VECTOR, 0, 2)
    node = Node(vector, pair, min(lanes, MAX_OUTPUTS), 0, wait=True, last=False, narrow=True)
    size = size_of(lanes, pipeline, 1 << 14)
    taken = cycle_count([node] * (size.program_words // 2), lanes, size.latencies)
    assert 0.4 * most_cycles(size) < taken < most_cycles(size)


def test_only_three_nodes_are_late():
    # The memory's last word is the header of a node; three with all elements follow.
    largest = Operand(OperandKind.VECTOR, 0, MAX_OPERAND)
    node = Node(largest, largest, MAX_OUTPUTS, 0, wait=True, last=False)
    found = walk(memory_of([node], 8, 2), 8)
    assert len(found.nodes) == LATE_NODES
