"""What a locked contractor's tag covers, and what a key may be."""

from __future__ import annotations

import dataclasses

import pytest

from tensorspin.contract.contractor.chaskey import BLOCK_BYTES, chaskey12, times_two
from tensorspin.contract.contractor.engine import contractor_spaces
from tensorspin.contract.contractor.lock import (
    COMPONENT_BYTES,
    HEADER,
    LOCKED_ACTIVATE,
    MAX_VERSION,
    Header,
    LockKey,
    check_cycles,
    covered,
    whole_blocks,
)
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import BOARDS, find_board
from tensorspin.contract.device.description import DeviceDescription
from tensorspin.contract.device.locked import lock_board
from tensorspin.contract.wire.packets import ACTIVATE

SIZE = ContractorSize(8, 512, 64, 2, 4, 8, lock=1)


def test_the_header_is_one_block_that_begins_as_any_activation():
    header = Header(0x1234, 0x89ABCDEF, 2, 77, 5)
    packed = header.pack()
    assert len(packed) == HEADER.size == BLOCK_BYTES
    assert packed[: ACTIVATE.size] == ACTIVATE.pack(0x1234, 0x89ABCDEF)
    assert Header.unpack(packed) == header
    assert LOCKED_ACTIVATE.size == 2 * BLOCK_BYTES
    assert LOCKED_ACTIVATE.pack(packed, bytes(16)) == packed + bytes(16)


def test_the_tag_covers_header_program_and_table_in_this_order():
    key, header = LockKey(bytes(range(16))), Header(3, 1, 1, 2, 9)
    program, table = bytes(range(32)), bytes(COMPONENT_BYTES)
    tag = key.tag(header, program, table)
    assert tag == chaskey12(key.key, header.pack() + program + table)
    for other in (header._replace(version=8), header._replace(digest=2), header._replace(blocks=3)):
        assert key.tag(other, program, table) != tag


def test_a_memory_is_covered_up_to_its_end():
    memory = bytes(range(64))
    for count, length in ((1, 16), (3, 48), (4, 64), (0, 64), (7, 48), (0xFFFFFFFF, 48)):
        assert covered(memory, count, 16) == memory[:length]
    assert [len(whole_blocks(bytes(n))) for n in (0, 1, 16, 17)] == [0, 16, 16, 32]
    assert whole_blocks(b"ab") == b"ab" + bytes(14)


def test_a_record_holds_both_keys_and_the_greatest_version_that_is_refused():
    key = LockKey(bytes(range(16)), minimum=0x01020304)
    assert key.record() == key.key + times_two(key.key) + bytes.fromhex("03030201")
    assert LockKey(key.key).record()[-4:] == bytes(4)


def test_a_key_tells_nothing_of_itself():
    key = LockKey(bytes(range(16)), minimum=7)
    assert key.key.hex() not in repr(key) and "minimum=7" in repr(key)
    assert len(key.name) == 8 and key.name != LockKey(bytes(16)).name


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"key": bytes(15)}, "key must have 16 bytes, not 15"),
        ({"minimum": 0}, f"minimum must be 1 to {MAX_VERSION}, not 0"),
        ({"minimum": MAX_VERSION + 1}, f"not {MAX_VERSION + 1}"),
    ],
)
def test_wrong_keys_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        LockKey(**{"key": bytes(16), **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"lock": 2}, "lock must be 0 or 1, not 2; a driver"),
        ({"lanes": 9}, "lanes must be a power of two where lock is 1, not 9"),
        ({"components": 1}, "components must be 2 or more where lock is 1, not 1"),
        ({"program_words": 2}, "program_words must be 4 or more where lock is 1, not 2"),
    ],
)
def test_sizes_that_cannot_be_locked_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(SIZE, **values)


def test_nothing_of_a_locked_contractor_is_read():
    assert not any(space.readable for space in contractor_spaces(SIZE).values())
    assert all(space.writable for space in contractor_spaces(SIZE).values())


def test_a_device_tells_that_it_is_locked():
    row = lock_board(find_board("icebreaker"))
    told = DeviceDescription.unpack(row.description(bytes(8)).pack())
    assert told.contractor.lock == 1 and told.board == "icebreaker"
    assert row.file_name == "icebreaker-locked" and row.hardware == "icebreaker"


def test_boards_with_a_contractor_can_be_locked():
    for board in BOARDS.values():
        if board.contractor is None:
            with pytest.raises(ValueError, match="has no contractor, which alone can be locked"):
                lock_board(board)
        else:
            assert lock_board(board).require_contractor().lock == 1


def test_a_check_takes_as_long_whatever_the_tag():
    header = Header(3, 1, 1, 10, 1)
    granted = check_cycles(SIZE, header, granted=True)
    each = check_cycles(SIZE, header._replace(blocks=11), granted=True) - granted
    # A component is 32 blocks.
    more = check_cycles(SIZE, header._replace(components=2), granted=True) - granted
    assert more == 32 * each
    refused = check_cycles(SIZE, header, granted=False)
    assert refused - granted == 8 * 512 + 2 * COMPONENT_BYTES + 1


def test_an_ecp5_is_smaller_and_slower_with_a_lock():
    for name, groups in (("icepi_zero", 2), ("ulx3s_25f", 2), ("ulx3s_25f_both", 2)):
        board = find_board(name)
        locked = lock_board(board)
        assert locked.contractor.single_drain == board.contractor.single_drain
        assert locked.contractor.groups == groups and locked.contractor.lock
        assert locked.clock_hz == 80_000_000 < board.clock_hz
        assert locked.annealer == board.annealer


@pytest.mark.parametrize("name", ["icebreaker", "pico2_ice"])
def test_an_ultraplus_is_slower_with_a_lock_and_does_not_check_what_it_reads(name):
    locked = lock_board(find_board(name))
    size = locked.require_contractor()
    assert (size.lock, size.signature, size.table_parity) == (1, 0, 0)
    assert locked.clock_hz == 33_000_000 < find_board(name).clock_hz
