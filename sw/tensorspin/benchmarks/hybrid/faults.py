"""The faults: what happens between a detector and its processor, or to either."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...driver.board import Board
from .proxy import SEED, Answer, ByteProxy, HttpProxy, Hurt, Send, unhurt
from .servers import Appliance, Certificates

BOARD = "golden://icebreaker"
"""The board beside the processor: the model of one, bit for bit."""

DEPOLARISATION = 0.3
"""Share of the shots of the biased processor that are replaced with random bits."""


@dataclass
class Situation:
    """What a campaign is run with.

    Parameters
    ----------
    sampler : ApplianceSampler
        The client.
    board : str or Board
        The board.
    at : callable
        Called before each request with its share of all requests, 0 to 1.
    """

    sampler: Any
    board: str | Board = BOARD
    at: Callable[[float], None] = lambda share: None


Fault = Callable[[Appliance, Path], AbstractContextManager[Situation]]


def hurting(hurt: Hurt) -> Fault:
    """Make a fault of what a proxy does to the answers."""

    @contextmanager
    def situation(appliance: Appliance, folder: Path) -> Iterator[Situation]:
        with HttpProxy(appliance) as proxy, appliance.client(proxy.port) as client:
            yield Situation(client, at=lambda share: setattr(proxy, "hurt", hurt))

    return situation


def wrong_client(**arguments: Any) -> Fault:
    """Make a fault of a client with wrong arguments."""

    @contextmanager
    def situation(appliance: Appliance, folder: Path) -> Iterator[Situation]:
        with appliance.client(**arguments) as client:
            yield Situation(client)

    return situation


@contextmanager
def untrusted(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Trust another authority."""
    other = Certificates(folder / "other")
    with appliance.client(certificate=other.trusted) as client:
        yield Situation(client)


def status(line: str, share: float = 1.0, headers: str = "") -> Fault:
    """Answer a share of the jobs with a status of HTTP."""
    rng = random.Random(SEED)

    async def hurt(answer: Answer, send: Send) -> None:
        if rng.random() < share:
            body = b'{"error": {"code": "fault", "message": "the proxy says so"}}'
            answer = Answer(line, body, headers)
        await unhurt(answer, send)

    return hurting(hurt)


async def hang(answer: Answer, send: Send) -> None:
    """Never answer."""
    await asyncio.sleep(3600)


async def hang_in_body(answer: Answer, send: Send) -> None:
    """Send half of the body, and no more."""
    await send(answer.head + answer.body[: len(answer.body) // 2])
    await asyncio.sleep(3600)


async def slow_bytes(answer: Answer, send: Send) -> None:
    """Send a byte ten times a second: no wait for a byte is long."""
    for byte in answer.head + answer.body:
        await send(bytes([byte]))
        await asyncio.sleep(0.1)


async def cut(answer: Answer, send: Send) -> None:
    """Send half of the body, and close the connection."""
    await send(answer.head + answer.body[: len(answer.body) // 2])
    raise EOFError


async def truncated(answer: Answer, send: Send) -> None:
    """Send half of the document as if it were whole."""
    await unhurt(Answer(answer.status, answer.body[: len(answer.body) // 2]), send)


async def late(answer: Answer, send: Send) -> None:
    """Answer two seconds late."""
    await asyncio.sleep(2.0)
    await unhurt(answer, send)


def doubled() -> Fault:
    """Answer every job with the answer for the one before."""
    before: list[Answer] = []

    async def hurt(answer: Answer, send: Send) -> None:
        before.append(answer)
        await unhurt(before[-2] if len(before) > 1 else answer, send)

    return hurting(hurt)


def changed(change: Callable[[dict], None]) -> Fault:
    """Change the document of every answer."""

    async def hurt(answer: Answer, send: Send) -> None:
        await unhurt(answer.changed(change), send)

    return hurting(hurt)


def _fewer(document: dict) -> None:
    register = document["registers"][0]
    register["data"] = base64.b64encode(base64.b64decode(register["data"])[:-1]).decode()


def _wider(document: dict) -> None:
    document["registers"][0]["bits"] += 1


def _nan(document: dict) -> None:
    document["registers"][0]["data"] = float("nan")


def depolarised() -> Fault:
    """Replace a share of the shots with random bits."""
    rng = np.random.default_rng(SEED)

    def change(document: dict) -> None:
        register = document["registers"][0]
        shots = np.frombuffer(base64.b64decode(register["data"]), np.uint8).copy()
        chosen = rng.random(len(shots)) < DEPOLARISATION
        shots[chosen] = rng.integers(0, 1 << register["bits"], chosen.sum())
        register["data"] = base64.b64encode(shots.tobytes()).decode()

    return changed(change)


@contextmanager
def stopped(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Stop the process after a quarter of the requests, and continue it after a half."""
    with appliance.client() as client:
        yield Situation(client, at=_at({0.25: appliance.pause, 0.5: appliance.go_on}))


@contextmanager
def restarted(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Kill the process after a quarter of the requests, and start it anew after a half."""
    with appliance.client() as client:
        yield Situation(client, at=_at({0.25: appliance.kill, 0.5: appliance.start}))


def _at(events: dict[float, Callable[[], None]]) -> Callable[[float], None]:
    waiting = dict(events)

    def at(share: float) -> None:
        for when in [when for when in waiting if share >= when]:
            waiting.pop(when)()

    return at


@contextmanager
def damaged(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Damage a hundredth of the bytes below TLS."""
    with ByteProxy(appliance, 0.01) as proxy, appliance.client(proxy.port) as client:
        yield Situation(client)


@contextmanager
def queued(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Keep ten jobs of others in the queue."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(10)
    circuit.h(range(10))
    circuit.measure_all()
    with ExitStack() as stack:
        client = stack.enter_context(appliance.client())
        others = stack.enter_context(appliance.client(in_flight=10))
        jobs: list[Any] = []

        def at(share: float) -> None:
            jobs[:] = [job for job in jobs if not job.in_final_state()]
            while len(jobs) < 10:
                jobs.append(others.run([circuit], shots=100_000))

        yield Situation(client, at=at)
        for job in jobs:
            job.cancel()


@contextmanager
def broken_board(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Lose the board."""
    board = Board.open(BOARD)
    with appliance.client() as client:
        yield Situation(client, board, at=lambda share: board.close())


@contextmanager
def closed_port(appliance: Appliance, folder: Path) -> Iterator[Situation]:
    """Ask at a port at which nobody listens."""
    with HttpProxy(appliance) as proxy:
        port = proxy.port
    with appliance.client(port) as client:
        yield Situation(client)


FAULTS: dict[str, Fault] = {
    "none": hurting(unhurt),
    "connection refused": closed_port,
    "unknown host": wrong_client(url="https://no-such-host.invalid:8443"),
    "untrusted certificate": untrusted,
    "expired token": wrong_client(token="tsp_expired"),
    "503 at 10 %": status("503 Service Unavailable", 0.1),
    "503 at 30 %": status("503 Service Unavailable", 0.3),
    "503 at 50 %": status("503 Service Unavailable", 0.5),
    "429, come back in 1 s": status("429 Too Many Requests", 1.0, "Retry-After: 1\r\n"),
    "hangs before the answer": hurting(hang),
    "hangs within the answer": hurting(hang_in_body),
    "ten bytes a second": hurting(slow_bytes),
    "half an answer, then closed": hurting(cut),
    "truncated JSON": hurting(truncated),
    "2 s late": hurting(late),
    "the answer before, again": doubled(),
    "too few shots": changed(_fewer),
    "wrong width": changed(_wider),
    "NaN": changed(_nan),
    "1 % of the bytes damaged": damaged,
    "stopped, then continued": stopped,
    "killed, then started anew": restarted,
    "ten jobs of others queued": queued,
    "depolarised by 0.3": depolarised(),
    "board lost": broken_board,
}
"""All faults, by the names that the table shows."""
