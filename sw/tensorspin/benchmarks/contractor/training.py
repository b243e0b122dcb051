"""Seconds per epoch, and accuracy, of training beside other libraries for tensor networks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ...compiler.scaling import scale_features
from ...data.datasets import Dataset
from ...data.errors import DataError
from ..common.scripts import run_peer
from ..peers.training import Task

PEERS = ("tensorkrowch", "tn4ml")
"""Other libraries, by the modules that they are imported as; each has a program ``train_NAME``."""

BOND_DIM = 16
"""Bond dimension of the network that all libraries train."""

EPOCHS = 30
"""Passes over the training samples, by default."""

LEAST_EPOCHS = 2
"""The first epoch, in which a library may compile, is reported apart: at least one must follow."""

LEAST_SAMPLES = 16
"""Smallest number of training samples, one for each batch of an epoch."""

LARGEST_BATCH = 64
"""Largest number of samples per update."""


def measure_training(
    name: str, data: Dataset, python: str | None = None, epochs: int = EPOCHS
) -> list[dict]:
    """Train the same network on the same samples with each library, on one core.

    Tensorspin trains before each of the others and after the last, so that whatever else loads the
    computer slows all libraries down alike.

    Parameters
    ----------
    name : str
        Name of the data set.
    data : Dataset
        The samples.
    python : str, optional
        Interpreter of the environment in which the other libraries are installed; by default this
        one.
    epochs : int
        Passes over the training samples, at least 2: the first is reported apart.

    Returns
    -------
    list of dict
        One row for each library: ``library``, ``data``, ``sites``, ``bond_dim``, ``epochs``,
        ``batch_size``, ``training_samples``, then the figures of
        `tensorspin.benchmarks.peers.training.finish`. The rows of other libraries have ``ratio``,
        their seconds per epoch divided by Tensorspin's. If a library could not be measured, its row
        has ``missing``, the reason, instead of all figures.

    Raises
    ------
    DataError
        If there are fewer than 16 samples to train on.
    ValueError
        If there are fewer than 2 epochs.
    """
    if epochs < LEAST_EPOCHS:
        raise ValueError(
            f"at least {LEAST_EPOCHS} epochs are compared, as the first is reported apart, not "
            f"{epochs}"
        )
    python = sys.executable if python is None else python
    with tempfile.TemporaryDirectory() as folder:
        task, described = _prepare(name, data, Path(folder), epochs)
        ours, theirs = [_run(sys.executable, "tensorspin", task)], []
        for peer in PEERS:
            theirs.append(_run_peer(python, peer, task))
            if "missing" not in theirs[-1]:
                ours.append(_run(sys.executable, "tensorspin", task))
    seconds = [answer["epoch_seconds"] for answer in ours]
    median = float(np.median(seconds))
    rows: list[dict[str, Any]] = [
        {
            "library": "tensorspin",
            **ours[0],
            "epoch_seconds": median,
            "epoch_range": [min(seconds), max(seconds)],
        }
    ]
    for peer, answer in zip(PEERS, theirs):
        if "missing" not in answer:
            answer["ratio"] = answer["epoch_seconds"] / median
        rows.append({"library": peer, **answer})
    return [described | row for row in rows]


def _prepare(name: str, data: Dataset, folder: Path, epochs: int) -> tuple[Task, dict]:
    """Write the samples to a file as all libraries take them, and describe the task."""
    batch_size = min(len(data.y_train) // LEAST_SAMPLES, LARGEST_BATCH)
    if batch_size < 1:
        raise DataError(
            f"{name}: training is compared on at least {LEAST_SAMPLES} samples, not "
            f"{len(data.y_train)}"
        )
    # Whole batches only: for a smaller last batch, libraries that compile would compile again.
    kept = len(data.y_train) // batch_size * batch_size
    if data.feature_range is None:
        low, high = data.X_train.min(axis=0), data.X_train.max(axis=0)
    else:
        low, high = (np.full(data.X_train.shape[1], limit) for limit in data.feature_range)
    classes = np.unique(data.y_train)
    # The libraries take classes as indices, which a class that was not trained on does not have.
    known = np.isin(data.y_test, classes)
    task = Task(
        data=str(folder / "data.npz"),
        bond_dim=BOND_DIM,
        epochs=epochs,
        batch_size=batch_size,
        seed=0,
    )
    np.savez(
        task.data,
        X_train=scale_features(data.X_train[:kept], low, high).astype(np.float32),
        y_train=np.searchsorted(classes, data.y_train[:kept]),
        X_test=scale_features(data.X_test[known], low, high).astype(np.float32),
        y_test=np.searchsorted(classes, data.y_test[known]),
    )
    described = {name: value for name, value in asdict(task).items() if name != "data"}
    described |= {"data": name, "sites": data.X_train.shape[1], "training_samples": kept}
    return task, described


def _run_peer(python: str, peer: str, task: Task) -> dict:
    """Train with another library; what goes wrong becomes the reason why it is missing."""
    try:
        found = subprocess.run(
            [python, "-c", f"import {peer}"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return {"missing": f"the interpreter can't be started: {error.strerror}"}
    if found.returncode != 0:
        reason = (found.stderr.strip().splitlines() or ["?"])[-1]
        return {"missing": f"not installed ({reason})"}
    try:
        return _run(python, peer, task)
    except subprocess.CalledProcessError as error:
        return {"missing": f"failed with status {error.returncode}, see its message"}


def _run(python: str, library: str, task: Task) -> dict:
    tqdm.write(f"training with {library}", file=sys.stderr)
    answer = Path(task.data).with_name("answer.json")
    return run_peer(python, f"train_{library}", task, answer)
