"""The figure of ``tensorspin feasibility``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .figures import pyplot, save_figure

if TYPE_CHECKING:
    from ..feasibility.barriers.report import FeasibilityReport


def feasibility_figure(path: str | Path, report: FeasibilityReport) -> None:
    """Draw the distribution of answers' times with the deadline, and areas against shots.

    Without labels of both kinds, the share of changed decisions takes the place of areas.

    Parameters
    ----------
    path : str or Path
        File to draw into; its suffix names the format.
    report : FeasibilityReport
        The report.
    """
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    figure.suptitle(f"Feasibility: {report.verdict.answer} ({report.verdict.barrier} decides)")
    _draw_times(left, report)
    _draw_areas(right, report)
    save_figure(path, figure)
    plt.close(figure)


def _draw_times(axes, report: FeasibilityReport) -> None:
    barrier = report.barriers["latency"]
    for name, curve in barrier.curves.items():
        label = f"processor, {name} ({curve['kind']})"
        axes.step(curve["seconds"], curve["share"], where="post", label=label)
    for name, figure in barrier.rows.items():
        if name in ("microcontroller", "host") or (name.startswith("board") and "whole" in name):
            if figure.value:
                label = f"{name} ({figure.kind})"
                axes.plot([figure.value], [1.0], marker="v", linestyle="", label=label)
    axes.axvline(report.deadline, color="crimson", linestyle="--", label="deadline")
    axes.set(
        xscale="log",
        ylim=(0, 1.05),
        xlabel="seconds from sample to answer",
        ylabel="share of answers that are there",
    )
    axes.legend(fontsize=8, loc="center left")


def _draw_areas(axes, report: FeasibilityReport) -> None:
    """Draw areas, or shares of changed decisions where there are no areas."""
    barrier = report.barriers["noise"]
    curves = barrier.curves
    labelled = any(curve["exact"] is not None for curve in curves.values())
    for name, curve in curves.items():
        values = curve["area" if labelled else "changed"]
        label = f"{name} ({curve['kind']})"
        shown = [(x, y) for x, y in zip(curve["shots"], values) if y is not None]
        if shown:
            axes.plot(*zip(*shown), marker="o", label=label)
    axes.set(
        xlabel="shots of a sample",
        ylabel="area under the ROC curve" if labelled else "share of decisions that change",
    )
    if not curves:
        axes.text(0.5, 0.5, barrier.words, ha="center", transform=axes.transAxes)
        return
    if labelled:
        exact = next(iter(curves.values()))["exact"]
        axes.axhline(exact, color="black", linewidth=0.8, label="exact")
    axes.set_xscale("log")
    axes.legend(fontsize=8)
