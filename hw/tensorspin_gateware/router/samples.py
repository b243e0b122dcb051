"""The state of the contractor's model and samples that the router keeps beyond a request."""

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
    """Give the greatest number of samples that were started and whose results were not sent yet.

    A device with G groups of lanes contracts up to G samples at a time. Meanwhile G more may be
    filled in and wait, and the results of up to 2 G wait to be sent.
    """
    return 4 * size.groups


def feature_bits(engines: Engines) -> int:
    """Give the width of a feature's index in bits; 0 without a contractor."""
    size = engines.find(ContractorSize)
    return 0 if size is None else exact_log2(size.features)


class RouterSamplesSignature(wiring.Signature):
    """Ports of `RouterSamples`, which describes them.

    The router of a device without a contractor has these ports, too, and nothing drives them.

    Parameters
    ----------
    feature_bits : int
        Width of a feature's index in bits.
    """

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
    """Keeps what outlives a request: the model, the sample begun, the runs under way.

    Latency: outputs are registered except `may_fill`, `under_way` and `result_sequence`, which
    follow from registers of this component and the contractor's outputs in the same cycle.

    Resources: a FIFO of `runs_in_flight` sequence numbers, and the counters.

    Parameters
    ----------
    size : ContractorSize
        Size of the device's contractor.

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
    """

    def __init__(self, size: ContractorSize):
        self._size = size
        super().__init__(RouterSamplesSignature(feature_bits(Engines(size))))

    def elaborate(self, platform):
        m = Module()

        # Both this number and `filled` are kept modulo 2**bits, which saves a bit in each. The
        # number of a model's features is 1 or more, so that 0 stands for 2**bits; `filled` may
        # become 0 at a full buffer, which no part can continue anyway.
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
