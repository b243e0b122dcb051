"""Check what a board says of itself, and the line to it."""

from __future__ import annotations

import copy

from ...contract.device.boards import BOARDS
from ...contract.wire.frames import BITS_PER_BYTE
from ..board import Board
from ..bridge.boards import CLOCK_HZ
from ..transports import is_virtual
from .result import CheckResult, judged

ROUND_TRIPS = 50
"""Questions that are asked one by one to see whether each is answered at once."""

LEAST_SHARE = 0.2
"""Share of a serial line's rate that payload must reach in either direction. Adapters that hold
bytes back for milliseconds reach less than half of it, a broken set-up far less."""

FAST_BAUD = 2_000_000
"""Rate in bits per second that any computer keeps busy with this driver, as slow as it may be.
Faster lines, such as SPI, are only expected to move as much payload as one of this rate."""

LINE_HINT = (
    "check cable, ground and connectors, connect without a hub, and try another adapter; link.md "
    "in the documentation lists what helps"
)


def at_bridge(board: Board) -> bool:
    """Whether a board is a virtual one at a bridge, which claims a clock that no FPGA has."""
    return board.info.clock_hz == CLOCK_HZ


def check_description(board: Board) -> CheckResult:
    """Compare what the device says of itself with the board's row in the table.

    Parameters
    ----------
    board : Board
        An open board.

    Returns
    -------
    CheckResult
        Whether clock, rate, buffer and sizes are those of this version's bitstream. The clock of a
        virtual board at a bridge is another one on purpose.
    """
    info = board.info
    row = BOARDS.get(info.board)
    told = f"{info.board}, build {info.build.hex()}"
    names = ["clock_hz", "baud", "receive_bytes"]
    if at_bridge(board):
        told += "; a virtual board at a bridge: no measurement of hardware"
        names.remove("clock_hz")
    if row is None:
        return judged("description", True, f"{told}; not in this version's table of boards", "")
    wrong = [
        f"{name} {getattr(info, name)} instead of {getattr(row, name)}"
        for name in names
        if getattr(info, name) != getattr(row, name)
    ]
    if dict(info.engines) != dict(row.engines):
        wrong.append("engines of other sizes")
    return judged(
        "description",
        not wrong,
        "; ".join([told, *wrong]),
        "load the bitstream that belongs to this version of tensorspin",
    )


def check_echo(board: Board) -> CheckResult:
    """Ask short questions one by one, and count what got lost or damaged on the way.

    Parameters
    ----------
    board : Board
        An open board.

    Returns
    -------
    CheckResult
        Whether all were answered at once, and neither side had to drop a frame.
    """
    statistics = board._open_session.line.statistics
    earlier, before = copy.copy(statistics), board.status()
    for _ in range(ROUND_TRIPS):
        after = board.status()
    lost = statistics - earlier
    refused = sum(
        (getattr(after, name) - getattr(before, name)) % (1 << 16)
        for name in ("damaged", "out_of_sequence", "overflows")
    )
    return judged(
        "echo",
        not (lost.resent or lost.damaged or lost.timeouts or refused),
        f"{ROUND_TRIPS} questions: {lost.resent} asked again, {lost.timeouts} without an answer in "
        f"time, {lost.damaged} damaged answers, {refused} frames refused by the device",
        LINE_HINT,
    )


def check_throughput(board: Board, seconds: float) -> CheckResult:
    """Load the line in both directions, and compare with its rate.

    Parameters
    ----------
    board : Board
        An open board.
    seconds : float
        Time for all measurements.

    Returns
    -------
    CheckResult
        Whether a fair share of the rate is reached and nothing had to be sent again.
    """
    report = board.link_test(seconds, wall_seconds=max(1.0, seconds))
    line = board._open_session.line
    # A computer that is the bottleneck of a fast line is no fault of the board's.
    rate = min(line.baud, FAST_BAUD) / BITS_PER_BYTE
    slowest = min(report.to_device, report.from_device)
    # Simulated gateware has no serial line, and its clock has little to do with the computer's. The
    # same is true of a bridge.
    bridge = at_bridge(board)
    good = slowest >= LEAST_SHARE * rate or board.url.startswith("sim:") or bridge
    kind = " (modelled or simulated)" if is_virtual(board.url) or bridge else ""
    lost = report.statistics
    clean = not (lost.resent or lost.damaged or lost.rejected or lost.timeouts)
    return judged(
        "throughput",
        good and clean,
        f"{report.to_device / 1e3:.1f} kB/s to the device, {report.from_device / 1e3:.1f} kB/s "
        f"from it, of {rate / 1e3:g} kB/s{kind}; {lost.resent} frames sent again, {lost.damaged} "
        f"damaged, {lost.rejected} rejected",
        f"{LINE_HINT}; a slow line with an FTDI adapter: set its latency timer to 1 ms",
    )
