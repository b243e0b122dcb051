"""``python -m tensorspin.benchmarks.contractor``: measure, and write JSON, tables and pictures."""

from __future__ import annotations

import argparse
import sys

from ...cli.common import add_header_option
from ...data.datasets import NAMES
from ..common.command import add_common_options
from ..common.report import Renderer
from ..tabular import command as tabular
from .figures import draw
from .one_sample import command as latency
from .run import FORMAT, QUICK_NAMES, Plan, measure
from .tables import markdown
from .training import EPOCHS

BOARDS, TABULAR, LATENCY = "boards", "tabular", "latency"
"""Names of the suites: accuracy, size and speed of boards; accuracy on many tables; how long one
sample takes on boards, on this computer and on microcontrollers."""

_STEM = "benchmark"
"""Beginning of the names of all files that are written."""

_LEAST_TRAINING = 10
"""Smallest number of training samples that a run may be limited to."""


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
    words = sys.argv[1:] if arguments is None else arguments
    suite = _suite(words)
    if suite in (TABULAR, LATENCY):
        return (tabular.main if suite == TABULAR else latency.main)(words)
    parser = _parser()
    options = parser.parse_args(words)
    if options.splits is not None and options.splits < 2:
        parser.error(f"--splits must be at least 2, not {options.splits}: for the standard error")
    if options.most_training < _LEAST_TRAINING:
        parser.error(
            f"--most-training must be at least {_LEAST_TRAINING}, not {options.most_training}"
        )
    if options.compare_epochs < 2:
        parser.error(f"--compare-epochs must be at least 2, not {options.compare_epochs}")
    measuring = None if options.render else lambda keep: measure(_plan(options), keep)
    return Renderer(_STEM, FORMAT, markdown, draw).run(options.output, measuring)


def _suite(words: list[str]) -> str | None:
    """Return the suite that a command line names, whose options are others; None: no known one."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    first.add_argument("--suite", default=BOARDS)
    try:
        return first.parse_known_args(words)[0].suite
    except argparse.ArgumentError:
        return None  # the suite's own parser tells what is wrong


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.contractor",
        description="Accuracy, size, speed and latency of Tensorspin beside other classifiers.",
    )
    parser.add_argument(
        "--suite",
        choices=(BOARDS, TABULAR, LATENCY),
        default=BOARDS,
        help="what to measure: accuracy, size and speed of boards on some data sets (these "
        "options), accuracy on many tables (--suite tabular --help lists its options), or one "
        "sample's latency alone (--suite latency --help); by default %(default)s",
    )
    parser.add_argument(
        "--names",
        nargs="*",
        choices=NAMES,
        metavar="NAME",
        help=f"data sets of scikit-learn, none or some of {', '.join(NAMES)}; by default all, and "
        f"{', '.join(QUICK_NAMES)} with --quick",
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="FILE",
        help="measure this file, too: a .npz file (arrays X_train, y_train and optionally X_test, "
        "y_test) or a .csv file (class in the last column); may be repeated",
    )
    add_header_option(parser)
    parser.add_argument(
        "--board",
        action="append",
        metavar="URL",
        help="board to run programs on, as tensorspin run takes it; may be repeated; by default "
        "all boards that have a contractor, simulated",
    )
    parser.add_argument(
        "--splits",
        type=int,
        metavar="N",
        help="number of stratified splits into training and held-out samples, at least 2; by "
        f"default {Plan.splits}, and 1 with --quick",
    )
    parser.add_argument(
        "--most-training",
        type=int,
        default=Plan.most_training,
        metavar="N",
        help="train on a stratified part of N samples if a data set has more; by default "
        "%(default)s",
    )
    parser.add_argument(
        "--compare-data",
        default=Plan.training_source,
        metavar="NAME_OR_FILE",
        help="data set with which training is compared with other libraries; by default "
        "%(default)s",
    )
    parser.add_argument(
        "--compare-epochs",
        type=int,
        default=EPOCHS,
        metavar="N",
        help="passes over the training samples in that comparison, at least 2; by default "
        "%(default)s",
    )
    add_common_options(
        parser,
        quick="measure with one split, the smaller data sets, less training and fewer "
        "repetitions, and without other libraries",
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
        header=options.header,
        counted=options.output / latency.COUNTED,
    )


if __name__ == "__main__":
    sys.exit(main())
