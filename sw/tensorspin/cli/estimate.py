"""The command ``tensorspin estimate``."""

from __future__ import annotations

from pathlib import Path
from zipfile import is_zipfile

from .common import DEFAULT_BOARD, narrow_nodes, print_table


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    estimate = commands.add_parser(
        "estimate",
        help="what a board's engines take; whether a program fits, and how fast it is, or an Ising "
        "or QUBO model, and how exactly",
    )
    estimate.add_argument(
        "model", type=Path, nargs="?", help="program written by train, or a file for anneal"
    )
    estimate.add_argument("--board", default=DEFAULT_BOARD, metavar="NAME", help="name of a board")
    estimate.set_defaults(command=_estimate)


def _estimate(options) -> int:
    from ..compiler import NetworkProgram
    from ..contract.device.boards import find_board
    from ..feasibility.describe import engine_rows
    from ..feasibility.programs import estimate

    board = find_board(options.board)
    if options.model is None:
        print(f"{board.title}, {board.clock_hz / 1e6:g} MHz")
        print_table(*engine_rows(board))
        return 0
    if options.model.suffix != ".npz" and not is_zipfile(options.model):
        from ..feasibility.models import describe_model

        fits, rows = describe_model(options.model, board)
        print(f"{options.model} on {board.title}")
        print_table(*rows)
        return 0 if fits else 1
    program = NetworkProgram.load(options.model)
    found = estimate(program, board)
    print(f"{options.model} on {board.title}")
    for demand in found.demands:
        verdict = "fits" if demand.fits else f"DOES NOT FIT: {demand.advice}"
        print(f"  {demand.what:<42}{demand.needed:>8} of {demand.limit:>8}  {verdict}")
    print(f"  {'nodes of 4-bit weights':<42}{narrow_nodes(program):>8}")
    clock = f"at {board.clock_hz / 1e6:g} MHz"
    print(f"  {'cycles per sample':<42}{found.cycles:>8}")
    print(f"  {'latency of computing':<42}{found.seconds * 1e6:>8.1f} us {clock}")
    print(f"  {'multiplier utilisation':<42}{found.utilisation:>8.1%}")
    print(
        f"  {'samples per second':<42}{found.samples_per_second:>8.0f} (modelled, with the line at "
        f"{board.baud} baud)"
    )
    return 0 if found.fits else 1
