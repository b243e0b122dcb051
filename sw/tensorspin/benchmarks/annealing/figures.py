"""The report as pictures; they need matplotlib (``pip install tensorspin[plot]``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..panels import MARKERS, grid, write_figures
from .tables import solver_title

_HOST_COLOURS = ("#7f7f7f", "#b0b0b0")
_STYLES = {"linear": "-", "geometric": ":"}


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw all pictures of a report.

    Parameters
    ----------
    report : dict
        As of `run.measure`.
    folder : Path
        Exists.

    Returns
    -------
    list of Path
        What was written.
    """
    makers = (("speed", _speed), ("gset", _gset))
    return write_figures(((name, make, report[name]) for name, make in makers), folder, "annealing")


def _speed(plt, found: list[dict]):
    """Mean value against the time of a read."""
    found = [item for item in found if "target" in item and item["best"]]
    if not found:
        return None
    figure, panels = grid(plt, len(found))
    for axes, item in zip(panels, found):
        hosts = iter(_HOST_COLOURS)
        solvers = [solver for solver in item["solvers"] if "runs" in solver]
        for place, solver in enumerate(solvers):
            board = solver["kind"] == "board"
            axes.plot(
                [run["read_seconds"] * 1e6 for run in solver["runs"]],
                [100 * run["mean"] / item["best"] for run in solver["runs"]],
                marker=MARKERS[place % len(MARKERS)],
                color=f"C{place}" if board else next(hosts),
                label=solver_title(solver),
            )
        axes.axhline(100 * item["target_share"], color="black", linewidth=0.6, linestyle="--")
        axes.set(
            xscale="log",
            xlabel="us a read",
            ylabel="mean, % of the best known",
            title=item["name"],
        )
        axes.legend(fontsize=8)
    return figure


def _gset(plt, found: list[dict]):
    """Mean cut against the time of a read, by schedule."""
    found = [row for row in found if "sweeps" in row]
    if not found:
        return None
    names = list(dict.fromkeys(row["name"] for row in found))
    boards = list(dict.fromkeys(row["board"] for row in found))
    figure, panels = grid(plt, len(names))
    for axes, name in zip(panels, names):
        for place, board in enumerate(boards):
            for schedule, style in _STYLES.items():
                rows = [
                    row
                    for row in found
                    if (row["name"], row["board"], row["schedule"]) == (name, board, schedule)
                ]
                if rows:
                    axes.errorbar(
                        [row["read_seconds"] * 1e3 for row in rows],
                        np.array([100 * row["mean"] for row in rows]),
                        yerr=[100 * row["standard_error"] for row in rows],
                        linestyle=style,
                        marker="o",
                        color=f"C{place}",
                        label=f"{board}, {schedule}",
                    )
        axes.set(
            xscale="log",
            xlabel="ms a read",
            ylabel="mean cut, % of the best known",
            title=name,
        )
        axes.legend(fontsize=8)
    return figure
