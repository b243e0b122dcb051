"""Pictures of several panels; they need matplotlib (``pip install '.[plot]'`` in the checkout)."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import Any

from ...cli.figures import pyplot, save_figure

MARKERS = "osD^vP*X"
"""Shapes of matplotlib's markers, one for each solver or classifier."""


HOST_COLOURS = ("#b0b0b0", "#7f7f7f")
"""Greys of what is computed on the host, so that boards stand out."""

_BOARD_COLOURS = (
    *("#3b6ea8", "#5f9e6e", "#8d5a99", "#c0693b", "#c9a227", "#2a9d9d", "#b83a4b", "#7a5230"),
)
"""Colours of the first boards, none of them a grey."""


def board_colours(boards: Iterable[Hashable]) -> dict[Hashable, str]:
    """Give each board a colour of its own, which is no grey.

    Parameters
    ----------
    boards : iterable of hashable
        Names of boards, or whatever is drawn in colour; a name that is repeated counts once.

    Returns
    -------
    dict of hashable to str
        Colours by name, in the order in which the names first occur.
    """
    names = list(dict.fromkeys(boards))
    more = len(names) - len(_BOARD_COLOURS)
    # Hues all round the circle, strong and dark enough to be seen on white.
    hues = (colorsys.hsv_to_rgb((place + 0.5) / more, 0.9, 0.7) for place in range(more))
    spare = ("#" + "".join(f"{round(255 * part):02x}" for part in hue) for hue in hues)
    return dict(zip(names, (*_BOARD_COLOURS, *spare)))


def alike(rows: Iterable[dict], key: Callable[[dict], Hashable]) -> list[list[dict]]:
    """Put rows together that show the same, so that it is drawn once.

    Parameters
    ----------
    rows : iterable of dict
        Rows of a report.
    key : callable
        Returns what is drawn of a row.

    Returns
    -------
    list of list of dict
        The rows of each distinct result, in the order of their first use.
    """
    found: dict[Hashable, list[dict]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return list(found.values())


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
