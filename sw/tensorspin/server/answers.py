"""Answers of a server over HTTP: JSON, and each error in the same form."""

# Without `from __future__ import annotations`: FastAPI reads the annotations of the handlers.
import json
from typing import TYPE_CHECKING

from .refusal import Refusal

if TYPE_CHECKING:  # at run time when an application is made
    import fastapi


def add_errors(app: "fastapi.FastAPI", documentation: str) -> None:
    """Let an application answer each error in the same form.

    Parameters
    ----------
    app : fastapi.FastAPI
        The application.
    documentation : str
        File that lists its paths.
    """
    import fastapi
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    @app.exception_handler(Refusal)
    async def refused(_: fastapi.Request, refusal: Refusal) -> fastapi.Response:
        return _error(refusal)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: fastapi.Request, error: RequestValidationError) -> fastapi.Response:
        kind = request.headers.get("Content-Type", "none")
        if request.method == "POST" and not _is_json(kind):
            message = f"Content-Type must be application/json, not {kind[:40]}"
            return _error(Refusal(415, "content_type", message))
        found = error.errors()
        # A value may be a number or a list: of the complaints about both, this one says more.
        first = next((each for each in found if each["type"] == "finite_number"), found[0])
        place = ".".join(str(part)[:40] for part in first["loc"] if part != "body")
        return _error(Refusal(422, "request", f"{place or 'the request'}: {first['msg']}"[:500]))

    @app.exception_handler(HTTPException)
    async def http(_: fastapi.Request, error: HTTPException) -> fastapi.Response:
        message = f"{error.detail}; {documentation} lists the paths"
        told = _error(Refusal(error.status_code, "http", message))
        told.headers.update(error.headers or {})  # such as the methods that a path allows
        return told

    @app.exception_handler(Exception)
    async def fault(_: fastapi.Request, error: Exception) -> fastapi.Response:
        return _error(Refusal(500, "fault", "a fault of the server; its log has more"))


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind[-5:] == "+json")


def answer(
    body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> "fastapi.Response":
    """Make an answer of bytes that are JSON.

    Parameters
    ----------
    body : bytes
        Its body.
    status : int
        Its status of HTTP.
    headers : dict of str to str, optional
        Further headers.

    Returns
    -------
    fastapi.Response
        The answer.
    """
    import fastapi

    return fastapi.Response(body, status, headers, media_type="application/json")


def _error(refusal: Refusal) -> "fastapi.Response":
    return answer(refusal.body, refusal.status, refusal.headers)


def json_answer(document: object, status: int = 200) -> "fastapi.Response":
    """Make an answer of a document.

    Parameters
    ----------
    document : object
        What JSON can say.
    status : int
        Its status of HTTP.

    Returns
    -------
    fastapi.Response
        The answer.
    """
    return answer(json.dumps(document).encode(), status)
