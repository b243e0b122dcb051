"""The command ``tensorspin anneal``."""

from __future__ import annotations

from pathlib import Path

from .common import URL_HELP, check_writable, print_table


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    anneal = commands.add_parser("anneal", help="minimise an Ising or QUBO model on a board")
    anneal.add_argument(
        "file", type=Path, help="rudy (G-set, BiqMac), .qubo, .sparse, or a file of dimod"
    )
    anneal.add_argument("--board", required=True, metavar="URL", help=URL_HELP)
    anneal.add_argument(
        "--format", help="rudy, sparse, qubo, coo or dimod; by default as the file looks"
    )
    anneal.add_argument(
        "--reads",
        type=int,
        help="by default as many as the board has replicas; in parts, one",
    )
    anneal.add_argument("--sweeps", type=int, default=1000, help="by default %(default)s")
    anneal.add_argument(
        "--beta-range",
        type=float,
        nargs=2,
        metavar=("FIRST", "LAST"),
        help="inverse temperatures; by default from the model",
    )
    anneal.add_argument(
        "--schedule",
        choices=("geometric", "linear"),
        default="geometric",
        help="geometric (default) or linear in the above",
    )
    anneal.add_argument(
        "--method",
        default="annealing",
        help="annealing (default), or where the board can: tempering, quantum (simulated quantum "
        "annealing)",
    )
    anneal.add_argument("--seed", type=int, help="the same gives the same; by default random")
    anneal.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of a best_known.csv; by default the file's, or the one above",
    )
    anneal.add_argument("--plot", type=Path, help="draw the energy against time into this file")
    anneal.add_argument("--output", type=Path, help="write the states to this .csv file")
    anneal.set_defaults(command=_anneal)


def _anneal(options) -> int:
    from ..plots import check_figure
    from ..sampling.command import anneal_file

    for path in (options.plot, options.output):
        if path is not None:
            check_writable(path)
    if options.plot is not None:
        check_figure(options.plot)
    print_table(*anneal_file(options))
    return 0
