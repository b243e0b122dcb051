"""Joins the router to the engines that a device has; to those that it lacks, at no cost.

For an engine that is missing the router sees ports that nothing drives and nobody reads: zeros, of
which synthesis leaves nothing.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.size import ContractorSize

from ..annealer.common.interface import AnnealerSignature
from ..contractor.interface import ContractorSignature
from .samples import Samples, SamplesSignature

_ANY_CONTRACTOR = ContractorSize(
    lanes=1, program_words=2, features=2, components=2, slots=2, slot_entries=2
)


class AnnealsSignature(wiring.Signature):
    """What the router knows of the annealer beyond its ports.

    Members
    -------
    step : Out
        Of the run under way, else 0.
    clearing : Out(1)
        The memories may not be written.
    cleared : Out(1)
        They have been cleared since configuration.
    """

    def __init__(self, step_bits: int):
        super().__init__({"step": Out(step_bits), "clearing": Out(1), "cleared": Out(1)})


def connect_contractor(m: Module, router: wiring.Component, size: ContractorSize | None):
    """The contractor's ports, and a `Samples` beside them."""
    if size is None:
        return ContractorSignature(_ANY_CONTRACTOR).create(), SamplesSignature(None).create()
    contractor = router.contractor
    m.submodules.samples = samples = Samples(size)
    m.d.comb += [
        samples.idle.eq(contractor.idle),
        samples.busy.eq(contractor.busy),
        samples.fill_ready.eq(contractor.fill_ready),
        contractor.start.eq(samples.start),
    ]
    return contractor, samples


def connect_annealer(m: Module, router: wiring.Component, size: AnnealerSize | None):
    """The annealer's ports, and a `AnnealsSignature` beside them."""
    if size is None:
        return AnnealerSignature().create(), AnnealsSignature(1).create()
    annealer = router.annealer
    anneals = AnnealsSignature(len(annealer.step)).create()
    cleared = Signal()
    memory = annealer.memory
    with m.If(memory.write_enable & (memory.space == AnnealerSpace.CLEAR)):
        m.d.sync += cleared.eq(1)
    m.d.comb += [anneals.clearing.eq(~annealer.ready), anneals.cleared.eq(cleared)]
    with m.If(annealer.running):
        m.d.comb += anneals.step.eq(annealer.step)
    return annealer, anneals
