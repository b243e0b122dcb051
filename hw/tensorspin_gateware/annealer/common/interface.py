"""The annealer's ports, and the structures of bits that its parts exchange."""

from __future__ import annotations

from dataclasses import replace

from amaranth import Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import (
    RUN_FIELD_BYTES,
    STEP_FIELD_BYTES,
    STEP_FIELDS,
    AnnealerSpace,
    run_fields,
)
from tensorspin.contract.annealer.segments import bank_rows
from tensorspin.contract.annealer.size import CYCLES, GROUP, AnnealerSize

from ...primitives.accumulate import Operation

SPACE_BITS = max(AnnealerSpace).bit_length()
"""Width, in bits, of the number that selects a memory space (`AnnealerSpace`)."""

ADDRESS_BITS = 24
"""Width, in bits, of a byte address within a memory space; that of an address in a packet."""

COUNT_BITS = 8 * RUN_FIELD_BYTES
"""Width, in bits, of a parameter of a run, such as the number of steps."""

MEMBER_BITS = ceil_log2(GROUP)
"""Low bits of a spin's number: its place in a group of `GROUP` spins. The rest is the group's."""

CYCLE_BITS = CYCLES.width
"""Width, in bits, of the count of a run's cycles."""


class AnnealerBusSignature(wiring.Signature):
    """Byte access of the host to the memories, while nothing runs and the annealer is ready.

    Members
    -------
    space : Out(SPACE_BITS)
        Memory space, a number of `AnnealerSpace`. Others are not written, and read undefined data.
    address : Out(ADDRESS_BITS)
        Byte address in that space, less than the size of the space.
    write_enable : Out(1)
        Strobe: `write_data` is written.
    write_data : Out(8)
        Byte to be written.
    read_data : In(8)
        Byte of `AnnealerSpace.RESULTS`, the only space that can be read, `MEMORY_READ` cycles after
        its address.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "space": Out(SPACE_BITS),
                "address": Out(ADDRESS_BITS),
                "write_enable": Out(1),
                "write_data": Out(8),
                "read_data": In(8),
            }
        )


class AnnealerSignature(wiring.Signature):
    """Ports of the annealer, as a router sees them.

    Parameters
    ----------
    standby : bool, default=False
        Whether the engine's memories rest while nobody uses them; see `Family.standby`.
    signature : int, default=0
        As `AnnealerSize.signature`.

    Members
    -------
    start : Out(1)
        Strobe: starts the run whose parameters and seeds `AnnealerSpace.RUN` holds. They must have
        been written since the last start, because the run before has moved the generators on from
        their seeds.
    stop : Out(1)
        Strobe: ends the run, if there is one; its results are then undefined. A write of
        `AnnealerSpace.RUN` ends a run too, and so does a start, which begins another.
    running : In(1)
        High from the cycle after `start` until the run has ended.
    step : In(COUNT_BITS)
        Index of the step that is running, or of the last one if nothing runs.
    ready : In(1)
        High unless memories are being cleared: they may be written, and a run may be started.
    memory : Out(AnnealerBusSignature)
        Byte access to the memories.
    awake : Out(1)
        Only with `standby`: `memory` and `start` may be used. High at least one cycle before they
        are.
    corrupt : In(1)
        Only with `signature`, strobe in the last cycle of a run: the memories are corrupt.
    """

    def __init__(self, standby: bool = False, signature: int = 0) -> None:
        super().__init__(
            {
                "start": Out(1),
                "stop": Out(1),
                "running": In(1),
                "step": In(COUNT_BITS),
                "ready": In(1),
                "memory": Out(AnnealerBusSignature()),
            }
            | ({"awake": Out(1)} if standby else {})
            | ({"corrupt": In(1)} if signature else {})
        )


def groups(size: AnnealerSize) -> int:
    """Count the groups of up to `GROUP` spins that the spins make.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    int
        The number of groups; the last one may be incomplete.
    """
    return -(-size.spins // GROUP)


def segment_size(size: AnnealerSize) -> AnnealerSize:
    """Give the size of an annealer that has one segment of another's spins.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    AnnealerSize
        What a component that serves one segment needs to know.
    """
    return replace(
        size,
        spins=size.segment,
        offset_rows=size.offset_rows // size.flips,
        strides=(1,) * size.threshold_bits,
        tempering=0,
        flips=1,
    )


def row_bits(size: AnnealerSize) -> int:
    """Count the bits of what is added to a field in a turn: the sum of a coupling of each bank.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    int
        Width of the signed number.
    """
    return (size.flips * size.coupling.maximum).bit_length() + 1


def index_bits(size: AnnealerSize) -> int:
    """Give the width of the number of a row in its bank.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    int
        Bits.
    """
    # With several banks, the row after the last is read where nothing is added.
    return ceil_log2(bank_rows(size) + (size.flips > 1))


def cursor_bits(size: AnnealerSize) -> int:
    """Give the width of a cursor: a spin's number in its segment, or the length of a segment.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    int
        Bits.
    """
    return ceil_log2(size.segment + 1)


def spin_bits(size: AnnealerSize) -> int:
    """Give the width of a spin's number in its segment, as a search gives it.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    int
        Bits.
    """
    return ceil_log2(-(-size.segment // GROUP) * GROUP)


def parameters_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out the parameters of a run, `run_fields`.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        Fields of `COUNT_BITS` bits, in the order in which the host writes them.
    """
    return data.StructLayout({name: COUNT_BITS for name in run_fields(size)})


def step_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out a step of the schedule, as it stands in its memory.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        `probabilities`, one for each binary digit of a threshold, lowest digit first, then
        `STEP_FIELDS`.
    """
    width = 8 * STEP_FIELD_BYTES
    return data.StructLayout(
        {
            "probabilities": data.ArrayLayout(width, size.threshold_bits),
            **{name: width for name in STEP_FIELDS},
        }
    )


def rank_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out a rank on the ladder of temperatures, as it stands in its memory.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        `probabilities` of the digits of a spin's threshold at the rank's temperature, and
        `exchanges`, those of the digits of the threshold for an exchange with the next rank.
    """
    width = 8 * STEP_FIELD_BYTES
    return data.StructLayout(
        {
            "probabilities": data.ArrayLayout(width, size.threshold_bits),
            "exchanges": data.ArrayLayout(width, size.exchange_bits),
        }
    )


def fill_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out what a turn does in a fill round, that is before the first comparison.

    Fill rounds bring a replica's local fields to where its initial state has them: offset rows are
    added first, then spins are flipped.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        `offset`: an offset row is added. `clear`: it is the first one, to which the replica's state
        starts anew. `flip`: a spin is flipped. `row`: number of the row of couplings for either.
        With several segments: `flips` has a bit for each, the spin at the same place of several is
        flipped together; `banks` has one bit set, for the bank of the offset row; and `row` is the
        number of a row in its bank.
    """
    if size.flips > 1:
        return data.StructLayout(
            {
                "offset": 1,
                "clear": 1,
                "flips": size.flips,
                "banks": size.flips,
                "row": index_bits(size),
            }
        )
    return data.StructLayout(
        {"offset": 1, "clear": 1, "flip": 1, "row": range(size.spins + size.offset_rows)}
    )


def offset_place(size: AnnealerSize, index: Value) -> Value:
    """Find an offset row in the memory of couplings.

    This is `tensorspin.contract.annealer.segments.offset_places` as hardware, for a memory without
    banks. Offset rows stand after the rows of the spins. Where the memory has no room for all of
    them, they go on at row 0, since a small problem does not use the first spins.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.
    index : Value
        Number of the offset row, from 0.

    Returns
    -------
    Value
        Number of the row in the memory.
    """
    rows = size.spins + size.offset_rows
    place = size.spins + index
    if rows == 1 << ceil_log2(rows):
        # The sum wraps at the memory's end by itself when high bits are dropped.
        return place[: ceil_log2(rows)]
    return Mux(index < size.offset_rows, place, index - size.offset_rows)


def update_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out what a turn does to the state of its replica before it compares.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        `operation`: whether twice the row of couplings is added to the local fields, subtracted, or
        not used; ``CLEAR`` makes all spins positive and takes each field from the row's lowest bit
        alone. `flip`: the spin number `spin` changes its sign.
    """
    return data.StructLayout(
        {"operation": Operation, "flip": 1, "spin": range(groups(size) * GROUP)}
    )


def updates_layout(size: AnnealerSize) -> data.StructLayout:
    """Lay out what a turn does to the state of its replica, with several flips a turn.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    StructLayout
        `clear`: as ``CLEAR`` of `update_layout`. `segments`: for each segment, whether it has a
        `flip`, the number `spin` in the segment of the spin that changes its sign, and `subtract`,
        1 if the spin was positive.
    """
    spin = range(groups(segment_size(size)) * GROUP)
    segment = data.StructLayout({"flip": 1, "subtract": 1, "spin": spin})
    return data.StructLayout({"clear": 1, "segments": data.ArrayLayout(segment, size.flips)})


def slot_bits(size: AnnealerSize) -> int:
    """Give the width of a replica's number.

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Returns
    -------
    int
        Bits.
    """
    return ceil_log2(size.replicas)
