r"""A worker of a Dask cluster that holds boards: a preload module for ``dask worker``.

    dask worker tcp://scheduler:8786 --preload tensorspin.distributed.worker \
        --board /dev/ttyUSB1 --board https://box:8443/icebreaker

The worker announces as many of Dask's resource ``tensorspin`` as it has boards that work, so that
the scheduler gives it no more pieces of work at a time. Boards are opened when there is work.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ..contract.device.description import DeviceDescription
from ..driver.pool.work import Work
from ..errors import PoolError
from ..pool.board_pool import BoardPool
from .pieces import PLUGIN, RESOURCE, Done

try:
    import click
    from distributed import Status, Worker, WorkerPlugin

    _DASK = True
except ImportError:  # without Dask one can read of this module, but there is no worker
    _DASK = False
    Status = Worker = WorkerPlugin = object

_logger = logging.getLogger(__name__)

LOOK_AGAIN = 5.0
"""Seconds after which a worker without a board that works looks whether one is back."""

_Result = TypeVar("_Result")


class WorkerBoards(WorkerPlugin):
    """The boards of a worker: a plugin, for ``Worker(plugins=[...])`` or ``register_plugin``.

    Parameters
    ----------
    urls : sequence of str
        URLs of the boards, as `tensorspin.BoardPool` takes them.
    **options
        Further arguments of `tensorspin.BoardPool`.
    """

    name = PLUGIN

    def __init__(self, urls, **options: Any) -> None:
        self.pool = BoardPool(urls, **options)
        self._worker: Worker | None = None
        self._announced = 0
        self._watching = False

    async def setup(self, worker: Worker) -> None:
        """Announce the boards; see ``distributed.WorkerPlugin.setup``."""
        self._worker = worker
        self._announced = len(self.pool)
        if worker.status is Status.running:
            await worker.set_resources(**{RESOURCE: self._announced})
        else:  # it will tell the scheduler when it registers
            worker.state.total_resources[RESOURCE] = self._announced
            worker.state.available_resources[RESOURCE] = self._announced

    async def teardown(self, worker: Worker) -> None:
        """Release the boards; see ``distributed.WorkerPlugin.teardown``."""
        self._worker = None
        await self.in_thread(self.pool.close)

    async def in_thread(self, function: Callable[[], _Result]) -> _Result:
        """Call a function that waits for boards in a thread of its own.

        Parameters
        ----------
        function : callable
            The function.

        Returns
        -------
        object
            What it returns.
        """
        return await asyncio.get_running_loop().run_in_executor(None, function)

    def descriptions(self) -> list[tuple[str, DeviceDescription]]:
        """Open the boards, and tell what they are."""
        return list(self.pool._backend.descriptions())

    def do(self, work: Work) -> Done:
        """Do a piece of work on one of the boards.

        Parameters
        ----------
        work : Work
            The piece.

        Returns
        -------
        Done
            The result, or why none of the boards could do it.
        """
        notices: list[str] = []
        begun = time.monotonic()
        try:
            with self.pool._crew.call(notices.append) as call:
                (number,) = call.add([work])
                result, error = call.result(number), None
        except PoolError as failure:
            result, error = None, failure
        self._announce()
        address = "" if self._worker is None else self._worker.address
        return Done(result, notices, error, time.monotonic() - begun, address)

    def _announce(self) -> None:
        """Tell the scheduler how many boards work, if that has changed."""
        working = self.pool._crew.working()
        worker = self._worker
        if worker is not None and working != self._announced:
            self._announced = working
            worker.loop.add_callback(self._tell)

    async def _tell(self) -> None:
        worker = self._worker
        if worker is None:
            return
        _logger.info("%d of %d boards work", self._announced, len(self.pool))
        await worker.set_resources(**{RESOURCE: self._announced})
        if self._announced < len(self.pool) and not self._watching:
            self._watching = True
            worker.loop.call_later(LOOK_AGAIN, self._look)

    async def _look(self) -> None:
        """Find out whether boards that had failed are back."""
        self._watching = False
        await self.in_thread(self.pool._crew.try_again)
        self._announce()
        if self._announced < len(self.pool) and self._worker is not None and not self._watching:
            self._watching = True
            self._worker.loop.call_later(LOOK_AGAIN, self._look)


async def announce(worker: Worker, urls: tuple[str, ...], certificate: str | None) -> None:
    """Announce the boards of a worker that begins.

    Parameters
    ----------
    worker : distributed.Worker
        The worker.
    urls : tuple of str
        Its boards.
    certificate : str or None
        File with the certificate of servers of boards.
    """
    options = {} if certificate is None else {"certificate": certificate}
    await worker.plugin_add(WorkerBoards(urls, **options), name=PLUGIN, catch_errors=False)


if _DASK:
    dask_setup = click.Command(
        "dask_setup",
        callback=announce,
        params=[
            click.Option(["--board", "urls"], multiple=True, required=True, help="URL of a board"),
            click.Option(["--certificate"], help="file with the certificate of servers of boards"),
        ],
    )
    """What Dask calls when a worker with this preload module begins."""
