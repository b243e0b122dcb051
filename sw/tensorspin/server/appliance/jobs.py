"""Jobs: what was asked for, and what became of it."""

from __future__ import annotations

import asyncio
import enum
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...hybrid.appliance.protocol import EXPIRED
from ...hybrid.appliance.wire import pack
from ..refusal import Refusal
from .compiler import Program


class State(enum.StrEnum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUSED = "refused"


@dataclass(eq=False)
class Job:
    """One program with values, to be run some number of times.

    Parameters
    ----------
    key : str
        Its identifier, which is unique for its owner.
    owner : str
        Name of the token with which it came.
    digest : bytes
        Digest of the request, to recognise one that is repeated.
    program : Program or None
        What to run; None once it has ended.
    values : dict of str to ndarray of float64 of shape (rows,)
        Values of parameters.
    rows, shots : int
        Rows of values, and shots of each.
    as_counts : bool
        Whether to answer with counts instead of bits.
    began, ends : float
        When it came, and when nobody waits any more, on the loop's clock.
    """

    key: str
    owner: str
    digest: bytes
    program: Program | None
    values: dict[str, np.ndarray]
    rows: int
    shots: int
    as_counts: bool
    began: float
    ends: float
    state: State = State.QUEUED
    status: int = 202
    answer: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    ended_at: float = 0.0

    def document(self) -> bytes:
        """Write what clients are told of it, in JSON."""
        if self.ended.is_set():
            return self.answer
        return json.dumps({"id": self.key, "state": self.state}).encode()

    def finish(self, state: State, status: int, answer: bytes, now: float) -> None:
        """End the job, and let go of what it needed.

        Parameters
        ----------
        state : State
            What became of it.
        status : int
            HTTP status of its answer.
        answer : bytes
            The answer, in JSON.
        now : float
            Time on the loop's clock.
        """
        self.state, self.status, self.answer, self.ended_at = state, status, answer, now
        self.program, self.values = None, {}
        self.ended.set()

    def refuse(self, state: State, refusal: Refusal, now: float) -> None:
        """End the job without a result.

        Parameters
        ----------
        state : State
            What became of it.
        refusal : Refusal
            Why.
        now : float
            Time on the loop's clock.
        """
        error = {"code": refusal.code, "message": refusal.message}
        answer = json.dumps({"id": self.key, "state": state, "error": error}).encode()
        self.headers = refusal.headers
        self.finish(state, refusal.status, answer, now)


def expired(job: Job, where: str) -> Refusal:
    """Say that a job's time was over.

    Parameters
    ----------
    job : Job
        The job.
    where : str
        Where it was then.

    Returns
    -------
    Refusal
        The answer.
    """
    seconds = job.ends - job.began
    return Refusal(504, EXPIRED, f"the {seconds:.3g} s of job {job.key} were over {where}")


def written(
    job: Job, program: Program, arrays: list[np.ndarray], seconds: dict[str, float]
) -> bytes:
    """Write the answer of a job that has run.

    Parameters
    ----------
    job : Job
        The job.
    program : Program
        Its program, which the job has let go of if it was dropped meanwhile.
    arrays : list of ndarray of uint8 of shape (rows, shots, bytes)
        What each register measured.
    seconds : dict of str to float
        Times to tell.

    Returns
    -------
    bytes
        The answer, in JSON.
    """
    registers: list[dict[str, Any]] = [
        pack(name, bits, array, job.as_counts)
        for (name, bits), array in zip(program.told["registers"], arrays)
    ]
    return json.dumps(
        {
            "id": job.key,
            "state": State.DONE,
            "program": program.digest,
            "rows": job.rows,
            "shots": job.shots,
            "registers": registers,
            "seconds": {name: round(value, 6) for name, value in seconds.items()},
        }
    ).encode()


class Kept:
    """Jobs by owner and identifier: those that run, and for a while those that have ended.

    Parameters
    ----------
    seconds : float
        How long a job that has ended is kept.
    most_bytes : int
        Most bytes of the answers that are kept.
    most_jobs : int
        Most jobs that are kept.
    """

    def __init__(self, seconds: float, most_bytes: int, most_jobs: int) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._most_jobs = most_jobs
        self._jobs: dict[tuple[str, str], Job] = {}
        self._ended: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def find(self, owner: str, key: str) -> Job | None:
        """Give a job, or None if there is none.

        Parameters
        ----------
        owner, key : str
            Owner and identifier.

        Returns
        -------
        Job or None
            The job.
        """
        return self._jobs.get((owner, key))

    def add(self, job: Job) -> None:
        """Keep a job that begins.

        Parameters
        ----------
        job : Job
            The job.
        """
        self._jobs[job.owner, job.key] = job

    def forget(self, job: Job) -> None:
        """Forget a job that has not begun.

        Parameters
        ----------
        job : Job
            The job.
        """
        self._jobs.pop((job.owner, job.key), None)

    def end(self, job: Job) -> None:
        """Note that a job has ended, and forget older ones beyond the limits.

        Parameters
        ----------
        job : Job
            The job.
        """
        self._ended[job.owner, job.key] = job
        self._bytes += len(job.answer)
        self.sweep(job.ended_at)

    def sweep(self, now: float) -> None:
        """Forget jobs that ended too long ago, or are too many.

        Parameters
        ----------
        now : float
            Time on the loop's clock.
        """
        while self._ended:
            place, oldest = next(iter(self._ended.items()))
            if (
                now - oldest.ended_at <= self._seconds
                and self._bytes <= self._most_bytes
                and len(self._ended) <= self._most_jobs
            ):
                return
            del self._ended[place], self._jobs[place]
            self._bytes -= len(oldest.answer)
