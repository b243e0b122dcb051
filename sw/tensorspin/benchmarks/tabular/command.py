"""Options of ``make bench BENCH_FLAGS='--suite tabular'``."""

from __future__ import annotations

import argparse

from ..common.command import add_common_options
from ..common.report import Keep, Renderer
from .figures import draw
from .models import BITS, all_ours
from .run import FORMAT, Plan, keep_in, measure
from .sets import TARGETS
from .tables import markdown

STEM = "tabular"
"""Beginning of the names of all files that are written."""

_QUICK = {"splits": 2, "most_training": 300, "most_testing": 300}
"""What a quick run uses instead of the defaults of `Plan`."""

_LEAST_SAMPLES = 10
"""Smallest number of samples that the parts of a split may be limited to."""


def main(arguments: list[str]) -> int:
    """Measure, or render an earlier measurement again.

    Parameters
    ----------
    arguments : list of str
        Words of the command line, ``--suite tabular`` among them.

    Returns
    -------
    int
        Exit status: 0 if all went well, 1 if something failed, 2 if the arguments are wrong, 130 if
        interrupted.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.splits is not None and options.splits < 1:
        parser.error(f"--splits must be at least 1, not {options.splits}")
    for name in ("most_training", "most_testing"):
        value = getattr(options, name)
        if value is not None and value < _LEAST_SAMPLES:
            parser.error(
                f"--{name.replace('_', '-')} must be at least {_LEAST_SAMPLES}, not {value}"
            )

    def measured(keep: Keep) -> dict:
        ledger = keep_in(options.output, STEM)
        if options.anew:
            ledger.results.clear()
        return measure(_plan(options), ledger, keep, options.dask)

    return Renderer(STEM, FORMAT, markdown, draw).run(
        options.output, None if options.render else measured
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.contractor --suite tabular",
        description="Accuracy of Tensorspin's estimators with their defaults beside scikit-learn's "
        "on tables of samples. A run that was interrupted goes on where it ended, and a later run "
        "trains again only what has changed, as the .json file of --output holds all results.",
    )
    parser.add_argument("--suite", choices=("tabular",), help=argparse.SUPPRESS)
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="DIR",
        help="folder whose .npz files (arrays X_train, y_train and optionally X_test, y_test, or X "
        "and y) and .csv files are measured beside scikit-learn's own sets; or one such file; may "
        "be repeated",
    )
    parser.add_argument(
        "--categorical",
        action="append",
        default=[],
        metavar="NAME",
        help="column of these .csv files whose numbers are names, such as codes of regions; may be "
        "repeated",
    )
    parser.add_argument(
        "--sets",
        nargs="+",
        metavar="NAME",
        help="measure these sets only; the name of a file's set is the file's name without ending",
    )
    parser.add_argument(
        "--targets",
        nargs="+",
        choices=TARGETS,
        default=TARGETS,
        metavar="KIND",
        help=f"measure sets of these kinds only: {', '.join(TARGETS)}; by default all. For "
        "outliers the most frequent class of each set is normal, and all others are not",
    )
    parser.add_argument(
        "--models",
        nargs="*",
        metavar="NAME",
        help=f"estimators of Tensorspin to measure, none or some of {', '.join(all_ours())}; by "
        "default all",
    )
    parser.add_argument(
        "--bits",
        nargs="*",
        type=int,
        choices=BITS,
        default=None,
        metavar="N",
        help="widths of weights in bits to measure beside floating point; by default "
        f"{' and '.join(map(str, BITS))}",
    )
    parser.add_argument(
        "--splits",
        type=int,
        metavar="N",
        help=f"number of seeded splits; by default {Plan.splits}, and {_QUICK['splits']} with "
        "--quick",
    )
    for name, what in (("training", "train on"), ("testing", "test with")):
        parser.add_argument(
            f"--most-{name}",
            type=int,
            metavar="N",
            help=f"most samples to {what}; of more a stratified part is drawn; by default "
            f"{getattr(Plan, f'most_{name}'):,}, and {_QUICK[f'most_{name}']} with --quick",
        )
    parser.add_argument(
        "--board",
        default=Plan.board,
        metavar="URL",
        help="board on which quantised networks run; by default %(default)s, a model in software "
        "that answers bit for bit as the board does",
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="scheduler of a Dask cluster, such as tcp://box:8786, whose workers measure splits at "
        "the same time; needs tensorspin[distributed]",
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="forget the results in the folder of --output, and measure all again",
    )
    add_common_options(parser, quick="measure with fewer splits and samples")
    return parser


def _plan(options: argparse.Namespace) -> Plan:
    chosen = dict(_QUICK) if options.quick else {}
    for name in _QUICK:
        if getattr(options, name) is not None:
            chosen[name] = getattr(options, name)
    return Plan(
        data=options.data,
        categorical=options.categorical,
        names=options.sets,
        targets=options.targets,
        models=options.models,
        bits=BITS if options.bits is None else options.bits,
        board=options.board,
        quick=options.quick,
        **chosen,
    )
