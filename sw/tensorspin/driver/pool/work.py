"""What is asked of a board, whichever it is: it can be sent to another process.

A piece of work is fixed by what the user wants, never by the boards: the same samples stand in a
piece, and a run of the annealer has the same seed, on one board or on a hundred.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...contract.annealer.job import AnnealJob
from ...contract.contractor.results import ContractorResults
from ...contract.contractor.rows import Mode
from ...errors import InterruptedRunError, TensorspinError
from ..annealer import BoardAnnealResults
from ..board import Board

if TYPE_CHECKING:
    from ...compiler.network_program import NetworkProgram

MOST_SAMPLES = 512
"""Most samples of a piece. They take a board about half a second over a serial line, beside which
the question whether the board still holds the program is little."""

LEAST_SAMPLES = 16
"""Fewest samples of a piece, unless there are fewer in all."""

PIECES = 32
"""Number of pieces in which samples are divided unless there are very many or very few."""


class Work(ABC):
    """A piece of work for a board.

    Attributes
    ----------
    amount : int
        How much it is, compared with other pieces of the same call.
    """

    amount: int = 1

    @abstractmethod
    def check(self, board: Board) -> None:
        """Refuse a board that can never do this.

        Parameters
        ----------
        board : Board
            An open board.

        Raises
        ------
        TensorspinError
            If an engine is missing, too small, or of another kind.
        """

    @abstractmethod
    def do(
        self,
        board: Board,
        stopped: Callable[[], bool],
        advance: Callable[[int], None],
        expected: Sequence[Work] = (),
    ) -> Any:
        """Do it.

        Parameters
        ----------
        board : Board
            An open board, which `check` has found good enough.
        stopped : callable
            Tells whether nobody needs the result any more.
        advance : callable
            Told how much is done.
        expected : sequence of Work
            Work that this board will probably do next, this one included.

        Returns
        -------
        object
            The result, which does not depend on the board.

        Raises
        ------
        InterruptedRunError
            If it was stopped.
        TensorspinError
            If the board fails.
        """


@dataclass(frozen=True, eq=False)
class SampleWork(Work):
    """Samples whose scores a contractor, or a spatial engine, computes.

    Parameters
    ----------
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The samples.
    mode : Mode
        What the groups of a contractor do.
    tested : bool
        Whether the board must answer samples with known answers after these, so that no answers are
        taken from a board with a fault.
    """

    program: NetworkProgram
    levels: np.ndarray
    mode: Mode
    tested: bool = False

    @property
    def amount(self) -> int:  # type: ignore[override]  # it follows from the samples
        """Number of samples."""
        return len(self.levels)

    def check(self, board: Board) -> None:
        """Refuse a board whose engine is too small; see `Work.check`."""
        board.check(self.program)

    def do(
        self,
        board: Board,
        stopped: Callable[[], bool],
        advance: Callable[[int], None],
        expected: Sequence[Work] = (),
    ) -> ContractorResults:
        """Load the program unless the board holds it, and run; see `Work.do`."""

        def progress(done: int, total: int) -> None:
            if stopped():
                raise InterruptedRunError(
                    "another board has computed these samples, or nobody asks"
                )
            advance(done)

        with board.exclusive():
            if self.tested:
                board.load(self.program, self_test=True, every=1)
            else:
                board.load(self.program)
            return board.run(self.levels, mode=self.mode, progress=progress)


def sample_works(
    program: NetworkProgram, levels: np.ndarray, mode: Mode | None, tested: bool
) -> list[SampleWork]:
    """Divide samples into pieces, by their number alone.

    Parameters
    ----------
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        All samples.
    mode : Mode or None
        What the groups of a contractor do; None: "single" for one sample, "throughput" for more.
    tested : bool
        As for `SampleWork`.

    Returns
    -------
    list of SampleWork
        At least one piece, in the order of the samples.
    """
    count = len(levels)
    if mode is None:
        mode = Mode.SINGLE if count == 1 else Mode.THROUGHPUT
    size = min(MOST_SAMPLES, max(LEAST_SAMPLES, -(-count // PIECES)))
    return [
        SampleWork(program, levels[first : first + size], mode, tested)
        for first in range(0, max(count, 1), size)
    ]


def joined(results: Sequence[ContractorResults]) -> ContractorResults:
    """Put the results of pieces together.

    Parameters
    ----------
    results : sequence of ContractorResults
        Those of all pieces, in their order.

    Returns
    -------
    ContractorResults
        Those of all samples.
    """
    names = ("scores", "exponents", "classes", "cycles")
    return ContractorResults(
        *(np.concatenate([getattr(each, name) for each in results]) for name in names)
    )


@dataclass(frozen=True, eq=False)
class AnnealWork(Work):
    """A run of an annealer.

    Parameters
    ----------
    job : AnnealJob
        The run, made for annealers of one size.
    """

    job: AnnealJob

    def check(self, board: Board) -> None:
        """Refuse a board whose annealer is of another size: its states would be others."""
        size, wanted = board.info.annealer, self.job.problem.size
        if size is None:
            raise TensorspinError("it has no annealer in its bitstream")
        if size != wanted:
            raise TensorspinError(
                f"its annealer ({size.spins} spins, {size.replicas} replicas) is of another kind "
                f"than the one that the model is prepared for ({wanted.spins} spins, "
                f"{wanted.replicas} replicas), and would give other states"
            )

    def do(
        self,
        board: Board,
        stopped: Callable[[], bool],
        advance: Callable[[int], None],
        expected: Sequence[Work] = (),
    ) -> BoardAnnealResults:
        """Run the job; see `Work.do`."""
        jobs = [work.job for work in expected if isinstance(work, AnnealWork)]
        return board.anneal_job(self.job, expected=jobs, interrupt_function=stopped)
