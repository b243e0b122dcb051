"""Decides what kind of request a packet is, and whether it may be executed."""

import functools
import operator

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import run_lengths
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.lock import LOCKED_ACTIVATE
from tensorspin.contract.device.capabilities import device_requests, device_spaces, space_owner
from tensorspin.contract.device.engines import ENGINES, Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.frames import MAX_PAYLOAD
from tensorspin.contract.wire.packets import PacketType, Status

from ..contractor.interface import ADDRESS_BITS
from .halves import is_halved
from .lock.joined import is_locked
from .samples import checks_programs, feature_bits

STATUS_BITS = max(Status).bit_length()
"""Width of a `Status` within the gateware."""

ARGUMENTS = {
    PacketType.WRITE: packets.MEMORY.size,
    PacketType.READ: packets.MEMORY.size + packets.READ_COUNT.size,
    PacketType.ACTIVATE: packets.OFFSET.size,
    PacketType.FEATURES: packets.OFFSET.size,
    PacketType.RUN: packets.OFFSET.size,
}
"""Number of bytes at the start of a payload that say where the rest of the payload goes, for each
type of request that has such bytes. The number of features of an ACTIVATE takes the place of an
offset, and its digest is the rest."""

RequestKind = data.StructLayout({kind.name.lower(): 1 for kind in PacketType})
"""The type of a request as one bit for each type; no bit is set if the type is unknown."""


class RequestChecks(wiring.Component):
    """Decodes the type of a request and checks first its length, then its arguments.

    Latency: `kind`, `fills` and the sum behind `argument_status` are registered and follow one
    cycle after the ports that they are made of; both statuses are combinational functions of these
    registers and of the ports. If `staged`, `length_status` follows one cycle later,
    `argument_status` three.

    Signals for an engine that the device lacks are constant, so that synthesis removes their logic.

    Parameters
    ----------
    engines : Engines
        The device's engines.
    staged : bool, default=False
        Whether registers cut the long paths, for FPGAs whose logic is slow.

    Ports
    -----
    type : In(8)
        First byte of the request.
    left : In(8)
        For `length_status`, the number of bytes of the payload. For `argument_status`, the number
        of bytes to copy, which is at least 1 except for READ.
    address : In(ADDRESS_BITS)
        The request's argument: a byte address, an offset, or a number of features.
    space : In
        Number of the memory space, cut to the bits that the device's spaces need.
    space_known : In(1)
        High if nothing was cut off: the device may have the space.
    active : In(1)
        High while a model is loaded.
    corrupt : In(1)
        Only where programs are signed or protected: no model is loaded since it was found corrupt.
    missing : In(1)
        Only where the contractor's memories have halves: as for
        `tensorspin_gateware.router.halves.Halves`.
    problem_corrupt : In(1)
        Only where the annealer checks its memories: after its last run they were found corrupt.
    filled : In(log2(features))
        Number of features of the sample begun.
    annealing : In(1)
        High while the annealer runs.
    kind : Out(RequestKind)
        The type, decoded.
    fills : Out(1)
        High if the request brings features.
    annealers : Out(1)
        High if `space` is one of the annealer's; combinational.
    length_status : Out(STATUS_BITS)
        `Status.OK`, or why the request is refused for its type or length.
    argument_status : Out(STATUS_BITS)
        `Status.OK`, or why the request is refused for its arguments.
    """

    def __init__(self, engines: Engines, staged: bool = False):
        self._staged = staged
        self._requests = device_requests(engines)
        self._spaces = device_spaces(engines)
        self._feature_bits = feature_bits(engines)
        self._checks_programs = checks_programs(engines)
        self._halved = is_halved(engines)
        self._activate_bytes = (LOCKED_ACTIVATE if is_locked(engines) else packets.ACTIVATE).size
        annealer = engines.find(AnnealerSize)
        self._anneal_lengths = (0,) if annealer is None else run_lengths(annealer)
        self._checks_problems = annealer is not None and annealer.signature > 0
        # `_spaces` lacks the space that only an ANNEAL writes; it needs a number all the same.
        numbers = [number for kind in engines for number in ENGINES[kind].space_numbers]
        super().__init__(
            {
                "type": In(8),
                "left": In(8),
                "address": In(ADDRESS_BITS),
                "space": In(max(numbers).bit_length()),
                "space_known": In(1),
                "active": In(1),
                "filled": In(self._feature_bits),
                "annealing": In(1),
                "kind": Out(RequestKind),
                "fills": Out(1),
                "annealers": Out(1),
                "length_status": Out(STATUS_BITS),
                "argument_status": Out(STATUS_BITS),
            }
            | ({"corrupt": In(1)} if self._checks_programs else {})
            | ({"missing": In(1)} if self._halved else {})
            | ({"problem_corrupt": In(1)} if self._checks_problems else {})
        )

    def elaborate(self, platform):
        m = Module()

        kind, left, address = self.kind, self.left, self.address
        for candidate in sorted(self._requests):
            m.d.sync += kind[candidate.name.lower()].eq(self.type == candidate)
        if PacketType.FEATURES in self._requests:
            m.d.sync += self.fills.eq(
                (self.type == PacketType.FEATURES) | (self.type == PacketType.RUN)
            )

        # Check the length. Lists of constants become smaller logic than comparisons, for which
        # Yosys builds adders.

        def longer_than(length):
            return ~left.matches(*range(length + 1))

        def any_length(lengths):
            return functools.reduce(operator.or_, (left == length for length in lengths))

        length_fits = Signal()
        m.d.comb += length_fits.eq(
            ((kind.hello | kind.status) & (left == 0))
            | (kind.write & longer_than(ARGUMENTS[PacketType.WRITE]))
            | (kind.read & (left == ARGUMENTS[PacketType.READ]))
            | (kind.activate & (left == self._activate_bytes))
            | (self.fills & longer_than(packets.OFFSET.size))
            | (kind.anneal & any_length(self._anneal_lengths))
        )
        length_status, argument_status = self.length_status, self.argument_status
        if self._staged:
            length_status = Signal(STATUS_BITS)
            argument_status = Signal(STATUS_BITS)
            m.d.sync += [
                self.length_status.eq(length_status),
                self.argument_status.eq(argument_status),
            ]
        with m.If(~kind.as_value().any()):
            m.d.comb += length_status.eq(Status.UNKNOWN_TYPE)
        with m.Elif(~length_fits):
            m.d.comb += length_status.eq(Status.BAD_LENGTH)

        # Check the arguments.

        feature_bits = self._feature_bits
        address_bits = max(feature_bits, *(space.bits for space in self._spaces.values()))
        # Address of the last byte. One bit more than an address: past the end it does not wrap.
        final = Signal(address_bits + 1)
        further = (left - 1)[:8]
        if self._staged:
            further = Signal(8)
            m.d.sync += further.eq(left - 1)
        m.d.sync += final.eq(address[:address_bits] + further)

        def compared(answer: Value) -> Value:
            """Put a register behind a comparison, if staged; the status has another."""
            if not self._staged:
                return answer
            register = Signal()
            m.d.sync += register.eq(answer)
            return register

        in_address = Signal()
        in_features = Signal()
        features_fit = Signal()
        in_space = Signal()
        continues = Signal()
        count_fits = Signal()
        m.d.comb += [
            in_address.eq(compared(address[address_bits:] == 0)),
            in_features.eq(in_address & compared(final[feature_bits:] == 0)),
            features_fit.eq(
                Mux(
                    compared(address[:feature_bits] == 0),
                    compared(address[feature_bits:] == 1),
                    compared(address[feature_bits:] == 0),
                )
            ),
            continues.eq(compared(address == 0) | compared(address == self.filled)),
            count_fits.eq(compared(~left.matches(0, *range(MAX_PAYLOAD, 1 << len(left))))),
        ]
        ends_inside = {
            number: compared(final[found.bits :] == 0) for number, found in self._spaces.items()
        }
        with m.Switch(self.space):
            for number, found in self._spaces.items():
                with m.Case(number):
                    # Only WRITE and READ name a space: a request that is no READ is a WRITE here.
                    allowed = (kind.read & found.readable) | (~kind.read & found.writable)
                    m.d.comb += [
                        self.annealers.eq(space_owner(number) == EngineKind.ANNEALER),
                        in_space.eq(self.space_known & in_address & ends_inside[number] & allowed),
                    ]
        with m.If(self.fills):
            with m.If(kind.run & ~self.active):
                m.d.comb += argument_status.eq(Status.NO_MODEL)
                if self._checks_programs:
                    with m.If(self.corrupt):
                        m.d.comb += argument_status.eq(Status.CORRUPT)
            with m.Elif(~continues | ~in_features):
                m.d.comb += argument_status.eq(Status.BAD_OFFSET)
        with m.Elif(kind.activate):
            with m.If(~features_fit):
                m.d.comb += argument_status.eq(Status.BAD_FEATURE_COUNT)
            if self._halved:
                with m.If(self.missing):
                    m.d.comb += argument_status.eq(Status.NO_MODEL)
        with m.Elif(kind.read & ~count_fits):
            m.d.comb += argument_status.eq(Status.BAD_LENGTH)
        with m.Elif(~in_space):
            m.d.comb += argument_status.eq(Status.BAD_ADDRESS)
        with m.Elif(self.annealers & self.annealing):
            m.d.comb += argument_status.eq(Status.BUSY)
        if self._checks_problems:
            with m.Elif(self.annealers & kind.read & self.problem_corrupt):
                m.d.comb += argument_status.eq(Status.CORRUPT)

        return m


def find_last_argument(m: Module, kind: data.View, last_argument: Signal) -> None:
    """Find the index of the last byte of a request's arguments.

    Parameters
    ----------
    m : Module
        The logic is added to it.
    kind : data.View
        Type of the request, a `RequestKind`.
    last_argument : Signal
        The index, which is driven.
    """
    with m.If(kind.read):
        m.d.comb += last_argument.eq(ARGUMENTS[PacketType.READ] - 1)
    with m.Elif(kind.write):
        m.d.comb += last_argument.eq(ARGUMENTS[PacketType.WRITE] - 1)
    with m.Else():
        m.d.comb += last_argument.eq(packets.OFFSET.size - 1)


def find_copies(m: Module, kind: data.View, staged: bool) -> Value:
    """Tell whether the reply to a request copies bytes from a memory, the description or counters.

    Parameters
    ----------
    m : Module
        The logic is added to it.
    kind : data.View
        Type of the request, a `RequestKind`.
    staged : bool
        Whether the answer comes from a register, a cycle late; the type is known long before the
        reply.

    Returns
    -------
    Value
        One bit.
    """
    found = kind.read | kind.hello | kind.status
    if not staged:
        return found
    copies = Signal()
    m.d.sync += copies.eq(found)
    return copies
