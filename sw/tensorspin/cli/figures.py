"""What all figures share: matplotlib, loaded late.

It is an extra: ``pip install '.[plot]'`` in the checkout.
"""

from __future__ import annotations

from pathlib import Path

from ..errors import TensorspinError
from ..files import binary_file, text_file

DPI = 110
"""Resolution of the figures in dots per inch."""


def pyplot():
    """Load ``matplotlib.pyplot``, set to draw into files, so that no display is needed."""
    import matplotlib

    # The backend must be chosen before pyplot is imported.
    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "tensorspin"  # names of parts would be random otherwise
    from matplotlib import pyplot as plt

    return plt


def save_figure(path: str | Path, figure) -> None:
    """Draw a figure into a file, which takes its name only once it is complete.

    Parameters
    ----------
    path : str or Path
        File to write; its suffix names the format.
    figure : matplotlib.figure.Figure
        The figure.
    """
    kind = Path(path).suffix.removeprefix(".").lower() or None  # None: matplotlib's own choice
    with text_file(path) if kind == "pgf" else binary_file(path) as file:
        # The date would make two files of one figure differ.
        dated = {"metadata": {"Date": None}} if kind == "svg" else {}
        figure.savefig(file, format=kind, dpi=DPI, **dated)


def check_matplotlib() -> None:
    """Check that matplotlib is installed.

    Raises
    ------
    TensorspinError
        If it is not; the message says how to install it.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise TensorspinError(
            f"the figure needs matplotlib ({error}); in tensorspin's checkout, run "
            f"`make setup` or `pip install '.[plot]'`; without one, `pip install matplotlib`"
        ) from error


def check_figure(path: Path) -> None:
    """Refuse a figure that cannot be drawn, before the work that it shows.

    Parameters
    ----------
    path : Path
        File to draw into; its suffix names the format.

    Raises
    ------
    TensorspinError
        If matplotlib is not installed.
    ValueError
        If matplotlib has no format of that suffix.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    known = Figure().canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known:
        raise ValueError(f"cannot draw {path}: the suffix must be one of .{', .'.join(known)}")
