"""Columns, and a small model, for pipelines that are folded into programs."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import Pipeline

from tensorspin import (
    MPSClassifier,
)

GOLDEN = "golden://icebreaker"

X, y = load_breast_cancer(return_X_y=True)
X, y = X[:80, :6].copy(), y[:80]
X[:, 1] *= 1e3  # columns as different as float16 allows
X[:, 2] -= 900
X[:, 3] = 3.25
X.flags.writeable = False
TYPES = [np.float64, np.float32, np.float16]


def mps(**parameters):
    return MPSClassifier(2, epochs=1, random_state=0, **parameters)


def host_levels(pipeline, samples):
    """Return the levels that the last step's own program gives what the other steps return."""
    *steps, (_, model) = pipeline.steps
    if steps:
        samples = pipeline[:-1].transform(samples)
    if isinstance(model, Pipeline):
        return host_levels(model, samples)
    return program_alone(model).levels(np.asarray(samples))


@cache
def program_alone(model):
    return model.quantize()
