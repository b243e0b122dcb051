"""Counts the sweeps that the replicas share, so that no replica waits at the end of a step."""

from __future__ import annotations

from typing import Protocol

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from tensorspin.contract.annealer.image import SHARED_SWEEPS
from tensorspin.contract.annealer.size import SWEEPS, AnnealerSize

from ..common.run import StepPorts


class StepAndFillPorts(StepPorts, Protocol):
    """Ports of the component `Turns` that `share_sweeps` reads."""

    fills: Signal


class SharedSweeps(wiring.Component):
    """Tells when the replicas together have done the sweeps of a step.

    Two counters do it, without a multiplication of sweeps by replicas: one begins anew whenever as
    many sweeps have ended as there are replicas, which makes one sweep less in the other. Both go
    on over the ends of steps, so that sweeps which end too late for one step count for the next
    (`tensorspin.contract.annealer.sharing`).

    Parameters
    ----------
    size : AnnealerSize
        Size of the annealer.

    Ports
    -----
    reset : In(1)
        The counters begin anew, with `sweeps` sweeps left to do.
    take : In(1)
        Strobe: a further step is begun, and its `sweeps` are added to what is left.
    sweeps : In(16)
        Number of sweeps of that step.
    ended : In(1)
        Strobe: a replica has ended a sweep.
    done : Out(1)
        Nothing is left to do, `ended` of this cycle included. Looked at before the `take` of a
        cycle counts. The number that is left is one modulo ``2**16``, and it falls by one at most
        between two times at which a turn of each replica has ended.

    Latency: `done` is combinational.

    Resources: 76 LUTs and 20 registers (ECP5, 16 replicas).
    """

    def __init__(self, size: AnnealerSize) -> None:
        self._replicas = size.replicas
        super().__init__(
            {
                "reset": In(1),
                "take": In(1),
                "sweeps": In(SWEEPS.width),
                "ended": In(1),
                "done": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        single = Signal(range(self._replicas))
        left = Signal(SWEEPS.width)
        now_left = Signal(SWEEPS.width)
        last = Signal()
        m.d.comb += [
            last.eq(single == self._replicas - 1),
            now_left.eq(left - (self.ended & last)),
            self.done.eq(now_left == 0),
        ]
        m.d.sync += left.eq(now_left + Mux(self.take, self.sweeps, 0))
        with m.If(self.ended):
            m.d.sync += single.eq(Mux(last, 0, single + 1))
        with m.If(self.reset):
            m.d.sync += [left.eq(self.sweeps), single.eq(0)]
        return m


def share_sweeps(
    m: Module,
    turns: StepAndFillPorts,
    size: AnnealerSize,
    ends: Value,
    take_step: Value,
    last_step: Value,
    whole: Value,
    finished: Signal,
) -> Value:
    """Let the steps of a run end by the sweeps of all replicas together, if the run wants it.

    Parameters
    ----------
    m : Module
        The statements are added to this module, after all others that set `finished`.
    turns : component
        Its ports `parameters`, `fills` and `step` are read.
    size : AnnealerSize
        Size of the annealer.
    ends : Value
        Strobe, one cycle before the turn's progress is known: the turn ends a sweep.
    take_step : Value
        Strobe: `turns.step` is the next step from the next cycle on.
    last_step : Value
        High while the running step is the schedule's last, whose sweeps are not shared.
    whole : Value
        Strobe: the progress of all turns of a round is known, and that of no later turn.
    finished : Signal
        The step ends with the round in which this register is high. The round with which a step
        begins can end it: it decides about the sweeps of the round before, in which replicas have
        gone on, too.

    Returns
    -------
    Value
        High in a step whose sweeps are shared.
    """
    m.submodules.sharing = sharing = SharedSweeps(size)
    # Registers, so that nothing is added behind the search and the choice of the step.
    shares, take, ended = Signal(), Signal(), Signal()
    m.d.sync += [
        shares.eq((turns.parameters.initial & SHARED_SWEEPS).any() & ~last_step),
        take.eq(take_step),
        ended.eq(ends),
    ]
    m.d.comb += [
        sharing.reset.eq(turns.fills),
        sharing.take.eq(take),
        sharing.sweeps.eq(turns.step.sweeps),
        sharing.ended.eq(ended),
    ]
    with m.If(shares & whole):
        m.d.sync += finished.eq(sharing.done)
    return shares
