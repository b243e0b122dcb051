"""A worker of Dask that holds modelled boards."""

from __future__ import annotations

from ...distributed.worker import WorkerBoards
from ...driver.pool.member import BoardStatistics
from .modelled_boards import PieceModel, modelled_crew


class ModelledPool:
    """What a worker needs of a pool.

    Parameters
    ----------
    model : PieceModel
        What a piece takes a board.
    count : int
        Number of boards.
    """

    def __init__(self, model: PieceModel, count: int) -> None:
        self._count = count
        self._crew = modelled_crew(model, count)

    def __len__(self) -> int:
        return self._count

    def statistics(self) -> list[BoardStatistics]:
        """Tell what each board has done."""
        return self._crew.statistics()

    def close(self) -> None:
        """End the threads."""
        self._crew.close()


class ModelledBoards(WorkerBoards):
    """Modelled boards of a worker.

    Parameters
    ----------
    model : PieceModel
        What a piece takes a board.
    count : int
        Number of boards of each worker.
    """

    def __init__(self, model: PieceModel, count: int) -> None:
        self._model, self._count = model, count
        self._worker = None
        self._announced, self._watching = 0, False

    async def setup(self, worker) -> None:
        """Make the boards where they are used; a plugin travels there without threads."""
        self.pool = ModelledPool(self._model, self._count)  # type: ignore[assignment]  # enough of it
        await super().setup(worker)
