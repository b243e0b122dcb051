"""The requests that a sampler makes: run a job, upload its program, cancel, ask for the device."""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass
from typing import Any

from .connection import Answer, Connection
from .errors import ApplianceAnswerError, ApplianceError, ApplianceTimeoutError
from .protocol import (
    BUSY,
    DEVICE,
    EXPIRED,
    JOBS,
    KEY_HEADER,
    PROGRAM_TYPE,
    PROGRAMS,
    TIMEOUT_HEADER,
    UNKNOWN_PROGRAM,
    digest,
)

_UPLOAD_SECONDS = 120.0
"""Seconds for an upload, which ends after the answer that needed it if that is given up."""

_LEAST_PAUSE = 0.05
"""Least seconds until a full queue is asked again."""


@dataclass(frozen=True)
class Task:
    """One job for the appliance.

    Parameters
    ----------
    key : str
        Its identifier.
    program : str
        Text in OpenQASM 3.
    values : dict of str to list of float
        For each name one value a row.
    shots : int
        Shots of each row.
    """

    key: str
    program: str
    values: dict[str, list[float]]
    shots: int


class Requests:
    """What an appliance is asked for.

    Parameters
    ----------
    connection : Connection
        The way to it.
    in_flight : int
        Most jobs that are sent at once; others wait here.
    """

    def __init__(self, connection: Connection, in_flight: int) -> None:
        self.connection = connection
        self._in_flight = in_flight
        self._turns: asyncio.Semaphore | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._uploads: dict[str, asyncio.Task] = {}

    async def run(self, task: Task, ends: float) -> dict[str, Any]:
        """Run a job, and upload its program if the appliance does not have it.

        Parameters
        ----------
        task : Task
            The job.
        ends : float
            When to give it up, on the clock of `time.monotonic`.

        Returns
        -------
        dict
            The appliance's answer.

        Raises
        ------
        ApplianceError
            If the appliance cannot be asked, refuses the job, or does not answer in time.
        """
        try:
            async with asyncio.timeout(max(0.0, ends - time.monotonic())):
                async with self._turn():
                    return await self._run(task, ends)
        except TimeoutError as error:
            if isinstance(error, ApplianceError):
                raise
            raise ApplianceTimeoutError(
                f"{self.connection.url} did not answer in time; wait longer (timeout=), or look at "
                f"the appliance's log"
            ) from error

    def _turn(self) -> asyncio.Semaphore:
        loop = asyncio.get_running_loop()
        if self._turns is None or self._loop is not loop:  # the sampler was closed, or has forked
            self._turns, self._loop, self._uploads = asyncio.Semaphore(self._in_flight), loop, {}
        return self._turns

    async def _run(self, task: Task, ends: float) -> dict[str, Any]:
        name = digest(task.program)
        body = json.dumps(
            {
                "program": name,
                "parameters": task.values,
                "shots": task.shots,
                "result": "bits",
            }
        ).encode()
        uploads = 0
        while True:
            left = ends - time.monotonic()
            headers = {
                "Content-Type": "application/json",
                KEY_HEADER: task.key,
                TIMEOUT_HEADER: f"{max(left, 0.001):.3f}",
            }
            answer = await self.connection.ask("POST", JOBS, left, body, headers)
            if answer.status == 200:
                return _document(answer)
            error = _error(answer, self.connection.url)
            if error.code == UNKNOWN_PROGRAM and uploads < 2:
                uploads += 1
                await self._upload(name, task.program)
            elif error.code == BUSY and _waits(error, ends):
                await asyncio.sleep(max(error.retry_after or 0.0, _LEAST_PAUSE))
            else:
                raise error

    async def _upload(self, name: str, program: str) -> None:
        """Upload a program; if this is given up, the upload itself goes on for later jobs."""
        if name not in self._uploads:
            upload = asyncio.create_task(self.upload(program))
            upload.add_done_callback(lambda done: self._uploaded(name, done))
            self._uploads[name] = upload
        await asyncio.shield(self._uploads[name])

    def _uploaded(self, name: str, done: asyncio.Task) -> None:
        self._uploads.pop(name, None)
        if not done.cancelled():
            done.exception()  # which is told to whoever waited for it, if anybody did

    async def upload(self, program: str, seconds: float = _UPLOAD_SECONDS) -> dict[str, Any]:
        """Upload a program.

        Parameters
        ----------
        program : str
            Text in OpenQASM 3.
        seconds : float
            How long to wait.

        Returns
        -------
        dict
            What the appliance says of the program: qubits, names of parameters, registers.

        Raises
        ------
        ApplianceError
            If it refuses the program, or cannot be asked.
        """
        answer = await self.connection.ask(
            "PUT",
            f"{PROGRAMS}/{digest(program)}",
            seconds,
            program.encode(),
            {"Content-Type": PROGRAM_TYPE, TIMEOUT_HEADER: f"{seconds:.3f}"},
        )
        if answer.status not in (200, 201):
            raise _error(answer, self.connection.url)
        return _document(answer)

    async def cancel(self, key: str, seconds: float) -> None:
        """Cancel a job; an appliance that cannot be asked drops it when its time is over.

        Parameters
        ----------
        key : str
            The job's identifier.
        seconds : float
            How long to wait for the answer, which says nothing of interest.
        """
        try:
            await self.connection.ask("DELETE", f"{JOBS}/{key}", seconds)
        except ApplianceError:
            pass

    async def device(self, seconds: float) -> dict[str, Any]:
        """Ask what the appliance runs circuits on.

        Parameters
        ----------
        seconds : float
            How long to wait.

        Returns
        -------
        dict
            Name, qubits, limits.

        Raises
        ------
        ApplianceError
            If it refuses, or cannot be asked.
        """
        answer = await self.connection.ask("GET", DEVICE, seconds)
        if answer.status != 200:
            raise _error(answer, self.connection.url)
        return _document(answer)


def _waits(error: ApplianceError, ends: float) -> bool:
    """Tell whether a full queue is asked again before the job's time is over."""
    return time.monotonic() + max(error.retry_after or 0.0, _LEAST_PAUSE) < ends


def _document(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.content)
    except (ValueError, RecursionError) as error:
        raise ApplianceAnswerError(
            f"the answer is no JSON ({error}); is there really an appliance at this address?"
        ) from error
    if not isinstance(document, dict):
        raise ApplianceAnswerError("the answer must be a JSON object, not something else")
    return document


def _error(answer: Answer, url: str) -> ApplianceError:
    """Read an answer that is an error."""
    try:
        said = _document(answer)["error"]
        message, code = str(said["message"]), str(said["code"])
    except (ApplianceAnswerError, KeyError, TypeError):
        message, code = "it gives no reason", ""
    retry_after = _seconds(answer.headers.get("Retry-After"))
    if code == EXPIRED:
        return ApplianceTimeoutError(f"{url}: {message}", answer.status, code)
    if answer.status == 401:
        message += "; give a token that `tensorspin appliance token` has made there, as token="
    return ApplianceError(
        f"{url}: {message} (HTTP {answer.status})", answer.status, code, retry_after
    )


def _seconds(text: str | None) -> float | None:
    """Read ``Retry-After`` in seconds; dates, which the appliance does not send, are left out."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
