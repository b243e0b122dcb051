"""What all figures share: matplotlib, an extra (``pip install tensorspin[plot]``), loaded late."""

from __future__ import annotations

from pathlib import Path

from ..errors import TensorspinError

DPI = 110
"""Resolution of the figures in dots per inch."""


def pyplot():
    """The module ``matplotlib.pyplot``, set to draw into files: no display is needed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    return plt


def check_matplotlib() -> None:
    """Raise TensorspinError, with what to do, if there is no matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise TensorspinError(
            f"the figure needs matplotlib ({error}): pip install tensorspin[plot]"
        ) from error


def check_figure(path: Path) -> None:
    """Refuse a figure that can't be drawn before the work, not after it.

    Raises
    ------
    TensorspinError
        If there is no matplotlib.
    ValueError
        If the suffix names no format of it.
    """
    check_matplotlib()
    from matplotlib.figure import Figure

    known = Figure().canvas.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known:
        raise ValueError(f"cannot draw {path}: the suffix must be one of .{', .'.join(known)}")
