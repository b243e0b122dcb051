"""Joins the router to the engines that a device has; those that it lacks cost nothing.

The router's state machine handles the ports of every engine. For an engine that is missing it gets
ports that nothing drives and nobody reads instead: they are zeros, and synthesis removes all logic
that depends on them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from tensorspin.contract.annealer.image import AnnealerSpace
from tensorspin.contract.annealer.size import AnnealerSize
from tensorspin.contract.contractor.size import ContractorSize
from tensorspin.contract.device.engines import ENGINES, Engines
from tensorspin.contract.engine import EngineKind
from tensorspin.contract.spatial.size import SpatialSize

from ..annealer.common.interface import AnnealerSignature
from ..contractor.interface import ContractorSignature
from ..spatial.interface import IN_FLIGHT, SpatialSignature
from .copied import pack_status
from .halves import is_halved, written_half
from .samples import (
    CORRUPTED_BITS,
    RouterSamples,
    RouterSamplesSignature,
    corrupted_count,
    runs_in_flight,
)

_ANY_CONTRACTOR = ContractorSize(
    lanes=1, program_words=2, features=2, components=2, slots=2, slot_entries=2
)
"""The smallest contractor, whose ports a device without a contractor pretends to have."""


class AnnealsSignature(wiring.Signature):
    """What the router knows of the annealer beyond the annealer's own ports.

    Parameters
    ----------
    step_bits : int
        Width of a step's index.
    signature : int, default=0
        As `AnnealerSize.signature`.

    Members
    -------
    step : Out(step_bits)
        Index of the step that is annealed; 0 while there is no run.
    clearing : Out(1)
        High while the annealer clears its memories, which may not be written then.
    cleared : Out(1)
        High once the memories have been cleared since configuration, unless they were found to hold
        something else since.
    corrupt : Out(1)
        Only with `signature`: so they were found after the last run.
    corrupted : Out(CORRUPTED_BITS)
        Only with `signature`: how often they were.
    """

    def __init__(self, step_bits: int, signature: int = 0):
        super().__init__(
            {"step": Out(step_bits), "clearing": Out(1), "cleared": Out(1)}
            | ({"corrupt": Out(1), "corrupted": Out(CORRUPTED_BITS)} if signature else {})
        )


def _connect_contractor(m: Module, router: Any, size: ContractorSize):
    """Give the contractor's ports, and add a `RouterSamples` beside them."""
    contractor = router.contractor
    m.submodules.samples = samples = RouterSamples(size)
    m.d.comb += [
        samples.idle.eq(contractor.idle),
        samples.busy.eq(contractor.busy),
        samples.fill_ready.eq(contractor.fill_ready),
        contractor.start.eq(samples.start),
    ]
    if size.signature:
        m.d.comb += contractor.signed.eq(samples.signed)
    if size.protected:
        m.d.comb += contractor.protected.eq(samples.protected)
    if size.resident:
        memory = contractor.memory
        m.d.comb += [
            samples.written.eq(memory.write_enable),
            samples.written_half.eq(written_half(size, memory.space, memory.address)),
            contractor.half.eq(samples.half),
            contractor.both.eq(samples.both),
        ]
    return contractor, samples


def _connect_annealer(m: Module, router: Any, size: AnnealerSize):
    """Give the annealer's ports, and what `AnnealsSignature` has beside them."""
    annealer = router.annealer
    anneals = AnnealsSignature(len(annealer.step), size.signature).create()
    cleared = Signal()
    memory = annealer.memory
    with m.If(memory.write_enable & (memory.space == AnnealerSpace.CLEAR)):
        m.d.sync += cleared.eq(1)
    if size.signature:
        with m.If(annealer.start):
            m.d.sync += anneals.corrupt.eq(0)
        with m.If(annealer.corrupt):
            m.d.sync += [
                anneals.corrupt.eq(1),
                anneals.corrupted.eq(anneals.corrupted + 1),
                cleared.eq(0),
            ]
    m.d.comb += [anneals.clearing.eq(~annealer.ready), anneals.cleared.eq(cleared)]
    with m.If(annealer.running):
        m.d.comb += anneals.step.eq(annealer.step)
    return annealer, anneals


def _connect_spatial(m: Module, router: Any, size: SpatialSize):
    """Give the spatial engine's ports, which are those of a contractor, and a `RouterSamples`."""
    spatial = router.spatial
    assert runs_in_flight(size) <= IN_FLIGHT
    m.submodules.samples = samples = RouterSamples(size)
    m.d.comb += [
        samples.idle.eq(spatial.idle),
        samples.busy.eq(spatial.busy),
        samples.fill_ready.eq(spatial.fill_ready),
        spatial.start.eq(samples.start),
        spatial.load.eq(samples.activate),
    ]
    return spatial, samples


@dataclass(frozen=True)
class _Connection:
    """How the router and one engine are joined.

    Parameters
    ----------
    signature : callable
        Makes the signature of the router's port for it, from the engine's size and whether its
        memories stand by while nobody uses them.
    connect : callable
        Joins them: takes the module, the router, and the engine's size. Returns the engine's ports,
        and what the router keeps beside them.
    stand_in : callable
        Makes the same two things for a device that lacks the engine.
    """

    signature: Callable[[Any, bool], wiring.Signature]
    connect: Callable[[Module, Any, Any], tuple[Any, Any]]
    stand_in: Callable[[], tuple[Any, Any]]


_CONNECTIONS = {
    EngineKind.CONTRACTOR: _Connection(
        ContractorSignature,
        _connect_contractor,
        lambda: (
            ContractorSignature(_ANY_CONTRACTOR).create(),
            RouterSamplesSignature(feature_bits=0).create(),
        ),
    ),
    EngineKind.ANNEALER: _Connection(
        lambda size, standby: AnnealerSignature(standby, size.signature),
        _connect_annealer,
        lambda: (AnnealerSignature().create(), AnnealsSignature(1).create()),
    ),
    EngineKind.SPATIAL: _Connection(
        lambda size, standby: SpatialSignature(size),
        _connect_spatial,
        lambda: (
            ContractorSignature(_ANY_CONTRACTOR).create(),
            RouterSamplesSignature(feature_bits=0).create(),
        ),
    ),
}


def scoring_engine(engines: Engines) -> EngineKind:
    """Name the engine to which samples go: the spatial one if a device has it, the contractor."""
    return EngineKind.SPATIAL if EngineKind.SPATIAL in engines else EngineKind.CONTRACTOR


def engine_ports(engines: Engines, standby: bool) -> dict[str, wiring.Member]:
    """Make the router's ports for the engines of a device, by the engine's name."""
    return {
        ENGINES[kind].name: Out(_CONNECTIONS[EngineKind(kind)].signature(size, standby))
        for kind, size in engines.items()
    }


def connect_engine(m: Module, router: Any, engines: Engines, kind: EngineKind) -> tuple[Any, Any]:
    """Join the router to an engine, if the device has it.

    Parameters
    ----------
    m : Module
        The router's module.
    router : Router
        Its port for the engine has the engine's name.
    engines : Engines
        The device's engines.
    kind : EngineKind
        Which engine.

    Returns
    -------
    tuple
        The engine's ports, and what the router keeps beside them; both are unconnected if the
        device lacks the engine.
    """
    connection = _CONNECTIONS[kind]
    if kind in engines:
        return connection.connect(m, router, engines[kind])
    return connection.stand_in()


def device_status(router: Any, samples: Any, annealer: Any, anneals: Any) -> Value:
    """Collect what a reply to STATUS tells.

    Parameters
    ----------
    router : Router
        It has the link's counters.
    samples : interface
        The ports of `RouterSamples`.
    annealer, anneals : interface
        The annealer's ports, and what the router keeps beside them.

    Returns
    -------
    Value
        The reply's bytes, as `pack_status` gives them.
    """
    return pack_status(
        active=samples.active,
        digest=samples.digest,
        damaged=router.counters.damaged,
        out_of_sequence=router.counters.out_of_sequence,
        overflows=router.counters.overflows,
        samples=samples.samples,
        busy_cycles=samples.busy_cycles,
        step=anneals.step,
        annealing=annealer.running,
        cleared=anneals.cleared,
        corrupted=_corrupted(router._engines, samples, anneals),
        half=samples.active & samples.half if is_halved(router._engines) else None,
    )


def _corrupted(engines: Engines, samples: Any, anneals: Any) -> Value:
    """Add up how often engines have found that their memories hold something else than written."""
    count = corrupted_count(engines, samples)
    if not checks_problems(engines):
        return count
    return (count + anneals.corrupted)[:CORRUPTED_BITS]


def checks_problems(engines: Engines) -> bool:
    """Tell whether the device's annealer checks its memories."""
    size = engines.find(AnnealerSize)
    return size is not None and size.signature > 0


def problem_check(engines: Engines, checks: Any, anneals: Any) -> list:
    """Tell the checks of requests what the annealer has found, if it checks its memories.

    Parameters
    ----------
    engines : Engines
        The device's engines.
    checks : RequestChecks
        Its port is driven.
    anneals : interface
        What the router keeps beside the annealer's ports.

    Returns
    -------
    list
        Statements.
    """
    return [checks.problem_corrupt.eq(anneals.corrupt)] if checks_problems(engines) else []
