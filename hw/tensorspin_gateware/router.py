"""Executes requests: the rules of `tensorspin.contract.packets` between link and contractor."""

import dataclasses
import struct

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import enum, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2, exact_log2

from tensorspin.contract import packets
from tensorspin.contract.device import ContractorSize
from tensorspin.contract.memory import MemorySpace
from tensorspin.contract.packets import REJECT, REPLY, DeviceStatus, PacketType, Status

from .contractor.interface import ADDRESS_BITS, READ_LATENCY, ContractorSignature
from .link.packet import SEQUENCE_BITS, CountersSignature, PacketByte, RejectSignature

RUNS_IN_FLIGHT = 4
"""Samples started whose results have not been sent: one filled, one contracted, two results."""


class Source(enum.Enum):
    """What a reply answers."""

    REQUEST = 0
    RESULT = 1
    REJECT = 2


class Router(wiring.Component):
    """Takes requests one at a time and sends the replies.

    When free it sends the next result, or else takes the next request, or else sends a reject.
    Features are taken while earlier samples are contracted; all other requests wait until every
    result has been sent, so that memories never change under a running program.

    Latency: a reply's first byte is valid 5 cycles after a request without payload became valid;
    a payload takes 1 cycle more for each of its bytes and 2 for checks. Bytes that a reply copies
    (of memories, results, status, description) take ``READ_LATENCY + 1`` cycles each, others one.

    Resources: 646 LUTs and one 4 Kbit block RAM with the engine sizes of `icebreaker` (iCE40).

    Parameters
    ----------
    size : ContractorSize
    description : bytes
        What the device says of itself: `tensorspin.contract.device.DeviceDescription.pack`.

    Ports
    -----
    requests : In(stream of PacketByte)
        Whole packets, whose length is that in their header.
    replies : Out(stream of PacketByte)
    reject : In(RejectSignature)
    counters : In(CountersSignature)
    contractor : Out(ContractorSignature)
    """

    def __init__(self, size: ContractorSize, description: bytes):
        self.size = size
        self.description = description
        super().__init__(
            {
                "requests": In(stream.Signature(PacketByte)),
                "replies": Out(stream.Signature(PacketByte)),
                "reject": In(RejectSignature()),
                "counters": In(CountersSignature()),
                "contractor": Out(ContractorSignature(size)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        contractor = self.contractor
        results = contractor.results
        space_bits = {space: exact_log2(self.size.space_bytes(space)) for space in MemorySpace}
        feature_bits = exact_log2(self.size.features)
        features_bytes, digest_bytes = _field_bytes(packets.ACTIVATE)
        description = self.description

        # State that outlives a request.

        active = Signal()
        digest = Signal(8 * digest_bytes)
        # Both modulo 2**feature_bits: 0 stands for `size.features` where there must be a feature,
        # and a full buffer cannot be continued.
        model_features = Signal(feature_bits)
        filled = Signal(feature_bits)
        samples = Signal(32)
        busy_cycles = Signal(32)
        m.d.sync += busy_cycles.eq(busy_cycles + contractor.busy)

        m.submodules.runs = runs = _SequenceQueue(RUNS_IN_FLIGHT)

        # The request being executed, then its reply.

        kind = Signal(8)
        held = Signal()  # `kind` has been taken, the rest waits
        sequence = Signal(SEQUENCE_BITS)
        source = Signal(Source)
        status = Signal(range(max(Status) + 1))
        # Bytes of the payload that have not been taken, or not been sent.
        left = Signal(8)
        left_next = Signal(8)
        # First the request's argument, then the position in what is copied.
        address = Signal(ADDRESS_BITS)
        address_bits = max(*space_bits.values(), feature_bits, ceil_log2(len(description) + 1))
        address_next = Signal(address_bits)
        space = Signal.like(contractor.memory.space)
        space_known = Signal()
        m.d.comb += [
            left_next.eq(left - 1),
            address_next.eq(address[:address_bits] + 1),
        ]

        is_read = kind == PacketType.READ
        is_write = kind == PacketType.WRITE
        is_activate = kind == PacketType.ACTIVATE
        is_run = kind == PacketType.RUN
        fills = Signal()
        m.d.comb += fills.eq((kind == PacketType.FEATURES) | is_run)

        m.d.comb += [
            contractor.fill.address.eq(address),
            contractor.fill.level.eq(self.requests.payload.data),
            contractor.memory.space.eq(space),
            contractor.memory.address.eq(address),
            contractor.memory.write_data.eq(self.requests.payload.data),
        ]

        may_execute = Signal()
        with m.If(fills):
            m.d.comb += may_execute.eq(contractor.fill_ready & runs.writable)
        with m.Else():
            m.d.comb += may_execute.eq(contractor.idle & ~runs.readable)

        # Checks of the length, on the header alone. (Lists of constants make smaller logic than
        # comparisons, which become adders.)

        def longer_than(length):
            return ~left.matches(*range(length + 1))

        known = Signal()
        length_fits = Signal()
        has_payload = Signal()
        with m.Switch(kind):
            with m.Case(PacketType.HELLO, PacketType.STATUS):
                m.d.comb += [known.eq(1), length_fits.eq(left == 0)]
            with m.Case(PacketType.WRITE):
                m.d.comb += [known.eq(1), length_fits.eq(longer_than(packets.MEMORY.size))]
            with m.Case(PacketType.READ):
                length = packets.MEMORY.size + packets.READ_COUNT.size
                m.d.comb += [known.eq(1), length_fits.eq(left == length)]
            with m.Case(PacketType.ACTIVATE):
                m.d.comb += [known.eq(1), length_fits.eq(left == packets.ACTIVATE.size)]
            with m.Case(PacketType.FEATURES, PacketType.RUN):
                m.d.comb += [known.eq(1), length_fits.eq(longer_than(packets.OFFSET.size))]
        m.d.comb += has_payload.eq(left != 0)

        # Checks of the arguments. `left` is now the number of bytes to copy, at least 1.

        # Address of the last byte, a cycle late: the adder and the checks in one would be slow.
        final = Signal(address_bits + 1)
        m.d.sync += final.eq(address[:address_bits] + left_next)
        in_features = Signal()
        features_fit = Signal()
        in_space = Signal()
        continues = Signal()
        count_fits = Signal()
        m.d.comb += [
            in_features.eq((address[address_bits:] == 0) & (final[feature_bits:] == 0)),
            features_fit.eq(
                Mux(
                    address[:feature_bits] == 0,
                    address[feature_bits:] == 1,
                    address[feature_bits:] == 0,
                )
            ),
            continues.eq((address == 0) | (address == filled)),
            count_fits.eq(~left.matches(0, *range(packets.MAX_PAYLOAD, 1 << len(left)))),
        ]
        with m.Switch(space):
            for candidate, bits in space_bits.items():
                with m.Case(candidate):
                    m.d.comb += in_space.eq(
                        space_known & (address[address_bits:] == 0) & (final[bits:] == 0)
                    )

        # What the payloads of replies are made of. The status is the byte at address 0.

        m.submodules.description = rom = memory.Memory(
            shape=8,
            depth=len(description) + 1,
            init=bytes([Status.OK]) + description,
            attrs={"rom_block": True},
        )
        rom_read = rom.read_port()
        m.d.comb += rom_read.addr.eq(address)

        device_status = _pack_status(
            active=active,
            digest=digest,
            damaged=self.counters.damaged,
            out_of_sequence=self.counters.out_of_sequence,
            overflows=self.counters.overflows,
            samples=samples,
            busy_cycles=busy_cycles,
        )
        # Words rather than bytes, so that a counter does not change between its two bytes. The
        # counters of 32 bits stand still while a status is sent.
        word = Signal(16)
        word_high = Signal(8)
        copied = Signal(8)
        offered = Signal(8)
        m.d.comb += word.eq(
            Mux(
                source == Source.RESULT,
                results.payload.word,
                device_status.word_select(address[1 : ceil_log2(len(device_status) // 8)], 16),
            )
        )
        with m.If((source == Source.REQUEST) & is_read):
            m.d.comb += copied.eq(contractor.memory.read_data)
        with m.Elif((source == Source.REQUEST) & (kind == PacketType.HELLO)):
            m.d.comb += copied.eq(rom_read.data)
        with m.Else():
            m.d.comb += copied.eq(Mux(address[0], word_high, word[:8]))
        # A byte that is offered takes one cycle at least, and this many precede the next copy.
        wait_cycles = max(1, READ_LATENCY - 1)
        waited = Signal(range(wait_cycles + 1))

        argument = Signal(range(packets.MEMORY.size + packets.READ_COUNT.size))
        last_argument = Signal.like(argument)
        with m.If(is_read):
            m.d.comb += last_argument.eq(packets.MEMORY.size + packets.READ_COUNT.size - 1)
        with m.Elif(is_write):
            m.d.comb += last_argument.eq(packets.MEMORY.size - 1)
        with m.Else():
            assert features_bytes == packets.OFFSET.size
            m.d.comb += last_argument.eq(packets.OFFSET.size - 1)

        request = self.requests.payload
        reply = self.replies.payload

        def refuse(reason, *, drain):
            """Drop what is left of the request, and the sample begun if it was a part of one."""
            m.d.sync += status.eq(reason)
            with m.If(fills):
                m.d.sync += filled.eq(0)
            with m.If(drain):
                m.next = "DRAIN"
            with m.Else():
                m.d.sync += left.eq(1)
                m.next = "REPLY TYPE"

        with m.FSM(name="router"):
            with m.State("FREE"):
                m.d.sync += [address.eq(0), argument.eq(0), status.eq(Status.OK)]
                with m.If(results.valid):
                    m.d.comb += [results.ready.eq(1), runs.pop.eq(1)]
                    m.d.sync += [source.eq(Source.RESULT), sequence.eq(runs.head)]
                    with m.If(results.payload.word == 0):
                        m.d.sync += [status.eq(Status.PROGRAM_OVERRUN), left.eq(1)]
                    with m.Else():
                        m.d.sync += [
                            left.eq((results.payload.word << 1) + 1 + packets.RESULT.size),
                            samples.eq(samples + 1),
                        ]
                    m.next = "REPLY TYPE"
                with m.Elif(held & may_execute):
                    m.d.sync += [held.eq(0), source.eq(Source.REQUEST)]
                    m.next = "SEQUENCE"
                with m.Elif(~held & self.requests.valid):
                    m.d.comb += self.requests.ready.eq(1)
                    m.d.sync += [held.eq(1), kind.eq(request.data)]
                with m.Elif(self.reject.pending):
                    m.d.comb += self.reject.taken.eq(1)
                    m.d.sync += [
                        source.eq(Source.REJECT),
                        sequence.eq(self.reject.expected),
                        status.eq(self.reject.reason),
                        left.eq(1),
                    ]
                    m.next = "REPLY TYPE"

            with m.State("SEQUENCE"):
                m.d.comb += self.requests.ready.eq(1)
                m.d.sync += sequence.eq(request.data)
                with m.If(self.requests.valid):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += self.requests.ready.eq(1)
                m.d.sync += left.eq(request.data)
                with m.If(self.requests.valid):
                    m.next = "DECODE"
            with m.State("DECODE"):
                with m.If(~known):
                    refuse(Status.UNKNOWN_TYPE, drain=has_payload)
                with m.Elif(~length_fits):
                    refuse(Status.BAD_LENGTH, drain=has_payload)
                with m.Elif(kind == PacketType.HELLO):
                    m.d.sync += [filled.eq(0), left.eq(1 + len(description))]
                    m.next = "REPLY TYPE"
                with m.Elif(kind == PacketType.STATUS):
                    m.d.sync += left.eq(1 + packets.STATUS.size)
                    m.next = "REPLY TYPE"
                with m.Else():
                    m.next = "ARGUMENTS"
            with m.State("ARGUMENTS"):
                m.d.comb += self.requests.ready.eq(1)
                with m.If(self.requests.valid):
                    m.d.sync += [argument.eq(argument + 1), left.eq(left_next)]
                    with m.Switch(argument):
                        for position in range(len(address) // 8):
                            with m.Case(position):
                                m.d.sync += address.word_select(position, 8).eq(request.data)
                        with m.Case(packets.MEMORY.size - 1):
                            m.d.sync += [
                                space.eq(request.data),
                                space_known.eq(request.data.matches(*MemorySpace)),
                            ]
                        with m.Default():
                            m.d.sync += left.eq(request.data)
                    with m.If(argument == last_argument):
                        m.next = "ADD"
            with m.State("ADD"):
                m.next = "CHECK"
            with m.State("CHECK"):
                with m.If(fills):
                    with m.If(is_run & ~active):
                        refuse(Status.NO_MODEL, drain=1)
                    with m.Elif(~continues | ~in_features):
                        refuse(Status.BAD_OFFSET, drain=1)
                    with m.Else():
                        m.next = "COPY"
                with m.Elif(is_activate):
                    with m.If(~features_fit):
                        refuse(Status.BAD_FEATURE_COUNT, drain=1)
                    with m.Else():
                        m.d.sync += model_features.eq(address)
                        m.next = "COPY"
                with m.Elif(is_read & ~count_fits):
                    refuse(Status.BAD_LENGTH, drain=0)
                with m.Elif(~in_space):
                    refuse(Status.BAD_ADDRESS, drain=is_write)
                with m.Elif(is_write):
                    m.d.sync += active.eq(0)
                    m.next = "COPY"
                with m.Else():
                    m.d.sync += left.eq(1 + left)
                    m.next = "REPLY TYPE"
            with m.State("COPY"):
                m.d.comb += [
                    self.requests.ready.eq(1),
                    contractor.memory.write_enable.eq(self.requests.valid & is_write),
                    contractor.fill.enable.eq(self.requests.valid & fills),
                ]
                with m.If(self.requests.valid):
                    m.d.sync += address[:address_bits].eq(address_next)
                    with m.If(is_activate):
                        m.d.sync += digest.eq(Cat(digest[8:], request.data))
                    with m.If(fills):
                        m.d.sync += filled.eq(address_next)
                    with m.If(request.last):
                        m.d.sync += left.eq(1)
                        with m.If(is_activate):
                            m.d.sync += active.eq(1)
                        with m.If(is_run):
                            m.next = "START"
                        with m.Else():
                            m.next = "REPLY TYPE"
            with m.State("START"):
                with m.If(filled == model_features):
                    m.d.comb += [
                        contractor.start.eq(1),
                        runs.push.eq(1),
                        runs.pushed.eq(sequence),
                    ]
                    m.d.sync += filled.eq(0)
                    m.next = "FREE"
                with m.Else():
                    refuse(Status.BAD_FEATURE_COUNT, drain=0)
            with m.State("DRAIN"):
                m.d.comb += self.requests.ready.eq(1)
                m.d.sync += left.eq(1)
                with m.If(self.requests.valid & request.last):
                    m.next = "REPLY TYPE"

            with m.State("REPLY TYPE"):
                m.d.comb += self.replies.valid.eq(1)
                with m.Switch(source):
                    with m.Case(Source.RESULT):
                        m.d.comb += reply.data.eq(PacketType.RUN | REPLY)
                    with m.Case(Source.REJECT):
                        m.d.comb += reply.data.eq(REJECT)
                    with m.Default():
                        m.d.comb += reply.data.eq(kind | REPLY)
                with m.If(self.replies.ready):
                    m.next = "REPLY SEQUENCE"
            with m.State("REPLY SEQUENCE"):
                m.d.comb += [self.replies.valid.eq(1), reply.data.eq(sequence)]
                with m.If(self.replies.ready):
                    m.next = "REPLY LENGTH"
            with m.State("REPLY LENGTH"):
                m.d.comb += [self.replies.valid.eq(1), reply.data.eq(left)]
                with m.If(self.replies.ready):
                    m.next = "REPLY STATUS"
            with m.State("REPLY STATUS"):
                m.d.comb += [
                    self.replies.valid.eq(1),
                    reply.data.eq(status),
                    reply.last.eq(left == 1),
                ]
                m.d.sync += word_high.eq(word[8:])
                with m.If(self.replies.ready):
                    m.d.sync += left.eq(left_next)
                    with m.If((source == Source.REQUEST) & ~is_read):
                        m.d.sync += address.eq(1)
                    with m.If(reply.last):
                        m.next = "FREE"
                    with m.Else():
                        m.next = "FETCH"
            with m.State("FETCH"):
                with m.If(waited != wait_cycles):
                    m.d.sync += waited.eq(waited + 1)
                with m.Elif((source != Source.RESULT) | results.valid):
                    m.d.comb += results.ready.eq((source == Source.RESULT) & address[0])
                    m.d.sync += [
                        waited.eq(0),
                        word_high.eq(word[8:]),
                        offered.eq(copied),
                        address[:address_bits].eq(address_next),
                    ]
                    m.next = "REPLY PAYLOAD"
            with m.State("REPLY PAYLOAD"):
                m.d.comb += [
                    self.replies.valid.eq(1),
                    reply.data.eq(offered),
                    reply.last.eq(left == 1),
                ]
                with m.If(self.replies.ready):
                    m.d.sync += left.eq(left_next)
                    with m.If(reply.last):
                        m.next = "FREE"
                    with m.Else():
                        m.next = "FETCH"

        return m


class _SequenceQueue(wiring.Component):
    """Sequence numbers of the runs whose results have not been sent."""

    def __init__(self, depth: int):
        self.depth = depth
        super().__init__(
            {
                "push": In(1),
                "pushed": In(SEQUENCE_BITS),
                "writable": Out(1),
                "pop": In(1),
                "head": Out(SEQUENCE_BITS),
                "readable": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()

        # A push moves all entries; so a pop, which never comes with a push, moves none.
        entries = [Signal(SEQUENCE_BITS, name=f"entry{index}") for index in range(self.depth)]
        level = Signal(range(self.depth + 1))
        m.d.comb += [
            self.writable.eq(level != self.depth),
            self.readable.eq(level != 0),
        ]
        with m.Switch(level):
            for index, entry in enumerate(entries):
                with m.Case(index + 1):
                    m.d.comb += self.head.eq(entry)
        with m.If(self.push):
            m.d.sync += level.eq(level + 1)
            for source, destination in zip([self.pushed, *entries], entries):
                m.d.sync += destination.eq(source)
        with m.Elif(self.pop):
            m.d.sync += level.eq(level - 1)

        return m


def _pack_status(**fields: Signal) -> Value:
    """A reply to STATUS as one value: the status byte, then `DeviceStatus`."""
    names = [field.name for field in dataclasses.fields(DeviceStatus)]
    assert names == list(fields)
    sizes = _field_bytes(packets.STATUS)
    padded = [
        Cat(fields[name], Const(0, 8 * size - len(fields[name])))
        for name, size in zip(names, sizes, strict=True)
    ]
    return Cat(Const(Status.OK, 8), *padded)


def _field_bytes(layout: struct.Struct) -> list[int]:
    """Size of each field of a layout."""
    return [struct.calcsize(layout.format[0] + code) for code in layout.format[1:]]
