"""Compare a device's clock with the host's."""

from __future__ import annotations

from dataclasses import replace

from ...contract.annealer.job import AnnealJob
from ...contract.annealer.size import CYCLES, SWEEPS
from ...contract.annealer.steps import highest_temperature, schedule
from ...contract.wire.packets import PacketType
from ..board import Board
from ..transports import is_virtual
from .annealer import known_problem
from .line import at_bridge
from .result import CheckResult, Verdict, judged

SECONDS = 1.0
"""Length of the run that is timed, by the clock that the device states."""

MODELLED_SECONDS = 0.004
"""The same for a golden board, which takes minutes of the computer's time for a second."""

TOLERANCE = 0.05
"""Greatest relative difference of the two clocks. The time is added that the line takes to begin
the run and to notice its end: a few milliseconds."""


GIVE_UP = 10
"""Multiple of the stated time after which a run is stopped: its clock is far too slow."""


def check_clock(board: Board) -> CheckResult:
    """Time a long run of the annealer, of which the device counts the cycles.

    Parameters
    ----------
    board : Board
        An open board.

    Returns
    -------
    CheckResult
        Whether the cycles take as long as the stated clock says.
    """
    size = board.info.annealer
    if size is None:
        return CheckResult(
            "clock",
            Verdict.SKIP,
            "no run of the contractor is long enough to be timed; the line's rate is divided from "
            "the same clock, so that it could not work at a very different one",
        )
    if board.url.startswith("sim:"):
        return CheckResult("clock", Verdict.SKIP, "not meaningful: the clock is the simulation's")
    if at_bridge(board):
        return CheckResult(
            "clock",
            Verdict.SKIP,
            "not meaningful: a virtual board at a bridge claims a slow clock, so that hosts wait",
        )
    virtual = is_virtual(board.url)
    job = _long_job(board, MODELLED_SECONDS if virtual else SECONDS)
    # After this run nothing needs to be written, and how many cycles the next one takes is known.
    cycles = board.anneal_job(job).cycles
    session = board._open_session
    begun = session.line.now()
    session.status(same_session=True)
    round_trip = session.line.now() - begun
    begun = session.line.now()
    session.request(PacketType.ANNEAL, job.run_image(), same_session=True)
    # Time that passes on the line until the run has begun, and after its end until that is seen.
    slack = session.line.now() - begun + 2 * round_trip
    while session.status(same_session=True).annealing:
        passed = session.line.now() - begun
        if passed > GIVE_UP * cycles / board.info.clock_hz + 1:
            session.open()  # a greeting stops the run
            break
    passed = session.line.now() - begun
    stated = cycles / board.info.clock_hz
    clock = cycles / passed
    meaning = "; not meaningful: a modelled board has the model's clock" if virtual else ""
    return judged(
        "clock",
        -TOLERANCE * stated <= passed - stated <= TOLERANCE * stated + slack,
        f"{cycles} cycles in {passed:.3f} s of the host: {clock / 1e6:.4g} MHz, stated "
        f"{board.info.clock_hz / 1e6:.4g} MHz (tolerance {TOLERANCE:.0%} and "
        f"{1e3 * slack:.2g} ms){meaning}",
        "the chip's clock is not what the bitstream was built for: check the board's oscillator "
        "and that the bitstream is for this very board",
    )


def _long_job(board: Board, seconds: float) -> AnnealJob:
    """Make a job that takes about so many seconds, after a short one has been counted."""
    size = board.info.annealer
    assert size is not None
    steps = schedule([highest_temperature(size) / 2], 1, size)
    job = AnnealJob(known_problem(size), steps, seed=8)
    few, many = (replace(job, steps=[replace(steps[0], sweeps=count)]) for count in (10, 30))
    cycles = [board.anneal_job(each).cycles for each in (few, many)]
    each = max(1.0, (cycles[1] - cycles[0]) / 20)
    sweeps = int(seconds * board.info.clock_hz / each)
    # The device must be able to count the cycles even if every visit is a flip.
    most = int(30 * CYCLES.maximum / many.most_cycles)
    sweeps = max(1, min(sweeps, most, SWEEPS.maximum * size.steps))
    counts = [SWEEPS.maximum] * (sweeps // SWEEPS.maximum) + [sweeps % SWEEPS.maximum]
    return replace(job, steps=[replace(steps[0], sweeps=count) for count in counts if count])
