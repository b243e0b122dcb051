"""Models of the annealer on many boards.

The runs of a call are planned before the first one begins, with a seed each. So they can be done
anywhere, in any order, and the samples are those of one board that does one after the other.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import dimod

from ..contract.annealer.job import AnnealJob
from ..contract.annealer.size import AnnealerSize
from ..contract.device.boards import find_board
from ..contract.device.description import DeviceDescription
from ..driver.annealer import BoardAnnealResults
from ..driver.pool.backend import Backend, PendingCall
from ..driver.pool.work import AnnealWork
from ..errors import CapacityError, PoolCapacityError, PoolError
from ..progress import progress_bar
from ..sampling.board_sampler import BoardSampler
from .predicting import BAR_DELAY

if TYPE_CHECKING:
    from ..driver.board import Board


class _Kind:
    """What a sampler needs to know of boards: the description that they have in common."""

    def __init__(self, info: DeviceDescription) -> None:
        self.info = info


class _KindSampler(BoardSampler):
    """A sampler on all boards of a kind, for one call.

    Parameters
    ----------
    info : DeviceDescription
        What the boards are.
    call : PendingCall
        Takes the runs.
    """

    def __init__(self, info: DeviceDescription, call: PendingCall) -> None:
        self._kind, self._call = _Kind(info), call
        # Jobs that were given to the call, by their identity, with the numbers that they have in it
        self._given: dict[int, tuple[AnnealJob, int]] = {}

    @property
    def board(self) -> Board:
        """The boards' description."""
        return cast("Board", self._kind)  # `BoardSampler.sample` asks for nothing else

    def run(
        self,
        job: AnnealJob,
        expected: Sequence[AnnealJob],
        interrupt_function: Callable[[], bool] | None,
    ) -> BoardAnnealResults:
        """Wait for a run, after all that are expected were begun; see `BoardHolder.run`."""
        new = [each for each in expected if id(each) not in self._given]
        if id(job) not in self._given and not any(each is job for each in new):
            new.append(job)
        numbers = self._call.add([AnnealWork(each) for each in new])
        self._given.update((id(each), (each, number)) for each, number in zip(new, numbers))
        _, number = self._given.pop(id(job))
        return self._call.result(number, interrupt_function)


class PoolSampler(BoardSampler):
    """Adds sampling to a pool. Subclasses have a `_backend`.

    Samples depend on the kind of annealer. So all runs of a call are done by boards with the same
    one: that of the first board of the list which can hold the model, or the one that the pool was
    told to take.

    Parameters
    ----------
    annealer : str, optional
        Name of a board, such as "ulx3s_25f_annealer", whose kind of annealer is used. Boards of
        other kinds then sample nothing.

    Raises
    ------
    ValueError
        If there is no such board, or it has no annealer.
    """

    def __init__(self, annealer: str | None = None) -> None:
        self._annealer_name = annealer
        self._annealer: AnnealerSize | None = None
        if annealer is not None:
            self._annealer = find_board(annealer).annealer
            if self._annealer is None:
                raise ValueError(f"annealer must name a board that has one, not {annealer!r}")

    @property
    @abstractmethod
    def _backend(self) -> Backend:
        """Who gives work to the boards."""

    @property
    @abstractmethod
    def url(self) -> str:
        """All boards as one word."""

    def _kinds(self) -> Iterator[DeviceDescription]:
        """List boards with different annealers, in the order of the list."""
        seen: list[AnnealerSize] = []
        for _, info in self._backend.descriptions():
            size = info.annealer
            if size is None or size in seen or (self._annealer not in (None, size)):
                continue
            seen.append(size)
            yield info

    @property
    def board(self) -> Board:
        """Description of the board with the largest annealer.

        Raises
        ------
        PoolError
            If there is none.
        """
        kinds = list(self._kinds())
        if not kinds:
            raise self._without_annealer()
        largest = max(kinds, key=lambda info: info.require_annealer().spins)
        return cast("Board", _Kind(largest))

    def _without_annealer(self) -> PoolError:
        reasons = {url: "it has no annealer in its bitstream" for url, _ in self._others()}
        reasons.update(self._backend.reasons())
        listed = "".join(f"\n  {url}: {reason}" for url, reason in reasons.items())
        kind = "" if self._annealer_name is None else f" of the kind of {self._annealer_name}"
        return PoolError(f"no board has an annealer{kind}:{listed}", reasons)

    def _others(self) -> Iterator[tuple[str, DeviceDescription]]:
        found = self._backend.descriptions()
        return ((url, info) for url, info in found if info.annealer is None)

    def run(
        self,
        job: AnnealJob,
        expected: Sequence[AnnealJob],
        interrupt_function: Callable[[], bool] | None,
    ) -> BoardAnnealResults:
        """Run a job on some board of the kind that it is made for.

        Parameters
        ----------
        job : AnnealJob
            The job.
        expected : sequence of AnnealJob
            Ignored: a single job is run by a single board.
        interrupt_function : callable, optional
            Asked while the run goes on; if it returns True, the run is stopped.

        Returns
        -------
        BoardAnnealResults
            What the board gives.
        """
        with self._backend.call() as call:
            (number,) = call.add([AnnealWork(job)])
            return call.result(number, interrupt_function)

    def sample(self, bqm: dimod.BinaryQuadraticModel, **parameters: Any) -> dimod.SampleSet:
        """Sample from a model on the boards.

        Parameters
        ----------
        bqm : dimod.BinaryQuadraticModel
            The model.
        **parameters
            As for `tensorspin.BoardSampler.sample`.

        Returns
        -------
        dimod.SampleSet
            The same samples, with the same ``info`` but for times, as a `BoardSampler` gives on any
            board of the kind.

        Raises
        ------
        ValueError, TypeError
            If a parameter or a coefficient is not what it must be.
        CapacityError
            If the model does not fit any board; the message has each kind's limit.
        PoolError
            If no board is left; the message has each board's reason.

        Warns
        -----
        BoardLostWarning
            If a board fails, and others do its work.
        PrecisionWarning
            As for `BoardSampler.sample`.
        """
        refused: list[tuple[DeviceDescription, CapacityError]] = []
        for info in self._kinds():
            try:
                return self._sampled_on(info, bqm, parameters)
            except PoolError:
                raise
            except CapacityError as error:
                refused.append((info, error))
        if not refused:
            raise self._without_annealer()
        if len(refused) == 1:
            raise refused[0][1]
        reasons = {info.board: str(error) for info, error in refused}
        listed = "".join(f"\n  {board}: {reason}" for board, reason in reasons.items())
        nearest = min((error for _, error in refused), key=lambda each: each.needed / each.limit)
        raise PoolCapacityError(f"no board can hold the model:{listed}", reasons, nearest)

    def _sampled_on(
        self, info: DeviceDescription, bqm: dimod.BinaryQuadraticModel, parameters: dict[str, Any]
    ) -> dimod.SampleSet:
        given = dict(parameters)
        shown: Any = nullcontext(given.pop("progress", None))
        if parameters.get("progress") is None:
            shown = progress_bar("sampling", "read", delay=BAR_DELAY)
        with self._backend.call() as call, shown as progress:
            return _KindSampler(info, call).sample(bqm, progress=progress, **given)
