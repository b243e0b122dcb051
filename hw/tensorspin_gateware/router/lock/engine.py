"""Chaskey-12 byte by byte, by microcode: few look-up tables, and time enough."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, ResetInserter, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.chaskey import BLOCK_BYTES
from tensorspin.contract.contractor.lock import BYTE_CYCLES, KEY_RECORD

from .microcode import BEGIN, DEPTH, KEY, LAST_KEY, PASSES, SHIFTS, content

FIELDS = data.StructLayout(
    {"read": 5, "write": 5, "writes": 1, "adds": 1, "first": 1, "shift": 2, "last": 1}
)
"""Fields of a microcode's word, `tensorspin_gateware.router.lock.microcode.Operation`."""


class ChaskeyEngine(wiring.Component):
    """Computes the tag of a message of whole blocks, and compares it with the one that follows.

    `start` resets it: it takes a block of 16 bytes after the other, each byte `BYTE_CYCLES` cycles
    after the one before at the earliest, and when `last` was high at the end of a block, 16 bytes
    of a tag. All of these are compared, whatever the first ones are.

    The last four bytes of the first block are a version, which must be greater than the one that
    the key's record names.

    Parameters
    ----------
    record : bytes, optional
        The key, `tensorspin.contract.contractor.lock.LockKey.record`. Without it no tag is right
        (`tensorspin_gateware.router.lock.microcode.content`).
    key_port : bool, default=False
        Whether the key comes from a port instead, for simulators whose design must not contain it.

    Ports
    -----
    start : In(1)
        Strobe: begin anew.
    data : In(8)
        A byte.
    valid : In(1)
        There is a byte.
    ready : Out(1)
        A byte would be taken.
    place : Out(4)
        Index of that byte in its block.
    header : Out(1)
        It is a byte of the first block.
    comparing : Out(1)
        It is a byte of the tag.
    block : Out(1)
        Strobe: a block has been taken in the cycle before.
    last : In(1)
        With `block`: it was the message's last one.
    done : Out(1)
        The tag has been taken; until the next `start`.
    good : Out(1)
        With `done`: the tag is right, and the version is not too old.
    key : In(8 * KEY_RECORD.size)
        Only with `key_port`: the record.

    Latency: 973 cycles for a block, beyond its bytes, of which the first is taken `BYTE_CYCLES`
    cycles later; 2 x `KEY_CYCLES` more for the last block. Resources: on iCE40 two block RAMs and
    about 200 logic cells.
    """

    def __init__(self, record: bytes | None = None, key_port: bool = False) -> None:
        self._record = record
        self._key_port = key_port
        super().__init__(
            {
                "start": In(1),
                "data": In(8),
                "valid": In(1),
                "ready": Out(1),
                "place": Out(4),
                "header": Out(1),
                "comparing": Out(1),
                "block": Out(1),
                "last": In(1),
                "done": Out(1),
                "good": Out(1),
            }
            | ({"key": In(8 * KEY_RECORD.size)} if key_port else {})
        )

    def elaborate(self, platform) -> Module:
        m, core = Module(), Module()
        m.submodules.code = code = memory.Memory(
            shape=16, depth=DEPTH, init=content(self._record), attrs={"rom_block": True}
        )
        m.submodules.state = state = memory.Memory(shape=8, depth=32, init=[])
        code_read = code.read_port()
        read, write = state.read_port(), state.write_port()
        # One counter addresses operations and keys; its low bits are the place in a block. The
        # operations are followed by a block, during which the key is there, and a block by the key
        # of the last one: see the addresses. So only the way back to the operations is a jump.
        counter = Signal(8, init=KEY)
        assert KEY % BLOCK_BYTES == 0 and LAST_KEY - KEY == DEPTH - LAST_KEY == BLOCK_BYTES == 16
        jump = Signal()
        counts = Signal()
        with core.If(jump):
            core.d.sync += counter.eq(BEGIN)
        with core.Elif(counts):
            core.d.sync += counter.eq(counter + 1)
        word = self._word(core, code_read.addr, code_read.data)
        step = data.View(FIELDS, code_read.data)
        place = counter[:4]
        end = Signal()
        pace = Signal(range(BYTE_CYCLES))
        assert BYTE_CYCLES - 1 == 1 << len(pace) - 1
        # Bytes of blocks and keys have the same pace.
        paces, taken = Signal(), Signal()
        core.d.sync += pace.eq(0)
        with core.If(paces & ~taken):
            core.d.sync += pace.eq(pace + ~pace[-1])

        # The byte that was read before the one that the state's memory gives; and both rotated, a
        # cycle late. What is written is a sum of two bytes, with or without carries.
        before, rotated = Signal(8), Signal(8)
        total = Signal(9)
        carry = Signal()
        left, right, mixed = Signal(8), Signal(8), Signal(8)
        core.d.sync += [before.eq(read.data), rotated.eq(read.data)]
        with core.Switch(step.shift):
            for index, bits in enumerate(SHIFTS[1:], start=1):
                with core.Case(index):
                    core.d.sync += rotated.eq(Cat(before[8 - bits :], read.data[: 8 - bits]))

        passes = Signal(range(PASSES))
        ran = Signal()
        last = Signal()  # the last block has been taken: its key is added, to it and at the end
        differs, newer = Signal(), Signal()
        header = Signal(init=1)
        version = Signal(9)
        core.d.comb += [
            code_read.addr.eq(counter),
            end.eq(place == BLOCK_BYTES - 1),
            self.place.eq(place),
            self.header.eq(header),
            self.good.eq(~differs & newer),
            total.eq(before + read.data + (carry & ~step.first)),
            # The carry of the difference to what is refused, from the lowest byte on. At places
            # other than the version's it stays 0, since nothing is more than 0xFF.
            version.eq(self.data + word[8:] + newer),
            read.addr.eq(place),
            write.addr.eq(place),
            left.eq(word[:8]),
            right.eq(read.data),
            mixed.eq(left ^ right),
            write.data.eq(mixed),
        ]
        with core.FSM():
            with core.State("TAKE"):
                core.d.comb += [
                    paces.eq(1),
                    self.ready.eq(pace[-1]),
                    taken.eq(pace[-1] & self.valid),
                    counts.eq(taken),
                    left.eq(self.data),
                    write.en.eq(taken & ~self.comparing),
                ]
                with core.If(header):
                    core.d.comb += right.eq(word[:8])  # the state before the first block is the key
                with core.If(taken):
                    with core.If(header):
                        core.d.sync += newer.eq(version[8])
                    with core.If(self.comparing):
                        core.d.sync += differs.eq(differs | mixed.any())
                    with core.If(end):
                        core.next = "BLOCK"
                        with core.If(self.comparing):
                            core.next = "DONE"
            with core.State("BLOCK"):
                core.d.comb += self.block.eq(1)
                core.d.sync += header.eq(0)
                with core.If(self.last):
                    core.d.sync += last.eq(1)
                    core.next = "KEY"
                with core.Else():
                    core.d.comb += jump.eq(1)
                    core.next = "RUN"
            with core.State("KEY"):
                core.d.comb += [
                    paces.eq(1),
                    taken.eq(pace[-1]),
                    counts.eq(taken),
                    write.en.eq(taken),
                    code_read.addr[4].eq(1),  # where it is not there already
                ]
                with core.If(taken & end):
                    core.next = "TAKE"
                    with core.If(~self.comparing):
                        core.d.comb += jump.eq(1)
                        core.next = "RUN"
            with core.State("RUN"):
                # The first operation is there in the second cycle.
                core.d.comb += [
                    counts.eq(~(step.last & ran)),
                    read.addr.eq(step.read),
                    write.addr.eq(step.write),
                    left.eq(rotated),
                    write.en.eq(step.writes & ran),
                ]
                with core.If(step.adds):
                    core.d.comb += write.data.eq(total[:8])
                core.d.sync += ran.eq(1)
                with core.If(step.adds & step.writes):
                    core.d.sync += carry.eq(total[8])
                with core.If(step.last & ran):
                    core.d.sync += [ran.eq(0), passes.eq(passes + 1)]
                    with core.If(passes != PASSES - 1):
                        core.d.comb += jump.eq(1)
                    with core.Else():
                        core.d.sync += [passes.eq(0), self.comparing.eq(last)]
                        core.next = "TAKE"
                        with core.If(last):
                            core.next = "KEY"
            with core.State("DONE"):
                core.d.comb += self.done.eq(1)
        m.submodules.core = ResetInserter(self.start)(core)
        return m

    def _word(self, core: Module, address: Signal, stored):
        """Give the word at the address of the cycle before, if it is one of the keys."""
        if not self._key_port:
            return stored
        before = Signal.like(address)
        word = Signal(16)
        core.d.sync += before.eq(address)
        key, last_key = self.key[: 8 * BLOCK_BYTES], self.key[8 * BLOCK_BYTES : 16 * BLOCK_BYTES]
        newer = Cat(Const(0, 8 * 12), ~self.key[16 * BLOCK_BYTES :])
        place = before[:4]
        core.d.comb += word.eq(Cat(key.word_select(place, 8), newer.word_select(place, 8)))
        with core.If(before[4]):
            core.d.comb += word.eq(last_key.word_select(place, 8))
        return word
