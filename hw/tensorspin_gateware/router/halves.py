"""Which halves of the contractor's memories runs use, and whether the other holds a model."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.contractor.memory import MemorySpace
from tensorspin.contract.contractor.resident import half_bit
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.engines import Engines
from tensorspin.contract.wire import packets


def is_halved(engines: Engines) -> bool:
    """Tell whether the memories of the device's contractor have two halves."""
    size = engines.find(ContractorSize)
    return size is not None and size.resident > 0


FLAGS = {"second": packets.SECOND, "stands_by": packets.STANDBY, "swap": packets.SWAP}
"""Ports of `Halves` that are bits of an ACTIVATE's number of features."""

MEMBERS = {
    **{name: In(1) for name in FLAGS},
    "written": In(1),
    "written_half": In(1),
    "half": Out(1),
    "both": Out(1),
    "missing": Out(1),
}
"""Ports of `Halves` that are also ports of `tensorspin_gateware.router.samples.RouterSamples`."""


class Halves(wiring.Component):
    """Keeps which halves runs use, and whether the other half holds a whole model.

    Whether the half that runs use holds one is kept by `RouterSamples`, as in a device without
    halves.

    Ports
    -----
    second, stands_by, swap : In(1)
        Bits of the ACTIVATE that is executed: `packets.SECOND`, `STANDBY`, `SWAP`. The last two
        together are `packets.BOTH`.
    activate : In(1)
        Strobe: the ACTIVATE has its effect.
    active : In(1)
        The half that runs use holds a whole model.
    written, written_half : In(1)
        Strobe: a byte of one of the memories is written; and the half that it is in.
    corrupt : In(1)
        Strobe: a run has found its program corrupt.
    half : Out(1)
        The half that runs use; registered.
    both : Out(1)
        Runs use that half, and then the other one; registered.
    keeps : Out(1)
        The ACTIVATE is about the other half alone, which goes on to stand by; combinational, as the
        ports below.
    missing : Out(1)
        The ACTIVATE asks for a half that holds a whole model, and it does not.
    deactivate : Out(1)
        Strobe: a byte of what runs use is written.

    Latency: `half` and `both` change in the cycle after `activate`. Resources: three registers and
    about a dozen LUTs.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                **MEMBERS,
                "activate": In(1),
                "active": In(1),
                "corrupt": In(1),
                "keeps": Out(1),
                "deactivate": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        other = Signal()
        elsewhere = Signal()
        whole = Signal()
        both_whole = Signal()
        m.d.comb += [
            elsewhere.eq(self.second != self.half),
            self.keeps.eq(elsewhere & self.stands_by & ~self.swap),
            whole.eq(Mux(elsewhere, other, self.active)),
            both_whole.eq(other & self.active),
            self.missing.eq(self.swap & ~Mux(self.stands_by, both_whole, whole)),
            self.deactivate.eq(self.written & (self.both | (self.written_half == self.half))),
        ]
        with m.If(self.activate & self.keeps):
            m.d.sync += other.eq(1)
        with m.Elif(self.activate):
            m.d.sync += self.both.eq(self.stands_by & self.swap)
            with m.If(elsewhere):
                m.d.sync += [self.half.eq(self.second), other.eq(self.active)]
        spoiled = self.corrupt & self.both
        with m.If((self.written & (self.written_half != self.half)) | spoiled):
            m.d.sync += other.eq(0)
        return m


def written_half(size: ContractorSize, space: Value, address: Value) -> Value:
    """Give the half that an address is in.

    Parameters
    ----------
    size : ContractorSize
        Parameters of the contractor.
    space, address : Value
        The memory and the byte address.

    Returns
    -------
    Value
        0 or 1.
    """
    program, table = (address[half_bit(size, each)] for each in MemorySpace)
    return Mux(space == MemorySpace.TABLE, table, program)
