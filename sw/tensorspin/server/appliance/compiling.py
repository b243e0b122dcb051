"""The process that reads and compiles programs, so that a bad one costs its time and memory alone.

``python -m tensorspin.server.appliance.compiling`` reads requests from standard input and writes
answers to standard output: four bytes with a length, and as many bytes. The first request is what
`task` makes: what programs may do, and the target of the backend; its answer is empty, and comes
when everything is loaded. Each further request is the text of a program. Its answer is a JSON
object, a zero byte, and the compiled circuit in Qiskit's format QPY. The owner ends the process if
an answer takes too long, and starts another.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import sys
import threading
import time
from typing import Any, BinaryIO

from .device import Device
from .examine import Limits, Unfit, examine_circuit, examine_text

LENGTH = struct.Struct(">I")
"""How the length of a message is written."""

MOST_MEMORY = 2 << 30
"""Bytes of memory that a program may take beyond what the process has at its beginning."""

_MOST_RECURSION = 2000
"""Depth of Python's calls: deeper expressions are refused before they exhaust the C stack."""


def main() -> None:
    """Answer requests until standard input ends."""
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    limits, target = pickle.loads(read_message(sys.stdin.buffer) or b"")  # of this process's owner
    _warm_up()
    _limit_memory()
    sys.setrecursionlimit(_MOST_RECURSION)
    answers.write(LENGTH.pack(0))  # the time of the first program begins now
    answers.flush()
    while (program := read_message(sys.stdin.buffer)) is not None:
        answer = _answer(program.decode(), limits, target)
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _warm_up() -> None:
    """Load the parser, and its tables, which take a while the first time."""
    from qiskit import qasm3

    qasm3.loads("OPENQASM 3.0; qubit q;")


def task(device: Device) -> bytes:
    """Write what a process needs to know to compile programs for a device.

    Parameters
    ----------
    device : Device
        The device, which stays in the process of the server.

    Returns
    -------
    bytes
        The first message to the process.

    Raises
    ------
    ValueError
        If the backend's target cannot be sent to another process.
    """
    target = None if device.backend is None else device.backend.target
    try:
        return pickle.dumps((limits_of(device), target))
    except Exception as error:
        raise ValueError(
            f"the target of backend {type(device.backend).__name__} must be one that pickle takes, "
            f"as programs are compiled in another process: {error}"
        ) from error


def limits_of(device: Device) -> Limits:
    """Say what programs for a device may do.

    Parameters
    ----------
    device : Device
        The device.

    Returns
    -------
    Limits
        The limits.
    """
    return Limits(device.qubits, device.resets, device.dynamic)


def _follow(owner: int) -> None:
    """End the process when its owner has ended, also in the middle of a program."""
    while os.getppid() == owner:
        time.sleep(1.0)
    os._exit(1)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    with (
        open("/proc/self/statm") if os.path.exists("/proc/self/statm") else io.StringIO("0") as file
    ):
        pages = int(file.read().split()[0])
    if pages:
        most = pages * resource.getpagesize() + MOST_MEMORY
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _answer(program: str, limits: Limits, target: Any) -> bytes:
    try:
        circuit = parse(program, limits)
        names = [parameter.name for parameter in circuit.parameters]
        registers = [[register.name, register.size] for register in circuit.cregs]
        told = {
            "qubits": circuit.num_qubits,
            "parameters": names,
            "registers": registers,
            "operations": len(circuit.data),
        }
        return json.dumps(told).encode() + b"\0" + _qpy(compiled(circuit, target))
    except Unfit as error:
        return _refused(str(error))
    except RecursionError:
        return _refused("the program nests expressions or blocks too deeply")
    except MemoryError:
        return _refused("the program takes too much memory to compile")
    except Exception as error:
        return _refused(f"the program cannot be compiled: {type(error).__name__}: {error}"[:500])


def _refused(message: str) -> bytes:
    return json.dumps({"refused": message}).encode() + b"\0"


def parse(program: str, limits: Limits) -> Any:
    """Read a program, and refuse what the backend cannot do.

    Parameters
    ----------
    program : str
        Text in OpenQASM 3.
    limits : Limits
        What it may do.

    Returns
    -------
    qiskit.circuit.QuantumCircuit
        The circuit.

    Raises
    ------
    Unfit
        If it is no program, or does what it may not.
    """
    from qiskit import qasm3
    from qiskit.exceptions import QiskitError

    examine_text(program, limits)
    try:
        circuit = qasm3.loads(program)
    except QiskitError as error:
        raise Unfit(f"the program cannot be read: {error.message}"[:500]) from error
    except (RecursionError, MemoryError):
        raise
    except Exception as error:  # the parser raises many kinds, some of other libraries
        said = str(error).strip() or type(error).__name__
        raise Unfit(f"the program is no OpenQASM 3: {said}"[:500]) from error
    examine_circuit(circuit, limits)
    return circuit


def compiled(circuit: Any, target: Any) -> Any:
    """Compile a circuit for the target of a backend.

    Parameters
    ----------
    circuit : qiskit.circuit.QuantumCircuit
        The circuit.
    target : qiskit.transpiler.Target or None
        Gates, qubits and errors of the backend; None to leave the circuit as it is.

    Returns
    -------
    qiskit.circuit.QuantumCircuit
        The circuit in the backend's gates, on its qubits.
    """
    if target is None:
        return circuit
    from qiskit.transpiler import generate_preset_pass_manager

    manager = generate_preset_pass_manager(optimization_level=1, target=target, seed_transpiler=0)
    return manager.run(circuit)


def _qpy(circuit: Any) -> bytes:
    from qiskit import qpy

    stream = io.BytesIO()
    qpy.dump(circuit, stream)
    return stream.getvalue()


def read_message(stream: BinaryIO) -> bytes | None:
    """Read one message.

    Parameters
    ----------
    stream : binary file
        Where it comes from.

    Returns
    -------
    bytes or None
        The message; None at the end.
    """
    head = stream.read(LENGTH.size)
    return stream.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


if __name__ == "__main__":
    main()
