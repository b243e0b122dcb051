"""The annealer's ports, and what its parts tell each other."""

from __future__ import annotations

from amaranth import Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer.image import (
    RUN_FIELD_BYTES,
    RUN_FIELDS,
    STEP_FIELD_BYTES,
    STEP_FIELDS,
    AnnealerSpace,
)
from tensorspin.contract.annealer.size import CYCLES, GROUP, AnnealerSize

from ...primitives.accumulate import Operation

SPACE_BITS = max(AnnealerSpace).bit_length()
"""Width of the number of a memory space."""

ADDRESS_BITS = 24
"""Width of a byte address."""

COUNT_BITS = 8 * RUN_FIELD_BYTES
"""Width of a parameter of a run."""

MEMBER_BITS = ceil_log2(GROUP)
"""Of a spin's number: its place in the group."""

CYCLE_BITS = CYCLES.width
"""Of a run's count."""


class AnnealerBusSignature(wiring.Signature):
    """Byte access of the host to the memories, while nothing runs and the annealer is ready.

    Members
    -------
    space : Out(AnnealerSpace)
        Of other numbers nothing is written, and what is read is not defined.
    address : Out(ADDRESS_BITS)
        Byte address in that space, less than its size.
    write_enable : Out(1)
    write_data : Out(8)
    read_data : In(8)
        Of the results; valid `MEMORY_READ` cycles after the address.
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

    Members
    -------
    start : Out(1)
        Strobe: starts the run that `AnnealerSpace.RUN` holds. It must have been written since the
        last start, for its seeds are used up.
    stop : Out(1)
        Strobe: ends the run, if there is one; the results are not defined. So does a write of
        `AnnealerSpace.RUN`, and a start.
    running : In(1)
    step : In(COUNT_BITS)
        Index of the step that runs, or ran last.
    ready : In(1)
        The memories may be written, and a run started: none is being cleared.
    memory : Out(AnnealerBusSignature)
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": Out(1),
                "stop": Out(1),
                "running": In(1),
                "step": In(COUNT_BITS),
                "ready": In(1),
                "memory": Out(AnnealerBusSignature()),
            }
        )


def groups(size: AnnealerSize) -> int:
    """Groups of spins in which the first that accepts is searched."""
    return -(-size.spins // GROUP)


def parameters_layout() -> data.StructLayout:
    """Parameters of a run."""
    return data.StructLayout({name: COUNT_BITS for name in RUN_FIELDS})


def step_layout(size: AnnealerSize) -> data.StructLayout:
    """A step of the schedule, as in its memory."""
    width = 8 * STEP_FIELD_BYTES
    return data.StructLayout(
        {
            "probabilities": data.ArrayLayout(width, size.threshold_bits),
            **{name: width for name in STEP_FIELDS},
        }
    )


def rank_layout(size: AnnealerSize) -> data.StructLayout:
    """A rank on the ladder of temperatures, as in its memory."""
    width = 8 * STEP_FIELD_BYTES
    return data.StructLayout(
        {
            "probabilities": data.ArrayLayout(width, size.threshold_bits),
            "exchanges": data.ArrayLayout(width, size.exchange_bits),
        }
    )


def fill_layout(size: AnnealerSize) -> data.StructLayout:
    """What a turn does before the first comparison.

    Members are `offset` (an offset row is added), `clear` (it is the first), `flip` (a spin is
    flipped), and `row`, that of the couplings.
    """
    return data.StructLayout(
        {"offset": 1, "clear": 1, "flip": 1, "row": range(size.spins + size.offset_rows)}
    )


def offset_place(size: AnnealerSize, index: Value) -> Value:
    """Where an offset row is in the memory of couplings: `offset_places` of the contract."""
    rows = size.spins + size.offset_rows
    place = size.spins + index
    if rows == 1 << ceil_log2(rows):
        return place[: ceil_log2(rows)]
    return Mux(index < size.offset_rows, place, index - size.offset_rows)


def update_layout(size: AnnealerSize) -> data.StructLayout:
    """What a turn does to the state of its replica.

    `operation` with twice the row, and to `flip` a spin, or none. `CLEAR` makes all spins positive
    and takes the fields from the row's lowest bits.
    """
    return data.StructLayout(
        {"operation": Operation, "flip": 1, "spin": range(groups(size) * GROUP)}
    )


def slot_bits(size: AnnealerSize) -> int:
    """Width of a replica's number."""
    return ceil_log2(size.replicas)
