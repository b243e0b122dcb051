"""The command ``tensorspin estimate``: say what fits a board and how fast it is, without one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import is_zipfile

from .common import DEFAULT_BOARD, narrow_nodes, print_table

if TYPE_CHECKING:
    from ..contract.device.boards import BoardSpec


def add(commands) -> None:
    """Add the command's parser to what `argparse` calls subparsers."""
    estimate = commands.add_parser(
        "estimate",
        help="say whether a program fits a board and how fast it is, or how exactly an Ising or "
        "QUBO model fits; without a model, what the board's engines hold",
    )
    estimate.add_argument(
        "model",
        type=Path,
        nargs="?",
        help="program that tensorspin train has written, or a model file as tensorspin anneal "
        "takes it",
    )
    estimate.add_argument(
        "--board",
        default=DEFAULT_BOARD,
        metavar="NAME",
        help="name of the board; by default %(default)s",
    )
    estimate.set_defaults(command=_estimate)


def _estimate(options) -> int:
    from ..contract.device.boards import find_board

    board = find_board(options.board)
    if options.model is None:
        return _describe(board)
    # A program is a .npz file, which is a zip archive, and a model file is not.
    program = options.model.suffix == ".npz" or is_zipfile(options.model)
    return (_estimate_program if program else _estimate_model)(options.model, board)


def _describe(board: BoardSpec) -> int:
    """Print what the engines of a board hold."""
    from ..feasibility.describe import engine_rows

    print(f"{board.title}, {board.clock_hz / 1e6:g} MHz")
    print_table(*engine_rows(board))
    return 0


def _estimate_model(path: Path, board: BoardSpec) -> int:
    """Print whether an Ising or QUBO model fits the annealer, and how exactly."""
    from ..feasibility.models import estimate_model

    fits, rows = estimate_model(path, board)
    print(f"{path} on {board.title}")
    print_table(*rows)
    return 0 if fits else 1


def _estimate_program(path: Path, board: BoardSpec) -> int:
    """Print whether a program fits the contractor, and how fast it runs."""
    from ..compiler import NetworkProgram
    from ..feasibility.programs import estimate_program

    program = NetworkProgram.load(path)
    found = estimate_program(program, board)
    print(f"{path} on {board.title}")
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
