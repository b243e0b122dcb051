"""Results of trainings, kept by what they depend on, so that nothing is trained twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ...errors import TensorspinError


class LedgerError(TensorspinError, ValueError):
    """A file that holds no earlier results."""


class Ledger:
    """Results by what they depend on.

    Parameters
    ----------
    results : dict of str to dict, optional
        Results of earlier runs by their keys.
    """

    def __init__(self, results: dict[str, dict] | None = None) -> None:
        self.results = dict(results or {})

    @classmethod
    def of_report(cls, path: Path, version: int) -> Ledger:
        """Take the results of an earlier report.

        Parameters
        ----------
        path : Path
            The report's JSON file. If there is none, the ledger is empty.
        version : int
            Version of the report's structure; results of another one are not taken.

        Returns
        -------
        Ledger
            The earlier results.

        Raises
        ------
        LedgerError
            If the file is no report, so that writing a new one would destroy something else.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls()
        try:
            report = json.loads(text)
            found = report["format"]
            results = report["ledger"] if found == version else {}
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"{path} is no report of this benchmark, and would be overwritten: remove it, or "
                f"choose another folder with --output"
            ) from error
        return cls(results)

    def find(self, **facts) -> dict | None:
        """Return the result that depends on exactly these facts; None if there is none."""
        return self.results.get(_key(facts))

    def keep(self, result: dict, **facts) -> dict:
        """Add a result that depends on these facts, numbers and text, and return it."""
        self.results[_key(facts)] = result
        return result


def _key(facts: dict) -> str:
    text = json.dumps(facts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
