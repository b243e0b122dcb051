"""One sample's latency as tables."""

from __future__ import annotations

from ...common.markdown import NONE, merged, microseconds, table

NOTE = (
    "One sample: from its levels to its class; predict and ONNX Runtime begin at readings. "
    "*Modelled*: exact clock cycles at the board's clock, and all bytes of request and reply at "
    "the line's rate; nothing of a host and its USB is in it, nor some ten cycles of the link. "
    "*Simulated*: the driver in C on the gateware's pins (`make bench-mcu`). *Counted*: a "
    "microcontroller's instructions one by one, from which its time is estimated. *Measured*: on "
    "one core of this computer; C code by the fastest of its measurements, all else by the median. "
    "The column of ratios divides the time by that of the network's fastest C code on this "
    "computer: whatever has less than 1 is faster."
)
"""What the columns mean."""


def one_sample(rows: list[dict]) -> list[str]:
    """Write a table for each network, and one for what else competes.

    Parameters
    ----------
    rows : list of dict
        What `rows.measure_rows` returned.

    Returns
    -------
    list of str
        Lines of Markdown.
    """
    if not rows:
        return ["Not measured."]
    rivals = [row for row in rows if row["kind"] in _RIVALS]
    own = [row for row in rows if row["kind"] not in _RIVALS]
    networks = list(dict.fromkeys(row["model"] for row in own))
    lines = [NOTE]
    for model in networks:
        found = _of(own, model)
        lines += ["", f"#### {model}", "", *_table("board or code", found, _fastest(found), _who)]
    if rivals:
        fastest = _fastest(_of(own, networks[0])) if networks else None
        title = f"others; over the C code of {networks[0]}" if networks else "others"
        lines += ["", *_table(title, rivals, fastest, _who_else)]
    return lines


_RIVALS = ("host", "microcontroller", "pins")
"""Kinds of rows that are not of one of the networks."""


def _of(rows: list[dict], model: str) -> list[dict]:
    return [row for row in rows if row["model"] == model]


def _who(row: dict) -> str:
    if row["kind"] != "board":
        return str(row["who"])
    return f"`{row['who']}`"


def _who_else(row: dict) -> str:
    return f"{row['model']}: {row['who']}"


def _fastest(rows: list[dict]) -> float | None:
    """Return the time of the fastest C code, if one was measured."""
    found = [row["seconds"] for row in rows if row["kind"] == "compiled" and row["seconds"]]
    return min(found, default=None)


def _table(title: str, rows: list[dict], reference: float | None, name) -> list[str]:
    header = (
        *(title, "mode", "one sample, us", "with its line, us", "samples/s", "with its line"),
        *("line", "over C", "known"),
    )
    cells = [(name(row), _cells(row, reference)) for row in rows]
    return table(header, merged(cells))


def _cells(row: dict, reference: float | None) -> tuple[str, ...]:
    if row["seconds"] is None:
        return (NONE,) * 7 + (f"not measured: {row['missing']}",)
    known = row["known"]
    if "instructions" in row:
        known += f": {row['instructions']:,.0f} instructions"
    if "agreement" in row and row["agreement"] < 1:
        known += f"; {row['agreement']:.1%} of the classes are the board's"
    return (
        row.get("mode", NONE),
        microseconds(row["seconds"]),
        microseconds(row.get("line_seconds")),
        _pace(row.get("samples_per_second")),
        _pace(row.get("with_line")),
        row.get("line", NONE),
        NONE if reference is None else f"{row['seconds'] / reference:.3g}",
        known,
    )


def _pace(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"
