"""What the scripts of other libraries have in common."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from tensorspin.benchmarks.annealer.peers import protocol
from tensorspin.benchmarks.annealer.speed import time_to_solution

CALL, READ, SWEEP = 0.5, 1e-4, 1e-5
"""Seconds of a library that takes nothing else."""


@pytest.fixture
def clock(monkeypatch):
    """What has been asked for, in calls that take no time."""
    asked = []

    def seconds(sample, sweeps, reads, seed):
        asked.append((sweeps, reads))
        return CALL + reads * (READ + sweeps * SWEEP)

    monkeypatch.setattr(protocol, "_seconds", seconds)
    return asked


@pytest.mark.parametrize("sweeps", [2, 10, 1000])
def test_time_of_sweeps(sweeps, clock):
    found = protocol.read_seconds(lambda *arguments: None, sweeps, 1)
    assert found == pytest.approx(sweeps * SWEEP)
    reads = max(reads for _, reads in clock)
    total = CALL + reads * (READ + sweeps * SWEEP)
    mostly_sweeps = reads * (sweeps - 1) * SWEEP >= protocol.SWEEPS_PART * total
    assert mostly_sweeps or total > protocol.MOST_SECONDS


def test_no_time_is_no_answer(monkeypatch):
    monkeypatch.setattr(protocol, "MOST_SECONDS", 0.0)
    monkeypatch.setattr(protocol, "_seconds", lambda *arguments: 1.0)
    assert protocol.read_seconds(lambda *arguments: None, 20, 1) is None
    assert time_to_solution(None, 0.5) is None


def test_answer(tmp_path, monkeypatch, clock):
    model = {"linear": [0.5, 0.0], "rows": [0], "columns": [1], "weights": [-1.0]}
    np.savez(tmp_path / "model.npz", **model)
    task = protocol.Task(str(tmp_path / "model.npz"), [0.1, 2.0], [5, 10], 3, 7)
    output = tmp_path / "answer.json"
    monkeypatch.setattr(sys, "argv", ["script", json.dumps(vars(task)), str(output)])
    monkeypatch.delattr(protocol.os, "sched_setaffinity", raising=False)
    assert protocol.begin() == task
    assert task.model() == ({0: 0.5, 1: 0.0}, {(0, 1): -1.0})

    def sample(sweeps, reads, seed):
        return np.full(reads, sweeps + seed)

    protocol.measure(task, sample, {"library": "1"})
    answer = json.loads(Path(output).read_text())
    assert answer["versions"] == {"library": "1"}
    assert [run["energies"] for run in answer["runs"]] == [[12.0] * 3, [17.0] * 3]
    assert [run["sweeps"] for run in answer["runs"]] == task.sweeps
