"""Draw the report; pictures need matplotlib (``pip install '.[plot]'`` in the checkout)."""

from __future__ import annotations

from itertools import cycle, product
from pathlib import Path

from ..common.panels import HOST_COLOURS, MARKERS, board_colours, grid, write_figures
from .tables import solver_title, way_title

_LINES = ("-", ":", "--", "-.")
"""Styles of lines, one for each way: a method with its schedule."""


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw all pictures of a report.

    Parameters
    ----------
    report : dict
        The report that `run.measure` returned.
    folder : Path
        Existing folder to write to.

    Returns
    -------
    list of Path
        The files that were written.
    """
    makers = (("speed", _speed), ("gset", _gset))
    return write_figures(((name, make, report[name]) for name, make in makers), folder, "annealing")


def _speed(plt, found: list[dict]):
    """Draw the mean value of the reads against the time of a read, a panel for each instance."""
    found = [item for item in found if "target" in item and item["best"]]
    if not found:
        return None
    figure, panels = grid(plt, len(found))
    colours = board_colours(
        solver["solver"]
        for item in found
        for solver in item["solvers"]
        if solver["kind"] == "board"
    )
    for axes, item in zip(panels, found):
        hosts = cycle(HOST_COLOURS)
        solvers = [solver for solver in item["solvers"] if "runs" in solver]
        for place, solver in enumerate(solvers):
            board = solver["kind"] == "board"
            runs = [run for run in solver["runs"] if run["read_seconds"] is not None]
            axes.plot(
                [run["read_seconds"] * 1e6 for run in runs],
                [100 * run["mean"] / item["best"] for run in runs],
                marker=MARKERS[place % len(MARKERS)],
                color=colours[solver["solver"]] if board else next(hosts),
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
    """Draw the cuts of each method against the time of a read, two panels for each graph."""
    found = [row for row in found if "sweeps" in row]
    if not found:
        return None
    names = list(dict.fromkeys(row["name"] for row in found))
    boards = list(dict.fromkeys(row["board"] for row in found))
    ways = list(dict.fromkeys(way_title(row) for row in found))
    colours = board_colours(product(boards, ways))
    kinds = (("mean", "mean cut"), ("run_best", "best cut of a run"))
    figure, panels = grid(plt, len(names) * len(kinds))
    for axes, (name, (key, label)) in zip(panels, product(names, kinds)):
        for board, (style, way) in product(boards, enumerate(ways)):
            rows = [
                row
                for row in found
                if (row["name"], row["board"], way_title(row)) == (name, board, way)
            ]
            if rows:
                axes.errorbar(
                    [row["read_seconds"] * 1e3 for row in rows],
                    [100 * row[key] for row in rows],
                    yerr=[100 * row["standard_error"] for row in rows] if key == "mean" else None,
                    linestyle=_LINES[style % len(_LINES)],
                    marker=MARKERS[style % len(MARKERS)],
                    color=colours[board, way],
                    label=f"{board}, {way}",
                )
        axes.set(
            xscale="log",
            xlabel="ms a read",
            ylabel=f"{label}, % of the best known",
            title=name,
        )
        axes.legend(fontsize=8)
    return figure
