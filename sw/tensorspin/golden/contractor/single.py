"""Single mode, where all groups work on one sample: its exact cycles, and how it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...contract.contractor import rows
from ...contract.contractor.program import Node, OperandKind
from ...contract.contractor.rows import Mode
from ...contract.contractor.size import ContractorSize
from ...contract.wire import packets


def single_cycle_count(nodes: Sequence[Node], size: ContractorSize) -> int:
    """Count the clock cycles of one sample in single mode.

    Parameters
    ----------
    nodes : sequence of Node
        The program.
    size : ContractorSize
        The contractor, one with `ContractorSize.single_drain`.

    Returns
    -------
    int
        Clock cycles from the first read of the program to the last score, as the gateware takes.

    Raises
    ------
    ValueError
        If the contractor's groups cannot share a sample.

    Examples
    --------
    >>> from tensorspin.contract.contractor import ContractorSize, Node, Operand, OperandKind
    >>> left, right = (Operand(OperandKind.FEATURE, index=0, size=8) for _ in range(2))
    >>> node = Node(left, right, outputs=8, destination=0, wait=False, last=True)
    >>> size = ContractorSize(8, 1024, 64, 8, 4, 16, groups=16, single_drain=4)
    >>> single_cycle_count([node], size)
    40
    """
    shape = rows.Rows(size)
    last_issue = last_write = last_read = -1
    loads: list[int] = []
    released: list[int] = []
    writers: dict[int, int] = {}  # cycle in which the result in a slot is released

    for index, node in enumerate(nodes):
        # Header: the first two are read at once, every other one when the node two before is
        # loaded. It arrives with the weights that an element issued in that cycle would have, and
        # is taken when the node just before is loaded.
        if index < 2:
            taken = shape.read + index
        else:
            taken = loads[-2] + size.latencies.issue_to_weight
        if loads:
            taken = max(taken, loads[-1])
        load = max(last_issue + 1, taken + rows.HEADER_TO_LOAD)
        loads.append(load)

        # Issue: a node starts when the slots that it reads and writes are at rest.
        slots = [operand.index for operand in (node.left, node.right) if _is_vector(operand)]
        if not node.last:
            slots.append(node.destination)
        begin = max(load, *(writers.get(slot % size.slots, 0) for slot in slots), 0) + 1
        if index >= rows.NODES:
            begin = max(begin, released[index - rows.NODES] + 1)
        blocks = node.blocks(size.lanes)
        passes = -(-node.block_words // size.groups) * (2 if node.narrow else 1)
        block_end = begin + passes - 1
        if index:
            block_end = max(block_end, last_issue + shape.slices)
        last_issue = block_end + (len(blocks) - 1) * max(passes, shape.slices)

        # Drain and normalisation, a few outputs a cycle; scores leave one a cycle.
        drain = size.single_drain
        drained = last_issue + shape.issue_to_drain + -(-blocks[-1] // drain) - 1
        start = max(drained + 1, last_read)
        reads = node.outputs if node.last else -(-node.outputs // drain)
        last_read = start + rows.NORMALISE_READ + reads - 1
        released.append(last_read + rows.NORMALISE_RELEASE)
        if not node.last:
            writers[node.destination % size.slots] = released[-1]
        last_write = last_read + rows.NORMALISE_WRITE
    return last_write + 1


def _is_vector(operand) -> bool:
    return bool(operand.kind is OperandKind.VECTOR)


def take_mode(payload: bytes) -> tuple[Mode, bytes]:
    r"""Take the mode out of a RUN.

    Parameters
    ----------
    payload : bytes
        The RUN's payload.

    Returns
    -------
    (Mode, bytes)
        The mode that it asks for, and its payload without that.

    Examples
    --------
    >>> take_mode(packets.OFFSET.pack(packets.SINGLE | 2) + b"level")
    (<Mode.SINGLE: 'single'>, b'\x02\x00level')
    """
    if len(payload) < packets.OFFSET.size:
        return Mode.THROUGHPUT, payload
    (offset,) = packets.OFFSET.unpack_from(payload)
    mode = Mode.SINGLE if offset & packets.SINGLE else Mode.THROUGHPUT
    bare = packets.OFFSET.pack(offset & ~packets.SINGLE)
    return mode, bare + payload[packets.OFFSET.size :]


def busy_cycles(cycles: np.ndarray, modes: Sequence[Mode], groups: int) -> int:
    """Count the cycles in which the engine works on samples that it has at the same time.

    Groups work side by side: each takes one of `groups` consecutive samples of throughput mode. In
    single mode they all take the same one.

    Parameters
    ----------
    cycles : ndarray of int of shape (n_samples,)
        Cycles of each sample.
    modes : sequence of Mode
        Mode of each.
    groups : int
        Number of groups.

    Returns
    -------
    int
        The cycles.

    Examples
    --------
    >>> busy_cycles(np.array([100, 100, 100]), [Mode.THROUGHPUT] * 3, groups=2)
    200
    """
    busy = run = 0
    for sample, mode in zip(cycles, modes):
        if mode is Mode.SINGLE:
            run = 0
        else:
            run = run % groups + 1
        if run <= 1:
            busy += int(sample)
    return busy
