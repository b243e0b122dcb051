"""The HTTP side of an appliance. `tensorspin.hybrid.appliance.protocol` names paths and headers."""

# Without `from __future__ import annotations`: FastAPI reads the annotations of the routes.
import asyncio
import hashlib
import math
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ...hybrid.appliance import protocol
from ..answers import add_errors, answer, json_answer
from ..metrics import RequestMetrics
from ..refusal import Refusal
from .jobs import Job
from .service import Service, check_values

if TYPE_CHECKING:  # at run time when an application is made
    import fastapi


def most_bytes(path: str) -> int:
    """Give the most bytes that the body of a request may have.

    Parameters
    ----------
    path : str
        Path of the request.

    Returns
    -------
    int
        Bytes.

    Examples
    --------
    >>> most_bytes("/health")
    0
    """
    if path.startswith(f"{protocol.PROGRAMS}/"):
        return protocol.MOST_PROGRAM_BYTES
    return protocol.MOST_BODY_BYTES if path == protocol.JOBS else 0


def application(service: Service, metrics: RequestMetrics) -> "fastapi.FastAPI":
    """Make the application.

    Parameters
    ----------
    service : Service
        What runs jobs.
    metrics : RequestMetrics
        What is shown as metrics.

    Returns
    -------
    fastapi.FastAPI
        The application, for a `tensorspin.server.gate.Gate`.
    """
    import fastapi

    app = fastapi.FastAPI(
        title="Tensorspin appliance",
        lifespan=_lifespan(service),
        docs_url=None,  # pages that load scripts from other hosts
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    add_errors(app, "docs/appliance.md")
    _add_programs(app, service)
    _add_jobs(app, service)
    _add_state(app, service, metrics)
    return app


def _submission() -> type:
    """Make the form of a job: a program's digest, values by name, shots."""
    from pydantic import BaseModel, ConfigDict, Field

    number = Annotated[float, Field(allow_inf_nan=False, strict=True)]

    class Submission(BaseModel):
        model_config = ConfigDict(extra="forbid")

        program: str = Field(pattern=f"^{protocol.DIGEST.pattern}$")
        parameters: dict[str, number | list[number]] = {}
        shots: int = Field(1024, ge=1, le=protocol.MOST_SHOTS, strict=True)
        result: Literal["counts", "bits"] = "counts"

    return Submission


def _lifespan(service: Service) -> Any:
    @asynccontextmanager
    async def run(_: object) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(service.work()), asyncio.create_task(service.sweep())]
        await service.compiler.start()
        yield
        for task in tasks:
            task.cancel()
        await service.compiler.stop()

    return run


def _add_programs(app: "fastapi.FastAPI", service: Service) -> None:
    import fastapi

    @app.put(protocol.PROGRAMS + "/{digest}")
    async def upload(digest: str, request: fastapi.Request) -> fastapi.Response:
        """Compile a program, which is named by the SHA-256 digest of its bytes."""
        service.check_open()
        content = await request.body()
        if hashlib.sha256(content).hexdigest() != digest:
            raise Refusal(
                422,
                "digest",
                "the path must end in the SHA-256 digest of the program's bytes, which is "
                f"{hashlib.sha256(content).hexdigest()}",
            )
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise Refusal(422, "program", "a program must be text in UTF-8") from None
        status = 200 if service.compiler.knows(digest) else 201
        program = await service.compiler.compile(digest, text)
        return json_answer({"program": digest, **program.told}, status)

    @app.get(protocol.PROGRAMS + "/{digest}")
    async def describe(digest: str) -> fastapi.Response:
        """Tell what a program needs, if it is known."""
        return json_answer({"program": digest, **service.compiler.get(digest).told})


def _add_jobs(app: "fastapi.FastAPI", service: Service) -> None:
    import fastapi

    Submission = _submission()

    @app.post(protocol.JOBS)
    async def submit(
        submission: Submission,  # type: ignore[valid-type]  # made at run time
        request: fastapi.Request,
    ) -> fastapi.Response:
        """Run a job; the answer is its result, unless ``Prefer: respond-async`` is sent."""
        digest = hashlib.sha256(await request.body()).digest()
        job = service.submit(_job(submission, request, service, digest))
        request.state.job = job.key
        if request.headers.get("Prefer") != "respond-async":
            await service.wait(job, job.ends)
        return answer(job.document(), job.status, job.headers)

    @app.get(protocol.JOBS + "/{key}")
    async def result(key: str, request: fastapi.Request) -> fastapi.Response:
        """Wait for a job's result, for ``X-Timeout`` seconds (by default none)."""
        job = service.find(request.state.owner, key)
        await service.wait(job, _ends(_timeout(request, 0.0)))
        return answer(job.document(), job.status, job.headers)

    @app.delete(protocol.JOBS + "/{key}")
    async def cancel(key: str, request: fastapi.Request) -> fastapi.Response:
        """Cancel a job."""
        job = service.find(request.state.owner, key)
        service.cancel(job)
        return json_answer({"id": job.key, "state": job.state})


def _job(submission: Any, request: "fastapi.Request", service: Service, digest: bytes) -> Job:
    """Make a job of what was sent."""
    key = request.headers.get(protocol.KEY_HEADER) or secrets.token_urlsafe(16)
    if not protocol.KEY.fullmatch(key):
        raise Refusal(
            422,
            "key",
            f"{protocol.KEY_HEADER} must be 8 to 64 letters, digits, dashes and underscores",
        )
    began = request.state.began
    ends = began + _timeout(request, protocol.DEFAULT_TIMEOUT)
    program = service.compiler.get(submission.program)
    values, rows = check_values(program, submission.parameters, protocol.MOST_VALUES)
    size = sum(-(-bits // 8) for _, bits in program.told["registers"])
    if rows * submission.shots * size > protocol.MOST_RESULT_BYTES:
        raise Refusal(
            413,
            "too_large",
            f"a result must have up to {protocol.MOST_RESULT_BYTES} bytes, not "
            f"{rows * submission.shots * size}; send fewer rows, or ask for fewer shots",
        )
    return Job(
        key=key,
        owner=request.state.owner,
        digest=digest,
        program=program,
        values=values,
        rows=rows,
        shots=submission.shots,
        as_counts=submission.result == "counts",
        began=began,
        ends=ends,
    )


def _timeout(request: "fastapi.Request", otherwise: float) -> float:
    text = request.headers.get(protocol.TIMEOUT_HEADER)
    if text is None:
        return otherwise
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not seconds >= 0:
        raise Refusal(
            422,
            "timeout",
            f"{protocol.TIMEOUT_HEADER} must be a number of seconds, at least 0, not {text[:40]!r}",
        )
    return min(seconds, protocol.LONGEST_TIMEOUT)


def _ends(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _add_state(app: "fastapi.FastAPI", service: Service, metrics: RequestMetrics) -> None:
    import fastapi

    @app.get(protocol.HEALTH)
    async def health() -> fastapi.Response:
        """Tell whether jobs are taken."""
        service.check_open()
        return json_answer({"state": "ready"})

    @app.get(protocol.METRICS)
    async def show_metrics() -> fastapi.Response:
        """Show the metrics."""
        return fastapi.Response(metrics.text(), media_type="text/plain; version=0.0.4")

    @app.get(protocol.DEVICE)
    async def device() -> fastapi.Response:
        """Tell what circuits run on."""
        return json_answer(
            {
                "sampler": service.device.name,
                "qubits": service.device.qubits,
                "resets": service.device.resets,
                "dynamic": service.device.dynamic,
                "busy": service.busy,
                "limits": {
                    "program_bytes": protocol.MOST_PROGRAM_BYTES,
                    "values": protocol.MOST_VALUES,
                    "shots": protocol.MOST_SHOTS,
                    "result_bytes": protocol.MOST_RESULT_BYTES,
                },
            }
        )
