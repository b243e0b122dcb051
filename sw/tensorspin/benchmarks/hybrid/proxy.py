"""Proxies in front of an appliance that hurt: one reads HTTP behind TLS, one knows bytes only."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from ...hybrid.appliance.protocol import JOBS
from .servers import Appliance

SEED = 3
"""Seed of what happens at random."""

_PIECE = 4096


@dataclass
class Answer:
    """An answer of the appliance to a job, on its way.

    Parameters
    ----------
    status : str
        Status line without the version of HTTP, such as ``"200 OK"``.
    body : bytes
        The body.
    headers : str, default=""
        Further headers, each with its end of line.
    """

    status: str
    body: bytes
    headers: str = ""

    @property
    def head(self) -> bytes:
        """Status line and headers."""
        return (
            f"HTTP/1.1 {self.status}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self.body)}\r\n{self.headers}\r\n"
        ).encode()

    def changed(self, change: Callable[[dict], None]) -> Answer:
        """Change the JSON document.

        Parameters
        ----------
        change : callable
            Called with the document, which it changes in place.

        Returns
        -------
        Answer
            The answer with that document; as it was, if it is an error.
        """
        if not self.status.startswith("200"):
            return self
        document = json.loads(self.body)
        change(document)
        return Answer(self.status, json.dumps(document).encode())


Send = Callable[[bytes], Awaitable[None]]
Hurt = Callable[[Answer, Send], Awaitable[None]]
"""Called with each answer to a job and with what sends bytes to the client; when it returns, the
connection is closed if not the whole answer was sent."""


async def unhurt(answer: Answer, send: Send) -> None:
    """Send an answer as it is."""
    await send(answer.head + answer.body)


class _Server:
    """A server of asyncio in a thread of its own; a context manager."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    async def _listen(self) -> asyncio.Server:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self._server = listening.result(30)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        # A handshake that ends now makes a new task.
        while tasks := asyncio.all_tasks(self._loop):
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()


class HttpProxy(_Server):
    """A proxy with the appliance's certificate that hurts the answers to jobs.

    Parameters
    ----------
    appliance : Appliance
        What is behind it.

    Attributes
    ----------
    hurt : callable
        What happens to each answer; see `Hurt`.
    """

    def __init__(self, appliance: Appliance) -> None:
        super().__init__()
        self._appliance = appliance
        self._tasks: set[asyncio.Task | None] = set()
        self.hurt: Hurt = unhurt
        files = appliance.certificates
        self._server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._server_tls.load_cert_chain(files.certificate, files.key)
        self._client_tls = ssl.create_default_context(cafile=files.trusted)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._server_tls)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # asyncio itself does not keep the tasks of connections that have broken.
        self._tasks.add(asyncio.current_task())
        with suppress(OSError, EOFError, asyncio.CancelledError, ssl.SSLError):
            above = await asyncio.open_connection(
                "127.0.0.1", self._appliance.port, ssl=self._client_tls
            )
            try:
                while await self._pass_on(reader, writer, *above):
                    pass
            finally:
                above[1].transport.abort()
        writer.transport.abort()

    async def _pass_on(self, reader: Any, writer: Any, upper_reader: Any, upper: Any) -> bool:
        """Pass one request and its answer on; tell whether the connection goes on."""
        head, body = await _message(reader)
        upper.write(head + body)
        answer_head, answer_body = await _message(upper_reader)
        sent = 0

        async def send(data: bytes) -> None:
            nonlocal sent
            sent += len(data)
            writer.write(data)
            await writer.drain()

        if not head.startswith(f"POST {JOBS} ".encode()):
            await send(answer_head + answer_body)
            return True
        status = answer_head.partition(b"\r\n")[0].decode().partition(" ")[2]
        answer = Answer(status, answer_body)
        await self.hurt(answer, send)
        return sent > len(answer_body)


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read the head and the body of a request or an answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            size = int(value)
    return head, await reader.readexactly(size)


class ByteProxy(_Server):
    """A proxy that damages a share of the bytes on their way to the client, below TLS.

    Parameters
    ----------
    appliance : Appliance
        What is behind it.
    share : float
        Share of the bytes that are damaged.
    """

    def __init__(self, appliance: Appliance, share: float) -> None:
        super().__init__()
        self._appliance, self._share = appliance, share
        self._random = random.Random(SEED)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._appliance.port)
            await asyncio.gather(
                self._pump(reader, up_writer, 0.0), self._pump(up_reader, writer, self._share)
            )
        writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, share: float
    ) -> None:
        while data := await reader.read(_PIECE):
            damaged = bytes(
                byte ^ 1 << self._random.randrange(8) if self._random.random() < share else byte
                for byte in data
            )
            writer.write(damaged)
            await writer.drain()
        writer.transport.abort()
