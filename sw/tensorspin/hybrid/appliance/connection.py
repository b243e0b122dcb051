"""Requests to an appliance, on kept-alive connections, each within a total time.

The requests run in an event loop on a thread of their own. A time-out there ends a request for
good, whatever it waits for: a name, a handshake, a byte of an answer that comes too slowly. The
time-outs of a blocking client start anew at each byte.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import ssl
import threading
import weakref
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...https import trust
from .errors import ApplianceAnswerError, ApplianceTimeoutError
from .failures import explain
from .protocol import MOST_RESULT_BYTES

_MOST_ANSWER_BYTES = 2 * MOST_RESULT_BYTES
"""Most bytes of an answer: base64 makes a third more of the largest result."""

_KEPT = 75.0
"""Seconds for which an idle connection is kept for the next request."""

_CLOSING = 5.0
"""Seconds in which connections are closed."""


@dataclass(frozen=True)
class Answer:
    """An answer of the appliance.

    Parameters
    ----------
    status : int
        HTTP status.
    headers : mapping of str to str
        Headers, whose names are found in either case.
    content : bytes
        The whole body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class Connection:
    """Connections to one appliance.

    Parameters
    ----------
    url : str
        Address, as `tensorspin.https.check_url` gives it.
    token : str or None
        Sent with each request.
    certificate : str, Path or None
        What `tensorspin.https.trust` takes.
    """

    def __init__(self, url: str, token: str | None, certificate: str | Path | None) -> None:
        self.url = url
        self._token = token
        self._trust = trust(certificate) if url.startswith("https:") else False
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None
        self._end: weakref.finalize | None = None

    def start(self, work: Coroutine[Any, Any, Any]) -> concurrent.futures.Future:
        """Run a coroutine in the loop.

        Parameters
        ----------
        work : coroutine
            What to run; it may call `ask`.

        Returns
        -------
        concurrent.futures.Future
            Its result. To cancel it ends the coroutine at once.
        """
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._process != os.getpid():  # a fork has no such thread
                self._process, self._client = os.getpid(), None
                self._loop = loop = asyncio.new_event_loop()
                threading.Thread(
                    target=loop.run_forever, name="tensorspin-appliance", daemon=True
                ).start()
                # A sampler that nobody has closed takes its thread with it when it goes.
                self._end = weakref.finalize(self, loop.call_soon_threadsafe, loop.stop)
            return self._loop

    async def ask(
        self,
        method: str,
        path: str,
        seconds: float,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request and wait for its whole answer, for a total time.

        Parameters
        ----------
        method, path : str
            The request.
        seconds : float
            How long to wait in all.
        content : bytes
            Body of the request.
        headers : mapping of str to str, optional
            Further headers.

        Returns
        -------
        Answer
            The answer, of any status.

        Raises
        ------
        ApplianceError
            If there is no whole answer.
        """
        import httpx

        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._exchange(method, path, content, headers or {})
                except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
                    # The appliance may have closed an idle connection in this moment. All requests
                    # may be repeated: jobs have identifiers, and programs are named by content.
                    return await self._exchange(method, path, content, headers or {})
        except TimeoutError as error:
            raise ApplianceTimeoutError(
                f"{self.url} did not answer within {seconds:.3g} s; wait longer (timeout=), or "
                f"look at the appliance's log"
            ) from error
        except (httpx.HTTPError, OSError, ssl.SSLError) as error:
            raise explain(error, self.url) from error

    async def _exchange(
        self, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> Answer:
        async with self._open().stream(
            method, self.url + path, content=content or None, headers=dict(headers)
        ) as response:
            received = bytearray()
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > _MOST_ANSWER_BYTES:
                    raise ApplianceAnswerError(
                        f"an answer must have up to {_MOST_ANSWER_BYTES} bytes, not more"
                    )
            return Answer(response.status_code, response.headers, bytes(received))

    def _open(self) -> Any:
        if self._client is None:
            import httpx

            headers = {"Accept-Encoding": "identity"}  # nothing that unpacks to gigabytes
            if self._token:
                headers["Authorization"] = f"Bearer {self._token}"
            self._client = httpx.AsyncClient(
                verify=self._trust,
                headers=headers,
                timeout=None,  # `ask` counts the total
                trust_env=False,  # no proxy of the environment learns the token
                follow_redirects=False,
                limits=httpx.Limits(max_keepalive_connections=None, keepalive_expiry=_KEPT),
            )
        return self._client

    def close(self) -> None:
        """End all requests and connections; the next request opens new ones."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None or self._process != os.getpid():
            return

        async def end() -> None:
            client, self._client = self._client, None
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            if client is not None:
                await client.aclose()

        try:
            asyncio.run_coroutine_threadsafe(end(), loop).result(_CLOSING)
        except concurrent.futures.TimeoutError:
            pass  # the thread is a daemon: it does not keep the program from ending
        if self._end is not None:
            self._end()
