"""One sample's latency as a picture."""

from __future__ import annotations

from pathlib import Path

from ...common.panels import HOST_COLOURS, write_figures

COLOURS = {
    "board": "#3b6ea8",
    "compiled": HOST_COLOURS[1],
    "host": HOST_COLOURS[0],
    "pins": "#5f9e6e",
    "microcontroller": "#c0693b",
}
"""Colour of each kind of row."""


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw a bar for each row, without the line and with it.

    Parameters
    ----------
    report : dict
        The report of `command.measure`.
    folder : Path
        Folder to write to.

    Returns
    -------
    list of Path
        The file.
    """
    return write_figures((("sample", _bars, report["rows"]),), folder, "latency")


def _bars(plt, rows: list[dict]):
    """Draw each distinct time once, the shortest at the top."""
    bars: dict[tuple, list[str]] = {}
    for row in rows:
        if row["seconds"] is not None:
            whole = row.get("line_seconds") or row["seconds"]
            bars.setdefault((whole, row["seconds"], row["kind"], row.get("mode", "")), []).append(
                row["who"] if row["kind"] in ("board", "pins") else f"{row['model']}: {row['who']}"
            )
    if not bars:
        return None
    ordered = sorted(bars.items(), reverse=True)
    figure, axis = plt.subplots(figsize=(10, 1.2 + 0.27 * len(ordered)), layout="constrained")
    names = []
    for place, ((whole, alone, kind, mode), who) in enumerate(ordered):
        colour = COLOURS[kind]
        axis.barh(place, whole * 1e6, color=colour, alpha=0.35)
        axis.barh(place, alone * 1e6, color=colour)
        more = f" and {len(who) - 1} more" if len(who) > 1 else ""
        names.append(f"{who[0]}{more}" + (f", {mode}" if mode in ("single", "throughput") else ""))
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set_xscale("log")
    axis.set_xlabel("one sample in us; pale: with its line")
    axis.grid(axis="x", alpha=0.3)
    axis.margins(y=0.01)
    figure.suptitle(
        "boards (blue) modelled, on pins (green) simulated, C and Python on this computer (grey) "
        "measured,\nmicrocontrollers (orange) estimated from counted instructions",
        fontsize=9,
    )
    return figure
