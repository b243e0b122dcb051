"""Tables and picture of the hybrid benchmark, from a report as it is kept."""

from __future__ import annotations

import numpy as np
import pytest

from tensorspin.benchmarks.common.machine import describe_machine
from tensorspin.benchmarks.hybrid.campaign import _told, breast_cancer
from tensorspin.benchmarks.hybrid.tables import draw, markdown
from tensorspin.hybrid.record import SampleRecord


def record(source="remote", score=0.4, exact=0.41, local=0.42, reason="answered"):
    return SampleRecord(source, reason, "", score, local, exact, score, score - exact, 200)


@pytest.fixture(scope="module")
def task():
    return breast_cancer(epochs=1)


@pytest.fixture
def report(task):
    records = [record()] * 3 + [record("local", 0.42, reason="late")] * 2
    told = _told(task, records, np.array([0.1, 0.1, 0.1, 0.29, 0.35]), 0.3)
    return {
        "format": 1,
        "machine": describe_machine(),
        "task": {
            "features": 8,
            "bond_dim": 2,
            "qubits": 8,
            "two_qubit_gates": 13,
            "shots": 200,
        },
        "deadline": 0.3,
        "faults": {"none": told, "2 s late": told},
        "deadlines": {"0.05": told},
    }


def test_tables_say_what_is_simulated_and_who_answered(report):
    text = markdown(report)
    assert "The processor is simulated" in text
    row = next(line for line in text.splitlines() if line.startswith("| 2 s late"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:8] == ["2 s late", "3", "2 late", "0", "1", "0", "100", "350"]
    assert "| 50 | 3 of 5 | 1 | 350 |" in text


def test_answers_that_are_not_those_of_their_samples_are_counted(task):
    wrong = [record(score=0.9), record(score=0.0), record("local", 0.4, reason="late")]
    told = _told(task, [record(), *wrong], np.full(4, 0.1), 0.3)
    assert told["wrong"] == 3


def test_the_picture_is_drawn(report, tmp_path):
    (path,) = draw(report, tmp_path)
    assert path.stat().st_size > 1000


def test_the_task_is_one_that_a_processor_can_have(task):
    from tensorspin.hybrid import born_circuit

    program = born_circuit(task.detector)
    assert (program.n_qubits, task.X.shape) == (8, (319, 8))
    assert program.two_qubit_gates <= 16
    assert 0.3 < task.inlier.mean() < 0.4
