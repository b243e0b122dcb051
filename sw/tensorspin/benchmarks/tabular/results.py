"""Means, paired differences and ranks, from the rows of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from .fitting import calibration_error
from .sets import CLASSES, NUMBERS, OUTLIERS

SCORES = {CLASSES: "accuracy", NUMBERS: "R2", OUTLIERS: "area under the ROC curve"}
"""Names of the scores by kind of target."""

BEST = "best of ours"
"""Name of what stands for Tensorspin where one model counts: on each set that of its models, in
floating point, which has the greatest mean there."""


@dataclass(frozen=True)
class Difference:
    """How much better one model is than another on the same splits.

    Parameters
    ----------
    mean : float
        Mean difference of their scores.
    error : float or None
        Standard error of that mean; None with a single split.
    """

    mean: float
    error: float | None


def mean_score(row: dict) -> float | None:
    """Return the mean score of a row, 0 to 1; None if it failed on any split."""
    scores = row["scores"]
    return None if not scores or None in scores else float(np.mean(scores))


def find(data: dict, model: str, bits: int | None = None) -> dict | None:
    """Return the row of a model with weights of `bits` bits (None: floats) on a set.

    `BEST` stands for the best model of Tensorspin on that set.
    """
    if model == BEST:
        own = best_own(data)
        return None if own is None else find(data, own, bits)
    rows = (row for row in data["rows"] if (row["model"], row["bits"]) == (model, bits))
    return next(rows, None)


def best_own(data: dict) -> str | None:
    """Name the model of Tensorspin that is best on a set in floating point."""
    return _best(data, own=True)


def best_rival(data: dict) -> str | None:
    """Name the other model that is best on a set."""
    return _best(data, own=False)


def _best(data: dict, own: bool) -> str | None:
    scores = {
        row["model"]: mean_score(row)
        for row in data["rows"]
        if row["own"] == own and row["bits"] is None
    }
    scores = {name: score for name, score in scores.items() if score is not None}
    return max(scores, key=lambda name: scores[name] or 0.0) if scores else None


def difference(row: dict | None, other: dict | None) -> Difference | None:
    """Compute the paired difference of two rows; None if one is missing or failed."""
    if row is None or other is None or mean_score(row) is None or mean_score(other) is None:
        return None
    pairs = np.subtract(row["scores"], other["scores"])
    error = float(pairs.std(ddof=1) / np.sqrt(len(pairs))) if len(pairs) > 1 else None
    return Difference(float(pairs.mean()), error)


def to_best_rival(data: dict, model: str, bits: int | None = None) -> Difference | None:
    """Compute how much better a model is than the best of the others on a set."""
    best = best_rival(data)
    return None if best is None else difference(find(data, model, bits), find(data, best))


def models_of(sets: Sequence[dict], own: bool) -> list[str]:
    """List the models, Tensorspin's or the others, in the order of their first use."""
    return list(
        dict.fromkeys(row["model"] for data in sets for row in data["rows"] if row["own"] == own)
    )


def bits_of(sets: Sequence[dict]) -> list[int]:
    """List the widths of weights that were measured beside floating point."""
    return list(
        dict.fromkeys(
            row["bits"] for data in sets for row in data["rows"] if row["bits"] is not None
        )
    )


def mean_ranks(sets: Sequence[dict], model: str) -> dict[str, float]:
    """Compute mean ranks of the others and of one model of Tensorspin, side by side.

    Parameters
    ----------
    sets : sequence of dict
        Sets of a report.
    model : str
        A model of Tensorspin, or `BEST`.

    Returns
    -------
    dict of str to float
        Mean rank of each by name, 1 for the best; equal scores share the mean of their ranks. Sets
        on which one of them has no score are left out; without any set the dict is empty.
    """
    names = [*models_of(sets, own=False), model]
    ranks = []
    for data in sets:
        rows = [find(data, name) for name in names]
        scores = [None if row is None else mean_score(row) for row in rows]
        if None not in scores:
            ranks.append(rankdata(-np.array(scores, dtype=float)))
    return dict(zip(names, np.mean(ranks, axis=0).tolist())) if ranks else {}


def mean_gap(sets: Sequence[dict], model: str) -> float | None:
    """Compute the mean difference of a model to the best of the others on each set.

    For one of the others it is the difference to the best of all of them, itself among them.
    """
    gaps = [to_best_rival(data, model) for data in sets]
    known = [gap.mean for gap in gaps if gap is not None]
    return float(np.mean(known)) if known else None


def expected_calibration_error(data: dict, model: str, bits: int | None = None) -> float | None:
    """Compute the calibration error of a model over all splits of a set, 0 to 1."""
    row = find(data, model, bits)
    if row is None or row["calibration"] is None:
        return None
    return calibration_error(np.array(row["calibration"]))


def mean_over(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known; None if there are none."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def seconds_of(data: dict, model: str, bits: int | None = None) -> float | None:
    """Return the median of a model's seconds of training; None if nothing was trained."""
    row = find(data, model, bits)
    seconds = [] if row is None else [value for value in row["seconds"] if value is not None]
    return float(np.median(seconds)) if seconds else None


def set_lines(data: dict) -> list[str]:
    """Tell the results on one set in a line, and failures in further ones."""
    what = SCORES[data["target"]]
    cells = []
    for row in data["rows"]:
        score = mean_score(row)
        bits = "" if row["bits"] is None else f" {row['bits']}-bit"
        cells.append(f"{row['model']}{bits} {'failed' if score is None else f'{100 * score:.1f}'}")
    lines = [f"{data['name']}: {what} in %: {', '.join(cells)}"]
    for row in data["rows"]:
        for failure in dict.fromkeys(row["failures"]):
            lines.append(f"{data['name']}: {row['model']} failed: {failure}")
    return lines
