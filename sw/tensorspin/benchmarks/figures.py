"""The report as pictures; they need matplotlib (``pip install tensorspin[plot]``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .tables import microseconds, program_title

_MARKERS = "osD^vP*X"
_BOARD_COLOURS = ("#3b6ea8", "#5f9e6e", "#8d5a99", "#c0693b", "#7f7f7f")
_HOST_COLOUR = "#b0b0b0"
_LEAST_SPAN = 5
"""Percent of accuracy that a panel shows at least."""
_ROW_HEIGHT = 0.32
"""Inches of a bar with its label."""


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
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    paths = []
    for name, make in (("accuracy", _accuracy), ("boards", _boards), ("latency", _latency)):
        figure = make(plt, report["data"])
        paths.append(folder / f"benchmark_{name}.png")
        figure.savefig(paths[-1], dpi=110)
        plt.close(figure)
    return paths


def _grid(plt, count: int, height: float):
    """A figure with two panels a row, those not needed hidden."""
    rows = -(-count // 2)
    columns = min(count, 2)
    figure, axes = plt.subplots(
        rows, columns, figsize=(6.5 * columns, height * rows), squeeze=False, layout="constrained"
    )
    for spare in axes.flat[count:]:
        spare.set_visible(False)
    return figure, axes.flat


def _accuracy(plt, sets: list[dict]):
    figure, panels = _grid(plt, len(sets), 4.2)
    styles: dict[str, int] = {}
    handles = {}
    for axes, data in zip(panels, sets):
        for row in data["accuracy"]:
            # What a board answers equals the golden model's quantised network.
            if " on " in row["variant"]:
                continue
            style = styles.setdefault(row["classifier"], len(styles))
            is_float = row["variant"] == "float"
            title = f"{row['classifier']}, {row['variant']}"
            narrow = not is_float and row["variant"] != "8-bit"
            handles[title] = axes.errorbar(
                row["bytes"],
                100 * row["accuracy"],
                yerr=None if row["standard_error"] is None else 100 * row["standard_error"],
                fmt=_MARKERS[style % len(_MARKERS)],
                color=f"C{style}",
                markerfacecolor="none" if is_float else f"C{style}",
                alpha=0.5 if narrow else 1,
                markersize=8,
                capsize=3,
            )
        axes.set(xscale="log", xlabel="model in bytes", ylabel="accuracy in %", title=data["name"])
        axes.margins(0.08, 0.12)
        low, high = axes.get_ylim()
        # Wide enough that single samples don't fill it, and nothing beyond all right.
        axes.set_ylim(min(low, high - _LEAST_SPAN), min(high, 100 + _LEAST_SPAN / 20))
        axes.grid(alpha=0.3)
    figure.suptitle("Accuracy against size of the model (mean and standard error of the splits)")
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=4, fontsize=8
    )
    return figure


def _boards(plt, sets: list[dict]):
    rows = [(data["name"], row) for data in sets for row in data["capacity"] if row["cycles"]]
    figure, (time_axes, use_axes) = plt.subplots(
        1,
        2,
        figsize=(13, 1.6 + _ROW_HEIGHT * len(rows)),
        sharey=True,
        layout="constrained",
        width_ratios=(1.4, 1),
    )
    names = list(dict.fromkeys(row["board"] for _, row in rows))
    titles = {row["board"]: row["title"] for _, row in rows}
    positions = np.arange(len(rows))
    colours = [_BOARD_COLOURS[names.index(row["board"]) % len(_BOARD_COLOURS)] for _, row in rows]
    hatches = ["////" if row["obstacle"] else "" for _, row in rows]
    faces = ["none" if row["obstacle"] else colour for (_, row), colour in zip(rows, colours)]
    for axes, values, texts in (
        (
            time_axes,
            [1e6 * row["seconds"] for _, row in rows],
            [
                microseconds(row["seconds"]) + (" (does not fit)" if row["obstacle"] else "")
                for _, row in rows
            ],
        ),
        (
            use_axes,
            [100 * row["utilisation"] for _, row in rows],
            [f"{row['utilisation']:.0%}" for _, row in rows],
        ),
    ):
        bars = axes.barh(positions, values, color=faces, edgecolor=colours, hatch=hatches)
        axes.bar_label(bars, texts, padding=3, fontsize=8)
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    time_axes.set(xscale="log", xlabel="computing of one sample in us, at the board's clock")
    time_axes.set_yticks(positions, [f"{name}: {program_title(row)}" for name, row in rows])
    time_axes.invert_yaxis()
    low, high = time_axes.get_xlim()
    time_axes.set_xlim(low / 2, high * 5)
    use_axes.set(xlim=(0, 115), xlabel="multiply-accumulators that do needed work, in %")
    figure.suptitle("Speed of the boards, from the exact cycle count")
    figure.legend(
        [
            plt.Rectangle((0, 0), 1, 1, color=_BOARD_COLOURS[i % len(_BOARD_COLOURS)])
            for i in range(len(names))
        ],
        [titles[name] for name in names],
        loc="outside lower center",
        ncols=3,
        fontsize=8,
    )
    return figure


def _latency(plt, sets: list[dict]):
    figure, panels = _grid(
        plt, len(sets), 1.2 + _ROW_HEIGHT * max(len(_latency_bars(data)) for data in sets)
    )
    for axes, data in zip(panels, sets):
        bars = sorted(_latency_bars(data), key=lambda bar: bar[1])
        positions = range(len(bars))
        values = [1e6 * seconds for _, seconds, _, _ in bars]
        drawn = axes.barh(
            positions,
            values,
            color=[colour for _, _, colour, _ in bars],
            hatch=[hatch for *_, hatch in bars],
            edgecolor="white",
        )
        axes.bar_label(
            drawn, [microseconds(seconds) for _, seconds, _, _ in bars], padding=3, fontsize=8
        )
        axes.set_yticks(positions, [title for title, *_ in bars], fontsize=8)
        axes.set(xscale="log", xlabel="us", title=data["name"])
        low, high = min(values), max(values)
        axes.set_xlim(low / 3, high * 4)
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    figure.suptitle(
        "Latency of one sample: boards (blue; hatched with the serial line, modelled) beside "
        "predict on this host (grey)"
    )
    return figure


def _latency_bars(data: dict) -> list[tuple[str, float, str, str]]:
    """Title, seconds, colour, hatch."""
    bars = []
    for row in data["boards"]:
        found = row["latency"]
        if found is not None:
            title = f"{program_title(row)}\n{row['url'].partition('://')[2]}"
            colour = _BOARD_COLOURS[0]
            bars.append((title, found["seconds"], colour, ""))
            bars.append(
                (f"{title}, line", found["seconds"] + found["line_seconds"], colour, "////")
            )
    bars += [
        (row["classifier"], row["latency"]["median"], _HOST_COLOUR, "") for row in data["host"]
    ]
    return bars
