"""Train an `MPSClassifier`."""

from __future__ import annotations

import sys
import time
from importlib.metadata import version

import protocol

from tensorspin.models import MPSClassifier


def main() -> None:
    """Train and answer."""
    task = protocol.begin()
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
    # All epochs are alike; an estimator does not tell when one ends.
    epochs = [seconds / task.epochs] * task.epochs
    scores = classifier.scores(X_test)
    protocol.finish(sys.argv[2], epochs, scores, y_test, {"tensorspin": version("tensorspin")})


if __name__ == "__main__":
    main()
