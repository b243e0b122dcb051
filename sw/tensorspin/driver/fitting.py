"""Whether a problem and a run fit a device's annealer."""

from __future__ import annotations

from collections.abc import Sequence

from ..contract.annealer.problem import IsingProblem, Step
from ..contract.annealer.size import (
    CYCLES,
    PROBABILITY,
    REFRESH,
    RING,
    START,
    STEP_ROUNDS,
    SWEEPS,
    AnnealerSize,
)
from ..contract.annealer.tempering import Ladder, exchange_rounds
from ..errors import CapacityError


def fit_problem(problem: IsingProblem, size: AnnealerSize) -> IsingProblem:
    """The problem as one of the device's.

    Raises
    ------
    CapacityError
        If it has more variables than the device has spins.
    ValueError, TypeError
        If something else of it does not fit, or it is none.
    """
    if not isinstance(problem, IsingProblem):
        raise TypeError(f"a problem must be an IsingProblem, not {type(problem).__name__}")
    if problem.size == size:
        return problem
    if problem.variables > size.spins:
        advice = "fix some of them, or decompose the problem"
        raise CapacityError("variables of the problem", problem.variables, size.spins, advice)
    return IsingProblem(size, problem.couplings, problem.linear)


def check_run(
    steps: Sequence[Step], seed: int, refresh: int, ladder: Ladder | None, size: AnnealerSize
) -> None:
    """Refuse what the device can't run.

    Raises
    ------
    CapacityError
        If there are more steps than it has room for.
    ValueError
        If something else is wrong.
    """
    if seed < 0:
        raise ValueError(f"seed must be 0 or more, not {seed}")
    if not REFRESH.minimum <= refresh <= REFRESH.maximum:
        raise ValueError(f"refresh must be 0 to {REFRESH.maximum}, not {refresh}")
    if ladder is None and any(step.exchange for step in steps):
        raise ValueError("steps with an exchange need a ladder of temperatures")
    if ladder is not None:
        _check_ladder(ladder, size)
    if len(steps) > size.steps:
        raise CapacityError("steps of the schedule", len(steps), size.steps)
    if not steps:
        raise ValueError("a schedule must have at least one step")
    for index, step in enumerate(steps):
        if len(step.probabilities) != size.threshold_bits:
            raise ValueError(
                f"step {index} has {len(step.probabilities)} probabilities, the device's "
                f"thresholds have {size.threshold_bits} bits: make the schedule for its size"
            )
        if not all(0 <= p <= PROBABILITY.maximum for p in step.probabilities):
            raise ValueError(f"probabilities must be 0 to {PROBABILITY.maximum}, see step {index}")
        if not 0 <= step.ring <= RING.maximum * size.ring:
            raise ValueError(
                f"the ring's probability must be 0 to {RING.maximum}, step {index} has {step.ring}"
                if size.ring
                else f"step {index} couples the replicas along a ring, which the device has not"
            )
        if not 1 <= step.sweeps <= SWEEPS.maximum:
            raise ValueError(
                f"a step must have 1 to {SWEEPS.maximum} sweeps, step {index} has {step.sweeps}"
            )


def _check_ladder(ladder: Ladder, size: AnnealerSize) -> None:
    if not size.tempering:
        raise ValueError("a ladder of temperatures is given, which the device does not exchange")
    shapes = [(len(rows), {len(row) for row in rows}) for rows in vars(ladder).values()]
    if shapes != [(size.replicas, {size.threshold_bits}), (size.replicas, {size.exchange_bits})]:
        raise ValueError("the ladder is that of another device: make it for this one's size")


def check_cycles(problem: IsingProblem, steps: Sequence[Step], refresh: int) -> int:
    """Cycles that a run takes at most: every visit of every sweep a flip.

    Raises
    ------
    CapacityError
        If the device might not be able to count them.
    """
    sweeps = sum(step.sweeps for step in steps)
    ends = STEP_ROUNDS + exchange_rounds(problem.size)
    rounds = sweeps * (problem.variables + 1 + refresh) + ends * len(steps)
    turn = problem.size.replicas * problem.turn
    most = START + turn * (problem.fill_rounds(True) + rounds)
    if most > CYCLES.maximum:
        fewer = int(sweeps * CYCLES.maximum / most)
        raise CapacityError(
            f"cycles of a run of {sweeps} sweeps in which every visit is a flip",
            most,
            CYCLES.maximum,
            f"take {fewer} sweeps or fewer, and more reads",
        )
    return most
