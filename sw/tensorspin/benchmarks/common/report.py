"""From a measurement to JSON, a table and pictures."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...cli.figures import check_matplotlib
from ...errors import TensorspinError


@dataclass(frozen=True)
class Renderer:
    """What makes files of a report.

    Attributes
    ----------
    stem : str
        Of the names of all files.
    format : int
        That the report has under ``format``.
    markdown : callable
        Called with the report; returns a str.
    draw : callable
        Called with the report and the folder; returns the paths written.
    """

    stem: str
    format: int
    markdown: Callable[[dict], str]
    draw: Callable[[dict, Path], list[Path]]

    def run(self, folder: Path, measure: Callable[[Callable[[dict], None]], dict] | None) -> int:
        """Measure and render, as a command does.

        Parameters
        ----------
        folder : Path
            To write to; made if it is not there.
        measure : callable or None
            Called with a function that keeps what is measured so far; returns the report. None:
            the folder's report is rendered again.

        Returns
        -------
        int
            Exit status: 0, or 1 if something failed, 130 if interrupted.
        """
        try:
            check_matplotlib()
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{self.stem}.json"

            def keep(report: dict) -> None:
                path.write_text(json.dumps(report, indent=1) + "\n")

            if measure is None:
                report = self._read(path)
            else:
                report = measure(keep)
                keep(report)
            table = path.with_suffix(".md")
            table.write_text(self.markdown(report))
            pictures = self.draw(report, folder)
        except (TensorspinError, ValueError, FloatingPointError, OSError) as error:
            print(f"benchmark: {' '.join(str(error).split())}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("benchmark: interrupted", file=sys.stderr)
            return 130
        print(table.read_text())
        print("written:", *(str(written) for written in (path, table, *pictures)))
        return 0

    def _read(self, path: Path) -> dict:
        """A report that was written before."""
        try:
            report = json.loads(path.read_text())
        except ValueError as error:
            raise ValueError(f"{path} is no JSON file: {error}") from error
        found = report.get("format") if isinstance(report, dict) else None
        if found != self.format:
            raise ValueError(
                f"{path} is no report of format {self.format} but {found}; measure again"
            )
        return report
