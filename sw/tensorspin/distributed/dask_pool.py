"""The boards of a cluster, used as one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

from ..driver.pool.backend import Backend
from ..driver.pool.member import BoardStatistics
from ..pool.predicting import PoolPrediction
from ..pool.sampling import PoolSampler
from .cluster import Cluster
from .collections import is_lazy, lazily

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 30.0
"""Seconds that a call waits for a worker with boards if there is none: Dask starts a worker that
has died again within some seconds."""


class DaskBoardPool(PoolPrediction, PoolSampler):
    """The boards that workers of a Dask cluster hold, used as one.

    It has the methods of a `tensorspin.BoardPool`, and its results are the same, bit for bit. A
    worker holds boards if it was started with ``--preload tensorspin.distributed.worker --board
    URL``, or has the plugin `tensorspin.distributed.worker.WorkerBoards`. Work of a worker that
    dies, or whose boards do, goes to others. A pool can be pickled, and used in tasks.

    Parameters
    ----------
    client : distributed.Client, optional
        A client of the cluster's scheduler, which stays the caller's to close; by default the one
        that is in use.
    annealer : str, optional
        Name of a board, such as "ulx3s_25f_annealer", whose kind of annealer samples. By default
        the smallest one in the cluster that holds the model.
    patience : float, default=30.0
        Seconds that a call waits for a worker with boards if there is none.

    Raises
    ------
    ImportError
        If Dask is not installed: ``pip install 'tensorspin[distributed]'``.
    TypeError
        If `client` is none, or one that is used with ``await``.
    ValueError
        If there is no client in use, or `patience` is less than 0, or `annealer` is no board with
        an annealer.

    Examples
    --------
    A cluster of two processes of this computer, each with a golden model:

    >>> from distributed import Client, LocalCluster  # doctest: +SKIP
    >>> cluster = LocalCluster(
    ...     n_workers=2,
    ...     preload=["tensorspin.distributed.worker"],
    ...     preload_argv=["--board", "golden://icebreaker"],
    ... )  # doctest: +SKIP
    >>> with Client(cluster) as client:  # doctest: +SKIP
    ...     DaskBoardPool(client).predict(model, X)
    """

    def __init__(
        self,
        client: Client | None = None,
        *,
        annealer: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        try:
            from distributed import Client, get_client
        except ImportError as error:
            raise ImportError(
                f"a DaskBoardPool needs Dask ({error}); pip install 'tensorspin[distributed]'"
            ) from error
        super().__init__(annealer)
        if not patience >= 0:
            raise ValueError(f"patience must be at least 0 seconds, not {patience}")
        if client is None:
            client = get_client()  # in a task, that of its worker
        if not isinstance(client, Client) or client.asynchronous:
            raise TypeError(f"client must be a distributed.Client without await, not {client!r}")
        self._patience = patience
        self._cluster = Cluster(client, patience)

    @property
    def _backend(self) -> Backend:
        return self._cluster

    @property
    def client(self) -> Client:
        """The client."""
        return self._cluster.client

    @property
    def url(self) -> str:
        """Address of the cluster's scheduler."""
        return f"dask:{self.client.scheduler.address}"

    def __len__(self) -> int:
        return int(sum(self._cluster.workers().values()))

    def statistics(self) -> list[BoardStatistics]:
        """Tell of each board what it has done so far, and how it is.

        Returns
        -------
        list of BoardStatistics
            One for each board of the workers that there are.
        """
        return self._cluster.statistics()

    def close(self) -> None:
        """Do nothing: boards stay with their workers, and the client is the caller's to close."""

    def _asked(self, name: str, model, X) -> Any:
        if is_lazy(X):
            return lazily(name, model, X, self._patience)
        return super()._asked(name, model, X)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<DaskBoardPool of {len(self)} boards at {self.client.scheduler.address}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Give the pool itself: copies of an estimator share its boards."""
        return self

    def __reduce__(self) -> tuple:
        # Where it is unpickled, another client, such as that of a worker, may be in use.
        options: dict[str, Any] = {"annealer": self._annealer_name, "patience": self._patience}
        return partial(type(self), **options), ()
