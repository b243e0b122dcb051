"""What happens on the wires during one sample: as lines of text, and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

Byte = tuple[float, float, int]
"""Begin and end in seconds, and the byte."""

ROWS = ("call", "CS#", "SCK", "COPI", "CIPO", "IRQ", "engine")
"""Rows of the picture, from the top."""

ZOOM = 3
"""Bytes that are shown bit by bit."""

BUSY, MEANING, IDLE, LEVEL, ENGINE = "#777777", "#3b6ea8", "#d5dde8", "#c0693b", "#5b8c5a"
"""Colours: what the microcontroller does, bytes with a meaning, zeros, levels, the engine."""


@dataclass
class Timeline:
    """One sample, from the call to the result; all times are in seconds from the call on.

    Parameters
    ----------
    seconds : float
        Time of the result.
    selected : list of (float, float)
        Spans in which CS# is low.
    copi, cipo : list of Byte
        Bytes to the board and from it.
    raised : float or None
        When the microcontroller saw the interrupt first.
    engine : float
        Seconds that the engine computes, by its cycles.
    """

    seconds: float
    selected: list[tuple[float, float]]
    copi: list[Byte]
    cipo: list[Byte]
    raised: float | None
    engine: float

    @classmethod
    def of(cls, chip, number: int, engine: float) -> Timeline:
        """Take a sample, counted from 0, from an emulated microcontroller (`rp2040.RP2040`)."""
        begin, end = (mark[1] for mark in chip.marks[2 * number : 2 * number + 2])
        wires = [wire for wire in chip.wires if begin <= wire[1] <= end]
        selected, low = [], 0.0
        for kind, start, _, level in wires:
            if kind == "CS#" and level:
                selected.append((low - begin, start - begin))
            elif kind == "CS#":
                low = start
        copi, cipo = (
            [(start - begin, stop - begin, byte) for kind, start, stop, byte in wires if kind == of]
            for of in ("COPI", "CIPO")
        )
        levels = (start - begin for kind, start, _, level in wires if kind == "IRQ" and level)
        return cls(end - begin, selected, copi, cipo, next(levels, None), engine)

    @property
    def computing(self) -> tuple[float, float] | None:
        """Begin and end of the engine's work, if the interrupt tells of its end."""
        return None if self.raised is None else (self.raised - self.engine, self.raised)

    def lines(self) -> list[str]:
        """Tell what happens, one thing a line, with its time in microseconds."""
        events = [(0.0, "the call"), (self.seconds, "the result")]
        for low, high in self.selected:
            sent, received = (
                [byte for start, _, byte in wire if low <= start < high]
                for wire in (self.copi, self.cipo)
            )
            what = "the sample goes out" if any(sent) else "the answer comes in"
            if not any(sent) and not any(received):
                what = "nothing yet"
            events.append((low, f"CS# low for {len(sent)} bytes: {what}"))
            events.append((high, "CS# high"))
        if self.computing is not None:
            begin, end = self.computing
            events.append((begin, f"the engine begins, by its {1e6 * self.engine:.1f} us"))
            events.append((end, "IRQ: bytes wait"))
        return [f"{1e6 * at:8.1f} us  {what}" for at, what in sorted(events)]


def draw(timeline: Timeline, title: str, path: Path) -> None:
    """Draw the wires: all of the sample, and its first bytes bit by bit.

    Parameters
    ----------
    timeline : Timeline
        The sample.
    title : str
        Title of the picture.
    path : Path
        File to write, of any format of matplotlib.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = {"height_ratios": [1.7, 1]}
    figure, (whole, first) = pyplot.subplots(
        2, figsize=(10, 6), gridspec_kw=sizes, layout="constrained"
    )
    _whole(whole, timeline)
    _first(first, timeline)
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _whole(axes, timeline: Timeline) -> None:
    """Draw a bar for each span of each wire."""

    def bar(row, begin, end, colour, told=""):
        place = len(ROWS) - 1 - ROWS.index(row)
        axes.broken_barh([(1e6 * begin, 1e6 * (end - begin))], (place - 0.32, 0.64), color=colour)
        if told:
            middle = 5e5 * (begin + end)
            axes.text(middle, place, told, ha="center", va="center", color="white", fontsize=8)

    bar("call", 0, timeline.seconds, BUSY, f"{1e6 * timeline.seconds:.0f} us")
    for low, high in timeline.selected:
        bar("CS#", low, high, BUSY)
    for row, wire in (("COPI", timeline.copi), ("CIPO", timeline.cipo)):
        for start, stop, byte in wire:
            bar(row, start, stop, MEANING if byte else IDLE)
    for start, stop, _ in timeline.copi:
        bar("SCK", start, stop, BUSY)
    if timeline.computing is not None:
        begin, end = timeline.computing
        last = max((stop for start, stop, _ in timeline.cipo if start >= end), default=end)
        bar("IRQ", end, last, LEVEL)
        bar("engine", begin, end, ENGINE, f"{1e6 * timeline.engine:.1f} us")
    axes.set_yticks(range(len(ROWS)), ROWS[::-1])
    axes.set_xlim(0, 1e6 * timeline.seconds)
    axes.set_xlabel(
        "microseconds since the call; CS# is low and IRQ high where a bar is; pale: zeros"
    )


def _first(axes, timeline: Timeline) -> None:
    """Draw levels of the first bytes: mode 0, the highest bit first."""
    copi, cipo = timeline.copi[:ZOOM], timeline.cipo[:ZOOM]
    if not copi:
        return
    lanes = (("SCK", copi, None), ("COPI", copi, 1), ("CIPO", cipo, 1))
    for place, (_, wire, _) in enumerate(reversed(lanes)):
        times, levels = [], []
        clock = place == 2
        for start, stop, byte in wire:
            bit = (stop - start) / 8
            for index in range(8):
                at = start + index * bit
                level = byte >> (7 - index) & 1
                halves = (0, 1) if clock else (level, level)
                times += [1e6 * at, 1e6 * (at + bit / 2)]
                levels += [place + 0.7 * half for half in halves]
        times.append(1e6 * wire[-1][1])
        levels.append(place if clock else levels[-1])
        axes.step(times, levels, where="post", color=BUSY if clock else MEANING)
    for start, stop, byte in copi:
        axes.axvline(1e6 * start, color=IDLE, zorder=0)
        axes.text(5e5 * (start + stop), 2.85, f"0x{byte:02x}", ha="center", fontsize=8)
    axes.set_yticks([0.35, 1.35, 2.35], ["CIPO", "COPI", "SCK"])
    axes.set_ylim(-0.2, 3.2)
    axes.set_xlim(1e6 * copi[0][0], 1e6 * copi[-1][1])
    axes.set_xlabel(f"microseconds: the first {len(copi)} bytes, bit by bit")
