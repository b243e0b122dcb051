"""A thread for the device, which does not keep the process from ending."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any


class Worker:
    """Runs functions one after the other on one thread.

    It is always the same thread, as libraries keep things for the thread that used them first, and
    a daemon, as a device that does not come back must not keep the process from ending.

    Attributes
    ----------
    busy : bool
        Whether a function runs.

    Examples
    --------
    >>> asyncio.run(Worker().run(lambda: 6 * 7))
    42
    """

    def __init__(self) -> None:
        self.busy = False
        self._tasks: queue.SimpleQueue[tuple[Callable[[], Any], _Promise]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="tensorspin-device", daemon=True).start()

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run a function, and wait for its result.

        Parameters
        ----------
        function : callable
            What to run, without arguments.

        Returns
        -------
        object
            What it returns; what it raises is raised here.
        """
        promise = _Promise()
        self._tasks.put((function, promise))
        return await promise.future

    def _work(self) -> None:
        while True:
            function, promise = self._tasks.get()
            self.busy = True
            outcome: tuple[Any, BaseException | None]
            try:
                outcome = function(), None
            except BaseException as error:
                outcome = None, error
            self.busy = False
            promise.settle(*outcome)
            del function, promise, outcome  # and what they hold, until the next one comes


class _Promise:
    """A future of an event loop that another thread settles."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()

    def settle(self, result: Any, error: BaseException | None) -> None:
        """Settle the future, unless nobody waits any more."""
        try:
            self._loop.call_soon_threadsafe(self._settle, result, error)
        except RuntimeError:
            pass  # the loop has ended

    def _settle(self, result: Any, error: BaseException | None) -> None:
        if self.future.cancelled():
            return
        if error is None:
            self.future.set_result(result)
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            self.future.set_exception(error)
        else:  # what ends a program, a loop or a coroutine must not end what waits
            self.future.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))
