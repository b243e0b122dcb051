"""Tables and a picture of what `mcu_bench` measures."""

from __future__ import annotations

from pathlib import Path

from tensorspin.benchmarks.common.markdown import NONE, table
from tensorspin.benchmarks.common.panels import grid, write_figures

BOARD_COLOURS = ("#3b6ea8", "#c0693b")
ALONE_COLOURS = ("#7f7f7f", "#b0b0b0")


def _us(seconds: float) -> str:
    return f"{1e6 * seconds:,.0f}" if seconds >= 99.95e-6 else f"{1e6 * seconds:.1f}"


def _short(core: str) -> str:
    return core.removeprefix("cortex-").upper().replace("PLUS", "+")


def markdown(report: dict) -> str:
    """Make the tables."""
    lines = ["# A board beside a microcontroller", ""]
    for data in report["data"]:
        lines += [f"## {data['name']}: {data['title']}", ""]
        for entry in data["boards"]:
            lines += _wires(entry)
        lines += _firmware(data["firmware"])
        lines += _alone(report, data)
    return "\n".join(lines)


def _wires(entry: dict) -> list[str]:
    uart = entry["uart"]
    rows = [
        (
            f"SCK {row['sck_hz'] / 1e6:g} MHz"
            + (" (1)" if row["sck_hz"] > entry["limit_hz"] else ""),
            *(_us(row["latency"]), _us(row["engine"]), f"{row['pipelined']:,.0f}"),
            f"{1e3 * row['load']:.1f}",
        )
        for row in entry["spi"]
    ]
    rows.append(
        (
            f"UART, {uart['baud']:,} baud (2)",
            *(_us(uart["latency"]), _us(uart["engine"]), NONE, f"{1e3 * uart['load']:.0f}"),
        )
    )
    header = ("line", "one sample, us", "engine, us", "samples/s, one ahead", "load, ms")
    over = any(row["sck_hz"] > entry["limit_hz"] for row in entry["spi"])
    return [
        f"### {entry['board']}: {entry['clock_hz'] / 1e6:g} MHz, {entry['cycles']:,} cycles a "
        f"sample, {entry['bytes']:,} bytes of model",
        "",
        *table(header, rows),
        "",
        "Simulated: the driver in C on the pins of the gateware, from the call to the result; the "
        "microcontroller's own work takes no time. All answers were those of the golden model.",
        *(
            [
                f"(1) Ideal wires; the bitstream's timing is held to {entry['limit_hz'] / 1e6:g} "
                "MHz alone."
            ]
            if over
            else []
        ),
        f"(2) Computed from {uart['bytes']} bytes a sample and the engine's cycles.",
        "",
    ]


def _firmware(found: dict) -> list[str]:
    return [
        f"With the driver's own work on an RP2040 at {found['cpu_hz'] / 1e6:g} MHz (simulated, one "
        f"instruction a cycle, waits of flash left out), {found['board']}, SCK "
        f"{found['sck_hz'] / 1e6:.1f} MHz: {_us(found['latency'])} us a sample.",
        "",
    ]


def _alone(report: dict, data: dict) -> list[str]:
    cores = report["cores"]
    header = ["computed by the microcontroller alone", "accuracy"]
    for title in ("instructions", "us (estimated)", "flash, bytes"):
        header += [f"{title}, {_short(name)}" for name in cores]
    rows = []
    network = data["alone"][0]["accuracy"]
    for row in data["alone"]:
        rows.append((row["title"], f"{row['accuracy']:.1%}", *_cells(row["cores"], cores)))
        if "levels" in row:
            rows.append(("- of which levels of readings", "", *_cells(row["levels"], cores)))
    branches = ", ".join(
        f"{count} on the {_short(name)}" for name, count in report["branch"].items()
    )
    return [
        f"### The microcontroller alone: {', '.join(cores.values())}",
        "",
        *table(header, rows),
        "",
        f"The network on a board has the first row's accuracy, {network:.1%}: the bits are "
        f"the same. Accuracy is the mean of {data['splits']} splits, {data['held_out']} samples "
        "held out in each. From int16 readings to the class. Instructions are counted exactly; "
        "cycles are estimated as instructions, accesses to memory and taken branches "
        f"({branches}), without waits of flash. Plain C, -O2. Flash is code and constants.",
        "",
    ]


def _cells(counted: dict, cores) -> list[str]:
    return [
        *(f"{counted[name]['instructions']:,.0f}" for name in cores),
        *(_us(counted[name]["seconds"]) for name in cores),
        *(f"{counted[name]['flash']:,}" for name in cores),
    ]


def draw(report: dict, folder: Path) -> list[Path]:
    """Draw the picture."""
    return write_figures([("latency", _figure, report)], folder, "bench-mcu")


def _figure(plt, report):
    sets = report["data"]
    figure, panels = grid(plt, 2 * len(sets))
    for data in sets:
        _draw_wires(next(panels), data)
        _draw_alone(next(panels), report, data)
    return figure


def _draw_wires(axes, data):
    for entry, colour in zip(data["boards"], BOARD_COLOURS):
        rates = [row["sck_hz"] / 1e6 for row in entry["spi"]]
        axes.plot(
            rates,
            [1e6 * row["latency"] for row in entry["spi"]],
            "o-",
            color=colour,
            label=f"{entry['board']} (simulated)",
        )
        engine = 1e6 * entry["uart"]["engine"]
        axes.axhline(engine, color=colour, linestyle=":", linewidth=1)
        uart = entry["uart"]
        axes.plot(
            uart["baud"] / 1e6,
            1e6 * uart["latency"],
            "s",
            color=colour,
            markerfacecolor="none",
            label=f"{uart['board']}, UART (computed)",
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="SCK in MHz, or megabaud (dotted: the engine alone)",
        ylabel="one sample, microseconds",
        title=f"{data['name']}: latency against the line",
    )
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=8)


def _draw_alone(axes, report, data):
    network = 100 * data["alone"][0]["accuracy"]
    for (name, title), colour, marker in zip(report["cores"].items(), ALONE_COLOURS, "ov"):
        for row in data["alone"]:
            at = 1e6 * row["cores"][name]["seconds"]
            axes.plot(at, 100 * row["accuracy"], marker, color=colour, markersize=8)
        axes.plot([], [], marker, color=colour, label=f"{title}, alone (estimated)")
    first = next(iter(report["cores"]))
    rows = sorted(data["alone"], key=lambda row: row["cores"][first]["seconds"])
    for place, row in enumerate(rows):
        # The slowest stands at the right edge, and neighbours would cover each other.
        side = "right" if row is rows[-1] else "left"
        height = 6 if place % 2 else -12
        axes.annotate(
            row["title"],
            (1e6 * row["cores"][first]["seconds"], 100 * row["accuracy"]),
            (0, height),
            textcoords="offset points",
            horizontalalignment=side,
            fontsize=7,
        )
    for entry, colour in zip(data["boards"], BOARD_COLOURS):
        best = [row for row in entry["spi"] if row["sck_hz"] <= entry["limit_hz"]][-1]
        label = f"{entry['board']}, SCK {best['sck_hz'] / 1e6:g} MHz (simulated)"
        axes.plot(1e6 * best["latency"], network, "*", color=colour, markersize=14, label=label)
    axes.set(
        xscale="log",
        xlabel="one sample, microseconds",
        ylabel="accuracy in %",
        title=f"{data['name']}: the microcontroller alone, and with a board",
    )
    axes.margins(0.3, 0.25)
    axes.grid(True, which="both", alpha=0.25)
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncol=2)
