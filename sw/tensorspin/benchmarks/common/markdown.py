"""Parts of a report in Markdown that the benchmarks of both engines use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NONE = "-"
"""Cell of a table for a figure that was not measured."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Make a table whose first column is text and whose other columns are numbers.

    Parameters
    ----------
    header : sequence of str
        Titles of the columns.
    rows : iterable of sequence of str
        Cells of each row, as many as there are titles.

    Returns
    -------
    list of str
        Lines of Markdown.
    """
    body = [f"| {' | '.join(row)} |" for row in rows]
    # The colon aligns a column to the right, as befits numbers.
    rule = "|".join("---" if index == 0 else "---:" for index in range(len(header)))
    return [f"| {' | '.join(header)} |", f"|{rule}|", *body]


def microseconds(seconds: float | None) -> str:
    """Write seconds as microseconds, with three digits or all digits before the point."""
    if seconds is None:
        return NONE
    value = seconds * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def machine_line(machine: dict) -> str:
    """Describe the computer on one line, from what `machine.describe_machine` returned."""
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"{machine['processor']} ({machine['architecture']}, {machine['cores']} cores), "
        f"{machine['system']}, Python {machine['python']}, {packages}"
    )
