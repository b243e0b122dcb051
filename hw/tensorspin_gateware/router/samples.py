"""What the router knows of the contractor's model and samples."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import fifo, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.wire import packets

from ..contractor.interface import ADDRESS_BITS
from ..link.packet import SEQUENCE_BITS
from .copied import field_bytes


def runs_in_flight(size: ContractorSize) -> int:
    """Samples started whose results have not been sent, at most.

    One group of them is filled, one is contracted, and the results of two are unread.
    """
    return 4 * size.groups


def feature_bits(engines: Engines) -> int:
    """Give the width of a feature's index in bits; 0 without a contractor."""
    size = engines.find(ContractorSize)
    return 0 if size is None else exact_log2(size.features)


class RouterSamplesSignature(wiring.Signature):
    """Ports of `RouterSamples`; a device without a contractor has them too, and nothing drives them."""

    def __init__(self, feature_bits: int):
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
        )


class RouterSamples(wiring.Component):
    """State that outlives a request: the model's, the sample begun, the runs under way.

    Parameters
    ----------
    size : ContractorSize

    Ports
    -----
    address : In(ADDRESS_BITS)
        Number of features, or of those filled.
    data : In(8)
    sequence : In(SEQUENCE_BITS)
        Of a run that starts.
    idle, busy, fill_ready : In(1)
        The contractor's.
    set_features, shift_digest, activate, deactivate : In(1)
        Strobes: take the model's number of features from `address`, a byte of its digest from
        `data`; the model may be run, or not.
    end_part, forget : In(1)
        Strobe: a part of a sample ended at `address`; or was refused, and the sample is forgotten.
    reset : In(1)
        Strobe: a session begins.
    start : In(1)
        Strobe: the sample is complete and runs.
    take_result, count : In(1)
        Strobes: the oldest result is sent; it has scores.
    active, digest, filled
        Of the model and the sample begun.
    complete : Out(1)
        `address` is the model's number of features; a cycle late.
    samples, busy_cycles : Out(32)
        The counters of `DeviceStatus`.
    may_fill : Out(1)
        One more sample may be filled.
    under_way : Out(1)
        A sample is waiting, contracted, or its result unsent.
    result_sequence : Out(SEQUENCE_BITS)
        Of the request that the oldest result belongs to.
    """

    def __init__(self, size: ContractorSize):
        self._size = size
        super().__init__(RouterSamplesSignature(feature_bits(Engines(size))))

    def elaborate(self, platform):
        m = Module()

        # Modulo 2**bits, as `filled`: 0 stands for all features where there must be a feature, and
        # a full buffer cannot be continued.
        bits = len(self.filled)
        model_features = Signal(bits)
        m.d.sync += [
            self.complete.eq(self.address[:bits] == model_features),
            self.busy_cycles.eq(self.busy_cycles + self.busy),
        ]
        with m.If(self.set_features):
            m.d.sync += model_features.eq(self.address)
        with m.If(self.shift_digest):
            m.d.sync += self.digest.eq(Cat(self.digest[8:], self.data))
        with m.If(self.activate):
            m.d.sync += self.active.eq(1)
        with m.If(self.deactivate):
            m.d.sync += self.active.eq(0)
        with m.If(self.end_part):
            m.d.sync += self.filled.eq(Mux(self.forget, 0, self.address))
        with m.If(self.start | self.reset):
            m.d.sync += self.filled.eq(0)
        with m.If(self.count):
            m.d.sync += self.samples.eq(self.samples + 1)

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
