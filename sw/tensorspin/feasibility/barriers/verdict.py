"""Whether a task is for the board alone, for both, or for neither, and which barrier decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .figure import Barrier
from .local import Local

LOCAL, HYBRID, NOT_FEASIBLE = "local", "hybrid", "not feasible"
"""The three answers."""


@dataclass(frozen=True)
class Verdict:
    """The answer of a report.

    Parameters
    ----------
    answer : {"local", "hybrid", "not feasible"}
        Where the task can be done.
    barrier : str
        Name of the barrier that decides: that which is missed by most, or has least in reserve.
    words : str
        The answer and its reasons, in sentences.

    Examples
    --------
    >>> Verdict("local", "latency", "Local: ...").answer
    'local'
    """

    answer: str
    barrier: str
    words: str


def verdict(barriers: Mapping[str, Barrier], local: Local, deadline: float) -> Verdict:
    """Judge.

    Parameters
    ----------
    barriers : mapping of str to Barrier
        The five barriers of the remote path.
    local : Local
        Times without a quantum processor.
    deadline : float
        Seconds within which an answer counts.

    Returns
    -------
    Verdict
        The answer.
    """
    limited = [each for each in barriers.values() if each.load is not None]
    decisive = max(limited, key=lambda each: each.load or 0.0)
    whole = local.whole.number
    others = f"a microcontroller would take {local.controller.text}, this machine {local.host.text}"
    on_board = local.fits and whole <= deadline
    if not local.fits:
        board = f"board {local.board} does not hold the program ({local.needs}); {others}"
    elif not on_board:
        board = (
            f"board {local.board} takes {local.whole.text}, more than the deadline of "
            f"{deadline:g} s; {others}"
        )
    else:
        board = f"board {local.board} answers within {local.whole.text} ({local.whole.kind})"
    missed = [each for each in limited if not each.passed]
    if not missed:
        energy = barriers["energy"].words
        fallback = (
            f"{board} and is the fallback{_no_speed(barriers['latency'], whole)}"
            if on_board
            else f"{board}, so that there is no fallback on it"
        )
        words = (
            f"Hybrid: no barrier is missed. {decisive.name.capitalize()} has least in reserve: "
            f"{decisive.words}. {fallback[0].upper()}{fallback[1:]}; {energy}."
        )
        return Verdict(HYBRID, decisive.name, words)
    reasons = "; ".join(f"{each.name} ({each.words})" for each in missed)
    if on_board:
        words = (
            f"Local: {board}. The quantum processor is stopped by {decisive.name}; missed: "
            f"{reasons}."
        )
        return Verdict(LOCAL, decisive.name, words)
    words = (
        f"Not feasible: {board}, and the quantum processor is stopped by {decisive.name}; missed: "
        f"{reasons}."
    )
    return Verdict(NOT_FEASIBLE, decisive.name, words)


def _no_speed(latency: Barrier, whole: float) -> str:
    """Say that the board is faster, if it is."""
    median = latency.rows.get("whole request, median")
    if median is None or whole > median.number:
        return ""
    return ", and as it is no slower, what the processor adds is portability and not speed"
