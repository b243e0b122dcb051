"""Draw the report; pictures need matplotlib (``pip install '.[plot]'`` in the checkout)."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from pathlib import Path

from ...contract.fixed import NARROW_WEIGHT
from ..common.markdown import microseconds
from ..common.panels import HOST_COLOURS, MARKERS, alike, board_colours, grid, write_figures
from .tables import by_program

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
    """Draw time per sample and use of the multipliers, a bar for each result of each program."""
    rows = [row for data in sets for row in data["capacity"] if row["cycles"]]
    colours = board_colours(row["board"] for row in rows)
    bars = [bar for data in sets for bar in _capacity_bars(data)]
    figure, (time_axes, use_axes) = plt.subplots(
        1,
        2,
        figsize=(13, 1.6 + _ROW_HEIGHT * len(bars)),
        sharey=True,
        layout="constrained",
        width_ratios=(1.4, 1),
    )
    places, found = range(len(bars)), [row for _, row in bars]
    own = [colours[row["board"]] for row in found]
    style = {
        "color": ["white" if row["obstacle"] else colour for row, colour in zip(found, own)],
        "edgecolor": own,
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
    values = [1e6 * row["seconds"] for row in found]
    time_axes.set(
        xscale="log",
        xlim=(min(values) / 3, max(values) * 12),
        ylim=(len(bars) - 0.4, -0.6),
        xlabel="computing of one sample in us, at the board's clock",
    )
    time_axes.set_yticks(places, [title for title, _ in bars], fontsize=8)
    use_axes.set(xlim=(0, 115), xlabel="multiply-accumulators that do needed work, in %")
    titles = {row["board"]: row["title"] for row in rows}
    drawn = {board: colours[board] for board in titles if colours[board] in own}
    figure.suptitle("Speed of the boards, from the exact cycle count")
    figure.legend(
        [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in drawn.values()],
        [f"{board}: {titles[board]}" for board in drawn],
        loc="outside lower center",
        ncols=3,
        fontsize=8,
    )
    return figure


def _capacity_bars(data: dict) -> list[tuple[str, dict]]:
    """List title and row of each bar; programs and boards with the same speed share one."""
    rows = [row for row in data["capacity"] if row["cycles"]]
    bars = _distinct(
        rows,
        lambda row: row["board"],
        lambda row: (row["seconds"], row["utilisation"], row["obstacle"]),
    )
    return [(f"{data['name']}: {title}", row) for title, row in bars]


def _distinct(
    rows: list[dict], board: Callable[[dict], str], key: Callable[[dict], Hashable]
) -> list[tuple[str, dict]]:
    """Give each distinct result a title, its programs above its boards, and one of its rows."""
    found: dict[tuple[str, Hashable], list[tuple[str, dict]]] = {}
    for title, own in by_program(rows).items():
        for same in alike(own, key):
            boards = ", ".join(map(board, same))
            found.setdefault((boards, key(same[0])), []).append((title, same[0]))
    return [
        (f"{'; '.join(title for title, _ in group)}\n{boards}", group[0][1])
        for (boards, _), group in found.items()
    ]


def _latency(plt, sets: list[dict]):
    """Draw the latency of one sample on boards and on the host, a panel for each data set."""
    colours = board_colours(
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

    Programs and boards with the same times share a bar. The host's classifiers need no line, so
    that both times are the same.
    """

    def times(row: dict) -> tuple[float, float]:
        alone = row["latency"]["seconds"]
        return alone, alone + row["latency"]["line_seconds"]

    measured = [row for row in data["boards"] if row["latency"] is not None]
    on_boards = [
        (title, *times(row), colours[_board_name(row)])
        for title, row in _distinct(measured, _board_name, times)
    ]
    on_host = [
        (row["classifier"], row["latency"]["median"], row["latency"]["median"], HOST_COLOURS[0])
        for row in data["host"]
    ]
    return [bar for bars in (on_boards, on_host) for bar in sorted(bars, key=lambda bar: bar[1])]


def _board_name(row: dict) -> str:
    return row["url"].partition("://")[2]
