"""The state of the contractor's model and samples that the router keeps beyond a request."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.latency import LONG
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.spatial.size import SpatialSize
from tensorspin.contract.wire import packets
from tensorspin.contract.wire.packets import Status

from ..contractor.interface import ADDRESS_BITS
from ..link.packet import SEQUENCE_BITS
from .copied import field_bytes
from .halves import MEMBERS, Halves, is_halved

CORRUPTED_BITS = 7
"""Width of the counter `DeviceStatus.corrupted`."""


def runs_in_flight(size: ContractorSize | SpatialSize) -> int:
    """Give the greatest number of samples that were started and whose results were not sent yet.

    A device with G groups of lanes contracts up to G samples at a time. Meanwhile G more may be
    filled in and wait, and the results of up to 2 G wait to be sent.
    """
    return 4 * size.groups


def feature_bits(engines: Engines) -> int:
    """Give the width of a feature's index in bits; 0 if no engine takes samples."""
    size = engines.find(ContractorSize) or engines.find(SpatialSize)
    return 0 if size is None else exact_log2(size.features)


def shares_samples(engines: Engines) -> bool:
    """Tell whether the groups of the device's contractor can share a sample, `Mode.SINGLE`."""
    size = engines.find(ContractorSize)
    return size is not None and size.single_drain > 0


def signs_programs(engines: Engines) -> bool:
    """Tell whether the device's contractor computes the signature of the program it reads."""
    size = engines.find(ContractorSize)
    return size is not None and size.signature > 0


def corrects_programs(engines: Engines) -> bool:
    """Tell whether the device's contractor corrects changed bits of protected programs."""
    size = engines.find(ContractorSize)
    return size is not None and size.protected > 0


def checks_programs(engines: Engines) -> bool:
    """Tell whether a run of the device's contractor can find that its program is corrupt."""
    return signs_programs(engines) or corrects_programs(engines)


def corrupted_count(engines: Engines, samples: Any) -> Value:
    """Give the counter of `DeviceStatus.corrupted`; it stays 0 if the device checks no program."""
    return samples.corrupted if checks_programs(engines) else Const(0, CORRUPTED_BITS)


def find_corrupt(m: Module, engines: Engines, samples: Any, status: Signal) -> None:
    """Answer a run that has no scores otherwise, if its model is signed or protected.

    Parameters
    ----------
    m : Module
        The logic is added to it.
    engines : Engines
        The device's engines.
    samples : interface
        The ports of `RouterSamples`.
    status : Signal
        The answer's status.
    """
    if checks_programs(engines):
        checked = samples.signed
        if corrects_programs(engines):
            checked = checked | samples.protected
        with m.If(checked):
            m.d.comb += samples.find_corrupt.eq(1)
            m.d.sync += status.eq(Status.CORRUPT)


class RouterSamplesSignature(wiring.Signature):
    """Ports of `RouterSamples`, which describes them.

    The router of a device without a contractor has these ports, too, and nothing drives them.

    Parameters
    ----------
    feature_bits : int
        Width of a feature's index in bits.
    checks : bool, default=False
        Whether programs are signed or protected.
    corrects : bool, default=False
        Whether programs are protected.
    halved : bool, default=False
        Whether the contractor's memories have halves.
    """

    def __init__(
        self, feature_bits: int, checks: bool = False, corrects: bool = False, halved: bool = False
    ):
        _, digest_bytes = field_bytes(packets.ACTIVATE)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "data": In(8),
                "sequence": In(SEQUENCE_BITS),
                "idle": In(1),
                "busy": In(1),
                "fill_ready": In(1),
                "set_features": In(1),
                "shift_digest": In(1),
                "activate": In(1),
                "deactivate": In(1),
                "end_part": In(1),
                "forget": In(1),
                "reset": In(1),
                "start": In(1),
                "take_result": In(1),
                "count": In(1),
                "active": Out(1),
                "digest": Out(8 * digest_bytes),
                "filled": Out(feature_bits),
                "complete": Out(1),
                "samples": Out(32),
                "busy_cycles": Out(32),
                "may_fill": Out(1),
                "under_way": Out(1),
                "result_sequence": Out(SEQUENCE_BITS),
            }
            | (
                {
                    "set_signed": In(1),
                    "find_corrupt": In(1),
                    "signed": Out(1),
                    "corrupt": Out(1),
                    "corrupted": Out(CORRUPTED_BITS),
                }
                if checks
                else {}
            )
            | ({"set_protected": In(1), "protected": Out(1)} if corrects else {})
            | (MEMBERS if halved else {})
        )


class RouterSamples(wiring.Component):
    """Keeps what outlives a request: the model, the sample begun, the runs under way.

    Latency: outputs are registered except `may_fill`, `under_way` and `result_sequence`, which
    follow from registers of this component and the contractor's outputs in the same cycle.

    Resources: a FIFO of `runs_in_flight` sequence numbers, and the counters.

    Parameters
    ----------
    size : ContractorSize or SpatialSize
        Size of the device's contractor, or of what takes its place.

    Ports
    -----
    address : In(ADDRESS_BITS)
        With `set_features`, the model's number of features; with `end_part`, the number of features
        filled so far.
    data : In(8)
        With `shift_digest`, a byte of the model's digest.
    sequence : In(SEQUENCE_BITS)
        With `start`, the sequence number of the RUN, which its result will carry.
    idle : In(1)
        From the contractor: no sample waits, is contracted, or has results unread.
    busy : In(1)
        From the contractor: a sample is being contracted.
    fill_ready : In(1)
        From the contractor: its feature memory may be written.
    set_features : In(1)
        Strobe: take the model's number of features from `address`.
    shift_digest : In(1)
        Strobe: take a byte of the model's digest from `data`, lowest byte first.
    activate : In(1)
        Strobe: the model is whole and may be run.
    deactivate : In(1)
        Strobe: a memory of the contractor has changed, and the model may not be run.
    end_part : In(1)
        Strobe: a part of a sample ended at `address`.
    forget : In(1)
        With `end_part`: the part was refused, and the sample begun is forgotten.
    reset : In(1)
        Strobe: a session begins, and the sample begun is forgotten.
    start : In(1)
        Strobe: the sample is complete and runs.
    take_result : In(1)
        Strobe: the oldest result is being sent, and its sequence number is no longer needed.
    count : In(1)
        Strobe: that result has scores, and counts as a sample.
    active : Out(1)
        High while a model may be run.
    digest : Out(32)
        The model's digest.
    filled : Out(log2(features))
        Number of features of the sample begun, modulo the greatest possible number.
    complete : Out(1)
        High if `address` is the model's number of features; one cycle late.
    samples, busy_cycles : Out(32)
        The counters of `DeviceStatus`.
    may_fill : Out(1)
        High if one more sample may be filled.
    under_way : Out(1)
        High while a sample waits, is contracted, or its result is not sent.
    result_sequence : Out(SEQUENCE_BITS)
        Sequence number of the request that the oldest result belongs to.
    set_signed : In(1)
        Only where programs are signed or protected, like all ports below. With `set_features`, the
        model is signed.
    find_corrupt : In(1)
        Strobe: a result of a signed or protected model has no scores.
    signed : Out(1)
        The model is signed.
    corrupt : Out(1)
        The model has become inactive by `find_corrupt`.
    corrupted : Out(CORRUPTED_BITS)
        How often that has happened, modulo 2**CORRUPTED_BITS.
    set_protected : In(1)
        Only where programs are protected, like `protected`. With `set_features`, the model is.
    protected : Out(1)
        The model is protected.
    second, stands_by, swap, written, written_half, half, both, missing
        Only where the contractor's memories have halves: as for `Halves`, which then says whether
        `set_features`, `shift_digest` and `activate` have an effect, and takes the place of
        `deactivate`.
    """

    def __init__(self, size: ContractorSize | SpatialSize):
        self._size = size
        engines = Engines(size)
        self._checks, self._corrects = checks_programs(engines), corrects_programs(engines)
        self._halved = is_halved(engines)
        super().__init__(
            RouterSamplesSignature(
                feature_bits(engines), self._checks, self._corrects, self._halved
            )
        )

    def elaborate(self, platform):
        m = Module()

        set_features, shift_digest = self.set_features, self.shift_digest
        activate, deactivate = self.activate, self.deactivate
        if self._halved:
            m.submodules.halves = halves = Halves()
            for name, member in MEMBERS.items():
                ours, theirs = getattr(self, name), getattr(halves, name)
                m.d.comb += theirs.eq(ours) if member.flow is In else ours.eq(theirs)
            m.d.comb += [halves.activate.eq(activate), halves.active.eq(self.active)]
            if self._checks:
                m.d.comb += halves.corrupt.eq(self.find_corrupt)
            set_features, shift_digest, activate = (
                strobe & ~halves.keeps for strobe in (set_features, shift_digest, activate)
            )
            deactivate = halves.deactivate

        # Both this number and `filled` are kept modulo 2**bits, which saves a bit in each. The
        # number of a model's features is 1 or more, so that 0 stands for 2**bits; `filled` may
        # become 0 at a full buffer, which no part can continue anyway.
        bits = len(self.filled)
        model_features = Signal(bits)
        m.d.sync += [
            self.complete.eq(self.address[:bits] == model_features),
            self.busy_cycles.eq(self.busy_cycles + self.busy),
        ]
        with m.If(set_features):
            m.d.sync += model_features.eq(self.address)
        with m.If(shift_digest):
            m.d.sync += self.digest.eq(Cat(self.digest[8:], self.data))
        with m.If(activate):
            m.d.sync += self.active.eq(1)
        with m.If(deactivate):
            m.d.sync += self.active.eq(0)
        end_part, forgets, begins = self.end_part, self.forget, self.start | self.reset
        if isinstance(self._size, ContractorSize) and self._size.latencies is LONG:
            # A cycle late: neither the address changes by then, nor is `filled` compared.
            strobes = Signal(3)
            m.d.sync += strobes.eq(Cat(end_part, forgets, begins))
            end_part, forgets, begins = strobes
        with m.If(end_part):
            m.d.sync += self.filled.eq(Mux(forgets, 0, self.address))
        with m.If(begins):
            m.d.sync += self.filled.eq(0)
        with m.If(self.count):
            m.d.sync += self.samples.eq(self.samples + 1)

        if self._checks:
            with m.If(set_features):
                m.d.sync += self.signed.eq(self.set_signed)
                if self._corrects:
                    m.d.sync += self.protected.eq(self.set_protected)
            with m.If(activate | deactivate):
                m.d.sync += self.corrupt.eq(0)
            # No request but of samples is executed before all results are sent.
            with m.If(self.find_corrupt):
                m.d.sync += [
                    self.corrupt.eq(1),
                    self.active.eq(0),
                    self.corrupted.eq(self.corrupted + self.active),
                ]

        m.submodules.runs = runs = fifo.SyncFIFOBuffered(
            width=SEQUENCE_BITS, depth=runs_in_flight(self._size)
        )
        m.d.comb += [
            runs.w_data.eq(self.sequence),
            runs.w_en.eq(self.start),
            runs.r_en.eq(self.take_result),
            self.result_sequence.eq(runs.r_data),
            self.may_fill.eq(self.fill_ready & runs.w_rdy),
            self.under_way.eq(~self.idle | (runs.level != 0)),
        ]
        return m
