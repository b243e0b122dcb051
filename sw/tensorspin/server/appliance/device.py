"""What an appliance runs circuits on: a sampler, and a backend that they are compiled for."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

SIMULATED_QUBITS = 24
"""Most qubits of a simulator unless the user says another number: 256 MiB of amplitudes."""


@dataclass(frozen=True)
class Choice:
    """What the user chose; plain texts and numbers, which go to another process, too.

    Parameters
    ----------
    sampler : str
        ``aer``, ``statevector``, or ``MODULE:OBJECT``.
    backend : str or None
        ``MODULE:OBJECT``, or None.
    seed : int or None
        Seed of a simulator.
    most_qubits : int or None
        Most qubits of a program; None for what the backend has.
    """

    sampler: str = "aer"
    backend: str | None = None
    seed: int | None = None
    most_qubits: int | None = None


@dataclass(frozen=True)
class Device:
    """A sampler, and what programs for it may do.

    Parameters
    ----------
    name : str
        What clients and logs call it.
    sampler : object
        A sampler with ``run(pubs, shots=)`` (Qiskit's ``BaseSamplerV2``).
    backend : object or None
        The backend that circuits are compiled for.
    qubits : int
        Most qubits of a program.
    resets : bool
        Whether qubits can be reset within a circuit.
    dynamic : bool
        Whether a circuit may measure in its middle, and act on what was measured.
    """

    name: str
    sampler: Any
    backend: Any
    qubits: int
    resets: bool
    dynamic: bool

    def run(self, circuit: Any, values: dict[str, np.ndarray], shots: int) -> list[np.ndarray]:
        """Run a compiled circuit.

        Parameters
        ----------
        circuit : qiskit.circuit.QuantumCircuit
            The circuit.
        values : dict of str to ndarray of float64 of shape (rows,)
            Values of parameters by name; all that the circuit has.
        shots : int
            Shots of each row.

        Returns
        -------
        list of ndarray of uint8 of shape (rows, shots, bytes)
            What each classical register of the circuit measured, most significant byte first.

        Raises
        ------
        RuntimeError
            If the sampler's result has another form than was asked for.
        """
        names = [parameter.name for parameter in circuit.parameters]
        rows = len(next(iter(values.values()))) if values else 1
        if names:
            array = np.stack([values[name] for name in names], axis=-1)
            pubs: list[Any] = [(circuit, {tuple(names): array}, shots)]
        else:  # all rows are the same circuit, but for values that it does not depend on
            pubs = [(circuit, None, shots)] * rows
        results = self.sampler.run(pubs).result()
        return [
            _rows(results, register.name, register.size, rows, shots) for register in circuit.cregs
        ]


def _rows(results: Any, name: str, bits: int, rows: int, shots: int) -> np.ndarray:
    arrays = [getattr(result.data, name) for result in results]
    if any(array.num_bits != bits for array in arrays):
        raise RuntimeError(f"the sampler gave another number of bits than {bits} for {name}")
    found = np.concatenate([array.array.reshape(-1, *array.array.shape[-2:]) for array in arrays])
    if found.shape[:2] != (rows, shots):
        raise RuntimeError(
            f"the sampler gave {found.shape[0]} rows of {found.shape[1]} shots, not {rows} of "
            f"{shots}"
        )
    return found


def load_object(reference: str, option: str) -> Any:
    """Import what a user named; a class or a function without arguments is called.

    Parameters
    ----------
    reference : str
        ``MODULE:OBJECT``. The module may be a file of the current folder.
    option : str
        Option with which it was named, for the message.

    Returns
    -------
    object
        The object.

    Raises
    ------
    ValueError
        If there is no such module or object.

    Examples
    --------
    >>> load_object("fractions:Fraction", "--sampler")
    Fraction(0, 1)
    """
    module_name, colon, name = reference.partition(":")
    if not colon or not module_name or not name:
        raise ValueError(
            f"{option} must be aer, statevector or MODULE:OBJECT, not {reference!r}"
            if option == "--sampler"
            else f"{option} must be MODULE:OBJECT, not {reference!r}"
        )
    if os.getcwd() not in sys.path and "" not in sys.path:
        sys.path.append(os.getcwd())
    try:
        thing: Any = importlib.import_module(module_name)
        for part in name.split("."):
            thing = getattr(thing, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"{option} {reference}: {error}") from error
    # A sampler or backend that is an object already may be callable, too.
    return thing() if isinstance(thing, type) or not _is_used(thing) else thing


def _is_used(thing: Any) -> bool:
    return hasattr(thing, "run") or hasattr(thing, "target") or not callable(thing)


def load_backend(choice: Choice) -> Any:
    """Load the backend that programs are compiled for.

    Parameters
    ----------
    choice : Choice
        What the user chose.

    Returns
    -------
    object or None
        The backend; None if programs run as they are.
    """
    if choice.backend is not None:
        backend = load_object(choice.backend, "--backend")
        if not hasattr(backend, "target"):
            raise ValueError(
                f"--backend must be a backend of Qiskit (BackendV2), not {type(backend).__name__}"
            )
        return backend
    if choice.sampler == "aer":
        from qiskit_aer import AerSimulator

        return AerSimulator()
    return None


def load_device(choice: Choice) -> Device:
    """Load what the user chose.

    Parameters
    ----------
    choice : Choice
        Sampler, backend, seed and limit.

    Returns
    -------
    Device
        What runs circuits.

    Raises
    ------
    ValueError
        If there is no such sampler or backend.
    ImportError
        If a library is not installed.
    """
    backend = load_backend(choice)
    simulator = choice.sampler in ("aer", "statevector")
    if choice.sampler == "aer":
        from qiskit_aer.primitives import SamplerV2

        sampler = SamplerV2.from_backend(backend, seed=choice.seed)
    elif choice.sampler == "statevector":
        from qiskit.primitives import StatevectorSampler

        sampler = StatevectorSampler(seed=choice.seed)
    else:
        sampler = load_object(choice.sampler, "--sampler")
        if not hasattr(sampler, "run"):
            raise ValueError(
                f"--sampler must be a sampler of Qiskit (BaseSamplerV2), not "
                f"{type(sampler).__name__}"
            )
        backend = backend if backend is not None else _own_backend(sampler)
    return describe(choice, sampler, backend, simulator)


def _own_backend(sampler: Any) -> Any:
    """Give the backend of a sampler that has one: a property, or a method in IBM's."""
    backend = getattr(sampler, "backend", None)
    if callable(backend) and not hasattr(backend, "target"):
        backend = backend()
    return backend if hasattr(backend, "target") else None


def describe(choice: Choice, sampler: Any, backend: Any, simulator: bool) -> Device:
    """Say what programs may do on a sampler with a backend.

    Parameters
    ----------
    choice : Choice
        What the user chose.
    sampler, backend : object
        What was loaded.
    simulator : bool
        Whether memory limits the number of qubits.

    Returns
    -------
    Device
        The description.
    """
    qubits = choice.most_qubits or (SIMULATED_QUBITS if simulator or backend is None else 1 << 16)
    operations: set[str] | None = None
    if backend is not None:
        qubits = min(qubits, backend.num_qubits or qubits)
        operations = set(backend.target.operation_names)
    pure = choice.sampler == "statevector"
    name = choice.sampler if choice.backend is None else f"{choice.sampler} {choice.backend}"
    return Device(
        name=name,
        sampler=sampler,
        backend=backend,
        qubits=qubits,
        resets=not pure and (operations is None or "reset" in operations),
        dynamic=not pure,
    )
