"""The counters of a run that both builds have: its start, its steps, and its cycles."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from amaranth import Module, Mux, Signal, Value

from tensorspin.contract.annealer.size import START

from .interface import CYCLE_BITS


class StepPorts(Protocol):
    """Ports of a component `Turns` that the functions of this module read and drive."""

    start: Signal
    stop: Signal
    parameters: Signal
    next_step: Signal
    step_index: Signal
    current_step: Signal
    step: Signal
    run: Signal
    running: Signal


class StepStrobes(NamedTuple):
    """Beginnings and ends of steps, as `step_strobes` makes them."""

    last_step: Value
    """High while the running step is the schedule's last."""

    take_step: Signal
    """Strobe: the next step is taken, and is the running one from the next cycle on."""

    ends: Signal
    """Strobe: the last step is left, and with it the run ends."""


def count_cycles(m: Module, start: Value, running: Value) -> Signal:
    """Count the cycles of a run, as the host reads them with the results.

    Parameters
    ----------
    m : Module
        The counter is added to this module.
    start : Value
        Strobe: a run begins. The counter becomes 1, since the cycle of the strobe counts too.
    running : Value
        High during the run. Afterwards the count stays until the next start.

    Returns
    -------
    Signal
        Cycles since the start, modulo ``2**CYCLE_BITS``.
    """
    cycle = Signal(CYCLE_BITS)
    with m.If(start):
        m.d.sync += cycle.eq(1)
    with m.Elif(running):
        m.d.sync += cycle.eq(cycle + 1)
    return cycle


def await_start(m: Module, turns: StepPorts) -> Signal:
    """Count the `START` cycles between the host's start and the first turn.

    The memory of the schedule needs that time to give the first step. A shift register serves as
    the counter: a stop clears it, and a start during the wait begins the wait again.

    Parameters
    ----------
    m : Module
        The register is added to this module.
    turns : component
        Its ports `start` and `stop` are read.

    Returns
    -------
    Signal
        One bit for each cycle of the wait. The highest is high in the last one, so that the first
        turn begins in the next cycle.
    """
    pending = Signal(START - 1)
    m.d.sync += pending.eq(Mux(turns.stop, 0, Mux(turns.start, 1, pending << 1)))
    return pending


def step_strobes(
    m: Module, turns: StepPorts, pending: Value, starting: Value, leaves: Value
) -> StepStrobes:
    """Tell when steps of the schedule begin and end.

    Parameters
    ----------
    m : Module
        The statements are added to this module.
    turns : component
        `running` becomes high while the start is awaited and while there are turns.
    pending : Value
        As from `await_start`.
    starting : Value
        Strobe: the first step is taken.
    leaves : Value
        Strobe: the last cycle of the running step.

    Returns
    -------
    StepStrobes
        The strobes, and whether the running step is the last.
    """
    take_step = Signal()
    ends = Signal()
    # `step_index` is one ahead of the running step, so it equals the number of steps in the last.
    last_step = turns.step_index == turns.parameters.steps
    m.d.comb += [
        take_step.eq(starting | (leaves & ~last_step)),
        ends.eq(leaves & last_step),
        turns.running.eq(turns.run | pending.any()),
    ]
    return StepStrobes(last_step, take_step, ends)


def advance_step(m: Module, turns: StepPorts, take_step: Value) -> None:
    """Go on to the next step of the schedule.

    Parameters
    ----------
    m : Module
        The statements are added to this module.
    turns : component
        `step` becomes `next_step`, `current_step` its index, and `step_index` the index of the step
        after it, which the memory then looks up.
    take_step : Value
        As from `step_strobes`.
    """
    with m.If(take_step):
        m.d.sync += [
            turns.step.eq(turns.next_step),
            turns.step_index.eq(turns.step_index + 1),
            turns.current_step.eq(turns.step_index),
        ]


def end_run(m: Module, turns: StepPorts, ends: Value) -> None:
    """End the run: after its last step, on the host's stop, or because another run starts.

    Must be called after all statements that set `run` or `step_index`, which it overrides.

    Parameters
    ----------
    m : Module
        The statements are added to this module.
    turns : component
        `run` falls, and `step_index` goes back to the first step.
    ends : Value
        Strobe: the last step is left.
    """
    with m.If(ends | turns.stop | turns.start):
        m.d.sync += [turns.run.eq(0), turns.step_index.eq(0)]
