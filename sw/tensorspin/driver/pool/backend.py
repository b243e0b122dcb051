"""What a pool needs of whoever gives work to boards: threads of this process, or a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ...contract.contractor.results import ContractorResults
from ...contract.contractor.rows import Mode
from ...contract.device.description import DeviceDescription
from ...progress import Progress
from .member import BoardStatistics
from .work import Work, joined, sample_works

if TYPE_CHECKING:
    from ...compiler.network_program import NetworkProgram


class PendingCall(ABC):
    """Work that belongs together: all of its results are wanted, or none.

    It is a context manager. When its block ends, nobody works on it any more.
    """

    @abstractmethod
    def add(self, works: Sequence[Work]) -> list[int]:
        """Give more work.

        Parameters
        ----------
        works : sequence of Work
            The pieces. All pieces of a call can be done by the same boards.

        Returns
        -------
        list of int
            A number for each, for `result`.
        """

    @abstractmethod
    def result(
        self,
        number: int,
        interrupt_function: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Wait for a result.

        Parameters
        ----------
        number : int
            Number of the piece.
        interrupt_function : callable, optional
            Asked about ten times a second; if it returns True, the call ends.
        progress : callable, optional
            Called with how much of the call is done, and how much it is.

        Returns
        -------
        object
            What `Work.do` returned.

        Raises
        ------
        InterruptedRunError
            If `interrupt_function` has ended the call.
        CapacityError
            If no board can hold the model; the message has each board's limit.
        PoolError
            If no board is left; the message has each board's reason.
        """

    @abstractmethod
    def close(self) -> None:
        """End the call: what is not done is dropped."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Backend(ABC):
    """Boards, and who gives them work."""

    @abstractmethod
    def call(self) -> PendingCall:
        """Begin a call."""

    @abstractmethod
    def descriptions(self) -> Iterator[tuple[str, DeviceDescription]]:
        """Tell of each board, in the order of the list, what it is.

        Boards are opened one after the other as the iterator goes on. One that cannot be opened,
        and never was, is left out.
        """

    @abstractmethod
    def reasons(self) -> dict[str, str]:
        """Tell of each board that has failed last why, by its URL."""

    @abstractmethod
    def statistics(self) -> list[BoardStatistics]:
        """Tell of each board what it has done."""

    @abstractmethod
    def close(self) -> None:
        """Wait for calls that are under way, and release all boards."""


class PooledBoards(ABC):
    """What estimators need of a pool of boards."""

    @abstractmethod
    def run_program(
        self,
        program: NetworkProgram,
        levels: np.ndarray,
        *,
        mode: Mode | None = None,
        tested: bool = False,
    ) -> ContractorResults:
        """Compute the scores of samples; see `run_program`.

        Parameters
        ----------
        program : NetworkProgram
            The network.
        levels : ndarray of uint8 of shape (n_samples, n_features)
            The samples.
        mode : Mode, optional
            What the groups of a contractor do.
        tested : bool, default=False
            Whether boards must answer samples with known answers.

        Returns
        -------
        ContractorResults
            The answers.
        """


def run_program(
    backend: Backend,
    program: NetworkProgram,
    levels: np.ndarray,
    *,
    mode: Mode | None,
    tested: bool,
    progress: Progress | None = None,
) -> ContractorResults:
    """Compute the scores of samples on whichever boards there are.

    Parameters
    ----------
    backend : Backend
        The boards.
    program : NetworkProgram
        The network.
    levels : ndarray of uint8 of shape (n_samples, n_features)
        The samples.
    mode : Mode or None
        What the groups of a contractor do.
    tested : bool
        Whether boards must answer samples with known answers.
    progress : callable, optional
        Called with the number of samples done, and of all samples.

    Returns
    -------
    ContractorResults
        The answers; all but the cycles are those of any single board.

    Raises
    ------
    CapacityError
        If no board can hold the program.
    PoolError
        If no board is left.
    """
    with backend.call() as call:
        numbers = call.add(sample_works(program, levels, mode, tested))
        return joined([call.result(number, progress=progress) for number in numbers])
