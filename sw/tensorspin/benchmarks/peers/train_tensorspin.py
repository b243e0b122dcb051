"""Train an `MPSClassifier` of Tensorspin."""

from __future__ import annotations

import time
from importlib.metadata import version

from tensorspin.models import MPSClassifier

from . import training


def main() -> None:
    """Train on the task with Tensorspin, and write the answer."""
    task = training.begin()
    X, y, X_test, y_test = task.arrays()
    classifier = MPSClassifier(
        bond_dim=task.bond_dim,
        feature_range=(0, 1),
        epochs=task.epochs,
        batch_size=task.batch_size,
        random_state=task.seed,
    )
    started = time.perf_counter()
    classifier.fit(X, y)
    seconds = time.perf_counter() - started
    # An estimator does not report when an epoch ends. All take the same time, as nothing is
    # compiled in the first.
    epochs = [seconds / task.epochs] * task.epochs
    scores = classifier.scores(X_test)
    training.finish(epochs, scores, y_test, {"tensorspin": version("tensorspin")})


if __name__ == "__main__":
    main()
