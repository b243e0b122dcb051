"""A small program for tests, and program files that were edited by hand."""

from __future__ import annotations

import json

import numpy as np

from tensorspin.compiler.network_program import NetworkProgram
from tensorspin.compiler.outputs import Classification
from tensorspin.contract.contractor.program import Node, Operand, OperandKind


def small_program(**changes) -> NetworkProgram:
    """Three nodes over four features; `changes` replace attributes."""

    def feature(index):
        return Operand(OperandKind.FEATURE, index, 2)

    def vector(slot):
        return Operand(OperandKind.VECTOR, slot, 3)

    rng = np.random.default_rng(1)
    attributes = {
        "nodes": (
            Node(feature(0), feature(1), 3, 0, False, False),
            Node(feature(3), feature(2), 3, 1, False, False),
            Node(vector(0), vector(1), 2, 0, True, True),
        ),
        "weights": tuple(
            rng.integers(-128, 128, size=shape).astype(np.int8)
            for shape in ((3, 2, 2), (3, 2, 2), (2, 3, 3))
        ),
        "names": ("sites 0 and 1", "sites 3 and 2", "label"),
        "table": rng.integers(-32768, 32768, size=(2, 256)).astype(np.int16),
        "feature_minimum": np.zeros(4),
        "feature_maximum": np.full(4, 10.0),
        "clip": False,
        "task": Classification(np.array(["cat", "dog"]), 5.0),
        "log2_scale": -3.5,
    }
    return NetworkProgram(**{**attributes, **changes})


def edited(path, change):
    """Rewrite a program file by hand."""
    with np.load(path) as archive:
        arrays = dict(archive)
    metadata = json.loads(str(arrays["metadata"]))
    change(metadata, arrays)
    arrays["metadata"] = np.array(json.dumps(metadata))
    np.savez(path, **arrays)
