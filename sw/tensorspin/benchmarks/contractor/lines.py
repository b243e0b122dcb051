"""Results as lines of text, for whoever watches the benchmark run; `tables` writes the report."""

from __future__ import annotations

from ..common.markdown import microseconds
from .tables import program_title


def host_lines(data: dict) -> list[str]:
    """Tell what was measured on the host, on one data set.

    Parameters
    ----------
    data : dict
        A data set of the report.

    Returns
    -------
    list of str
        A line for each classifier and variant, and one for each classifier's latency.
    """
    return [
        *(
            f"{data['name']}: {row['classifier']}, {row['variant']}: accuracy "
            f"{row['accuracy']:.2%}, {row['bytes']:,.0f} bytes"
            for row in data["accuracy"]
            if row["url"] is None
        ),
        *(
            f"{data['name']}: {row['classifier']} on this host: "
            f"{microseconds(row['latency']['median'])} us a sample"
            for row in data["host"]
        ),
    ]


def board_lines(data: dict, url: str) -> list[str]:
    """Tell what was measured on one board, on one data set.

    Parameters
    ----------
    data : dict
        A data set of the report.
    url : str
        The board's URL.

    Returns
    -------
    list of str
        A line for each program.
    """
    speeds = {program_title(row): row for row in data["boards"] if row["url"] == url}
    lines = []
    for row in data["accuracy"]:
        if row["url"] != url:
            continue
        begin = f"{data['name']}: {program_title(row)} on {url}: "
        if row["obstacle"] is not None:
            lines.append(f"{begin}does not fit: {row['obstacle']}")
            continue
        speed = speeds[program_title(row)]
        latency = speed["latency"]
        cycles = "" if latency is None else f"{latency['cycles']['median']:,.0f} cycles a sample, "
        lines.append(
            f"{begin}accuracy {row['accuracy']:.2%}, {row['scores_unlike_golden']} of "
            f"{row['scores_compared']:,} scores unlike the golden model, {cycles}"
            f"{speed['throughput']['samples_per_second']:,.0f} samples/s"
        )
    return lines
