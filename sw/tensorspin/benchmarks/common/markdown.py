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


def merged(
    rows: Iterable[tuple[str, Sequence[str]]], separator: str = ", "
) -> list[tuple[str, ...]]:
    """Put rows that tell the same of several things into one row that names all of them.

    Parameters
    ----------
    rows : iterable of (str, sequence of str)
        What each row tells of, such as a board, and its cells.
    separator : str
        Text between two names.

    Returns
    -------
    list of tuple of str
        The names, and the cells, of each distinct row in the order of their first use.

    Examples
    --------
    >>> merged([("a", ("1", "2")), ("b", ("3", "4")), ("c", ("1", "2"))])
    [('a, c', '1', '2'), ('b', '3', '4')]
    """
    found: dict[tuple[str, ...], list[str]] = {}
    for name, cells in rows:
        found.setdefault(tuple(cells), []).append(name)
    return [(separator.join(dict.fromkeys(names)), *cells) for cells, names in found.items()]


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
