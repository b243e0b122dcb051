"""A detector's circuit on a sampler of Qiskit's convention: requests, and what answers must be."""

from __future__ import annotations

import inspect
import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..models.parameters import is_number
from .circuits.circuit import BornCircuit
from .deadline import Call, Deadline
from .offload import ImplausibleError, reading, words_of

REGISTER = "outcome"
"""Name of the register that a `BornCircuit` measures into."""

_SEED = 0
"""Seed of the transpiler, so that the same circuit is sent each time."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RemoteAnswer:
    """What a remote measured.

    Parameters
    ----------
    zeros : ndarray of int64 of shape (n_samples,)
        Number of shots of each sample whose bits are all zero.
    job : str
        The job's identifier; empty if it has none.
    seconds : dict of str to float
        What the remote says of where the time went.
    """

    zeros: np.ndarray
    job: str
    seconds: dict[str, float]


class RemoteCircuit:
    """A circuit, a sampler that runs it, and for how many shots.

    Parameters
    ----------
    program : BornCircuit
        The detector's circuit.
    sampler : BaseSamplerV2
        What runs it.
    backend : BackendV2 or None
        What the circuit is transpiled for. None: what the sampler says that it runs on, if it
        does; otherwise the circuit is sent as it is.
    shots : int
        Shots of each sample.

    Raises
    ------
    TypeError
        If the sampler can't run anything, or not for a number of shots; or the backend is none.
    ValueError
        If the backend has too few qubits, or can't reset them where the circuit needs it.
    """

    def __init__(self, program: BornCircuit, sampler: Any, backend: Any, shots: int) -> None:
        if isinstance(sampler, type) or not callable(getattr(sampler, "run", None)):
            raise TypeError(f"sampler must be a qiskit.primitives.BaseSamplerV2, not {sampler!r}")
        taken = _parameters(sampler.run)
        if taken and "shots" not in taken and not _takes_any(taken):  # an estimator, say
            raise TypeError(
                f"sampler must be a qiskit.primitives.BaseSamplerV2, whose run takes shots, not "
                f"{sampler!r}"
            )
        self._program = program
        self._sampler = sampler
        self.shots = shots
        backend = backend_of(sampler) if backend is None else backend
        self._circuit = program.circuit if backend is None else _transpiled(program, backend)
        self._takes_timeout = "timeout" in taken

    def upload(self) -> None:
        """Send the circuit ahead in the background, if the sampler can do that.

        A failure is logged only: the circuit is then sent with the first request.
        """
        upload = getattr(self._sampler, "upload", None)
        if not callable(upload):
            return

        def work() -> None:
            try:
                upload(self._circuit)
            except Exception as error:
                _logger.info("the circuit was not sent ahead: %s", words_of(error))

        try:
            threading.Thread(target=work, name="tensorspin upload", daemon=True).start()
        except RuntimeError as error:  # the system has no more threads
            _logger.info("the circuit was not sent ahead: %s", error)

    def work(self, angles: np.ndarray, deadline: Deadline) -> Callable[[Call], RemoteAnswer]:
        """Return the function that asks for samples, all in one pub, and reads the answer.

        The answer is read where it is waited for, since it is the sampler's object: to look into
        it may take long, hang or fail.

        Parameters
        ----------
        angles : ndarray of float64 of shape (n_samples, n_parameters)
            Parameters of the circuit, in the order of the program's names.
        deadline : Deadline
            When nobody waits any more; a sampler that takes a time-out is told.

        Returns
        -------
        callable
            Returns a `RemoteAnswer`, or raises what the sampler raises, or `ImplausibleError`.
        """

        def work(call: Call) -> RemoteAnswer:
            job = self.submit(angles, max(deadline.left(), 0.001))
            if callable(getattr(job, "cancel", None)):
                call.cancel_with(job.cancel)
            answer = identifier(job), job.result()
            with reading():
                return self.check(answer, len(angles))

        return work

    def submit(self, angles: np.ndarray, timeout: float | None = None) -> Any:
        """Ask for samples, all in one pub.

        Parameters
        ----------
        angles : ndarray of float64 of shape (n_samples, n_parameters)
            Parameters of the circuit, in the order of the program's names.
        timeout : float, optional
            Seconds after which nobody waits any more, for a sampler that takes them.

        Returns
        -------
        job
            What the sampler's ``run`` returns.
        """
        # By name: the order of positions is lost where parameters are renamed on the way.
        values = {tuple(self._program.parameter_names): angles}
        arguments: dict[str, Any] = {"shots": self.shots}
        if self._takes_timeout and timeout is not None:
            arguments["timeout"] = timeout
        return self._sampler.run([(self._circuit, values)], **arguments)

    def check(self, answer: tuple[str, Any], n_samples: int) -> RemoteAnswer:
        """Check what a sampler returned, and count the zeros.

        Parameters
        ----------
        answer : (str, PrimitiveResult)
            The job's identifier and its result.
        n_samples : int
            Number of samples that were asked for.

        Returns
        -------
        RemoteAnswer
            The numbers of zeros.

        Raises
        ------
        ImplausibleError
            If the answer has other shots, bits or samples than were asked for.
        """
        job, result = answer
        if len(result) != 1:
            raise ImplausibleError(f"one pub was sent, {len(result)} came back")
        bits = getattr(result[0].data, REGISTER, None)
        if bits is None:
            raise ImplausibleError(f"the answer has no register {REGISTER!r}")
        n_bits = self._program.n_bits
        if bits.num_bits != n_bits:
            raise ImplausibleError(f"the circuit measures {n_bits} bits, {bits.num_bits} came back")
        if bits.num_shots != self.shots:
            raise ImplausibleError(f"{self.shots} shots were asked for, {bits.num_shots} came back")
        array = np.asarray(bits.array)
        shape = (n_samples, self.shots, -(-n_bits // 8))
        if array.shape != shape or array.dtype != np.uint8:
            raise ImplausibleError(
                f"bits must be an array of uint8 of shape {shape}, not of {array.dtype} of shape "
                f"{array.shape}"
            )
        if n_bits % 8 and (array[..., 0] >> n_bits % 8).any():
            raise ImplausibleError(f"a result must have {n_bits} bits, not more")
        zeros = (~array.any(axis=-1)).sum(axis=-1)
        return RemoteAnswer(zeros, job, _seconds(result[0]))


def _parameters(function: Any) -> Mapping[str, Any]:
    try:
        return inspect.signature(function).parameters
    except (ValueError, TypeError):  # of another language
        return {}


def _takes_any(parameters: Mapping[str, Any]) -> bool:
    return any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())


def backend_of(sampler: Any) -> Any:
    """Return the backend that a sampler says it runs on.

    Parameters
    ----------
    sampler : BaseSamplerV2
        Any sampler.

    Returns
    -------
    BackendV2 or None
        None if it says none.
    """
    try:
        found = getattr(sampler, "backend", None)
        if callable(found) and not hasattr(found, "target"):
            found = found()
    except Exception:  # of another library, which may want arguments or an account
        return None
    return found if getattr(found, "target", None) is not None else None


def _transpiled(program: BornCircuit, backend: Any) -> Any:
    if getattr(backend, "target", None) is None:
        raise TypeError(f"backend must be a qiskit.providers.BackendV2, not {backend!r}")
    qubits = backend.target.num_qubits
    if qubits is not None and program.n_qubits > qubits:
        raise ValueError(
            f"the circuit has {program.n_qubits} qubits, the backend {qubits}; take fewer "
            f"features, or reuse_qubits=True"
        )
    if program.reuse_qubits and "reset" not in backend.target.operation_names:
        raise ValueError(
            "reuse_qubits=True needs a backend that can reset qubits within a circuit; take "
            "reuse_qubits=False"
        )
    from qiskit.transpiler import generate_preset_pass_manager

    manager = generate_preset_pass_manager(
        optimization_level=3, backend=backend, seed_transpiler=_SEED
    )
    return manager.run(program.circuit)


def identifier(job: Any) -> str:
    """Return the identifier of a job.

    Parameters
    ----------
    job : object
        What a sampler's ``run`` returned.

    Returns
    -------
    str
        Its identifier; empty if it has none.
    """
    try:
        return str(job.job_id())
    except Exception:  # there is none
        return ""


def _seconds(result: Any) -> dict[str, float]:
    """Return what a remote says of where the time went, as `ApplianceSampler` has it."""
    metadata = getattr(result, "metadata", None)
    told = metadata.get("appliance", {}) if isinstance(metadata, Mapping) else {}
    seconds = told.get("seconds", {}) if isinstance(told, Mapping) else {}
    if not isinstance(seconds, Mapping):
        return {}
    return {
        str(phase): float(value)
        for phase, value in seconds.items()
        if is_number(value, Real) and math.isfinite(value) and value >= 0
    }
