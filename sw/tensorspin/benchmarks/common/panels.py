"""Pictures of several panels; they need matplotlib (``pip install '.[plot]'`` in the checkout)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ...cli.figures import pyplot, save_figure

MARKERS = "osD^vP*X"
"""Shapes of matplotlib's markers, one for each solver or classifier."""


def grid(plt, count: int, height: float = 4.2):
    """Make a figure with two panels per row; a panel that is not needed is hidden.

    Parameters
    ----------
    plt : module
        ``matplotlib.pyplot``.
    count : int
        Number of panels.
    height : float
        Height of a row in inches.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure.
    panels : iterator of matplotlib.axes.Axes
        Its panels, row by row.
    """
    rows = -(-count // 2)
    columns = min(count, 2)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.5 * columns, height * rows), squeeze=False, layout="constrained"
    )
    for spare in axes.flat[count:]:
        spare.set_visible(False)
    return figure, axes.flat


def write_figures(
    makers: Iterable[tuple[str, Callable[[Any, Any], Any], Any]], folder: Path, stem: str
) -> list[Path]:
    """Draw figures into files; no display is needed.

    Parameters
    ----------
    makers : iterable of (str, callable, object)
        For each figure its name, a function that draws it, and what it shows. The function is
        called with ``matplotlib.pyplot`` and what it shows, and returns the figure, or None if
        there is nothing to draw.
    folder : Path
        Existing folder to write to.
    stem : str
        Beginning of the files' names.

    Returns
    -------
    list of Path
        The files that were written.
    """
    plt = pyplot()
    paths = []
    for name, make, content in makers:
        figure = make(plt, content)
        if figure is not None:
            paths.append(folder / f"{stem}_{name}.png")
            save_figure(paths[-1], figure)
            plt.close(figure)
    return paths
