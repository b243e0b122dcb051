"""Write the report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from ..common.markdown import NONE, machine_line, table
from .results import (
    BEST,
    Difference,
    best_own,
    best_rival,
    bits_of,
    expected_calibration_error,
    find,
    mean_gap,
    mean_over,
    mean_ranks,
    mean_score,
    models_of,
    seconds_of,
    to_best_rival,
)
from .sets import CLASSES, NUMBERS, OUTLIERS
from .verdicts import Verdict, number_verdicts, outlier_verdicts, speed_verdicts, verdicts


def markdown(report: dict) -> str:
    """Write all tables of a report.

    Parameters
    ----------
    report : dict
        The report that `run.measure` returned, complete or not.

    Returns
    -------
    str
        The report in Markdown.
    """
    lines = ["# Benchmark on tables", "", machine_line(report["machine"]), ""]
    lines += [
        f"{report['splits']} seeded splits of each set, 80 % to train on and 20 % held out, at "
        f"most {report['most_training']:,} and {report['most_testing']:,} samples; classes keep "
        "their shares. All models train on one core, with the same parameters on every set. "
        f"Quantised networks run on {report['board']}.",
    ]
    if report["quick"]:
        lines += ["", "**Quick run**: fewer splits and samples than by default."]
    for found in report["skipped"]:
        lines += ["", f"{found['name']} is left out: {found['reason']}"]
    classes = [data for data in report["sets"] if data["target"] == CLASSES and data["rows"]]
    numbers = [data for data in report["sets"] if data["target"] == NUMBERS and data["rows"]]
    outliers = [data for data in report["sets"] if data["target"] == OUTLIERS and data["rows"]]
    if classes:
        lines += ["", "## Aims", "", *_aims(classes, report["speed"])]
        lines += ["", "## Ranks", "", *_ranks(classes)]
        lines += ["", "## Accuracy in %", "", *_scores(classes)]
        lines += ["", "## Difference to the best of the others, in points", ""]
        lines += _differences(classes)
        lines += ["", "## Expected calibration error in %", "", *_calibration(classes)]
        lines += ["", "## Seconds of training", "", *_seconds(classes)]
    if numbers:
        lines += ["", "## Numbers to predict: R2 in %", ""]
        lines += [*_verdict_table(number_verdicts(numbers)), "", *_scores(numbers)]
        lines += ["", *_differences(numbers), "", "Seconds of training:", "", *_seconds(numbers)]
    if outliers:
        lines += ["", "## Outliers: area under the ROC curve in %", ""]
        lines += [
            "The most frequent class of each set is normal and alone trained on, all others are "
            "outliers.",
            "",
        ]
        lines += _verdict_table(outlier_verdicts(outliers, report["far"]))
        lines += ["", *_scores(outliers)]
        lines += ["", "Seconds of training:", "", *_seconds(outliers)]
    failures = [
        f"{data['name']}: {row['model']} failed: {failure}"
        for data in report["sets"]
        for row in data["rows"]
        for failure in dict.fromkeys(row["failures"])
    ]
    if failures:
        lines += ["", "## Failures", "", *(f"- {failure}" for failure in failures)]
    return "\n".join(lines) + "\n"


def variant(model: str, bits: int | None) -> str:
    """Name a model and the number of bits of its weights."""
    return model if bits is None else f"{model}, {bits}-bit"


def _aims(sets: Sequence[dict], speed: Sequence[dict]) -> list[str]:
    found = [*verdicts(sets), *speed_verdicts(speed)]
    if not found:
        return ["Tensorspin's models were not measured."]
    lines = [
        f'"{BEST}" is, on each set, the model of Tensorspin that has the greatest accuracy there '
        "in floating point.",
        "",
    ]
    return [*lines, *_verdict_table(found)]


def _verdict_table(found: Sequence[Verdict]) -> list[str]:
    if not found:
        return ["No model of Tensorspin was measured on a set with an aim."]
    # The first column of a table is text, and so are all of this one.
    rows = [
        (item.model, item.aim, "met" if item.met else "**not met**", item.detail) for item in found
    ]
    body = table(("model", "aim", "", "figures"), rows)
    body[1] = "|---|---|---|---|"
    return body


def _ranks(sets: Sequence[dict]) -> list[str]:
    ours = models_of(sets, own=True)
    rivals = models_of(sets, own=False)
    candidates = [BEST, *ours] if ours else []
    ranks = {model: mean_ranks(sets, model) for model in candidates}
    header = ("model", "mean accuracy, %", "mean gap to the best of the others", *_beside(ranks))
    rows = []
    for model in [*rivals, *candidates]:
        means = [None if row is None else mean_score(row) for row in _rows(sets, model)]
        gap = mean_gap(sets, model)
        cells = [_percent(mean_over(means), 2), NONE if gap is None else f"{100 * gap:+.2f}"]
        for candidate in ranks:
            rank = ranks[candidate].get(model)
            cells.append(NONE if rank is None else f"{rank:.2f}")
        rows.append((model, *cells))
    return table(header, rows)


def _beside(ranks: dict) -> list[str]:
    return [f"mean rank beside {model}" for model in ranks]


def _rows(sets: Sequence[dict], model: str) -> list[dict | None]:
    return [find(data, model) for data in sets]


def _scores(sets: Sequence[dict]) -> list[str]:
    rivals, ours = models_of(sets, own=False), models_of(sets, own=True)
    columns: list[tuple[str, int | None]] = [(model, None) for model in rivals]
    columns += [(model, bits) for model in ours for bits in (None, *bits_of(sets))]
    columns = [
        column for column in columns if any(find(data, *column) is not None for data in sets)
    ]
    header = ("set", "samples", "features", *(variant(*column) for column in columns))
    rows = []
    for data in sets:
        cells = [f"{data['samples']:,}", f"{data['features']}"]
        best = {best_rival(data), best_own(data)}
        for model, bits in columns:
            row = find(data, model, bits)
            score = None if row is None else mean_score(row)
            text = _percent(score)
            if row is not None and score is None:
                text = "failed"
            cells.append(f"**{text}**" if model in best and bits is None else text)
        rows.append((data["name"], *cells))
    means = []
    for column in columns:
        scores = [
            None if (row := find(data, *column)) is None else mean_score(row) for data in sets
        ]
        means.append(NONE if None in scores else _percent(mean_over(scores)))
    rows.append(("mean", NONE, NONE, *means))
    return [
        *table(header, rows),
        "",
        "The best of the others and the best of Tensorspin's in floating point are set in bold.",
    ]


def _differences(sets: Sequence[dict]) -> list[str]:
    ours = models_of(sets, own=True)
    if not ours:
        return ["Tensorspin's models were not measured."]
    columns: list[tuple[str, int | None]] = [
        (model, bits) for model in [BEST, *ours] for bits in (None, *bits_of(sets))
    ]
    columns = [
        column for column in columns if any(find(data, *column) is not None for data in sets)
    ]
    header = ("set", "best of the others", *(variant(*column) for column in columns))
    rows = [
        (
            data["name"],
            best_rival(data) or NONE,
            *(_signed(to_best_rival(data, *column)) for column in columns),
        )
        for data in sets
    ]
    return [
        *table(header, rows),
        "",
        "Mean of the paired differences over the splits, with its standard error.",
    ]


def _calibration(sets: Sequence[dict]) -> list[str]:
    columns: list[tuple[str, int | None]] = [(model, None) for model in models_of(sets, own=False)]
    columns += [
        (model, bits) for model in models_of(sets, own=True) for bits in (None, *bits_of(sets))
    ]
    columns = [
        column
        for column in columns
        if any(expected_calibration_error(data, *column) is not None for data in sets)
    ]
    errors = {
        column: [expected_calibration_error(data, *column) for data in sets] for column in columns
    }
    rows = [
        (data["name"], *(_percent(errors[column][place]) for column in columns))
        for place, data in enumerate(sets)
    ]
    rows.append(("mean", *(_percent(mean_over(errors[column])) for column in columns)))
    return [
        *table(("set", *(variant(*column) for column in columns)), rows),
        "",
        "Held-out samples of all splits together, in 15 bins of confidence; small sets have "
        "several points by chance alone. Support vector machines give no probabilities.",
    ]


def _seconds(sets: Sequence[dict]) -> list[str]:
    columns: list[tuple[str, int | None]] = [(model, None) for model in models_of(sets, own=False)]
    columns += [
        (model, bits) for model in models_of(sets, own=True) for bits in (None, *bits_of(sets))
    ]
    columns = [
        column for column in columns if any(seconds_of(data, *column) is not None for data in sets)
    ]
    rows = []
    for data in sets:
        times = (seconds_of(data, *column) for column in columns)
        cells = (NONE if seconds is None else f"{seconds:.2g}" for seconds in times)
        rows.append((data["name"], f"{data['training']:,}", *cells))
    header = ("set", "trained on", *(variant(*column) for column in columns))
    return [*table(header, rows), "", "Processor time, medians over the splits."]


def _percent(value: float | None, digits: int = 1) -> str:
    return NONE if value is None else f"{100 * value:.{digits}f}"


def _signed(found: Difference | None) -> str:
    if found is None:
        return NONE
    error = "" if found.error is None else f" ± {100 * found.error:.1f}"
    return f"{100 * found.mean:+.1f}{error}"
