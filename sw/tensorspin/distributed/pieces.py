"""Pieces of work as they travel to a worker, and what is done with them there."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..contract.annealer.job import AnnealJob
from ..contract.contractor.rows import Mode
from ..contract.device.description import DeviceDescription
from ..driver.pool.member import BoardStatistics
from ..driver.pool.work import AnnealWork, SampleWork, Work
from ..errors import PoolError

RESOURCE = "tensorspin"
"""Name of the resource of a Dask worker whose amount is the number of boards that it holds."""

PLUGIN = "tensorspin-boards"
"""Name of the plugin of a Dask worker that holds its boards."""


@lru_cache(maxsize=16)
def _unpacked(data: bytes) -> Any:
    """Unpickle what all pieces of a call have in common, once for all of them."""
    return pickle.loads(data)


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of work on its way: what it has in common with others is pickled once.

    Parameters
    ----------
    common : bytes
        The program and the mode, or a job without seed and initial states; pickled.
    own : tuple
        Samples, or seed and initial states.
    """

    common: bytes
    own: tuple

    def work(self) -> Work:
        """Give the work.

        Returns
        -------
        Work
            The same as was packed.
        """
        common = _unpacked(self.common)
        if isinstance(common, AnnealJob):
            seed, states = self.own
            return AnnealWork(replace(common, seed=seed, initial_states=states))
        program, mode, tested = common
        return SampleWork(program, self.own[0], Mode(mode), tested)


class Packer:
    """Packs the pieces of a call."""

    def __init__(self) -> None:
        # What was pickled, by identity; it is kept so that the identity stays its own.
        self._packed: dict[tuple, tuple[Any, bytes]] = {}

    def pack(self, work: Work) -> Piece:
        """Pack a piece.

        Parameters
        ----------
        work : Work
            Samples, or a run of the annealer.

        Returns
        -------
        Piece
            The piece as it travels.
        """
        if isinstance(work, SampleWork):
            key: tuple = (id(work.program), work.mode, work.tested)
            held = (work.program, work.mode.value, work.tested)
            return Piece(self._common(key, held, lambda: held), (np.asarray(work.levels),))
        assert isinstance(work, AnnealWork)  # there is no other kind
        job = work.job
        key = (id(job.problem), id(job.steps), job.refresh, id(job.ladder))
        common = self._common(key, job, lambda: replace(job, seed=0, initial_states=None))
        return Piece(common, (job.seed, job.initial_states))

    def _common(self, key: tuple, held: Any, made: Callable[[], Any]) -> bytes:
        if key not in self._packed:
            self._packed[key] = held, pickle.dumps(made(), protocol=pickle.HIGHEST_PROTOCOL)
        return self._packed[key][1]


@dataclass(frozen=True, eq=False)
class Done:
    """What a worker gives back.

    Parameters
    ----------
    result : object
        The result of the work; None if there is an error.
    notices : list of str
        Boards of the worker that have failed meanwhile.
    error : PoolError or None
        Why none of the worker's boards could do it.
    seconds : float
        Time that it took, the wait for a free board included.
    worker : str
        Address of the worker.
    """

    result: Any
    notices: list[str]
    error: PoolError | None
    seconds: float
    worker: str


def held_boards() -> Any:
    """Give the boards of the worker on which this runs.

    Returns
    -------
    WorkerBoards
        The worker's plugin.

    Raises
    ------
    PoolError
        If the worker holds no boards.
    """
    from distributed import get_worker

    worker = get_worker()
    boards = worker.plugins.get(PLUGIN)
    if boards is None:
        raise PoolError(
            f"the worker {worker.address} holds no boards; start it with --preload "
            f"tensorspin.distributed.worker --board URL",
            {},
        )
    return boards


def do_piece(piece: Piece) -> Done:
    """Do a piece of work on the boards of the worker on which this runs.

    Parameters
    ----------
    piece : Piece
        The piece.

    Returns
    -------
    Done
        The result, or why there is none.
    """
    from distributed import get_worker, secede

    try:
        boards = held_boards()
    except PoolError as error:
        return Done(None, [], error, 0.0, get_worker().address)
    secede()  # it waits for a board, and must not keep the worker's thread from others
    return boards.do(piece.work())


async def describe(dask_worker: Any) -> list[tuple[str, DeviceDescription]]:
    """Tell what boards a worker holds, when a client asks all workers.

    Parameters
    ----------
    dask_worker : distributed.Worker
        The worker.

    Returns
    -------
    list of (str, DeviceDescription)
        URL and description of each board that can be opened.
    """
    boards = dask_worker.plugins.get(PLUGIN)
    return [] if boards is None else await boards.in_thread(boards.descriptions)


async def tell(dask_worker: Any) -> list[BoardStatistics]:
    """Tell what the boards of a worker have done, when a client asks all workers.

    Parameters
    ----------
    dask_worker : distributed.Worker
        The worker.

    Returns
    -------
    list of BoardStatistics
        One for each board.
    """
    boards = dask_worker.plugins.get(PLUGIN)
    return [] if boards is None else boards.pool.statistics()
