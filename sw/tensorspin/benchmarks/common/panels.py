"""Pictures of several panels; they need matplotlib (``pip install tensorspin[plot]``)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...cli.figures import DPI, pyplot

MARKERS = "osD^vP*X"
"""One for each solver or classifier."""


def grid(plt, count: int, height: float = 4.2):
    """A figure with two panels a row, those not needed hidden.

    Parameters
    ----------
    plt : module
        ``matplotlib.pyplot``
    count : int
        Panels.
    height : float
        Of a row, in inches.

    Returns
    -------
    Figure, iterable of Axes
    """
    rows = -(-count // 2)
    columns = min(count, 2)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.5 * columns, height * rows), squeeze=False, layout="constrained"
    )
    for spare in axes.flat[count:]:
        spare.set_visible(False)
    return figure, axes.flat


def write_figures(makers: Iterable[tuple], folder: Path, stem: str) -> list[Path]:
    """Draw figures into files, without a display.

    Parameters
    ----------
    makers : iterable of (str, callable, object)
        A name, and what draws the object with ``pyplot``; it returns a figure, or None.
    folder : Path
        Exists.
    stem : str
        Of the files' names.

    Returns
    -------
    list of Path
        What was written.
    """
    plt = pyplot()
    paths = []
    for name, make, content in makers:
        figure = make(plt, content)
        if figure is not None:
            paths.append(folder / f"{stem}_{name}.png")
            figure.savefig(paths[-1], dpi=DPI)
            plt.close(figure)
    return paths
