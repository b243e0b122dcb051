"""Work for the boards of a cluster, through Dask's scheduler.

Dask gives a piece to a worker with a free board (a resource), and again to another one if the
worker dies. What is added here: a worker whose boards cannot do a piece is not asked again in a
call, a piece that seems to hang is begun by another worker too, and a call ends with each worker's
reason when nobody is left.
"""

from __future__ import annotations

import queue
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from ..contract.device.description import DeviceDescription
from ..driver.pool.backend import Backend, PendingCall
from ..driver.pool.member import BoardStatistics
from ..driver.pool.work import Work
from ..errors import (
    BoardLostWarning,
    CapacityError,
    InterruptedRunError,
    PoolCapacityError,
    PoolError,
)
from ..progress import Progress
from .pieces import RESOURCE, Done, Packer, Piece, describe, do_piece, tell

_ASK = 0.1
"""Seconds between two questions to the caller's functions."""

_LOOK = 0.5
"""Seconds between two looks at which workers there are."""

_DEATHS = 5
"""Workers that die of one piece before it is the piece that is to blame."""

_FETCH = 30.0
"""Seconds in which a result travels from a worker that has told that it is there."""

_BATCH = 32
"""Most results that are fetched at once."""

_HANGS = 10.0
"""Seconds without any result, and at least five times as long as the longest piece has taken, after
which pieces that a worker has begun are given to others, too."""


class Cluster(Backend):
    """The boards of a cluster.

    Parameters
    ----------
    client : distributed.Client
        A client of its scheduler.
    patience : float
        Seconds that a call waits for a worker with boards if there is none.
    """

    def __init__(self, client: Any, patience: float) -> None:
        self.client, self.patience = client, patience
        self._described: dict[str, list[tuple[str, DeviceDescription]]] = {}
        self._looked = float("-inf")
        self._seen: dict[str, float] = {}
        self._known: set[str] = set()

    def call(self) -> ClusterCall:
        """Begin a call; see `Backend.call`."""
        return ClusterCall(self)

    def workers(self, anew: bool = True) -> dict[str, float]:
        """Tell which workers hold boards.

        Parameters
        ----------
        anew : bool, default=True
            Whether the scheduler is asked, though it was asked a moment ago.

        Returns
        -------
        dict of str to float
            Number of boards that work, by the worker's address; 0 if none of its boards does.

        Raises
        ------
        PoolError
            If the scheduler is lost.
        """
        if self.client.status != "running":
            raise PoolError(
                f"the connection to Dask's scheduler is {self.client.status}; nothing is returned: "
                f"connect a new Client",
                {},
            )
        now = time.monotonic()
        if anew or now - self._looked > _LOOK:
            found = self.client.scheduler_info(n_workers=-1)["workers"]
            self._seen = {
                address: worker["resources"][RESOURCE]
                for address, worker in found.items()
                if RESOURCE in worker["resources"]
            }
            self._known |= set(self._seen)
            self._looked = now
        return dict(self._seen)

    def warn_of_lost(self) -> None:
        """Warn of workers that were there when this was asked last."""
        workers = set(self._seen)
        for gone in sorted(self._known - workers):
            warnings.warn(
                f"the worker {gone} is gone, and its work goes to others",
                BoardLostWarning,
                stacklevel=6,
            )
        self._known = workers

    def descriptions(self) -> Iterator[tuple[str, DeviceDescription]]:
        """Tell of each board what it is, the smallest annealers first; see `Backend`.

        A cluster has no order of its own, and boards come and go.
        """
        workers = sorted(self.workers(anew=False))
        if sorted(self._described) != workers or not any(self._described.values()):
            ends = time.monotonic() + self.patience
            while not (workers := sorted(self.workers())) and time.monotonic() < ends:
                time.sleep(_ASK)
            self._described = self._ask_all(describe, workers)
        found = [
            (f"{url} of {address}", info)
            for address, boards in self._described.items()
            for url, info in boards
        ]

        def spins(board: tuple[str, DeviceDescription]) -> tuple:
            size = board[1].annealer
            return (0, "", board[0]) if size is None else (size.spins, repr(size), board[0])

        yield from sorted(found, key=spins)

    def _ask_all(self, question: Callable, workers: Sequence[str]) -> dict[str, Any]:
        """Ask workers something; those that die meanwhile are left out."""
        if not workers:
            return {}
        return self.client.run(question, workers=list(workers), on_error="ignore")

    def reasons(self) -> dict[str, str]:
        """Tell of each board that has failed last why; see `Backend.reasons`."""
        if not self.workers():
            return {"the cluster": "no worker holds boards"}
        return {each.url: str(each.error) for each in self.statistics() if each.state == "failed"}

    def statistics(self) -> list[BoardStatistics]:
        """Tell of each board what it has done; see `Backend.statistics`."""
        told = self._ask_all(tell, sorted(self.workers()))
        return [
            replace(each, url=f"{each.url} of {address}")
            for address, boards in sorted(told.items())
            for each in boards
        ]

    def close(self) -> None:
        """Release nothing: workers keep their boards open, and the client is the caller's."""


class ClusterCall(PendingCall):
    """Work that belongs together, as tasks of Dask; see `PendingCall`.

    Parameters
    ----------
    cluster : Cluster
        The boards.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._client = cluster, cluster.client
        self._name = f"tensorspin-{uuid.uuid4().hex[:12]}"
        self._packer = Packer()
        self._pieces: dict[int, Piece] = {}
        self._amounts: list[int] = []
        self._results: dict[int, Any] = {}
        self._futures: dict[str, tuple[int, Any]] = {}
        self._arrived: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._refused: dict[str, PoolError] = {}
        self._deaths = 0
        self._sent = self._advanced = 0
        self._longest = 0.0
        self._last = self._looked = time.monotonic()
        self._alone_since: float | None = None

    def add(self, works: Sequence[Work]) -> list[int]:
        """Give more work; see `PendingCall.add`."""
        if not self._amounts:
            self._cluster.workers(anew=False)
            self._cluster.warn_of_lost()
        first = len(self._amounts)
        for number, work in enumerate(works, first):
            self._pieces[number] = self._packer.pack(work)
            self._amounts.append(work.amount)
        self._submit(range(first, len(self._amounts)))
        self._last = time.monotonic()
        return list(range(first, len(self._amounts)))

    def _submit(self, numbers: Sequence[int], without: str | None = None) -> None:
        """Hand pieces to Dask, for any worker that has not refused the call."""
        if not numbers:
            return
        chosen: dict[str, Any] = {}
        left_out = {*self._refused, *([without] if without else [])}
        if left_out:
            able = [each for each in self._cluster.workers(anew=False) if each not in left_out]
            if not able:
                return  # `_look` ends the call, unless a worker comes
            chosen["workers"] = able
        self._sent += 1
        futures = self._client.map(
            do_piece,
            [self._pieces[number] for number in numbers],
            key=[f"{self._name}-{number}-{self._sent}" for number in numbers],
            resources={RESOURCE: 1},
            pure=False,
            **chosen,
        )
        for number, future in zip(numbers, futures):
            self._futures[future.key] = number, future
            future.add_done_callback(lambda done: self._arrived.put(done.key))

    def result(
        self,
        number: int,
        interrupt_function: Callable[[], bool] | None = None,
        progress: Progress | None = None,
    ) -> Any:
        """Wait for a result; see `PendingCall.result`."""
        told, asked = -1, time.monotonic()
        while number not in self._results:
            try:
                keys = [self._arrived.get(timeout=_ASK)]
                while len(keys) < _BATCH and not self._arrived.empty():
                    keys.append(self._arrived.get())
                fetched = self._fetched(keys)
                for key in keys:
                    self._take(key, fetched.get(key))
            except queue.Empty:
                pass
            self._look()  # while others' results come, too, or a lost worker would not be told
            if progress is not None and told != self._advanced:
                told = self._advanced
                progress(told, sum(self._amounts))
            if interrupt_function is not None and time.monotonic() - asked >= _ASK:
                asked = time.monotonic()
                if interrupt_function():
                    raise InterruptedRunError("the run was interrupted before its end")
        if progress is not None and told != self._advanced:
            progress(self._advanced, sum(self._amounts))
        return self._results.pop(number)

    def _fetched(self, keys: Sequence[str]) -> dict[str, Done]:
        """Fetch the results of tasks, all at once; none if that does not work out."""
        ready = [self._futures[key][1] for key in keys if key in self._futures]
        ready = [future for future in ready if future.status == "finished"]
        if len(ready) < 2:
            return {}
        gather = partial(self._client.gather, ready, asynchronous=True)
        try:
            found = self._client.sync(gather, callback_timeout=_FETCH)
        except Exception:  # one of them is lost, and `_take` finds out which
            return {}
        return {future.key: done for future, done in zip(ready, found)}

    def _take(self, key: str, done: Done | None) -> None:
        """Keep the result of a task that has ended, or do its piece again."""
        number, future = self._futures.pop(key, (None, None))
        if future is None or number not in self._pieces:
            return  # another worker was quicker
        self._last = time.monotonic()
        if future.status != "finished":
            self._failed(number, future)
            return
        if done is None:
            try:
                done = cast(Done, future.result(timeout=_FETCH))
            except TimeoutError:  # the worker has died with the result
                self._submit([number])
                return
        for notice in done.notices:
            warnings.warn(notice, BoardLostWarning, stacklevel=4)
        if done.error is not None:
            # Its reasons are those of this worker's boards.
            self._refused[done.worker] = done.error
            self._submit([number])
            self._check_left()
            return
        self._longest = max(self._longest, done.seconds)
        self._advanced += self._amounts[number]
        self._results[number] = done.result
        del self._pieces[number]

    def _failed(self, number: int, future: Any) -> None:
        """Do a piece again after its workers have died; raise what is the work's own fault."""
        from distributed import KilledWorker

        error = None
        if future.status == "error":
            try:
                error = future.exception(timeout=_FETCH)
            except TimeoutError:  # it has been lost since; of what is lost, Dask tells no more
                pass
        if error is None or isinstance(error, KilledWorker):
            self._deaths += 1
            if self._deaths > _DEATHS:
                raise PoolError(
                    f"workers die again and again while they do this; nothing is returned: "
                    f"{error or 'the scheduler has dropped the task'}",
                    {},
                ) from error
            self._submit([number])
            return
        raise error

    def _look(self) -> None:
        """See which workers are left, and whether something hangs."""
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        self._cluster.workers()
        self._cluster.warn_of_lost()
        self._check_left()
        waiting = {number for number, _ in self._futures.values()}
        # There was no worker for others.
        self._submit([number for number in self._pieces if number not in waiting])
        if now - self._last > max(_HANGS, 5 * self._longest):
            self._last = now
            for worker, keys in self._client.processing().items():
                held = [self._futures[key][0] for key in keys if key in self._futures]
                self._submit(list(dict.fromkeys(held)), without=worker)

    def _check_left(self) -> None:
        """End the call if nobody is left who can do it."""
        workers = self._cluster.workers(anew=False)
        if any(count for address, count in workers.items() if address not in self._refused):
            self._alone_since = None
            return
        now = time.monotonic()
        if workers and all(each in self._refused for each in workers):
            raise self._why()
        self._alone_since = self._alone_since or now
        if now - self._alone_since > self._cluster.patience:
            raise self._why()

    def _why(self) -> PoolError:
        """Make the error of a call that no worker can do."""
        reasons = {
            f"{url} of {address}": reason
            for address, error in sorted(self._refused.items())
            for url, reason in error.reasons.items()
        }
        listed = "".join(f"\n  {url}: {reason}" for url, reason in reasons.items())
        too_small = [each for each in self._refused.values() if isinstance(each, PoolCapacityError)]
        if too_small and len(too_small) == len(self._refused):
            nearest: CapacityError = min(too_small, key=lambda each: each.needed / each.limit)
            return PoolCapacityError(f"no board can hold the model:{listed}", reasons, nearest)
        if not reasons:
            listed = (
                f" no worker of the cluster holds boards that work, for {self._cluster.patience:g} "
                f"seconds; start workers with --preload tensorspin.distributed.worker --board URL"
            )
        return PoolError(f"no board is left that can do it; nothing is returned:{listed}", reasons)

    def close(self) -> None:
        """End the call; see `PendingCall.close`."""
        left = [future for _, future in self._futures.values()]
        self._futures.clear()
        self._pieces.clear()
        if left and self._client.status == "running":
            self._client.cancel(left, force=True)
