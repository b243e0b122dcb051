"""What the programs that run other libraries have in common, and how they are started."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tensorspin.benchmarks.annealer.instances import complete_instance
from tensorspin.benchmarks.annealer.speed import measure_speed, time_to_solution
from tensorspin.benchmarks.peers import process, solving, training
from tensorspin.contract.device.boards import find_board

CALL, READ, SWEEP = 0.5, 1e-4, 1e-5
"""Seconds of a library that takes nothing else."""


@pytest.fixture
def clock(monkeypatch):
    """What has been asked for, in calls that take no time."""
    asked = []

    def seconds(sample, sweeps, reads, seed):
        asked.append((sweeps, reads))
        return CALL + reads * (READ + sweeps * SWEEP)

    monkeypatch.setattr(solving, "_seconds", seconds)
    return asked


@pytest.mark.parametrize("sweeps", [2, 10, 1000])
def test_time_of_sweeps(sweeps, clock):
    found = solving.read_seconds(lambda *arguments: None, sweeps, 1)
    assert found == pytest.approx(sweeps * SWEEP)
    reads = max(reads for _, reads in clock)
    total = CALL + reads * (READ + sweeps * SWEEP)
    mostly_sweeps = reads * (sweeps - 1) * SWEEP >= solving.SWEEPS_PART * total
    assert mostly_sweeps or total > solving.MOST_SECONDS


def test_no_time_is_no_answer(monkeypatch):
    monkeypatch.setattr(solving, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(solving, "_seconds", lambda *arguments: 1.0)
    assert solving.read_seconds(lambda *arguments: None, 20, 1) is None
    assert time_to_solution(None, 0.5) is None


@pytest.fixture
def command_line(tmp_path, monkeypatch):
    """Gives a program its task; returns the file for its answer."""
    monkeypatch.delattr(process.os, "sched_setaffinity", raising=False)

    def give(fields: dict) -> Path:
        output = tmp_path / "answer.json"
        monkeypatch.setattr(sys, "argv", ["program", json.dumps(fields), str(output)])
        return output

    return give


def test_solving(tmp_path, command_line, clock):
    model = {"linear": [0.5, 0.0], "rows": [0], "columns": [1], "weights": [-1.0]}
    np.savez(tmp_path / "model.npz", **model)
    task = solving.Task(str(tmp_path / "model.npz"), [0.1, 2.0], [5, 10], 3, 7)
    output = command_line(vars(task))
    assert solving.begin() == task
    assert task.model() == ({0: 0.5, 1: 0.0}, {(0, 1): -1.0})

    def sample(sweeps, reads, seed):
        return np.full(reads, sweeps + seed)

    solving.measure(task, sample, {"library": "1"})
    answer = json.loads(output.read_text())
    assert answer["versions"] == {"library": "1"}
    assert [run["energies"] for run in answer["runs"]] == [[12.0] * 3, [17.0] * 3]
    assert [run["sweeps"] for run in answer["runs"]] == task.sweeps


def test_training(tmp_path, command_line):
    path = tmp_path / "data.npz"
    np.savez(path, X_train=[[1.0]], y_train=[0], X_test=[[2.0]], y_test=[1])
    fields = {"data": str(path), "bond_dim": 2, "epochs": 3, "batch_size": 1, "seed": 0}
    output = command_line(fields)
    task = training.begin()
    assert [array.tolist() for array in task.arrays()] == [[[1.0]], [0], [[2.0]], [1]]
    scores = np.array([[0.1, 0.9], [0.8, 0.2]])
    training.finish([9.0, 2.0, 1.0, 4.0], scores, np.array([1, 1]), {"it": "1"})
    answer = json.loads(output.read_text())
    # The first epoch, in which a library may compile, is left out of the median.
    assert answer["first_epoch_seconds"] == 9.0
    assert answer["epoch_seconds"] == 2.0 and answer["epoch_range"] == [1.0, 4.0]
    assert answer["accuracy"] == 0.5


LIBRARY = """
import sys
from types import SimpleNamespace

class SimulatedAnnealingSampler:
    def sample(self, bqm, num_reads, num_sweeps, beta_range, beta_schedule_type, seed):
        assert "tensorspin" not in sys.modules
        for _ in range(2000 * num_sweeps):
            pass
        energy = bqm.energy({variable: (-1) ** variable for variable in bqm.variables})
        return SimpleNamespace(record=SimpleNamespace(energy=[energy] * num_reads))
"""


def test_a_library_solves_in_a_process_of_its_own(tmp_path, monkeypatch):
    """A stand-in for dwave-samplers, found only by the processes that are started."""
    (tmp_path / "dwave").mkdir()
    (tmp_path / "dwave" / "samplers.py").write_text(LIBRARY)
    (tmp_path / "dwave_samplers-7.0.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: dwave-samplers\nVersion: 7.0\n"
    (tmp_path / "dwave_samplers-7.0.dist-info" / "METADATA").write_text(metadata)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    instance, row = complete_instance(8), find_board("ulx3s_25f_annealer")
    found = measure_speed(instance, [row], [10, 20], 3, sys.executable)
    (library,) = (solver for solver in found["solvers"] if solver["solver"] == "dwave")
    assert library["versions"] == {"dwave-samplers": "7.0"}
    state = {variable: (-1) ** variable for variable in range(8)}
    expected = instance.model.value(instance.model.bqm.energy(state))
    assert [(run["sweeps"], run["reads"]) for run in library["runs"]] == [(10, 3), (20, 3)]
    assert all(run["mean"] == pytest.approx(expected) for run in library["runs"])
