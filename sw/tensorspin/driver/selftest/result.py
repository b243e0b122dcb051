"""What one check of a board has found."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.Enum):
    """Outcome of a check."""

    PASS = "PASS"
    FAIL = "FAIL"
    SKIP = "SKIP"
    """The board has nothing that could be checked, or an earlier failure prevents it."""


@dataclass(frozen=True)
class CheckResult:
    """What one check of a board has found.

    Parameters
    ----------
    name : str
        Name of the check.
    verdict : Verdict
        Its outcome.
    found : str
        What was measured or compared, for people.
    hint : str, default=""
        What to do about it, if the check has failed.

    Examples
    --------
    >>> CheckResult("echo", Verdict.PASS, "50 of 50 answers").verdict.value
    'PASS'
    """

    name: str
    verdict: Verdict
    found: str
    hint: str = ""


def judged(name: str, good: bool, found: str, hint: str) -> CheckResult:
    """Make the result of a check that has been carried out.

    Parameters
    ----------
    name : str
        Name of the check.
    good : bool
        Whether the board has passed.
    found : str
        What was measured or compared.
    hint : str
        What to do if it has not passed.

    Returns
    -------
    CheckResult
        The result, with the hint only if it is needed.

    Examples
    --------
    >>> judged("echo", False, "49 of 50 answers", "check the cable").hint
    'check the cable'
    """
    if good:
        return CheckResult(name, Verdict.PASS, found)
    return CheckResult(name, Verdict.FAIL, found, hint)
