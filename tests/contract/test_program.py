"""Headers, images and the device description survive the way there and back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.contract.contractor.image import ProgramOverrunError, program_image, read_image
from tensorspin.contract.contractor.memory import word_stride_bits
from tensorspin.contract.contractor.program import (
    HEADER_FIELDS,
    MAX_OPERAND,
    MAX_OUTPUTS,
    MIN_LANES,
    Node,
    Operand,
    OperandKind,
)
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.fixed import NARROW_STEP
from tensorspin.contract.wire.packets import PROTOCOL_VERSION
from tests.support.random_programs import random_program

INDEX_LIMIT = (1 << dict(HEADER_FIELDS)["left_index"]) - 1

operands = st.builds(
    Operand, st.sampled_from(OperandKind), st.integers(0, INDEX_LIMIT), st.integers(1, MAX_OPERAND)
)
nodes = st.builds(
    Node,
    operands,
    operands,
    outputs=st.integers(1, MAX_OUTPUTS),
    destination=st.integers(0, INDEX_LIMIT),
    wait=st.booleans(),
    last=st.booleans(),
    narrow=st.booleans(),
)


@given(nodes)
def test_header_round_trip(node):
    assert Node.unpack(node.pack()) == node


def test_header_refuses_what_does_not_fit():
    operand = Operand(OperandKind.FEATURE, INDEX_LIMIT + 1, 2)
    node = Node(operand, operand, 1, 0, False, True)
    with pytest.raises(ValueError, match=f"left_index = {INDEX_LIMIT + 1} is outside"):
        node.pack()


@given(st.integers(0, 2**32 - 1), st.integers(MIN_LANES, 40))
def test_image_round_trip(seed, lanes):
    size = ContractorSize(lanes, 1 << 14, 32, 4, 4, 16)
    program = random_program(np.random.default_rng(seed), size)
    image = program.image(lanes)
    words = sum(node.words(lanes) for node in program.nodes)
    assert len(image) == words << word_stride_bits(lanes)
    nodes, weights = read_image(image + bytes(100), lanes)
    assert nodes == program.nodes
    assert all(np.array_equal(a, b) for a, b in zip(weights, program.weights))


def test_narrow_weights_take_half_the_words():
    operands = Operand(OperandKind.FEATURE, 0, 3), Operand(OperandKind.FEATURE, 1, 3)
    weights = NARROW_STEP * np.arange(-8, 10).clip(-8, 7).reshape(2, 3, 3).astype(np.int8)
    wide = Node(*operands, 2, 0, False, True)
    narrow = dataclasses.replace(wide, narrow=True)
    lanes = MIN_LANES
    assert (wide.words(lanes), narrow.words(lanes)) == (1 + 9, 1 + 5)
    for node in (wide, narrow):
        image = program_image([node], [weights], lanes)
        assert np.array_equal(read_image(image, lanes)[1][0], weights)
    weights[1, 2, 0] += 1
    with pytest.raises(ValueError, match=f"113 of a narrow node is no multiple of {NARROW_STEP}"):
        program_image([narrow], [weights], lanes)


def test_image_without_end():
    operand = Operand(OperandKind.FEATURE, 0, 2)
    node = Node(operand, operand, 1, 0, False, last=False)
    image = program_image([node, node], [np.zeros((1, 2, 2), np.int8)] * 2, 8)
    with pytest.raises(ProgramOverrunError, match="more than the 10 words"):
        read_image(image, 8)


@pytest.mark.parametrize("name", BOARDS)
def test_description_round_trip(name):
    description = find_board(name).description(b"12345678")
    assert DeviceDescription.unpack(description.pack()) == description


def test_description_of_another_protocol():
    description = find_board("icebreaker").description(bytes(8))
    other = dataclasses.replace(description, protocol=description.protocol + 1)
    versions = f"version {PROTOCOL_VERSION + 1}, this driver version {PROTOCOL_VERSION}"
    with pytest.raises(ValueError, match=versions):
        DeviceDescription.unpack(other.pack())


@pytest.mark.parametrize("change", [*range(-8, 0), *range(1, 8)])
def test_description_of_another_length(change):
    packed = find_board("icebreaker").description(bytes(8)).pack()
    with pytest.raises(ValueError, match="cut short or too long|not a valid EngineKind"):
        DeviceDescription.unpack((packed + bytes(8))[: len(packed) + change])
    with pytest.raises(ValueError, match="more than 1 bytes"):
        DeviceDescription.unpack(packed[:1])


@pytest.mark.parametrize(
    ("annealer", "message"),
    [
        ([20, 0, 0, 0], "the record of AnnealerSize is cut short"),
        ([1, 2, 3], "an engine's record of 3 bytes is cut short"),
    ],
)
def test_description_of_an_impossible_engine(annealer, message):
    packed = find_board("icebreaker").description(bytes(8)).pack()
    record = bytes([EngineKind.ANNEALER, len(annealer), *annealer])
    with pytest.raises(ValueError, match=message):
        DeviceDescription.unpack(packed + record)


def test_board_without_engine():
    with pytest.raises(ValueError, match="board 'icebreaker' has no engine"):
        dataclasses.replace(find_board("icebreaker"), engines=Engines())


def test_long_name_of_a_board():
    with pytest.raises(
        ValueError, match="at most 24 characters, 'aaaaaaaaaaaaaaaaaaaaaaaaa' has 25"
    ):
        dataclasses.replace(find_board("icebreaker"), name="a" * 25)


def test_unknown_board_names_the_known():
    with pytest.raises(ValueError, match="'nonesuch'; known: .*icebreaker"):
        find_board("nonesuch")
