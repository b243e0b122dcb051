"""The comparison of the training kernels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tensorspin.benchmarks.contractor.kernels import BERNSTEIN, TASKS, Task, measure_kernels
from tensorspin.models import TTNClassifier, kernel


def test_each_kernel_trains_each_task():
    tasks = [
        Task("chain", 40, 3, 1, parameters=BERNSTEIN | {"bond_dim": 2}),
        Task("tree", 40, 3, 1, TTNClassifier, {"bond_dim": 2}),
    ]
    rows = measure_kernels(tasks, quick=True)
    assert [(row["task"], row["kernel"]) for row in rows] == [
        (task.name, name) for task in tasks for name in kernel.available()
    ]
    for row in rows:
        assert row["batch_size"] == 16 and row["seconds"] > 0 and row["ratio"] > 0
        if row["kernel"] == "numpy":
            assert row["ratio"] == 1


def test_operations_are_counted_once_forward_and_twice_backward():
    # Two sites of two components: cores of 1 x 2 x 2 entries, a label tensor of classes x 2 x 2.
    task = Task("tiny", 40, 2, 1, parameters={"feature_map": "linear", "n_repeats": 1})
    row = measure_kernels([task], quick=True)[-1]
    counted = row["operations_per_second"] * row["seconds"]
    assert counted in [pytest.approx(6 * (8 + 4 * k) * 40 * 100) for k in (2, 3, 4)]


def test_the_tasks_are_those_of_the_recipe():
    for task in TASKS:
        task.kind(**replace(task).parameters)
