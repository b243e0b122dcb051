"""The codes of protected programs: what they correct, what they find, and where they stand."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorspin.contract.contractor.image import program_image, read_image
from tensorspin.contract.contractor.memory import word_stride_bits
from tensorspin.contract.contractor.program import (
    HEADER_BITS,
    HEADER_BYTES,
    HEADER_FIELDS,
    Node,
    Operand,
    OperandKind,
)
from tensorspin.contract.contractor.protection import (
    CODED_WEIGHTS,
    DECODED_WEIGHTS,
    HEADER_CHECKS,
    HEADER_COLUMNS,
    HEADER_DATA_BITS,
    PROTECTED_BIT,
    WEIGHT_COLUMNS,
    correct_header,
    protect_header,
    protect_number,
    read_number,
)
from tensorspin.contract.contractor.signature import signature_word
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.description import NAME_BYTES, DeviceDescription
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.golden.contractor.walk import walk
from tests.support.random_programs import RandomProgram, random_program

headers = st.integers(0, (1 << HEADER_DATA_BITS) - 1)


def protected_program(rng, size: ContractorSize) -> RandomProgram:
    while not (program := random_program(rng, size).as_protected()).protected:
        pass
    return program


@pytest.mark.parametrize("columns", [WEIGHT_COLUMNS, HEADER_COLUMNS])
def test_columns_differ_and_have_an_odd_number_of_ones(columns):
    assert len(set(columns)) == len(columns) == 1 << max(columns).bit_length() - 1
    assert all(column.bit_count() % 2 for column in columns)


def test_a_header_has_room_for_its_checks():
    assert PROTECTED_BIT == sum(width for _, width in HEADER_FIELDS)
    assert HEADER_DATA_BITS + HEADER_CHECKS == HEADER_BITS


def test_every_byte_is_the_nearest_weight_or_zero():
    """All 256 bytes, against the distances to all code words."""
    values = np.arange(-8, 8) * 16
    coded = {int(value): int(CODED_WEIGHTS[value // 16 & 15]) for value in values}
    for value, code in coded.items():
        assert DECODED_WEIGHTS[code] == value
        assert code >> 4 == value // 16 & 15
    for byte in range(256):
        distances = {value: (byte ^ code).bit_count() for value, code in coded.items()}
        near = [value for value, distance in distances.items() if distance < 2]
        assert DECODED_WEIGHTS[byte] == (near[0] if near else 0)
        assert near or min(distances.values()) == 2


@settings(max_examples=5)
@given(headers)
def test_each_changed_bit_of_a_header_is_corrected_and_two_are_found(header):
    word = protect_header(header)
    assert correct_header(word) == (header, True)
    assert all(correct_header(word ^ 1 << bit) == (header, True) for bit in range(64))
    for first, second in combinations(range(64), 2):
        changed = word ^ 1 << first ^ 1 << second
        assert correct_header(changed) == (changed & (1 << HEADER_DATA_BITS) - 1, False)


@given(st.integers(0, 2**32 - 1), st.integers(0, 63))
def test_a_number_is_corrected(number, bit):
    stored = int.from_bytes(protect_number(number, 4), "little") ^ 1 << bit
    assert read_number(stored.to_bytes(8, "little")) == number


@pytest.mark.parametrize("lanes", [8, 9, 24])
def test_image_of_a_protected_program_round_trips_with_changed_bits(lanes):
    rng = np.random.default_rng(lanes)
    size = ContractorSize(lanes, 1 << 14, 32, 4, 4, 16, protected=1)
    stride = 1 << word_stride_bits(lanes)
    for _ in range(10):
        program = protected_program(rng, size)
        assert len(program.image(lanes)) == stride * sum(
            node.words(lanes) for node in program.nodes
        )
        image = np.frombuffer(program.image(lanes), dtype=np.uint8).copy()
        nodes, weights = read_image(image.tobytes(), lanes, protected=True)
        assert nodes == program.nodes
        assert all(map(np.array_equal, weights, program.weights))
        # One bit of the first header, one of the second.
        for header in range(min(2, len(nodes))):
            image[header * stride + rng.integers(HEADER_BYTES)] ^= 1 << rng.integers(8)
        if nodes[0].protected:
            first = min(2, len(nodes)) * stride
            image[first : first + lanes] ^= (1 << rng.integers(0, 8, lanes)).astype(np.uint8)
        nodes, weights = read_image(image.tobytes(), lanes, protected=True)
        assert nodes == program.nodes
        assert all(map(np.array_equal, weights, program.weights))


def test_what_cannot_be_packed():
    operand = Operand(OperandKind.FEATURE, 0, 2)
    node = Node(operand, operand, 1, 0, False, True, protected=True)
    narrow = dataclasses.replace(node, protected=False, narrow=True)
    with pytest.raises(ValueError, match="a protected node is one of a protected program"):
        node.pack()
    with pytest.raises(ValueError, match="no node of a protected program is narrow"):
        narrow.pack(coded=True)
    with pytest.raises(ValueError, match="weight 17 of a protected node is no multiple of 16"):
        program_image([node], [np.full((1, 2, 2), 17, dtype=np.int8)], 8)
    assert Node.unpack(node.pack(coded=True), coded=True) == node
    assert not Node.unpack(node.pack(coded=True)).protected


def test_a_protected_program_takes_one_cycle_more():
    rng = np.random.default_rng(3)
    size = ContractorSize(8, 1 << 14, 32, 4, 4, 16, protected=1)
    for _ in range(20):
        program = protected_program(rng, size)
        bare = [dataclasses.replace(node, protected=False) for node in program.nodes]
        assert cycle_count(program.nodes, 8) == cycle_count(bare, 8) + 1
        assert cycle_count(bare, 8, protected=True) == cycle_count(program.nodes, 8)


@pytest.mark.parametrize("lanes", [8, 9, 24])
def test_the_signature_is_that_of_what_is_corrected(lanes):
    rng = np.random.default_rng(lanes)
    size = ContractorSize(lanes, 1 << 14, 32, 4, 4, 16, protected=1, signature=1)
    stride = 1 << word_stride_bits(lanes)
    for _ in range(5):
        program = protected_program(rng, size)
        image = program.image(lanes)
        whole = image + signature_word(image, lanes, program.nodes)
        memory = np.zeros(stride << 14, dtype=np.uint8)
        memory[: len(whole)] = np.frombuffer(whole, dtype=np.uint8)
        found = walk(memory.tobytes(), lanes, protected=True)
        assert found.signed and not found.uncorrectable
        assert found.taken * stride == len(image) and found.nodes == program.nodes
        # A bit of the first header, and of the signature, of which 8 bytes are read.
        for first in (0, len(image)):
            changed = memory.copy()
            bits = rng.choice(64, size=2, replace=False)
            changed[first + bits[0] // 8] ^= 1 << bits[0] % 8
            found = walk(changed.tobytes(), lanes, protected=True)
            assert found.signed and not found.uncorrectable
            changed[first + bits[1] // 8] ^= 1 << bits[1] % 8
            found = walk(changed.tobytes(), lanes, protected=True)
            assert found.uncorrectable == (first == 0)


def test_sizes():
    size = find_board("ulx3s_25f").require_contractor()
    with pytest.raises(ValueError, match="protected must be 0 or 1, not 2; a driver"):
        dataclasses.replace(size, protected=2)
    with pytest.raises(ValueError, match="protected must be 0 where groups share a sample"):
        dataclasses.replace(size, protected=1, single_drain=2)


def test_boards():
    board = find_board("protect/ulx3s_25f")
    row = BOARDS["ulx3s_25f"]
    assert board.hardware == "ulx3s_25f" and len(board.name) <= NAME_BYTES
    size = row.require_contractor()
    assert size.single_drain  # groups share a sample, which a correcting contractor's cannot
    expected = dataclasses.replace(size, protected=1, single_drain=0)
    assert board.require_contractor() == expected
    assert DeviceDescription.unpack(board.description(bytes(8)).pack()).engines == board.engines
    for name in ("protect/icebreaker", "protect/nonesuch", "protect/"):
        with pytest.raises(ValueError, match=f"no board '{name}': .* built for .*ulx3s_25f"):
            find_board(name)
