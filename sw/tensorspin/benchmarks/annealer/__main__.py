"""``python -m tensorspin.benchmarks.annealer``: measure, and write JSON, tables and pictures."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..common.report import Renderer
from .boards import annealer_rows
from .figures import draw
from .instances import COMPLETE, GSET
from .run import FORMAT, GSET_SWEEPS, PARTS, SPEED_SWEEPS, Plan, measure
from .tables import markdown

VARIABLE = "TENSORSPIN_DATA"
"""Environment variable with the folder of the instances."""

READS = 96
QUICK_SWEEPS = (20, 100)
QUICK_SPINS = (64,)
_STEM = "annealing"


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
    for name, values in (("--sweeps", options.sweeps), ("--spins", options.spins)):
        if values is not None and min(values) < 2:
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
        help=f"folder with best_known.csv, gset, biqmac and qubo; by default ${VARIABLE}, and "
        "without that only random problems",
    )
    parser.add_argument(
        "--board",
        action="append",
        choices=[row.name for row in annealer_rows()],
        metavar="NAME",
        help="may be repeated; by default all with an annealer",
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="by default all")
    parser.add_argument(
        "--sweeps",
        type=int,
        nargs="+",
        help=f"by default {SPEED_SWEEPS}, and {GSET_SWEEPS} for the G-set",
    )
    parser.add_argument("--spins", type=int, nargs="*", help=f"by default {COMPLETE}")
    parser.add_argument(
        "--reads", type=int, default=READS, help="for each number of sweeps; by default %(default)s"
    )
    parser.add_argument(
        "--gset", action="append", metavar="FILE", help=f"may be repeated; by default {GSET}"
    )
    parser.add_argument(
        "--gset-beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures; by default the sampler's",
    )
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument(
        "--compare-python",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of the environment that has the other libraries; by default this one",
    )
    parser.add_argument("--output", type=Path, default=Path("results"), help="folder to write to")
    parser.add_argument(
        "--render", action="store_true", help="measure nothing; render the folder's .json again"
    )
    return parser


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
    )


if __name__ == "__main__":
    sys.exit(main())
