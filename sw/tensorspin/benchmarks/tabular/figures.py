"""Draw the report; pictures need matplotlib (``pip install '.[plot]'`` in the checkout)."""

from __future__ import annotations

from pathlib import Path

from ..common.panels import HOST_COLOURS, MARKERS, board_colours, write_figures
from .results import BEST, mean_ranks, models_of, to_best_rival
from .sets import CLASSES

_ROW_HEIGHT = 0.3
"""Height of a set's row in inches."""

_OTHERS = "best of the others"


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw the picture of a report.

    Parameters
    ----------
    report : dict
        The report that `run.measure` returned.
    folder : Path
        Existing folder to write to.

    Returns
    -------
    list of Path
        The file that was written; none if there are no sets with classes to show.
    """
    sets = [data for data in report["sets"] if data["target"] == CLASSES and data["rows"]]
    if not sets or not models_of(sets, own=True):
        return []
    return write_figures([("accuracy", _accuracy, sets)], folder, "tabular")


def _accuracy(plt, sets: list[dict]):
    """Draw differences to the best of the others on each set, and mean ranks."""
    ours = models_of(sets, own=True)
    colours = board_colours(ours)
    height = max(4.0, 1.8 + _ROW_HEIGHT * len(sets))
    figure, (gaps, ranks) = plt.subplots(
        1, 2, figsize=(13, height), layout="constrained", width_ratios=(1.7, 1)
    )
    for place, model in enumerate(ours):
        # The models of a set stand a little above each other, so that their bars can be told apart.
        shift = (place - (len(ours) - 1) / 2) * 0.6 / len(ours)
        shown = [(row, to_best_rival(data, model)) for row, data in enumerate(sets)]
        known = [(row + shift, found) for row, found in shown if found is not None]
        gaps.errorbar(
            [100 * found.mean for _, found in known],
            [row for row, _ in known],
            xerr=[100 * (found.error or 0.0) for _, found in known],
            fmt=MARKERS[place % len(MARKERS)],
            color=colours[model],
            markersize=5,
            capsize=2,
            label=model,
        )
    gaps.axvline(0, color="black", linewidth=0.8, label=_OTHERS)
    gaps.set_yticks(
        range(len(sets)),
        [f"{data['name']} ({data['samples']:,} x {data['features']})" for data in sets],
        fontsize=8,
    )
    gaps.set(
        ylim=(len(sets) - 0.5, -0.5),
        xlabel="accuracy less that of the best of the others, points (mean, standard error)",
    )
    gaps.grid(alpha=0.3)

    candidates = [BEST, *ours]
    found = mean_ranks(sets, BEST)
    means = {model: rank for model, rank in found.items() if model != BEST}
    means |= {model: mean_ranks(sets, model).get(model, 0.0) for model in candidates}
    order = sorted((model for model in means if means[model]), key=lambda model: means[model])
    bars = ranks.barh(
        range(len(order)),
        [means[model] for model in order],
        color=[
            colours.get(model, "black" if model == BEST else HOST_COLOURS[0]) for model in order
        ],
    )
    ranks.bar_label(bars, [f"{means[model]:.2f}" for model in order], padding=3, fontsize=8)
    ranks.set_yticks(range(len(order)), order, fontsize=8)
    ranks.set(
        ylim=(len(order) - 0.4, -0.6),
        xlim=(0, max([1.0, *means.values()]) * 1.15),
        xlabel=f"mean rank, 1 is best (others: beside {BEST})",
    )
    ranks.grid(axis="x", alpha=0.3)
    ranks.set_axisbelow(True)
    handles, labels = gaps.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    figure.suptitle("Tensorspin beside the usual classifiers, one set of parameters for all sets")
    return figure
