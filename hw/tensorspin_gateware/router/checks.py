"""What kind of request this is, and whether it may be executed."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import run_bytes
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.device.capabilities import device_requests, device_spaces, space_owner
from tensorspin.contract.device.engines import ENGINES, Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.packets import PacketType, Status

from ..contractor.interface import ADDRESS_BITS
from .samples import feature_bits

STATUS_BITS = max(Status).bit_length()

ARGUMENTS = {
    PacketType.WRITE: packets.MEMORY.size,
    PacketType.READ: packets.MEMORY.size + packets.READ_COUNT.size,
    PacketType.ACTIVATE: packets.OFFSET.size,
    PacketType.FEATURES: packets.OFFSET.size,
    PacketType.RUN: packets.OFFSET.size,
}
"""Bytes at the payload's start that say where the rest goes; ACTIVATE's number of features has the
place of an offset, its digest is the rest."""

RequestKind = data.StructLayout({kind.name.lower(): 1 for kind in PacketType})
"""One bit for each type of request; none is set for a type that is not known."""


class RequestChecks(wiring.Component):
    """Decodes the type of a request and judges its header, then its arguments.

    Latency: `kind`, `fills` and the sum behind `argument_status` are registered, one cycle after
    the ports that they come from; from there on both statuses are combinational.

    What belongs to an engine that the device lacks is constant, so that nothing is left of it.

    Parameters
    ----------
    engines : Engines
        The device's engines.

    Ports
    -----
    type : In(8)
    left : In(8)
        Bytes of the payload for `length_status`; bytes to copy, at least 1 except for READ, for
        `argument_status`.
    address : In(ADDRESS_BITS)
        Byte address, offset, or number of features.
    space : In
        Memory space.
    space_known : In(1)
        `space` is the byte of the request.
    active : In(1)
        A model is loaded.
    filled : In(log2(features))
        Features of the sample begun.
    annealing : In(1)
        The annealer is running.
    kind : Out(RequestKind)
    fills : Out(1)
        It brings features.
    annealers : Out(1)
        `space` is one of the annealer's; combinational.
    length_status, argument_status : Out(STATUS_BITS)
        `Status.OK` or why the request is refused.
    """

    def __init__(self, engines: Engines):
        self._requests = device_requests(engines)
        self._spaces = device_spaces(engines)
        self._feature_bits = feature_bits(engines)
        annealer = engines.find(AnnealerSize)
        self._anneal_bytes = 0 if annealer is None else run_bytes(annealer)
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

        # The length. (Lists of constants make smaller logic than comparisons, which become adders.)

        def longer_than(length):
            return ~left.matches(*range(length + 1))

        length_fits = Signal()
        m.d.comb += length_fits.eq(
            ((kind.hello | kind.status) & (left == 0))
            | (kind.write & longer_than(ARGUMENTS[PacketType.WRITE]))
            | (kind.read & (left == ARGUMENTS[PacketType.READ]))
            | (kind.activate & (left == packets.ACTIVATE.size))
            | (self.fills & longer_than(packets.OFFSET.size))
            | (kind.anneal & (left == self._anneal_bytes))
        )
        with m.If(~kind.as_value().any()):
            m.d.comb += self.length_status.eq(Status.UNKNOWN_TYPE)
        with m.Elif(~length_fits):
            m.d.comb += self.length_status.eq(Status.BAD_LENGTH)

        # The arguments.

        feature_bits = self._feature_bits
        address_bits = max(feature_bits, *(space.bits for space in self._spaces.values()))
        final = Signal(address_bits + 1)  # address of the last byte
        m.d.sync += final.eq(address[:address_bits] + (left - 1)[:8])
        in_address = Signal()
        in_features = Signal()
        features_fit = Signal()
        in_space = Signal()
        continues = Signal()
        count_fits = Signal()
        m.d.comb += [
            in_address.eq(address[address_bits:] == 0),
            in_features.eq(in_address & (final[feature_bits:] == 0)),
            features_fit.eq(
                Mux(
                    address[:feature_bits] == 0,
                    address[feature_bits:] == 1,
                    address[feature_bits:] == 0,
                )
            ),
            continues.eq((address == 0) | (address == self.filled)),
            count_fits.eq(~left.matches(0, *range(packets.MAX_PAYLOAD, 1 << len(left)))),
        ]
        with m.Switch(self.space):
            for candidate, found in self._spaces.items():
                with m.Case(candidate):
                    # In a COPY of bytes it is one or the other.
                    allowed = (kind.read & found.readable) | (~kind.read & found.writable)
                    m.d.comb += [
                        self.annealers.eq(space_owner(candidate) == EngineKind.ANNEALER),
                        in_space.eq(
                            self.space_known & in_address & (final[found.bits :] == 0) & allowed
                        ),
                    ]
        with m.If(self.fills):
            with m.If(kind.run & ~self.active):
                m.d.comb += self.argument_status.eq(Status.NO_MODEL)
            with m.Elif(~continues | ~in_features):
                m.d.comb += self.argument_status.eq(Status.BAD_OFFSET)
        with m.Elif(kind.activate):
            with m.If(~features_fit):
                m.d.comb += self.argument_status.eq(Status.BAD_FEATURE_COUNT)
        with m.Elif(kind.read & ~count_fits):
            m.d.comb += self.argument_status.eq(Status.BAD_LENGTH)
        with m.Elif(~in_space):
            m.d.comb += self.argument_status.eq(Status.BAD_ADDRESS)
        with m.Elif(self.annealers & self.annealing):
            m.d.comb += self.argument_status.eq(Status.BUSY)

        return m
