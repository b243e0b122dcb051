"""Check a board from the line to the engines, and say what to do about what fails.

Each check compares the board with what is known without it: with the bytes that were written, with
the golden model of the same size, and with the host's clock. `selftest` carries out all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ...errors import LinkError, TensorspinError, TransportError
from ...progress import Progress
from ..board import Board
from .annealer import check_annealer
from .clock import check_clock
from .contractor import check_contractor
from .line import LINE_HINT, check_description, check_echo, check_throughput
from .memories import check_memories
from .result import CheckResult, Verdict

__all__ = ["CheckResult", "selftest"]

SECONDS = 1.0
"""Time for the measurement of the line, on the board's clock."""

_DEVICE_HINT = (
    "load the bitstream again and repeat; if it stays, check the board's supply, and build the "
    "bitstream for a lower clock"
)


def selftest(board: Board, progress: Progress | None = None) -> list[CheckResult]:
    """Carry out all checks on a board; the program that it holds is lost.

    Parameters
    ----------
    board : Board
        An open board, which nobody else uses meanwhile.
    progress : callable, optional
        Called with the number of checks done, and of all checks.

    Returns
    -------
    list of CheckResult
        One for each check, in their order. After the line has broken, the rest is skipped.

    Examples
    --------
    >>> from tensorspin import Board
    >>> with Board.open("golden://icebreaker") as board:
    ...     results = selftest(board)
    >>> [(each.name, each.verdict.value) for each in results][:3]
    [('description', 'PASS'), ('echo', 'PASS'), ('throughput', 'PASS')]
    """
    checks: dict[str, Callable[[Board], CheckResult]] = {
        "description": check_description,
        "echo": check_echo,
        "throughput": partial(check_throughput, seconds=SECONDS),
        "memories": check_memories,
        "contractor": check_contractor,
        "annealer": check_annealer,
        "clock": check_clock,
    }
    results: list[CheckResult] = []
    lost = False
    with board.exclusive():
        for name, check in checks.items():
            if lost:
                results.append(CheckResult(name, Verdict.SKIP, "the line is lost"))
            else:
                try:
                    results.append(check(board))
                except TensorspinError as error:
                    # An answer that cannot be right is an error of the link, too.
                    lost = isinstance(error, (LinkError, TransportError)) and not _answers(board)
                    hint = LINE_HINT if lost else _DEVICE_HINT
                    results.append(CheckResult(name, Verdict.FAIL, str(error), hint))
            if progress is not None:
                progress(len(results), len(checks))
    return results


def _answers(board: Board) -> bool:
    """Whether the device still answers a question."""
    try:
        board.status()
    except (LinkError, TransportError):
        return False
    except TensorspinError:
        pass  # It answers, if only to refuse.
    return True
