"""``python -m tensorspin.benchmarks.annealer``: measure, and write JSON, tables and pictures."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..common.command import add_common_options
from ..common.report import Renderer
from .boards import annealer_rows
from .figures import draw
from .instances import COMPLETE, GSET
from .run import FORMAT, GSET_SWEEPS, PARTS, SPEED_SWEEPS, Plan, measure
from .tables import markdown

VARIABLE = "TENSORSPIN_DATA"
"""Environment variable with the folder of the instances."""

READS = 96
"""Reads (solutions) for each number of sweeps, by default.

A board with 16 replicas, copies of the problem that are annealed at the same time, makes 6 runs.
"""

QUICK_SWEEPS = (20, 100)
"""Numbers of sweeps in a quick run."""

QUICK_SPINS = (64,)
"""Spins of the random problems in a quick run."""

_STEM = "annealing"
"""Beginning of the names of all files that are written."""


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
    parser = _parser()
    options = parser.parse_args(arguments)
    for name, values in (("--sweeps", options.sweeps), ("--spins", options.spins)):
        if values and min(values) < 2:
            parser.error(f"{name} must be at least 2, not {min(values)}")
    if (options.gset or options.gset_beta_range) and options.data is None:
        parser.error("--gset and --gset-beta-range want --data")
    if options.reads < 2:
        parser.error(f"--reads must be at least 2, not {options.reads}")
    measuring = None if options.render else lambda keep: measure(_plan(options), keep)
    return Renderer(_STEM, FORMAT, markdown, draw).run(options.output, measuring)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tensorspin.benchmarks.annealer",
        description="Quality and speed of the annealer, beside dwave-samplers and OpenJij.",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(VARIABLE),
        metavar="DIR",
        help="folder of the instances, with best_known.csv and the folders gset, biqmac and qubo; "
        f"by default ${VARIABLE}, and if that is not set, only random problems are solved",
    )
    parser.add_argument(
        "--board",
        action="append",
        choices=[row.name for row in annealer_rows()],
        metavar="NAME",
        help="name of a board with an annealer; may be repeated; by default all that have one",
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS,
        help="what to measure: speed (time to solution), gset (cuts of the G-set's graphs), small "
        "(proven optima of small instances); by default all",
    )
    parser.add_argument(
        "--sweeps",
        type=int,
        nargs="+",
        metavar="N",
        help="numbers of sweeps per read, each at least 2; by default "
        f"{_listed(SPEED_SWEEPS)}, for the G-set {_listed(GSET_SWEEPS)}, with --quick "
        f"{_listed(QUICK_SWEEPS)}",
    )
    parser.add_argument(
        "--spins",
        type=int,
        nargs="*",
        metavar="N",
        help="spins of the random fully connected problems, each at least 2; by default "
        f"{_listed(COMPLETE)}, with --quick {_listed(QUICK_SPINS)}",
    )
    parser.add_argument(
        "--reads",
        type=int,
        default=READS,
        metavar="N",
        help="reads for each number of sweeps, at least 2; by default %(default)s",
    )
    parser.add_argument(
        "--gset",
        action="append",
        metavar="FILE",
        help=f"graph of the G-set; may be repeated; by default those of {_listed(GSET)} that are "
        "in the folder",
    )
    parser.add_argument(
        "--gset-beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures for the G-set, in units of the model; by default the sampler's",
    )
    add_common_options(parser, quick="measure with fewer sweeps and smaller random problems")
    return parser


def _listed(values) -> str:
    return " ".join(str(value) for value in values)


def _plan(options) -> Plan:
    rows = [row for row in annealer_rows() if options.board is None or row.name in options.board]
    if not rows:
        raise ValueError("no board of the table has an annealer")
    return Plan(
        rows=rows,
        folder=None if options.data is None else Path(options.data),
        parts=options.parts,
        speed_sweeps=options.sweeps or (QUICK_SWEEPS if options.quick else SPEED_SWEEPS),
        gset_sweeps=options.sweeps or (QUICK_SWEEPS if options.quick else GSET_SWEEPS),
        reads=options.reads,
        spins=(QUICK_SPINS if options.quick else COMPLETE)
        if options.spins is None
        else options.spins,
        gset=options.gset,
        gset_betas=None if options.gset_beta_range is None else tuple(options.gset_beta_range),
        python=options.compare_python,
        **({"instances": 1, "seeds": 2} if options.quick else {}),
    )


if __name__ == "__main__":
    sys.exit(main())
