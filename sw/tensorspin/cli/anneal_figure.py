"""The figure of ``tensorspin anneal --plot``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..sampling.trace import Trace
from .figures import pyplot, save_figure


def draw_trace(
    path: str | Path,
    traced: Trace,
    value: Callable[[np.ndarray], np.ndarray],
    *,
    title: str,
    objective: str,
    known: float | None = None,
) -> None:
    """Draw the objective of all replicas against the time on the device.

    A replica is one of the copies of the model that the device anneals side by side.

    Parameters
    ----------
    path : str or Path
        File to draw into; its suffix names the format.
    traced : Trace
        Energies of all replicas at several times of a run.
    value : callable
        Called with an ndarray of energies; returns the values of the objective.
    title : str
        Heading of the figure; the number of sweeps is added to it.
    objective : str
        Name of the objective, for the vertical axis.
    known : float, optional
        The best value known, drawn as a line.
    """
    plt = pyplot()
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    microseconds = 1e6 * traced.seconds
    values = value(traced.energies)
    axes.plot(microseconds, values, color="#3b6ea8", alpha=0.35, linewidth=0.8)
    axes.plot(
        microseconds, values.mean(axis=1), "o-", color="#3b6ea8", label="mean of the replicas"
    )
    if known is not None:
        axes.axhline(known, color="#c0693b", linestyle="--", label="best value known")
    axes.set(
        xscale="log",
        xlabel="time of the run on the device, all replicas together (us)",
        ylabel=f"{objective} of the states at that time",
        title=f"{title}, {traced.sweeps} sweeps",
    )
    axes.legend()
    save_figure(path, figure)
    plt.close(figure)
