"""What the scripts are told and what they answer."""

from __future__ import annotations

import json
import os
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Task:
    """One training run.

    Attributes
    ----------
    data : str
        ``.npz`` file with ``X_train, y_train, X_test, y_test``: features scaled to 0..1 as float32,
        classes as indices from 0. The training samples are a multiple of `batch_size`, so that no
        library compiles for a second size.
    bond_dim, epochs, batch_size, seed : int
    """

    data: str
    bond_dim: int
    epochs: int
    batch_size: int
    seed: int

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Features and classes to train on, and those held out."""
        with np.load(self.data, allow_pickle=False) as archive:
            return tuple(archive[name] for name in ("X_train", "y_train", "X_test", "y_test"))


def begin() -> Task:
    """The task of this process, which stays on one core from now on."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return Task(**json.loads(sys.argv[1]))


def finish(
    output: str, epoch_seconds: list[float], scores: np.ndarray, y: np.ndarray, versions: dict
) -> None:
    """Write the answer.

    Parameters
    ----------
    output : str
        File.
    epoch_seconds : list of float
        Of each epoch. The first, in which a library may compile, is told apart from the others.
    scores : ndarray, shape (n, classes)
        Of the held-out samples.
    y : ndarray of int, shape (n,)
    versions : dict of str to str
    """
    later = epoch_seconds[1:] or epoch_seconds
    answer = {
        "first_epoch_seconds": epoch_seconds[0],
        "epoch_seconds": statistics.median(later),
        "epoch_range": [min(later), max(later)],
        "training_seconds": sum(epoch_seconds),
        "accuracy": float(np.mean(np.argmax(scores, axis=1) == y)),
        "versions": versions,
    }
    Path(output).write_text(json.dumps(answer))
