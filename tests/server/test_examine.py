"""Programs that an appliance does not take, each for its own reason."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit.library import XGate

from tensorspin.server.appliance.compiling import parse
from tensorspin.server.appliance.examine import (
    MOST_OPERATIONS,
    Limits,
    Unfit,
    examine_circuit,
    examine_text,
)

HEAD = 'OPENQASM 3.0; include "stdgates.inc"; bit[2] c; qubit[2] q; '
ANYTHING = Limits(qubits=5)
PURE = Limits(qubits=5, resets=False, dynamic=False)


def test_what_is_fit_is_read():
    circuit = parse(HEAD + "input float[64] a; rx(2*a) q[0]; c = measure q;", PURE)
    assert circuit.num_qubits == 2 and [each.name for each in circuit.parameters] == ["a"]
    parse(HEAD + "h q[0]; c[0] = measure q[0]; reset q[0]; c[1] = measure q[0];", ANYTHING)


@pytest.mark.parametrize(
    "include",
    [
        'include "/etc/passwd";',
        "include '/etc/passwd';",
        'include\n"stdgates.inc.txt";',
        'include "../stdgates.inc";',
        'include"x";',
        'include "";',
    ],
)
def test_files_are_not_included(include):
    with pytest.raises(Unfit, match="alone, not another file"):
        examine_text("OPENQASM 3.0;\n" + include, ANYTHING)


def test_a_comment_may_speak_of_files_and_qubits():
    comment = '// include "x"; qubit[99] a\n/* qubit[99] b;\n include "y"; */'
    parse(comment + HEAD + "c = measure q;", ANYTHING)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("bit c; qubit[6] q;", "needs 6 qubits, the backend has 5"),
        ("bit c; qubit[3] q; qubit[3] r;", "needs 6 qubits"),
        ("bit[1] c; qubit a; qubit b; qubit d; qubit e; qubit f; qubit g;", "needs 6 qubits"),
        ("qreg q[6]; creg c[1];", "needs 6 qubits"),
        ("bit c; qubit[1_000_000_000] q;", "more than 10\\^9 qubits"),
        ("bit[100000000] c; qubit q;", "up to 20000 bits"),
        ("qubit q; creg c[15_000]; creg d[15_000];", "up to 20000 bits"),
        ("bit[9999999999999] c; qubit q;", "up to 20000 bits"),
        ("qubit q;", "no register of measured bits"),
        ("nonsense", "is no OpenQASM 3|cannot be read"),
        ("", "is no OpenQASM 3"),
        (HEAD + "rx(b) q[0];", "cannot be read"),
        (HEAD + "while (c[0]) { x q[0]; c[0] = measure q[0]; }", "no while loop"),
        (HEAD + "for int i in [0:1000000000] { x q[0]; }", "up to 20000 operations"),
    ],
)
def test_what_is_unfit_says_why(program, words):
    with pytest.raises(Unfit, match=words):
        parse(program, ANYTHING)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("reset q[0]; c = measure q;", "cannot reset"),
        ("c[0] = measure q[0]; x q[0];", "measures at the end of a circuit alone"),
        ("c[0] = measure q[0]; c[1] = measure q[0];", "measures at the end"),
        ("c[0] = measure q[0]; if (c[0]) { x q[1]; } c[1] = measure q[1];", "measures at the end"),
        ("gate_with_reset q[0];", "cannot be read|no OpenQASM"),
    ],
)
def test_a_backend_that_cannot_says_so(program, words):
    with pytest.raises(Unfit, match=words):
        parse(HEAD + program, PURE)


def test_a_barrier_after_a_measurement_is_no_use_of_it():
    parse(HEAD + "c[0] = measure q[0]; barrier q; c[1] = measure q[1];", PURE)


def test_definitions_that_double_are_counted_until_there_are_too_many():
    gate = XGate()
    for _ in range(40):
        inner = QuantumCircuit(1)
        inner.append(gate, [0])
        inner.append(gate, [0])
        gate = Gate("twice", 1, [])
        gate.definition = inner
    circuit = QuantumCircuit(1, 1)
    circuit.append(gate, [0])
    with pytest.raises(Unfit, match=f"up to {MOST_OPERATIONS} operations"):
        examine_circuit(circuit, ANYTHING)


def test_loops_count_as_often_as_they_turn():
    loop = "for int i in [1:{}] {{ for int j in [1:100] {{ x q[0]; }} }} c = measure q;"
    parse(HEAD + loop.format(100), ANYTHING)
    with pytest.raises(Unfit, match="operations"):
        parse(HEAD + loop.format(300), ANYTHING)


def doubling(levels):
    first = "gate g0 a { x a; rx(pi/2) a; } "
    more = [f"gate g{n} a {{ g{n - 1} a; inv @ g{n - 1} a; }} " for n in range(1, levels)]
    return HEAD + first + "".join(more) + f"g{levels - 1} q[0]; c = measure q;"


def test_definitions_that_double_are_refused_before_they_are_unfolded():
    examine_text(doubling(14), ANYTHING)  # 2^14 operations
    for levels in (15, 40, 2000):
        with pytest.raises(Unfit, match="up to 20000 operations"):
            examine_text(doubling(levels), ANYTHING)
    assert parse(doubling(4), ANYTHING).count_ops()["g3"] == 1
