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
"""Clock cycles from an address on the host's memory bus to its data, the same for both engines."""

ADDRESS_BITS = 8 * (MEMORY.size - 1)
"""Width of a byte address as a request carries it; the remaining byte of `MEMORY` is the space."""

CYCLE_BITS = 32
"""Width of a sample's cycle count, with which a `RESULT` of the protocol ends."""

RESULT_WORD_BITS = MANTISSA.width
"""Width of one word of a result: a score's."""

RESULT_WORD = data.StructLayout({"word": RESULT_WORD_BITS, "last": 1})
"""One word of a result, and whether it is the result's last.

The words of a result are: the number of scores K; K scores; their exponent; the index of the
greatest score; the sample's cycles, lower half; upper half. If the program ran past the end of its
memory, its signature is wrong, or a header of it cannot be corrected, the result is the one word
K = 0. Where both halves contract a sample, everything but K of the second result follows, and K is
as large as if all of that before the last trailer were scores.
"""


class FillSignature(wiring.Signature):
    """Write port for the features of the sample that is being filled in.

    Members
    -------
    enable : Out(1)
        Write in this cycle.
    address : Out(log2(features))
        Index of the feature.
    level : Out(8)
        The feature's level: the byte that the host sends for it, and the row of the feature table
        in which the engine looks it up.
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
    """Byte access of the host to the engine's memories, while the engine is idle.

    Members
    -------
    space : Out(MemorySpace)
        The memory that is meant.
    address : Out(ADDRESS_BITS)
        Byte address in that memory, less than its size.
    write_enable : Out(1)
        Write in this cycle; otherwise the cycle reads.
    write_data : Out(8)
        Byte to write.
    read_data : In(8)
        The byte at an address that has stayed for `READ_LATENCY` cycles.
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
    """Ports of the contractor, with directions as the router sees them.

    Parameters
    ----------
    size : ContractorSize
        Sizes of the engine.
    standby : bool, default=False
        Whether the engine's memories rest while nobody uses them; see `Family.standby`.

    Members
    -------
    fill : Out(FillSignature)
        Features of the sample that is being filled in.
    fill_ready : In(1)
        There is room for a sample: `fill` and `start` may be used.
    start : Out(1)
        Strobe: all features of the sample have been written.
    results : In(stream of RESULT_WORD)
        Results, in the order in which their samples were started.
    idle : In(1)
        No sample waits or is contracted, and all results have been read.
    busy : In(1)
        Samples are being contracted.
    memory : Out(MemoryBusSignature)
        Access to program and feature table; ignored while `busy`.
    awake : Out(1)
        Only with `standby`: `memory` may be used. High at least one cycle before it is.
    single : Out(1)
        Only with `ContractorSize.single_drain`. With `start`, all groups are to work on the sample.
    signed : Out(1)
        Only with `ContractorSize.signature`. The program's signature stands behind it and must be
        found. Constant while samples wait or are contracted.
    protected : Out(1)
        Only with `ContractorSize.protected`. The program is protected: changed bits are to be
        corrected. Constant while samples wait or are contracted.
    half : Out(1)
        Only with `ContractorSize.resident`. The half of the memories that runs read. Constant while
        samples wait or are contracted.
    both : Out(1)
        Likewise. Each sample is contracted with that half, and then with the other one.
    """

    def __init__(self, size: ContractorSize, standby: bool = False) -> None:
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
            | ({"awake": Out(1)} if standby else {})
            | ({"single": Out(1)} if size.single_drain else {})
            | ({"signed": Out(1)} if size.signature else {})
            | ({"protected": Out(1)} if size.protected else {})
            | ({"half": Out(1), "both": Out(1)} if size.resident else {})
        )
