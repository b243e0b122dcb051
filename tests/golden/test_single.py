"""Single mode of the contractor: its cycles, and the device's answers in both modes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.program import Node, Operand, OperandKind
from tensorspin.contract.contractor.rows import Mode
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.boards import find_board
from tensorspin.contract.wire.packets import ACTIVATE, OFFSET, SINGLE, PacketType, Status
from tensorspin.golden.contractor.cycles import cycle_count
from tensorspin.golden.contractor.device import DeviceContractor
from tensorspin.golden.contractor.single import busy_cycles, single_cycle_count
from tests.support.random_programs import random_program

SIZE = ContractorSize(
    lanes=8,
    program_words=1 << 14,
    features=32,
    components=4,
    slots=4,
    slot_entries=16,
    groups=3,
    single_drain=2,
)


def chain(bond: int, sites: int = 64, outputs: int = 10) -> list[Node]:
    """Two half-chains that take turns, and the label's node, as the compiler makes them."""
    nodes: list[Node] = []
    sizes = {0: 2, 1: 2}
    for step in range(sites - 2):
        slot = step % 2
        features = [Operand(OperandKind.FEATURE, index, 2) for index in (slot, step + 2)]
        left = Operand(OperandKind.VECTOR, slot, sizes[slot]) if step > 1 else features[0]
        sizes[slot] = min(bond, 2 * left.size)
        nodes.append(Node(left, features[1], sizes[slot], slot, wait=False, last=False))
    halves = [Operand(OperandKind.VECTOR, slot, sizes[slot]) for slot in (0, 1)]
    return [*nodes, Node(*halves, outputs, 0, wait=True, last=True)]


@pytest.mark.parametrize(
    ("board", "drain", "most"), [("ulx3s_25f", 2, 1700), ("ulx3s_45f", 4, 1030)]
)
def test_a_chain_takes_a_fraction_of_the_cycles(board, drain, most):
    size = replace(find_board(board).require_contractor(), single_drain=drain)
    nodes = chain(16)
    assert most - 50 < single_cycle_count(nodes, size) < most
    assert cycle_count(nodes, size.lanes) > 4200


@pytest.mark.parametrize("outputs", [1, 8, 9, 64])
def test_scores_leave_one_a_cycle(outputs):
    operand = Operand(OperandKind.FEATURE, 0, 1)
    one = single_cycle_count([Node(operand, operand, 1, 0, False, True)], SIZE)
    found = single_cycle_count([Node(operand, operand, outputs, 0, False, True)], SIZE)
    # The last block drains two sums a cycle, and each block before it took four cycles.
    before, rest = divmod(outputs - 1, SIZE.lanes)
    assert found == one + outputs - 1 + before * 4 + rest // 2


def test_a_node_waits_for_the_slots_that_it_reads_and_writes():
    feature = Operand(OperandKind.FEATURE, 0, 2)
    first = Node(feature, feature, 4, 0, wait=False, last=False)
    last = Node(feature, feature, 2, 0, wait=False, last=True)

    def cycles(*between: Node) -> int:
        return single_cycle_count([first, *between, last], SIZE)

    apart = cycles(Node(feature, feature, 4, 1, wait=False, last=False))
    reads = cycles(Node(feature, Operand(OperandKind.VECTOR, 0, 4), 4, 1, False, False))
    writes = cycles(Node(feature, feature, 4, 0, wait=False, last=False))
    told = cycles(Node(feature, feature, 4, 1, wait=True, last=False))
    assert apart == told < writes <= reads  # the bit `wait` is not asked


def test_headers_of_small_nodes_are_read_ahead():
    feature = Operand(OperandKind.FEATURE, 0, 1)
    last = Node(feature, feature, 1, 0, wait=False, last=True)
    # With a slot for each node none waits for another, and two headers arrive in nine cycles.
    many = [Node(feature, feature, 1, slot, False, False) for slot in range(40)]
    size = replace(SIZE, slots=64)
    few, all_of_them = (single_cycle_count([*many[:count], last], size) for count in (20, 40))
    assert all_of_them - few == 20 / 2 * 9


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"groups": 1}, "groups that share a sample must be 2 to 64, not 1"),
        ({"groups": 65}, "groups that share a sample must be 2 to 64, not 65"),
        ({"single_drain": 3}, "0 or a power of two up to 8 that divides the 8 lanes, not 3"),
        ({"single_drain": 16}, "up to 8 that divides the 8 lanes, not 16"),
        ({"slot_entries": 1}, "up to 1 that divides the 8 lanes, not 2"),
        ({"lanes": 9}, "divides the 9 lanes, not 2"),
        ({"pipeline": 1}, "pipeline must be 0 where groups share a sample, not 1"),
        ({"program_words": 4}, "program_words must be at least 8 with 3 groups"),
    ],
    ids=str,
)
def test_sizes_that_cannot_be_built(change, told):
    with pytest.raises(ValueError, match=told):
        replace(SIZE, **change)


def test_no_single_mode():
    with pytest.raises(ValueError, match="groups of this contractor cannot share a sample"):
        single_cycle_count(chain(4, 4), replace(SIZE, single_drain=0))


def activated(program, size: ContractorSize) -> DeviceContractor:
    device = DeviceContractor(size)
    device.write(MemorySpace.PROGRAM, 0, program.image(size.lanes))
    device.write(MemorySpace.TABLE, 0, program.table_bytes())
    assert device.execute(PacketType.ACTIVATE, ACTIVATE.pack(program.features, 0), 0)[0] == 0
    return device


@given(st.integers(0, 2**32 - 1))
def test_scores_do_not_depend_on_the_mode(seed):
    rng = np.random.default_rng(seed)
    program = random_program(rng, SIZE, most_nodes=5)
    device = activated(program, SIZE)
    levels = rng.integers(0, 256, program.features, dtype=np.uint8).tobytes()
    for flag in (0, SINGLE):
        assert device.execute(PacketType.RUN, OFFSET.pack(flag) + levels, 0) is None
    plain, single = device.finish()
    assert plain.payload[:-4] == single.payload[:-4]
    assert plain.cycles == cycle_count(program.nodes, SIZE.lanes)
    assert single.cycles == single_cycle_count(program.nodes, SIZE)
    assert single.payload[-4:] == single.cycles.to_bytes(4, "little")
    assert (plain.shared, single.shared) == (False, True)


def test_the_flag_is_for_runs_of_devices_with_the_mode():
    program = random_program(np.random.default_rng(0), SIZE)
    levels = bytes(program.features)
    plain = replace(SIZE, single_drain=0)
    for size, kind in ((SIZE, PacketType.FEATURES), (plain, PacketType.RUN)):
        reply = activated(program, size).execute(kind, OFFSET.pack(SINGLE) + levels, 0)
        assert reply == (Status.BAD_OFFSET, b"")
    short = activated(program, SIZE).execute(PacketType.RUN, b"\x80", 0)
    assert short == (Status.BAD_LENGTH, b"")


def test_busy_cycles_count_a_shared_sample_alone():
    both = [Mode.THROUGHPUT] * 4 + [Mode.SINGLE] * 2 + [Mode.THROUGHPUT]
    assert busy_cycles(np.array([100] * 4 + [10] * 2 + [100]), both, groups=3) == 320
