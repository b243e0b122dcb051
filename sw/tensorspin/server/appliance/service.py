"""Runs jobs one after the other, each only while somebody waits for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ...hybrid.appliance.protocol import BUSY, STOPPING
from ..logs import record
from ..refusal import Refusal
from ..turns import Turns
from ..worker import Worker
from .compiler import Compiler, Program
from .device import Device
from .jobs import Job, Kept, State, expired, written
from .metrics import JobMetrics

_logger = logging.getLogger(__name__)

_KEPT_BYTES = 1 << 26
"""Most bytes of answers that are kept for clients that ask again: 64 MiB."""

_KEPT_JOBS = 10_000
"""Most jobs that are kept for clients that ask again."""

_SWEEP_SECONDS = 5.0
"""Seconds between two times at which old answers are forgotten."""

_MEMORY = 0.9
"""Weight of the past in the mean time of a job, from which ``Retry-After`` is guessed."""


class Service:
    """What the routes ask for. Everything but the device itself runs in one event loop.

    Parameters
    ----------
    device : Device
        What runs circuits.
    compiler : Compiler
        What knows programs.
    queue : int
        Most jobs that wait.
    keep : float
        Seconds for which answers are kept.
    metrics : JobMetrics
        Counts jobs.
    """

    def __init__(
        self, device: Device, compiler: Compiler, queue: int, keep: float, metrics: JobMetrics
    ) -> None:
        self.device = device
        self.compiler = compiler
        self.stopping = False
        self._turns: Turns[Job] = Turns(queue)
        self._kept = Kept(keep, _KEPT_BYTES, _KEPT_JOBS)
        self._metrics = metrics
        self._worker = Worker()
        self._mean = 0.1
        metrics.watch(lambda: len(self._turns), lambda: len(self._kept), lambda: len(compiler))

    @property
    def busy(self) -> bool:
        """Whether the device works."""
        return self._worker.busy

    def submit(self, job: Job) -> Job:
        """Queue a job, or give the one that came before with the same identifier.

        Parameters
        ----------
        job : Job
            The job.

        Returns
        -------
        Job
            The job, or that one.

        Raises
        ------
        Refusal
            If the queue is full, the server stops, or the identifier belongs to another request.
        """
        known = self._kept.find(job.owner, job.key)
        if known is not None:
            if known.digest != job.digest:
                raise Refusal(
                    422,
                    "key",
                    f"job {job.key} is another request; make up a new identifier for each job",
                )
            return known
        self.check_open()
        try:
            displaced = self._turns.put(job.owner, job)
        except IndexError:
            self._metrics.refused.inc()
            raise self._full() from None
        if displaced is not None:
            self._metrics.refused.inc()
            displaced.refuse(State.REFUSED, self._full(), self._now())
            self._kept.forget(displaced)  # so that it can be sent again
        self._kept.add(job)
        return job

    def _full(self) -> Refusal:
        """Say that the queue is full, and guess when a quarter of it has been run."""
        seconds = self._mean * self._turns.limit / 4
        return Refusal(
            429, BUSY, f"{self._turns.limit} jobs wait already; try again later", seconds
        )

    def check_open(self) -> None:
        """Refuse everything new once the server stops.

        Raises
        ------
        Refusal
            If it stops.
        """
        if self.stopping:
            raise Refusal(503, STOPPING, "the appliance is being stopped", 1.0)

    def find(self, owner: str, key: str) -> Job:
        """Give a job.

        Parameters
        ----------
        owner, key : str
            Owner and identifier.

        Returns
        -------
        Job
            The job.

        Raises
        ------
        Refusal
            If there is none, or it was forgotten.
        """
        job = self._kept.find(owner, key)
        if job is None:
            raise Refusal(
                404,
                "unknown_job",
                f"job {key} is unknown here, or ended too long ago; send it again",
            )
        return job

    async def wait(self, job: Job, ends: float) -> None:
        """Wait until a job has ended, or nobody waits any more.

        Parameters
        ----------
        job : Job
            The job.
        ends : float
            How long to wait, on the loop's clock.
        """
        try:
            async with asyncio.timeout_at(ends):
                await job.ended.wait()
        except TimeoutError:
            pass
        if not job.ended.is_set() and job.ends <= self._now():
            self._drop(job, State.EXPIRED, expired(job, f"while it was {job.state}"))

    def cancel(self, job: Job) -> None:
        """Cancel a job. One that runs ends on the device, and its result is thrown away.

        Parameters
        ----------
        job : Job
            The job.
        """
        if not job.ended.is_set():
            self._drop(
                job, State.CANCELLED, Refusal(409, "cancelled", f"job {job.key} was cancelled")
            )

    def drain(self) -> None:
        """Refuse what has not begun; the job that runs goes on."""
        self.stopping = True
        for job in self._turns.drain():
            self._refuse(
                job, State.REFUSED, Refusal(503, STOPPING, "the appliance is being stopped", 1)
            )

    def _drop(self, job: Job, state: State, refusal: Refusal) -> None:
        self._turns.remove(job.owner, job)
        self._refuse(job, state, refusal)

    def _refuse(self, job: Job, state: State, refusal: Refusal) -> None:
        job.refuse(state, refusal, self._now())
        self._ended(job)

    def _ended(self, job: Job) -> None:
        self._kept.end(job)
        self._metrics.jobs.labels(job.state).inc()
        record(
            "job",
            job=job.key,
            owner=job.owner,
            state=job.state,
            seconds=round(self._now() - job.began, 6),
        )

    async def work(self) -> None:
        """Run jobs for ever."""
        while True:
            job = await self._turns.take()
            if job.ends <= self._now():
                self._refuse(job, State.EXPIRED, expired(job, "before it was run"))
                continue
            try:
                await self._run(job)
            except Exception:  # one job must not end the work on all others
                _logger.exception("a fault of the appliance in job %s", job.key)
                if not job.ended.is_set():
                    fault = Refusal(500, "fault", "a fault of the appliance; its log has more")
                    self._refuse(job, State.FAILED, fault)

    async def _run(self, job: Job) -> None:
        job.state, begins = State.RUNNING, self._now()
        self._metrics.device_calls.inc()
        self._metrics.queue_seconds.observe(begins - job.began)
        try:
            answer = await self._worker.run(lambda: self._answer(job, begins))
        except Exception as error:
            _logger.debug("job %s failed:", job.key, exc_info=True)
            failed = Refusal(
                502, "device", f"the sampler failed: {type(error).__name__}: {error}"[:500]
            )
            if not job.ended.is_set():
                self._refuse(job, State.FAILED, failed)
            return
        finally:
            seconds = self._now() - begins
            self._metrics.device_seconds.observe(seconds)
            self._mean = _MEMORY * self._mean + (1 - _MEMORY) * seconds
        if job.ended.is_set():
            self._metrics.late.inc()
        elif job.ends <= self._now():
            self._refuse(job, State.EXPIRED, expired(job, "while it was running"))
        else:
            job.finish(State.DONE, 200, answer, self._now())
            self._ended(job)

    def _answer(self, job: Job, begins: float) -> bytes:
        """Run a job on the device, and write its answer; in a thread of its own."""
        program, values = job.program, job.values
        if program is None:  # dropped in this moment
            return b""
        arrays, seconds = _timed(lambda: self.device.run(program.circuit, values, job.shots))
        times = {"queue": begins - job.began, "device": seconds}
        return written(job, program, arrays, times)

    async def sweep(self) -> None:
        """Forget old answers for ever."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self._kept.sweep(self._now())

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def check_values(
    program: Program, parameters: dict[str, float | list[float]], most: int
) -> tuple[dict[str, np.ndarray], int]:
    """Bring the values of a job's parameters into columns.

    Parameters
    ----------
    program : Program
        What will run.
    parameters : dict of str to float or list of float
        What the client sent: for each name a number, or one for each row.
    most : int
        Most values in all.

    Returns
    -------
    values : dict of str to ndarray of float64 of shape (rows,)
        Values by name.
    rows : int
        Rows.

    Raises
    ------
    Refusal
        If names are missing or unknown, or rows differ.
    """
    expected, given = set(program.told["parameters"]), set(parameters)
    if expected != given:
        missing, unknown = sorted(expected - given), sorted(given - expected)
        raise Refusal(
            422,
            "parameters",
            f"parameters must be those of the program; missing: {_some(missing)}, unknown: "
            f"{_some(unknown)}",
        )
    columns = {
        name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in parameters.items()
    }
    sizes = {len(column) for column in columns.values()} or {1}
    if len(sizes) > 1 or not min(sizes):
        raise Refusal(
            422,
            "parameters",
            f"each parameter must have the same number of values, at least one, not "
            f"{_some(sorted(map(str, sizes)))}",
        )
    rows = sizes.pop()
    if rows * max(1, len(columns)) > most:
        raise Refusal(
            413,
            "too_large",
            f"a job must have up to {most} values, not {rows * len(columns)}; send fewer rows",
        )
    return columns, rows


def _some(names: list[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:5]) or "none"
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begins = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begins
