"""Which aims the results meet: each rule is one plain statement."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .fitting import SPEED_SHAPE
from .results import (
    BEST,
    difference,
    find,
    mean_over,
    mean_ranks,
    mean_score,
    models_of,
    to_best_rival,
)

FEW_SAMPLES = 500
"""Sets of fewer samples are too small for differences of single points to be told from chance."""

LARGEST_GAP = 0.02
"""Most that a model may be below the best of the others on any set."""

LARGEST_LOSS = {8: 0.005, 4: 0.01}
"""Most that weights of so many bits may lose against floating point."""

LOST_SAMPLES = {8: 2, 4: 0}
"""Held-out samples that may be lost on a set, even if they are more than `LARGEST_LOSS`."""

LEAST_SIZE = {8: 0, 4: FEW_SAMPLES}
"""Samples from which on a set counts for the loss by weights of so many bits."""

LEAST_ACCURACY = {"phoneme": 0.87, "vehicle": 0.80, "user-knowledge": 0.94}
"""Aims for single sets on which the defaults once lost badly."""

MOST_SECONDS = 20
"""Longest training, in seconds, on a set of `SPEED_SHAPE`."""

LEAST_R2 = {"quadratic": 0.98, "friedman1": 0.93, "diabetes": 0.38}
"""Aims for the regressions, near what their noise allows."""

_ROUNDING = 1e-9
"""Differences of means below this are rounding errors."""


@dataclass(frozen=True)
class Verdict:
    """Whether a model meets one aim.

    Parameters
    ----------
    model : str
        The model.
    aim : str
        What it is to reach.
    met : bool
        Whether it does.
    detail : str
        The figures behind it; the sets on which it does not.
    """

    model: str
    aim: str
    met: bool
    detail: str


def verdicts(sets: Sequence[dict]) -> list[Verdict]:
    """Judge each model of Tensorspin, and the best of them, by each aim.

    Parameters
    ----------
    sets : sequence of dict
        Sets with classes of a report.

    Returns
    -------
    list of Verdict
        Aims for which nothing was measured are left out.
    """
    found: list[Verdict] = []
    for model in [BEST, *models_of(sets, own=True)]:
        judged = [_rank(sets, model), _gap(sets, model), *_single(sets, model, LEAST_ACCURACY)]
        judged += [_loss(sets, model, bits) for bits in LARGEST_LOSS]
        found += [verdict for verdict in judged if verdict is not None]
    return found


def speed_verdicts(rows: Sequence[dict]) -> list[Verdict]:
    """Judge how long each classifier of Tensorspin trains.

    Parameters
    ----------
    rows : sequence of dict
        ``model`` and ``seconds`` of each.

    Returns
    -------
    list of Verdict
        One for each row.
    """
    samples, features = SPEED_SHAPE
    aim = f"at most {MOST_SECONDS} s of training for {samples:,} x {features} on one core"
    found = []
    for row in rows:
        seconds = row["seconds"]
        met = seconds is not None and seconds <= MOST_SECONDS
        found.append(
            Verdict(row["model"], aim, met, "failed" if seconds is None else f"{seconds:.3g} s")
        )
    return found


def number_verdicts(sets: Sequence[dict]) -> list[Verdict]:
    """Judge each regressor of Tensorspin on the regressions that have an aim.

    Parameters
    ----------
    sets : sequence of dict
        Sets with numbers to predict of a report.

    Returns
    -------
    list of Verdict
        One for each regressor and regression.
    """
    return [
        verdict for model in models_of(sets, own=True) for verdict in _single(sets, model, LEAST_R2)
    ]


def outlier_verdicts(sets: Sequence[dict], far: Sequence[dict]) -> list[Verdict]:
    """Judge each detector of Tensorspin.

    Parameters
    ----------
    sets : sequence of dict
        Sets with outliers of a report.
    far : sequence of dict
        What detectors make of samples far from all others: ``model``, ``features``, ``flagged``.

    Returns
    -------
    list of Verdict
        One or two for each detector.
    """
    found = []
    for model in models_of(sets, own=True):
        names = [*models_of(sets, own=False), model]
        means = {name: _mean(sets, name) for name in names}
        known = {name: mean for name, mean in means.items() if mean is not None}
        if model in known:
            shown = ", ".join(f"{name} {100 * mean:.1f}" for name, mean in known.items())
            best = max(known.values())
            aim = "mean area under the ROC curve at least that of each of the others"
            found.append(
                Verdict(
                    model,
                    aim,
                    known[model] >= best - _ROUNDING,
                    f"{shown} over {len(sets)} tasks",
                )
            )
        rows = [row for row in far if row["model"] == model]
        if rows:
            shown = ", ".join(f"{row['flagged']:.0%} of {row['features']} features" for row in rows)
            flagged = all(row["flagged"] == 1 for row in rows)
            found.append(Verdict(model, "six standard deviations are flagged", flagged, shown))
    return found


def _mean(sets: Sequence[dict], model: str) -> float | None:
    """Return the mean score of a model over all sets; None if it failed on any."""
    rows = [find(data, model) for data in sets]
    scores = [None if row is None else mean_score(row) for row in rows]
    return None if None in scores else mean_over(scores)


def _rank(sets: Sequence[dict], model: str) -> Verdict | None:
    ranks = mean_ranks(sets, model)
    if not ranks:
        return None
    place = 1 + sum(rank < ranks[model] - _ROUNDING for rank in ranks.values())
    shown = ", ".join(
        f"{name} {rank:.2f}" for name, rank in sorted(ranks.items(), key=lambda item: item[1])
    )
    return Verdict(model, "first or second in mean rank", place <= 2, f"place {place}: {shown}")


def _gap(sets: Sequence[dict], model: str) -> Verdict | None:
    return _over_sets(
        sets,
        model,
        f"on no set more than {100 * LARGEST_GAP:g} points below the best of the others, or one "
        f"standard error where a set has under {FEW_SAMPLES} samples",
        _gap_on,
    )


def _gap_on(data: dict, model: str) -> tuple[bool, str] | None:
    found = to_best_rival(data, model)
    if found is None:
        return None
    error = found.error or 0.0
    small = data["samples"] < FEW_SAMPLES
    limit = max(LARGEST_GAP, error) if small else LARGEST_GAP
    shown = f"{100 * found.mean:+.1f} ± {100 * error:.1f}"
    return found.mean >= -limit - _ROUNDING, shown


def _single(sets: Sequence[dict], model: str, leasts: Mapping[str, float]) -> list[Verdict]:
    """Judge a model on the sets for which there are aims of their own, by the sets' names."""
    result = []
    for data in sets:
        least = leasts.get(data["name"])
        row = find(data, model)
        score = None if row is None else mean_score(row)
        if least is not None and score is not None:
            aim = f"at least {100 * least:g} % on {data['name']}"
            result.append(Verdict(model, aim, score >= least - _ROUNDING, f"{100 * score:.1f} %"))
    return result


def _loss(sets: Sequence[dict], model: str, bits: int) -> Verdict | None:
    most = f"{100 * LARGEST_LOSS[bits]:g}"
    aim = f"{bits}-bit weights within {most} point{'' if most == '1' else 's'} of floats"
    if LOST_SAMPLES[bits]:
        aim += f" or {LOST_SAMPLES[bits]} held-out samples, on each set"
    else:
        aim += f", on each set of {LEAST_SIZE[bits]} samples or more"

    def on_set(data: dict, model: str) -> tuple[bool, str] | None:
        found = difference(find(data, model, bits), find(data, model))
        if found is None or data["samples"] < LEAST_SIZE[bits]:
            return None
        limit = max(LARGEST_LOSS[bits], LOST_SAMPLES[bits] / data["testing"])
        return found.mean >= -limit - _ROUNDING, f"{100 * found.mean:+.2f}"

    return _over_sets(sets, model, aim, on_set)


def _over_sets(
    sets: Sequence[dict],
    model: str,
    aim: str,
    on_set: Callable[[dict, str], tuple[bool, str] | None],
) -> Verdict | None:
    """Judge an aim that counts on each set; the detail names the sets that miss it."""
    judged = {data["name"]: on_set(data, model) for data in sets}
    known = {name: found for name, found in judged.items() if found is not None}
    if not known:
        return None
    missed = {name: shown for name, (met, shown) in known.items() if not met}
    detail = f"{len(known) - len(missed)} of {len(known)} sets"
    if missed:
        detail += "; not on " + ", ".join(f"{name} ({shown})" for name, shown in missed.items())
    failed = [
        data["name"]
        for data in sets
        if (row := find(data, model)) is not None and mean_score(row) is None
    ]
    if failed:
        detail += f"; failed on {', '.join(failed)}"
    return Verdict(model, aim, not missed and not failed, detail)
