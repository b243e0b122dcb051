"""All rows of a data set: boards, this computer, microcontrollers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ....compiler import NetworkProgram
from ...common.timing import timed
from ..host import measure_host
from .boards import model_boards
from .compiled import Unavailable, measure_bits, measure_float
from .counted import read_counted
from .exchanged import onnx_call

SAMPLES = 64
"""Samples, one after the other, of which times of compiled code are means."""


def measure_rows(
    name: str,
    programs: Mapping[str, NetworkProgram],
    estimators: Mapping[str, Any],
    X: np.ndarray,
    host: Iterable[dict] | None = None,
    counted: Path | None = None,
) -> list[dict]:
    """Put one sample's latency on boards, this computer and microcontrollers side by side.

    Parameters
    ----------
    name : str
        Name of the data set.
    programs : mapping of str to NetworkProgram
        Programs by the names of their networks.
    estimators : mapping of str to estimator
        Fitted classifiers of this computer by their names.
    X : ndarray of float64 of shape (n_samples, n_features)
        Held-out samples.
    host : iterable of dict, optional
        What `measure_host` has returned of the estimators; it is measured if it is not given.
    counted : Path, optional
        A report of ``make bench-mcu``.

    Returns
    -------
    list of dict
        Rows with ``kind``, ``model``, ``who``, ``seconds`` and ``known``: whether they are
        modelled, simulated, measured, or estimated from instructions that were counted. Those of
        boards are described at `model_boards`. A row that could not be measured has ``missing``.
    """
    rows = [row for title, program in programs.items() for row in model_boards(title, program)]
    for title, program in programs.items():
        rows += _compiled(title, program, program.levels(X[:SAMPLES]))
    for row in measure_host(name, estimators, X) if host is None else host:
        rows.append(
            {
                "kind": "host",
                "model": row["classifier"],
                "who": "predict in Python",
                "seconds": row["latency"]["median"],
                "samples_per_second": row["samples_per_second"],
                "known": "measured",
            }
        )
    single = X[:1].astype(np.float32)
    for title, estimator in estimators.items():
        call = onnx_call(estimator, X)
        if call is None:
            continue
        batch = X.astype(np.float32)
        rows.append(
            {
                "kind": "host",
                "model": title,
                "who": "ONNX Runtime",
                "seconds": timed(lambda: call(single), 200)["median"],  # noqa: B023
                "samples_per_second": len(X) / timed(lambda: call(batch), 7, 1)["median"],  # noqa: B023
                "known": "measured",
            }
        )
    return rows + (read_counted(counted, name) if counted else [])


def _compiled(title: str, program: NetworkProgram, levels: np.ndarray) -> list[dict]:
    """Measure the contraction in C, in both forms."""
    rows = []
    for who, measure in (("C, the bits of a board", measure_bits), ("C, float32", measure_float)):
        row: dict = {"kind": "compiled", "model": title, "who": who, "known": "measured"}
        try:
            found = measure(program, levels)
        except Unavailable as error:
            rows.append(row | {"seconds": None, "missing": str(error)})
            continue
        pace = {"seconds": found.seconds, "samples_per_second": 1 / found.seconds}
        rows.append(row | pace | {"agreement": found.agreement})
    return rows
