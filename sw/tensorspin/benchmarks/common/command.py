"""Options that several benchmarks have in common."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def add_common_options(parser: argparse.ArgumentParser, quick: str) -> None:
    """Add the options for other libraries, for a quick run and for the report.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of a benchmark's command line.
    quick : str
        Help for ``--quick``: what the benchmark then does less of.
    """
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument(
        "--compare-python",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of the environment in which the other libraries are installed; by "
        "default the one that runs this benchmark",
    )
    add_report_options(parser)


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the report, as `tensorspin.benchmarks.common.report.Renderer` takes them.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Parser of a benchmark's command line.
    """
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("results"),
        metavar="DIR",
        help="folder to write the report to; by default %(default)s",
    )
    parser.add_argument(
        "--render",
        action="store_true",
        help="measure nothing, and draw tables and pictures again from the .json file in the "
        "folder of --output",
    )
