"""What a locked contractor checks: the bytes of ACTIVATE, and its memories as they stand."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.chaskey import BLOCK_BYTES
from tensorspin.contract.contractor.lock import COMPONENT_BYTES, KEY_RECORD
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize

from .engine import ChaskeyEngine

DIGEST = range(2, 6)
"""Places of the digest in a `tensorspin.contract.contractor.lock.Header`."""

COMPONENTS = 6
"""Place of the number of components."""

BLOCKS = 8
"""Place of the number of blocks."""


class LockCheck(wiring.Component):
    """Decides whether a locked contractor's memories may become its model, and clears them if not.

    It takes the header from ACTIVATE, then bytes of the program memory and of the feature table,
    then the tag from ACTIVATE. The router's registers address the memories: `step` and `rewind`
    change them. If the tag is wrong, zeros are written to both memories, a byte a cycle.

    Parameters
    ----------
    size : ContractorSize
        Size of the contractor.
    record, key_port
        As for `ChaskeyEngine`.

    Ports
    -----
    start : In(1)
        Strobe: an ACTIVATE comes.
    data : In(8)
        A byte of it.
    valid : In(1)
        There is one.
    ready : Out(1)
        It would be taken.
    digest : Out(1)
        With `ready`: it belongs to the digest.
    memory_data : In(8)
        The byte at an address that has stayed for `BYTE_CYCLES` - 1 cycles.
    address : In(address_bits)
        Address of the memories.
    table : In(1)
        It is one of the feature table.
    step : Out(1)
        Strobe: take the next address.
    rewind : Out(1)
        Strobe: take address 0 instead, of the memory that `to_table` tells.
    to_table : Out(1)
        With `rewind`.
    clear : Out(1)
        Write a zero.
    done : Out(1)
        The verdict is there, and the memories are cleared if it is bad; until the next `start`.
    good : Out(1)
        With `done`: the model may become active.
    key : In(8 * KEY_RECORD.size)
        Only with `key_port`.

    Latency: `tensorspin.contract.contractor.lock.check_cycles`. Resources: those of
    `ChaskeyEngine`, and about 60 logic cells on iCE40. With what it takes of the router, a lock
    makes the bitstream of an iCEBreaker 338 logic cells larger.
    """

    def __init__(
        self, size: ContractorSize, record: bytes | None = None, key_port: bool = False
    ) -> None:
        self._record = record
        self._key_port = key_port
        self._program_bits = exact_log2(size.space_bytes(MemorySpace.PROGRAM))
        self._table_bits = exact_log2(size.space_bytes(MemorySpace.TABLE))
        super().__init__(
            {
                "start": In(1),
                "data": In(8),
                "valid": In(1),
                "ready": Out(1),
                "digest": Out(1),
                "memory_data": In(8),
                "address": In(max(self._program_bits, self._table_bits)),
                "table": In(1),
                "step": Out(1),
                "rewind": Out(1),
                "to_table": Out(1),
                "clear": Out(1),
                "done": Out(1),
                "good": Out(1),
            }
            | ({"key": In(8 * KEY_RECORD.size)} if key_port else {})
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.engine = engine = ChaskeyEngine(self._record, self._key_port)
        if self._key_port:
            m.d.comb += engine.key.eq(self.key)
        # How much of each memory belongs to the model. Numbers are cut to the bits that there are,
        # so that 0 is all: an address counts up from 0 and is 0 again at the end.
        blocks = Signal(self._program_bits - exact_log2(BLOCK_BYTES))
        components = Signal(self._table_bits - exact_log2(COMPONENT_BYTES))
        from_host = Signal()
        taken = Signal()
        m.d.comb += [
            from_host.eq(engine.header | engine.comparing),
            engine.start.eq(self.start),
            engine.data.eq(Mux(from_host, self.data, self.memory_data)),
            engine.valid.eq(self.valid | ~from_host),
            self.ready.eq(engine.ready & from_host),
            taken.eq(engine.ready & engine.valid),
            self.digest.eq(engine.header & engine.place.matches(*DIGEST)),
            self.good.eq(engine.good),
        ]
        with m.If(taken & engine.header):
            with m.Switch(engine.place):
                with m.Case(COMPONENTS):
                    m.d.sync += components.eq(self.data)
                for index in range(0, len(blocks), 8):
                    with m.Case(BLOCKS + index // 8):
                        m.d.sync += blocks[index : index + 8].eq(self.data)

        address = self.address
        block_end = Signal()
        component_end = Signal()
        m.d.comb += [
            block_end.eq(address[exact_log2(BLOCK_BYTES) : self._program_bits] == blocks),
            component_end.eq(
                (address[exact_log2(COMPONENT_BYTES) : self._table_bits] == components)
                & (address[: exact_log2(COMPONENT_BYTES)] == 0)
            ),
            engine.last.eq(~engine.header & self.table & component_end),
        ]

        cleared = Signal()
        whole_table = Signal()
        m.d.comb += whole_table.eq(address[: self._table_bits].all())
        at_end = Mux(self.table, whole_table, address[: self._program_bits].all())
        clearing = Signal()
        m.d.comb += [
            self.step.eq((taken & ~from_host) | clearing),
            self.clear.eq(clearing),
            self.done.eq(engine.done & (engine.good | cleared)),
        ]
        with m.If(self.start):
            m.d.sync += [clearing.eq(0), cleared.eq(0)]
        with m.Elif(engine.block):
            # The address has been stepped already.
            with m.If(engine.header):
                m.d.comb += self.rewind.eq(1)
            with m.Elif(~self.table & block_end):
                m.d.comb += [self.rewind.eq(1), self.to_table.eq(1)]
        with m.Elif(engine.done & ~engine.good & ~cleared):
            with m.If(~clearing):
                m.d.sync += clearing.eq(1)
                m.d.comb += self.rewind.eq(1)
            with m.Elif(at_end):
                m.d.comb += [self.rewind.eq(1), self.to_table.eq(1)]
                with m.If(self.table):
                    m.d.sync += [clearing.eq(0), cleared.eq(1)]
        return m
