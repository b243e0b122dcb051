"""The contractor's ports: what the router and the test benches connect to."""

from __future__ import annotations

from amaranth import unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from tensorspin.contract.contractor.latency import MEMORY_READ
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.fixed import LEVEL, MANTISSA
from tensorspin.contract.wire.packets import MEMORY

READ_LATENCY = MEMORY_READ

ADDRESS_BITS = 8 * (MEMORY.size - 1)
"""A byte address as a request carries it; the rest of `MEMORY` is the space."""

CYCLE_BITS = 32
"""Width of a sample's cycle count; `RESULT` ends with it."""

RESULT_WORD_BITS = MANTISSA.width
RESULT_WORD = data.StructLayout({"word": RESULT_WORD_BITS, "last": 1})
"""One word of a result: the number of scores K, K scores, the exponent, the index of the greatest
score, cycles (low, high). K = 0: the program ran past the end of its memory, and nothing follows.
"""


class FillSignature(wiring.Signature):
    """Write port of the feature buffer that is being filled.

    Members
    -------
    enable : Out(1)
    address : Out(log2(features))
    level : Out(8)
    """

    def __init__(self, size: ContractorSize) -> None:
        super().__init__(
            {
                "enable": Out(1),
                "address": Out(ceil_log2(size.features)),
                "level": Out(LEVEL.width),
            }
        )


class MemoryBusSignature(wiring.Signature):
    """Byte access of the host to the memories, while the contractor is idle.

    Members
    -------
    space : Out(MemorySpace)
    address : Out(ADDRESS_BITS)
        Byte address in that space, less than its size.
    write_enable : Out(1)
    write_data : Out(8)
    read_data : In(8)
        Valid `READ_LATENCY` cycles after the address at the latest, as long as that stays.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "space": Out(unsigned(max(MemorySpace).bit_length())),
                "address": Out(ADDRESS_BITS),
                "write_enable": Out(1),
                "write_data": Out(8),
                "read_data": In(8),
            }
        )


class ContractorSignature(wiring.Signature):
    """Ports of the contractor, as the router sees them.

    Members
    -------
    fill : Out(FillSignature)
    fill_ready : In(1)
        The buffer may be written, and `start` may be given.
    start : Out(1)
        Strobe: the buffer holds a complete sample.
    results : In(stream of RESULT_WORD)
        In the order of the starts.
    idle : In(1)
        No sample waits, is contracted, or has results unread.
    busy : In(1)
        A sample is being contracted.
    memory : Out(MemoryBusSignature)
    """

    def __init__(self, size: ContractorSize) -> None:
        super().__init__(
            {
                "fill": Out(FillSignature(size)),
                "fill_ready": In(1),
                "start": Out(1),
                "results": In(stream.Signature(RESULT_WORD)),
                "idle": In(1),
                "busy": In(1),
                "memory": Out(MemoryBusSignature()),
            }
        )
