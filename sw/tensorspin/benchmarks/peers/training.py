"""A training run: its task, and the answer that all libraries give in the same form."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np

from . import process


@dataclass(frozen=True)
class Task:
    """One training run.

    Parameters
    ----------
    data : str
        Path of a ``.npz`` file with ``X_train, y_train, X_test, y_test``: features scaled to 0..1
        as float32, classes as indices from 0. The number of training samples is a multiple of
        `batch_size`, so that no library compiles its code a second time for a smaller last batch.
    bond_dim : int
        Bond dimension of the network.
    epochs : int
        Passes over the training samples.
    batch_size : int
        Samples per update.
    seed : int
        Seed of the random numbers.
    """

    data: str
    bond_dim: int
    epochs: int
    batch_size: int
    seed: int

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Read the samples.

        Returns
        -------
        X_train : ndarray of float32 of shape (n_train, n_features)
            Features to train on.
        y_train : ndarray of int64 of shape (n_train,)
            Their classes.
        X_test : ndarray of float32 of shape (n_test, n_features)
            Features of the held-out samples.
        y_test : ndarray of int64 of shape (n_test,)
            Their classes.
        """
        with np.load(self.data, allow_pickle=False) as archive:
            return archive["X_train"], archive["y_train"], archive["X_test"], archive["y_test"]


def begin() -> Task:
    """Keep this process on one core, and read its task."""
    return process.begin(Task)


def finish(epoch_seconds: list[float], scores: np.ndarray, y: np.ndarray, versions: dict) -> None:
    """Write the answer.

    Parameters
    ----------
    epoch_seconds : list of float
        Seconds that each epoch took. The first, in which a library may compile its code, is
        reported apart from the others.
    scores : ndarray of shape (n_test, n_classes)
        Scores of the held-out samples; the greatest decides the class.
    y : ndarray of int of shape (n_test,)
        True classes of the held-out samples.
    versions : dict of str to str
        Versions of the library and of what it computes with.
    """
    later = epoch_seconds[1:] or epoch_seconds
    process.answer(
        {
            "first_epoch_seconds": epoch_seconds[0],
            "epoch_seconds": statistics.median(later),
            "epoch_range": [min(later), max(later)],
            "training_seconds": sum(epoch_seconds),
            "accuracy": float(np.mean(np.argmax(scores, axis=1) == y)),
            "versions": versions,
        }
    )
