"""Contractors that hold two programs: their sizes, halves and boards."""

from __future__ import annotations

import dataclasses

import pytest

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.resident import (
    BOTH_OUTPUTS,
    both_reply_bytes,
    half_base,
    half_bit,
    half_size,
)
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.board import BoardSpec
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.description import NAME_BYTES, DeviceDescription
from tensorspin.contract.wire.frames import MAX_PAYLOAD
from tensorspin.contract.wire.packets import (
    ACTIVATE,
    BOTH,
    PROTECTED,
    SECOND,
    SIGNED,
    STANDBY,
    SWAP,
)

SIZE = ContractorSize(8, 512, 16, 2, 4, 8, signature=1, table_parity=1, resident=1)


def test_memories_are_two_halves():
    half = half_size(SIZE)
    assert half == dataclasses.replace(SIZE, resident=0) == half_size(half)
    assert half.model_words == SIZE.model_words == 511
    for space in MemorySpace:
        assert half_base(SIZE, space, 0) == 0
        assert half_base(SIZE, space, 1) == half.space_bytes(space) == 1 << half_bit(SIZE, space)
        assert 2 * half.space_bytes(space) == SIZE.space_bytes(space)


def test_flags_are_bits_of_their_own():
    flags = (SIGNED, SECOND, PROTECTED, STANDBY, SWAP)
    assert len({*flags}) == len(flags) and min(flags) > 1024
    assert all(flag.bit_count() == 1 and ACTIVATE.pack(flag, 0) for flag in flags)
    assert STANDBY | SWAP == BOTH


def test_a_reply_has_room_for_both_results():
    assert both_reply_bytes((BOTH_OUTPUTS, BOTH_OUTPUTS)) <= MAX_PAYLOAD
    assert both_reply_bytes((1, 2)) == 1 + 2 + 8 + 4 + 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resident": 2}, "resident must be 0 or 1, not 2; a driver that belongs to"),
        ({"lock": 1}, "lock must be 0 where resident is 1"),
        ({"protected": 1}, "protected must be 0 where resident is 1"),
        (
            {"signature": 0, "table_parity": 0, "groups": 2, "single_drain": 2},
            "single_drain must be 0 where resident is 1",
        ),
    ],
)
def test_sizes_that_cannot_be_built(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SIZE, **changes)


def test_boards():
    board = find_board("resident/icebreaker")
    row = BOARDS["icebreaker"]
    assert board.hardware == "icebreaker" and len(board.name) <= NAME_BYTES
    assert isinstance(board, BoardSpec) and board.clock_hz == row.clock_hz
    size = row.require_contractor()
    found = board.require_contractor()
    assert (found.program_words, found.components) == (8192, 2)
    assert found == dataclasses.replace(size, program_words=8192, components=2, resident=1)
    for space in MemorySpace:
        assert found.space_bytes(space) == size.space_bytes(space)
    assert DeviceDescription.unpack(board.description(bytes(8)).pack()).engines == board.engines
    for name in ("resident/icebreaker_annealer", "resident/nonesuch", "resident/"):
        with pytest.raises(ValueError, match=f"no board '{name}': .* holds two programs .*built"):
            find_board(name)
