"""Processor time of a training with the compiled kernel, beside NumPy in the same run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ...models import MPSClassifier, TTNClassifier, kernel
from ...progress import progress_over

FULL_EPOCHS = 100
"""Epochs that the reported seconds are those of; fewer are timed, as each takes the same time."""

ROUNDS = 3
"""Number of times that each kernel trains; the median counts."""


@dataclass(frozen=True)
class Task:
    """A training on random samples: what they are does not matter for its speed.

    Parameters
    ----------
    name : str
        What people read.
    samples, features : int
        Size of the data.
    epochs : int
        Number of epochs that are timed.
    kind : type
        Class of the classifier.
    parameters : dict of str to object
        Its parameters that decide how long it trains.
    """

    name: str
    samples: int
    features: int
    epochs: int
    kind: type = MPSClassifier
    parameters: dict[str, Any] = field(default_factory=dict)


BERNSTEIN = {"feature_map": "bernstein", "n_repeats": 2, "bond_dim": 16}
LINEAR = {"feature_map": "linear", "n_repeats": 4, "bond_dim": 16}

TASKS = (
    Task("large table, Bernstein map", 5000, 32, 5, MPSClassifier, BERNSTEIN),
    Task("large table, linear map", 5000, 32, 5, MPSClassifier, LINEAR),
    Task("small table, Bernstein map", 676, 18, 20, MPSClassifier, BERNSTEIN),
    Task("small table, linear map", 676, 18, 20, MPSClassifier, LINEAR),
    Task("large table, tree", 5000, 32, 2, TTNClassifier, BERNSTEIN),
)
"""What is trained: chains with the maps of the recipe for tables, in batches of 208 and of 28."""


def measure_kernels(tasks: Sequence[Task] = TASKS, quick: bool = False) -> list[dict]:
    """Time the training with each kernel that this computer has, one after the other, in rounds.

    Parameters
    ----------
    tasks : sequence of Task
        What to train.
    quick : bool
        Whether to train for one epoch only, once.

    Returns
    -------
    list of dict
        For each task and kernel: ``task``, ``samples``, ``features``, ``classifier``,
        ``batch_size``, ``kernel``, ``seconds`` (processor time of 100 epochs, on one core),
        ``operations_per_second`` (multiplications and additions of the contraction and of its
        gradients, over the time of the whole training) and ``ratio``, NumPy's seconds over these.
    """
    rows = []
    names = kernel.available()
    for task in progress_over(tasks, "kernels", "task"):
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(1 if quick else ROUNDS):
            for name in names:
                with kernel.chosen(name), threadpool_limits(1):
                    model, spent = _train(task, 1 if quick else task.epochs)
                seconds[name].append(spent)
        medians = {name: float(np.median(spent)) for name, spent in seconds.items()}
        # Forward, each entry of a tensor is multiplied and added once a sample, backward twice.
        operations = 6 * _entries(model) * task.samples * FULL_EPOCHS
        rows += [
            {
                "task": task.name,
                "samples": task.samples,
                "features": task.features,
                "classifier": task.kind.__name__,
                "batch_size": model._chosen_batch_size(task.samples),
                "kernel": name,
                "seconds": median,
                "operations_per_second": operations / median,
                "ratio": medians["numpy"] / median,
            }
            for name, median in medians.items()
        ]
    return rows


def _train(task: Task, epochs: int) -> tuple[Any, float]:
    """Train once; return the classifier and the processor time of `FULL_EPOCHS` epochs."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((task.samples, task.features))
    y = (X @ rng.standard_normal((task.features, 4))).argmax(axis=1)
    model = task.kind(**task.parameters, input_noise=0.03, random_state=0, epochs=epochs)
    started = time.process_time()
    model.fit(X, y)
    return model, (time.process_time() - started) / epochs * FULL_EPOCHS


def _entries(model: Any) -> int:
    """Count the entries of all tensors of a classifier."""
    tensors = model.tensors_ if hasattr(model, "tensors_") else [*model.cores_, model.label_tensor_]
    return sum(tensor.size for tensor in tensors)
