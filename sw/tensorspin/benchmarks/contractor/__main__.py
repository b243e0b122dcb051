"""``python -m tensorspin.benchmarks.contractor``: measure, and write JSON, tables and pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...data.datasets import NAMES
from ..common.report import Renderer
from .figures import draw
from .run import FORMAT, QUICK_NAMES, Plan, measure
from .tables import markdown
from .training import EPOCHS

_STEM = "benchmark"


def main(arguments: list[str] | None = None) -> int:
    """Measure or render.

    Parameters
    ----------
    arguments : list of str, optional
        As on the command line, without the program's name.

    Returns
    -------
    int
        Exit status: 0, or 1 if something failed, 2 if the arguments are wrong, 130 if interrupted.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.splits is not None and options.splits < 2:
        parser.error(f"--splits must be at least 2, not {options.splits}: for the standard error")
    if options.most_training < 10:
        parser.error(f"--most-training must be at least 10, not {options.most_training}")
    if options.compare_epochs < 2:
        parser.error(f"--compare-epochs must be at least 2, not {options.compare_epochs}")
    measuring = None if options.render else lambda keep: measure(_plan(options))
    return Renderer(_STEM, FORMAT, markdown, draw).run(options.output, measuring)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.contractor",
        description="Accuracy, size, speed and latency of Tensorspin beside other classifiers.",
    )
    parser.add_argument(
        "--names",
        nargs="*",
        choices=NAMES,
        metavar="NAME",
        help=f"data of scikit-learn, none or some of {', '.join(NAMES)}; by default all",
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="FILE",
        help="measure a .npz (X_train, y_train and, if there, X_test, y_test) or .csv file (class "
        "last) too; may be repeated",
    )
    parser.add_argument(
        "--board",
        action="append",
        metavar="URL",
        help="board to run programs on; may be repeated; by default all boards, simulated",
    )
    parser.add_argument("--splits", type=int, help=f"stratified splits; by default {Plan.splits}")
    parser.add_argument(
        "--most-training",
        type=int,
        default=Plan.most_training,
        metavar="N",
        help="train on a stratified part of so many samples where there are more; by default "
        "%(default)s",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one split, the smaller sets, less of everything"
    )
    parser.add_argument(
        "--compare-data",
        default=Plan.training_source,
        metavar="NAME_OR_FILE",
        help="data of the comparison with other libraries; by default %(default)s",
    )
    parser.add_argument(
        "--compare-epochs", type=int, default=EPOCHS, metavar="N", help="by default %(default)s"
    )
    parser.add_argument(
        "--compare-python",
        metavar="PYTHON",
        help="interpreter of the environment that has the other libraries; by default this one",
    )
    parser.add_argument("--output", type=Path, default=Path("results"), help="folder to write to")
    parser.add_argument(
        "--render", action="store_true", help="measure nothing; render the folder's .json again"
    )
    return parser


def _plan(options) -> Plan:
    names = options.names
    if names is None:
        names = QUICK_NAMES if options.quick else NAMES
    sources = [*names, *options.data]
    if not sources:
        raise ValueError("there is nothing to measure: give --names or --data")
    return Plan(
        sources=sources,
        urls=Plan.urls if options.board is None else options.board,
        splits=options.splits or (1 if options.quick else Plan.splits),
        most_training=options.most_training,
        quick=options.quick,
        training_source=options.compare_data,
        training_epochs=options.compare_epochs,
        training_python=options.compare_python,
    )


if __name__ == "__main__":
    sys.exit(main())
