"""The check of a locked contractor with its memories, and what the router does for it."""

from __future__ import annotations

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.latency import MEMORY_READ
from tensorspin.contract.contractor.lock import KEY_RECORD
from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.size import ContractorSize


class CheckHarness(wiring.Component):
    """A `LockCheck` whose memories have the latency of the host's bus, and take the host's bytes.

    Parameters
    ----------
    check : LockCheck
        With or without a port for the key.
    size : ContractorSize
        Size of the contractor.
    key_port : bool
        Whether the check has that port.
    """

    def __init__(self, check: wiring.Component, size: ContractorSize, key_port: bool) -> None:
        self._check = check
        self._size = size
        self._key_port = key_port
        super().__init__(
            {
                "host_space": In(1),
                "host_address": In(20),
                "host_data": In(8),
                "host_write": In(1),
                "host_read": Out(8),
                **{name: In(1) for name in ("start", "valid")},
                "data": In(8),
                **{name: Out(1) for name in ("ready", "digest", "done", "good", "clear")},
                "key": In(8 * KEY_RECORD.size),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.check = check = self._check
        if self._key_port:
            m.d.comb += check.key.eq(self.key)
        m.d.comb += [
            getattr(check, name).eq(getattr(self, name)) for name in ("start", "valid", "data")
        ]
        m.d.comb += [
            getattr(self, name).eq(getattr(check, name))
            for name in ("ready", "digest", "done", "good", "clear")
        ]
        # As the router's registers.
        address, space = Signal(20), Signal()
        with m.If(check.step):
            m.d.sync += address.eq(address + 1)
        with m.If(check.rewind):
            m.d.sync += [address.eq(0), space.eq(check.to_table)]
        m.d.comb += [check.address.eq(address), check.table.eq(space)]
        reads = []
        for number in MemorySpace:
            depth = self._size.space_bytes(number)
            cells = memory.Memory(shape=8, depth=depth, init=[])
            m.submodules[f"memory_{number}"] = cells
            read, write = cells.read_port(), cells.write_port()
            host = self.host_write & (self.host_space == number)
            m.d.comb += [
                read.addr.eq(Mux(check.done, self.host_address, address)),
                write.addr.eq(Mux(check.clear, address, self.host_address)),
                write.data.eq(Mux(check.clear, 0, self.host_data)),
                write.en.eq(host | (check.clear & (space == number))),
            ]
            reads.append(read.data)
        found = Array(reads)
        # A byte is there `MEMORY_READ` cycles after its address, and nothing sensible before.
        delayed = found[space]
        for _ in range(MEMORY_READ - 1):
            register = Signal(8)
            m.d.sync += register.eq(delayed)
            delayed = register
        m.d.comb += [check.memory_data.eq(delayed), self.host_read.eq(found[self.host_space])]
        return m
