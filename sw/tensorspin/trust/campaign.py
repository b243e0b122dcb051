"""Fault campaigns: flip one bit after the other, and see what a board makes of it."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..compiler.network_program import NetworkProgram
from ..contract.contractor.memory import MemorySpace
from ..contract.contractor.results import ContractorResults
from ..contract.signature import SIGNATURE_BITS
from ..contract.wire.packets import Status
from ..driver.board import Board
from ..errors import DeviceError, LostError, TensorspinError
from ..progress import Progress
from .faults import Fault, inject
from .memory_map import MemoryMap


class Outcome(enum.StrEnum):
    """What has come of a fault, for all samples of a campaign together."""

    MASKED = "masked"
    """All answers are those without the fault, bit for bit."""
    CORRECTED = "corrected"
    """The same, for a bit that the board corrects, one of a protected program."""
    SILENT = "wrong scores in silence"
    """Scores or exponents differ, classes do not, and nobody has noticed."""
    CLASS = "wrong class in silence"
    """The greatest score of a sample is another one, and nobody has noticed."""
    CORRUPT = "found by the board"
    """The board has found that it does not read what was loaded, and has given no scores."""
    REFUSED = "refused"
    """The driver has refused the answer, or the board another way: an error of Tensorspin's."""
    LOST = "no answer"
    """The board has not answered at all."""
    EXCEPTION = "exception"
    """Another exception: a fault of the host's software, to be reported."""


@dataclass(frozen=True)
class CampaignReport:
    """What has come of each fault of a campaign.

    Parameters
    ----------
    faults : tuple of Fault
        The faults.
    outcomes : tuple of Outcome
        What has come of each.
    messages : tuple of str
        What the errors said; empty where there was none.

    Examples
    --------
    >>> from tensorspin.contract.contractor import MemorySpace
    >>> fault = Fault(MemorySpace.PROGRAM, 0, 0)
    >>> print(CampaignReport((fault,), (Outcome.MASKED,), ("",)))
    masked                          1  100.0 %
    corrected                       0    0.0 %
    wrong scores in silence         0    0.0 %
    wrong class in silence          0    0.0 %
    found by the board              0    0.0 %
    refused                         0    0.0 %
    no answer                       0    0.0 %
    exception                       0    0.0 %
    """

    faults: tuple[Fault, ...]
    outcomes: tuple[Outcome, ...]
    messages: tuple[str, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        """Number of faults by outcome, with all outcomes."""
        found = Counter(self.outcomes)
        return {outcome: found[outcome] for outcome in Outcome}

    def __str__(self) -> str:
        total = max(1, len(self.outcomes))
        return "\n".join(
            f"{outcome:25}{count:8}{count / total:8.1%}".replace("%", " %")
            for outcome, count in self.counts.items()
        )


def campaign(
    board: Board,
    program: NetworkProgram,
    X,
    faults: Iterable[Fault],
    *,
    progress: Progress | None = None,
) -> CampaignReport:
    """Try faults one by one: flip a bit, run samples, flip it back.

    Parameters
    ----------
    board : Board
        An open board, best a virtual one. It holds the program afterwards, without faults.
    program : NetworkProgram
        The program; it is loaded first.
    X : array-like of shape (n_samples, `n_features_in_`)
        Samples, as the program's `levels` takes them; at least one. A fault counts as masked if it
        changes no answer to these.
    faults : iterable of Fault
        The faults, such as `sample_faults` draws them.
    progress : callable, optional
        Called with the number of faults done and the number of faults.

    Returns
    -------
    CampaignReport
        The outcome of each fault, and a table of them (``print(report)``).

    Raises
    ------
    ValueError
        If there is no sample, or a fault lies beyond the end of a memory.
    TensorspinError
        If the program does not fit the board, or the board is lost without a fault.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from tensorspin import Board, MPSClassifier
    >>> from tensorspin.trust import campaign, sample_faults
    >>> X, y = load_iris(return_X_y=True)
    >>> program = MPSClassifier(4, epochs=5, random_state=0).fit(X, y).quantize()
    >>> with Board.open("golden://icebreaker") as board:
    ...     faults = sample_faults(program, 8, 50, random_state=0)
    ...     report = campaign(board, program, X[::30], faults)
    >>> sum(report.counts.values())
    50
    """
    levels = program.levels(X)
    if not len(levels):
        raise ValueError("X must have at least one sample, to see what faults change")
    faults = tuple(faults)
    outcomes: list[Outcome] = []
    messages: list[str] = []
    corrected = _Corrected(board, program)
    with board.exclusive():
        board.load(program, force=True)
        expected = board.run(levels)
        for done, fault in enumerate(faults, start=1):
            inject(board, fault)
            outcome, message = _outcome(board, levels, expected)
            if outcome is Outcome.MASKED and fault in corrected:
                outcome = Outcome.CORRECTED
            outcomes.append(outcome)
            messages.append(message)
            if outcome not in _ANSWERED:
                board.load(program, force=True)  # what the board holds then is not known
            else:
                inject(board, fault)
            if progress is not None:
                progress(done, len(faults))
    return CampaignReport(faults, tuple(outcomes), tuple(messages))


_ANSWERED = (Outcome.MASKED, Outcome.CORRECTED, Outcome.SILENT, Outcome.CLASS)
"""Outcomes after which the board holds the program still, with the fault."""


class _Corrected:
    """The bits of which a board corrects each alone: those of the code words of a program."""

    def __init__(self, board: Board, program: NetworkProgram) -> None:
        self._places: frozenset[int] = frozenset()
        size = board.info.contractor
        if size is None or not program.protected:
            return
        used = MemoryMap.of(program, size.lanes)
        weights = used.weights[np.array([node.protected for node in program.nodes])[used.owners]]
        signature = len(program.image(size.lanes)) + np.arange(SIGNATURE_BITS // 4)
        places = [used.headers, weights, *([signature] if size.signature else [])]
        self._places = frozenset(np.concatenate(places).tolist())

    def __contains__(self, fault: Fault) -> bool:
        return fault.space is MemorySpace.PROGRAM and fault.address in self._places


def _outcome(board: Board, levels: np.ndarray, expected: ContractorResults) -> tuple[Outcome, str]:
    try:
        found = board.run(levels)
    except DeviceError as error:
        found_it = error.status == Status.CORRUPT
        return Outcome.CORRUPT if found_it else Outcome.REFUSED, str(error)
    except LostError as error:
        return Outcome.LOST, str(error)
    except TensorspinError as error:
        return Outcome.REFUSED, str(error)
    except Exception as error:
        return Outcome.EXCEPTION, f"{type(error).__name__}: {error}"
    if np.any(found.classes != expected.classes):
        return Outcome.CLASS, ""
    same = np.array_equal(found.scores, expected.scores) and np.array_equal(
        found.exponents, expected.exponents
    )
    return (Outcome.MASKED if same else Outcome.SILENT), ""
