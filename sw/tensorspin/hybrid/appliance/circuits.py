"""From Qiskit's circuits to what travels: OpenQASM 3, and a value for each name.

Qiskit's exporter renames parameters (``x[10]`` becomes ``_x_10_``), and its reader sorts them by
the new names, so that an array by position would be permuted. Here, each parameter gets a plain
name before the export, and values are sent by name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .protocol import MOST_PROGRAM_BYTES


def name_of(place: int) -> str:
    """Name the parameter at a place of ``circuit.parameters`` in the program that is sent.

    Parameters
    ----------
    place : int
        Its place, from 0.

    Returns
    -------
    str
        A name that no exporter needs to change, and that sorts by place.

    Examples
    --------
    >>> name_of(10)
    'parameter_00010'
    """
    return f"parameter_{place:05d}"


def program_of(circuit: Any) -> str:
    """Write a circuit in OpenQASM 3, with the names of `name_of` for its parameters.

    Parameters
    ----------
    circuit : qiskit.circuit.QuantumCircuit
        The circuit, with measurements into classical registers. Its global phase is left out, as
        nothing that is measured depends on it.

    Returns
    -------
    str
        The program.

    Raises
    ------
    ValueError
        If the circuit measures nothing, cannot be written in OpenQASM 3, or is too long.
    """
    from qiskit import qasm3
    from qiskit.circuit import Parameter
    from qiskit.exceptions import QiskitError

    if not circuit.cregs:
        raise ValueError(
            f"circuit {circuit.name} has no classical register, so that nothing would be measured; "
            f"add measurements, such as by circuit.measure_all()"
        )
    plain = circuit.assign_parameters(
        {old: Parameter(name_of(place)) for place, old in enumerate(circuit.parameters)}
    )
    plain.global_phase = 0
    try:
        program = qasm3.dumps(plain)
    except QiskitError as error:
        raise ValueError(
            f"circuit {circuit.name} cannot be written in OpenQASM 3 ({error.message}); "
            f"qiskit.transpile it to basic gates first"
        ) from error
    if len(program.encode()) > MOST_PROGRAM_BYTES:
        raise ValueError(
            f"circuit {circuit.name} must have up to {MOST_PROGRAM_BYTES} bytes in OpenQASM 3, not "
            f"{len(program.encode())}; use fewer gates"
        )
    return program


def values_of(pub: Any) -> dict[str, list[float]]:
    """List the values of a pub's parameters by the names of `name_of`.

    Parameters
    ----------
    pub : qiskit.primitives.SamplerPub
        A circuit with values for its parameters, of any shape.

    Returns
    -------
    dict of str to list of float
        For each name one value a row, rows in C order. A parameter of the global phase alone is
        left out.

    Raises
    ------
    ValueError
        If a value is no finite number.
    """
    parameters = list(pub.circuit.parameters)
    if not parameters:
        return {}
    array = pub.parameter_values.as_array(parameters).reshape(-1, len(parameters))
    if not np.isfinite(array).all():
        row, place = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"values of parameters must be finite numbers, not {array[row, place]} for "
            f"{parameters[place].name} in row {row}"
        )
    used = _outside_of_the_phase(pub.circuit)
    return {
        name_of(place): array[:, place].tolist()
        for place, parameter in enumerate(parameters)
        if parameter in used
    }


def _outside_of_the_phase(circuit: Any) -> set[Any]:
    """Give the parameters that something else than the global phase depends on."""
    if not getattr(circuit.global_phase, "parameters", None):
        return set(circuit.parameters)
    plain = circuit.copy()
    plain.global_phase = 0
    return set(plain.parameters)
