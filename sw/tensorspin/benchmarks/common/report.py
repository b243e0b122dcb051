"""Write a report as JSON, tables and pictures.

A report is a plain dictionary. It is kept as JSON, so that tables and pictures can be made again
without measuring again.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...cli.common import print_any_character
from ...cli.figures import check_matplotlib
from ...cli.report import one_line, printable
from ...errors import TensorspinError
from ...files import check_writable, make_folder, text_file

Keep = Callable[[dict], None]
"""A function that writes a report, complete or not, to its JSON file."""


@dataclass(frozen=True)
class Renderer:
    """What makes files of a benchmark's report.

    Parameters
    ----------
    stem : str
        Beginning of the names of all files.
    format : int
        Version of the report's structure, which the report has under ``format``. A report of
        another version is refused, as its tables could not be made.
    markdown : callable
        Called with the report; returns the tables as a str.
    draw : callable
        Called with the report and the folder; returns the paths of the pictures.
    """

    stem: str
    format: int
    markdown: Callable[[dict], str]
    draw: Callable[[dict, Path], list[Path]]

    def run(self, folder: Path, measure: Callable[[Keep], dict] | None) -> int:
        """Measure, write all files and print the tables.

        Parameters
        ----------
        folder : Path
            Folder to write to; it is made if it does not exist.
        measure : callable or None
            Called with a function of type `Keep`, to save what is measured so far; returns the
            report. None: nothing is measured, and the folder's report is rendered again.

        Returns
        -------
        int
            Exit status: 0 if all went well, 1 if something failed, 130 if interrupted.
        """
        try:
            # Pictures come last, and a measurement may take hours.
            check_matplotlib()
            make_folder(folder)
            path = folder / f"{self.stem}.json"
            table = path.with_suffix(".md")
            check_writable(path)
            check_writable(table)

            def keep(report: dict) -> None:
                # A measurement may be interrupted while this writes; the last report is kept then.
                with text_file(path) as file:
                    file.write(json.dumps(report, indent=1) + "\n")

            if measure is None:
                report = self._read(path)
            else:
                report = measure(keep)
                keep(report)
            tables = self.markdown(report)
            with text_file(table) as file:
                file.write(tables)
            pictures = self.draw(report, folder)
        except (TensorspinError, ValueError, FloatingPointError, OSError) as error:
            print(printable(f"benchmark: {one_line(error)}"), file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("benchmark: interrupted", file=sys.stderr)
            return 130
        print_any_character()
        print(printable(tables))
        print(printable(" ".join(["written:", *map(str, (path, table, *pictures))])))
        return 0

    def _read(self, path: Path) -> dict:
        """Read the report of an earlier run."""
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{path} is no JSON file: {error}") from error
        found = report.get("format") if isinstance(report, dict) else None
        if found != self.format:
            raise ValueError(
                f"{path} must be a report of format {self.format}, not {found}; measure again"
            )
        return report
