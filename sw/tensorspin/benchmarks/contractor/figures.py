"""Draw the report; pictures need matplotlib (``pip install '.[plot]'`` in the checkout)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

from ...contract.fixed import NARROW_WEIGHT
from ..common.markdown import microseconds
from ..common.panels import MARKERS, grid, write_figures
from .tables import program_title

_BOARD_COLOURS = ("#3b6ea8", "#5f9e6e", "#8d5a99", "#c0693b", "#7f7f7f")
"""Colours of the boards; with more boards they repeat."""

_HOST_COLOUR = "#b0b0b0"
"""Grey, so that the boards stand out."""

_LEAST_SPAN = 5
"""Smallest range of accuracy, in percent, that a panel shows.

With a smaller range the difference of a single sample would look like much.
"""

_ROW_HEIGHT = 0.32
"""Height of a bar with its label in inches."""


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
    makers = (("accuracy", _accuracy), ("boards", _boards), ("latency", _latency))
    return write_figures(((*maker, report["data"]) for maker in makers), folder, "benchmark")


def _accuracy(plt, sets: list[dict]):
    """Draw accuracy against size, a panel for each data set."""
    figure, panels = grid(plt, len(sets))
    styles: dict[str, int] = {}
    handles = {}
    for axes, data in zip(panels, sets):
        for row in data["accuracy"]:
            # A board answers as the golden model does, so its marker would hide the other.
            if row["url"] is not None:
                continue
            style = styles.setdefault(row["classifier"], len(styles))
            bits = row["weight_bits"]
            title = f"{row['classifier']}, {row['variant']}"
            handles[title] = axes.errorbar(
                row["bytes"],
                100 * row["accuracy"],
                yerr=None if row["standard_error"] is None else 100 * row["standard_error"],
                fmt=MARKERS[style % len(MARKERS)],
                color=f"C{style}",
                markerfacecolor="none" if bits is None else f"C{style}",
                alpha=0.5 if bits == NARROW_WEIGHT.width else 1,
                markersize=8,
                capsize=3,
            )
        axes.set(xscale="log", xlabel="model in bytes", ylabel="accuracy in %", title=data["name"])
        axes.margins(0.08, 0.12)
        low, high = axes.get_ylim()
        # The range is wide enough that single samples do not fill it, and ends at 100 %.
        axes.set_ylim(min(low, high - _LEAST_SPAN), min(high, 100 + _LEAST_SPAN / 20))
        axes.grid(alpha=0.3)
    figure.suptitle("Accuracy against size of the model (mean and standard error of the splits)")
    figure.legend(
        list(handles.values()), list(handles), loc="outside lower center", ncols=4, fontsize=8
    )
    return figure


def _boards(plt, sets: list[dict]):
    """Draw time per sample and use of the multipliers, a bar for each program on each board."""
    rows = [(data["name"], row) for data in sets for row in data["capacity"] if row["cycles"]]
    programs = list(dict.fromkeys(f"{name}: {program_title(row)}" for name, row in rows))
    colours = _colours(row["board"] for _, row in rows)
    figure, (time_axes, use_axes) = plt.subplots(
        1,
        2,
        figsize=(13, 1.6 + _ROW_HEIGHT * (len(rows) * 0.7 + len(programs) * 0.4)),
        sharey=True,
        layout="constrained",
        width_ratios=(1.4, 1),
    )
    width = 0.85 / len(colours)  # the bars of one program take 85 % of the room between two
    for index, (board, colour) in enumerate(colours.items()):
        chosen = [(name, row) for name, row in rows if row["board"] == board]
        places = [
            programs.index(f"{name}: {program_title(row)}")
            + width * (index - (len(colours) - 1) / 2)
            for name, row in chosen
        ]
        found = [row for _, row in chosen]
        style = {
            "height": 0.9 * width,
            "color": ["white" if row["obstacle"] else colour for row in found],
            "edgecolor": colour,
            "hatch": ["////" if row["obstacle"] else "" for row in found],
        }
        times = time_axes.barh(places, [1e6 * row["seconds"] for row in found], **style)
        notes = [" (does not fit)" if row["obstacle"] else "" for row in found]
        texts = [microseconds(row["seconds"]) + note for row, note in zip(found, notes)]
        time_axes.bar_label(times, texts, padding=3, fontsize=8)
        uses = use_axes.barh(places, [100 * row["utilisation"] for row in found], **style)
        texts = [f"{row['utilisation']:.0%}" for row in found]
        use_axes.bar_label(uses, texts, padding=3, fontsize=8)
    for axes in (time_axes, use_axes):
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    values = [1e6 * row["seconds"] for _, row in rows]
    time_axes.set(
        xscale="log",
        xlim=(min(values) / 3, max(values) * 12),
        ylim=(len(programs) - 0.4, -0.6),
        xlabel="computing of one sample in us, at the board's clock",
    )
    time_axes.set_yticks(range(len(programs)), programs)
    use_axes.set(xlim=(0, 115), xlabel="multiply-accumulators that do needed work, in %")
    titles = {row["board"]: row["title"] for _, row in rows}
    figure.suptitle("Speed of the boards, from the exact cycle count")
    figure.legend(
        [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in colours.values()],
        [f"{board}: {titles[board]}" for board in colours],
        loc="outside lower center",
        ncols=3,
        fontsize=8,
    )
    return figure


def _latency(plt, sets: list[dict]):
    """Draw the latency of one sample on boards and on the host, a panel for each data set."""
    colours = _colours(
        _board_name(row) for data in sets for row in data["boards"] if row["latency"] is not None
    )
    bars = [_latency_bars(data, colours) for data in sets]
    figure, panels = grid(plt, len(sets), 1.2 + _ROW_HEIGHT * max(map(len, bars)))
    for axes, data, entries in zip(panels, sets, bars):
        places = range(len(entries))
        ends = [total for _, _, total, _ in entries]
        face = [colour for *_, colour in entries]
        with_line = axes.barh(places, ends, color="white", edgecolor=face, hatch="////")
        axes.barh(places, [alone for _, alone, _, _ in entries], color=face, edgecolor=face)
        texts = [
            microseconds(alone)
            + ("" if total == alone else f"; {microseconds(total)} with its line")
            for _, alone, total, _ in entries
        ]
        axes.bar_label(with_line, texts, padding=3, fontsize=8)
        axes.set_yticks(places, [title for title, *_ in entries], fontsize=8)
        axes.set(
            xscale="log",
            xlim=(min(alone for _, alone, _, _ in entries) / 3, max(ends) * 20),
            ylim=(len(entries) - 0.4, -0.6),
            xlabel="us",
            title=data["name"],
        )
        axes.xaxis.set_major_formatter(lambda value, _: f"{value * 1e6:,.10g}")
        axes.grid(axis="x", alpha=0.3)
        axes.set_axisbelow(True)
    figure.suptitle(
        "Latency of one sample: boards (coloured; hatched: their serial line, modelled) beside "
        "predict on this host (grey)"
    )
    return figure


def _latency_bars(data: dict, colours: dict) -> list[tuple[str, float, float, str]]:
    """List title, seconds, seconds with the serial line, and colour; boards first, then the host.

    The host's classifiers need no line, so that both times are the same.
    """
    boards = [row for row in data["boards"] if row["latency"] is not None]
    on_boards = [
        (
            f"{program_title(row)}\n{_board_name(row)}",
            row["latency"]["seconds"],
            row["latency"]["seconds"] + row["latency"]["line_seconds"],
            colours[_board_name(row)],
        )
        for row in boards
    ]
    on_host = [
        (row["classifier"], row["latency"]["median"], row["latency"]["median"], _HOST_COLOUR)
        for row in data["host"]
    ]
    return [bar for bars in (on_boards, on_host) for bar in sorted(bars, key=lambda bar: bar[1])]


def _board_name(row: dict) -> str:
    return row["url"].partition("://")[2]


def _colours(boards: Iterable[str]) -> dict[str, str]:
    """Give each board a colour, in the order in which the boards first occur."""
    return dict(zip(dict.fromkeys(boards), cycle(_BOARD_COLOURS)))
