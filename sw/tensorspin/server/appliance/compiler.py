"""Programs that were uploaded: compiled in a process of its own, and kept up to a number."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from ...hybrid.appliance.protocol import UNKNOWN_PROGRAM
from ..logs import record
from ..refusal import Refusal
from .compiling import LENGTH

COMPILE_SECONDS = 30.0
"""Seconds within which a program must be compiled; the process that compiles it ends otherwise."""

START_SECONDS = 120.0
"""Seconds that a new process may take to load its libraries."""

MOST_WAITING = 16
"""Most programs that wait to be compiled."""

MOST_BYTES = 1 << 25
"""Most bytes of all programs that are kept, as Qiskit writes them: 32 MiB, some ten times that in
memory."""


@dataclass(frozen=True)
class Program:
    """A compiled program.

    Parameters
    ----------
    digest : str
        SHA-256 digest of its text.
    circuit : qiskit.circuit.QuantumCircuit
        What runs.
    told : dict
        What clients are told: ``qubits``, ``parameters``, ``registers``, ``operations``.
    size : int
        Bytes of the circuit, as Qiskit writes it.
    """

    digest: str
    circuit: Any
    told: dict[str, Any]
    size: int


class Compiler:
    """Compiles programs, and keeps those that were used last.

    Parameters
    ----------
    task : bytes
        What programs are compiled for, as `tensorspin.server.appliance.compiling.task` writes it.
    kept : int
        Most programs that are kept.
    seconds : float
        Longest time to compile one.
    """

    def __init__(self, task: bytes, kept: int, seconds: float = COMPILE_SECONDS) -> None:
        # Qiskit 2.6 crashes in other threads if the one that imported this has ended.
        from qiskit import qpy  # noqa: F401

        self._task = task
        self._kept = kept
        self._seconds = seconds
        self._programs: OrderedDict[str, Program] = OrderedDict()
        self._pending: dict[str, asyncio.Task[Program]] = {}
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._fresh = True

    def __len__(self) -> int:
        return len(self._programs)

    def get(self, digest: str) -> Program:
        """Give a program that was uploaded.

        Parameters
        ----------
        digest : str
            Its digest.

        Returns
        -------
        Program
            The program.

        Raises
        ------
        Refusal
            If it is unknown, or was forgotten since.
        """
        try:
            self._programs.move_to_end(digest)
        except KeyError:
            raise Refusal(
                404, UNKNOWN_PROGRAM, f"the program {digest} is unknown here; upload it (again)"
            ) from None
        return self._programs[digest]

    def knows(self, digest: str) -> bool:
        """Tell whether a program is kept.

        Parameters
        ----------
        digest : str
            Its digest.

        Returns
        -------
        bool
            Whether it is.
        """
        return digest in self._programs

    async def compile(self, digest: str, text: str) -> Program:
        """Compile a program, unless it is kept; it goes on if the client leaves.

        Parameters
        ----------
        digest : str
            Digest of the text.
        text : str
            The program.

        Returns
        -------
        Program
            The program, which is kept from now on.

        Raises
        ------
        Refusal
            If it is not taken, or too many wait.
        """
        if digest in self._programs:
            return self.get(digest)
        if digest not in self._pending:
            if len(self._pending) >= MOST_WAITING:
                raise Refusal(
                    429, "busy", f"{MOST_WAITING} programs wait to be compiled", self._seconds / 4
                )
            task = asyncio.create_task(self._compile(digest, text))
            self._pending[digest] = task
            task.add_done_callback(lambda done: self._ended(digest, done))
        return await asyncio.shield(self._pending[digest])

    def _ended(self, digest: str, done: asyncio.Task[Program]) -> None:
        del self._pending[digest]
        if not done.cancelled():
            done.exception()  # told to whoever waited, if anybody did

    async def _compile(self, digest: str, text: str) -> Program:
        async with self._lock:
            began = asyncio.get_running_loop().time()
            message = await self._ask(text.encode())
            head, _, content = message.partition(b"\0")
            told = json.loads(head)
            if "refused" in told:
                raise Refusal(422, "program", told["refused"])
            circuit = await asyncio.to_thread(_circuit, content)
            program = self._keep(Program(digest, circuit, told, len(content)))
            seconds = asyncio.get_running_loop().time() - began
            record("program", digest=digest, seconds=round(seconds, 3), qubits=told["qubits"])
            return program

    def _keep(self, program: Program) -> Program:
        """Keep a program, and forget those that were used longest ago beyond the limits."""
        self._programs[program.digest] = program
        size = sum(each.size for each in self._programs.values())
        while len(self._programs) > 1 and (len(self._programs) > self._kept or size > MOST_BYTES):
            size -= self._programs.popitem(last=False)[1].size
        return program

    async def start(self) -> None:
        """Start the process, if it does not run."""
        if self._process is not None and self._process.returncode is None:
            return
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"{__package__}.compiling",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the server
        )
        self._fresh = True
        assert self._process.stdin is not None
        self._process.stdin.write(_framed(self._task))

    async def _ask(self, message: bytes) -> bytes:
        await self.start()
        assert self._process is not None and self._process.stdin and self._process.stdout
        try:
            if self._fresh:
                async with asyncio.timeout(START_SECONDS):
                    await self._process.stdout.readexactly(LENGTH.size)
                self._fresh = False
            async with asyncio.timeout(self._seconds):
                self._process.stdin.write(_framed(message))
                await self._process.stdin.drain()
                head = await self._process.stdout.readexactly(LENGTH.size)
                answer = await self._process.stdout.readexactly(LENGTH.unpack(head)[0])
        except TimeoutError:
            await self.stop()
            raise Refusal(
                422, "program", f"the program takes more than {self._seconds:g} s to compile"
            ) from None
        except (OSError, EOFError, asyncio.IncompleteReadError):
            await self.stop()
            record("compiler", level="error", message="the process that compiles has ended")
            raise Refusal(
                422, "program", "the program ended the process that compiles it; make it smaller"
            ) from None
        except asyncio.CancelledError:  # its answer would be taken for that of the next program
            await self.stop()
            raise
        return answer

    async def stop(self) -> None:
        """End the process; the next program starts another."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _framed(message: bytes) -> bytes:
    return LENGTH.pack(len(message)) + message


def _circuit(content: bytes) -> Any:
    from qiskit import qpy

    return qpy.load(io.BytesIO(content))[0]
