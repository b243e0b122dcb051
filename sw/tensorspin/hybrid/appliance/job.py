"""A job of `ApplianceSampler`, with the methods that Qiskit's jobs have."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any

from .errors import ApplianceError, ApplianceTimeoutError

try:
    from qiskit.primitives import BasePrimitiveJob as _Base
except ImportError:  # the names of the package can be listed without the extra
    _Base = object


class ApplianceJob(_Base):
    """Pubs that run on an appliance.

    Parameters
    ----------
    job_id : str
        Identifier of the job.
    futures : list of concurrent.futures.Future
        For each pub its result.
    cancel : callable
        Tells the appliance that nobody waits any more.
    ends : float
        When the job is given up, on the clock of `time.monotonic`.

    Examples
    --------
    >>> from concurrent.futures import Future
    >>> job = ApplianceJob("first", [Future()], lambda: None, ends=0.0)
    >>> job.in_final_state(), job.cancel(), job.cancelled()
    (False, True, True)
    """

    def __init__(
        self,
        job_id: str,
        futures: list[concurrent.futures.Future],
        cancel: Callable[[], None],
        ends: float,
    ) -> None:
        if _Base is not object:
            super().__init__(job_id)
        self._job_id = job_id
        self._futures = futures
        self._cancel = cancel
        self._ends = ends

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the result.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait. By default until the job's own time is over. The job goes on if this
            time is over first, until it is cancelled.

        Returns
        -------
        qiskit.primitives.PrimitiveResult
            For each pub its measured bits, with the appliance's times in its metadata.

        Raises
        ------
        ApplianceTimeoutError
            If there is no result in time.
        ApplianceError
            If the appliance refused the job, could not be asked, or the job was cancelled.
        """
        from qiskit.primitives import PrimitiveResult

        ends = time.monotonic() + timeout if timeout is not None else None
        results = []
        for future in self._futures:
            left = None if ends is None else max(0.0, ends - time.monotonic())
            try:
                results.append(future.result(left))
            except concurrent.futures.CancelledError as error:
                raise ApplianceError(f"job {self._job_id} was cancelled") from error
            except concurrent.futures.TimeoutError as error:
                if isinstance(error, ApplianceError):
                    raise
                raise ApplianceTimeoutError(
                    f"job {self._job_id} has no result after {timeout:.3g} s; wait longer, or "
                    f"cancel() it"
                ) from error
        return PrimitiveResult(results, metadata={"version": 2})

    def cancel(self) -> bool:
        """Give the job up: nobody waits for it any more, and the appliance drops it.

        Returns
        -------
        bool
            Whether it was still waited for. The appliance is told in the background.
        """
        ended = [future.cancel() for future in self._futures]
        if any(ended):
            self._cancel()
        return any(ended)

    def status(self) -> Any:
        """Tell where the job is.

        Returns
        -------
        qiskit.providers.JobStatus
            ``RUNNING`` from the beginning; the appliance is not asked whether it still queues.
        """
        from qiskit.providers import JobStatus

        if not self.in_final_state():
            return JobStatus.RUNNING
        if self.cancelled():
            return JobStatus.CANCELLED
        return JobStatus.DONE if self.done() else JobStatus.ERROR

    def done(self) -> bool:
        """Tell whether there is a result.

        Returns
        -------
        bool
            True if the job ended well.
        """
        return self.in_final_state() and all(
            not future.cancelled() and future.exception() is None for future in self._futures
        )

    def running(self) -> bool:
        """Tell whether the job is waited for.

        Returns
        -------
        bool
            True until it has ended.
        """
        return not self.in_final_state()

    def cancelled(self) -> bool:
        """Tell whether the job was cancelled.

        Returns
        -------
        bool
            True if `cancel` came before its end.
        """
        return any(future.cancelled() for future in self._futures)

    def in_final_state(self) -> bool:
        """Tell whether the job has ended, well or not.

        Returns
        -------
        bool
            True if nothing of it will change.
        """
        return all(future.done() for future in self._futures)
