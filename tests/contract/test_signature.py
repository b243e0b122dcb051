"""What the signature of a run finds, and that it is what the words' order and bits make of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tensorspin.contract.contractor.image import program_image
from tensorspin.contract.contractor.memory import word_stride_bits
from tensorspin.contract.contractor.signature import signature_word, swap_halves
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.signature import (
    RULES,
    SIGNATURE_BITS,
    START,
    fold,
    next_state,
    signature,
)
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.golden.contractor.walk import walk
from tests.support.random_programs import random_program

UNIT = [1 << bit for bit in range(SIGNATURE_BITS)]
LONGEST = 16384
"""Words of the largest program memory of a board; `test_largest_memory` holds it to that."""


def columns(words: int) -> np.ndarray:
    """What a change of each bit makes of the signature, so many words later."""
    states = np.array(UNIT, dtype=np.uint64)
    rules, mask = np.uint64(RULES), np.uint64(START)
    one = np.uint64(1)
    for _ in range(words):
        states = (states << one ^ states >> one ^ states & rules) & mask
        yield states


def test_largest_memory():
    sizes = [board.contractor for board in BOARDS.values() if board.contractor is not None]
    assert max(size.program_words for size in sizes) == LONGEST


def test_the_states_are_those_of_the_automaton():
    rng = np.random.default_rng(0)
    for _ in range(20):
        state, word = (int(rng.integers(1 << 32)) for _ in range(2))
        cells = [0, *(state >> bit & 1 for bit in range(SIGNATURE_BITS)), 0]
        expected = 0
        for bit in range(SIGNATURE_BITS):
            own = RULES >> bit & cells[bit + 1]
            expected |= (cells[bit] ^ own ^ cells[bit + 2] ^ word >> bit & 1) << bit
        assert next_state(state, word) == expected
    steps = list(columns(3))
    for index, bit in enumerate(UNIT):
        state = bit
        for step in steps:
            state = next_state(state, 0)
            assert state == step[index]


def test_two_changed_bits_in_different_words_never_cancel():
    """A change of one bit is a power of two in the signature, if it is in the last word."""
    for states in columns(LONGEST):
        assert not np.any(states == 0)  # so that a change of one bit is never lost either
        assert not np.any((states & (states - np.uint64(1))) == 0)


def test_every_bit_of_a_word_has_a_place():
    for lanes in (8, 9, 24):
        bits = 8 * lanes
        words = np.packbits(np.eye(bits, dtype=np.uint8), axis=1, bitorder="little")
        assert fold(words).tolist() == [1 << bit % SIGNATURE_BITS for bit in range(bits)]


def test_the_polynomial_is_primitive():
    """So no start repeats before 2**32 - 1 words, and no short pattern of words hides itself."""
    before, polynomial = 1, 2 ^ RULES & 1
    for bit in range(1, SIGNATURE_BITS):
        own = polynomial if RULES >> bit & 1 else 0
        before, polynomial = polynomial, polynomial << 1 ^ own ^ before

    def product(left: int, right: int) -> int:
        result = 0
        while right:
            result ^= left if right & 1 else 0
            right >>= 1
            left <<= 1
            left ^= polynomial if left >> SIGNATURE_BITS else 0
        return result

    def power(exponent: int) -> int:
        result, base = 1, 2
        while exponent:
            result = product(result, base) if exponent & 1 else result
            base = product(base, base)
            exponent >>= 1
        return result

    order = START
    assert power(order) == 1
    assert all(power(order // prime) != 1 for prime in (3, 5, 17, 257, 65537))


@pytest.mark.parametrize("lanes", [8, 9, 24])
def test_a_signed_program_is_signed_until_a_bit_changes(lanes):
    rng = np.random.default_rng(lanes)
    size = ContractorSize(lanes, 1 << 14, 32, 4, 4, 16)
    stride = 1 << word_stride_bits(lanes)
    for _ in range(3):
        program = random_program(rng, size)
        image = program_image(program.nodes, program.weights, lanes)
        whole = image + signature_word(image, lanes)
        memory = bytearray(rng.bytes(stride << 14))
        memory[: len(whole)] = whole
        found = walk(bytes(memory), lanes)
        assert found.signed and found.taken * stride == len(image) and not found.overrun
        assert found.nodes == program.nodes
        for _ in range(5):
            word, bit = int(rng.integers(found.taken)), int(rng.integers(8 * lanes))
            changed = memory.copy()
            changed[word * stride + bit // 8] ^= 1 << bit % 8
            assert not walk(bytes(changed), lanes).signed
            # The same bit of the next word, be it a word of the program or the signature's.
            changed[(word + 1) * stride + bit // 8] ^= 1 << bit % 8
            assert not walk(bytes(changed), lanes).signed


def test_the_order_of_words_counts():
    assert signature([1, 2]) != signature([2, 1]) != signature([2, 1, 0])
    assert signature([0]) != signature([])
    assert swap_halves(swap_halves(0x12345678)) == 0x12345678


def test_a_memory_that_never_ends_is_read_to_its_end():
    for lanes in (8, 24):
        for words in (16, 64):
            memory = bytes(words << word_stride_bits(lanes))
            found = walk(memory, lanes)
            assert found.overrun and len(found.nodes) <= words // 2 + 2
            assert found.nodes[-1].last and not any(node.last for node in found.nodes[:-1])


def test_any_memory_ends():
    rng = np.random.default_rng(5)
    words = 64
    for _ in range(200):
        memory = rng.integers(0, 256, 8 * words, dtype=np.uint8)
        # Few of them have a last header, and most have small nodes.
        memory[5::8] &= rng.choice(np.array([0, 255], dtype=np.uint8))
        memory[6::8] &= rng.choice(np.array([0, 15], dtype=np.uint8))
        found = walk(memory.tobytes(), 8)
        assert len(found.nodes) <= words // 2 + 2
        assert found.taken == sum(node.words(8) for node in found.nodes)
        assert cycle_count(found.nodes, 8) > 0


def test_sizes():
    size = dataclasses.replace(find_board("icebreaker").require_contractor(), signature=1)
    assert size.model_words == size.program_words - 1
    assert size.program_bytes == 8 * size.model_words
    with pytest.raises(ValueError, match="signature must be 0 or 1, not 2; a driver"):
        dataclasses.replace(size, signature=2)
    with pytest.raises(ValueError, match="signature must be 0 where groups share a sample"):
        dataclasses.replace(size, groups=2, single_drain=2, pipeline=0)
