"""The annealer's ports, and what its parts tell each other."""

from __future__ import annotations

from amaranth import unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.annealer import GROUP, AnnealerSize
from tensorspin.contract.annealer_image import AnnealerSpace

from ..primitives.accumulate import Operation

ADDRESS_BITS = 24
"""Width of a byte address."""

RESULT_WORD_BITS = 16
RESULT_WORD = data.StructLayout({"word": RESULT_WORD_BITS, "last": 1})
"""One word of the results: for each replica half the energy and half the best energy, less those of
the start, two words each, the state and the best state, spin 0 in the lowest bit, 1 for a negative
spin; behind the last replica the cycles (low, high)."""


class AnnealerBusSignature(wiring.Signature):
    """Byte writes of the host, while the annealer is idle.

    Members
    -------
    space : Out(AnnealerSpace)
    address : Out(ADDRESS_BITS)
    write_enable : Out(1)
    write_data : Out(8)
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "space": Out(unsigned(max(AnnealerSpace).bit_length())),
                "address": Out(ADDRESS_BITS),
                "write_enable": Out(1),
                "write_data": Out(8),
            }
        )


class AnnealerSignature(wiring.Signature):
    """Ports of the annealer, as a router sees them.

    Members
    -------
    start : Out(1)
        Strobe, while `idle`.
    results : In(stream of RESULT_WORD)
    idle : In(1)
        Nothing runs, and no result is unread.
    memory : Out(AnnealerBusSignature)
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": Out(1),
                "results": In(stream.Signature(RESULT_WORD)),
                "idle": In(1),
                "memory": Out(AnnealerBusSignature()),
            }
        )


def groups(size: AnnealerSize) -> int:
    """Groups of spins in which the first that accepts is searched."""
    return -(-size.spins // GROUP)


MEMBER_BITS = ceil_log2(GROUP)


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
