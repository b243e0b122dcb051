"""``python -m tensorspin.benchmarks.pool``: measure, and write JSON, tables and a picture."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec

import numpy as np
from sklearn.datasets import load_digits

from ...driver.pool.work import MOST_SAMPLES
from ...models import MPSClassifier
from ...progress import progress_over
from ..common.command import add_report_options
from ..common.machine import describe_machine
from ..common.report import Keep, Renderer
from .modelled import BOARDS, LINES, measure_modelled
from .tables import draw, markdown
from .virtual import COUNTS, SAMPLES, measure_virtual

FORMAT = 1
"""Version of the report's structure."""

BOND = 8

QUICK_BOARDS = (2, 10, 50)
QUICK_COUNTS = (1, 2)


def main(arguments: list[str] | None = None) -> int:
    """Measure, or render an earlier measurement again.

    Parameters
    ----------
    arguments : list of str, optional
        Words of the command line, without the program's name. By default those of this process.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 if something failed, 2 if the arguments are wrong, 130 if
        interrupted.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.pool",
        description="How much many boards compute, and where the scheduler becomes the limit.",
    )
    parser.add_argument("--quick", action="store_true", help="fewer boards and samples")
    add_report_options(parser)
    options = parser.parse_args(arguments)
    measuring = None if options.render else lambda keep: measure(options.quick, keep)
    return Renderer("pool", FORMAT, markdown, draw).run(options.output, measuring)


def measure(quick: bool, keep: Keep) -> dict:
    """Measure virtual and modelled boards.

    Parameters
    ----------
    quick : bool
        Whether fewer boards and samples will do.
    keep : callable
        Saves the report so far.

    Returns
    -------
    dict
        The report.
    """
    X, y = load_digits(return_X_y=True)
    program = MPSClassifier(BOND, epochs=1, random_state=0).fit(X, y).quantize()
    levels = program.encode(X)
    levels = np.resize(levels, (max(SAMPLES.values()), levels.shape[1]))
    dask = find_spec("distributed") is not None
    report: dict = {
        "format": FORMAT,
        "machine": describe_machine(),
        "model": {"features": X.shape[1], "bond_dim": BOND, "piece": MOST_SAMPLES},
        "virtual": [],
        "modelled": [],
    }
    curves = [
        (line, board, scheduler)
        for line, board in LINES.items()
        for scheduler in (("threads", "dask") if dask else ("threads",))
    ]
    for line, board, scheduler in progress_over(curves, "modelled boards", "curve"):
        boards = QUICK_BOARDS if quick else BOARDS[scheduler]
        rows = measure_modelled(program, levels[:MOST_SAMPLES], board, boards, scheduler)
        report["modelled"].append({"line": line, "scheduler": scheduler, "rows": rows})
        keep(report)
    counts = QUICK_COUNTS if quick else COUNTS
    report["virtual"] = measure_virtual(program, levels, counts, dask=dask, quick=quick)
    return report


if __name__ == "__main__":
    sys.exit(main())
