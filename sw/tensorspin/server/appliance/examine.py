"""Which programs an appliance takes: limits that are checked before, and after, they are parsed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

MOST_OPERATIONS = 20_000
"""Most operations of a program, those of gates' definitions and of each turn of a loop counted."""

_INCLUDE = re.compile(r"""\binclude\s*(?:"([^"]*)"|'([^']*)')""")
_QUBITS = re.compile(r"\bqubit\s*\[\s*(\d[\d_]*)\s*\]|\bqreg\s+\w+\s*\[\s*(\d[\d_]*)\s*\]")
_BITS = re.compile(r"\bbit\s*\[\s*(\d[\d_]*)\s*\]|\bcreg\s+\w+\s*\[\s*(\d[\d_]*)\s*\]")
_GATE = re.compile(r"\bgate\s+(\w+)[^{}]*\{([^{}]*)\}")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_STANDARD = "stdgates.inc"
"""The only file that a program may include; the parser has it built in."""


class Unfit(ValueError):
    """A program that is not taken, with the reason for whoever sent it.

    Examples
    --------
    >>> raise Unfit("the program needs 8 qubits")
    Traceback (most recent call last):
    tensorspin.server.appliance.examine.Unfit: the program needs 8 qubits
    """


@dataclass(frozen=True)
class Limits:
    """What a program may do.

    Parameters
    ----------
    qubits : int
        Most qubits.
    resets : bool
        Whether it may reset qubits.
    dynamic : bool
        Whether it may measure in its middle, and branch.
    operations : int
        Most operations.
    """

    qubits: int
    resets: bool = True
    dynamic: bool = True
    operations: int = MOST_OPERATIONS


def examine_text(program: str, limits: Limits) -> None:
    """Refuse a program by its text, before a parser sees it.

    Parameters
    ----------
    program : str
        Text in OpenQASM 3.
    limits : Limits
        What it may do.

    Raises
    ------
    Unfit
        If it includes files, declares too many qubits or bits, or defines a gate of too many
        operations.

    Examples
    --------
    >>> examine_text("qubit[3] q;", Limits(qubits=2))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    tensorspin.server.appliance.examine.Unfit: the program needs 3 qubits, the backend has 2; ...
    """
    bare = _COMMENT.sub(" ", program)
    for found in _INCLUDE.finditer(bare):
        if (found[1] if found[1] is not None else found[2]) != _STANDARD:
            raise Unfit(f'a program may include "{_STANDARD}" alone, not another file')
    sizes = _sizes(_QUBITS, bare)
    if any(len(size) > 9 for size in sizes):
        raise Unfit(f"the program declares more than 10^9 qubits, the backend has {limits.qubits}")
    _check_qubits(sum(map(int, sizes)), limits)
    sizes = _sizes(_BITS, bare)
    if any(len(size) > 9 for size in sizes) or sum(map(int, sizes)) > limits.operations:
        raise Unfit(
            f"the program must declare up to {limits.operations} bits, as many as it may have "
            f"operations, not more"
        )
    _check_gates(bare, limits)


def _check_gates(text: str, limits: Limits) -> None:
    """Refuse definitions that double again and again, which the parser unfolds for minutes."""
    sizes: dict[str, int] = {}
    for name, body in _GATE.findall(text):
        called = [re.findall(r"\w+", statement) for statement in body.split(";")]
        size = sum(max(sizes.get(word, 1) for word in words) for words in called if words)
        if size > limits.operations:
            raise _too_long(limits.operations)
        sizes[name] = size


def _too_long(operations: int) -> Unfit:
    return Unfit(
        f"the program must have up to {operations} operations, those of gates and loops unfolded, "
        f"not more"
    )


def _sizes(kind: re.Pattern[str], text: str) -> list[str]:
    return [(found[1] or found[2]).replace("_", "") for found in kind.finditer(text)]


def examine_circuit(circuit: Any, limits: Limits) -> None:
    """Refuse a program by what it does.

    Parameters
    ----------
    circuit : qiskit.circuit.QuantumCircuit
        The program, parsed and not compiled.
    limits : Limits
        What it may do.

    Raises
    ------
    Unfit
        If it is too wide or too long, measures nothing, or does what the backend cannot.
    """
    _check_qubits(circuit.num_qubits, limits)
    if not circuit.cregs:
        raise Unfit(
            "the program has no register of measured bits; declare one, such as bit[2] meas, and "
            "measure into it"
        )
    counted = _Counter(limits.operations)
    counted.count(circuit)
    if "reset" in counted.names and not limits.resets:
        raise Unfit(
            "the backend cannot reset qubits within a circuit; use a circuit with one qubit for "
            "each bit that is measured"
        )
    if "while_loop" in counted.names:
        raise Unfit("a program must have no while loop, of which nobody knows when it ends")
    if not limits.dynamic and (counted.branches or _measures_early(circuit)):
        raise Unfit(
            "the backend measures at the end of a circuit alone; move measurements to the end, "
            "and use no branches"
        )


def _check_qubits(qubits: int, limits: Limits) -> None:
    if qubits > limits.qubits:
        raise Unfit(
            f"the program needs {qubits} qubits, the backend has {limits.qubits}; use a narrower "
            f"circuit, or another backend"
        )


class _Counter:
    """Counts operations, and gives up as soon as there are too many: definitions may double."""

    def __init__(self, limit: int) -> None:
        self.names: set[str] = set()
        self.branches = False
        self._limit = limit
        self._seen = 0

    def count(self, circuit: Any) -> int:
        """Operations of a circuit, those of definitions and of each turn of loops counted."""
        total = 0
        for instruction in circuit.data:
            self._seen += 1
            total += self._operation(instruction)
            if max(total, self._seen) > self._limit:
                raise _too_long(self._limit)
        return total

    def _operation(self, instruction: Any) -> int:
        operation = instruction.operation
        self.names.add(operation.name)
        blocks = getattr(operation, "blocks", None)
        if blocks is not None:
            self.branches = True
            turns = len(operation.params[0]) if operation.name == "for_loop" else 1
            return 1 + turns * sum(map(self.count, blocks))
        if instruction.is_standard_gate():
            return 1
        definition = getattr(operation, "definition", None)
        return 1 if definition is None else max(1, self.count(definition))


def _measures_early(circuit: Any) -> bool:
    """Tell whether a qubit is used after it was measured."""
    measured: set[Any] = set()
    for instruction in circuit.data:
        name = instruction.operation.name
        if name in ("barrier", "delay"):
            continue
        if measured.intersection(instruction.qubits):
            return True
        if name == "measure":
            measured.update(instruction.qubits)
    return False
