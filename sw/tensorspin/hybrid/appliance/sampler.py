"""A sampler of Qiskit's convention whose circuits run on an appliance."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import Any

from ...https import check_url
from .circuits import program_of, values_of
from .connection import Connection
from .errors import ApplianceAnswerError
from .job import ApplianceJob
from .protocol import DEFAULT_TIMEOUT, MOST_SHOTS
from .requests import Requests, Task
from .wire import unpack

try:
    from qiskit.primitives import BaseSamplerV2 as _Base
except ImportError:  # the names of the package can be listed without the extra
    _Base = object

_CANCEL_SECONDS = 5.0
"""Seconds in which an appliance is told that a job is cancelled."""


class ApplianceSampler(_Base):
    """Sampler whose circuits run on an appliance: ``tensorspin appliance`` on a machine nearby.

    It keeps Qiskit's convention (``BaseSamplerV2``), so that whatever takes a sampler takes this
    one. Circuits are sent as OpenQASM 3, once each; later jobs send values of parameters alone.

    Parameters
    ----------
    url : str
        Address of the appliance, such as ``https://box.local:8443``.
    token : str, optional
        Token that ``tensorspin appliance token`` has made there.
    certificate : str or Path, optional
        File in PEM: the appliance's certificate if it has signed itself, or that of who signed it.
        By default those that this computer trusts.
    shots : int, default=1024
        Shots of pubs and calls that do not say their own.
    timeout : float, default=60.0
        Seconds for each pub from the call of `run` to its result, all of it included: name,
        connection, queue, device, answer. The appliance learns what is left of them, and drops
        jobs whose time is over.
    in_flight : int, default=2
        Most pubs that are sent at once; further ones wait on this side.

    Attributes
    ----------
    url : str
        Address of the appliance.
    default_shots : int
        Shots of pubs and calls that do not say their own.
    timeout : float
        Seconds for each pub.

    Raises
    ------
    ImportError
        If the extras ``quantum`` and ``appliance`` are not installed.
    ValueError
        If an argument is none of these, or a token would be sent in the clear.
    OSError
        If the certificate's file cannot be read.

    Examples
    --------
    >>> from tensorspin.hybrid.appliance import ApplianceSampler
    >>> sampler = ApplianceSampler(  # doctest: +SKIP
    ...     "https://box.local:8443", token="tsp_...", certificate="box.pem"
    ... )
    >>> job = sampler.run([(circuit, [0.1, 0.2])], shots=200)  # doctest: +SKIP
    >>> job.result(timeout=0.5)[0].data.meas.get_counts()  # doctest: +SKIP
    {'00': 103, '11': 97}
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        certificate: str | Path | None = None,
        shots: int = 1024,
        timeout: float = DEFAULT_TIMEOUT,
        in_flight: int = 2,
    ) -> None:
        _require_extras()
        self.url = check_url(url, token)
        self.default_shots = _count("shots", shots, MOST_SHOTS)
        self.timeout = _seconds("timeout", timeout)
        self._arguments = {
            "token": _check_token(token),
            "certificate": certificate,
            "in_flight": _count("in_flight", in_flight, 64),
        }
        self._requests = Requests(Connection(self.url, token, certificate), in_flight)

    def run(
        self, pubs: Iterable[Any], *, shots: int | None = None, timeout: float | None = None
    ) -> ApplianceJob:
        """Run circuits.

        Parameters
        ----------
        pubs : iterable of pub-like
            Circuits, or tuples of a circuit, values of its parameters, and shots.
        shots : int, optional
            Shots of pubs that do not say their own.
        timeout : float, optional
            Seconds for each pub, instead of the sampler's.

        Returns
        -------
        ApplianceJob
            The job, which runs in the background.

        Raises
        ------
        ValueError
            If a pub is none, a value is no finite number, or a circuit cannot be sent.
        """
        from qiskit.primitives.containers.sampler_pub import SamplerPub

        shots = self.default_shots if shots is None else _count("shots", shots, MOST_SHOTS)
        seconds = self.timeout if timeout is None else _seconds("timeout", timeout)
        key = secrets.token_urlsafe(16)
        work = []
        for place, pub in enumerate(SamplerPub.coerce(pub, shots) for pub in pubs):
            _count("shots", pub.shots, MOST_SHOTS)
            task = Task(f"{key}-{place}", program_of(pub.circuit), values_of(pub), pub.shots)
            work.append((pub, task))
        ends = time.monotonic() + seconds
        connection = self._requests.connection
        futures = [connection.start(self._run(pub, task, ends)) for pub, task in work]
        return ApplianceJob(key, futures, lambda: self._cancel([task for _, task in work]), ends)

    async def _run(self, pub: Any, task: Task, ends: float) -> Any:
        return _result(pub, task, await self._requests.run(task, ends))

    def _cancel(self, tasks: list[Task]) -> None:
        for task in tasks:
            self._requests.connection.start(self._requests.cancel(task.key, _CANCEL_SECONDS))

    def upload(self, circuit: Any, timeout: float | None = None) -> dict[str, Any]:
        """Send a circuit ahead, so that its first job does not wait until it is compiled.

        Parameters
        ----------
        circuit : qiskit.circuit.QuantumCircuit
            The circuit, as `run` takes it.
        timeout : float, optional
            Seconds to wait, instead of the sampler's.

        Returns
        -------
        dict
            What the appliance says of the program: its digest, qubits, and names of parameters.

        Raises
        ------
        ValueError
            If the circuit cannot be sent.
        ApplianceError
            If the appliance refuses it, such as one that is wider than its backend, or cannot be
            asked.
        """
        seconds = self.timeout if timeout is None else _seconds("timeout", timeout)
        return self._wait(self._requests.upload(program_of(circuit), seconds))

    def device(self, timeout: float | None = None) -> dict[str, Any]:
        """Ask what the appliance runs circuits on.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait, instead of the sampler's.

        Returns
        -------
        dict
            Name of the sampler, qubits, whether it can reset them, and the appliance's limits.

        Raises
        ------
        ApplianceError
            If it cannot be asked, or does not know the token.
        """
        seconds = self.timeout if timeout is None else _seconds("timeout", timeout)
        return self._wait(self._requests.device(seconds))

    def _wait(self, work: Any) -> Any:
        return self._requests.connection.start(work).result()

    def close(self) -> None:
        """End all jobs and connections; a later call opens new ones."""
        self._requests.connection.close()

    def __enter__(self) -> ApplianceSampler:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:  # without the token
        return f"{type(self).__name__}({self.url!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {
            "url": self.url,
            "shots": self.default_shots,
            "timeout": self.timeout,
            **self._arguments,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]  # the arguments are all of an open sampler


def _result(pub: Any, task: Task, document: dict[str, Any]) -> Any:
    """Make Qiskit's result of the appliance's answer, after everything of it is checked."""
    from qiskit.primitives import BitArray, DataBin, SamplerPubResult

    if document.get("id") != task.key:
        raise ApplianceAnswerError(
            f"the answer must be that of job {task.key}, not of {document.get('id')!r}"
        )
    registers = [(register.name, register.size) for register in pub.circuit.cregs]
    rows = math.prod(pub.shape)
    arrays = unpack(document.get("registers"), registers, rows, pub.shots)
    data = {
        name: BitArray(array.reshape(*pub.shape, *array.shape[1:]), bits)
        for (name, bits), array in zip(registers, arrays)
    }
    return SamplerPubResult(
        DataBin(**data, shape=pub.shape),
        metadata={
            "shots": pub.shots,
            "circuit_metadata": pub.circuit.metadata,
            "appliance": {"job": task.key, "seconds": document.get("seconds", {})},
        },
    )


def _require_extras() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("qiskit", "httpx") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"an appliance is used with {' and '.join(missing)}; "
            f"pip install 'tensorspin[quantum,appliance]'"
        )


def _check_token(token: str | None) -> str | None:
    if token is not None and (
        not isinstance(token, str)
        or not token.isascii()
        or not token.strip()
        or any(letter.isspace() for letter in token)
    ):
        raise ValueError(
            "token must be the text that `tensorspin appliance token` printed, without spaces; it "
            "is not shown here"
        )
    return token


def _count(name: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= int(value) <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value!r}")
    return int(value)


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"{name} must be a positive number of seconds, not {value!r}")
    return seconds
