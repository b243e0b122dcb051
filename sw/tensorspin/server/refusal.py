"""A request that is refused, in the form in which all servers answer it."""

from __future__ import annotations

import json
import math


class Refusal(Exception):
    """A request is refused.

    Parameters
    ----------
    status : int
        HTTP status of the answer.
    code : str
        A word for programs.
    message : str
        A sentence for people, which says what to do.
    retry_after : float, optional
        Seconds after which the client may try again.

    Examples
    --------
    >>> Refusal(429, "busy", "the queue is full", retry_after=0.2).headers
    {'Retry-After': '1'}
    """

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer besides its type: whole seconds, as HTTP has them."""
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers

    @property
    def body(self) -> bytes:
        """Body of the answer, in JSON."""
        return json.dumps({"error": {"code": self.code, "message": self.message}}).encode()
