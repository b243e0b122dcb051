"""Write the report of the pool's benchmark as Markdown, and draw it."""

from __future__ import annotations

from pathlib import Path

from ...cli.figures import pyplot, save_figure
from ..common.markdown import NONE, machine_line, table
from ..common.panels import MARKERS, board_colours


def markdown(report: dict) -> str:
    """Write the tables.

    Parameters
    ----------
    report : dict
        The report of `tensorspin.benchmarks.pool.__main__.measure`.

    Returns
    -------
    str
        The report in Markdown.
    """
    model = report["model"]
    lines = [
        "# Many boards as one",
        "",
        machine_line(report["machine"]),
        "",
        f"A chain of {model['features']} features with bond dimension {model['bond_dim']}.",
        "",
        "## Virtual boards on this computer, measured",
        "",
        "Samples a second; boards in threads of one process (`BoardPool`), or each in a process of",
        "its own (`DaskBoardPool`).",
        "",
        *_virtual(report["virtual"]),
        "",
        "## Schedulers, measured, with modelled boards and lines",
        "",
        f"A piece has {model['piece']} samples. Each modelled board sleeps as long as a board and",
        "its line take by the golden model's clock. Ideal: boards divided by that time.",
        "",
        *_modelled(report["modelled"]),
    ]
    return "\n".join(lines) + "\n"


def _virtual(rows: list[dict]) -> list[str]:
    def cell(row: dict, where: str) -> str:
        return f"{row[where]:,.0f}" if where in row else NONE

    header = ("boards", "number", "in threads", "in processes")
    cells = [
        (f"`{row['url']}`", str(row["boards"]), cell(row, "threads"), cell(row, "processes"))
        for row in rows
    ]
    return table(header, cells)


def _modelled(curves: list[dict]) -> list[str]:
    counts = sorted({row["boards"] for curve in curves for row in curve["rows"]})
    header = ["pieces a second", *(f"{count:,}" for count in counts)]
    cells: dict[str, tuple[str, ...]] = {}
    for curve in curves:
        for name, field in (("ideal", "ideal"), (curve["scheduler"], "pieces")):
            found = {row["boards"]: row[field] for row in curve["rows"]}
            numbers = tuple(f"{found[n]:,.0f}" if n in found else NONE for n in counts)
            cells.setdefault(f"{curve['line']}, {name}", numbers)  # all have the same ideal
    return table(header, [(title, *numbers) for title, numbers in cells.items()])


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw both measurements side by side.

    Parameters
    ----------
    report : dict
        The report.
    folder : Path
        Folder of the picture.

    Returns
    -------
    list of Path
        The picture.
    """
    plt = pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    _draw_virtual(left, report["virtual"])
    _draw_modelled(right, report["modelled"])
    path = folder / "pool.png"
    save_figure(path, figure)
    return [path]


def _draw_virtual(axes, rows: list[dict]) -> None:
    kinds = list(dict.fromkeys(row["url"] for row in rows))
    for url, colour in board_colours(kinds).items():
        for where, style in (("threads", "o-"), ("processes", "s--")):
            found = [
                (row["boards"], row[where]) for row in rows if row["url"] == url and where in row
            ]
            if found:
                base = found[0][1]
                axes.plot(
                    [count for count, _ in found],
                    [each / base for _, each in found],
                    style,
                    color=colour,
                    label=f"{url}, {where}",
                )
    axes.set(xlabel="virtual boards", ylabel="throughput, one board = 1", title="measured")
    axes.set_ylim(bottom=0)
    if rows:
        axes.set_xticks(sorted({row["boards"] for row in rows}))
        axes.legend()


def _draw_modelled(axes, curves: list[dict]) -> None:
    lines = list(dict.fromkeys(curve["line"] for curve in curves))
    for (line, colour), _ in zip(board_colours(lines).items(), lines):
        of_line = [curve for curve in curves if curve["line"] == line]
        for curve, marker in zip(of_line, MARKERS):
            rows = curve["rows"]
            counts = [row["boards"] for row in rows]
            if curve is of_line[0]:
                ideal = [row["ideal"] for row in rows]
                axes.plot(counts, ideal, ":", color=colour, label=f"{line}, ideal")
            found = [row["pieces"] for row in rows]
            label = f"{line}, {curve['scheduler']}"
            axes.plot(counts, found, f"{marker}-", color=colour, label=label, markersize=4)
    axes.set(xlabel="modelled boards", ylabel="pieces a second", title="boards and lines modelled")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.legend(fontsize="small")
