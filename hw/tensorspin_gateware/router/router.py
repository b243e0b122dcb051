"""The state machine that takes requests one at a time and sends their replies."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.device.capabilities import device_requests, device_spaces
from tensorspin.contract.device.engines import ENGINES, Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.packets import REJECT, REPLY, PacketType, Status

from ..contractor.interface import ADDRESS_BITS
from ..link.packet import SEQUENCE_BITS, CountersSignature, PacketByte, RejectSignature
from .checks import ARGUMENTS, STATUS_BITS, RequestChecks, find_copies, find_last_argument
from .copied import Copied, CopySource
from .engines import connect_engine, device_status, engine_ports, problem_check, scoring_engine
from .flags import connect_flags, take_flag
from .lock import LockCheck
from .lock.joined import JoinedLock
from .reply import ReplyWriter, Source
from .samples import feature_bits, find_corrupt


class Router(wiring.Component):
    """Takes requests one at a time and sends the replies.

    When the router is free, it sends the next result. If there is none, it takes the next request;
    if there is none either, it sends a reject.

    Requests that bring features are executed while earlier samples are contracted. All other
    requests wait until every result has been sent, so that the contractor's memories never change
    under a running program, and until the annealer has cleared its memories. A run of the annealer
    delays no request; READs and WRITEs of the annealer's memories are refused while it goes on.

    Latency: a reply's first byte is valid 9 cycles after a request without payload became valid. A
    payload adds 1 cycle for each of its bytes and 3 for checks (none for ANNEAL). Each byte that a
    reply copies (from memories, status, description) takes `COPY_CYCLES` cycles, any other byte
    one. So a RUN of n features takes n + 14 cycles, and the reply that brings its result takes 4
    cycles more than it has bytes. If `staged`, each check takes 1 cycle more, that of arguments 3.

    Resources: one 4 Kbit block RAM. Together with the link and the UART, fewer than 1,606 logic
    cells on iCE40, for the engine sizes of `icebreaker`.

    Parameters
    ----------
    engines : Engines
        The device's engines. An engine that the device lacks costs nothing.
    description : bytes
        What the device says of itself:
        `tensorspin.contract.device.description.DeviceDescription.pack`.
    standby : bool, default=False
        Whether the engines' memories stand by while nobody uses them. Their port `awake` is then
        high from the cycle after a request's first byte came to the cycle after its reply ended.
        The memories are used 9 cycles after that byte at the earliest, so that waking takes no
        time from a request.
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.
    check : LockCheck, optional
        The check of a locked contractor, which becomes a part of the router.

    Ports
    -----
    requests : In(stream of PacketByte)
        Whole packets, whose length is the one in their header.
    replies : Out(stream of PacketByte)
        Replies and rejects.
    reject : In(RejectSignature)
        News of a frame that the link did not accept.
    counters : In(CountersSignature)
        The link's counters of such frames.
    contractor : Out(ContractorSignature)
        To the contractor, if the device has one.
    annealer : Out(AnnealerSignature)
        To the annealer, if the device has one.
    spatial : Out(SpatialSignature)
        To the spatial engine, if the device has one; it takes the place of the contractor.
    """

    def __init__(
        self,
        engines: Engines,
        description: bytes,
        standby: bool = False,
        staged: bool = False,
        check: LockCheck | None = None,
    ):
        self._staged = staged
        self._check = check
        self._engines = engines
        self._description = description
        self._standby = standby
        ports = {
            "requests": In(stream.Signature(PacketByte)),
            "replies": Out(stream.Signature(PacketByte)),
            "reject": In(RejectSignature()),
            "counters": In(CountersSignature()),
        }
        super().__init__(ports | engine_ports(engines, standby))

    def elaborate(self, platform):
        m = Module()
        request = self.requests.payload

        # State of the request that is executed, and then of its reply. Both use the same registers,
        # since there is one request at a time.
        kind_byte = Signal(8)
        held = Signal()  # `kind_byte` has been taken from the stream, the rest waits there
        sequence = Signal(SEQUENCE_BITS)
        source = Signal(Source)
        status = Signal(STATUS_BITS)
        failed = Signal()
        # Number of bytes of the payload that have not been taken; then the reply's length.
        left = Signal(8)
        argument = Signal(range(max(ARGUMENTS.values())))
        # First the request's argument, then the address of the byte that the reply copies.
        address = Signal(ADDRESS_BITS)
        space_known = Signal()
        has_payload = Signal()

        m.submodules.checks = checks = RequestChecks(self._engines, self._staged)
        m.submodules.source = copied = CopySource(self._description)
        m.submodules.writer = writer = ReplyWriter(self._staged)
        kind, fills = checks.kind, checks.fills
        space = Signal.like(checks.space)
        spaces = device_spaces(self._engines)
        address_bits = max(
            feature_bits(self._engines),
            copied.address_bits,
            *(found.bits for found in spaces.values()),
        )
        step = Signal()
        addend = Signal(8, init=-1)
        left_next = Signal(8)
        m.d.comb += left_next.eq(left + addend)
        with m.If(step | writer.step):
            m.d.sync += address[:address_bits].eq(address[:address_bits] + 1)

        engines = self._engines
        contractor, samples = connect_engine(m, self, engines, scoring_engine(engines))
        annealer, anneals = connect_engine(m, self, engines, EngineKind.ANNEALER)
        results = contractor.results
        lock = JoinedLock(m, self.requests, kind, self._check)
        valid = lock.valid
        m.d.comb += [
            failed.eq(status != Status.OK),
            checks.type.eq(kind_byte),
            checks.left.eq(left),
            checks.address.eq(address),
            checks.space.eq(space),
            checks.space_known.eq(space_known),
            checks.active.eq(samples.active),
            checks.filled.eq(samples.filled),
            checks.annealing.eq(annealer.running),
            *problem_check(engines, checks, anneals),
            samples.address.eq(address),
            samples.data.eq(request.data),
            samples.sequence.eq(sequence),
            contractor.fill.address.eq(address),
            contractor.fill.level.eq(request.data),
        ]
        for engine in (contractor, annealer):
            m.d.comb += [
                engine.memory.space.eq(space),
                engine.memory.address.eq(address),
                engine.memory.write_data.eq(request.data),
            ]

        # The reply.
        wiring.connect(m, writer.replies, wiring.flipped(self.replies))
        m.d.comb += [
            writer.results.payload.eq(results.payload),
            writer.results.valid.eq(results.valid),
            writer.sequence.eq(sequence),
            writer.status.eq(status),
            writer.length.eq(1),
            writer.copied.eq(copied.data),
            copied.address.eq(address),
            copied.begin.eq(writer.begin),
            copied.memory_data.eq(
                Mux(checks.annealers, annealer.memory.read_data, contractor.memory.read_data)
            ),
            # The counters of 32 bits stand still while a status is sent: STATUS waits until no
            # sample is under way.
            copied.status.eq(device_status(self, samples, annealer, anneals)),
        ]
        with m.If(kind.read):
            m.d.comb += copied.select.eq(Copied.MEMORY)
        with m.Elif(kind.hello):
            m.d.comb += copied.select.eq(Copied.DESCRIPTION)
        with m.Else():
            m.d.comb += copied.select.eq(Copied.STATUS)
        copies = find_copies(m, kind, self._staged)
        with m.Switch(source):
            with m.Case(Source.RESULT):
                m.d.comb += [writer.type.eq(PacketType.RUN | REPLY), writer.has_result.eq(~failed)]
            with m.Case(Source.REJECT):
                m.d.comb += writer.type.eq(REJECT)
            with m.Default():
                m.d.comb += [
                    writer.type.eq(kind_byte | REPLY),
                    writer.has_copy.eq(~failed & copies),
                ]
        with m.If(writer.has_result | writer.has_copy):
            m.d.comb += writer.length.eq(left)

        # Features may come while samples are contracted, all other requests must wait. The decision
        # is registered and so a cycle late, which does no harm: only the start of a sample takes a
        # permission away, and no further request is held so soon after a start.
        may_execute = Signal()
        filling = sorted({PacketType.FEATURES, PacketType.RUN} & device_requests(engines))
        with m.If(kind_byte.matches(*filling)):
            m.d.sync += may_execute.eq(held & samples.may_fill)
        with m.Else():
            m.d.sync += may_execute.eq(held & ~samples.under_way & ~anneals.clearing)

        last_argument = Signal.like(argument)
        find_last_argument(m, kind, last_argument)

        # The number of the result that is taken is in a register: it may be let go a cycle later.
        take_result = Signal() if self._staged else samples.take_result
        if self._staged:
            m.d.sync += samples.take_result.eq(take_result)
            m.d.comb += results.ready.eq(writer.results.ready)

        def state(name: str, after: int) -> Any:
            """Make a state; if staged, after so many others in which only registers are awaited."""
            names = [name, *(f"{name} {place}" for place in range(after if self._staged else 0))]
            for this, following in zip(names, names[1:]):
                with m.State(this):
                    m.next = following
            return m.State(names[-1])

        flags = connect_flags(m, engines, checks, contractor, samples)
        with m.FSM(name="router") as fsm:
            with m.State("FREE"):
                m.d.sync += [
                    address.eq(0),
                    argument.eq(0),
                    status.eq(Status.OK),
                    left.eq(results.payload.word << 1),
                ]
                with m.If(results.valid):
                    m.d.comb += [results.ready.eq(1), take_result.eq(1)]
                    m.d.sync += [source.eq(Source.RESULT), sequence.eq(samples.result_sequence)]
                    m.next = "RESULT"
                with m.Elif(may_execute):
                    m.d.sync += [held.eq(0), source.eq(Source.REQUEST)]
                    m.next = "SEQUENCE"
                with m.Elif(self.requests.valid & ~held):
                    m.d.comb += self.requests.ready.eq(1)
                    m.d.sync += [held.eq(1), kind_byte.eq(request.data)]
                with m.Elif(self.reject.pending):
                    m.d.comb += self.reject.taken.eq(1)
                    m.d.sync += [
                        source.eq(Source.REJECT),
                        sequence.eq(self.reject.expected),
                        status.eq(self.reject.reason),
                    ]
                    m.next = "REPLY"
            with m.State("RESULT"):
                # The first word of a result is the number of scores, or 0 if there are none.
                m.d.comb += addend.eq(1 + packets.RESULT.size)
                m.d.sync += left.eq(left_next)
                with m.If(left == 0):
                    m.d.sync += status.eq(Status.PROGRAM_OVERRUN)
                    find_corrupt(m, engines, samples, status)
                with m.Else():
                    m.d.comb += samples.count.eq(1)
                m.next = "REPLY"

            with m.State("SEQUENCE"):
                m.d.comb += self.requests.ready.eq(1)
                m.d.sync += sequence.eq(request.data)
                with m.If(self.requests.valid):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += self.requests.ready.eq(1)
                m.d.sync += left.eq(request.data)
                with m.If(self.requests.valid):
                    m.next = "CHECK LENGTH"
            with state("CHECK LENGTH", after=1):
                m.d.sync += [status.eq(checks.length_status), has_payload.eq(left != 0)]
                m.next = "LENGTH CHECKED"
            with m.State("LENGTH CHECKED"):
                with m.If(failed & has_payload):
                    m.next = "DRAIN"
                with m.Elif(kind.anneal & has_payload):
                    # A run under way must not see its parameters change.
                    m.d.comb += annealer.stop.eq(1)
                    m.d.sync += space.eq(AnnealerSpace.RUN)
                    m.next = "COPY"
                with m.Elif(has_payload):
                    m.next = "ARGUMENTS"
                with m.Else():
                    with m.If(kind.hello):
                        m.d.sync += left.eq(1 + len(self._description))
                    with m.Else():
                        m.d.sync += left.eq(1 + packets.STATUS.size)
                    m.d.sync += address[0].eq(1)
                    m.next = "REPLY"
            with m.State("ARGUMENTS"):
                m.d.comb += self.requests.ready.eq(1)
                with m.If(valid):
                    m.d.sync += [argument.eq(argument + 1), left.eq(left_next)]
                    with m.Switch(argument):
                        for position in range(len(address) // 8):
                            with m.Case(position):
                                m.d.sync += address.word_select(position, 8).eq(request.data)
                        with m.Case(packets.MEMORY.size - 1):
                            m.d.sync += [
                                space.eq(request.data),
                                space_known.eq(request.data.matches(*spaces)),
                            ]
                        with m.Default():
                            m.d.sync += left.eq(request.data)
                    for flag in flags:
                        take_flag(m, flag, argument == 1, address, request.data)
                    with m.If(argument == last_argument):
                        m.next = "ADD"
            with m.State("ADD"):
                m.next = "CHECK ARGUMENTS"
            with state("CHECK ARGUMENTS", after=3):
                m.d.sync += status.eq(checks.argument_status)
                m.next = "ARGUMENTS CHECKED"
            with m.State("ARGUMENTS CHECKED"):
                m.d.comb += addend.eq(1)
                m.d.sync += left.eq(left_next)
                with m.If(kind.read):
                    m.next = "REPLY"
                with m.Elif(failed):
                    m.next = "DRAIN"
                with m.Else():
                    m.d.comb += [
                        samples.set_features.eq(kind.activate),
                        samples.deactivate.eq(kind.write & ~checks.annealers),
                    ]
                    m.next = "COPY"
            with m.State("COPY"):
                write = kind.write & valid
                m.d.comb += [
                    self.requests.ready.eq(1),
                    step.eq(valid),
                    contractor.memory.write_enable.eq(write & ~checks.annealers),
                    contractor.fill.enable.eq(valid & fills),
                    annealer.memory.write_enable.eq(
                        (write & checks.annealers) | (valid & kind.anneal)
                    ),
                ]
                with m.If(valid):
                    m.d.comb += samples.shift_digest.eq(lock.digest)
                    with m.If(request.last):
                        m.d.comb += samples.activate.eq(lock.activates)
                        with m.If(kind.run):
                            m.next = "COUNT"
                        lock.await_verdict(m)
                        with m.Else():
                            m.next = "REPLY"
            with m.State("COUNT"):
                m.next = "START"
            with m.State("START"):
                with m.If(samples.complete):
                    m.d.comb += samples.start.eq(1)
                    m.next = "FREE"
                with m.Else():
                    m.d.sync += status.eq(Status.BAD_FEATURE_COUNT)
                    m.next = "REPLY"
            with m.State("DRAIN"):
                m.d.comb += self.requests.ready.eq(1)
                with m.If(self.requests.valid & request.last):
                    m.next = "REPLY"

            lock.add_verdict(m, samples, status)
            with m.State("REPLY"):
                m.d.comb += writer.start.eq(1)
                with m.If(source == Source.REQUEST):
                    m.d.comb += [
                        # The sample begun is forgotten if a part of it is refused.
                        samples.end_part.eq(fills),
                        samples.forget.eq(failed),
                        samples.reset.eq(kind.hello & ~failed),
                        annealer.stop.eq(kind.hello & ~failed),
                        annealer.start.eq(kind.anneal & ~failed),
                    ]
                m.next = "REPLYING"
            with m.State("REPLYING"):
                m.d.comb += results.ready.eq(writer.results.ready)
                with m.If(writer.done):
                    m.next = "FREE"

        lock.connect(m, fsm, contractor.memory, address, space, step)
        if self._standby:
            awake = Signal()
            m.d.sync += awake.eq(self.requests.valid | held | ~fsm.ongoing("FREE"))
            for kind in engines:
                m.d.comb += getattr(self, ENGINES[kind].name).awake.eq(awake)
        return m
