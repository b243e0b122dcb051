"""The command ``tensorspin selftest``: check a board, and print a report to paste."""

from __future__ import annotations

import platform

from ..driver.transports import is_virtual
from .common import URL_HELP
from .report import Line

_BAR_DELAY = 2.0
"""Seconds that the checks take at least for their progress to be shown."""


def add_options(parser) -> None:
    """Add the command's options and arguments to its parser."""
    parser.add_argument("url", help=URL_HELP)
    parser.set_defaults(command=_selftest)


def _selftest(options) -> int:
    from ..driver.board import Board
    from ..driver.selftest import CheckResult, selftest
    from ..driver.selftest.line import LINE_HINT
    from ..driver.selftest.result import Verdict
    from ..errors import LinkError, TensorspinError
    from ..feasibility.describe import engine_rows, engine_values, line_text
    from ..progress import progress_bar

    report = options.report
    kind = " (virtual: no measurement of hardware)" if is_virtual(options.url) else ""
    report.table(Line("url", options.url, f"{options.url}{kind}"), *_versions())
    try:
        board = Board.open(options.url)
    except TensorspinError as error:
        # Of a virtual board that can't be opened the error says why; there is no cable.
        wired = isinstance(error, LinkError) or not is_virtual(options.url)
        hint = LINE_HINT if wired else ""
        results = [CheckResult("greeting", Verdict.FAIL, str(error), hint)]
    else:
        with board:
            info = board.info
            report.table(
                Line("board", info.board),
                Line("protocol version", info.protocol),
                Line("build", info.build.hex()),
                Line("clock", info.clock_hz, f"{info.clock_hz / 1e6:g} MHz", "clock_hz"),
                Line("serial line", info.baud, line_text(info), "baud"),
                *engine_rows(info),
            )
            report.record(engines=engine_values(info))
            with progress_bar("checking", " checks", _BAR_DELAY) as progress:
                results = [
                    CheckResult("greeting", Verdict.PASS, "the device answers"),
                    *selftest(board, progress),
                ]
    report.say()
    for result in results:
        found = " ".join(result.found.split())
        report.say(f"{result.verdict.value}  {result.name:<12} {found}")
        if result.hint:
            report.say(f"      {'':<12} what to do: {result.hint}")
    passed = not any(result.verdict is Verdict.FAIL for result in results)
    report.say("all checks passed" if passed else "the board has FAILED")
    report.record(
        passed=passed,
        checks=[
            {
                "name": result.name,
                "verdict": result.verdict.value,
                "found": result.found,
                "hint": result.hint,
            }
            for result in results
        ],
    )
    return 0 if passed else 1


def _versions() -> list[Line]:
    """Versions of what the report depends on."""
    from importlib import metadata

    lines = [Line("python", platform.python_version()), Line("platform", platform.platform())]
    for name in ("tensorspin", "numpy", "pyserial"):
        try:
            lines.append(Line(name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            lines.append(Line(name, None, "not installed as a package"))
    return lines
