"""What all figures share: matplotlib, an extra (``pip install tensorspin[plot]``), loaded late."""

from __future__ import annotations

from pathlib import Path

from ..errors import TensorspinError

DPI = 110
"""Resolution of the figures in dots per inch."""


def pyplot():
    """Load ``matplotlib.pyplot``, set to draw into files, so that no display is needed."""
    import matplotlib

    # The backend must be chosen before pyplot is imported.
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    return plt


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
            f"the figure needs matplotlib ({error}): pip install tensorspin[plot]"
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
