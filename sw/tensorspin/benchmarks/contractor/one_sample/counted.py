"""What microcontrollers take for one sample, from a report of ``make bench-mcu``."""

from __future__ import annotations

import json
from pathlib import Path


def read_counted(path: Path, name: str) -> list[dict]:
    """Read the rows of a data set.

    Parameters
    ----------
    path : Path
        The report, ``bench-mcu.json``; it need not exist.
    name : str
        Name of the data set.

    Returns
    -------
    list of dict
        For each classifier and core ``who``, ``model``, ``seconds``, which are estimated from
        ``instructions`` counted one by one, and ``accuracy``; and for each board with SPI what the
        driver in C takes on its simulated pins. None of them if there is no such report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        cores = report["cores"]
        data = next(each for each in report["data"] if each["name"] == name)
        return [*_alone(data, cores), *_on_pins(data)]
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return []


def _alone(data: dict, cores: dict) -> list[dict]:
    return [
        {
            "kind": "microcontroller",
            "model": row["title"],
            "who": title,
            "seconds": row["cores"][core]["seconds"],
            "instructions": row["cores"][core]["instructions"],
            "accuracy": row["accuracy"],
            "known": "counted",
        }
        for row in data["alone"]
        for core, title in cores.items()
    ]


def _on_pins(data: dict) -> list[dict]:
    return [
        {
            "kind": "pins",
            "model": data["title"],
            "who": f"{entry['board']}, SCK {row['sck_hz'] / 1e6:g} MHz",
            "seconds": row["engine"],
            "line_seconds": row["latency"],
            "with_line": row["pipelined"],
            "known": "simulated",
        }
        for entry in data["boards"]
        for row in entry["spi"]
        if row["sck_hz"] == entry["limit_hz"]
    ]
