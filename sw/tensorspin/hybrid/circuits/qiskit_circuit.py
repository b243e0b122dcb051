"""From gates to a circuit of Qiskit."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...progress import progress_bar
from .gates import Gate, matrix_of
from .layout import Layout

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

BASIS = ("cx", "u")
"""Gates that an isometry of more than two qubits is made of."""


def qiskit_module(name: str = "qiskit") -> Any:
    """Import Qiskit, which only circuits need, when it is used for the first time.

    Parameters
    ----------
    name : str
        Module of Qiskit.

    Returns
    -------
    module
        The module.

    Raises
    ------
    ImportError
        If Qiskit is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"circuits need Qiskit ({error}): pip install 'tensorspin[quantum]'"
        ) from error


def qiskit_circuit(layout: Layout, parameter_names: Sequence[str]) -> QuantumCircuit:
    """Make a circuit of Qiskit.

    Parameters
    ----------
    layout : Layout
        The gates.
    parameter_names : sequence of str
        Name of each parameter.

    Returns
    -------
    QuantumCircuit
        Rotations, CNOTs, measurements into a register ``outcome``, and resets.
    """
    qiskit = qiskit_module()
    register = qiskit.ClassicalRegister(layout.n_bits, "outcome")
    circuit = qiskit.QuantumCircuit(qiskit.QuantumRegister(layout.n_qubits, "q"), register)
    parameters = [qiskit.circuit.Parameter(name) for name in parameter_names]
    with progress_bar("synthesis", "gate", delay=2.0) as advance:
        for done, gate in enumerate(layout.gates):
            qubits = list(gate.qubits)
            if gate.name == "isometry":
                circuit.compose(_synthesised(gate), qubits, inplace=True)
            elif gate.name == "measure":
                circuit.measure(qubits[0], register[gate.bit])
            elif gate.name == "ry":
                angle = gate.angles[0] if gate.parameter is None else parameters[gate.parameter]
                circuit.ry(angle, qubits[0])
            else:  # "cx", "u", "reset"
                getattr(circuit, gate.name)(*gate.angles, *qubits)
            advance(done + 1, len(layout.gates))
    return circuit


def _synthesised(gate: Gate) -> QuantumCircuit:
    """Make an isometry of CNOTs and rotations: column by column, or as a whole unitary matrix.

    Whichever takes fewer CNOTs is taken.
    """
    assert gate.matrix is not None
    qiskit, library = qiskit_module(), qiskit_module("qiskit.circuit.library")
    count = len(gate.qubits)
    inputs = [gate.qubits.index(qubit) for qubit in gate.inputs]
    others = [place for place in range(count) if place not in inputs]
    whole = qiskit.QuantumCircuit(count)
    whole.append(library.UnitaryGate(matrix_of(gate)), range(count))
    candidates = [whole]
    if not inputs:
        state = qiskit.QuantumCircuit(count)
        state.append(library.StatePreparation(gate.matrix[:, 0]), range(count))
        candidates.append(state)
    elif others:
        # Qiskit's isometry has its inputs first, and its rows are states of qubits in that order.
        order = inputs + others
        axes = [count - 1 - place for place in reversed(order)]
        rows = gate.matrix.reshape((2,) * count + (-1,)).transpose(*axes, count)
        columns = qiskit.QuantumCircuit(count)
        columns.append(
            library.Isometry(rows.reshape(gate.matrix.shape).astype(complex), 0, 0), order
        )
        candidates.append(columns)
    made = [
        qiskit.transpile(circuit, basis_gates=BASIS, optimization_level=1) for circuit in candidates
    ]
    return min(made, key=lambda circuit: circuit.num_nonlocal_gates())


def decomposed(gates: Sequence[Gate]) -> list[Gate]:
    """Replace isometries of three and more qubits by CNOTs and rotations.

    Parameters
    ----------
    gates : sequence of Gate
        Gates without measurements and resets.

    Returns
    -------
    list of Gate
        The same, made of "cx", "u" and "ry".
    """
    result: list[Gate] = []
    for gate in gates:
        if gate.name != "isometry":
            result.append(gate)
            continue
        made = _synthesised(gate)
        for step in made.data:
            qubits = tuple(gate.qubits[made.find_bit(qubit).index] for qubit in step.qubits)
            result.append(Gate(step.operation.name, qubits, tuple(map(float, step.params))))
    return result
